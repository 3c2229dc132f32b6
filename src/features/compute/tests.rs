//! What the features say of calls made up for them.

use crate::domain::{CallAttempt, Country, Destination, FeatureVector, Ingress, Timestamp};
use crate::features::{Context, Feature, Near, Windows};
use uuid::Uuid;

mod money;
mod oracle;
mod subjects;

const T0: Timestamp = Timestamp::from_secs(1_760_000_000);

fn attempt(user: &str, dialed: &str, source: &str) -> CallAttempt {
    let source_ip = source.parse().expect("address");
    CallAttempt {
        id: Uuid::nil(),
        ingress: Ingress::Prevention,
        call_id: String::new(),
        peer: source_ip,
        source_ip,
        user: user.to_owned(),
        domain: "a.example".to_owned(),
        policy_user: None,
        dialed: dialed.to_owned(),
        user_agent: "Phone/1".to_owned(),
        concurrent: Some(0),
        signs: crate::domain::Signs::NONE,
    }
}

fn see(w: &mut Windows, a: &CallAttempt, now: Timestamp) -> FeatureVector {
    let destination = crate::numbering::locate(&a.dialed, &[]);
    w.observe(&context(a, &destination), now)
}

fn context<'a>(attempt: &'a CallAttempt, destination: &'a Destination) -> Context<'a> {
    Context {
        attempt,
        account: "root",
        scope: None,
        destination,
        origin: Country::UNKNOWN,
        price: None,
        near: Near::default(),
    }
}

fn get(vector: &FeatureVector, feature: Feature) -> f32 {
    vector.values[feature as usize]
}

#[test]
fn a_features_values_never_include_the_call_itself() {
    let mut w = Windows::new(10_000, [1; 16]);
    let first = see(&mut w, &attempt("alice", "442079460123", "192.0.2.1"), T0);
    assert!(get(&first, Feature::User1m).abs() < 1e-6);
    assert!((get(&first, Feature::CountryNewForUser) - 1.0).abs() < 1e-6);
    let second = see(&mut w, &attempt("alice", "442079460123", "192.0.2.1"), T0);
    assert!((get(&second, Feature::User1m) - 2f32.ln()).abs() < 1e-6);
}

#[test]
fn habits_make_things_known_and_strangers_do_not() {
    let mut w = Windows::new(10_000, [1; 16]);
    for day in 0..20 {
        see(
            &mut w,
            &attempt("alice", "442079460123", "192.0.2.1"),
            T0.plus_secs(day * 86_400),
        );
    }
    let now = T0.plus_secs(20 * 86_400);
    let usual = see(&mut w, &attempt("alice", "442079460124", "192.0.2.1"), now);
    assert!(get(&usual, Feature::CountryNewForUser) < 0.01);
    assert!(get(&usual, Feature::HourUnusual) < 0.01);
    let odd = see(
        &mut w,
        &attempt("alice", "252612345678", "198.51.100.9"),
        now.plus_secs(6 * 3_600),
    );
    assert!(get(&odd, Feature::CountryNewForUser) > 0.99);
    assert!(get(&odd, Feature::SourceNewForUser) > 0.99);
    assert!(get(&odd, Feature::HourUnusual) > 0.5);
    let other = see(&mut w, &attempt("bob", "442079460123", "192.0.2.1"), now);
    assert!(get(&other, Feature::CountryNewForUser) > 0.99);
    assert!(get(&other, Feature::CountryNewForTenant) < 0.01);
}

#[test]
fn a_scanner_that_varies_the_beginning_is_seen() {
    let mut w = Windows::new(10_000, [1; 16]);
    let mut last = 0.0;
    for begin in ["", "00", "011", "9", "900", "9011"] {
        let a = attempt("100", &format!("{begin}972599123456"), "203.0.113.5");
        let variety = get(&see(&mut w, &a, T0), Feature::DialVariety1h);
        assert!(variety > last, "{begin}: {variety} {last}");
        last = variety;
    }
    assert!((last - 7f32.ln()).abs() < 1e-4);
}

#[test]
fn free_calls_do_not_touch_a_customers_habits() {
    let mut w = Windows::new(10_000, [1; 16]);
    let a = attempt("alice", "252612345678", "203.0.113.5");
    let destination = crate::numbering::locate(&a.dialed, &[]);
    let free = Context {
        account: "",
        scope: Some(a.peer),
        ..context(&a, &destination)
    };
    w.observe(&free, T0);
    let paid = see(&mut w, &a, T0.plus_secs(1));
    assert!((get(&paid, Feature::CountryNewForUser) - 1.0).abs() < 1e-6);
    assert!(get(&paid, Feature::User1h).abs() < 1e-6);
}

#[test]
fn one_country_every_two_hours_is_one_country_of_the_day() {
    let mut w = Windows::new(10_000, [1; 16]);
    let mut last = 0.0;
    for hour in (0..24).step_by(2) {
        let a = attempt("alice", "442079460123", "192.0.2.1");
        last = get(
            &see(&mut w, &a, T0.plus_secs(hour * 3_600)),
            Feature::UserCountries1d,
        );
    }
    // One, to one part in 64.
    assert!((last.exp() - 2.0).abs() < 0.02, "{last}");
}

#[test]
fn distinct_things_count_as_long_as_the_attack_goes_on_and_fade_when_it_ends() {
    let mut w = Windows::new(10_000, [1; 16]);
    let call = |w: &mut Windows, tenant: i64, at: i64| {
        let mut a = attempt("u", "252612345678", "192.0.2.1");
        a.domain = format!("d{tenant}.example");
        let v = see(w, &a, T0.plus_secs(at));
        get(&v, Feature::BlockTenants1h).exp() - 1.0
    };
    // Ten tenants, each every five minutes, for six hours.
    let mut counts = Vec::new();
    for round in 0..72 {
        for tenant in 0..10 {
            counts.push(call(&mut w, tenant, round * 300 + tenant * 30));
        }
    }
    let settled = &counts[9..];
    assert!(
        settled.iter().all(|n| (9.3..10.4).contains(n)),
        "{settled:?}"
    );
    // Three hours of one of them alone.
    let end = 72 * 300;
    let alone = (1..=36).map(|n| call(&mut w, 0, end + n * 300)).last();
    let alone = alone.expect("some");
    assert!((alone - 1.0 - 9.0 * (-3f32).exp()).abs() < 0.1, "{alone}");
}

#[test]
fn an_unknown_origin_is_no_country() {
    let mut w = Windows::new(10_000, [1; 16]);
    let a = attempt("alice", "442079460123", "192.0.2.1");
    let destination = crate::numbering::locate(&a.dialed, &[]);
    let new_origin = |w: &mut Windows, origin, at| {
        let c = Context {
            origin,
            ..context(&a, &destination)
        };
        get(&w.observe(&c, T0.plus_secs(at)), Feature::OriginNewForUser)
    };
    assert!(new_origin(&mut w, Country::UNKNOWN, 0).abs() < 1e-6);
    // A database is there from now on: the first country is new, whatever went before.
    let italy = Country::parse("IT").expect("a country");
    assert!((new_origin(&mut w, italy, 1) - 1.0).abs() < 1e-6);
    assert!(new_origin(&mut w, Country::UNKNOWN, 2).abs() < 1e-6);
    assert!(new_origin(&mut w, italy, 30 * 86_400) < 0.01);
}

#[test]
fn replaying_what_the_state_already_holds_changes_nothing() {
    let mut w = Windows::new(10_000, [1; 16]);
    let a = attempt("alice", "442079460123", "192.0.2.1");
    let destination = crate::numbering::locate(&a.dialed, &[]);
    w.observe(&context(&a, &destination), T0);
    let before = w.slice(0, 100).to_vec();
    w.replay(&context(&a, &destination), T0);
    assert_eq!(w.slice(0, 100), before);
    w.replay(&context(&a, &destination), T0.plus_secs(1));
    assert_ne!(w.slice(0, 100), before);
}

#[test]
fn a_dialled_string_of_any_script_does_no_harm() {
    let mut w = Windows::new(10_000, [1; 16]);
    for dialed in ["", "é", "ééééééééééé", "\u{1f4de}123456789", "alice"] {
        see(&mut w, &attempt("x", dialed, "192.0.2.1"), T0);
    }
}
