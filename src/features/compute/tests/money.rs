//! Prices and what they add up to.

use super::*;

fn at_price(w: &mut Windows, user: &str, price: Option<f32>, now: Timestamp) -> FeatureVector {
    let a = attempt(user, "442079460123", "192.0.2.1");
    let destination = crate::numbering::locate(&a.dialed, &[]);
    let mut c = context(&a, &destination);
    c.price = price;
    w.observe(&c, now)
}

#[test]
fn spending_adds_up_in_cents_and_fades() {
    let mut w = Windows::new(10_000, [1; 16]);
    at_price(&mut w, "alice", Some(0.5), T0);
    at_price(&mut w, "alice", None, T0);
    at_price(&mut w, "bob", Some(2.0), T0);
    let now = at_price(&mut w, "alice", Some(0.01), T0.plus_secs(600));
    let spent = |feature, cents: f32| {
        let value = get(&now, feature);
        assert!((value - cents.ln_1p()).abs() < 1e-3, "{feature:?}: {value}");
    };
    spent(Feature::Price, 1.0);
    spent(Feature::UserSpend10m, 50.0 * (-1f32).exp());
    spent(Feature::UserSpend1h, 50.0 * (-1f32 / 6.0).exp());
    spent(Feature::UserSpend1d, 50.0 * (-600f32 / 86_400.0).exp());
    spent(Feature::TenantSpend1h, 250.0 * (-1f32 / 6.0).exp());
}

#[test]
fn a_price_is_held_against_what_the_caller_pays() {
    let mut w = Windows::new(10_000, [1; 16]);
    for n in 0..100 {
        at_price(&mut w, "thrifty", Some(0.01), T0.plus_secs(n * 600));
        at_price(&mut w, "broker", Some(0.60), T0.plus_secs(n * 600));
    }
    let now = T0.plus_secs(60_000);
    let thrifty = at_price(&mut w, "thrifty", Some(0.60), now);
    let broker = at_price(&mut w, "broker", Some(0.60), now);
    assert!(get(&thrifty, Feature::PriceUnusual) > 2.0);
    assert!(get(&broker, Feature::PriceUnusual) < 0.3);
    assert!(get(&thrifty, Feature::PriceClassNewForUser) > 0.99);
    assert!(get(&broker, Feature::PriceClassNewForUser) < 0.9);
    assert!(get(&thrifty, Feature::PriceClassNewForTenant) < 0.9);
    assert!(get(&thrifty, Feature::ExpensiveShare).abs() < 1e-6);
    assert!(get(&broker, Feature::ExpensiveShare) > 0.95);
    // Who is new is held against his tenant, which pays 30 cents on average.
    let new = at_price(&mut w, "new", Some(0.30), now);
    assert!(get(&new, Feature::PriceUnusual).abs() < 0.1);
    // No price is no bargain and no alarm.
    let unknown = at_price(&mut w, "thrifty", None, now);
    assert!(get(&unknown, Feature::PriceUnusual) < 0.0);
    assert!(get(&unknown, Feature::Price).abs() < 1e-6);
}
