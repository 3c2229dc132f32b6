//! Who is asked for proof, and what is made of it.

use super::*;
use crate::accounts::{Accounts, Subscriber};
use crate::decide::{Engine, WindowSizes};
use crate::digest::{Algorithms, DigestSettings};
use crate::domain::{DigestAlgorithm, NeutralAnswer};
use crate::geo::Geo;
use crate::model::ModelSlot;
use std::sync::Arc;
use uuid::Uuid;

const NOW: Timestamp = Timestamp::from_secs(1_760_000_000);
const DOMAIN: &str = "itsp.example";
const NUMBER: &str = "442079460123";
const PASSWORD: &str = "correct horse";

fn vault() -> Vault {
    Vault::new([7; 32])
}

/// Nobody is trusted for itsp.example; alice and bob have a password, carol has none, and
/// dave's was set under another secret.
fn accounts() -> Accounts {
    let mut a = Accounts::in_memory(NOW).expect("accounts");
    a.add_domain(DOMAIN, &[], NOW).expect("added");
    a.create_policy(DOMAIN, "own", NOW).expect("created");
    let password = Password::parse(PASSWORD).expect("a password");
    let other = Vault::new([8; 32]);
    for (user, vault) in [
        ("alice", Some(&vault())),
        ("bob", Some(&vault())),
        ("carol", None),
        ("dave", Some(&other)),
    ] {
        let sealing = vault.map(|vault| (&password, vault));
        let policy = (user == "alice").then_some("own");
        a.add_subscriber(user, DOMAIN, policy, sealing, NOW)
            .expect("added");
    }
    a.set_subscriber(Subscriber::Ani("442079460000"), DOMAIN, "own", NOW)
        .expect("set");
    a
}

fn engine() -> Engine {
    engine_over(&accounts())
}

fn engine_over(accounts: &Accounts) -> Engine {
    let settings = DigestSettings {
        nonce_secs: 300,
        max_nonces: 100,
        algorithms: Algorithms(vec![DigestAlgorithm::Sha256, DigestAlgorithm::Md5]),
    };
    let gate = Gate::new([1; 32], 1, &settings);
    let sizes = WindowSizes {
        tracks: 1_000,
        key: [7; 16],
    };
    Engine::new(
        Snapshot::load(accounts).expect("snapshot"),
        Geo::default(),
        sizes,
        Arc::new(ModelSlot::new(None)),
        NeutralAnswer::default(),
    )
    .with_authenticator(Authenticator::new(gate, vault()).expect("a decoy"))
}

fn call(ingress: Ingress, from: &str) -> CallAttempt {
    let peer = "198.51.100.8".parse().expect("address");
    let (user, domain) = from.split_once('@').expect("user@domain");
    CallAttempt {
        id: Uuid::nil(),
        ingress,
        call_id: String::new(),
        peer,
        source_ip: peer,
        user: user.into(),
        domain: domain.into(),
        policy_user: None,
        dialed: NUMBER.into(),
        user_agent: String::new(),
        concurrent: None,
        signs: crate::domain::Signs::NONE,
    }
}

fn challenge(engine: &Engine, attempt: &CallAttempt, now: Timestamp) -> Challenge {
    match engine.decide(attempt.clone(), now).answer {
        Answer::Challenge(challenge) => challenge,
        other => panic!("{other:?}"),
    }
}

/// The header of a user with a password, for a request to `uri`.
fn header(challenge: &Challenge, user: &str, password: &str, uri: &str, nc: u32) -> String {
    use sha2::Digest as _;
    let hash = |text: String| -> String {
        let bytes = sha2::Sha256::digest(text);
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    };
    let (realm, nonce) = (&challenge.realm, &challenge.nonce);
    let ha1 = hash(format!("{user}:{realm}:{password}"));
    let ha2 = hash(format!("INVITE:{uri}"));
    let response = hash(format!("{ha1}:{nonce}:{nc:08x}:c:auth:{ha2}"));
    format!(
        "Digest username=\"{user}\",realm=\"{realm}\",nonce=\"{nonce}\",uri=\"{uri}\",\
         response=\"{response}\",algorithm=SHA-256,cnonce=\"c\",nc={nc:08x},qop=auth"
    )
}

fn with(attempt: &CallAttempt, header: String) -> Asked {
    Asked {
        proof: Some(Proof {
            method: "INVITE",
            authorization: vec![header],
        }),
        ..attempt.clone().into()
    }
}

const URI: &str = "sip:442079460123@127.0.0.1:9090";

#[test]
fn a_stranger_proves_who_he_is_and_is_counted_as_that() {
    let engine = engine();
    let mut attempt = call(Ingress::Prevention, "+442079460000@itsp.example");
    let asked = challenge(&engine, &attempt, NOW);
    assert_eq!((asked.realm.as_str(), asked.stale), (DOMAIN, false));
    let decided = engine.decide(
        with(&attempt, header(&asked, "alice", PASSWORD, URI, 1)),
        NOW,
    );
    let event = decided.event.expect("checked");
    let counted = |event: &crate::domain::CallEvent| {
        (
            event.subscriber.clone(),
            event.account.clone(),
            event.policy.clone(),
        )
    };
    assert_eq!(
        counted(&event),
        ("alice".into(), DOMAIN.into(), "own".into())
    );
    assert_eq!(event.attempt.user, "+442079460000", "the caller is From's");
    assert_eq!(engine.answer_again(&event), Some(decided.answer));

    // He cannot be counted as somebody else by naming him.
    attempt.policy_user = Some(("alice".into(), DOMAIN.into()));
    attempt.user = "alice".into();
    let decided = engine.decide(with(&attempt, header(&asked, "bob", PASSWORD, URI, 2)), NOW);
    let event = decided.event.expect("checked");
    assert_eq!(
        counted(&event),
        ("bob".into(), DOMAIN.into(), "default".into())
    );
}

/// A PBX that proves to be the default user asks for everybody in its domain.
#[test]
fn the_default_user_speaks_for_his_domain() {
    let mut accounts = accounts();
    let changed = accounts.set_domain(DOMAIN, None, None, Some("bob"), NOW);
    changed.expect("changed");
    let engine = engine_over(&accounts);
    for (from, counted) in [
        ("alice@itsp.example", "alice/own"),
        ("+442079460000@itsp.example", "442079460000/own"),
        ("bob@itsp.example", "bob/default"),
        ("201@itsp.example", "bob/default"),
    ] {
        let attempt = call(Ingress::Prevention, from);
        let asked = challenge(&engine, &attempt, NOW);
        let header = header(&asked, "bob", PASSWORD, URI, 1);
        let event = engine.decide(with(&attempt, header), NOW).event;
        let event = event.expect("checked");
        let found = format!("{}/{}", event.subscriber, event.policy);
        assert_eq!((found.as_str(), event.account.as_str()), (counted, DOMAIN));
    }
}

#[test]
fn who_does_not_prove_it_is_told_nothing() {
    let engine = engine();
    let attempt = call(Ingress::Prevention, "alice@itsp.example");
    let asked = challenge(&engine, &attempt, NOW);
    for (user, password, reason) in [
        ("alice", "incorrect horse", "bad-credentials"),
        ("nobody", PASSWORD, "bad-credentials"),
        ("default", PASSWORD, "bad-credentials"),
        ("442079460000", PASSWORD, "bad-credentials"),
        ("carol", PASSWORD, "bad-credentials"),
        ("carol", "", "bad-credentials"),
        ("dave", PASSWORD, "unusable-password"),
        ("Alice", PASSWORD, "bad-credentials"),
    ] {
        let decided = engine.decide(with(&attempt, header(&asked, user, password, URI, 1)), NOW);
        assert!(decided.event.is_none(), "{user}");
        assert_eq!(decided.answer, Answer::Forbidden, "{user}");
        assert_eq!(decided.unchecked, reason, "{user}");
    }
    // None of it has used the nonce up.
    let decided = engine.decide(
        with(&attempt, header(&asked, "alice", PASSWORD, URI, 1)),
        NOW,
    );
    assert!(decided.event.is_some());
}

#[test]
fn a_right_answer_that_is_old_or_used_gets_a_new_nonce() {
    let engine = engine();
    let attempt = call(Ingress::Prevention, "alice@itsp.example");
    let asked = challenge(&engine, &attempt, NOW);
    let ask = |nc, now| {
        let header = header(&asked, "alice", PASSWORD, URI, nc);
        let decided = engine.decide(with(&attempt, header), now);
        match decided.answer {
            Answer::Challenge(challenge) => (decided.unchecked, challenge.stale),
            _ => (decided.unchecked, false),
        }
    };
    assert_eq!(ask(1, NOW), ("", false));
    assert_eq!(ask(1, NOW), ("replayed-nonce", true));
    assert_eq!(ask(2, NOW), ("", false));
    assert_eq!(ask(3, NOW.plus_secs(301)), ("stale-nonce", true));
}

#[test]
fn what_is_no_answer_to_this_call_is_as_good_as_none() {
    let engine = engine();
    let attempt = call(Ingress::Prevention, "alice@itsp.example");
    let asked = challenge(&engine, &attempt, NOW);
    let mut root = call(Ingress::Prevention, "alice@itsp.example");
    root.domain = "root".into();
    let of_root = challenge(&engine, &root, NOW);
    for (what, header) in [
        (
            "another number",
            header(&asked, "alice", PASSWORD, "sip:25261234567@x", 1),
        ),
        ("another realm", header(&of_root, "alice", PASSWORD, URI, 1)),
        ("no digest", "Basic YWxpY2U6Y29ycmVjdCBob3JzZQ==".to_owned()),
        ("nothing", String::new()),
    ] {
        let decided = engine.decide(with(&attempt, header), NOW);
        assert_eq!(decided.unchecked, "unproven", "{what}");
        let Answer::Challenge(again) = decided.answer else {
            panic!("{what}: {:?}", decided.answer);
        };
        assert!(!again.stale, "{what}");
        assert_ne!(again.nonce, asked.nonce, "{what}");
    }
    // The server alone is signed, as SIPp does; and another host, as behind a proxy.
    for (nc, uri) in [
        (1, "sip:127.0.0.1:9090"),
        (2, "sip:442079460123@proxy.example"),
    ] {
        let decided = engine.decide(
            with(&attempt, header(&asked, "alice", PASSWORD, uri, nc)),
            NOW,
        );
        assert!(decided.event.is_some(), "{uri}");
    }
}

#[test]
fn each_door_asks_in_its_own_way() {
    let engine = engine();
    for (ingress, from, unchecked) in [
        (Ingress::Prevention, "alice@itsp.example", "unproven"),
        (Ingress::Prevention, "alice@root", "unproven"),
        (Ingress::Prevention, "alice@elsewhere.example", "not-served"),
        (Ingress::Web, "alice@itsp.example", "unproven"),
        (Ingress::Web, "alice@elsewhere.example", "not-served"),
        (Ingress::Detection, "alice@itsp.example", ""),
        (Ingress::Detection, "alice@elsewhere.example", ""),
        (Ingress::Honeypot, "alice@itsp.example", ""),
        (Ingress::Import, "alice@itsp.example", ""),
    ] {
        let decided = engine.decide(call(ingress, from), NOW);
        assert_eq!(decided.unchecked, unchecked, "{ingress:?} {from}");
        assert_eq!(decided.event.is_some(), unchecked.is_empty());
    }
    // On the free port credentials are not even looked at: the call stays nobody's.
    let prevention = call(Ingress::Prevention, "alice@itsp.example");
    let header = header(
        &challenge(&engine, &prevention, NOW),
        "alice",
        PASSWORD,
        URI,
        1,
    );
    let free = call(Ingress::Detection, "alice@itsp.example");
    let event = engine
        .decide(with(&free, header), NOW)
        .event
        .expect("checked");
    assert_eq!(event.account, "");
}

#[test]
fn without_an_authenticator_only_trusted_peers_may_ask() {
    let sizes = WindowSizes {
        tracks: 1_000,
        key: [7; 16],
    };
    let engine = Engine::new(
        Snapshot::load(&accounts()).expect("snapshot"),
        Geo::default(),
        sizes,
        Arc::new(ModelSlot::new(None)),
        NeutralAnswer::default(),
    );
    let decided = engine.decide(call(Ingress::Prevention, "alice@itsp.example"), NOW);
    assert_eq!(decided.answer, Answer::Forbidden);
}

/// Guesses cost the guesser: in the eleventh answer even the right password is not looked at, by
/// the name of a user there is or not. Elsewhere it is, at once.
#[test]
fn guessing_is_slow_and_locks_nobody_else_out() {
    let attempt = call(Ingress::Prevention, "alice@itsp.example");
    let mut elsewhere = attempt.clone();
    elsewhere.peer = "198.51.100.9".parse().expect("address");
    for user in ["alice", "nobody"] {
        let engine = engine();
        let asked = challenge(&engine, &attempt, NOW);
        let opened = crate::accounts::OPENED.get();
        let wrong = |now| {
            let header = header(&asked, user, "guess work", URI, 1);
            engine.decide(with(&attempt, header), now).unchecked
        };
        let said: Vec<_> = (0..12).map(|_| wrong(NOW)).collect();
        assert_eq!(said[..10], ["bad-credentials"; 10], "{user}");
        assert_eq!(said[10..], ["too-many-guesses"; 2], "{user}");
        assert_eq!(crate::accounts::OPENED.get() - opened, 10);
        let right = |attempt: &CallAttempt, asked: &Challenge, now| {
            let header = header(asked, "alice", PASSWORD, URI, 1);
            let decided = engine.decide(with(attempt, header), now);
            (decided.unchecked, decided.answer == Answer::Forbidden)
        };
        assert_eq!(right(&attempt, &asked, NOW), ("too-many-guesses", true));
        // Somebody forges alice's address in his guesses: his own challenge gives him away.
        let hers = challenge(&engine, &elsewhere, NOW);
        for _ in 0..20 {
            let forged = header(&asked, user, "guess work", URI, 1);
            engine.decide(with(&elsewhere, forged), NOW);
        }
        assert_eq!(right(&elsewhere, &hers, NOW), ("", false));
        assert_eq!(wrong(NOW.plus_secs(2)), "bad-credentials");
        assert_eq!(wrong(NOW.plus_secs(2)), "too-many-guesses");
    }
}

/// Opening a seal is the costly part; [`Gate::check`] is tested where it stands. Which users
/// there are must not show in how often it is done.
#[test]
fn one_seal_is_opened_whether_the_user_is_there_or_not() {
    let engine = engine();
    let attempt = call(Ingress::Prevention, "alice@itsp.example");
    let asked = challenge(&engine, &attempt, NOW);
    for user in ["alice", "nobody", "carol", "dave"] {
        let before = crate::accounts::OPENED.get();
        let wrong = header(&asked, user, "guess work", URI, 1);
        engine.decide(with(&attempt, wrong), NOW);
        assert_eq!(crate::accounts::OPENED.get() - before, 1, "{user}");
    }
}
