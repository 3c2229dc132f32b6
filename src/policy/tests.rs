use super::*;
use crate::domain::lists::{AgentList, Entry};
use crate::domain::{Code, CountryRule, Decision, Ingress, Number};
use uuid::Uuid;

const NOW: Timestamp = Timestamp::from_secs(1_760_000_000);

/// A call and everything around it, to be bent by each test.
struct Case {
    attempt: CallAttempt,
    policy: Policy,
    system: SystemLists,
    origin: Country,
    score: Option<f32>,
}

impl Case {
    fn new() -> Self {
        let peer = "192.0.2.10".parse().expect("address");
        Self {
            attempt: CallAttempt {
                id: Uuid::nil(),
                ingress: Ingress::Prevention,
                call_id: String::new(),
                peer,
                source_ip: peer,
                user: "alice".into(),
                domain: "a.example".into(),
                policy_user: None,
                dialed: "442079460123".into(),
                user_agent: "Phone/1".into(),
                concurrent: None,
            },
            policy: Policy {
                modes: [Mode::Enforce; 15],
                ..Policy::default()
            },
            system: SystemLists::default(),
            origin: Country::parse("DE").expect("country"),
            score: None,
        }
    }

    fn run(&self) -> (Code, Vec<CheckOutcome>) {
        let destination = crate::numbering::locate(&self.attempt.dialed, &[]);
        let context = Context {
            attempt: &self.attempt,
            destination: &destination,
            origin: self.origin,
            policy: &self.policy,
            system: &self.system,
            score: self.score,
            model_threshold: Some(0.9),
            now: NOW,
        };
        let outcomes = run(&context);
        (
            Decision::code_of(whitelisted(&context), &outcomes),
            outcomes,
        )
    }

    fn code(&self) -> &'static str {
        self.run().0.as_str()
    }
}

fn number(digits: &str) -> Number {
    Number::parse(digits).expect("number")
}

fn countries(codes: &[&str]) -> Vec<Country> {
    codes.iter().filter_map(|c| Country::parse(c)).collect()
}

fn entry() -> Entry {
    Entry::lasting("test")
}

/// A case that one check refuses, and the one change that makes it pass again.
fn refused_by(check: Check) -> Case {
    let mut case = Case::new();
    match check {
        Check::R01 => {
            case.system.black.agents =
                AgentList::new(vec![("^phone".into(), entry())]).expect("pattern");
        }
        Check::R02 => case
            .system
            .black
            .networks
            .insert("192.0.2.0/28".parse().expect("net"), entry()),
        Check::R03 => case
            .system
            .black
            .numbers
            .insert_prefix(number("44207946"), entry()),
        Check::R04 => case.policy.origin = CountryRule::Only(countries(&["FR"])),
        Check::R05 => {
            case.policy.origin = CountryRule::Except(countries(&["FR"]));
            case.origin = Country::UNKNOWN;
        }
        Check::R06 => case.policy.destination = CountryRule::Except(countries(&["GB"])),
        Check::R07 => case.attempt.dialed = "2101234567".into(),
        Check::R12 => case
            .system
            .attack_groups
            .insert("192.0.2.10/32".parse().expect("net"), entry()),
        Check::R14 => case
            .policy
            .blacklist
            .numbers
            .insert_number(number("442079460123"), entry()),
        Check::R15 => case.score = Some(0.901),
        Check::R08 | Check::R09 | Check::R10 | Check::R11 | Check::R13 => {}
    }
    case
}

fn available() -> impl Iterator<Item = Check> {
    REFUSAL_ORDER.into_iter().filter(|c| is_available(*c))
}

#[test]
fn nothing_against_the_call_approves_it() {
    assert_eq!(Case::new().code(), "A00");
}

#[test]
fn each_check_refuses_audits_and_rests() {
    for check in available() {
        let mut case = refused_by(check);
        assert_eq!(case.code(), check.as_str());
        let evidence = |case: &Case| {
            let (_, outcomes) = case.run();
            let found = outcomes.into_iter().find(|o| o.check == check);
            found.map(|o| (o.outcome, o.evidence)).expect("kept")
        };
        assert!(!evidence(&case).1.is_empty(), "{check} has no evidence");
        case.policy.modes[check.index()] = Mode::Audit;
        assert_eq!(case.code(), "A00", "{check} in audit");
        assert_eq!(evidence(&case).0, Outcome::Audit);
        case.policy.modes[check.index()] = Mode::Off;
        assert_eq!(evidence(&case), (Outcome::Off, String::new()));
    }
}

#[test]
fn one_step_aside_passes() {
    let mut agent = refused_by(Check::R01);
    agent.attempt.user_agent = "Desk Phone/1".into();
    let mut source = refused_by(Check::R02);
    source.attempt.source_ip = "192.0.2.16".parse().expect("address");
    let mut called = refused_by(Check::R03);
    called.attempt.dialed = "442079450123".into();
    let mut origin = refused_by(Check::R04);
    origin.origin = Country::parse("FR").expect("country");
    let mut unknown = refused_by(Check::R05);
    unknown.policy.origin = CountryRule::Any;
    let mut destination = refused_by(Check::R06);
    destination.attempt.dialed = "33142685300".into();
    let mut group = refused_by(Check::R12);
    group.attempt.source_ip = "192.0.2.11".parse().expect("address");
    let mut own = refused_by(Check::R14);
    own.attempt.dialed = "442079460124".into();
    let mut risk = refused_by(Check::R15);
    risk.score = Some(0.9);
    for case in [
        agent,
        source,
        called,
        origin,
        unknown,
        destination,
        group,
        own,
        risk,
    ] {
        assert_eq!(case.code(), "A00", "{:?}", case.attempt);
    }
}

#[test]
fn the_policys_threshold_goes_before_the_models() {
    let mut case = Case::new();
    case.score = Some(0.5);
    assert_eq!(case.code(), "A00");
    case.policy.risk_threshold = Some(0.49);
    assert_eq!(case.code(), "R15");
    case.policy.risk_threshold = Some(0.5);
    assert_eq!(case.code(), "A00");
}

#[test]
fn the_whitelist_overrides_every_check() {
    for check in available().filter(|c| *c != Check::R07) {
        let mut case = refused_by(check);
        case.policy.whitelist.insert_prefix(number("44"), entry());
        assert_eq!(case.code(), "A00", "{check}");
        let (_, outcomes) = case.run();
        assert!(
            outcomes
                .iter()
                .any(|o| o.check == check && o.outcome == Outcome::Refuse),
            "{check}: what the check said is kept"
        );
    }
}

#[test]
fn of_two_refusals_the_one_earlier_in_the_order_decides() {
    let order: Vec<Check> = available().collect();
    for (at, first) in order.iter().enumerate() {
        for second in &order[at + 1..] {
            let checks = [second, first].map(|&check| CheckOutcome {
                check,
                outcome: Outcome::Refuse,
                evidence: String::new(),
            });
            assert_eq!(Decision::code_of(false, &checks), Code::Refused(*first));
        }
    }
}
