//! The attack on what is learned: somebody who controls one in twenty of the peers of the free
//! stream, thousands of made-up addresses and domains behind them, a few scanners that prove their
//! addresses at the honeypot, and three customer accounts of his own.
//!
//! He wants innocent things listed, his own range accepted, listed things taken off, and true
//! evidence crowded out. Every call goes through `Engine::decide` and becomes evidence as in the
//! service. Each attack stands beside genuine evidence of the same kind, so that a mechanism that
//! never lists anything fails too.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use tfps::accounts::{Accounts, EntryKind, ListKind, Scope, Snapshot};
use tfps::app::shipped_model;
use tfps::decide::{Engine, WindowSizes};
use tfps::domain::{
    CallAttempt, CallEvent, Ingress, NeutralAnswer, Number, Sign, Signs, Timestamp, Verdict,
};
use tfps::geo::Geo;
use tfps::learned::{
    Accusation, Call, Evidence, Finding, Keys, Learned, Party, Sizes, Standing, WitnessKind,
};
use tfps::model::ModelSlot;
use uuid::Uuid;

const KEYS: Keys = Keys::new([9; 16]);
/// 2026-03-02, a Monday, 09:00 UTC.
const BEGIN: Timestamp = Timestamp::from_secs(1_772_442_000);
const DAY: i64 = 86_400;
const DAYS: i64 = 40;
/// Honest customers, and the attacker's.
const TENANTS: u8 = 30;
const HIS: u8 = 3;
/// Peers of the free stream, of which one in twenty is his.
const FREE: u8 = 200;
const HIS_FREE: u8 = FREE / 20;

/// A bank's hotline: innocent, and called by everybody.
const BANK: &str = "442079460000";
const FRAUD: &str = "252612345";
const PHONE: &str = "Yealink SIP-T46U 108.86.0.90";
const CARRIER: &str = "198.51.100.20";

/// A service's deciding and learning.
struct World {
    engine: Engine,
    learned: Learned,
    serial: u128,
}

fn account(tenant: u8) -> String {
    format!("t{tenant}.example")
}

fn peer(tenant: u8) -> IpAddr {
    Ipv4Addr::new(10, 1, tenant, 1).into()
}

/// The attacker's accounts come after the honest ones.
fn his_accounts() -> std::ops::Range<u8> {
    TENANTS..TENANTS + HIS
}

fn accounts() -> Accounts {
    let mut accounts = Accounts::in_memory(BEGIN).expect("accounts");
    for tenant in 0..TENANTS + HIS {
        let own = [format!("{}/32", peer(tenant))];
        accounts
            .add_domain(&account(tenant), &own, BEGIN)
            .expect("added");
    }
    // Every free call is as suspicious as its sender can make it: the policy of strangers refuses
    // all numbers. His accounts refuse the bank.
    let mut refuse = |domain: &str, prefix: &str| {
        let scope = Scope::Policy {
            domain: domain.to_owned(),
            policy: "default".to_owned(),
        };
        let (list, kind) = (ListKind::Black, EntryKind::Prefix);
        let added = accounts.list_add(&scope, list, kind, prefix, "all", "test", None, BEGIN);
        added.expect("listed");
    };
    (1..=9).for_each(|digit: u8| refuse("root", &digit.to_string()));
    his_accounts().for_each(|his| refuse(&account(his), "4420"));
    accounts
}

impl World {
    /// Without a model: what is learned must hold whatever one says of a call.
    fn new(sizes: Sizes) -> Self {
        Self::with(sizes, ModelSlot::new(None))
    }

    fn with(sizes: Sizes, model: ModelSlot) -> Self {
        let engine = Engine::new(
            Snapshot::load(&accounts()).expect("snapshot"),
            Geo::default(),
            WindowSizes {
                tracks: 200_000,
                key: [7; 16],
            },
            Arc::new(model),
            NeutralAnswer::default(),
        );
        Self {
            engine,
            learned: Learned::new(sizes, KEYS),
            serial: 0,
        }
    }

    /// One call on its way through the service.
    fn call(&mut self, attempt: CallAttempt, proven: bool, at: Timestamp) -> CallEvent {
        self.serial += 1;
        let attempt = CallAttempt {
            id: Uuid::from_u128(self.serial),
            signs: Signs::NONE.with_if(!proven, Sign::SourceNotShown),
            ..attempt
        };
        let event = self.engine.decide(attempt, at).event.expect("decided");
        if let Some(evidence) = Evidence::of_event(&event, KEYS) {
            self.learned.hear(&evidence);
        }
        event
    }

    /// A customer's call, by way of the carrier's address.
    fn paid(&mut self, tenant: u8, caller: u8, dialed: &str, at: Timestamp) -> CallEvent {
        let attempt = CallAttempt {
            source_ip: CARRIER.parse().expect("address"),
            ..attempt(
                Ingress::Prevention,
                peer(tenant),
                &account(tenant),
                caller,
                dialed,
            )
        };
        self.call(attempt, false, at)
    }

    fn free(&mut self, from: IpAddr, domain: &str, dialed: &str, at: Timestamp) -> CallEvent {
        self.call(
            attempt(Ingress::Detection, from, domain, 1, dialed),
            false,
            at,
        )
    }

    fn honeypot(&mut self, from: IpAddr, agent: &str, dialed: &str, proven: bool, at: Timestamp) {
        let attempt = CallAttempt {
            user_agent: agent.to_owned(),
            ..attempt(Ingress::Honeypot, from, "198.51.100.1", 100, dialed)
        };
        self.call(attempt, proven, at);
    }

    /// An analyst calls a call of the first honest customer to a number fraud.
    fn analyst(&mut self, dialed: &str, at: Timestamp) {
        let name = account(0);
        let call = Call {
            account: &name,
            source_ip: CARRIER.parse().expect("address"),
            number: Number::parse(dialed).ok(),
        };
        let verdict = Some(Verdict::Fraud);
        let evidence = Evidence::of_verdict(verdict, Some("ann"), &call, at, KEYS);
        self.learned.hear(&evidence.expect("a party"));
    }

    fn verdict(&mut self, tenant: u8, dialed: &str, verdict: Verdict, at: Timestamp) {
        let name = account(tenant);
        let call = Call {
            account: &name,
            source_ip: CARRIER.parse().expect("address"),
            number: Number::parse(dialed).ok(),
        };
        let evidence = Evidence::of_verdict(Some(verdict), None, &call, at, KEYS).expect("a party");
        self.learned.hear(&evidence);
    }

    /// A month and more in the life of honest customers: each calls the bank from several
    /// telephones, and numbers of its own.
    fn ordinary_life(&mut self) {
        for day in 0..DAYS {
            for tenant in 0..TENANTS {
                let at = BEGIN.plus_secs(day * DAY + i64::from(tenant) * 60);
                let caller = (day % 5) as u8;
                self.paid(tenant, caller, BANK, at);
                let own = format!("4420794611{tenant:02}");
                self.paid(tenant, caller, &own, at.plus_secs(600));
            }
        }
    }

    /// What there is enough evidence against.
    fn review(&mut self, at: Timestamp) -> Vec<Finding> {
        self.learned.review(at)
    }

    /// What would be listed.
    fn listed(&mut self, at: Timestamp) -> Vec<String> {
        let findings = self.review(at).into_iter();
        let guilty = findings.filter(|finding| finding.standing == Standing::Guilty);
        guilty.map(|finding| finding.subject.to_string()).collect()
    }

    /// Scanners of five networks that have nothing to do with each other, at the honeypot: true
    /// evidence.
    fn scanners_call(&mut self, range: &str, at: Timestamp) {
        for network in 1..=5u8 {
            let from = Ipv4Addr::new(203, 0, network, 9).into();
            for last in [678, 600 + u16::from(network)] {
                let dialed = format!("900{range}{last}");
                self.honeypot(from, "friendly-scanner", &dialed, true, at);
            }
        }
    }
}

fn attempt(ingress: Ingress, peer: IpAddr, domain: &str, caller: u8, dialed: &str) -> CallAttempt {
    CallAttempt {
        id: Uuid::nil(),
        ingress,
        call_id: String::new(),
        peer,
        source_ip: peer,
        user: format!("phone{caller}"),
        domain: domain.to_owned(),
        policy_user: None,
        dialed: dialed.to_owned(),
        user_agent: PHONE.to_owned(),
        concurrent: None,
        signs: Signs::NONE,
    }
}

/// A peer of the free stream that is really his.
fn his_free(n: u8) -> IpAddr {
    Ipv4Addr::new(100, 64, n % HIS_FREE, 1).into()
}

/// An address that he writes on his packets.
fn made_up(n: u32) -> IpAddr {
    Ipv4Addr::from(0x2000_0000 + n * 257).into()
}

fn end() -> Timestamp {
    BEGIN.plus_secs(DAYS * DAY)
}

/// Says all that he can against the bank, its block, the carrier's address and the telephone.
fn slander(world: &mut World) {
    let carrier: IpAddr = CARRIER.parse().expect("address");
    for day in 0..DAYS {
        let at = BEGIN.plus_secs(day * DAY + 3_600);
        for n in 0..HIS_FREE {
            world.free(his_free(n), &account(n), BANK, at);
        }
        for n in 0..50 {
            let n = u32::try_from(day).expect("small") * 50 + n;
            world.free(made_up(n), &account((n % 30) as u8), BANK, at);
            // Packets with the carrier's address on them, and with any other.
            world.honeypot(carrier, PHONE, BANK, false, at);
            world.honeypot(made_up(n), PHONE, BANK, false, at);
        }
        // His own machines do answer challenges.
        for n in 0..HIS_FREE {
            for number in 0..4 {
                let dialed = format!("44207946000{number}");
                world.honeypot(his_free(n), PHONE, &dialed, true, at);
            }
        }
        for his in his_accounts() {
            world.paid(his, (day % 5) as u8, BANK, at);
            world.verdict(his, BANK, Verdict::Fraud, at);
        }
    }
}

#[test]
fn what_is_innocent_cannot_be_listed() {
    let mut world = World::new(Sizes::default());
    world.ordinary_life();
    slander(&mut world);
    world.scanners_call(FRAUD, end());
    let listed = world.listed(end());
    for innocent in [
        format!("number {BANK}"),
        "block 442079460xxx".to_owned(),
        format!("address {CARRIER}"),
        "network 198.51.100.0/24".to_owned(),
        format!("agent {PHONE}"),
    ] {
        assert!(!listed.contains(&innocent), "{innocent}: {listed:?}");
    }
    for n in 0..2_000 {
        assert!(!listed.contains(&format!("address {}", made_up(n))));
    }
    // There was enough against the bank: it is its ordinary life that protects it, and that is
    // what an analyst is told.
    let findings = world.review(end());
    let bank = findings
        .iter()
        .find(|finding| finding.subject.value() == BANK)
        .expect("weighed");
    let Standing::Protected(life) = bank.standing else {
        panic!("{bank:?}");
    };
    assert!(life.tenants >= 5 && life.days >= 30, "{life:?}");
    // His own machines, and the genuine range, are.
    for guilty in [
        format!("address {}", his_free(0)),
        format!("number {FRAUD}678"),
        format!("block {FRAUD}xxx"),
        "agent friendly-scanner".to_owned(),
    ] {
        assert!(listed.contains(&guilty), "{guilty}: {listed:?}");
    }
}

#[test]
fn without_its_ordinary_life_the_same_slander_would_list_the_bank() {
    let mut world = World::new(Sizes::default());
    // One customer there must be, who calls something else.
    for day in 0..DAYS {
        world.paid(0, 0, "493012345678", BEGIN.plus_secs(day * DAY));
    }
    slander(&mut world);
    let listed = world.listed(end());
    assert!(listed.contains(&format!("number {BANK}")), "{listed:?}");
}

/// Months of calls that make a range look ordinary: from the free stream, and from his accounts.
fn whitewash(world: &mut World) {
    for day in 0..DAYS {
        let at = BEGIN.plus_secs(day * DAY + 7_200);
        for n in 0..HIS_FREE {
            world.free(his_free(n), &account(n), &format!("{FRAUD}678"), at);
        }
        for n in 0..30 {
            let n = u32::try_from(day).expect("small") * 30 + n;
            let dialed = format!("{FRAUD}{:03}", n % 1_000);
            world.free(made_up(n), &account((n % 30) as u8), &dialed, at);
        }
    }
}

fn whitewash_as_customer(world: &mut World) {
    for day in 0..DAYS {
        let at = BEGIN.plus_secs(day * DAY + 9_000);
        for his in his_accounts() {
            for caller in 0..4 {
                world.paid(his, caller, &format!("{FRAUD}678"), at);
            }
            world.verdict(his, &format!("{FRAUD}678"), Verdict::Legitimate, at);
        }
    }
}

fn range() -> [String; 2] {
    [format!("number {FRAUD}678"), format!("block {FRAUD}xxx")]
}

#[test]
fn a_fraudulent_range_cannot_be_made_ordinary_by_strangers() {
    let mut world = World::new(Sizes::default());
    world.ordinary_life();
    whitewash(&mut world);
    world.scanners_call(FRAUD, end());
    let listed = world.listed(end());
    for guilty in range() {
        assert!(listed.contains(&guilty), "{guilty}: {listed:?}");
    }
}

#[test]
fn his_own_customers_keep_a_range_from_the_lists_until_an_analyst_speaks() {
    let mut world = World::new(Sizes::default());
    world.ordinary_life();
    whitewash(&mut world);
    whitewash_as_customer(&mut world);
    world.scanners_call(FRAUD, end());
    // Nobody can tell his accounts' calls from an honest customer's whom strangers want cut off:
    // the range is proposed, and says why.
    let findings = world.review(end());
    let number = format!("{FRAUD}678");
    let found = findings.iter().find(|f| f.subject.value() == number);
    let Some(Standing::Protected(life)) = found.map(|found| found.standing) else {
        panic!("{found:?}");
    };
    assert_eq!((life.tenants, life.alone), (3, 3), "{life:?}");
    world.analyst(&number, end());
    let listed = world.listed(end());
    for guilty in range() {
        assert!(listed.contains(&guilty), "{guilty}: {listed:?}");
    }
    // Delisting: more of the same, and all his accounts say that it is legitimate.
    for day in 1..=10 {
        let at = end().plus_secs(day * DAY);
        for his in his_accounts() {
            for caller in 0..9 {
                world.paid(his, caller, &format!("{FRAUD}678"), at);
            }
            world.verdict(his, &format!("{FRAUD}678"), Verdict::Legitimate, at);
        }
        for n in 0..200 {
            world.free(
                made_up(n),
                &account((n % 30) as u8),
                &format!("{FRAUD}678"),
                at,
            );
        }
    }
    let later = end().plus_secs(10 * DAY);
    let listed = world.listed(later);
    assert!(listed.contains(&format!("number {FRAUD}678")), "{listed:?}");
    // It ends by itself, once nothing is said against it any more.
    let over = end().plus_secs(31 * DAY);
    assert!(!world.listed(over).contains(&format!("number {FRAUD}678")));
}

#[test]
fn honest_customers_verdicts_outweigh_those_of_his_accounts() {
    let mut world = World::new(Sizes::default());
    world.ordinary_life();
    whitewash_as_customer(&mut world);
    let dialed = format!("{FRAUD}678");
    (0..5).for_each(|tenant| world.verdict(tenant, &dialed, Verdict::Fraud, end()));
    // A word for it is heard of what is accused: his accounts say theirs again.
    his_accounts().for_each(|his| world.verdict(his, &dialed, Verdict::Legitimate, end()));
    // Five against three: not enough to list, as three speak for it.
    assert!(!world.listed(end()).contains(&format!("number {dialed}")));
    world.scanners_call(FRAUD, end());
    let listed = world.listed(end());
    assert!(listed.contains(&format!("number {dialed}")), "{listed:?}");
}

#[test]
fn the_free_stream_changes_nothing_about_a_customers_call() {
    let scored = || World::with(Sizes::default(), ModelSlot::new(shipped_model()));
    let (mut quiet, mut flooded) = (scored(), scored());
    quiet.ordinary_life();
    flooded.ordinary_life();
    whitewash(&mut flooded);
    let dialed = format!("{FRAUD}678");
    for n in 0..20 {
        let at = end().plus_secs(i64::from(n) * 5);
        let (one, other) = (
            quiet.paid(n % 4, 9, &dialed, at),
            flooded.paid(n % 4, 9, &dialed, at),
        );
        assert_eq!(one.features, other.features, "call {n}");
        assert_eq!(one.decision, other.decision, "call {n}");
    }
    // The flood was heard: a stranger's call looks other than it did.
    let at = end().plus_secs(1_000);
    let (one, other) = (
        quiet.free(his_free(0), &account(0), &dialed, at),
        flooded.free(his_free(0), &account(0), &dialed, at),
    );
    assert_ne!(one.features, other.features);
}

/// Something said without a call, as there are more of them than a test has time to decide.
fn said(kind: WitnessKind, by: Party, dialed: u64, agent: String, at: Timestamp) -> Evidence {
    Evidence::from(Accusation {
        kind,
        by,
        innocent: false,
        probe: false,
        address: None,
        number: Number::from_u64(dialed),
        agent,
        at,
    })
}

#[test]
fn a_flood_of_names_does_not_crowd_true_evidence_out() {
    let sizes = Sizes {
        candidates: 2_000,
        ordinary: 2_000,
    };
    let mut world = World::new(sizes);
    world.ordinary_life();
    let dialed = format!("{FRAUD}678");
    // Two of the three that it takes.
    world.verdict(0, &dialed, Verdict::Fraud, end());
    world.verdict(1, &dialed, Verdict::Fraud, end());
    assert!(!world.listed(end()).contains(&format!("number {dialed}")));
    for n in 0..100_000u32 {
        let number = 441_000_000_000 + u64::from(n) * 1_009;
        let his = account(TENANTS + (n % 3) as u8);
        let by = match n % 4 {
            0 => (WitnessKind::Free, Party::network(made_up(n), KEYS)),
            1 => (WitnessKind::Unproven, Party::network(made_up(n), KEYS)),
            2 => (WitnessKind::Customer, Party::account(&his, KEYS)),
            _ => (
                WitnessKind::Honeypot,
                Party::network(his_free((n % 200) as u8), KEYS),
            ),
        };
        let agent = format!("made up {n}");
        world.learned.hear(&said(by.0, by.1, number, agent, end()));
    }
    // And as many numbers that his accounts call as if they were ordinary.
    for n in 0..5_000u32 {
        let at = end().plus_secs(i64::from(n));
        let dialed = format!("4930{:07}", n * 13);
        world.paid(TENANTS + (n % 3) as u8, (n % 9) as u8, &dialed, at);
    }
    let (candidates, ordinary, evicted, refused) = world.learned.sizes();
    assert!(candidates <= 2_000 && ordinary <= 2_000);
    assert!(evicted + refused > 90_000, "{evicted} {refused}");
    let at = end().plus_secs(6_000);
    world.verdict(2, &dialed, Verdict::Fraud, at);
    let listed = world.listed(at);
    assert!(
        listed.contains(&format!("number {dialed}")),
        "the third is heard"
    );
    // What protects the bank is still known.
    for source in 1..=5u8 {
        let from = Ipv4Addr::new(203, 0, source, 9).into();
        world.honeypot(from, "other-scanner", BANK, true, at);
    }
    let findings = world.review(at);
    let bank = findings.iter().find(|f| f.subject.value() == BANK);
    let bank = bank.expect("true evidence finds room");
    assert!(matches!(bank.standing, Standing::Protected(_)), "{bank:?}");
}
