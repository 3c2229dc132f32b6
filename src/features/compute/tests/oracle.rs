//! The features again, computed another way: from a list of all calls, with nothing but the
//! definitions in the catalogue.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// A call of a small world in which everybody meets.
#[derive(Clone, Copy, Debug)]
struct Call {
    at: i64,
    user: u8,
    tenant: u8,
    country: u8,
    source: u8,
    agent: u8,
    cents: u16,
}

const NUMBERS: [&str; 3] = ["442079460123", "4930123456", "252612345678"];

impl Call {
    fn attempt(self) -> CallAttempt {
        CallAttempt {
            domain: format!("t{}.example", self.tenant),
            user_agent: format!("Phone{}/1", self.agent),
            ..attempt(
                &format!("u{}", self.user),
                NUMBERS[usize::from(self.country)],
                &format!("192.0.{}.1", self.source),
            )
        }
    }

    fn seen_by(self, w: &mut Windows) -> FeatureVector {
        let a = self.attempt();
        let destination = crate::numbering::locate(&a.dialed, &[]);
        let mut c = context(&a, &destination);
        c.price = Some(f32::from(self.cents) / 100.0);
        w.observe(&c, T0.plus_secs(self.at))
    }

    fn is_caller(self, other: Self) -> bool {
        (self.user, self.tenant) == (other.user, other.tenant)
    }
}

/// The calls before one, read by the definitions.
struct History<'a> {
    before: &'a [Call],
    now: Call,
}

impl History<'_> {
    fn sum(&self, window: f64, of: impl Fn(&Call) -> Option<f64>) -> f64 {
        let decayed = |c: &Call| Some(of(c)? * (-((self.now.at - c.at) as f64) / window).exp());
        self.before.iter().filter_map(decayed).sum()
    }

    fn count(&self, window: f64, of: impl Fn(&Call) -> bool) -> f64 {
        self.sum(window, |c| of(c).then_some(1.0))
    }

    fn novelty(&self, scale: f64, of: impl Fn(&Call) -> bool) -> f64 {
        let first = self.before.iter().find(|c| of(c));
        first.map_or(1.0, |c| (-((self.now.at - c.at) as f64) / scale).exp())
    }

    /// Different things among some calls, each as far as it has not faded since it was last seen;
    /// that of the call counts 1.
    fn distinct<T: Ord>(
        &self,
        window: f64,
        of: impl Fn(&Call) -> bool,
        thing: impl Fn(&Call) -> T,
    ) -> f64 {
        let seen = self.before.iter().filter(|c| of(c));
        let mut last: BTreeMap<T, i64> = seen.map(|c| (thing(c), c.at)).collect();
        last.insert(thing(&self.now), self.now.at);
        let faded = |at: &i64| (-((self.now.at - at) as f64) / window).exp();
        last.values().map(faded).sum()
    }

    fn distinct_things(&self) -> Vec<(Feature, f64)> {
        let now = self.now;
        let block = |c: &Call| c.country == now.country;
        let source = |c: &Call| c.source == now.source;
        let caller = |c: &Call| (c.user, c.tenant);
        let mine = |c: &Call| c.is_caller(now);
        vec![
            (
                Feature::BlockTenants1h,
                self.distinct(3_600.0, block, |c| c.tenant),
            ),
            (
                Feature::PrefixTenants1h,
                self.distinct(3_600.0, block, |c| c.tenant),
            ),
            (
                Feature::BlockCallers1h,
                self.distinct(3_600.0, block, caller),
            ),
            (
                Feature::NumberCallers1h,
                self.distinct(3_600.0, block, caller),
            ),
            (
                Feature::SourceUsers1h,
                self.distinct(3_600.0, source, caller),
            ),
            (
                Feature::SourceTenants1d,
                self.distinct(86_400.0, source, |c| c.tenant),
            ),
            (
                Feature::UserNumbers1h,
                self.distinct(3_600.0, mine, |c| c.country),
            ),
            (
                Feature::UserCountries1d,
                self.distinct(86_400.0, mine, |c| c.country),
            ),
            (
                Feature::UserSources1h,
                self.distinct(3_600.0, mine, |c| c.source),
            ),
        ]
    }

    fn expected(&self) -> Vec<(Feature, f64)> {
        const DAYS3: f64 = 259_200.0;
        const DAYS30: f64 = 2_592_000.0;
        let now = self.now;
        let mine = |c: &Call| c.is_caller(now);
        let ours = |c: &Call| c.tenant == now.tenant;
        let calls = self.count(DAYS30, mine);
        let hour = self.count(3_600.0, mine);
        let spent = |window, of: &dyn Fn(&Call) -> bool| {
            self.sum(window, |c| of(c).then_some(f64::from(c.cents)))
                .ln_1p()
        };
        let new_country = self.novelty(DAYS3, |c| mine(c) && c.country == now.country);
        let rate10m = self.count(600.0, mine).ln_1p();
        vec![
            (Feature::User1s, self.count(1.0, mine).ln_1p()),
            (Feature::User10s, self.count(10.0, mine).ln_1p()),
            (Feature::User1m, self.count(60.0, mine).ln_1p()),
            (Feature::User10m, rate10m),
            (Feature::User1h, hour.ln_1p()),
            (Feature::User1d, self.count(86_400.0, mine).ln_1p()),
            (Feature::UserKnown, calls.ln_1p()),
            (
                Feature::UserBurst,
                ((hour + 1.0) / (calls / 720.0 + 1.0)).ln(),
            ),
            (Feature::UserNew, self.novelty(604_800.0, mine)),
            (Feature::TenantNew, self.novelty(1_209_600.0, ours)),
            (Feature::CountryNewForUser, new_country),
            (
                Feature::CountryNewForTenant,
                self.novelty(DAYS3, |c| ours(c) && c.country == now.country),
            ),
            (
                Feature::CountryShare,
                (self.count(DAYS30, |c| mine(c) && c.country == now.country) / calls.max(1.0))
                    .min(1.0),
            ),
            (
                Feature::SourceNewForUser,
                self.novelty(DAYS3, |c| mine(c) && c.source == now.source),
            ),
            (
                Feature::AgentNewForTenant,
                self.novelty(DAYS3, |c| ours(c) && c.agent == now.agent),
            ),
            (
                Feature::Block10m,
                self.count(600.0, |c| c.country == now.country).ln_1p(),
            ),
            (
                Feature::BlockNew,
                self.novelty(DAYS3, |c| c.country == now.country),
            ),
            (
                Feature::Source1h,
                self.count(3_600.0, |c| c.source == now.source).ln_1p(),
            ),
            (Feature::Price, f64::from(now.cents).ln_1p()),
            (Feature::UserSpend1h, spent(3_600.0, &mine)),
            (Feature::UserSpend1d, spent(86_400.0, &mine)),
            (Feature::TenantSpend1h, spent(3_600.0, &ours)),
            (Feature::NewCountryBurst, new_country * rate10m),
            (
                Feature::NewCountryPrice,
                new_country * f64::from(now.cents).ln_1p(),
            ),
        ]
    }
}

fn calls() -> impl Strategy<Value = Vec<Call>> {
    let gap = prop_oneof![0i64..3, 0i64..600, 0i64..90_000];
    let call = (gap, 0u8..3, 0u8..2, 0u8..3, 0u8..3, 0u8..2, 0u16..300);
    prop::collection::vec(call, 1..60).prop_map(|calls| {
        let mut at = 0;
        calls
            .into_iter()
            .map(|(gap, user, tenant, country, source, agent, cents)| {
                at += gap;
                Call {
                    at,
                    user,
                    tenant,
                    country,
                    source,
                    agent,
                    cents,
                }
            })
            .collect()
    })
}

proptest! {
    #[test]
    fn every_value_is_what_its_definition_says(calls in calls()) {
        let mut w = Windows::new(100_000, [9; 16]);
        for at in 0..calls.len() {
            let served = calls[at].seen_by(&mut w);
            let history = History { before: &calls[..at], now: calls[at] };
            for (feature, expected) in history.expected() {
                let value = f64::from(get(&served, feature));
                let near = (value - expected).abs() <= 2e-3 * (1.0 + expected.abs());
                prop_assert!(near, "{:?} of call {}: {} and not {}", feature, at, value, expected);
            }
            // A window has 64 parts, and a thing is counted up once in each.
            for (feature, expected) in history.distinct_things() {
                let count = f64::from(get(&served, feature)).exp_m1();
                let near = (count / expected - 1.0).abs() < 0.02;
                prop_assert!(near, "{:?} of call {}: {} and not {}", feature, at, count, expected);
            }
        }
    }
}
