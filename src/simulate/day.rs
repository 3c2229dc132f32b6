//! What subscribers do all day: everyday calls here, routines and surprises in rooms of their own.

mod carrier;
mod events;
mod routine;

use super::atlas::Place;
use super::dice::{Dice, Purpose};
use super::generate::Attempt;
use super::habits::{DAY, moment};
use super::numbers::{self, Abroad, domestic};
use super::subscriber::{Access, Kind, Subscriber};
use super::surprises;
use super::world::World;
use std::sync::Arc;

/// A subscriber's history is short for so many days.
const NEW_FOR_DAYS: u64 = 7;
/// Devices that were replaced are unfamiliar for so many days.
const MIGRATED_FOR_DAYS: u64 = 3;

/// All calls of one subscriber on one day, in no order.
pub(super) fn calls_of_day(world: &World, who: &Subscriber, day: u64, calls: &mut Vec<Attempt>) {
    let first = calls.len();
    let mut dice = who.dice(world.seed, Purpose::Traffic, day);
    let today = Today::new(world, who, day);
    if who.kind == Kind::Wholesale {
        carrier::calls(&today, &mut dice, calls);
    } else {
        today.everyday(&mut dice, calls);
        routine::calls(&today, calls);
        events::calls(&today, calls);
    }
    let background = today.background();
    for call in &mut calls[first..] {
        call.surprise = call.surprise.or(background);
    }
    // A second try after midnight is left out: a day's calls are all of that day.
    let mut at = first;
    while at < calls.len() {
        if calls[at].at_ms / DAY == day {
            at += 1;
        } else {
            calls.swap_remove(at);
        }
    }
}

/// One subscriber's day.
struct Today<'a> {
    world: &'a World,
    who: &'a Subscriber,
    day: u64,
    home: Access,
    /// What is carried about, if anything is; with the address at home.
    carried: Option<Access>,
    abroad: Option<&'static Place>,
    /// Weights of the UTC hours.
    hours: [u32; 24],
    /// Calls of this day against those of a working day.
    volume: f64,
    is_peak: bool,
}

/// A call that is about to be made.
struct Plan {
    at_ms: u64,
    user: Arc<str>,
    /// As dialled.
    dialed: String,
    talk_s: f64,
    answered: f64,
}

impl<'a> Today<'a> {
    fn new(world: &'a World, who: &'a Subscriber, day: u64) -> Self {
        let (hours, mut volume) = who.habits.hours(who.market, day);
        let peak = world.peak(who.market, day).filter(|_| {
            matches!(
                who.kind,
                Kind::Household | Kind::Office | Kind::Softphone | Kind::Hotel
            )
        });
        if let Some(factor) = peak {
            volume *= factor;
        }
        let home = world.at_home(who, day);
        Self {
            world,
            who,
            day,
            carried: world.carried(who, &home, day),
            home,
            abroad: world.travels(who, day),
            hours,
            volume,
            is_peak: peak.is_some(),
        }
    }

    /// The surprise that all calls of the day are part of.
    fn background(&self) -> Option<&'static str> {
        let tenant = &self.world.tenants[self.who.tenant];
        let within = |since: Option<u64>, days| {
            since.is_some_and(|since| self.day.saturating_sub(since) < days)
        };
        if within(tenant.connected, NEW_FOR_DAYS) {
            Some(surprises::NEW_TENANT)
        } else if within(self.who.joined, NEW_FOR_DAYS) {
            Some(surprises::NEW_SUBSCRIBER)
        } else if within(tenant.migration.day, MIGRATED_FOR_DAYS) {
            Some(surprises::DEVICE_MIGRATION)
        } else {
            self.is_peak.then_some(surprises::PEAK_DAY)
        }
    }

    fn everyday(&self, dice: &mut Dice, calls: &mut Vec<Attempt>) {
        if self.volume <= 0.0 {
            return;
        }
        for _ in 0..dice.count(self.who.calls_per_day * self.volume) {
            let at_ms = moment(&self.hours, self.day, dice);
            let user = self.user(dice);
            let (dialed, talk_s) = self.number(dice);
            let plan = Plan {
                at_ms,
                user,
                dialed,
                talk_s,
                answered: self.who.habits.answered,
            };
            self.call_until_answered(&plan, dice, calls);
        }
    }

    /// One of his extensions, mostly the main one.
    fn user(&self, dice: &mut Dice) -> Arc<str> {
        match self.who.kind {
            Kind::Office if dice.chance(0.5) => Arc::clone(self.who.user()),
            _ => Arc::clone(dice.pick(&self.who.users)),
        }
    }

    /// Whom he calls, as dialled, and how long he would talk.
    fn number(&self, dice: &mut Dice) -> (String, f64) {
        let (who, habits) = (self.who, self.who.habits);
        let usual = habits.talk_s;
        if dice.chance(habits.short) {
            return (self.code(dice), 30.0);
        }
        let number = if dice.chance(habits.freephone) {
            numbers::freephone(who.market, dice)
        } else if dice.chance(habits.premium) {
            numbers::premium(who.market, dice)
        } else if !who.extras.at_sea.is_empty() && dice.chance(0.12) {
            dice.pick(&who.extras.at_sea).clone()
        } else if let Some(place) = self.abroad.filter(|_| dice.chance(0.25)) {
            domestic(place, dice)
        } else if dice.chance(habits.guests) {
            return (
                who.dial(&Abroad::any(who.home, 20, dice).number(dice)),
                260.0,
            );
        } else if !who.contacts_abroad.is_empty() && dice.chance(who.abroad) {
            let number = dice.pick_early(&who.contacts_abroad);
            // Those who are far away have more to tell.
            return (who.dial(number), usual * 2.5);
        } else if dice.chance(habits.strangers) {
            domestic(who.market, dice)
        } else {
            dice.pick_early(&who.contacts).clone()
        };
        (who.dial(&number), usual)
    }

    /// Short numbers, and codes that ask the exchange for something; dialled as they are.
    fn code(&self, dice: &mut Dice) -> String {
        match dice.below(10) {
            0 => "*97".to_owned(),
            1 => format!("*21*{}#", domestic(self.who.market, dice)),
            2 => "#21#".to_owned(),
            _ => numbers::short(self.who.market, dice),
        }
    }

    /// From where he calls at that moment, and whether that is another country than his.
    fn access(&self, at_ms: u64, dice: &mut Dice) -> (Access, bool) {
        let who = self.who;
        let share = match (who.kind, self.abroad) {
            (_, Some(_)) => 0.85,
            (Kind::Softphone, None) => 0.6,
            (_, None) => 0.25,
        };
        let Some(carried) = self.carried.as_ref().filter(|_| dice.chance(share)) else {
            return (self.home.clone(), false);
        };
        let place = self.abroad.unwrap_or(who.home);
        let access = Access {
            source_ip: self.world.roaming_address(who, place, at_ms),
            ..carried.clone()
        };
        (access, self.abroad.is_some())
    }

    /// A call, and further ones at once when nobody answers.
    fn call_until_answered(&self, plan: &Plan, dice: &mut Dice, calls: &mut Vec<Attempt>) {
        let mut at_ms = plan.at_ms;
        for _ in 0..4 {
            let (access, is_abroad) = self.access(at_ms, dice);
            let mut call = self.call(plan, at_ms, &access, dice);
            call.surprise = is_abroad.then_some(surprises::TRAVEL);
            let (answered, rang) = (call.answered, u64::from(call.ring_ms));
            calls.push(call);
            if answered || !dice.chance(self.who.habits.redials) {
                break;
            }
            at_ms += rang + dice.between(3_000, 90_000);
        }
    }

    fn call(&self, plan: &Plan, at_ms: u64, access: &Access, dice: &mut Dice) -> Attempt {
        let answered = dice.chance(plan.answered);
        // A few talk for hours.
        let mean = plan.talk_s * if dice.chance(0.04) { 6.0 } else { 0.85 };
        let talk_s = (1.0 + dice.waiting(mean)).min(10_800.0) as u32;
        // Busy or nobody there: told at once, or rung out.
        let ring_ms = match answered || dice.chance(0.6) {
            true => dice.between(2_000, 30_000),
            false => dice.between(300, 2_000),
        };
        let tenant = &self.world.tenants[self.who.tenant];
        Attempt {
            at_ms,
            domain: Arc::clone(&tenant.domain),
            user: Arc::clone(&plan.user),
            dialed: plan.dialed.clone(),
            access: access.clone(),
            ring_ms: ring_ms as u32,
            talk_s: if answered { talk_s } else { 0 },
            answered,
            call_id: dice.bits(),
            campaign: None,
            honeypot: false,
            surprise: None,
        }
    }
}
