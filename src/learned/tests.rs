//! What is listed, what is not, and that it all ends.

use super::*;
use crate::domain::{Number, Timestamp};
use std::net::IpAddr;

mod protection;

const KEYS: Keys = Keys::new([7; 16]);
const DAY: i64 = 86_400;
/// Long enough after the first day that numbers may be listed.
const NOW: Timestamp = Timestamp::from_secs(1_760_000_000);

fn learned() -> Learned {
    let mut learned = Learned::new(Sizes::default(), KEYS);
    establish(&mut learned, "first.example", NOW.plus_secs(-40 * DAY));
    learned
}

/// A week of one telephone's calls, a fortnight before an account is established by it.
fn establish(learned: &mut Learned, account: &str, from: Timestamp) {
    for day in 0..7 {
        let at = from.plus_secs(day * DAY);
        learned.hear(&call_of(account, 0, "442079460000", at));
    }
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn number(digits: &str) -> Number {
    Number::parse(digits).expect("a number")
}

/// An ordinary call of a customer's.
fn call_of(account: &str, caller: u64, dialed: &str, at: Timestamp) -> Evidence {
    let dialed = number(dialed);
    Evidence::Ordinary(OrdinaryCall {
        tenant: Party::account(account, KEYS),
        caller,
        subjects: [
            Some(Subject::host_of(ip("198.51.100.7")).key(KEYS)),
            None,
            Some(Subject::Number(dialed).key(KEYS)),
            Subject::block_of(dialed).map(|block| block.key(KEYS)),
            Subject::agent("Yealink T46").map(|agent| agent.key(KEYS)),
        ],
        direct: false,
        at,
    })
}

fn accusation(kind: WitnessKind, by: Party, dialed: &str, at: Timestamp) -> Accusation {
    Accusation {
        kind,
        by,
        innocent: false,
        probe: false,
        address: None,
        number: Some(number(dialed)),
        agent: String::new(),
        at,
    }
}

/// A call at the honeypot.
fn hit(source: &str, dialed: &str, proven: bool, at: Timestamp) -> Evidence {
    let kind = if proven {
        WitnessKind::Honeypot
    } else {
        WitnessKind::Unproven
    };
    Evidence::from(Accusation {
        address: Some(ip(source)),
        agent: "friendly-scanner".into(),
        ..accusation(kind, Party::network(ip(source), KEYS), dialed, at)
    })
}

fn verdict(account: &str, dialed: &str, innocent: bool, at: Timestamp) -> Evidence {
    let by = Party::account(account, KEYS);
    Evidence::from(Accusation {
        innocent,
        ..accusation(WitnessKind::Customer, by, dialed, at)
    })
}

fn guilty(learned: &mut Learned, now: Timestamp) -> Vec<String> {
    let mut found: Vec<String> = learned
        .review(now)
        .into_iter()
        .filter(|finding| finding.standing == Standing::Guilty)
        .map(|finding| finding.subject.to_string())
        .collect();
    found.sort();
    found
}

#[test]
fn an_address_that_proves_itself_at_the_honeypot_is_listed_and_ends() {
    let mut learned = learned();
    learned.hear(&hit("192.0.2.7", "252612345678", true, NOW));
    assert_eq!(guilty(&mut learned, NOW), ["address 192.0.2.7"]);
    let finding = learned.review(NOW).remove(0);
    assert!(finding.by_honeypot);
    assert_eq!(finding.expires, NOW.plus_secs(7 * DAY));
    assert_eq!(
        finding.reason,
        "learned: 1 honeypot source; 2025-10-09 to 2025-10-09"
    );
    assert_eq!(finding.subject.value(), "192.0.2.7/32");
    let later = NOW.plus_secs(7 * DAY);
    assert!(guilty(&mut learned, later).is_empty());
    assert_eq!(
        learned.sum(&finding.subject, later).weight,
        0.0,
        "forgotten"
    );
}

#[test]
fn an_address_that_proves_nothing_is_not_listed_however_often_it_is_named() {
    let mut learned = learned();
    for second in 0..10_000 {
        let at = NOW.plus_secs(second);
        learned.hear(&hit("192.0.2.7", "252612345678", false, at));
    }
    assert!(learned.review(NOW.plus_secs(10_000)).is_empty());
}

#[test]
fn a_number_takes_three_networks_and_its_block_three_numbers() {
    let mut learned = learned();
    let two = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "203.0.113.1"];
    for source in two {
        for day in 0..2 {
            learned.hear(&hit(
                source,
                "252612345678",
                true,
                NOW.plus_secs(-day * DAY),
            ));
        }
    }
    assert!(
        !guilty(&mut learned, NOW)
            .iter()
            .any(|s| s.starts_with("number"))
    );
    learned.hear(&hit("198.51.100.1", "252612345678", true, NOW));
    let found = guilty(&mut learned, NOW);
    assert!(
        found.contains(&"number 252612345678".to_owned()),
        "{found:?}"
    );
    assert!(found.contains(&"agent friendly-scanner".to_owned()));
    assert!(!found.iter().any(|s| s.starts_with("block")));
    for (source, dialed) in [
        ("192.0.2.1", "252612345001"),
        ("203.0.113.1", "252612345002"),
        ("100.64.0.1", "252612345003"),
    ] {
        learned.hear(&hit(source, dialed, true, NOW));
    }
    assert!(guilty(&mut learned, NOW).contains(&"block 252612345xxx".to_owned()));
}

#[test]
fn four_addresses_of_a_network_list_it() {
    let mut learned = learned();
    for last in 1..=4 {
        assert!(!guilty(&mut learned, NOW).contains(&"network 192.0.2.0/24".to_owned()));
        learned.hear(&hit(&format!("192.0.2.{last}"), "252612345678", true, NOW));
    }
    assert!(guilty(&mut learned, NOW).contains(&"network 192.0.2.0/24".to_owned()));
}

#[test]
fn suspicion_alone_lists_nothing_and_verdicts_of_three_customers_do() {
    let mut learned = learned();
    for at in 0..60 {
        let by = Party::account(&format!("a{at}.example"), KEYS);
        let said = accusation(WitnessKind::Refusal, by, "252612345678", NOW);
        learned.hear(&said.into());
        let by = Party::network(ip(&format!("10.0.{at}.1")), KEYS);
        let said = accusation(WitnessKind::Free, by, "252612345678", NOW);
        learned.hear(&said.into());
    }
    assert!(learned.review(NOW).is_empty());
    let mut learned = self::learned();
    for (at, account) in ["a", "b", "b", "c"].into_iter().enumerate() {
        assert!(guilty(&mut learned, NOW).is_empty(), "{at}");
        learned.hear(&verdict(account, "252612345678", false, NOW));
    }
    assert_eq!(guilty(&mut learned, NOW), ["number 252612345678"]);
    assert!(!learned.review(NOW)[0].by_honeypot);
    // Who takes it back is no witness any more.
    learned.hear(&verdict("c", "252612345678", true, NOW));
    assert!(learned.review(NOW).is_empty());
}

#[test]
fn nothing_but_addresses_is_listed_before_ordinary_life_is_known() {
    let mut learned = Learned::new(Sizes::default(), KEYS);
    for source in ["192.0.2.1", "203.0.113.1", "198.51.100.1"] {
        learned.hear(&hit(source, "252612345678", true, NOW));
    }
    let found = guilty(&mut learned, NOW);
    assert!(found.iter().all(|s| s.starts_with("address")), "{found:?}");
    let standing = learned
        .review(NOW)
        .into_iter()
        .find(|finding| finding.subject.kind() == SubjectKind::Number)
        .map(|finding| finding.standing);
    let too_soon = |days, tenants| Some(Standing::TooSoon { days, tenants });
    assert_eq!(standing, too_soon(0, 0));
    // Without customers' calls nothing is ever ordinary, however long it is watched.
    let later = NOW.plus_secs(14 * DAY);
    let number = "number 252612345678".to_owned();
    assert!(!guilty(&mut learned, later).contains(&number));
    establish(&mut learned, "first.example", NOW);
    assert!(!guilty(&mut learned, later.plus_secs(-DAY)).contains(&number));
    assert!(guilty(&mut learned, later).contains(&number));
}

#[test]
fn what_was_learned_survives_a_restart_and_damage_is_refused_whole() {
    let mut learned = learned();
    for source in ["192.0.2.1", "203.0.113.1", "198.51.100.1"] {
        learned.hear(&hit(source, "252612345678", true, NOW));
    }
    learned.heard = Heard {
        inserted_at: NOW.secs(),
        id: uuid::Uuid::from_u128(7),
        at: NOW.0,
    };
    let mut file = Vec::new();
    write_state(&mut file, &learned).expect("written");
    let mut again = Learned::new(Sizes::default(), KEYS);
    read_state(&mut file.as_slice(), &mut again).expect("read");
    assert_eq!(again.review(NOW), learned.review(NOW));
    assert_eq!(again.sizes(), learned.sizes());
    assert_eq!(again.heard, learned.heard);
    for at in 0..file.len() {
        let mut bad = file.clone();
        bad[at] ^= 0x10;
        let mut fresh = Learned::new(Sizes::default(), KEYS);
        read_state(&mut bad.as_slice(), &mut fresh).expect_err("changed");
        assert_eq!(fresh.sizes(), (0, 0, 0, 0));
    }
    let mut other = Learned::new(Sizes::default(), Keys::new([8; 16]));
    assert!(matches!(
        read_state(&mut file.as_slice(), &mut other),
        Err(LearnedStateError::OtherKey)
    ));
}

#[test]
fn an_agents_pattern_matches_just_it() {
    let agent = Subject::agent("Odd (Agent) 1.0+x").expect("usable");
    let pattern = regex::Regex::new(&agent.value()).expect("a pattern");
    assert!(pattern.is_match("Odd (Agent) 1.0+x"));
    assert!(!pattern.is_match("Odd (Agent) 1.0+x "));
    assert!(!pattern.is_match("Odd (Agent) 1x0+x"));
    assert_eq!(Subject::agent("abc"), None);
    assert_eq!(Subject::agent(&"x".repeat(201)), None);
}
