//! The one computation of the features.

use super::catalogue::{COUNT, Feature, VERSION};
use super::table::{Saved, TrackTable};
use super::track::{Track, WINDOWS, Window};
use crate::domain::{
    CallAttempt, CallEvent, Country, Destination, DialPrefix, FeatureVector, NumberClass, Timestamp,
};
use chrono::{Datelike, Timelike};
use siphasher::sip::SipHasher13;
use std::hash::{Hash, Hasher};
use std::net::IpAddr;

/// Seconds until a novelty has fallen to 1/e: three days.
const NOVELTY: f32 = 3.0 * 86_400.0;
/// Digits of the prefix whose history is kept: country, operator and range.
const PREFIX_DIGITS: u32 = 6;
/// Last digits of the dialled string that stay the same while a scanner varies what precedes.
const SUFFIX_DIGITS: usize = 8;
/// Callers with fewer calls in 30 days than this have no hours of their own yet.
const KNOWN_CALLS: f32 = 10.0;
/// Two-hour slots of a day, for the caller's usual hours.
const SLOTS: f32 = 12.0;

/// Beginnings of the user agents that well-known scanning and dialling tools send, lower case.
const TOOL_AGENTS: [&str; 16] = [
    "friendly-scanner",
    "friendly-request",
    "sipvicious",
    "sipcli",
    "sip-scan",
    "sipscan",
    "pplsip",
    "vaxsipuseragent",
    "vaxipuseragent",
    "sivus",
    "smap",
    "sundayddr",
    "iwar",
    "siparmyknife",
    "gulp",
    "sipsak",
];

/// Everything about a call that the features look at.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The call.
    pub attempt: &'a CallAttempt,
    /// Served domain; empty for a free call of nobody's.
    pub account: &'a str,
    /// For free calls the peer, so that habits are kept apart.
    pub scope: Option<IpAddr>,
    /// Where the call goes.
    pub destination: &'a Destination,
    /// Where it comes from.
    pub origin: Country,
}

impl<'a> Context<'a> {
    /// The context an event was decided in.
    #[must_use]
    pub fn of_event(event: &'a CallEvent) -> Self {
        Self {
            attempt: &event.attempt,
            account: &event.account,
            scope: event.account.is_empty().then_some(event.attempt.peer),
            destination: &event.destination,
            origin: event.origin,
        }
    }
}

/// Bounded memory of everybody's habits.
#[derive(Debug)]
pub struct Windows {
    table: TrackTable,
    key: [u8; 16],
}

/// What is tracked; part of the key. The discriminants are part of the saved state.
#[derive(Clone, Copy)]
#[repr(u64)]
enum Kind {
    User = 1,
    Source,
    Tenant,
    Prefix,
    Number,
    UserCountry,
    TenantCountry,
    UserPrefix,
    TenantPrefix,
    UserNumber,
    UserSource,
    UserOrigin,
    UserAgent,
    TenantAgent,
    SourceTenant,
    UserSlot,
    Beginning,
    UserNumbers,
    UserPrefixes,
    UserCountries,
    UserNovel,
    PrefixTenants,
    NumberCallers,
    SourceUsers,
    SourceTenants,
    Beginnings,
}

/// Keyed hashes of the things a call touches.
struct Entities {
    user: u64,
    tenant: u64,
    source: u64,
    country: u64,
    prefix: u64,
    number: u64,
    agent: u64,
    origin: u64,
    slot: u64,
    suffix: u64,
    beginning: u64,
}

impl Windows {
    /// Empty windows for at most `tracks` tracks (about 70 bytes each). `key` makes
    /// the hashes unguessable; a saved state is only of use under the same key.
    #[must_use]
    pub fn new(tracks: usize, key: [u8; 16]) -> Self {
        Self {
            table: TrackTable::new(tracks),
            key,
        }
    }

    /// Distinguishes this key from others without telling it.
    #[must_use]
    pub fn key_check(&self) -> u64 {
        self.hash("key check")
    }

    /// The features of a call as of just before it, then counts the call.
    pub fn observe(&mut self, context: &Context<'_>, now: Timestamp) -> FeatureVector {
        let entities = self.entities(context, now);
        let mut values = vec![0.0; COUNT];
        let mut pass = Pass {
            table: &mut self.table,
            now,
            guard: false,
        };
        pass.run(context, &entities, &mut values);
        FeatureVector {
            version: VERSION,
            values,
        }
    }

    /// Counts a call of the past that a saved state may or may not already hold: a track last
    /// seen at or after `at` is left as it is.
    pub fn replay(&mut self, context: &Context<'_>, at: Timestamp) {
        let entities = self.entities(context, at);
        let mut unused = vec![0.0; COUNT];
        let mut pass = Pass {
            table: &mut self.table,
            now: at,
            guard: true,
        };
        pass.run(context, &entities, &mut unused);
    }

    /// Up to `count` tracks from slot `from` on.
    #[must_use]
    pub fn slice(&self, from: usize, count: usize) -> &[Saved] {
        self.table.slice(from, count)
    }

    /// Joins saved tracks into these windows. Times later than `now` count as now.
    pub fn merge(&mut self, tracks: &[Saved], now: Timestamp) {
        for &Saved(key, mut track) in tracks {
            track.not_after(now);
            self.table.merge(Saved(key, track));
        }
    }

    /// How many tracks are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether nothing has been seen yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// Tracks that made room so far.
    #[must_use]
    pub const fn evictions(&self) -> u64 {
        self.table.evictions()
    }

    fn entities(&self, c: &Context<'_>, now: Timestamp) -> Entities {
        let attempt = c.attempt;
        let dialed = attempt.dialed.as_str();
        let split = dialed
            .char_indices()
            .rev()
            .nth(SUFFIX_DIGITS - 1)
            .map_or(0, |(at, _)| at);
        let number = c.destination.number;
        Entities {
            user: self.hash((c.account, c.scope, &attempt.user, &attempt.domain)),
            // A stranger may claim any domain; his address he cannot choose.
            tenant: match c.scope {
                Some(peer) => self.hash(peer),
                None => self.hash((c.account, &attempt.domain)),
            },
            source: self.hash(attempt.source_ip.to_canonical()),
            country: self.hash(c.destination.country),
            prefix: match number {
                Some(number) => self.hash(number.prefix(PREFIX_DIGITS)),
                None => self.hash(dialed),
            },
            number: match number {
                Some(number) => self.hash(number),
                None => self.hash(dialed),
            },
            agent: self.hash(&attempt.user_agent),
            origin: self.hash(c.origin),
            slot: self.hash(now.to_datetime().hour() / 2),
            suffix: self.hash(&dialed[split..]),
            beginning: self.hash(&dialed[..split]),
        }
    }

    fn hash(&self, value: impl Hash) -> u64 {
        let mut hasher = SipHasher13::new_with_key(&self.key);
        value.hash(&mut hasher);
        hasher.finish()
    }
}

/// Key of a kind of track over one or two entities. Both are keyed hashes already, so a
/// multiplication mixes them well enough.
fn key(kind: Kind, a: u64, b: u64) -> u64 {
    let left = a ^ (kind as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let right = b.rotate_left(32) ^ 0xd6e8_feb8_6659_fd93;
    let product = u128::from(left) * u128::from(right | 1);
    #[expect(clippy::cast_possible_truncation, reason = "folding the two halves")]
    let folded = (product as u64) ^ ((product >> 64) as u64);
    folded
}

/// One walk over the tracks of one call.
struct Pass<'t> {
    table: &'t mut TrackTable,
    now: Timestamp,
    guard: bool,
}

impl Pass<'_> {
    /// Counts one more; the track as it was before.
    fn see(&mut self, kind: Kind, a: u64, b: u64) -> Option<Track> {
        let key = key(kind, a, b);
        if self.guard
            && let Some(track) = self.table.get(key)
            && track.last >= self.now
        {
            return Some(*track);
        }
        self.table.observe(key, self.now)
    }

    /// Like `see`, for a counter of distinct things: counts only a pair that was not seen within
    /// the window.
    fn distinct(&mut self, kind: Kind, a: u64, b: u64, pair: Option<Track>, window: Window) -> f32 {
        let length = f64::from(WINDOWS[window as usize]);
        let is_new = pair.is_none_or(|t| self.now.seconds_since(t.last) > length);
        let before = if is_new {
            self.see(kind, a, b)
        } else {
            self.table.get(key(kind, a, b)).copied()
        };
        let count = before.map_or(0.0, |t| t.count(window, self.now));
        (count + f32::from(u8::from(is_new))).ln_1p()
    }

    fn novelty(&self, track: Option<Track>) -> f32 {
        track.map_or(1.0, |t| t.novelty(self.now, NOVELTY))
    }

    fn count(&self, track: Option<Track>, window: Window) -> f32 {
        track.map_or(0.0, |t| t.count(window, self.now))
    }

    /// ln of the rate of one window over the usual rate of 30 days, both per `window`.
    fn burst(&self, track: Option<Track>, window: Window, per_30_days: f32) -> f32 {
        let usual = self.count(track, Window::Days30) / per_30_days;
        ((self.count(track, window) + 1.0) / (usual + 1.0)).ln()
    }

    fn run(&mut self, context: &Context<'_>, e: &Entities, v: &mut [f32]) {
        call_itself(context, self.now, v);
        self.caller(e, v);
        self.destination(e, v);
        self.source(e, v);
        self.dialling(e, v);
        crosses(v);
        debug_assert!(
            v.iter().all(|x| x.is_finite()),
            "a feature is not finite: {v:?}"
        );
    }

    fn caller(&mut self, e: &Entities, v: &mut [f32]) {
        let user = self.see(Kind::User, e.user, 0);
        for (feature, window) in [
            (Feature::User10s, Window::Seconds10),
            (Feature::User1m, Window::Minute),
            (Feature::User10m, Window::Minutes10),
            (Feature::User1h, Window::Hour),
            (Feature::User1d, Window::Day),
            (Feature::UserKnown, Window::Days30),
        ] {
            v[feature as usize] = self.count(user, window).ln_1p();
        }
        v[Feature::UserBurst as usize] = self.burst(user, Window::Hour, 720.0);
        let tenant = self.see(Kind::Tenant, e.tenant, 0);
        v[Feature::TenantBurst as usize] = self.burst(tenant, Window::Minutes10, 4_320.0);

        let slot = self.see(Kind::UserSlot, e.user, e.slot);
        let calls = self.count(user, Window::Days30);
        let share = self.count(slot, Window::Days30) / calls.max(1.0);
        let known = calls / (calls + KNOWN_CALLS);
        v[Feature::HourUnusual as usize] = known * (1.0 - (share * SLOTS).min(1.0));

        let country = self.see(Kind::UserCountry, e.user, e.country);
        v[Feature::CountryNewForUser as usize] = self.novelty(country);
        v[Feature::CountryShare as usize] =
            (self.count(country, Window::Days30) / calls.max(1.0)).min(1.0);
        v[Feature::UserCountries1d as usize] =
            self.distinct(Kind::UserCountries, e.user, 0, country, Window::Day);
        let novel = if self.novelty(country) > 0.5 {
            self.see(Kind::UserNovel, e.user, 0)
        } else {
            self.table.get(key(Kind::UserNovel, e.user, 0)).copied()
        };
        v[Feature::UserNovel10m as usize] = self.count(novel, Window::Minutes10).ln_1p();
    }

    fn destination(&mut self, e: &Entities, v: &mut [f32]) {
        let tenant_country = self.see(Kind::TenantCountry, e.tenant, e.country);
        v[Feature::CountryNewForTenant as usize] = self.novelty(tenant_country);
        let user_prefix = self.see(Kind::UserPrefix, e.user, e.prefix);
        v[Feature::PrefixNewForUser as usize] = self.novelty(user_prefix);
        v[Feature::UserPrefixes1h as usize] =
            self.distinct(Kind::UserPrefixes, e.user, 0, user_prefix, Window::Hour);
        let tenant_prefix = self.see(Kind::TenantPrefix, e.tenant, e.prefix);
        v[Feature::PrefixNewForTenant as usize] = self.novelty(tenant_prefix);
        v[Feature::PrefixTenants1h as usize] = self.distinct(
            Kind::PrefixTenants,
            e.prefix,
            0,
            tenant_prefix,
            Window::Hour,
        );

        let prefix = self.see(Kind::Prefix, e.prefix, 0);
        v[Feature::PrefixNew as usize] = self.novelty(prefix);
        v[Feature::Prefix10m as usize] = self.count(prefix, Window::Minutes10).ln_1p();
        v[Feature::Prefix1h as usize] = self.count(prefix, Window::Hour).ln_1p();
        v[Feature::PrefixBurst as usize] = self.burst(prefix, Window::Hour, 720.0);

        let number = self.see(Kind::Number, e.number, 0);
        v[Feature::Number1h as usize] = self.count(number, Window::Hour).ln_1p();
        let user_number = self.see(Kind::UserNumber, e.user, e.number);
        v[Feature::NumberNewForUser as usize] = self.novelty(user_number);
        v[Feature::UserNumbers1h as usize] =
            self.distinct(Kind::UserNumbers, e.user, 0, user_number, Window::Hour);
        v[Feature::NumberCallers1h as usize] =
            self.distinct(Kind::NumberCallers, e.number, 0, user_number, Window::Hour);
    }

    fn source(&mut self, e: &Entities, v: &mut [f32]) {
        let source = self.see(Kind::Source, e.source, 0);
        v[Feature::Source1m as usize] = self.count(source, Window::Minute).ln_1p();
        v[Feature::Source1h as usize] = self.count(source, Window::Hour).ln_1p();
        let user_source = self.see(Kind::UserSource, e.user, e.source);
        v[Feature::SourceNewForUser as usize] = self.novelty(user_source);
        v[Feature::SourceUsers1h as usize] =
            self.distinct(Kind::SourceUsers, e.source, 0, user_source, Window::Hour);
        let tenant = self.see(Kind::SourceTenant, e.source, e.tenant);
        v[Feature::SourceTenants1d as usize] =
            self.distinct(Kind::SourceTenants, e.source, 0, tenant, Window::Day);
        let origin = self.see(Kind::UserOrigin, e.user, e.origin);
        v[Feature::OriginNewForUser as usize] = self.novelty(origin);
        let agent = self.see(Kind::UserAgent, e.user, e.agent);
        v[Feature::AgentNewForUser as usize] = self.novelty(agent);
        let tenant_agent = self.see(Kind::TenantAgent, e.tenant, e.agent);
        v[Feature::AgentNewForTenant as usize] = self.novelty(tenant_agent);
    }

    fn dialling(&mut self, e: &Entities, v: &mut [f32]) {
        let target = key(Kind::Beginnings, e.source, e.suffix);
        let beginning = self.see(Kind::Beginning, target, e.beginning);
        v[Feature::DialVariety1h as usize] = self.distinct(
            Kind::Beginnings,
            e.source,
            e.suffix,
            beginning,
            Window::Hour,
        );
    }
}

/// Features that need no memory.
fn call_itself(c: &Context<'_>, now: Timestamp, v: &mut [f32]) {
    let yes = |is: bool| f32::from(u8::from(is));
    let d = c.destination;
    v[Feature::NumberNotInPlan as usize] = yes(d.class == NumberClass::NotInPlan);
    v[Feature::ClassPremium as usize] = yes(matches!(
        d.class,
        NumberClass::PremiumRate | NumberClass::SharedCost
    ));
    v[Feature::ClassSatellite as usize] = yes(matches!(
        d.class,
        NumberClass::Satellite | NumberClass::GlobalService
    ));
    v[Feature::ClassTollFree as usize] = yes(d.class == NumberClass::TollFree);
    v[Feature::ClassMobile as usize] = yes(d.class == NumberClass::Mobile);
    #[expect(clippy::cast_precision_loss, reason = "at most 15")]
    let length = d.number.map_or(0, crate::domain::Number::digits) as f32;
    v[Feature::NumberLength as usize] = length / 15.0;
    v[Feature::DialPrefixOdd as usize] = yes(d.dial_prefix == DialPrefix::Guessed);
    v[Feature::OriginUnknown as usize] = yes(!c.origin.is_known());
    v[Feature::AgentEmpty as usize] = yes(c.attempt.user_agent.is_empty());
    v[Feature::AgentTool as usize] = yes(is_tool(&c.attempt.user_agent));
    let at = now.to_datetime();
    v[Feature::Weekend as usize] = yes(at.weekday().number_from_monday() > 5);
    v[Feature::Night as usize] = yes(at.hour() >= 22 || at.hour() < 6);
    v[Feature::ConcurrentUnknown as usize] = yes(c.attempt.concurrent.is_none());
    #[expect(clippy::cast_precision_loss, reason = "a count of calls")]
    let concurrent = c.attempt.concurrent.unwrap_or(0) as f32;
    v[Feature::Concurrent as usize] = concurrent.ln_1p();
}

fn is_tool(agent: &str) -> bool {
    TOOL_AGENTS.iter().any(|tool| {
        agent
            .get(..tool.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(tool))
    })
}

fn crosses(v: &mut [f32]) {
    use Feature as F;
    for (cross, a, b) in [
        (F::NewCountryBurst, F::CountryNewForUser, F::User10m),
        (
            F::NewCountryUnusualHour,
            F::CountryNewForUser,
            F::HourUnusual,
        ),
        (F::NewCountryConcurrent, F::CountryNewForUser, F::Concurrent),
        (
            F::NewSourceNewCountry,
            F::SourceNewForUser,
            F::CountryNewForUser,
        ),
        (
            F::NewSourceNewAgent,
            F::SourceNewForUser,
            F::AgentNewForUser,
        ),
        (
            F::NewOriginNewCountry,
            F::OriginNewForUser,
            F::CountryNewForUser,
        ),
        (F::NewPrefixNumbers, F::PrefixNewForUser, F::UserNumbers1h),
        (F::KnownNewCountry, F::CountryNewForUser, F::UserKnown),
        (F::KnownNewSource, F::SourceNewForUser, F::UserKnown),
    ] {
        v[cross as usize] = v[a as usize] * v[b as usize];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Ingress;
    use uuid::Uuid;

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
        assert!(last <= 2f32.ln(), "{last}");
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
}
