//! R11: the quota of this calendar day is used up, in normal hours.

use super::limits::daily;
use super::{Context, Rule};
use crate::domain::Hours;

pub(super) struct QuotaNormalHours;

impl Rule for QuotaNormalHours {
    fn refuses(&self, c: &Context<'_>) -> Option<String> {
        daily(c, Hours::Normal)
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::Hours;
    use crate::policy::tests::twins;

    #[test]
    fn at_the_limit_one_below_and_one_above() {
        twins::at_the_limit("R11", Hours::Normal);
    }

    #[test]
    fn whitelist_audit_and_off() {
        twins::whitelist_audit_and_off("R11", Hours::Normal);
    }

    #[test]
    fn a_quota_of_nothing_lets_nobody_call() {
        twins::quota_of_nothing("R11", Hours::Normal);
    }
}
