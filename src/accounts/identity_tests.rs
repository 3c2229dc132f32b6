//! The whole rule of [`Snapshot::identify`], as a table.

use super::*;
use crate::domain::{CallAttempt, Ingress, Timestamp};
use uuid::Uuid;

const NOW: Timestamp = Timestamp::from_secs(1_760_000_000);

/// a.example and b.example with peers of their own, closed.example with none; the root trusts
/// loopback and a network that holds one of a.example's. In a.example: alice, a mapped number,
/// and a default user of another name.
fn accounts() -> Accounts {
    let mut a = Accounts::in_memory(NOW).expect("accounts");
    let trust = |networks: &[&str]| networks.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
    for (domain, networks) in [
        (
            "a.example",
            &["192.0.2.0/24", "2001:db8:a::/48", "203.0.113.0/25"][..],
        ),
        ("b.example", &["198.51.100.7", "::ffff:198.51.100.64/122"]),
        ("closed.example", &[]),
    ] {
        a.add_domain(domain, &trust(networks), NOW).expect("added");
    }
    a.set_trust("root", "203.0.113.0/24", true, NOW)
        .expect("trusted");
    for policy in ["own", "mapped", "house"] {
        a.create_policy("a.example", policy, NOW).expect("created");
    }
    a.set_subscriber(Subscriber::User("alice"), "a.example", "own", NOW)
        .expect("set");
    a.set_subscriber(Subscriber::Ani("442079460000"), "a.example", "mapped", NOW)
        .expect("set");
    a.set_domain("a.example", None, None, Some("house"), NOW)
        .expect("set");
    a
}

/// A call: peer, From, X-TFPS.
fn call(peer: &str, from: &str, named: Option<&str>) -> CallAttempt {
    let peer = peer.parse().expect("address");
    let part = |text: &str| {
        let (user, domain) = text.split_once('@').expect("user@domain");
        (user.to_owned(), domain.to_owned())
    };
    let (user, domain) = part(from);
    CallAttempt {
        id: Uuid::nil(),
        ingress: Ingress::Prevention,
        call_id: String::new(),
        peer,
        source_ip: peer,
        user,
        domain,
        policy_user: named.map(part),
        dialed: "442079460123".into(),
        user_agent: String::new(),
        concurrent: None,
        signs: crate::domain::Signs::NONE,
    }
}

/// `name@account/policy` of a customer; of a stranger the realm he may prove to belong to.
fn who(snapshot: &Snapshot, call: &CallAttempt) -> String {
    match snapshot.identify(call) {
        Identity::Customer(s) => format!("{}@{}/{}", s.name, s.account, s.policy.name),
        Identity::Stranger(_) => match snapshot.realm(call) {
            Some(realm) => format!("stranger to {}", realm.name()),
            None => "stranger".to_owned(),
        },
    }
}

#[test]
fn who_asks_for_whom() {
    let snapshot = Snapshot::load(&accounts()).expect("snapshot");
    const NONE: Option<&str> = None;
    for (peer, from, named, expected) in [
        // A domain's own peer: the subscriber, the mapped number, everybody.
        ("192.0.2.1", "alice@a.example", NONE, "alice@a.example/own"),
        (
            "192.0.2.1",
            "+442079460000@a.example",
            NONE,
            "442079460000@a.example/mapped",
        ),
        (
            "192.0.2.1",
            "00442079460000@a.example",
            NONE,
            "442079460000@a.example/mapped",
        ),
        (
            "192.0.2.1",
            "bob@a.example",
            NONE,
            "house@a.example/default",
        ),
        // X-TFPS names the account; the caller number is From's.
        (
            "192.0.2.1",
            "bob@a.example",
            Some("alice@a.example"),
            "alice@a.example/own",
        ),
        (
            "192.0.2.1",
            "442079460000@x.example",
            Some("pbx@a.example"),
            "442079460000@a.example/mapped",
        ),
        (
            "192.0.2.1",
            "alice@a.example",
            Some("bob@a.example"),
            "house@a.example/default",
        ),
        // What it is not trusted for, or is not served, falls to the domain that trusts it.
        ("192.0.2.1", "alice@b.example", NONE, "alice@a.example/own"),
        (
            "192.0.2.1",
            "bob@elsewhere.example",
            NONE,
            "house@a.example/default",
        ),
        (
            "192.0.2.1",
            "bob@a.example",
            Some("x@b.example"),
            "house@a.example/default",
        ),
        ("192.0.2.1", "x@root", NONE, "house@a.example/default"),
        // The root's peers speak for all; what is not served falls to the root.
        ("127.0.0.1", "alice@a.example", NONE, "alice@a.example/own"),
        (
            "127.0.0.1",
            "x@b.example",
            NONE,
            "default@b.example/default",
        ),
        (
            "127.0.0.1",
            "x@b.example",
            Some("alice@a.example"),
            "alice@a.example/own",
        ),
        (
            "127.0.0.1",
            "alice@elsewhere.example",
            NONE,
            "default@root/default",
        ),
        // One address, two domains: the closer network first, the root's for the others' names.
        (
            "203.0.113.1",
            "alice@elsewhere.example",
            NONE,
            "alice@a.example/own",
        ),
        (
            "203.0.113.1",
            "x@b.example",
            NONE,
            "default@b.example/default",
        ),
        (
            "203.0.113.200",
            "alice@elsewhere.example",
            NONE,
            "default@root/default",
        ),
        // IPv6, and IPv4 mapped into it, on either side.
        (
            "2001:db8:a::1",
            "alice@a.example",
            NONE,
            "alice@a.example/own",
        ),
        (
            "::ffff:192.0.2.1",
            "alice@a.example",
            NONE,
            "alice@a.example/own",
        ),
        (
            "198.51.100.65",
            "x@b.example",
            NONE,
            "default@b.example/default",
        ),
        (
            "::ffff:198.51.100.65",
            "x@b.example",
            NONE,
            "default@b.example/default",
        ),
        ("::1", "x@b.example", NONE, "default@b.example/default"),
        // Nobody trusts these: they may prove to belong to what they name, if it is served.
        (
            "198.51.100.8",
            "alice@a.example",
            NONE,
            "stranger to a.example",
        ),
        (
            "2001:db8:b::1",
            "alice@a.example",
            NONE,
            "stranger to a.example",
        ),
        (
            "198.51.100.8",
            "alice@a.example",
            Some("x@b.example"),
            "stranger to b.example",
        ),
        (
            "198.51.100.8",
            "x@closed.example",
            NONE,
            "stranger to closed.example",
        ),
        ("198.51.100.8", "alice@elsewhere.example", NONE, "stranger"),
        (
            "198.51.100.8",
            "alice@a.example",
            Some("x@elsewhere.example"),
            "stranger",
        ),
        ("198.51.100.8", "x@root", NONE, "stranger to root"),
    ] {
        let asked = call(peer, from, named);
        assert_eq!(who(&snapshot, &asked), expected, "{peer} {from} {named:?}");
    }
}

#[test]
fn a_file_of_calls_speaks_for_all() {
    let snapshot = Snapshot::load(&accounts()).expect("snapshot");
    for (from, expected) in [
        ("alice@a.example", "alice@a.example/own"),
        ("x@b.example", "default@b.example/default"),
        ("x@elsewhere.example", "default@root/default"),
    ] {
        let mut asked = call("198.51.100.8", from, None);
        asked.ingress = Ingress::Import;
        assert_eq!(who(&snapshot, &asked), expected);
    }
}

#[test]
fn a_default_user_who_is_a_subscriber_has_his_own_policy() {
    let mut a = accounts();
    a.set_subscriber(Subscriber::User("house"), "a.example", "house", NOW)
        .expect("set");
    let snapshot = Snapshot::load(&a).expect("snapshot");
    let asked = call("192.0.2.1", "bob@a.example", None);
    assert_eq!(who(&snapshot, &asked), "house@a.example/house");
    a.set_domain("a.example", None, None, Some("a b"), NOW)
        .expect_err("no user");
}

/// The last step of the rule: who has proved to be `user`, and what he names.
#[test]
fn who_is_counted_for_proved_users() {
    let mut a = accounts();
    for user in ["house", "carol"] {
        a.set_subscriber(Subscriber::User(user), "a.example", "house", NOW)
            .expect("set");
    }
    let snapshot = Snapshot::load(&a).expect("snapshot");
    const NONE: Option<&str> = None;
    for (user, from, named, expected) in [
        // Anybody but the default user is himself, whatever he names.
        ("carol", "carol@a.example", NONE, "carol/house"),
        ("carol", "alice@a.example", NONE, "carol/house"),
        ("carol", "442079460000@a.example", NONE, "carol/house"),
        (
            "carol",
            "x@a.example",
            Some("alice@a.example"),
            "carol/house",
        ),
        (
            "alice",
            "house@a.example",
            Some("house@a.example"),
            "alice/own",
        ),
        // The default user speaks for the domain: as a trusted peer of it.
        ("house", "house@a.example", NONE, "house/house"),
        ("house", "alice@a.example", NONE, "alice/own"),
        ("house", "x@a.example", Some("alice@a.example"), "alice/own"),
        (
            "house",
            "+442079460000@a.example",
            NONE,
            "442079460000/mapped",
        ),
        (
            "house",
            "00442079460000@a.example",
            Some("pbx@a.example"),
            "442079460000/mapped",
        ),
        ("house", "bob@a.example", NONE, "house/house"),
        (
            "house",
            "bob@a.example",
            Some("bob@a.example"),
            "house/house",
        ),
        // Who is no subscriber proves nothing.
        ("bob", "bob@a.example", NONE, "nobody"),
        ("442079460000", "442079460000@a.example", NONE, "nobody"),
    ] {
        let asked = call("198.51.100.8", from, named);
        let realm = snapshot.realm(&asked).expect("served");
        let found = realm.subscriber(user, &asked);
        let found = found.map_or("nobody".to_owned(), |s| {
            assert_eq!(&*s.account, "a.example");
            format!("{}/{}", s.name, s.policy.name)
        });
        assert_eq!(found, expected, "{user}: {from} {named:?}");
    }
    // The default user of one domain is nobody in another, also of the same name.
    let asked = call("198.51.100.8", "alice@b.example", Some("alice@b.example"));
    let realm = snapshot.realm(&asked).expect("served");
    assert!(realm.subscriber("house", &asked).is_none());
}

#[test]
fn who_was_counted_before_is_found_again() {
    let snapshot = Snapshot::load(&accounts()).expect("snapshot");
    for (account, name, policy) in [
        ("a.example", "alice", Some("own")),
        ("a.example", "442079460000", Some("mapped")),
        ("a.example", "house", Some("default")),
        ("", "default", Some("default")),
        ("gone.example", "alice", None),
    ] {
        let found = snapshot.again(account, name);
        let found = found.as_ref().map(|s| s.policy.name.as_str());
        assert_eq!(found, policy, "{name}@{account}");
    }
    let domain = |peer: &str| snapshot.domain_of_peer(peer.parse().expect("address"));
    assert_eq!(domain("203.0.113.1"), "a.example");
    assert_eq!(domain("::ffff:203.0.113.200"), "root");
    assert_eq!(domain("198.51.100.8"), "root");
}
