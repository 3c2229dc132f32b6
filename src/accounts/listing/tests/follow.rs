//! What is edited reaches the snapshots.

use super::*;
use proptest::prelude::*;

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
    let own = own();
    a.list_add(
        &own,
        ListKind::White,
        EntryKind::Number,
        "3",
        "r",
        "cli",
        None,
        NOW,
    )
    .expect("added");
    // As many edits as push these out of the log, at once.
    a.connection
        .execute_batch(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 65537)
             INSERT INTO list_change (list, prefix, number) SELECT 1, 0, 1 FROM n",
        )
        .expect("logged");
    add(&mut a, EntryKind::Number, "2", None);
    let behind = first.reload(&a, None).expect("followed");
    assert_eq!(behind.stale_lists().len(), 2);
    let read = a.load_numbers(behind.stale_lists()).expect("read");
    let up_to_date = behind.reload(&a, Some(read)).expect("joined");
    assert!(up_to_date.stale_lists().is_empty());
    assert_eq!(up_to_date.system.black.numbers.len(), 2);
    assert_eq!(up_to_date.lists.white("root/default").len(), 1);
    let kept: i64 = a
        .connection
        .query_row("SELECT count(*) FROM list_change", [], |row| row.get(0))
        .expect("read");
    assert_eq!(kept, 65_536);
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
