//! When this caller calls, and his tenant: learned, so that nobody's time zone need be known.

use super::caller::Caller;
use super::pass::{Pass, rarity};
use crate::features::Feature;
use crate::features::entities::{Entities, Kind, is_weekend};

/// Callers with fewer calls in 30 days than this have no hours of their own yet.
const CALLER: f32 = 10.0;
/// The same of tenants.
const TENANT: f32 = 50.0;
/// Share of a two-hour slot of a day if all were alike.
const SLOT: f32 = 1.0 / 12.0;
/// Days of a week, and of its weekend.
const WEEK: f32 = 7.0;
const WEEKEND: f32 = 2.0;

pub(super) fn hours(pass: &mut Pass<'_>, e: &Entities, caller: &Caller, v: &mut [f32]) {
    let weekend = is_weekend(pass.now);
    let days = if weekend { WEEKEND } else { WEEK - WEEKEND } / WEEK;
    let calls = caller.calls;

    let slot = pass.see(Kind::UserSlot, e.user, e.slot);
    v[Feature::HourUnusual as usize] = rarity(pass.share(slot, calls), SLOT, calls, CALLER);
    let slot = pass.see(Kind::UserWeekSlot, e.user, e.week_slot);
    let share = pass.share(slot, calls);
    v[Feature::WeekHourUnusual as usize] = rarity(share, SLOT * days, calls, CALLER);
    let day = pass.see(Kind::UserDays, e.user, e.day_kind);
    if weekend {
        let share = pass.share(day, calls);
        v[Feature::WeekendUnusual as usize] = rarity(share, days, calls, CALLER);
    }
    let calls = caller.tenant_calls;
    let slot = pass.see(Kind::TenantSlot, e.tenant, e.slot);
    v[Feature::TenantHourUnusual as usize] = rarity(pass.share(slot, calls), SLOT, calls, TENANT);
}
