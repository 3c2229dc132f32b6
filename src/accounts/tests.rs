use super::*;
use crate::domain::{Check, Ingress, Mode, Timestamp};
use uuid::Uuid;

const NOW: Timestamp = Timestamp::from_secs(1_760_000_000);

fn accounts() -> Accounts {
    Accounts::in_memory(NOW).expect("accounts")
}

fn call(peer: &str, user: &str, domain: &str) -> crate::domain::CallAttempt {
    let peer = peer.parse().expect("address");
    crate::domain::CallAttempt {
        id: Uuid::nil(),
        ingress: Ingress::Prevention,
        call_id: String::new(),
        peer,
        source_ip: peer,
        user: user.into(),
        domain: domain.into(),
        policy_user: None,
        dialed: "442079460123".into(),
        user_agent: String::new(),
        concurrent: None,
        signs: crate::domain::Signs::NONE,
    }
}

/// `account/policy` of a customer, `stranger` otherwise.
fn who(accounts: &Accounts, call: &crate::domain::CallAttempt) -> String {
    match Snapshot::load(accounts).expect("snapshot").identify(call) {
        Identity::Customer(s) => format!("{}/{}", s.account, s.policy.name),
        Identity::Stranger(s) => {
            assert_eq!(s.scope, Some(call.peer));
            "stranger".to_owned()
        }
    }
}

#[test]
fn a_first_start_trusts_loopback_and_nobody_else() {
    let a = accounts();
    assert_eq!(
        who(&a, &call("127.0.0.1", "alice", "any.example")),
        "root/default"
    );
    assert_eq!(
        who(&a, &call("::1", "alice", "any.example")),
        "root/default"
    );
    assert_eq!(who(&a, &call("192.0.2.1", "alice", "root")), "stranger");
    let rules = a.policy("root", "default").expect("policy");
    let enforced: Vec<_> = crate::domain::REFUSAL_ORDER
        .into_iter()
        .filter(|&c| rules.mode(c) == Mode::Enforce)
        .map(Check::as_str)
        .collect();
    assert_eq!(enforced, ["R14", "R01", "R02", "R12", "R03", "R07"]);
    assert_eq!(rules.mode(Check::R15), Mode::Audit);
}

#[test]
fn the_named_domain_applies_only_to_its_own_peers_and_the_root_s() {
    let mut a = accounts();
    for (domain, net) in [("a.example", "192.0.2.0/24"), ("b.example", "198.51.100.7")] {
        a.add_domain(domain, &[], NOW).expect("added");
        a.set_trust(domain, net, true, NOW).expect("trusted");
    }
    assert_eq!(
        who(&a, &call("192.0.2.9", "x", "a.example")),
        "a.example/default"
    );
    assert_eq!(
        who(&a, &call("192.0.2.9", "x", "b.example")),
        "a.example/default"
    );
    assert_eq!(
        who(&a, &call("192.0.2.9", "x", "elsewhere.example")),
        "a.example/default"
    );
    assert_eq!(
        who(&a, &call("127.0.0.1", "x", "b.example")),
        "b.example/default"
    );
    assert_eq!(who(&a, &call("198.51.100.8", "x", "b.example")), "stranger");
    let mut named = call("127.0.0.1", "x", "elsewhere.example");
    named.policy_user = Some(("y".into(), "a.example".into()));
    assert_eq!(who(&a, &named), "a.example/default");
}

#[test]
fn a_domain_is_added_with_its_peers_or_not_at_all() {
    let mut a = accounts();
    let trust = ["192.0.2.1".to_owned(), "banana".to_owned()];
    a.add_domain("a.example", &trust, NOW)
        .expect_err("no network");
    assert_eq!(a.domains().expect("domains").len(), 1);
    a.add_domain("a.example", &trust[..1], NOW).expect("added");
    assert_eq!(
        who(&a, &call("192.0.2.1", "x", "a.example")),
        "a.example/default"
    );
}

#[test]
fn subscriber_then_caller_number_then_default() {
    let mut a = accounts();
    a.create_policy("root", "strict", NOW).expect("created");
    a.create_policy("root", "by-number", NOW).expect("created");
    a.set_subscriber(Subscriber::User("alice"), "root", "strict", NOW)
        .expect("set");
    a.set_subscriber(Subscriber::Ani("442079460000"), "root", "by-number", NOW)
        .expect("set");
    assert_eq!(
        who(&a, &call("127.0.0.1", "alice", "x.example")),
        "root/strict"
    );
    assert_eq!(
        who(&a, &call("127.0.0.1", "+442079460000", "x.example")),
        "root/by-number"
    );
    assert_eq!(
        who(&a, &call("127.0.0.1", "bob", "x.example")),
        "root/default"
    );
    let mut named = call("127.0.0.1", "00442079460000", "x.example");
    named.policy_user = Some(("account-77".into(), "root".into()));
    assert_eq!(
        who(&a, &named),
        "root/by-number",
        "the caller number is From's"
    );
    let in_use = a.remove_policy("root", "strict", NOW).expect_err("in use");
    assert!(in_use.to_string().contains("in use"), "{in_use}");
    a.remove_subscriber(Subscriber::User("alice"), "root", NOW)
        .expect("removed");
    a.remove_policy("root", "strict", NOW).expect("removed");
}

#[test]
fn lists_reach_the_snapshot_and_bad_entries_change_nothing() {
    let mut a = accounts();
    let own = Scope::Policy {
        domain: "root".into(),
        policy: "default".into(),
    };
    let mut add = |scope: &Scope, list, kind, value: &str| {
        a.list_add(scope, list, kind, value, "test", "cli", None, NOW)
    };
    use EntryKind::{Agent, Network, Number, Prefix};
    add(&Scope::System, ListKind::Black, Prefix, "+25261").expect("added");
    add(&Scope::System, ListKind::Black, Network, "203.0.113.5").expect("added");
    add(&Scope::System, ListKind::Black, Agent, "^sipvicious").expect("added");
    add(&Scope::System, ListKind::Group, Network, "203.0.113.0/24").expect("added");
    add(&own, ListKind::White, Number, "252612345678").expect("added");
    add(&own, ListKind::Black, Prefix, "44").expect("added");
    for (scope, list, kind, value) in [
        (&Scope::System, ListKind::White, Number, "44"),
        (&own, ListKind::White, Network, "203.0.113.5"),
        (&own, ListKind::Group, Network, "203.0.113.5"),
        (&own, ListKind::Black, Agent, "("),
        (&own, ListKind::Black, Number, "0044"),
        (&own, ListKind::Black, Network, "203.0.113.5/33"),
    ] {
        add(scope, list, kind, value).expect_err(value);
    }
    let nobody = Scope::Policy {
        domain: "root".into(),
        policy: "nope".into(),
    };
    add(&nobody, ListKind::Black, Prefix, "44").expect_err("no policy");
    assert_eq!(a.list_entries(None, 100).expect("entries").len(), 6);
    let snapshot = Snapshot::load(&a).expect("snapshot");
    let black = &snapshot.system.black;
    assert_eq!(
        (
            black.numbers.len(),
            black.networks.len(),
            black.agents.len()
        ),
        (1, 1, 1)
    );
    let Identity::Customer(s) = snapshot.identify(&call("127.0.0.1", "x", "y")) else {
        panic!("trusted");
    };
    assert_eq!(
        (s.policy.whitelist.len(), s.policy.blacklist.numbers.len()),
        (1, 1)
    );
    a.list_remove(&own, ListKind::Black, Prefix, "44", NOW)
        .expect("removed");
    a.list_remove(&own, ListKind::Black, Prefix, "44", NOW)
        .expect_err("gone");
}

#[test]
fn patterns_too_large_together_are_refused_by_the_edit() {
    let mut a = accounts();
    let mut refused = None;
    for n in 0..16 {
        // Fine alone; each takes more than a megabyte when compiled.
        let pattern = format!(r"(x{n})\w{{40}}");
        let (scope, agent) = (Scope::System, EntryKind::Agent);
        let added = a.list_add(
            &scope,
            ListKind::Black,
            agent,
            &pattern,
            "t",
            "cli",
            None,
            NOW,
        );
        Snapshot::load(&a).expect("whatever was accepted can be served");
        if let Err(error) = added {
            refused = Some(error.to_string());
            break;
        }
    }
    let refused = refused.expect("the bound is met");
    assert!(refused.contains("`system` together"), "{refused}");
}

#[test]
fn a_policy_edit_is_whole_or_not_at_all() {
    let mut a = accounts();
    let before = a.policy("root", "default").expect("policy");
    a.change_policy("root", "default", NOW, |r| {
        r.plan = crate::domain::Plan::Free;
        r.risk_threshold = Some(1.5);
        Ok(())
    })
    .expect_err("out of range");
    assert_eq!(a.policy("root", "default").expect("policy"), before);
    let version = || Snapshot::load(&a).expect("snapshot").version;
    assert_eq!(
        version(),
        1,
        "refused edits leave no trace in the audit log"
    );
}

#[test]
fn an_edit_by_one_connection_is_seen_by_another() {
    let folder = tempfile::tempdir().expect("folder");
    let mut editor = Accounts::open(folder.path(), NOW).expect("opened");
    let reader = Accounts::open(folder.path(), NOW).expect("opened twice");
    let before = reader.data_version().expect("version");
    assert_eq!(reader.data_version().expect("version"), before);
    editor.add_domain("a.example", &[], NOW).expect("added");
    assert_ne!(reader.data_version().expect("version"), before);
    assert_eq!(reader.domains().expect("domains").len(), 2);
}

#[test]
fn a_countrys_risk_class_reaches_every_policy_that_names_it() {
    let mut a = accounts();
    a.change_policy("root", "default", NOW, |r| {
        r.destination.except = vec!["risk:high".into()];
        Ok(())
    })
    .expect("changed");
    let tunisia = crate::domain::Country::parse("TN").expect("a country");
    let allowed = |a: &Accounts| {
        let snapshot = Snapshot::load(a).expect("snapshot");
        let found = snapshot.counted_as("root", DEFAULT_USER).expect("there");
        found.policy.destination.allows(tunisia)
    };
    assert!(!allowed(&a));
    use crate::domain::RiskClass;
    a.set_country_risk("tn", Some(RiskClass::Medium), NOW)
        .expect("set");
    assert!(allowed(&a));
    a.set_country_risk("TN", None, NOW).expect("as usual");
    assert!(!allowed(&a));
    for wrong in ["ZZ", "TUN", "", "T\0"] {
        a.set_country_risk(wrong, Some(RiskClass::Low), NOW)
            .expect_err(wrong);
    }
}

#[test]
fn one_is_found_by_the_name_that_calls_are_counted_under() {
    let mut a = accounts();
    a.create_policy("root", "strict", NOW).expect("created");
    a.set_subscriber(Subscriber::User("alice"), "root", "strict", NOW)
        .expect("set");
    a.set_subscriber(Subscriber::Ani("442079460000"), "root", "strict", NOW)
        .expect("set");
    let snapshot = Snapshot::load(&a).expect("snapshot");
    let policy = |domain, name| {
        let found = snapshot.counted_as(domain, name)?;
        Some(found.policy.name.clone())
    };
    assert_eq!(policy("root", "alice").as_deref(), Some("strict"));
    assert_eq!(policy("root", "442079460000").as_deref(), Some("strict"));
    assert_eq!(policy("root", "default").as_deref(), Some("default"));
    assert_eq!(policy("root", "bob"), None);
    assert_eq!(policy("nosuch.example", "alice"), None);
}
