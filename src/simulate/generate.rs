//! The world's calls in order of time, a day in memory at once.

use super::attack_data::AttackData;
use super::attacks;
use super::call_id::CallId;
use super::day::calls_of_day;
use super::habits::DAY;
use super::scenario::Scenario;
use super::subscriber::Access;
use super::tenant::Tenant;
use super::world::World;
use crate::domain::{CallRecord, Signs, Timestamp, Verdict};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};
use std::sync::Arc;

/// The domain of calls that ring at a honeypot.
pub const HONEYPOT_DOMAIN: &str = "honeypot.invalid";

/// A call before it is known how many others are up.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    /// Milliseconds since the epoch.
    pub(super) at_ms: u64,
    pub(super) domain: Arc<str>,
    pub(super) user: Arc<str>,
    pub(super) dialed: String,
    pub(super) access: Access,
    /// Until answered or given up.
    pub(super) ring_ms: u32,
    pub(super) talk_s: u32,
    pub(super) answered: bool,
    /// What its Call-ID is made from.
    pub(super) call_id: u64,
    /// The attack it belongs to.
    pub(super) campaign: Option<Arc<str>>,
    pub(super) honeypot: bool,
    pub(super) surprise: Option<&'static str>,
}

impl Attempt {
    fn ends_ms(&self) -> u64 {
        self.at_ms + u64::from(self.ring_ms) + u64::from(self.talk_s) * 1_000
    }
}

/// A call as it is simulated: what a file can say of it, and what it cannot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Simulated {
    /// The call.
    pub record: CallRecord,
    /// Whether it rings at a honeypot and not at a customer's softswitch.
    pub honeypot: bool,
    /// What its INVITE looks like.
    pub signs: Signs,
    /// The innocent surprise it is part of; `None`: everyday life, or an attack. A label of the
    /// evaluation, never a feature.
    pub surprise: Option<&'static str>,
}

/// The calls of a scenario in order of time, those at honeypots among them.
///
/// The population comes from the seed and the day, each day's traffic from the seed and the day,
/// so two scenarios that differ only in `start` and `days` agree wherever they overlap. Memory is
/// bounded by the calls of two days and the attacks of ten.
pub fn generate<'a>(
    scenario: &Scenario,
    attack_data: &'a AttackData,
) -> impl Iterator<Item = Simulated> + use<'a> {
    Calls::new(scenario.clone(), attack_data)
}

struct Calls<'a> {
    scenario: Scenario,
    attack_data: &'a AttackData,
    world: World,
    open: OpenCalls,
    /// The day that comes next, in days since the epoch.
    next_day: u64,
    /// Attacks already begun: their calls by day.
    coming: BTreeMap<u64, Vec<Attempt>>,
    today: std::vec::IntoIter<Attempt>,
    from_ms: u64,
    until_ms: u64,
}

impl<'a> Calls<'a> {
    fn new(scenario: Scenario, attack_data: &'a AttackData) -> Self {
        let from_ms = (scenario.start.0 / 1_000).max(0) as u64;
        // Attacks may last for days, so those begun before have begun.
        let first_day = (from_ms / DAY).saturating_sub(attacks::LONGEST_DAYS);
        let Scenario {
            seed,
            tenants,
            subscribers,
            ..
        } = scenario;
        Self {
            world: World::new(seed, tenants, subscribers, first_day),
            attack_data,
            open: OpenCalls::default(),
            next_day: first_day,
            coming: BTreeMap::new(),
            today: Vec::new().into_iter(),
            from_ms,
            until_ms: from_ms + u64::from(scenario.days) * DAY,
            scenario,
        }
    }

    /// All calls of the next day, in order.
    fn live(&mut self) -> Vec<Attempt> {
        let day = self.next_day;
        self.next_day += 1;
        self.world.turn_to(day);
        for call in attacks::begun_on(&self.world, self.attack_data, &self.scenario, day) {
            self.coming.entry(call.at_ms / DAY).or_default().push(call);
        }
        let attacks = self.coming.remove(&day).unwrap_or_default();
        let mut calls = Vec::new();
        // The day before the first is lived through unseen: its calls may still be up. None is
        // longer than a day.
        if (day + 1) * DAY >= self.from_ms {
            for who in &self.world.subscribers {
                calls_of_day(&self.world, who, day, &mut calls);
            }
        }
        calls.extend(attacks);
        // Stable, so calls of the same millisecond keep the order in which they were drawn.
        calls.sort_by_key(|call| call.at_ms);
        calls
    }

    fn simulated(&mut self, call: Attempt) -> Simulated {
        let up = self.open.admit(&call);
        // Honeypots are ours and count.
        let counted = call.honeypot || Tenant::counts_calls(self.scenario.seed, &call.domain);
        let call_id = CallId {
            form: call.access.form,
            bits: call.call_id,
        };
        let record = CallRecord {
            time: Timestamp(call.at_ms as i64 * 1_000),
            domain: call.domain.as_ref().to_owned(),
            call_id: Some(call_id.text(call.access.source_ip)),
            user: call.user.as_ref().to_owned(),
            dialed_number: call.dialed,
            source_ip: call.access.source_ip,
            user_agent: call.access.user_agent.as_ref().to_owned(),
            calls: counted.then_some(up),
            verdict: Some(match call.campaign {
                Some(_) => Verdict::Fraud,
                None => Verdict::Legitimate,
            }),
            campaign: call.campaign.as_deref().unwrap_or_default().to_owned(),
            duration_s: Some(call.talk_s),
            answered: Some(call.answered),
        };
        Simulated {
            record,
            honeypot: call.honeypot,
            signs: Signs::NONE,
            surprise: call.surprise,
        }
    }
}

impl Iterator for Calls<'_> {
    type Item = Simulated;

    fn next(&mut self) -> Option<Simulated> {
        loop {
            let Some(call) = self.today.next() else {
                let midnight = self.next_day * DAY;
                if midnight >= self.until_ms {
                    return None;
                }
                self.open.forget_ended(midnight);
                self.today = self.live().into_iter();
                continue;
            };
            let at_ms = call.at_ms;
            if at_ms >= self.until_ms {
                return None;
            }
            let call = self.simulated(call);
            if at_ms >= self.from_ms && self.scenario.only.includes(call.record.verdict) {
                return Some(call);
            }
        }
    }
}

/// When the calls that are up end, by domain and caller.
#[derive(Default)]
struct OpenCalls(HashMap<Caller, BinaryHeap<Reverse<u64>>>);

/// Domain and user.
type Caller = (Arc<str>, Arc<str>);

impl OpenCalls {
    /// Counts the calls that are up, and adds this one.
    fn admit(&mut self, call: &Attempt) -> u32 {
        let caller = (Arc::clone(&call.domain), Arc::clone(&call.user));
        let ends = self.0.entry(caller).or_default();
        while ends.peek().is_some_and(|end| end.0 <= call.at_ms) {
            ends.pop();
        }
        let up = u32::try_from(ends.len()).unwrap_or(u32::MAX);
        ends.push(Reverse(call.ends_ms()));
        up
    }

    /// Scanners invent callers: without this, the table would grow for ever.
    fn forget_ended(&mut self, now_ms: u64) {
        self.0.retain(|_, ends| {
            while ends.peek().is_some_and(|end| end.0 <= now_ms) {
                ends.pop();
            }
            !ends.is_empty()
        });
    }
}
