//! R08: too many calls up at once, in off hours.

use super::limits::concurrent;
use super::{Context, Rule};
use crate::domain::Hours;

pub(super) struct ConcurrentOffHours;

impl Rule for ConcurrentOffHours {
    fn refuses(&self, c: &Context<'_>) -> Option<String> {
        concurrent(c, Hours::Off)
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::Hours;
    use crate::policy::tests::twins;

    #[test]
    fn at_the_limit_one_below_and_one_above() {
        twins::at_the_limit("R08", Hours::Off);
    }

    #[test]
    fn whitelist_audit_and_off() {
        twins::whitelist_audit_and_off("R08", Hours::Off);
    }

    #[test]
    fn nothing_is_held_against_a_call_when_nobody_tells_how_many_are_up() {
        twins::unknown_passes(Hours::Off);
    }
}
