//! What each subject's features say of the attack they are made for, and of ordinary calls.

use super::*;
use crate::domain::{Sign, Signs};

const LONDON: &str = "442079460123";
const SOMALIA: &str = "252612345678";
const DAY: i64 = 86_400;

/// A caller with a month of one call a day to London, from one address and device.
fn with_habits(w: &mut Windows, user: &str) -> Timestamp {
    for day in 0..30 {
        see(
            w,
            &attempt(user, LONDON, "192.0.2.1"),
            T0.plus_secs(day * DAY),
        );
    }
    T0.plus_secs(30 * DAY)
}

#[test]
fn one_range_through_many_tenants_is_seen_by_tenants_and_callers() {
    let mut w = Windows::new(100_000, [1; 16]);
    let mut last = see(&mut w, &attempt("u", LONDON, "192.0.2.1"), T0);
    for n in 0..20 {
        let mut a = attempt("u", &format!("2526123450{n:02}"), "192.0.2.1");
        a.domain = format!("d{n}.example");
        last = see(&mut w, &a, T0.plus_secs(n * 20));
    }
    assert!(get(&last, Feature::BlockTenants1h) > 15f32.ln());
    assert!(get(&last, Feature::BlockCallers1h) > 15f32.ln());
    assert!(get(&last, Feature::BlockCallers10m) > 10f32.ln());
    assert!(get(&last, Feature::BlockNew) > 0.99);
    assert!(get(&last, Feature::BlockCallersBurst) > 2.0);
    // The neighbouring block is another one.
    let other = see(
        &mut w,
        &attempt("u", "252612346001", "192.0.2.1"),
        T0.plus_secs(400),
    );
    assert!(get(&other, Feature::BlockTenants1h) <= 2f32.ln());
}

#[test]
fn a_row_of_numbers_is_a_run_and_scattered_ones_are_none() {
    let mut w = Windows::new(100_000, [1; 16]);
    let mut runs = Vec::new();
    for n in 0..6 {
        let a = attempt("u", &format!("25261234567{n}"), "192.0.2.1");
        runs.push(get(&see(&mut w, &a, T0.plus_secs(n)), Feature::UserRun1h));
    }
    assert!(runs[0].abs() < 1e-6 && runs.is_sorted(), "{runs:?}");
    assert!(runs[5] > 5f32.ln(), "{runs:?}");
    for n in 0..6 {
        let a = attempt("v", &format!("2526123{}678", 45 + 7 * n), "192.0.2.1");
        let scattered = see(&mut w, &a, T0.plus_secs(n));
        assert!(get(&scattered, Feature::UserRun1h).abs() < 1e-6);
    }
    // The same number again is no step.
    let again = attempt("u", "252612345675", "192.0.2.1");
    let seen = see(&mut w, &again, T0.plus_secs(7));
    assert!(get(&seen, Feature::UserRedial10m) > 0.5);
    assert!(get(&seen, Feature::UserRun1h) <= runs[5] + 1e-6);
}

#[test]
fn who_is_new_and_who_is_not() {
    let mut w = Windows::new(100_000, [1; 16]);
    let first = see(&mut w, &attempt("alice", LONDON, "192.0.2.1"), T0);
    assert!((get(&first, Feature::UserNew) - 1.0).abs() < 1e-6);
    assert!((get(&first, Feature::TenantNew) - 1.0).abs() < 1e-6);
    let now = with_habits(&mut w, "alice");
    let known = see(&mut w, &attempt("alice", SOMALIA, "192.0.2.1"), now);
    assert!(get(&known, Feature::UserNew) < 0.02);
    assert!(get(&known, Feature::TenantNew) < 0.13);
    let cross = get(&known, Feature::NewTenantNewCountry);
    assert!(
        cross < 0.13,
        "a known tenant's new country is news: {cross}"
    );
    let new = see(&mut w, &attempt("bob", LONDON, "192.0.2.1"), now);
    assert!(get(&new, Feature::UserNew) > 0.99);
    assert!(get(&new, Feature::TenantNew) < 0.13);
}

#[test]
fn networks_outlive_addresses() {
    let mut w = Windows::new(100_000, [1; 16]);
    let now = with_habits(&mut w, "alice");
    let near = see(&mut w, &attempt("alice", LONDON, "192.0.2.99"), now);
    assert!(get(&near, Feature::SourceNewForUser) > 0.99);
    assert!(get(&near, Feature::NetNewForUser) < 0.01);
    let far = see(&mut w, &attempt("alice", LONDON, "198.51.100.9"), now);
    assert!(get(&far, Feature::NetNewForUser) > 0.99);
    assert!(get(&far, Feature::NetNewForTenant) > 0.99);
    assert!(get(&far, Feature::UserSources1h) >= 2f32.ln());
}

#[test]
fn an_update_is_a_new_agent_of_the_same_make() {
    let mut w = Windows::new(100_000, [1; 16]);
    let now = with_habits(&mut w, "alice");
    let with = |agent: &str| CallAttempt {
        user_agent: agent.to_owned(),
        ..attempt("alice", LONDON, "192.0.2.1")
    };
    let updated = see(&mut w, &with("Phone/2"), now);
    assert!(get(&updated, Feature::AgentNewForUser) > 0.99);
    assert!(get(&updated, Feature::FamilyNewForUser) < 0.01);
    let other = see(&mut w, &with("sipcli/v1.8"), now);
    assert!(get(&other, Feature::FamilyNewForUser) > 0.99);
    assert!((get(&other, Feature::AgentTool) - 1.0).abs() < 1e-6);
    // Everybody's device is told from somebody's.
    for n in 0..9 {
        let mut a = with("Common/1");
        a.domain = format!("d{n}.example");
        see(&mut w, &a, now);
    }
    let common = see(&mut w, &with("Common/1"), now);
    assert!(get(&common, Feature::AgentTenants) > 9f32.ln());
}

#[test]
fn hours_and_days_are_learned() {
    let mut w = Windows::new(100_000, [1; 16]);
    // T0 is a Thursday, 08:53 UTC: three months of working days, mornings.
    for day in (0..90).filter(|day| (day + 3) % 7 < 5) {
        for call in 0..3 {
            let at = T0.plus_secs(day * DAY + call * 600);
            see(&mut w, &attempt("alice", LONDON, "192.0.2.1"), at);
        }
    }
    let mut at = |seconds: i64| {
        let a = attempt("alice", LONDON, "192.0.2.1");
        see(&mut w, &a, T0.plus_secs(seconds))
    };
    let usual = at(91 * DAY);
    assert!(get(&usual, Feature::HourUnusual) < 0.01);
    assert!(get(&usual, Feature::WeekHourUnusual) < 0.01);
    assert!(get(&usual, Feature::WeekendUnusual).abs() < 1e-6);
    let night = at(91 * DAY + 16 * 3_600);
    assert!(get(&night, Feature::HourUnusual) > 0.6);
    assert!(get(&night, Feature::TenantHourUnusual) > 0.3);
    let saturday = at(93 * DAY);
    assert!(get(&saturday, Feature::HourUnusual) < 0.01);
    assert!(get(&saturday, Feature::WeekHourUnusual) > 0.6);
    assert!(get(&saturday, Feature::WeekendUnusual) > 0.6);
}

#[test]
fn lengths_that_a_country_has_not_are_odd() {
    let mut w = Windows::new(100_000, [1; 16]);
    for n in 0..500 {
        let a = attempt("u", &format!("4420794{n:05}"), "192.0.2.1");
        see(&mut w, &a, T0.plus_secs(n));
    }
    let long = see(
        &mut w,
        &attempt("u", "44207946012345", "192.0.2.1"),
        T0.plus_secs(500),
    );
    assert!(get(&long, Feature::LengthUnusual) > 0.8);
    assert!((get(&long, Feature::NumberNotInPlan) - 1.0).abs() < 1e-6);
    let usual = see(
        &mut w,
        &attempt("u", LONDON, "192.0.2.1"),
        T0.plus_secs(501),
    );
    assert!(get(&usual, Feature::LengthUnusual) < 0.01);
}

#[test]
fn calls_up_are_held_against_the_callers_own() {
    let mut w = Windows::new(100_000, [1; 16]);
    let with = |user: &str, up| CallAttempt {
        concurrent: up,
        ..attempt(user, LONDON, "192.0.2.1")
    };
    for n in 0..200 {
        see(&mut w, &with("centre", Some(20)), T0.plus_secs(n * 60));
        see(&mut w, &with("alice", Some(0)), T0.plus_secs(n * 60));
    }
    let now = T0.plus_secs(12_000);
    let unusual = |v: FeatureVector| get(&v, Feature::ConcurrentUnusual);
    assert!(unusual(see(&mut w, &with("centre", Some(20)), now)).abs() < 0.05);
    assert!(unusual(see(&mut w, &with("alice", Some(20)), now)) > 2.5);
    assert!(unusual(see(&mut w, &with("alice", None), now)).abs() < 1e-6);
}

#[test]
fn abroad_is_where_the_tenant_seldom_calls() {
    let mut w = Windows::new(100_000, [1; 16]);
    for n in 0..100 {
        see(
            &mut w,
            &attempt("bob", LONDON, "192.0.2.2"),
            T0.plus_secs(n),
        );
    }
    let mut share = 0.0;
    for n in 0..10 {
        let a = attempt("alice", SOMALIA, "192.0.2.1");
        share = get(
            &see(&mut w, &a, T0.plus_secs(100 + n)),
            Feature::ForeignShare,
        );
    }
    assert!((share - 1.0).abs() < 1e-3, "{share}");
    let bob = see(
        &mut w,
        &attempt("bob", LONDON, "192.0.2.2"),
        T0.plus_secs(200),
    );
    assert!(get(&bob, Feature::ForeignShare).abs() < 1e-6);
    assert!(get(&bob, Feature::CountryShareTenant) > 0.85);
}

#[test]
fn signs_are_counted_by_group() {
    let mut w = Windows::new(1_000, [1; 16]);
    let mut a = attempt("u", LONDON, "192.0.2.1");
    a.signs = [Sign::ToolName, Sign::HexTag, Sign::NoSdp, Sign::NoAllow]
        .into_iter()
        .collect();
    let odd = see(&mut w, &a, T0);
    let [tool, media, header] = [
        Feature::SignsTool,
        Feature::SignsMedia,
        Feature::SignsHeader,
    ]
    .map(|f| get(&odd, f));
    assert!((tool - 2.0).abs() + (media - 1.0).abs() + (header - 1.0).abs() < 1e-6);
    a.signs = Signs::NONE;
    let plain = see(&mut w, &a, T0);
    assert!(get(&plain, Feature::SignsTool).abs() < 1e-6);
}

#[test]
fn what_a_honeypot_saw_is_near() {
    let mut trap = Windows::new(10_000, [1; 16]);
    let destination = |a: &CallAttempt| crate::numbering::locate(&a.dialed, &[]);
    let mut hit = |source: &str, agent: &str| {
        let mut a = attempt("100", SOMALIA, source);
        a.user_agent = agent.to_owned();
        a.ingress = Ingress::Honeypot;
        trap.note_honeypot(&context(&a, &destination(&a)), T0, false);
        let innocent = attempt("alice", "252612345999", "203.0.113.200");
        trap.near(&context(&innocent, &destination(&innocent)), T0)
    };
    let mut near = hit("203.0.113.5", "tool");
    for _ in 0..50 {
        near = hit("203.0.113.5", "tool");
    }
    // One network is one witness, however often it calls.
    assert!((near.block - 1.0).abs() < 1e-3, "{near:?}");
    assert!((near.net - 51.0).abs() < 1e-3, "{near:?}");
    assert!(near.source.abs() + near.agent.abs() < 1e-6, "{near:?}");
    let near = hit("198.51.100.7", "Phone/1");
    assert!((near.block - 2.0).abs() < 1e-3 && (near.prefix - 2.0).abs() < 1e-3);
    assert!((near.agent - 1.0).abs() < 1e-3);
    // In the vector, and only there where it was given.
    let mut w = Windows::new(10_000, [1; 16]);
    let a = attempt("alice", SOMALIA, "192.0.2.1");
    let placed = destination(&a);
    let mut c = context(&a, &placed);
    c.near = near;
    let seen = w.observe(&c, T0);
    assert!((get(&seen, Feature::HoneypotBlock) - 3f32.ln()).abs() < 1e-3);
    let week = T0.plus_secs(7 * DAY);
    let faded = trap.near(&context(&a, &placed), week);
    assert!((faded.block - 2.0 * (-1f32).exp()).abs() < 1e-3);
}

#[test]
fn an_agent_that_was_not_sent_is_nobodys_mark() {
    let mut trap = Windows::new(10_000, [1; 16]);
    let mut a = attempt("100", SOMALIA, "203.0.113.5");
    a.user_agent.clear();
    let destination = crate::numbering::locate(&a.dialed, &[]);
    trap.note_honeypot(&context(&a, &destination), T0, false);
    let near = trap.near(&context(&a, &destination), T0);
    assert!(near.agent.abs() < 1e-6 && near.source > 0.5, "{near:?}");
}
