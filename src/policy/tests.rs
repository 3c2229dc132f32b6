pub(super) mod twins;

use super::*;
use crate::domain::lists::{AgentList, Entry};
use crate::domain::{
    ALL_MONTHS, ALL_WEEKDAYS, Code, CountryRule, Counts, Decision, Hours, Ingress, Number,
    OffHours, Period, SameNumber,
};
use uuid::Uuid;

const NOW: Timestamp = Timestamp::from_secs(1_760_000_000);

/// A call and everything around it, to be bent by each test.
pub(super) struct Case {
    pub(super) attempt: CallAttempt,
    pub(super) policy: Policy,
    pub(super) system: SystemLists,
    pub(super) origin: Country,
    pub(super) score: Option<f32>,
    pub(super) usage: Counts,
}

impl Case {
    pub(super) fn new() -> Self {
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
                signs: crate::domain::Signs::NONE,
            },
            policy: Policy {
                modes: [Mode::Enforce; 15],
                ..Policy::default()
            },
            system: SystemLists::default(),
            origin: Country::parse("DE").expect("country"),
            score: None,
            usage: Counts::default(),
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
            usage: self.usage,
            local: self.policy.off_hours.local(NOW),
            now: NOW,
        };
        let outcomes = run(&context);
        (
            Decision::code_of(whitelisted(&context), &outcomes),
            outcomes,
        )
    }

    pub(super) fn code(&self) -> &'static str {
        self.run().0.as_str()
    }

    fn outcome(&self, check: Check) -> CheckOutcome {
        let (_, outcomes) = self.run();
        let found = outcomes.into_iter().find(|o| o.check == check);
        found.expect("every outcome is kept")
    }

    pub(super) fn evidence(&self, check: Check) -> String {
        self.outcome(check).evidence
    }

    /// Makes these hours hold.
    pub(super) fn set_hours(&mut self, hours: Hours) {
        self.policy.off_hours.periods = match hours {
            Hours::Normal => Vec::new(),
            Hours::Off => vec![Period {
                months: ALL_MONTHS,
                weekdays: ALL_WEEKDAYS,
                from: 0,
                to: 0,
            }],
        };
    }
}

pub(super) fn number(digits: &str) -> Number {
    Number::parse(digits).expect("number")
}

fn countries(codes: &[&str]) -> Vec<Country> {
    codes.iter().filter_map(|c| Country::parse(c)).collect()
}

pub(super) fn entry() -> Entry {
    Entry::lasting("test")
}

/// Bends a case so that a check refuses. A check that looks at either end of a call can be made
/// to refuse at the other one too.
fn refuse(case: &mut Case, check: Check, other_end: bool) {
    const ONE: SameNumber = SameNumber {
        calls: 1,
        seconds: 60,
    };
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
        Check::R03 => {
            for prefix in ["44207946", "21"] {
                let numbers = &mut case.system.black.numbers;
                numbers.insert_prefix(number(prefix), entry());
            }
        }
        Check::R04 => case.policy.origin = CountryRule::only(&countries(&["FR"])),
        Check::R05 if other_end => {
            case.policy.destination = CountryRule::except(&countries(&["FR"]));
            case.attempt.dialed = "2101234567".into();
        }
        Check::R05 => {
            case.policy.origin = CountryRule::except(&countries(&["FR"]));
            case.origin = Country::UNKNOWN;
        }
        Check::R06 => case.policy.destination = CountryRule::except(&countries(&["GB"])),
        Check::R07 => case.attempt.dialed = "2101234567".into(),
        Check::R08 | Check::R10 => {
            case.policy.concurrent.normal = Some(2);
            case.policy.concurrent.off_hours = Some(2);
            case.attempt.concurrent = Some(2);
        }
        Check::R09 | Check::R11 => {
            case.policy.daily_quota.normal = Some(1);
            case.policy.daily_quota.off_hours = Some(1);
            case.usage.today = 1;
        }
        Check::R12 => case
            .system
            .attack_groups
            .insert("192.0.2.10/32".parse().expect("net"), entry()),
        Check::R13 => {
            case.policy.same_number = Some(ONE);
            case.usage.same_number = 1;
        }
        Check::R14 => {
            let net = "192.0.2.0/24".parse().expect("net");
            case.policy.blacklist.networks.insert(net, entry());
        }
        Check::R15 => case.score = Some(0.901),
    }
    match check {
        Check::R08 | Check::R09 => case.set_hours(Hours::Off),
        Check::R10 | Check::R11 => case.set_hours(Hours::Normal),
        _ => {}
    }
}

fn refused_by(check: Check) -> Case {
    let mut case = Case::new();
    refuse(&mut case, check, false);
    case
}

#[test]
fn nothing_against_the_call_approves_it() {
    assert_eq!(Case::new().code(), "A00");
}

#[test]
fn each_check_refuses_audits_and_rests() {
    for check in REFUSAL_ORDER {
        let mut case = refused_by(check);
        assert_eq!(case.code(), check.as_str());
        assert!(!case.evidence(check).is_empty(), "{check} has no evidence");
        case.policy.modes[check.index()] = Mode::Audit;
        assert_eq!(case.code(), "A00", "{check} in audit");
        assert_eq!(case.outcome(check).outcome, Outcome::Audit);
        case.policy.modes[check.index()] = Mode::Off;
        assert_eq!(case.outcome(check).outcome, Outcome::Off);
        assert_eq!(case.evidence(check), "");
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
    own.attempt.source_ip = "192.0.3.0".parse().expect("address");
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
    for check in REFUSAL_ORDER.into_iter().filter(|c| *c != Check::R07) {
        let mut case = refused_by(check);
        case.policy.whitelist.insert_prefix(number("44"), entry());
        assert_eq!(case.code(), "A00", "{check}");
        assert_eq!(
            case.outcome(check).outcome,
            Outcome::Refuse,
            "{check}: what the check said is kept"
        );
    }
}

/// What was dialled goes back, and not the number that was guessed from it.
#[test]
fn the_whitelist_does_not_know_a_guess() {
    let mut case = refused_by(Check::R14);
    case.policy.whitelist.insert_prefix(number("44"), entry());
    case.attempt.dialed = format!("+{}", case.attempt.dialed);
    assert_eq!(case.code(), "A00", "a whole number");
    case.attempt.dialed = case.attempt.dialed.replace('+', "9011");
    assert_eq!(case.code(), "R14", "behind an outside line's digit");
}

/// A call that both checks refuse, and no other has a say; `None`: there can be none.
fn refused_by_both(one: Check, other: Check) -> Option<Case> {
    [(false, false), (false, true), (true, false)]
        .into_iter()
        .find_map(|(first, second)| {
            let mut case = Case::new();
            case.policy.modes = [Mode::Off; 15];
            for (check, other_end) in [(one, first), (other, second)] {
                case.policy.modes[check.index()] = Mode::Enforce;
                refuse(&mut case, check, other_end);
            }
            let both = [one, other].map(|check| case.outcome(check).outcome);
            (both == [Outcome::Refuse; 2]).then_some(case)
        })
}

#[test]
fn of_two_refusals_the_one_earlier_in_the_order_decides() {
    let mut never_together = Vec::new();
    for (at, &first) in REFUSAL_ORDER.iter().enumerate() {
        for &second in &REFUSAL_ORDER[at + 1..] {
            let Some(mut case) = refused_by_both(first, second) else {
                never_together.push([first, second].map(Check::as_str));
                continue;
            };
            assert_eq!(case.code(), first.as_str(), "{first} and {second}");
            case.policy.modes[first.index()] = Mode::Audit;
            assert_eq!(case.code(), second.as_str(), "{first} only audits");
        }
    }
    // A number is of some country or begins no country's code; it is off hours or it is not.
    let cannot = [
        ["R07", "R06"],
        ["R08", "R10"],
        ["R08", "R11"],
        ["R10", "R09"],
        ["R09", "R11"],
    ];
    assert_eq!(never_together, cannot);
}

#[test]
fn off_hours_evidence_says_until_when() {
    let mut case = refused_by(Check::R09);
    // NOW is Thursday 2025-10-09, 08:53 UTC: 05:53 in São Paulo.
    case.policy.off_hours = OffHours {
        zone: chrono_tz::America::Sao_Paulo,
        periods: vec![Period {
            months: ALL_MONTHS,
            weekdays: ALL_WEEKDAYS,
            from: 18 * 60,
            to: 8 * 60,
        }],
    };
    assert_eq!(
        case.evidence(Check::R09),
        "2 of 1 calls today, off hours until 08:00 (America/Sao_Paulo)"
    );
}
