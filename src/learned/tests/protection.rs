//! What one customer's own calls protect, and what takes a word back.

use super::*;

const OWN: &str = "442079461234";

fn strangers(learned: &mut Learned, dialed: &str, agent: &str) {
    for source in ["192.0.2.1", "203.0.113.1", "198.18.0.1", "100.64.0.1"] {
        for last in ["", "1", "2"] {
            let dialed = match last {
                "" => dialed.to_owned(),
                last => format!("{}{last}", &dialed[..dialed.len() - 1]),
            };
            let by = Party::network(ip(source), KEYS);
            learned.hear(&Evidence::from(Accusation {
                address: Some(ip(source)),
                agent: agent.into(),
                ..accusation(WitnessKind::Honeypot, by, &dialed, NOW)
            }));
        }
    }
}

/// Thirteen established customers, one of which calls a number of its own from five telephones.
fn one_calls() -> Learned {
    let mut learned = learned();
    for tenant in 0..12 {
        let account = format!("t{tenant}.example");
        establish(&mut learned, &account, NOW.plus_secs(-30 * DAY));
    }
    for day in -20..-16 {
        for caller in 0..5 {
            let at = NOW.plus_secs(day * DAY);
            learned.hear(&call_of("t0.example", caller, OWN, at));
        }
    }
    learned
}

fn of_number() -> [String; 2] {
    [format!("number {OWN}"), "block 442079461xxx".to_owned()]
}

#[test]
fn strangers_cannot_cut_one_customer_off() {
    let mut learned = one_calls();
    strangers(&mut learned, OWN, "Yealink T46");
    let found = guilty(&mut learned, NOW);
    for innocent in of_number() {
        assert!(!found.contains(&innocent), "{innocent}: {found:?}");
    }
    assert!(
        !found.contains(&"agent Yealink T46".to_owned()),
        "{found:?}"
    );
    let findings = learned.review(NOW);
    let number = findings.iter().find(|f| f.subject.value() == OWN);
    let Some(Standing::Protected(life)) = number.map(|number| number.standing) else {
        panic!("{number:?}");
    };
    assert_eq!((life.tenants, life.alone), (1, 1));
    // The same against what nobody calls is enough.
    strangers(&mut learned, "252612345678", "friendly-scanner");
    let found = guilty(&mut learned, NOW);
    for is in [
        "number 252612345678",
        "block 252612345xxx",
        "agent friendly-scanner",
    ] {
        assert!(found.contains(&is.to_owned()), "{is}: {found:?}");
    }
}

#[test]
fn an_agent_of_one_customers_trunk_is_protected() {
    let mut learned = learned();
    for tenant in 0..12 {
        let account = format!("t{tenant}.example");
        establish(&mut learned, &account, NOW.plus_secs(-30 * DAY));
    }
    // A single caller: the trunk.
    for call in 0..60 {
        let Evidence::Ordinary(mut of_trunk) = call_of(
            "t1.example",
            0,
            OWN,
            NOW.plus_secs(-10 * DAY + call % 3 * DAY),
        ) else {
            panic!("an ordinary call");
        };
        of_trunk.subjects[4] = Subject::agent("Trunk 1.0").map(|agent| agent.key(KEYS));
        learned.hear(&Evidence::Ordinary(of_trunk));
    }
    strangers(&mut learned, "252612345678", "Trunk 1.0");
    assert!(!guilty(&mut learned, NOW).contains(&"agent Trunk 1.0".to_owned()));
}

#[test]
fn an_analyst_or_more_customers_outweigh_one_customers_life() {
    let against = |word: &dyn Fn(&mut Learned)| {
        let mut learned = one_calls();
        strangers(&mut learned, OWN, "other agent");
        word(&mut learned);
        guilty(&mut learned, NOW).contains(&format!("number {OWN}"))
    };
    assert!(!against(&|_| {}));
    assert!(against(&|learned| {
        let ann = Party::person("ann", KEYS);
        learned.hear(&accusation(WitnessKind::Analyst, ann, OWN, NOW).into());
    }));
    assert!(!against(&|l| l.hear(&verdict(
        "t1.example",
        OWN,
        false,
        NOW
    ))));
    // Accounts that were opened for it have no such word.
    assert!(!against(&|learned| {
        for new in 0..6 {
            let account = format!("new{new}.example");
            learned.hear(&verdict(&account, OWN, false, NOW));
        }
    }));
    assert!(against(&|learned| {
        learned.hear(&verdict("t1.example", OWN, false, NOW));
        learned.hear(&verdict("t2.example", OWN, false, NOW));
    }));
}

#[test]
fn an_address_is_protected_by_packets_from_it_and_not_by_a_new_accounts_header() {
    let listed = |account: &str, direct: bool, days: i64| {
        let mut learned = Learned::new(Sizes::default(), KEYS);
        for day in 0..days {
            let at = NOW.plus_secs((day + 1 - days) * DAY);
            let Evidence::Ordinary(call) = call_of(account, 0, OWN, at) else {
                panic!("an ordinary call");
            };
            learned.hear(&Evidence::Ordinary(OrdinaryCall { direct, ..call }));
        }
        learned.hear(&hit("198.51.100.7", "252612345678", true, NOW));
        guilty(&mut learned, NOW).contains(&"address 198.51.100.7".to_owned())
    };
    assert!(!listed("new.example", true, 2));
    assert!(listed("new.example", true, 1), "one day is no life");
    assert!(
        listed("new.example", false, 10),
        "a header may say anything"
    );
    assert!(
        !listed("old.example", false, 20),
        "of an established customer it is believed"
    );
}

#[test]
fn of_ipv6_a_network_of_64_bits_is_one_address() {
    let mut learned = learned();
    for last in 1..=20 {
        let source = format!("2001:db8:1:2::{last:x}");
        learned.hear(&hit(&source, "252612345678", true, NOW));
    }
    let found = guilty(&mut learned, NOW);
    assert_eq!(found, ["address 2001:db8:1:2::/64"]);
    for network in 3..=5 {
        let source = format!("2001:db8:1:{network}::1");
        learned.hear(&hit(&source, "252612345678", true, NOW));
    }
    let found = guilty(&mut learned, NOW);
    assert!(
        found.contains(&"network 2001:db8:1::/48".to_owned()),
        "{found:?}"
    );
}

#[test]
fn a_verdict_that_is_withdrawn_has_no_weight() {
    let mut learned = learned();
    let call = |account| Call {
        account,
        source_ip: ip("198.51.100.99"),
        number: Some(number("252612345678")),
    };
    let say = |learned: &mut Learned, account, verdict| {
        let said = Evidence::of_verdict(verdict, None, &call(account), NOW, KEYS);
        learned.hear(&said.expect("a party"));
    };
    let fraud = Some(crate::domain::Verdict::Fraud);
    for account in ["a.example", "b.example", "c.example"] {
        say(&mut learned, account, fraud);
    }
    let number = "number 252612345678".to_owned();
    assert!(guilty(&mut learned, NOW).contains(&number));
    say(&mut learned, "c.example", None);
    assert!(!guilty(&mut learned, NOW).contains(&number));
    // It neither speaks for it: one more is enough again.
    say(&mut learned, "d.example", fraud);
    assert!(guilty(&mut learned, NOW).contains(&number));
}
