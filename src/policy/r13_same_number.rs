//! R13: the caller, a user of From within his account, has called this very number as often as
//! the policy allows within its window.

use super::{Context, Rule};

pub(super) struct SameNumber;

impl Rule for SameNumber {
    fn refuses(&self, c: &Context<'_>) -> Option<String> {
        let limit = c.policy.same_number?;
        let before = c.usage.same_number;
        let call = u64::from(before) + 1;
        (before >= limit.calls).then(|| {
            let (calls, seconds) = (limit.calls, limit.seconds);
            format!("call {call} to this number within {seconds} s, {calls} allowed")
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::{Check, Mode, SameNumber};
    use crate::policy::tests::{Case, entry, number};

    fn case(before: u32) -> Case {
        let mut case = Case::new();
        case.policy.same_number = Some(SameNumber {
            calls: 3,
            seconds: 600,
        });
        case.usage.same_number = before;
        case
    }

    #[test]
    fn at_the_limit_one_below_and_one_above() {
        assert_eq!(case(2).code(), "A00", "the third call");
        assert_eq!(case(3).code(), "R13", "the fourth");
        assert_eq!(case(4).code(), "R13");
        assert_eq!(
            case(3).evidence(Check::R13),
            "call 4 to this number within 600 s, 3 allowed"
        );
    }

    #[test]
    fn whitelist_audit_and_off() {
        let mut white = case(3);
        white.policy.whitelist.insert_prefix(number("44"), entry());
        assert_eq!(white.code(), "A00");
        assert!(!white.evidence(Check::R13).is_empty(), "kept all the same");
        for mode in [Mode::Audit, Mode::Off] {
            let mut case = case(3);
            case.policy.modes[Check::R13.index()] = mode;
            assert_eq!(case.code(), "A00");
            assert_eq!(case.evidence(Check::R13).is_empty(), mode == Mode::Off);
        }
        let mut unlimited = case(1_000);
        unlimited.policy.same_number = None;
        assert_eq!(unlimited.code(), "A00");
    }
}
