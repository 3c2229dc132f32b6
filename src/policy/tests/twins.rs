//! What R08 and R10, and R09 and R11, must all do.

use super::*;

const LIMIT: u32 = 100;

/// As much used as given, the limit being 100 in these hours, and 1 in the others.
fn case(hours: Hours, used: u32) -> Case {
    let mut case = Case::new();
    for limits in [&mut case.policy.concurrent, &mut case.policy.daily_quota] {
        (limits.normal, limits.off_hours) = match hours {
            Hours::Normal => (Some(LIMIT), Some(1)),
            Hours::Off => (Some(1), Some(LIMIT)),
        };
    }
    case.set_hours(hours);
    case.attempt.concurrent = Some(used);
    case.usage.today = used;
    case
}

/// A case that only this check looks at.
fn alone(code: &str, hours: Hours, used: u32) -> (Check, Case) {
    let check: Check = code.parse().expect("a check");
    let mut case = case(hours, used);
    case.policy.modes = [Mode::Off; 15];
    case.policy.modes[check.index()] = Mode::Enforce;
    (check, case)
}

pub(in crate::policy) fn at_the_limit(code: &str, hours: Hours) {
    for (used, expected) in [(LIMIT - 1, "A00"), (LIMIT, code), (LIMIT + 1, code)] {
        let (check, case) = alone(code, hours, used);
        assert_eq!(case.code(), expected, "{used} used");
        let told = case.evidence(check);
        assert_eq!(told.is_empty(), expected == "A00");
        let hours = match hours {
            Hours::Normal => "normal hours (UTC)",
            Hours::Off => "off hours (UTC)",
        };
        assert!(told.is_empty() || told.contains("100") && told.ends_with(hours));
    }
    let (_, mut other_hours) = alone(code, hours, LIMIT);
    other_hours.set_hours(match hours {
        Hours::Normal => Hours::Off,
        Hours::Off => Hours::Normal,
    });
    assert_eq!(other_hours.code(), "A00", "it is the other hours");
    let (_, mut unlimited) = alone(code, hours, u32::MAX);
    unlimited.policy.concurrent = crate::domain::Limits::default();
    unlimited.policy.daily_quota = crate::domain::Limits::default();
    assert_eq!(unlimited.code(), "A00", "no limit");
}

pub(in crate::policy) fn whitelist_audit_and_off(code: &str, hours: Hours) {
    let (check, mut case) = alone(code, hours, LIMIT);
    let whitelist = &mut case.policy.whitelist;
    whitelist.insert_prefix(number("44"), entry());
    assert_eq!(case.code(), "A00", "whitelisted");
    assert_eq!(case.outcome(check).outcome, Outcome::Refuse, "but kept");
    for (mode, outcome) in [(Mode::Audit, Outcome::Audit), (Mode::Off, Outcome::Off)] {
        let (_, mut case) = alone(code, hours, LIMIT);
        case.policy.modes[check.index()] = mode;
        assert_eq!(case.code(), "A00");
        assert_eq!(case.outcome(check).outcome, outcome);
    }
}

pub(in crate::policy) fn unknown_passes(hours: Hours) {
    let mut case = case(hours, 0);
    case.attempt.concurrent = None;
    assert_eq!(case.code(), "A00");
}

pub(in crate::policy) fn quota_of_nothing(code: &str, hours: Hours) {
    let (check, mut case) = alone(code, hours, 0);
    case.policy.daily_quota.normal = Some(0);
    case.policy.daily_quota.off_hours = Some(0);
    assert_eq!(case.code(), code);
    assert!(case.evidence(check).starts_with("1 of 0 calls today"));
}
