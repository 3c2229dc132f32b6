mod follow;
mod import;
mod show;

use super::*;
use crate::accounts::Snapshot;
use crate::domain::Number;

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

fn entry<'a>(kind: EntryKind, value: &'a str, reason: &'a str) -> RawEntry<'a> {
    RawEntry {
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
    let before = Snapshot::load(&a).expect("snapshot");
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
    let after = before.reload(&a, None).expect("followed");
    let black = &after.system.black;
    assert_eq!(
        (black.numbers.len(), black.networks.len()),
        (1, 0),
        "memory is freed too"
    );
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
