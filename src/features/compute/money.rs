//! What calls cost: by the minute, as how long they will last nobody knows yet.

use super::caller::Caller;
use super::pass::Pass;
use crate::features::entities::{Entities, Kind};
use crate::features::track::Window;
use crate::features::{Context, Feature};

/// Hundredths of the deck's currency.
const CENTS: f32 = 100.0;
/// Upper bounds of the orders of magnitude of prices, cents a minute: free, domestic, mobile,
/// costly, high, very high.
const CLASSES: [f32; 5] = [0.5, 2.0, 10.0, 50.0, 200.0];
/// Cents a minute from which on a call is expensive.
const EXPENSIVE: f32 = 20.0;
/// Calls by which a caller's mean price is drawn to his tenant's, and a tenant's to `USUAL`.
const PRIOR: f32 = 5.0;
/// Cents a minute of most calls.
const USUAL: f32 = 2.0;
/// Cents of an hour below which nothing is a burst of a tenant.
const CALM: f32 = 50.0;

pub(super) fn money(
    pass: &mut Pass<'_>,
    context: &Context<'_>,
    e: &Entities,
    caller: &Caller,
    v: &mut [f32],
) {
    let cents = context.price.unwrap_or_default() * CENTS;
    v[Feature::Price as usize] = cents.ln_1p();
    let user = pass.add(Kind::UserSpend, e.user, 0, cents);
    for (feature, window) in [
        (Feature::UserSpend10m, Window::Minutes10),
        (Feature::UserSpend1h, Window::Hour),
        (Feature::UserSpend1d, Window::Day),
    ] {
        v[feature as usize] = pass.rate(user, window);
    }
    let tenant = pass.add(Kind::TenantSpend, e.tenant, 0, cents);
    v[Feature::TenantSpend1h as usize] = pass.rate(tenant, Window::Hour);
    v[Feature::TenantSpendBurst as usize] = pass.burst(tenant, Window::Hour, CALM);

    let spent = |track| pass.count(track, Window::Days30);
    let of_tenant = (spent(tenant) + PRIOR * USUAL) / (caller.tenant_calls + PRIOR);
    let usual = (spent(user) + PRIOR * of_tenant) / (caller.calls + PRIOR);
    v[Feature::PriceUnusual as usize] = ((cents + 1.0) / (usual + 1.0)).ln();

    let class = CLASSES.partition_point(|bound| *bound <= cents) as u64;
    let of_user = pass.see(Kind::UserPriceClass, e.user, class);
    v[Feature::PriceClassNewForUser as usize] = pass.novelty(of_user);
    let of_tenant = pass.see(Kind::TenantPriceClass, e.tenant, class);
    v[Feature::PriceClassNewForTenant as usize] = pass.novelty(of_tenant);
    let expensive = pass.see_if(cents >= EXPENSIVE, Kind::UserExpensive, e.user, 0);
    v[Feature::ExpensiveShare as usize] = pass.share(expensive, caller.calls);
}
