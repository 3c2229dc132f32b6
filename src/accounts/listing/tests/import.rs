//! Many entries at once.

use super::*;

#[test]
fn an_import_counts_and_the_same_again_changes_nothing() {
    let mut a = accounts();
    add(&mut a, EntryKind::Number, "5", None);
    let first = import(&mut a, None, [3, 4, 5, 4], "why");
    let expected = Imported {
        entries: 4,
        duplicates: 1,
        added: 2,
        kept: 1,
        ..Imported::default()
    };
    assert_eq!(first, expected);
    let log = audit_log(&a);
    assert_eq!(
        log.last().map(String::as_str),
        Some(
            "cli list import black system from feed.csv: 4 entries, 2 added, 0 changed, 0 unchanged, \
             1 kept, 0 removed, 1 duplicates, 0 expired before"
        )
    );
    let again = import(&mut a, None, [5, 4, 3], "why");
    assert_eq!((again.unchanged, again.kept, again.changes()), (2, 1, 0));
    assert_eq!(audit_log(&a), log);
    let other = import(&mut a, None, [4, 6], "another reason");
    assert_eq!((other.changed, other.added), (1, 1));
}

/// A feed neither takes the operator's own entries over nor takes them off.
#[test]
fn an_entry_of_another_source_is_kept() {
    let mut a = accounts();
    let lasting = Some(NOW.plus_secs(DAY));
    add(&mut a, EntryKind::Number, "1", lasting);
    add(&mut a, EntryKind::Network, "192.0.2.0/24", None);
    let mut bring = |take_over: bool, now: Timestamp, values: &[(EntryKind, &str)]| {
        let import = a.list_import(&Scope::System, ListKind::Black, Some("feed"), now);
        let mut import = import.expect("begun");
        import.take_over(take_over);
        for (kind, value) in values {
            import.add(&entry(*kind, value, "fed")).expect(value);
        }
        let done = import.finish("feed.csv").expect("finished");
        let snapshot = Snapshot::load(&a).expect("snapshot");
        let network = "192.0.2.7".parse().expect("an address");
        let found = snapshot.system.black.networks.find(network, NOW);
        let network = found.map(|(_, entry)| entry.reason.to_string());
        let counts = [
            done.added,
            done.changed,
            done.unchanged,
            done.kept,
            done.removed,
        ];
        (counts, why(&snapshot, "1"), network)
    };
    let both = [
        (EntryKind::Number, "1"),
        (EntryKind::Number, "2"),
        (EntryKind::Network, "192.0.2.0/24"),
    ];
    let mine = |reason: &str| Some(format!("number 1: {reason}"));
    let by_hand = Some("by hand".to_owned());
    let first = bring(false, NOW, &both);
    let kept = ([1, 0, 0, 2, 0], mine("by hand (cli)"), by_hand.clone());
    assert_eq!(first, kept);
    let gone = bring(false, NOW, &[(EntryKind::Number, "3")]);
    assert_eq!(gone, ([1, 0, 0, 0, 1], mine("by hand (cli)"), by_hand));
    // What has expired is nobody's.
    let later = bring(false, NOW.plus_secs(DAY), &both);
    assert_eq!(later.0, [1, 1, 0, 1, 1]);
    assert_eq!(later.1, mine("fed (feed)"));
    let taken = bring(true, NOW, &both);
    assert_eq!(
        taken,
        ([0, 1, 2, 0, 0], mine("fed (feed)"), Some("fed".to_owned()))
    );
    let nothing = bring(false, NOW, &[(EntryKind::Number, "3")]);
    assert_eq!(nothing, ([1, 0, 0, 0, 3], None, None));
}

#[test]
fn reasons_make_room_before_they_are_too_many() {
    let mut a = accounts();
    import(&mut a, None, [1], "stays");
    import(&mut a, None, [2], "goes");
    import(&mut a, Some("feed"), [1], "stays");
    let stage = "CREATE TEMP TABLE staged_note (reason TEXT, source TEXT, listed INTEGER);
        INSERT INTO staged_note VALUES ('new', 'feed', NULL), ('newer', 'feed', NULL);";
    a.connection.execute_batch(stage).expect("staged");
    let refused = super::super::merge::number_notes(&a.connection, 2);
    assert!(matches!(
        refused,
        Err(AccountsError::TooManyReasons { found: 3, most: 2 })
    ));
    super::super::merge::number_notes(&a.connection, 3).expect("room is made");
    let notes = "SELECT group_concat(reason, ' ') FROM (SELECT reason FROM list_note ORDER BY id)";
    let notes: String = a
        .connection
        .query_row(notes, [], |row| row.get(0))
        .expect("read");
    assert_eq!(notes, "stays new newer");
}

#[test]
fn a_mapped_network_is_the_network_it_stands_for() {
    let mut a = accounts();
    add(&mut a, EntryKind::Network, "::ffff:203.0.113.9/120", None);
    let snapshot = Snapshot::load(&a).expect("snapshot");
    let address = "203.0.113.77".parse().expect("an address");
    let found = snapshot.system.black.networks.find(address, NOW);
    assert!(found.is_some());
    assert_eq!(
        values(&a, &EntryFilter::default(), 9),
        ["black network 203.0.113.0/24"]
    );
    remove(&mut a, EntryKind::Network, "::ffff:203.0.113.0/120").expect("removed");
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
