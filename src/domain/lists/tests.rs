use super::*;
use crate::domain::Number;
use proptest::prelude::*;
use std::collections::BTreeMap;

const NOW: Timestamp = Timestamp::from_secs(1_000);

fn number(digits: &str) -> Number {
    Number::parse(digits).expect("a number")
}

fn listed(digits: &str) -> Listed {
    Listed::Number(number(digits))
}

fn nth(n: u64) -> Number {
    Number::from_u64(n).expect("a number")
}

fn until(reason: &str, expires: Timestamp) -> Entry {
    Entry {
        expires: Some(expires),
        ..Entry::lasting(reason)
    }
}

/// Every third number from 3 on, so many of them, each with its own digits as reason.
fn thirds(entries: u64) -> NumberList {
    let mut builder = NumberListBuilder::default();
    for n in 1..=entries {
        let note = builder.note(&(3 * n).to_string().into(), &"test".into());
        builder.push(Listed::Number(nth(3 * n)), note, None);
    }
    builder.finish()
}

fn why(list: &NumberList, n: u64) -> Option<String> {
    list.find(nth(n), NOW).map(|(_, e)| e.reason.to_string())
}

#[test]
fn the_number_itself_then_the_longest_prefix() {
    let mut list = NumberList::default();
    list.insert_prefix(number("44"), Entry::lasting("country"));
    list.insert_prefix(number("4470"), Entry::lasting("range"));
    list.insert_number(number("447012345678"), Entry::lasting("exact"));
    let why = |digits| {
        let found = list.find(number(digits), NOW);
        found.map(|(by, entry)| format!("{by}: {}", entry.reason))
    };
    assert_eq!(
        why("447012345678").as_deref(),
        Some("number 447012345678: exact")
    );
    assert_eq!(why("447012345679").as_deref(), Some("prefix 4470: range"));
    assert_eq!(why("442012345678").as_deref(), Some("prefix 44: country"));
    assert_eq!(why("44").as_deref(), Some("prefix 44: country"));
    assert_eq!(why("4"), None);
    assert_eq!(why("34911222333"), None);
}

#[test]
fn an_expired_entry_uncovers_what_is_below_it() {
    let mut list = NumberList::default();
    list.insert_prefix(number("44"), Entry::lasting("country"));
    list.insert_prefix(number("4470"), until("range", NOW));
    let just_before = Timestamp(NOW.0 - 1);
    let why = |at| {
        let found = list.find(number("447012345678"), at).expect("live");
        found.1.reason.to_string()
    };
    assert_eq!(why(just_before), "range");
    assert_eq!(why(NOW), "country", "gone at the very instant");
}

#[test]
fn an_expiry_is_the_same_in_the_table_as_in_the_overlay() {
    let mut builder = NumberListBuilder::default();
    let note = builder.note(&"r".into(), &"s".into());
    let far = Timestamp::from_secs(10_000_000_000);
    for (n, expires) in [
        (1, None),
        (2, Some(NOW)),
        (3, Some(Timestamp::from_secs(-5))),
        (4, Some(far)),
    ] {
        builder.push(Listed::Number(nth(n)), note, expires);
    }
    let list = builder.finish();
    let at = |n, now| list.find(nth(n), now).map(|(_, entry)| entry.expires);
    assert_eq!(at(1, far), Some(None));
    assert_eq!(at(2, Timestamp(NOW.0 - 1)), Some(Some(NOW)));
    assert_eq!(at(2, NOW), None);
    assert_eq!(at(3, Timestamp::from_secs(0)), None);
    assert_eq!(at(4, NOW), Some(None), "after 2106 is for good");
}

#[test]
fn the_first_and_the_last_key_of_tables_of_every_size() {
    for entries in [0, 1, 2, 63, 64, 65, 127, 128, 129, 1_000] {
        let list = thirds(entries);
        assert_eq!(list.len() as u64, entries);
        for n in 1..=3 * entries + 3 {
            let expected = (n % 3 == 0 && n <= 3 * entries).then(|| n.to_string());
            assert_eq!(why(&list, n), expected, "{n} of {entries}");
        }
        assert_eq!(why(&list, 999_999_999_999_999), None);
    }
    let mut list = NumberList::default();
    list.insert_number(nth(999_999_999_999_999), Entry::lasting("last"));
    list.insert_prefix(nth(1), Entry::lasting("first"));
    assert_eq!(why(&list, 999_999_999_999_999).as_deref(), Some("last"));
    assert_eq!(why(&list, 199_999_999_999_999).as_deref(), Some("first"));
}

#[test]
fn entries_out_of_order_are_listed_all_the_same() {
    let mut builder = NumberListBuilder::default();
    let note = builder.note(&"r".into(), &"s".into());
    for digits in ["5", "3", "9", "3"] {
        builder.push(listed(digits), note, None);
    }
    let list = builder.finish();
    assert_eq!(list.len(), 3);
    assert!([3, 5, 9].into_iter().all(|n| why(&list, n).is_some()));
}

#[test]
fn edits_stand_over_the_table_and_older_clones_keep_what_they_had() {
    let mut list = thirds(100);
    let before = list.clone();
    list.apply([
        (listed("3"), None),
        (listed("300"), Some(Entry::lasting("changed"))),
        (listed("4"), Some(Entry::lasting("new"))),
        (listed("5"), None),
    ]);
    assert_eq!(list.len(), 100);
    assert_eq!(why(&list, 3), None);
    assert_eq!(why(&list, 300).as_deref(), Some("changed"));
    assert_eq!(why(&list, 4).as_deref(), Some("new"));
    list.apply([(listed("3"), Some(Entry::lasting("again")))]);
    assert_eq!((list.len(), why(&list, 3).as_deref()), (101, Some("again")));
    list.apply([(listed("4"), None), (listed("3"), None)]);
    assert_eq!((list.len(), why(&list, 4), why(&list, 3)), (99, None, None));
    assert_eq!((before.len(), why(&before, 3).as_deref()), (100, Some("3")));
}

#[test]
fn a_grown_overlay_becomes_part_of_the_table_and_nothing_else_changes() {
    let mut list = thirds(1_000);
    // Past the size from which overlays are merged, with every kind of change.
    for n in 1..=9_000 {
        let entry = (n % 2 == 0).then(|| Entry::lasting("even"));
        list.apply([(Listed::Number(nth(n)), entry)]);
    }
    for n in 1..=9_001 {
        let expected = (n % 2 == 0 && n <= 9_000).then(|| "even".to_owned());
        assert_eq!(why(&list, n), expected, "{n}");
    }
    assert_eq!(list.len(), 4_500);
}

#[derive(Clone, Debug)]
enum Step {
    Change(Listed, Option<(u8, Option<u8>)>),
    /// The list as a full load of it would be.
    Reload,
}

fn any_listed() -> impl Strategy<Value = Listed> {
    // Few digits, so that prefixes cover numbers and steps meet each other.
    let digits = prop_oneof![1..200u64, 1_110..1_130u64, Just(999_999_999_999_999)];
    (digits, any::<bool>()).prop_map(|(n, prefix)| match prefix {
        true => Listed::Prefix(nth(n)),
        false => Listed::Number(nth(n)),
    })
}

fn any_step() -> impl Strategy<Value = Step> {
    let entry = proptest::option::weighted(0.7, (0..4u8, proptest::option::of(0..10u8)));
    prop_oneof![
        20 => (any_listed(), entry).prop_map(|(listed, entry)| Step::Change(listed, entry)),
        1 => Just(Step::Reload),
    ]
}

fn entry(reason: u8, expires: Option<u8>) -> Entry {
    Entry {
        reason: reason.to_string().into(),
        source: "test".into(),
        expires: expires.map(|s| Timestamp::from_secs(s.into())),
    }
}

/// What a list should find, the slow way.
fn naive(
    model: &BTreeMap<Listed, Entry>,
    number: Number,
    now: Timestamp,
) -> Option<(Listed, Entry)> {
    let whole = std::iter::once(Listed::Number(number));
    let prefixes = (1..=15).rev().filter_map(|length| {
        let text = number.to_string();
        text.get(..length)
            .map(|text| Listed::Prefix(self::number(text)))
    });
    whole.chain(prefixes).find_map(|listed| {
        let entry = model.get(&listed)?;
        entry.is_live(now).then(|| (listed, entry.clone()))
    })
}

proptest! {
    #[test]
    fn a_list_is_what_a_plain_map_would_be(
        steps in proptest::collection::vec(any_step(), 0..120),
        asked in proptest::collection::vec((any_listed(), 0..11u8), 1..40),
    ) {
        let mut list = NumberList::default();
        let mut model = BTreeMap::new();
        for step in steps {
            match step {
                Step::Change(listed, change) => {
                    let change = change.map(|(reason, expires)| entry(reason, expires));
                    list.apply([(listed, change.clone())]);
                    match change {
                        Some(entry) => model.insert(listed, entry),
                        None => model.remove(&listed),
                    };
                }
                Step::Reload => {
                    let mut builder = NumberListBuilder::default();
                    for (&listed, entry) in &model {
                        let note = builder.note(&entry.reason, &entry.source);
                        builder.push(listed, note, entry.expires);
                    }
                    list = builder.finish();
                }
            }
            prop_assert_eq!(list.len(), model.len());
        }
        for (listed, now) in asked {
            let (Listed::Number(number) | Listed::Prefix(number)) = listed;
            let now = Timestamp::from_secs(now.into());
            prop_assert_eq!(list.find(number, now), naive(&model, number, now));
            prop_assert_eq!(list.get(listed), model.get(&listed).cloned());
        }
    }
}

#[test]
fn networks_by_longest_prefix_and_mapped_addresses() {
    let mut list = NetworkList::default();
    list.insert("10.0.0.0/8".parse().expect("net"), Entry::lasting("wide"));
    list.insert(
        "10.1.2.3/24".parse().expect("net"),
        Entry::lasting("narrow"),
    );
    list.insert("2001:db8::/32".parse().expect("net"), Entry::lasting("six"));
    let why = |a: &str| {
        list.find(a.parse().expect("address"), NOW)
            .map(|(_, e)| &*e.reason)
    };
    assert_eq!(why("10.1.2.200"), Some("narrow"));
    assert_eq!(why("10.9.9.9"), Some("wide"));
    assert_eq!(why("::ffff:10.9.9.9"), Some("wide"));
    assert_eq!(why("2001:db8::1"), Some("six"));
    assert_eq!(why("2001:db9::1"), None);
}

#[test]
fn an_expired_network_uncovers_the_wider_one() {
    let mut list = NetworkList::default();
    list.insert("10.0.0.0/8".parse().expect("net"), Entry::lasting("wide"));
    list.insert("10.1.2.0/24".parse().expect("net"), until("narrow", NOW));
    let why = |now| {
        let found = list.find("10.1.2.3".parse().expect("address"), now);
        found.map(|(_, e)| &*e.reason)
    };
    assert_eq!(why(Timestamp(NOW.0 - 1)), Some("narrow"));
    assert_eq!(why(NOW), Some("wide"));
}

#[test]
fn agents_ignore_case_and_bad_patterns_are_refused() {
    let list = AgentList::new(vec![("^sipvicious".into(), Entry::lasting("tool"))]);
    let list = list.expect("compiles");
    assert!(list.find("SIPVicious 0.3", NOW).is_some());
    assert!(list.find("my sipvicious", NOW).is_none());
    assert!(AgentList::new(vec![("(".into(), Entry::lasting(""))]).is_err());
}
