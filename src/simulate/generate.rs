//! The world's calls in order of time, a day in memory at once.

use super::attack_data::AttackData;
use super::attacks;
use super::habits::{DAY, calls_of_day};
use super::population::World;
use super::scenario::Scenario;
use crate::domain::{CallRecord, Signs, Timestamp, Verdict};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

/// A call before it is known how many others are up.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    /// Milliseconds since the epoch.
    pub(super) at_ms: u64,
    pub(super) tenant: usize,
    pub(super) user: String,
    pub(super) dialed: String,
    pub(super) source_ip: IpAddr,
    pub(super) user_agent: String,
    /// Until answered or given up.
    pub(super) ring_ms: u32,
    pub(super) talk_s: u32,
    pub(super) answered: bool,
    pub(super) call_id: u64,
    /// The attack it belongs to.
    pub(super) campaign: Option<Arc<str>>,
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

/// The calls of a scenario in order of time.
///
/// The population comes from the seed, each day's traffic from the seed and the day, so two
/// scenarios that differ only in `start` and `days` agree wherever they overlap. Memory is
/// bounded by the calls of two days.
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
    today: std::vec::IntoIter<Attempt>,
    from_ms: u64,
    until_ms: u64,
}

impl<'a> Calls<'a> {
    fn new(scenario: Scenario, attack_data: &'a AttackData) -> Self {
        let world = World::new(scenario.seed, scenario.tenants, scenario.subscribers);
        let from_ms = (scenario.start.0 / 1_000).max(0) as u64;
        Self {
            world,
            attack_data,
            open: OpenCalls::default(),
            // The day before is lived through unseen: its calls may still be up. None is
            // longer than a day.
            next_day: (from_ms / DAY).saturating_sub(1),
            today: Vec::new().into_iter(),
            from_ms,
            until_ms: from_ms + u64::from(scenario.days) * DAY,
            scenario,
        }
    }

    /// All calls of a day, in order. Attacks may last for days, so those begun before are
    /// looked at too.
    fn day(&self, day: u64) -> Vec<Attempt> {
        let mut calls = Vec::new();
        for who in &self.world.subscribers {
            calls_of_day(&self.world, who, day, &mut calls);
        }
        for begun in day.saturating_sub(attacks::LONGEST_DAYS - 1)..=day {
            let campaigns = attacks::begun_on(&self.world, self.attack_data, &self.scenario, begun);
            calls.extend(campaigns.into_iter().filter(|call| call.at_ms / DAY == day));
        }
        // Stable, so calls of the same millisecond keep the order in which they were drawn.
        calls.sort_by_key(|call| call.at_ms);
        calls
    }

    fn record(&mut self, call: Attempt) -> CallRecord {
        let calls = self.open.admit(&call);
        let domain = &self.world.tenants[call.tenant].domain;
        CallRecord {
            time: Timestamp(call.at_ms as i64 * 1_000),
            domain: domain.clone(),
            call_id: Some(format!("{:016x}@{domain}", call.call_id)),
            user: call.user,
            dialed_number: call.dialed,
            source_ip: call.source_ip,
            user_agent: call.user_agent,
            calls: Some(calls),
            verdict: Some(match call.campaign {
                Some(_) => Verdict::Fraud,
                None => Verdict::Legitimate,
            }),
            campaign: call.campaign.as_deref().unwrap_or_default().to_owned(),
            duration_s: Some(call.talk_s),
            answered: Some(call.answered),
        }
    }
}

impl Iterator for Calls<'_> {
    type Item = Simulated;

    fn next(&mut self) -> Option<Simulated> {
        loop {
            let Some(call) = self.today.next() else {
                if self.next_day * DAY >= self.until_ms {
                    return None;
                }
                self.open.forget_ended(self.next_day * DAY);
                self.today = self.day(self.next_day).into_iter();
                self.next_day += 1;
                continue;
            };
            let at_ms = call.at_ms;
            let record = self.record(call);
            if at_ms >= self.until_ms {
                return None;
            }
            let wanted = self.scenario.only.includes(record.verdict);
            if at_ms >= self.from_ms && wanted {
                return Some(Simulated {
                    record,
                    honeypot: false,
                    signs: Signs::NONE,
                    surprise: None,
                });
            }
        }
    }
}

/// When the calls that are up end, by tenant and caller.
#[derive(Default)]
struct OpenCalls(HashMap<(usize, String), BinaryHeap<Reverse<u64>>>);

impl OpenCalls {
    /// Counts the calls that are up, and adds this one.
    fn admit(&mut self, call: &Attempt) -> u32 {
        let ends = self.0.entry((call.tenant, call.user.clone())).or_default();
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
