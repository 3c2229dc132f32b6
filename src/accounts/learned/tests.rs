use super::*;
use crate::accounts::{AuditFilter, EntryQuery};

mod bounds;

const NOW: Timestamp = Timestamp::from_secs(1_760_000_000);
const DAY: i64 = 86_400;

fn finding(value: &str, withheld: Option<&str>, expires: Timestamp) -> LearnedFinding {
    LearnedFinding {
        kind: EntryKind::Number,
        value: value.to_owned(),
        withheld: withheld.map(str::to_owned),
        reason: "learned: 3 honeypot sources".to_owned(),
        evidence: serde_json::json!({"honeypot": 3.0}),
        weight: 3.0,
        parties: 3,
        first: NOW,
        last: NOW,
        expires,
    }
}

fn listed(accounts: &Accounts) -> Vec<(String, String, Option<i64>)> {
    let query = EntryQuery {
        scope: Scope::System,
        list: Some(ListKind::Black),
        kind: None,
        source: None,
        begins: None,
        limit: 100,
    };
    let found = accounts.find_entries(&query).expect("found");
    found
        .into_iter()
        .map(|entry| (entry.value, entry.source, entry.expires_at))
        .collect()
}

fn states(accounts: &Accounts) -> Vec<(String, &'static str)> {
    let rows = accounts.learned(None).expect("read");
    let mut states: Vec<_> = rows
        .into_iter()
        .map(|row| (row.value, row.state.as_str()))
        .collect();
    states.sort();
    states
}

#[test]
fn what_may_be_is_listed_with_its_evidence_and_what_may_not_is_proposed() {
    let mut accounts = Accounts::in_memory(NOW).expect("accounts");
    let expires = NOW.plus_secs(30 * DAY);
    let findings = [
        finding("252612345678", None, expires),
        finding("442079460000", Some("its ordinary life"), expires),
    ];
    let done = accounts.learn(&findings, NOW).expect("taken in");
    assert_eq!((done.listed, done.proposed), (1, 1));
    let entry = (
        "252612345678".into(),
        "learned".into(),
        Some(expires.secs()),
    );
    assert_eq!(listed(&accounts), [entry]);
    let rows = accounts
        .learned(Some(LearnedState::Proposed))
        .expect("read");
    assert_eq!(rows[0].why, "its ordinary life");
    assert_eq!(rows[0].evidence, serde_json::json!({"honeypot": 3.0}));
    let before = accounts.audit_log(&AuditFilter::default()).expect("log");
    // The program's own proposals are no lines: strangers could make any number of them.
    let actions: Vec<&str> = before.iter().map(|line| line.action.as_str()).collect();
    assert_eq!(actions, ["list add", "first start"]);
    // The same again is no edit; a day later it is a renewal.
    let done = accounts
        .learn(&findings, NOW.plus_secs(60))
        .expect("taken in");
    assert_eq!(done, Learnt::default());
    assert_eq!(
        accounts.audit_log(&AuditFilter::default()).expect("log"),
        before
    );
    let later = finding("252612345678", None, expires.plus_secs(DAY));
    let done = accounts
        .learn(&[later], NOW.plus_secs(DAY))
        .expect("taken in");
    assert_eq!(done.listed, 1);
    assert_eq!(listed(&accounts)[0].2, Some(expires.secs() + DAY));
    // The proposal has no evidence any more.
    assert_eq!(states(&accounts), [("252612345678".into(), "listed")]);
}

#[test]
fn a_rejection_holds_and_approval_takes_it_back() {
    let mut accounts = Accounts::in_memory(NOW).expect("accounts");
    let expires = NOW.plus_secs(30 * DAY);
    let findings = [finding("252612345678", None, expires)];
    accounts.learn(&findings, NOW).expect("taken in");
    let kind = EntryKind::Number;
    accounts
        .decide_learned(kind, "252612345678", false, NOW)
        .expect("rejected");
    assert!(listed(&accounts).is_empty());
    for day in 1..60 {
        let again = finding("252612345678", None, expires.plus_secs(day * DAY));
        accounts
            .learn(&[again], NOW.plus_secs(day * DAY))
            .expect("taken in");
        assert!(listed(&accounts).is_empty(), "{day}");
    }
    accounts.learn(&[], NOW).expect("taken in");
    assert_eq!(states(&accounts), [("252612345678".into(), "rejected")]);
    accounts
        .decide_learned(kind, "252612345678", true, NOW)
        .expect("approved");
    assert_eq!(listed(&accounts).len(), 1);
    assert_eq!(states(&accounts), [("252612345678".into(), "approved")]);
    let unknown = accounts.decide_learned(kind, "442079460000", true, NOW);
    assert!(matches!(unknown, Err(AccountsError::NotLearned(_))));
}

#[test]
fn an_entry_taken_off_by_hand_stays_off() {
    let mut accounts = Accounts::in_memory(NOW).expect("accounts");
    let findings = [finding("252612345678", None, NOW.plus_secs(30 * DAY))];
    accounts.learn(&findings, NOW).expect("taken in");
    accounts
        .list_remove(
            &Scope::System,
            ListKind::Black,
            EntryKind::Number,
            "252612345678",
            NOW,
        )
        .expect("taken off");
    accounts
        .learn(&findings, NOW.plus_secs(5))
        .expect("taken in");
    assert!(listed(&accounts).is_empty());
    assert_eq!(states(&accounts), [("252612345678".into(), "rejected")]);
}

#[test]
fn what_another_source_has_listed_is_its_own() {
    let mut accounts = Accounts::in_memory(NOW).expect("accounts");
    let value = "252612345678";
    accounts
        .list_add(
            &Scope::System,
            ListKind::Black,
            EntryKind::Number,
            value,
            "known",
            "operator",
            None,
            NOW,
        )
        .expect("listed");
    let findings = [finding(value, None, NOW.plus_secs(30 * DAY))];
    accounts.learn(&findings, NOW).expect("taken in");
    assert_eq!(listed(&accounts), [(value.into(), "operator".into(), None)]);
    accounts
        .decide_learned(EntryKind::Number, value, false, NOW)
        .expect("rejected");
    assert_eq!(listed(&accounts).len(), 1);
}

#[test]
fn an_entry_that_ends_is_forgotten_and_may_come_again() {
    let mut accounts = Accounts::in_memory(NOW).expect("accounts");
    let expires = NOW.plus_secs(7 * DAY);
    accounts
        .learn(&[finding("252612345678", None, expires)], NOW)
        .expect("taken in");
    accounts.learn(&[], NOW.plus_secs(DAY)).expect("taken in");
    assert_eq!(states(&accounts), [("252612345678".into(), "listed")]);
    accounts.learn(&[], expires).expect("taken in");
    assert!(states(&accounts).is_empty());
    let again = finding("252612345678", None, expires.plus_secs(7 * DAY));
    assert_eq!(
        accounts.learn(&[again], expires).expect("taken in").listed,
        1
    );
}

#[test]
fn what_is_rejected_in_advance_is_never_listed() {
    let mut accounts = Accounts::in_memory(NOW).expect("accounts");
    let (kind, value) = (EntryKind::Number, "442079460000");
    accounts
        .decide_learned(kind, value, false, NOW)
        .expect("rejected");
    let findings = [finding(value, None, NOW.plus_secs(30 * DAY))];
    accounts.learn(&findings, NOW).expect("taken in");
    assert!(listed(&accounts).is_empty());
    let rows = accounts.learned(None).expect("read");
    assert_eq!(rows[0].state, LearnedState::Rejected);
    assert_eq!(rows[0].parties, 3, "the evidence is shown all the same");
    accounts
        .decide_learned(kind, "x", false, NOW)
        .expect_err("no number");
}

#[test]
fn a_network_of_many_addresses_is_an_attack_group() {
    let mut accounts = Accounts::in_memory(NOW).expect("accounts");
    let network = |value: &str| LearnedFinding {
        kind: EntryKind::Network,
        ..finding(value, None, NOW.plus_secs(7 * DAY))
    };
    let findings = [network("192.0.2.0/24"), network("192.0.2.7/32")];
    accounts.learn(&findings, NOW).expect("taken in");
    assert_eq!(listed(&accounts).len(), 1, "the address");
    let snapshot = crate::accounts::Snapshot::load(&accounts).expect("snapshot");
    let address = "192.0.2.9".parse().expect("address");
    let (found, entry) = snapshot
        .system
        .attack_groups
        .find(address, NOW)
        .expect("in the group");
    assert_eq!(
        (found.to_string().as_str(), &*entry.reason),
        ("192.0.2.0/24", GROUP)
    );
    accounts
        .decide_learned(EntryKind::Network, "192.0.2.0/24", false, NOW)
        .expect("rejected");
    accounts.learn(&findings, NOW).expect("taken in");
    let snapshot = crate::accounts::Snapshot::load(&accounts).expect("snapshot");
    assert!(snapshot.system.attack_groups.find(address, NOW).is_none());
}
