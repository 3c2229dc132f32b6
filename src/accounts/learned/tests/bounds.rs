//! What strangers make up fills no list, no table and no log, and stops nothing else.

use super::*;

fn of_kind(kind: EntryKind, value: String, weight: f32) -> LearnedFinding {
    LearnedFinding {
        kind,
        value,
        weight,
        ..finding("1", None, NOW.plus_secs(30 * DAY))
    }
}

fn agent(n: usize) -> LearnedFinding {
    let value = format!("^made up {n}{}$", "x".repeat(150));
    of_kind(EntryKind::Agent, value, 3.0)
}

fn count(accounts: &Accounts, kind: EntryKind, state: LearnedState) -> usize {
    let rows = accounts.learned(Some(state)).expect("read");
    rows.iter().filter(|row| row.kind == kind).count()
}

#[test]
fn a_flood_of_user_agents_lists_some_and_stops_nothing_else() {
    let mut accounts = Accounts::in_memory(NOW).expect("accounts");
    let mut findings: Vec<_> = (0..1_000).map(agent).collect();
    findings.push(finding("252612345678", None, NOW.plus_secs(30 * DAY)));
    let done = accounts.learn(&findings, NOW).expect("taken in");
    let listed = count(&accounts, EntryKind::Agent, LearnedState::Listed);
    assert!(listed <= 200, "{listed}");
    assert_eq!(count(&accounts, EntryKind::Number, LearnedState::Listed), 1);
    assert_eq!(done.listed, listed as u64 + 1);
    crate::accounts::Snapshot::load(&accounts).expect("a service can start with them");
    let again = accounts.learn(&findings, NOW.plus_secs(1));
    assert_eq!(again.expect("taken in"), Learnt::default());
}

#[test]
fn user_agents_that_do_not_fit_together_are_proposed_and_the_rest_is_listed() {
    let mut accounts = Accounts::in_memory(NOW).expect("accounts");
    // Each is fine by itself.
    let large = |n: usize| of_kind(EntryKind::Agent, format!("^made up {n} \\w{{25}}$"), 3.0);
    let mut findings: Vec<_> = (0..100).map(large).collect();
    findings.push(finding("252612345678", None, NOW.plus_secs(30 * DAY)));
    let done = accounts.learn(&findings, NOW).expect("taken in");
    assert_eq!((done.listed, done.proposed), (1, 100));
    let proposed = accounts
        .learned(Some(LearnedState::Proposed))
        .expect("read");
    assert!(proposed[0].why.contains("too large"), "{}", proposed[0].why);
    assert_eq!(listed(&accounts).len(), 1);
    crate::accounts::Snapshot::load(&accounts).expect("a service can start with them");
}

#[test]
fn a_full_list_takes_no_more_and_says_so() {
    let mut accounts = Accounts::in_memory(NOW).expect("accounts");
    let prefix = |n: usize| of_kind(EntryKind::Prefix, format!("{}", 252_612_000 + n), 3.0);
    let findings: Vec<_> = (0..600).map(prefix).collect();
    let done = accounts.learn(&findings, NOW).expect("taken in");
    assert_eq!(
        (done.listed, done.proposed, done.held_back),
        (500, 100, 100)
    );
    let kind = EntryKind::Prefix;
    let proposed = accounts
        .learned(Some(LearnedState::Proposed))
        .expect("read");
    assert_eq!(proposed[0].why, "500 such entries are listed already");
    // A person may list more, and what goes off makes room.
    let [value, other] = [0, 1].map(|at| proposed[at].value.clone());
    accounts
        .decide_learned(kind, &value, true, NOW)
        .expect("approved");
    assert_eq!(count(&accounts, kind, LearnedState::Approved), 1);
    let two: Vec<_> = accounts.learned(Some(LearnedState::Listed)).expect("read");
    for row in two.iter().take(2) {
        accounts
            .decide_learned(kind, &row.value, false, NOW)
            .expect("rejected");
    }
    let done = accounts
        .learn(&findings, NOW.plus_secs(1))
        .expect("taken in");
    assert_eq!(done.listed, 1);
    assert!(states(&accounts).contains(&(other, "listed")));
}

#[test]
fn proposals_of_like_weight_do_not_push_each_other_out() {
    let mut accounts = Accounts::in_memory(NOW).expect("accounts");
    let prefix = |n: usize, weight: f32| LearnedFinding {
        withheld: Some("its ordinary life".to_owned()),
        ..of_kind(EntryKind::Prefix, format!("{}", 252_612_000 + n), weight)
    };
    let first: Vec<_> = (0..700).map(|n| prefix(n, 3.0)).collect();
    accounts.learn(&first, NOW).expect("taken in");
    let before = states(&accounts);
    // As many others of like weight, as the memory brings them: the newest first.
    let both: Vec<_> = (700..1_400).map(|n| prefix(n, 3.5)).chain(first).collect();
    for second in 1..4 {
        let done = accounts
            .learn(&both, NOW.plus_secs(second))
            .expect("taken in");
        assert_eq!(done, Learnt::default());
    }
    assert_eq!(states(&accounts), before);
    // What is much heavier comes in.
    let heavy: Vec<_> = std::iter::once(prefix(2_000, 6.0)).chain(both).collect();
    assert_eq!(accounts.learn(&heavy, NOW).expect("taken in").proposed, 1);
    let log = accounts.audit_log(&AuditFilter::default()).expect("log");
    let actions: Vec<&str> = log.iter().map(|line| line.action.as_str()).collect();
    assert_eq!(actions, ["first start"]);
}

#[test]
fn approving_what_an_operator_has_listed_leaves_his_entry() {
    let mut accounts = Accounts::in_memory(NOW).expect("accounts");
    let (kind, value) = (EntryKind::Number, "252612345678");
    accounts
        .list_add(
            &Scope::System,
            ListKind::Black,
            kind,
            value,
            "known",
            "operator",
            None,
            NOW,
        )
        .expect("listed");
    let findings = [finding(value, None, NOW.plus_secs(30 * DAY))];
    accounts.learn(&findings, NOW).expect("taken in");
    accounts
        .decide_learned(kind, value, true, NOW)
        .expect("approved");
    assert_eq!(listed(&accounts), [(value.into(), "operator".into(), None)]);
    assert_eq!(states(&accounts), [(value.into(), "approved")]);
}

#[test]
fn what_one_machine_has_of_ipv6_is_an_address() {
    let address = list_of(EntryKind::Network, "2001:db8:1:2::/64");
    assert_eq!(address, ListKind::Black);
    let network = list_of(EntryKind::Network, "2001:db8:1::/48");
    assert_eq!(network, ListKind::Group);
}
