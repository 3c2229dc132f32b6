mod novelty;
mod usage;

use super::*;
use crate::accounts::{Accounts, EntryKind, ListKind, Scope};
use crate::domain::NeutralAnswer;
use crate::domain::{Code, Ingress, Mode};
use uuid::Uuid;

const NOW: Timestamp = Timestamp::from_secs(1_760_000_000);

fn engine(edit: impl FnOnce(&mut Accounts)) -> Engine {
    let mut accounts = Accounts::in_memory(NOW).expect("accounts");
    edit(&mut accounts);
    Engine::new(
        Snapshot::load(&accounts).expect("snapshot"),
        Geo::default(),
        WindowSizes {
            tracks: 1_000,
            key: [7; 16],
        },
        Arc::new(ModelSlot::new(None)),
        NeutralAnswer::default(),
    )
}

fn call(ingress: Ingress, peer: &str, dialed: &str) -> CallAttempt {
    let peer = peer.parse().expect("address");
    CallAttempt {
        id: Uuid::nil(),
        ingress,
        call_id: "c1".into(),
        peer,
        source_ip: peer,
        user: "alice".into(),
        domain: "itsp.example".into(),
        policy_user: None,
        dialed: dialed.into(),
        user_agent: "Phone/1".into(),
        concurrent: Some(1),
        signs: crate::domain::Signs::NONE,
    }
}

#[test]
fn a_trusted_peers_good_call_is_redirected_to_itself() {
    let decided = engine(|_| ()).decide(
        call(Ingress::Prevention, "127.0.0.1", "+5548987654321"),
        NOW,
    );
    assert_eq!(
        decided.answer,
        Answer::Redirect {
            code: Code::A00,
            number: "5548987654321".into(),
            host: "itsp.example".into(),
            score: None,
        }
    );
    let event = decided.event.expect("kept");
    assert_eq!(event.decision.checks.len(), 15, "every outcome is kept");
    assert_eq!(event.account, "root");
}

#[test]
fn a_number_of_no_country_is_refused_with_what_was_dialled() {
    let decided = engine(|_| ()).decide(call(Ingress::Prevention, "127.0.0.1", "alice"), NOW);
    let Answer::Redirect { code, number, .. } = decided.answer else {
        panic!("redirected");
    };
    assert_eq!((code.as_str(), number.as_str()), ("R07", "alice"));
}

#[test]
fn strangers_are_forbidden_at_the_paying_door_and_looked_at_at_the_free_one() {
    let engine = engine(|_| ());
    let paying = engine.decide(call(Ingress::Prevention, "192.0.2.1", "442079460123"), NOW);
    assert_eq!(paying.answer, Answer::Forbidden);
    assert!(paying.event.is_none());
    let free = engine.decide(call(Ingress::Detection, "192.0.2.1", "442079460123"), NOW);
    assert_eq!(
        free.answer,
        Answer::Neutral(NeutralAnswer::ServiceUnavailable)
    );
    let event = free.event.expect("kept");
    assert_eq!(
        (event.account.as_str(), event.policy.as_str()),
        ("", "default")
    );
}

#[test]
fn new_accounts_hold_for_the_next_call() {
    let engine = engine(|_| ());
    let ask = || {
        let decided = engine.decide(call(Ingress::Prevention, "127.0.0.1", "252612345678"), NOW);
        decided.event.expect("kept").decision.code.as_str()
    };
    assert_eq!(ask(), "A00");
    let mut accounts = Accounts::in_memory(NOW).expect("accounts");
    accounts
        .list_add(
            &Scope::System,
            ListKind::Black,
            EntryKind::Prefix,
            "25261",
            "IRSF",
            "test",
            None,
            NOW,
        )
        .expect("listed");
    engine.swap_accounts(Snapshot::load(&accounts).expect("snapshot"));
    assert_eq!(ask(), "R03");
}

#[test]
fn decline_mode_answers_without_a_contact() {
    let engine = engine(|accounts| {
        accounts
            .change_policy("root", "default", NOW, |rules| {
                rules.answer = AnswerMode::Decline;
                rules.set_mode(crate::domain::Check::R07, Mode::Enforce);
                Ok(())
            })
            .expect("changed");
    });
    let answer = |dialed| {
        engine
            .decide(call(Ingress::Prevention, "127.0.0.1", dialed), NOW)
            .answer
    };
    assert_eq!(answer("442079460123"), Answer::Decline(Code::A00));
    assert!(matches!(answer("alice"), Answer::Decline(Code::Refused(_))));
}

#[test]
fn the_answer_of_an_event_can_be_given_again() {
    let engine = engine(|_| ());
    let decided = engine.decide(call(Ingress::Prevention, "127.0.0.1", "442079460123"), NOW);
    let event = decided.event.expect("kept");
    assert_eq!(engine.answer_again(&event), Some(decided.answer));
}

#[test]
fn strangers_shape_nothing_that_is_known_of_customers() {
    let engine = engine(|_| ());
    let ask = || {
        let event = engine
            .decide(call(Ingress::Prevention, "127.0.0.1", "442079460123"), NOW)
            .event
            .expect("kept");
        event.features.values
    };
    let expected = {
        let alone = self::engine(|_| ());
        let event = alone.decide(call(Ingress::Prevention, "127.0.0.1", "442079460123"), NOW);
        event.event.expect("kept").features.values
    };
    for n in 0..2_000 {
        let mut free = call(Ingress::Detection, "192.0.2.1", "442079460123");
        free.domain = format!("d{n}.example");
        free.source_ip = [127, 0, 0, 1].into();
        engine.decide(free, NOW);
    }
    assert_eq!(ask(), expected);
}

#[test]
fn a_guessed_number_is_checked_and_what_was_dialled_goes_back() {
    let decided = engine(|_| ()).decide(
        call(Ingress::Prevention, "127.0.0.1", "900442079460123"),
        NOW,
    );
    let Answer::Redirect { number, .. } = decided.answer else {
        panic!("redirected");
    };
    assert_eq!(number, "900442079460123");
    let destination = decided.event.expect("kept").destination;
    assert_eq!(
        destination.number.map(|n| n.to_string()).as_deref(),
        Some("442079460123")
    );
}

#[test]
fn windows_are_copied_in_pieces_and_join_elsewhere() {
    let (one, other) = (engine(|_| ()), engine(|_| ()));
    one.decide(call(Ingress::Prevention, "127.0.0.1", "442079460123"), NOW);
    one.copy_windows(Pool::Customers, |piece| {
        other.merge_windows(Pool::Customers, &piece, NOW);
    });
    assert_eq!(one.window_sizes(), other.window_sizes());
    let decided = other.decide(call(Ingress::Prevention, "127.0.0.1", "442079460123"), NOW);
    let features = decided.event.expect("kept").features;
    assert!(features.values[features::Feature::User1m as usize] > 0.6);
}

#[test]
fn a_call_has_the_price_of_the_deck_in_force() {
    let engine = engine(|_| ());
    let price = |dialed: &str| {
        let decided = engine.decide(call(Ingress::Prevention, "127.0.0.1", dialed), NOW);
        decided.event.expect("kept").price
    };
    assert!(price("881612345678") > Some(1.0));
    let deck = crate::rates::Deck::read(b"prefix,price\n8816,0.25\n").expect("a deck");
    engine.swap_rates(Arc::new(deck));
    assert_eq!(price("881612345678"), Some(0.25));
    assert_eq!(price("442079460123"), None);
    assert_eq!(price("alice"), None);
}

/// What rang at a honeypot is near for all, also in an engine that took the windows over, and it
/// is no habit of anybody who is served.
#[test]
fn a_honeypots_calls_are_looked_at_by_customers() {
    let (one, other) = (engine(|_| ()), engine(|_| ()));
    let near = |engine: &Engine, ingress, peer| {
        let decided = engine.decide(call(ingress, peer, "252612345678"), NOW);
        let values = decided.event.expect("kept").features.values;
        let of = |feature: features::Feature| values[feature as usize];
        (
            of(features::Feature::HoneypotBlock),
            of(features::Feature::User1h),
        )
    };
    assert_eq!(near(&one, Ingress::Honeypot, "127.0.0.1"), (0.0, 0.0));
    let hit = near(&one, Ingress::Honeypot, "127.0.0.1");
    assert_eq!(
        hit,
        (2f32.ln(), 2f32.ln()),
        "not its own first, and his own"
    );
    let (block, calls) = near(&one, Ingress::Prevention, "127.0.0.1");
    assert_eq!((block, calls), (2f32.ln(), 0.0));

    one.copy_windows(Pool::Honeypot, |piece| {
        other.merge_windows(Pool::Honeypot, &piece, NOW);
    });
    let (block, _) = near(&other, Ingress::Prevention, "127.0.0.1");
    assert_eq!(block, 2f32.ln());
}

#[test]
fn a_honeypots_call_is_remembered_once() {
    let (live, after) = (engine(|_| ()), engine(|_| ()));
    let hit = call(Ingress::Honeypot, "203.0.113.5", "252612345678");
    let event = live.decide(hit, NOW).event.expect("kept");
    after.remember(&event);
    after.remember(&event);
    for pool in Pool::ALL {
        let (mut of_live, mut of_after) = (Vec::new(), Vec::new());
        live.copy_windows(pool, |piece| of_live.extend(piece));
        after.copy_windows(pool, |piece| of_after.extend(piece));
        assert_eq!(of_live, of_after, "{pool:?}");
        assert_eq!(of_live.is_empty(), pool == Pool::Customers);
    }
}
