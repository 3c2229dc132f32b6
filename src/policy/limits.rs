//! What the limits by hours have in common: R08 and R10, R09 and R11 are twins.

use super::Context;
use crate::domain::Hours;

/// Refuses when as many other calls are up as the limit of these hours allows.
///
/// `P-Calls` tells of the *other* calls the customer has up. Where it is not known, nothing is
/// held against the call.
pub(super) fn concurrent(c: &Context<'_>, hours: Hours) -> Option<String> {
    let limit = limit_of(c, hours, c.policy.concurrent.of(hours))?;
    let up = c.attempt.concurrent.filter(|&up| up >= limit)?;
    Some(format!("{up} other calls up, {limit} allowed, {}", when(c)))
}

/// Refuses when as many calls were approved today, in these hours, as the quota of these hours.
pub(super) fn daily(c: &Context<'_>, hours: Hours) -> Option<String> {
    let quota = limit_of(c, hours, c.policy.daily_quota.of(hours))?;
    let before = c.usage.today;
    let call = u64::from(before) + 1;
    (before >= quota).then(|| format!("{call} of {quota} calls today, {}", when(c)))
}

/// A limit, if it is its hours.
fn limit_of(c: &Context<'_>, hours: Hours, limit: Option<u32>) -> Option<u32> {
    limit.filter(|_| c.local.hours == hours)
}

/// Which hours it is, and by whose clock.
fn when(c: &Context<'_>) -> String {
    let zone = c.policy.off_hours.zone;
    if c.local.hours == Hours::Normal {
        return format!("normal hours ({zone})");
    }
    match c.policy.off_hours.off_until(c.local.clock) {
        None => format!("off hours ({zone})"),
        Some(end) if end.date() == c.local.clock.date() => {
            format!("off hours until {} ({zone})", end.format("%H:%M"))
        }
        Some(end) => format!("off hours until {} ({zone})", end.format("%a %H:%M")),
    }
}
