//! The innocent surprises that come over single subscribers, or over those who know somebody.

use super::super::dice::{Dice, Purpose};
use super::super::generate::Attempt;
use super::super::habits::{DAY, HOUR, moment};
use super::super::numbers::{Abroad, domestic};
use super::super::subscriber::{Event, Kind};
use super::super::surprises;
use super::{Plan, Today};
use std::sync::Arc;

const NEW_CUSTOMER: Event = Event {
    tag: 1,
    period: 120,
    days: 40,
    chance: 0.18,
};
const CONFERENCE: Event = Event {
    tag: 2,
    period: 60,
    days: 3,
    chance: 0.3,
};
const CAMPAIGN: Event = Event {
    tag: 3,
    period: 30,
    days: 2,
    chance: 0.7,
};
const REDIAL_STORM: Event = Event {
    tag: 4,
    period: 90,
    days: 1,
    chance: 0.03,
};

pub(super) fn calls(today: &Today<'_>, calls: &mut Vec<Attempt>) {
    match today.who.kind {
        Kind::Office => {
            new_customer_abroad(today, calls);
            conference(today, 0.1, calls);
        }
        Kind::Hotel => conference(today, 1.0, calls),
        Kind::CallCentre => campaign(today, calls),
        _ => {}
    }
    redial_storm(today, calls);
    disaster_abroad(today, calls);
}

impl Today<'_> {
    /// Whether that comes over him today, and the draws of this day about it.
    fn hit_by(&self, event: Event) -> Option<(Dice, Dice)> {
        let seed = self.world.seed;
        let (_, whole) = self.who.event(seed, event, self.day)?;
        let today = Dice::new(
            seed,
            Purpose::Event,
            &[self.who.index, self.who.generation, event.tag, 0, self.day],
        );
        Some((whole, today))
    }

    /// A call that is part of a surprise.
    fn surprise(
        &self,
        name: &'static str,
        at_ms: u64,
        number: &str,
        (talk_s, answered): (f64, f64),
        dice: &mut Dice,
    ) -> Attempt {
        let plan = Plan {
            at_ms,
            user: self.user(dice),
            dialed: self.who.dial(number),
            talk_s,
            answered,
        };
        let mut call = self.call(&plan, at_ms, &self.home, dice);
        call.surprise = Some(name);
        call
    }
}

/// From one day on, many calls to a few people of one country, mobiles too.
fn new_customer_abroad(today: &Today<'_>, calls: &mut Vec<Attempt>) {
    let Some((mut whole, mut dice)) = today.hit_by(NEW_CUSTOMER) else {
        return;
    };
    let country = Abroad::any(today.who.market, 30, &mut whole);
    let people: Vec<_> = (0..whole.between(4, 20))
        .map(|_| country.number(&mut whole))
        .collect();
    let a_day = whole.scale(3.0, 18.0) * today.volume.min(1.0);
    for _ in 0..dice.count(a_day) {
        let at_ms = moment(&today.hours, today.day, &mut dice);
        let number = dice.pick_early(&people).clone();
        let name = surprises::NEW_CUSTOMER_ABROAD;
        calls.push(today.surprise(name, at_ms, &number, (330.0, 0.7), &mut dice));
    }
}

/// Guests from everywhere, who call home in the evening and at night.
fn conference(today: &Today<'_>, share: f64, calls: &mut Vec<Attempt>) {
    let chance = CONFERENCE.chance * share;
    let Some((mut whole, mut dice)) = today.hit_by(Event {
        chance,
        ..CONFERENCE
    }) else {
        return;
    };
    let guests: Vec<_> = (0..whole.between(10, 60))
        .map(|_| Abroad::any(today.who.home, 25, &mut whole))
        .collect();
    for guest in guests {
        let family = guest.number(&mut whole);
        for _ in 0..dice.count(2.0) {
            let at_ms = today.day * DAY + dice.below(DAY);
            let number = if dice.chance(0.5) {
                family.clone()
            } else {
                guest.number(&mut dice)
            };
            let name = surprises::CONFERENCE;
            calls.push(today.surprise(name, at_ms, &number, (300.0, 0.7), &mut dice));
        }
    }
}

/// A range from its beginning to its end.
fn campaign(today: &Today<'_>, calls: &mut Vec<Attempt>) {
    let Some((mut whole, mut dice)) = today.hit_by(CAMPAIGN) else {
        return;
    };
    if today.volume < 0.3 {
        return;
    }
    let first = match whole.chance(0.15) {
        true => Abroad::any(today.who.market, 20, &mut whole).number(&mut whole),
        false => domestic(today.who.market, &mut whole),
    };
    let base = first.parse::<u64>().unwrap_or_default() / 10_000 * 10_000;
    let size = whole.magnitude(500.0, 3) as u64;
    let step = whole.between(1, 3);
    let begin = moment(&today.hours, today.day, &mut dice);
    let pause_ms = dice.between(2_000, 12_000);
    // The second day goes on where the first ended.
    let from = (today.day % 2) * size * step;
    for turn in 0..size {
        let at_ms = begin + turn * pause_ms + dice.below(pause_ms);
        let number = (base + (from + turn * step) % 10_000).to_string();
        let name = surprises::CAMPAIGN;
        calls.push(today.surprise(name, at_ms, &number, (45.0, 0.38), &mut dice));
    }
}

/// A machine that does not get through and does not give up.
fn redial_storm(today: &Today<'_>, calls: &mut Vec<Attempt>) {
    let Some((mut whole, mut dice)) = today.hit_by(REDIAL_STORM) else {
        return;
    };
    let number = match whole.chance(0.25) {
        true => Abroad::any(today.who.market, 30, &mut whole).number(&mut whole),
        false => domestic(today.who.market, &mut whole),
    };
    let mut at_ms = today.day * DAY + dice.below(DAY - 4 * HOUR);
    let pause_ms = dice.between(4_000, 40_000);
    for _ in 0..dice.magnitude(30.0, 4) as u64 {
        let name = surprises::REDIAL_STORM;
        let mut call = today.surprise(name, at_ms, &number, (8.0, 0.04), &mut dice);
        call.user = Arc::clone(today.who.user());
        at_ms += u64::from(call.ring_ms.min(6_000)) + pause_ms;
        calls.push(call);
    }
}

/// Within hours, whoever knows somebody there calls, and again when the lines are busy.
fn disaster_abroad(today: &Today<'_>, calls: &mut Vec<Attempt>) {
    const PERIOD: u64 = 14;
    let (seed, period) = (today.world.seed, today.day / PERIOD);
    let mut world = Dice::new(seed, Purpose::WorldEvent, &[period]);
    let happens = world.chance(0.85);
    if !happens || world.below(PERIOD) != today.day % PERIOD {
        return;
    }
    let country = Abroad::any(today.who.market, 40, &mut world);
    let begin = today.day * DAY + world.below(12) * HOUR;
    let hours = world.between(4, 11);
    let mut dice = Dice::new(
        seed,
        Purpose::WorldEvent,
        &[period, today.who.index, today.who.generation],
    );
    if today.who.kind == Kind::CallCentre || !dice.chance(0.12) {
        return;
    }
    for _ in 0..dice.between(1, 4) {
        let number = country.number(&mut dice);
        let mut at_ms = begin + dice.below(hours * HOUR);
        for _ in 0..dice.between(1, 6) {
            let name = surprises::DISASTER_ABROAD;
            let call = today.surprise(name, at_ms, &number, (200.0, 0.35), &mut dice);
            at_ms += u64::from(call.ring_ms) + dice.between(5_000, 240_000);
            let answered = call.answered;
            calls.push(call);
            if answered {
                break;
            }
        }
    }
}
