//! Attacks, family by family: each campaign has its own drawn parameters, a third are quiet.

mod hacked_pbx;
mod prefix_scanner;
mod stolen_credentials;

use super::attack_data::AttackData;
use super::dice::{Dice, Purpose};
use super::family::Family;
use super::generate::Attempt;
use super::habits::DAY;
use super::population::{Access, Subscriber, World};
use super::scenario::Scenario;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

/// No campaign has calls on more UTC days than this.
pub(super) const LONGEST_DAYS: u64 = 4;

/// Share of campaigns that try not to be noticed: few calls, far apart.
const QUIET: f64 = 0.35;

/// One attack.
struct Campaign<'a> {
    world: &'a World,
    data: &'a AttackData,
    /// UTC day on which it begins.
    day: u64,
    name: Arc<str>,
    is_quiet: bool,
}

/// All calls of the attacks begun on a day, in no order.
pub(super) fn begun_on(
    world: &World,
    data: &AttackData,
    scenario: &Scenario,
    day: u64,
) -> Vec<Attempt> {
    let mut calls = Vec::new();
    let mut dice = Dice::new(world.seed, Purpose::Attacks, &[day]);
    if world.subscribers.is_empty() {
        return calls;
    }
    let whole = scenario.attacks_per_day as u64;
    let one_more = dice.chance(scenario.attacks_per_day - whole as f64);
    for number in 0..(whole + u64::from(one_more)).min(999) {
        let family = *dice.pick(&Family::ALL);
        if !scenario.families.contains(&family) {
            continue;
        }
        let mut dice = Dice::new(world.seed, Purpose::Campaign, &[day, number]);
        let campaign = Campaign {
            world,
            data,
            day,
            name: format!("{family}/{day}{number:03}").into(),
            is_quiet: dice.chance(QUIET),
        };
        let attack = match family {
            Family::HackedPbx => hacked_pbx::calls(&campaign, &mut dice),
            Family::StolenCredentials => stolen_credentials::calls(&campaign, &mut dice),
            Family::PrefixScanner => prefix_scanner::calls(&campaign, &mut dice),
            _ => Vec::new(),
        };
        let end = (day + LONGEST_DAYS) * DAY;
        calls.extend(attack.into_iter().filter(|call| call.at_ms < end));
    }
    calls
}

/// Calls on a number of channels, each busy with one call at a time.
struct Channels {
    channels: u64,
    calls: u64,
    /// Mean pause of a channel between two calls.
    pause_ms: f64,
    /// Mean talk of a call that is answered.
    talk_s: f64,
    answered: f64,
}

/// When a call begins and how long it takes.
struct Slot {
    at_ms: u64,
    ring_ms: u32,
    talk_s: u32,
    answered: bool,
}

impl Channels {
    /// No attack call is longer: gateways cut calls at about an hour.
    const LONGEST_S: f64 = 3_600.0;

    fn slots(&self, from_ms: u64, dice: &mut Dice) -> Vec<Slot> {
        let ramp = (self.pause_ms as u64).max(20_000);
        let mut free: BinaryHeap<_> = (0..self.channels)
            .map(|_| Reverse(from_ms + dice.below(ramp)))
            .collect();
        let mut slots = Vec::new();
        while slots.len() < self.calls as usize
            && let Some(Reverse(at_ms)) = free.pop()
        {
            let answered = dice.chance(self.answered);
            let talk = (5.0 + dice.waiting(self.talk_s)).min(Self::LONGEST_S);
            let slot = Slot {
                at_ms,
                ring_ms: dice.between(500, 9_000) as u32,
                talk_s: if answered { talk as u32 } else { 0 },
                answered,
            };
            let busy = u64::from(slot.ring_ms) + u64::from(slot.talk_s) * 1_000;
            free.push(Reverse(at_ms + busy + dice.waiting(self.pause_ms) as u64));
            slots.push(slot);
        }
        slots
    }
}

impl Campaign<'_> {
    /// A call through a subscriber's account.
    fn through(
        &self,
        who: &Subscriber,
        access: &Access,
        dialed: String,
        slot: Slot,
        id: u64,
    ) -> Attempt {
        Attempt {
            at_ms: slot.at_ms,
            tenant: who.tenant,
            user: who.user.clone(),
            dialed,
            source_ip: access.source_ip,
            user_agent: access.user_agent.clone(),
            ring_ms: slot.ring_ms,
            talk_s: slot.talk_s,
            answered: slot.answered,
            call_id: id,
            campaign: Some(Arc::clone(&self.name)),
        }
    }

    /// Numbers that pay: either neighbours in one range, or several from all over.
    fn targets(&self, dice: &mut Dice) -> Vec<String> {
        let count = dice.between(1, 9);
        if dice.chance(0.5) {
            let range = dice.pick(&self.data.numbers);
            let kept = range.len().saturating_sub(2).max(1);
            return (0..count)
                .map(|_| {
                    let tail = dice.digits("##");
                    format!("{}{tail}", &range[..kept])
                })
                .collect();
        }
        (0..count)
            .map(|_| dice.pick(&self.data.numbers).clone())
            .collect()
    }

    /// A moment of the day on which it begins at one of these hours of the victim's home.
    fn at_local_hour(&self, who: &Subscriber, hours: &[i64], dice: &mut Dice) -> u64 {
        let local = *dice.pick(hours) * 60 + dice.below(60) as i64;
        let utc = (local - who.home.utc_offset_minutes).rem_euclid(1_440) as u64;
        self.day * DAY + utc * 60_000 + dice.below(60_000)
    }
}
