//! What this caller does, and what his tenant does beside him.

use super::pass::{Pass, rarity};
use crate::features::entities::{Entities, Kind};
use crate::features::track::{Track, Window};
use crate::features::{Context, Feature};

/// Seconds until a caller is known, to 1/e: seven days.
const CALLER: f32 = 7.0 * 86_400.0;
/// Seconds until a tenant is known, to 1/e: fourteen days. Habits of whole weeks are to be seen.
const TENANT: f32 = 14.0 * 86_400.0;
/// A novelty above this counts as new: an age of two days.
const NEW: f32 = 0.5;
/// A country with less than this share of a tenant's calls is abroad to it.
const ABROAD: f32 = 0.2;
/// Calls of 30 days after which a tenant's shares mean something.
const SHARES: f32 = 20.0;
/// A length of numbers with at least this share of a country's calls is usual there.
const LENGTH: f32 = 0.1;
/// Calls of 30 days to a country after which its lengths are half known.
const LENGTHS: f32 = 50.0;

/// What the other subjects need of caller and tenant, as they were before the call.
pub(super) struct Caller {
    pub(super) user: Option<Track>,
    /// Calls of the caller in 30 days.
    pub(super) calls: f32,
    /// Calls of the tenant in 30 days.
    pub(super) tenant_calls: f32,
    /// The tenant's calls to the prefix.
    pub(super) tenant_prefix: Option<Track>,
    /// The caller's calls to the number.
    pub(super) user_number: Option<Track>,
}

/// Caller and tenant themselves, and the country.
pub(super) fn caller(
    pass: &mut Pass<'_>,
    context: &Context<'_>,
    e: &Entities,
    v: &mut [f32],
) -> Caller {
    let user = pass.see(Kind::User, e.user, 0);
    for (feature, window) in [
        (Feature::User1s, Window::Second),
        (Feature::User10s, Window::Seconds10),
        (Feature::User1m, Window::Minute),
        (Feature::User10m, Window::Minutes10),
        (Feature::User1h, Window::Hour),
        (Feature::User1d, Window::Day),
        (Feature::UserKnown, Window::Days30),
    ] {
        v[feature as usize] = pass.rate(user, window);
    }
    v[Feature::UserNew as usize] = pass.novelty_over(user, CALLER);
    v[Feature::UserBurst as usize] = pass.burst(user, Window::Hour, 1.0);
    v[Feature::UserDayBurst as usize] = pass.burst(user, Window::Day, 1.0);
    let tenant = pass.see(Kind::Tenant, e.tenant, 0);
    v[Feature::TenantNew as usize] = pass.novelty_over(tenant, TENANT);
    v[Feature::TenantBurst as usize] = pass.burst(tenant, Window::Minutes10, 1.0);
    let calls = pass.count(user, Window::Days30);
    let tenant_calls = pass.count(tenant, Window::Days30);

    let country = pass.see(Kind::UserCountry, e.user, e.country);
    v[Feature::CountryNewForUser as usize] = pass.novelty(country);
    v[Feature::CountryShare as usize] = pass.share(country, calls);
    let countries = pass.distinct(Kind::UserCountries, e.user, 0, country, Window::Day);
    v[Feature::UserCountries1d as usize] = pass.kinds(&countries, Window::Day);
    let is_new = pass.novelty(country) > NEW;
    let novel = pass.see_if(is_new, Kind::UserNovel, e.user, 0);
    v[Feature::UserNovel10m as usize] = pass.rate(novel, Window::Minutes10);

    let tenant_country = pass.see(Kind::TenantCountry, e.tenant, e.country);
    v[Feature::CountryNewForTenant as usize] = pass.novelty(tenant_country);
    let share = pass.share(tenant_country, tenant_calls);
    v[Feature::CountryShareTenant as usize] = share;
    let abroad = share < ABROAD && tenant_calls > SHARES;
    let foreign = pass.see_if(abroad, Kind::UserForeign, e.user, 0);
    v[Feature::ForeignShare as usize] = pass.share(foreign, calls);

    concurrency(pass, context, e, calls, v);
    let tenant_prefix = pass.see(Kind::TenantPrefix, e.tenant, e.prefix);
    v[Feature::PrefixNewForTenant as usize] = pass.novelty(tenant_prefix);
    let user_number = pass.see(Kind::UserNumber, e.user, e.number);
    Caller {
        user,
        calls,
        tenant_calls,
        tenant_prefix,
        user_number,
    }
}

/// Calls up at once, against the mean of this caller's calls.
fn concurrency(
    pass: &mut Pass<'_>,
    context: &Context<'_>,
    e: &Entities,
    calls: f32,
    v: &mut [f32],
) {
    let Some(up) = context.attempt.concurrent else {
        return;
    };
    #[expect(clippy::cast_precision_loss, reason = "a count of calls")]
    let up = up as f32;
    let sum = pass.add(Kind::UserConcurrent, e.user, 0, up);
    let mean = pass.count(sum, Window::Days30) / calls.max(1.0);
    v[Feature::ConcurrentUnusual as usize] = ((1.0 + up) / (1.0 + mean)).ln();
}

/// Prefixes, and lengths of numbers.
pub(super) fn destinations(pass: &mut Pass<'_>, e: &Entities, caller: &Caller, v: &mut [f32]) {
    let prefix = pass.see(Kind::UserPrefix, e.user, e.prefix);
    v[Feature::PrefixNewForUser as usize] = pass.novelty(prefix);
    let prefixes = pass.distinct(Kind::UserPrefixes, e.user, 0, prefix, Window::Hour);
    v[Feature::UserPrefixes1h as usize] = pass.kinds(&prefixes, Window::Hour);
    // Two more in the denominator: one call of one is no concentration.
    let hour = pass.count(caller.user, Window::Hour);
    v[Feature::PrefixConcentration as usize] = pass.count(prefix, Window::Hour) / (hour + 2.0);

    let country = pass.see(Kind::Country, e.country, 0);
    let length = pass.see(Kind::CountryLength, e.country, e.length);
    let calls = pass.count(country, Window::Days30);
    v[Feature::LengthUnusual as usize] = rarity(pass.share(length, calls), LENGTH, calls, LENGTHS);
}

/// Numbers: the same again, and one after the other.
pub(super) fn numbers(pass: &mut Pass<'_>, e: &Entities, caller: &Caller, v: &mut [f32]) {
    let number = caller.user_number;
    v[Feature::NumberNewForUser as usize] = pass.novelty(number);
    v[Feature::UserRedial10m as usize] = pass.rate(number, Window::Minutes10);
    let numbers = pass.distinct(Kind::UserNumbers, e.user, 0, number, Window::Hour);
    v[Feature::UserNumbers1h as usize] = pass.kinds(&numbers, Window::Hour);

    let called = |near: &u64| {
        let track = pass.peek(Kind::UserNumber, e.user, *near);
        pass.within(track, Window::Hour)
    };
    let is_next = numbers.is_new && e.neighbours.iter().flatten().any(called);
    let run = pass.see_if(is_next, Kind::UserRun, e.user, 0);
    let steps = pass.count(run, Window::Hour) + f32::from(u8::from(is_next));
    v[Feature::UserRun1h as usize] = steps.ln_1p();
}
