use super::*;
use crate::accounts::Snapshot;
use crate::domain::Number;
use proptest::prelude::*;

const NOW: Timestamp = Timestamp::from_secs(1_760_000_000);
const DAY: i64 = 86_400;

fn accounts() -> Accounts {
    Accounts::in_memory(NOW).expect("accounts")
}

fn own() -> Scope {
    Scope::Policy {
        domain: "root".into(),
        policy: "default".into(),
    }
}

fn number(digits: &str) -> Number {
    Number::parse(digits).expect("a number")
}

fn entry<'a>(kind: EntryKind, value: &'a str, reason: &'a str) -> NewEntry<'a> {
    NewEntry {
        kind,
        value,
        reason,
        source: "feed",
        expires: None,
    }
}

/// Brings whole numbers into the system's blacklist, each with this reason.
fn import(
    a: &mut Accounts,
    replace: Option<&str>,
    numbers: impl IntoIterator<Item = u64>,
    reason: &str,
) -> Imported {
    let import = a.list_import(&Scope::System, ListKind::Black, replace, NOW);
    let mut import = import.expect("begun");
    for number in numbers {
        let value = number.to_string();
        let one = entry(EntryKind::Number, &value, reason);
        import.add(&one).expect("an entry");
    }
    import.finish("feed.csv").expect("finished")
}

fn add(a: &mut Accounts, kind: EntryKind, value: &str, expires: Option<Timestamp>) {
    a.list_add(
        &Scope::System,
        ListKind::Black,
        kind,
        value,
        "by hand",
        "cli",
        expires,
        NOW,
    )
    .expect("added");
}

fn remove(a: &mut Accounts, kind: EntryKind, value: &str) -> Result<(), AccountsError> {
    a.list_remove(&Scope::System, ListKind::Black, kind, value, NOW)
}

/// Why the system refuses a number.
fn why(snapshot: &Snapshot, digits: &str) -> Option<String> {
    let found = snapshot.system.black.numbers.find(number(digits), NOW);
    found.map(|(by, entry)| format!("{by}: {} ({})", entry.reason, entry.source))
}

fn audit_log(a: &Accounts) -> Vec<String> {
    let mut statement = a
        .connection
        .prepare("SELECT actor || ' ' || action || ' ' || subject FROM audit_log ORDER BY id")
        .expect("prepared");
    let rows = statement.query_map([], |row| row.get(0)).expect("read");
    rows.map(|row| row.expect("a line")).collect()
}

fn values(a: &Accounts, filter: &EntryFilter<'_>, limit: u64) -> Vec<String> {
    let mut values = Vec::new();
    a.list_query(filter, limit, |e| {
        values.push(format!("{} {} {}", e.list, e.kind, e.value));
        Ok::<_, AccountsError>(())
    })
    .expect("read");
    values
}

#[test]
fn entries_of_the_first_schema_are_taken_over() {
    let folder = tempfile::tempdir().expect("folder");
    let old = Connection::open(folder.path().join("accounts.sqlite")).expect("opened");
    old.execute_batch(include_str!("../schema/0001_initial.sql"))
        .expect("the first schema");
    old.execute_batch(
        "INSERT INTO domain (name, is_root, default_policy) VALUES ('root', 1, 'default');
         INSERT INTO policy (domain, name, rules) VALUES ('root', 'default', '{}');
         INSERT INTO list_entry (scope, list, kind, value, reason, source, created_at, expires_at)
         VALUES ('', 'black', 'prefix', '25261', 'IRSF', 'cli', 5, NULL),
                ('', 'black', 'number', '999999999999999', 'last', 'cli', 6, 4102444800),
                ('', 'black', 'agent', '^bad', 'tool', 'cli', 7, NULL),
                ('', 'group', 'network', '203.0.113.0/24', 'gang', 'cli', 8, 9),
                ('root/default', 'white', 'number', '4420', 'mine', 'cli', 9, NULL);
         PRAGMA user_version = 1;",
    )
    .expect("entries");
    drop(old);
    let mut a = Accounts::open(folder.path(), NOW).expect("brought to this schema");
    assert_eq!(
        values(&a, &EntryFilter::default(), 100),
        [
            "black number 999999999999999",
            "black prefix 25261",
            "black agent ^bad",
            "group network 203.0.113.0/24",
            "white number 4420",
        ]
    );
    let entries = a.list_entries(None, 1).expect("read");
    assert_eq!(
        (entries[0].listed_at, entries[0].expires_at),
        (6, Some(4_102_444_800))
    );
    let snapshot = Snapshot::load(&a).expect("snapshot");
    assert_eq!(
        why(&snapshot, "252610000").as_deref(),
        Some("prefix 25261: IRSF (cli)")
    );
    assert_eq!(snapshot.system.black.agents.len(), 1);
    assert_eq!(snapshot.system.attack_groups.len(), 1);
    assert_eq!(
        a.purge_expired(NOW).expect("purged"),
        1,
        "the group's network"
    );
}

#[test]
fn an_edit_is_followed_and_not_read_anew() {
    let mut a = accounts();
    add(&mut a, EntryKind::Prefix, "44", None);
    let first = Snapshot::load(&a).expect("snapshot");
    add(&mut a, EntryKind::Number, "442079460123", None);
    add(&mut a, EntryKind::Network, "192.0.2.0/24", None);
    let second = first.reload(&a, None).expect("followed");
    assert!(second.stale_lists().is_empty());
    assert_eq!(
        why(&second, "442079460123").as_deref(),
        Some("number 442079460123: by hand (cli)")
    );
    assert_eq!(second.system.black.networks.len(), 1);
    remove(&mut a, EntryKind::Number, "442079460123").expect("removed");
    remove(&mut a, EntryKind::Network, "192.0.2.0/24").expect("removed");
    let third = second.reload(&a, None).expect("followed");
    assert_eq!(
        why(&third, "442079460123").as_deref(),
        Some("prefix 44: by hand (cli)")
    );
    assert_eq!(third.system.black.networks.len(), 0);
    assert_eq!(
        first.system.black.numbers.len(),
        1,
        "an older snapshot is as it was"
    );
    // A policy's list that begins after the first snapshot.
    let own = own();
    a.list_add(
        &own,
        ListKind::White,
        EntryKind::Prefix,
        "44",
        "mine",
        "cli",
        None,
        NOW,
    )
    .expect("added");
    let fourth = third.reload(&a, None).expect("followed");
    assert!(fourth.stale_lists().is_empty());
    assert_eq!(fourth.lists.white("root/default").len(), 1);
}

#[test]
fn a_large_import_is_read_whole_while_what_was_there_stays_in_force() {
    let mut a = accounts();
    add(&mut a, EntryKind::Prefix, "25261", None);
    let before = Snapshot::load(&a).expect("snapshot");
    import(&mut a, None, 1_000_000..1_020_000, "many");
    let meanwhile = before.reload(&a, None).expect("followed");
    let stale = meanwhile.stale_lists().to_vec();
    assert_eq!(stale.len(), 1);
    assert_eq!(why(&meanwhile, "1000000"), None);
    assert!(why(&meanwhile, "252612345").is_some());
    // Edits during the long reading: seen at once, and not lost when it ends.
    let read = a.load_numbers(&stale).expect("read");
    add(&mut a, EntryKind::Number, "34911222333", None);
    remove(&mut a, EntryKind::Number, "1000000").expect("removed");
    let meanwhile = meanwhile.reload(&a, None).expect("followed");
    assert!(why(&meanwhile, "34911222333").is_some());
    let after = meanwhile.reload(&a, Some(read)).expect("joined");
    assert!(after.stale_lists().is_empty());
    assert_eq!(why(&after, "1000000"), None);
    assert_eq!(
        why(&after, "1019999").as_deref(),
        Some("number 1019999: many (feed)")
    );
    assert!(why(&after, "34911222333").is_some());
    assert!(why(&after, "252612345").is_some());
    // An import during the reading of another one: read once more.
    import(&mut a, None, 2_000_000..2_020_000, "more");
    let stale = after
        .reload(&a, None)
        .expect("followed")
        .stale_lists()
        .to_vec();
    let read = a.load_numbers(&stale).expect("read");
    import(&mut a, None, 3_000_000..3_020_000, "most");
    let joined = after.reload(&a, Some(read)).expect("joined");
    assert_eq!(joined.stale_lists(), stale);
    assert!(why(&joined, "2000000").is_some());
}

#[test]
fn who_is_behind_the_log_of_changes_reads_anew() {
    let mut a = accounts();
    add(&mut a, EntryKind::Number, "1", None);
    let first = Snapshot::load(&a).expect("snapshot");
    let list = first.lists.stale().len();
    assert_eq!(list, 0);
    // As many edits as push the first out of the log, at once.
    a.connection
        .execute_batch(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 65537)
             INSERT INTO list_change (list, prefix, number) SELECT 1, 0, 1 FROM n",
        )
        .expect("logged");
    add(&mut a, EntryKind::Number, "2", None);
    let behind = first.reload(&a, None).expect("followed");
    assert_eq!(behind.stale_lists().len(), 1);
    let read = a.load_numbers(behind.stale_lists()).expect("read");
    let up_to_date = behind.reload(&a, Some(read)).expect("joined");
    assert!(up_to_date.stale_lists().is_empty());
    assert_eq!(up_to_date.system.black.numbers.len(), 2);
    let kept: i64 = a
        .connection
        .query_row("SELECT count(*) FROM list_change", [], |row| row.get(0))
        .expect("read");
    assert_eq!(kept, 65_536);
}

#[test]
fn an_import_counts_and_the_same_again_changes_nothing() {
    let mut a = accounts();
    add(&mut a, EntryKind::Number, "5", None);
    let first = import(&mut a, None, [3, 4, 5, 4], "why");
    let expected = Imported {
        entries: 4,
        duplicates: 1,
        added: 2,
        changed: 1,
        ..Imported::default()
    };
    assert_eq!(first, expected);
    let log = audit_log(&a);
    assert_eq!(
        log.last().map(String::as_str),
        Some(
            "cli list import black system from feed.csv: 4 entries, 2 added, 1 changed, 0 unchanged, \
             0 removed, 1 duplicates, 0 expired before"
        )
    );
    let again = import(&mut a, None, [5, 4, 3], "why");
    assert_eq!((again.unchanged, again.changes()), (3, 0));
    assert_eq!(audit_log(&a), log);
    let other = import(&mut a, None, [5, 6], "another reason");
    assert_eq!((other.changed, other.added), (1, 1));
}

#[test]
fn what_a_replaced_source_no_longer_has_goes_and_nothing_else() {
    let mut a = accounts();
    add(&mut a, EntryKind::Number, "1", None);
    import(&mut a, None, [2, 3, 4], "why");
    let before = Snapshot::load(&a).expect("snapshot");
    let done = import(&mut a, Some("feed"), [3, 5], "why");
    assert_eq!((done.added, done.unchanged, done.removed), (1, 1, 2));
    assert_eq!(
        values(&a, &EntryFilter::default(), 9),
        ["black number 1", "black number 3", "black number 5"]
    );
    let after = before.reload(&a, None).expect("followed");
    assert!(after.stale_lists().is_empty(), "few changes are followed");
    assert_eq!((why(&after, "2"), why(&after, "5").is_some()), (None, true));
    let mut foreign = a
        .list_import(&Scope::System, ListKind::Black, Some("feed"), NOW)
        .expect("begun");
    let mut one = entry(EntryKind::Number, "7", "why");
    one.source = "other";
    foreign.add(&one).expect_err("of another source");
}

#[test]
fn an_import_of_every_kind_of_entry() {
    let mut a = accounts();
    let import = a.list_import(&own(), ListKind::Black, None, NOW);
    let mut import = import.expect("begun");
    for (kind, value) in [
        (EntryKind::Number, "+442079460123"),
        (EntryKind::Prefix, "44"),
        (EntryKind::Network, "192.0.2.77/24"),
        (EntryKind::Network, "192.0.2.0/24"),
        (EntryKind::Agent, "^bad"),
    ] {
        import.add(&entry(kind, value, "why")).expect(value);
    }
    for (kind, value) in [
        (EntryKind::Number, ""),
        (EntryKind::Number, "0044"),
        (EntryKind::Prefix, "1234567890123456"),
        (EntryKind::Network, "192.0.2.0/33"),
        (EntryKind::Agent, "("),
        (EntryKind::Agent, ""),
    ] {
        import.add(&entry(kind, value, "why")).expect_err(value);
    }
    import
        .add(&entry(EntryKind::Number, "1", "a\nb"))
        .expect_err("a line break");
    let mut past = entry(EntryKind::Number, "9", "why");
    past.expires = Some(NOW);
    import.add(&past).expect("left out");
    let done = import.finish("x").expect("finished");
    let expected = Imported {
        entries: 6,
        duplicates: 1,
        expired: 1,
        added: 4,
        ..Imported::default()
    };
    assert_eq!(done, expected);
    let snapshot = Snapshot::load(&a).expect("snapshot");
    let black = snapshot.lists.black("root/default");
    assert_eq!(
        (
            black.numbers.len(),
            black.networks.len(),
            black.agents.len()
        ),
        (2, 1, 1)
    );
}

#[test]
fn an_import_that_fails_or_is_given_up_leaves_everything_as_it_was() {
    let mut a = accounts();
    add(&mut a, EntryKind::Number, "1", None);
    let before = (values(&a, &EntryFilter::default(), 9), audit_log(&a));
    let begin = |a: &mut Accounts, count: usize| {
        let import = a.list_import(&Scope::System, ListKind::Black, None, NOW);
        let mut import = import.expect("begun");
        import
            .add(&entry(EntryKind::Number, "2", "why"))
            .expect("an entry");
        for n in 0..count {
            // Each takes more than a megabyte when compiled.
            let pattern = format!(r"(x{n})\w{{40}}");
            import
                .add(&entry(EntryKind::Agent, &pattern, "why"))
                .expect("fine alone");
        }
        if count > 0 {
            import.finish("x").expect_err("too large together");
        }
    };
    begin(&mut a, 0);
    begin(&mut a, 16);
    assert_eq!(
        (values(&a, &EntryFilter::default(), 9), audit_log(&a)),
        before
    );
    let nobody = Scope::Policy {
        domain: "root".into(),
        policy: "nope".into(),
    };
    a.list_import(&nobody, ListKind::Black, None, NOW)
        .expect_err("no policy");
    import(&mut a, None, [2], "why");
    assert_eq!(values(&a, &EntryFilter::default(), 9).len(), 2);
}

#[test]
fn the_lists_of_a_policy_or_domain_go_with_it() {
    let mut a = accounts();
    for domain in ["a_b.example", "aXb.example"] {
        a.add_domain(domain, &[], NOW).expect("added");
        a.create_policy(domain, "strict", NOW).expect("created");
        for policy in ["default", "strict"] {
            let scope = Scope::Policy {
                domain: domain.into(),
                policy: policy.into(),
            };
            for (kind, value) in [
                (EntryKind::Number, "44"),
                (EntryKind::Network, "10.0.0.0/8"),
            ] {
                a.list_add(&scope, ListKind::Black, kind, value, "r", "cli", None, NOW)
                    .expect("added");
            }
        }
    }
    let first = Snapshot::load(&a).expect("snapshot");
    let left = |a: &Accounts| a.list_entries(None, 99).expect("read").len();
    a.remove_policy("a_b.example", "strict", NOW)
        .expect("removed");
    assert_eq!(left(&a), 6);
    a.remove_domain("a_b.example", NOW).expect("removed");
    assert_eq!(left(&a), 4);
    let second = first.reload(&a, None).expect("followed");
    assert!(second.lists.black("a_b.example/default").numbers.is_empty());
    assert_eq!(second.lists.black("axb.example/strict").numbers.len(), 1);
    // One of the same name begins with nothing.
    a.add_domain("a_b.example", &[], NOW).expect("added");
    let third = second.reload(&a, None).expect("followed");
    assert!(third.lists.black("a_b.example/default").numbers.is_empty());
}

#[test]
fn expired_entries_are_kept_a_day_and_then_purged_with_a_line_in_the_log() {
    let mut a = accounts();
    let at = |seconds| Some(NOW.plus_secs(seconds));
    add(&mut a, EntryKind::Number, "1", at(10));
    add(&mut a, EntryKind::Prefix, "2", at(DAY));
    add(&mut a, EntryKind::Network, "192.0.2.0/24", at(10));
    add(&mut a, EntryKind::Number, "3", None);
    let log = audit_log(&a);
    assert_eq!(a.purge_expired(NOW.plus_secs(DAY + 9)).expect("purged"), 0);
    assert_eq!(audit_log(&a), log);
    assert_eq!(a.purge_expired(NOW.plus_secs(DAY + 10)).expect("purged"), 2);
    assert_eq!(
        audit_log(&a)[log.len()..],
        ["tfps list purge black system: 1 expired entries"; 2]
    );
    assert_eq!(
        values(&a, &EntryFilter::default(), 9),
        ["black number 3", "black prefix 2"]
    );
    assert_eq!(a.purge_expired(NOW.plus_secs(DAY + 11)).expect("purged"), 0);
    assert_eq!(a.purge_expired(NOW.plus_secs(2 * DAY)).expect("purged"), 1);
    assert_eq!(values(&a, &EntryFilter::default(), 9), ["black number 3"]);
}

#[test]
fn reasons_that_no_entry_has_are_forgotten_once_they_are_many() {
    let mut a = accounts();
    let notes = |a: &Accounts| -> i64 {
        a.connection
            .query_row("SELECT count(*) FROM list_note", [], |row| row.get(0))
            .expect("read")
    };
    let mut import = a
        .list_import(&Scope::System, ListKind::Black, None, NOW)
        .expect("begun");
    for n in 1..=10_000 {
        let (value, reason) = (n.to_string(), format!("reason {n}"));
        import
            .add(&entry(EntryKind::Number, &value, &reason))
            .expect("an entry");
    }
    import.finish("x").expect("finished");
    let snapshot = Snapshot::load(&a).expect("snapshot");
    assert_eq!(
        why(&snapshot, "9999").as_deref(),
        Some("number 9999: reason 9999 (feed)")
    );
    a.sweep_notes().expect("swept");
    assert_eq!(notes(&a), 10_000);
    self::import(&mut a, Some("feed"), [7], "reason 7");
    a.sweep_notes().expect("swept");
    assert_eq!(notes(&a), 1);
}

#[test]
fn entries_are_shown_by_scope_list_kind_source_and_beginning() {
    let mut a = accounts();
    import(&mut a, None, [44, 441, 4412, 45, 442_079_460_123], "why");
    add(&mut a, EntryKind::Prefix, "44", None);
    add(&mut a, EntryKind::Agent, "^44%_", None);
    a.list_add(
        &own(),
        ListKind::White,
        EntryKind::Number,
        "44",
        "r",
        "cli",
        None,
        NOW,
    )
    .expect("added");
    let system = Scope::System;
    let all = EntryFilter::default();
    assert_eq!(values(&a, &all, 99).len(), 8);
    assert_eq!(values(&a, &all, 2), ["black number 44", "black number 45"]);
    let of = EntryFilter {
        scope: Some(&system),
        kind: Some(EntryKind::Number),
        ..all
    };
    assert_eq!(values(&a, &of, 99).len(), 5);
    let begins = EntryFilter {
        value: Some("44"),
        ..of
    };
    let found = values(&a, &begins, 99);
    assert_eq!(
        found,
        ["44", "441", "4412", "442079460123"].map(|n| format!("black number {n}"))
    );
    let one = EntryFilter {
        value: Some("441"),
        ..of
    };
    assert_eq!(values(&a, &one, 1), ["black number 441"]);
    let source = EntryFilter {
        source: Some("cli"),
        ..all
    };
    assert_eq!(
        values(&a, &source, 99),
        ["black prefix 44", "black agent ^44%_", "white number 44"]
    );
    let white = EntryFilter {
        list: Some(ListKind::White),
        ..all
    };
    assert_eq!(values(&a, &white, 99), ["white number 44"]);
    let pattern = EntryFilter {
        value: Some("^44%"),
        ..all
    };
    assert_eq!(values(&a, &pattern, 99), ["black agent ^44%_"]);
    for hostile in ["' OR 1=1 --", "%", "1234567890123456", "-4", "٤٤"] {
        let filter = EntryFilter {
            value: Some(hostile),
            source: None,
            ..all
        };
        assert_eq!(values(&a, &filter, 99), [""; 0], "{hostile}");
    }
}

#[test]
fn a_check_says_which_entry_decides_and_which_would() {
    let mut a = accounts();
    add(&mut a, EntryKind::Prefix, "4", None);
    add(&mut a, EntryKind::Prefix, "44", None);
    add(&mut a, EntryKind::Number, "442079460123", Some(NOW));
    a.list_add(
        &own(),
        ListKind::White,
        EntryKind::Prefix,
        "4420",
        "r",
        "cli",
        None,
        NOW,
    )
    .expect("added");
    for network in ["192.0.2.0/24", "192.0.0.0/16"] {
        add(&mut a, EntryKind::Network, network, None);
    }
    a.list_add(
        &Scope::System,
        ListKind::Group,
        EntryKind::Network,
        "192.0.2.7",
        "gang",
        "cli",
        None,
        NOW,
    )
    .expect("added");
    add(&mut a, EntryKind::Agent, "scan", None);
    let found = |sought| -> Vec<_> {
        let matches = a.list_check(sought, NOW).expect("read");
        let short = |m: ListMatch| (m.entry.value, m.state, m.code);
        matches.into_iter().map(short).collect()
    };
    use MatchState::{Covered, Decides, Expired};
    assert_eq!(
        found(Sought::Number(number("442079460123"))),
        [
            ("442079460123".into(), Expired, Some("R03")),
            ("44".into(), Decides, Some("R03")),
            ("4".into(), Covered, Some("R03")),
            ("4420".into(), Decides, None),
        ]
    );
    assert_eq!(
        found(Sought::Address(
            "::ffff:192.0.2.7".parse().expect("address")
        )),
        [
            ("192.0.2.0/24".into(), Decides, Some("R02")),
            ("192.0.0.0/16".into(), Covered, Some("R02")),
            ("192.0.2.7/32".into(), Decides, Some("R12")),
        ]
    );
    let agent = found(Sought::Agent("Friendly-SCANNER"));
    assert_eq!(agent, [("scan".into(), Decides, Some("R01"))]);
    assert_eq!(found(Sought::Agent("Phone")), []);
}

#[derive(Clone, Debug)]
enum Edit {
    Add(bool, u64),
    Remove(bool, u64),
    Import(bool, Vec<u64>),
    /// More than the log of changes is told.
    Bulk,
    /// The reading of what is stale ends only now.
    Read,
}

fn any_edit() -> impl Strategy<Value = Edit> {
    let few = || 1..30u64;
    prop_oneof![
        4 => (any::<bool>(), few()).prop_map(|(prefix, n)| Edit::Add(prefix, n)),
        3 => (any::<bool>(), few()).prop_map(|(prefix, n)| Edit::Remove(prefix, n)),
        2 => (any::<bool>(), proptest::collection::vec(few(), 1..8))
            .prop_map(|(replace, numbers)| Edit::Import(replace, numbers)),
        1 => Just(Edit::Bulk),
        2 => Just(Edit::Read),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Following the changes comes to what reading the file anew comes to.
    #[test]
    fn following_is_as_good_as_reading_anew(
        edits in proptest::collection::vec(any_edit(), 1..25),
        behind in 0..3usize,
    ) {
        let mut a = accounts();
        let mut followed = Snapshot::load(&a).expect("snapshot");
        let mut read = None;
        for (at, edit) in edits.into_iter().enumerate() {
            let kind = |prefix| if prefix { EntryKind::Prefix } else { EntryKind::Number };
            match edit {
                Edit::Add(prefix, n) => add(&mut a, kind(prefix), &n.to_string(), None),
                Edit::Remove(prefix, n) => drop(remove(&mut a, kind(prefix), &n.to_string())),
                Edit::Import(replace, numbers) => {
                    import(&mut a, replace.then_some("feed"), numbers, &at.to_string());
                }
                Edit::Bulk => {
                    import(&mut a, None, 10_000..19_000, &at.to_string());
                }
                Edit::Read => read = Some(a.load_numbers(&[1]).expect("read")),
            }
            if at % 3 >= behind {
                followed = followed.reload(&a, read.take()).expect("followed");
            }
        }
        let mut followed = followed.reload(&a, read).expect("followed");
        if !followed.stale_lists().is_empty() {
            let read = a.load_numbers(followed.stale_lists()).expect("read");
            followed = followed.reload(&a, Some(read)).expect("joined");
        }
        let fresh = Snapshot::load(&a).expect("snapshot");
        prop_assert!(followed.stale_lists().is_empty());
        prop_assert_eq!(followed.system.black.numbers.len(), fresh.system.black.numbers.len());
        for n in (1..400u64).chain(9_999..10_100).chain(18_990..19_010) {
            prop_assert_eq!(why(&followed, &n.to_string()), why(&fresh, &n.to_string()));
        }
    }
}
