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
