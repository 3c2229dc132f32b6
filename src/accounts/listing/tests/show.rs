//! Entries shown and checked.

use super::*;

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
