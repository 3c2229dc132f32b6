//! What subscribers do all day, innocent surprises included.

use super::atlas::{self, Place};
use super::dice::{Dice, Purpose};
use super::generate::Attempt;
use super::population::{Access, Kind, Subscriber, World, domestic};

/// Milliseconds in an hour and a day.
pub(super) const HOUR: u64 = 3_600_000;
pub(super) const DAY: u64 = 24 * HOUR;

/// When and whom a kind of customer calls.
#[derive(Debug)]
pub(super) struct Habits {
    /// Weight of each local hour, Monday to Friday.
    weekday: [u32; 24],
    /// The same for Saturday and Sunday, on the same scale.
    weekend: [u32; 24],
    /// Mean seconds of talk.
    talk_s: f64,
    /// Share of calls that are answered.
    answered: f64,
    /// Share of calls to numbers never called before.
    strangers: f64,
    /// Share of calls abroad, of those who know somebody there.
    abroad: f64,
    /// Chance in a day of calls to a country never called before.
    new_country: f64,
    /// Chance in a day of ringing many people at once: an alarm, a cancelled delivery.
    round_call: f64,
}

pub(super) static HOUSEHOLD: Habits = Habits {
    weekday: [
        1, 0, 0, 0, 0, 0, 1, 3, 5, 6, 7, 7, 6, 5, 5, 5, 6, 8, 9, 9, 8, 6, 4, 2,
    ],
    weekend: [
        2, 1, 0, 0, 0, 0, 0, 1, 3, 6, 9, 9, 8, 6, 6, 6, 7, 8, 9, 9, 8, 6, 4, 3,
    ],
    talk_s: 190.0,
    answered: 0.76,
    strangers: 0.15,
    abroad: 0.08,
    new_country: 0.006,
    round_call: 0.0,
};
pub(super) static OFFICE: Habits = Habits {
    weekday: [
        1, 1, 1, 1, 1, 2, 8, 35, 100, 120, 120, 110, 70, 90, 110, 110, 100, 70, 30, 12, 6, 3, 2, 1,
    ],
    weekend: [
        1, 1, 1, 1, 1, 1, 1, 2, 6, 8, 8, 8, 6, 5, 5, 4, 3, 3, 2, 1, 1, 1, 1, 1,
    ],
    talk_s: 150.0,
    answered: 0.72,
    strangers: 0.3,
    abroad: 0.07,
    new_country: 0.03,
    round_call: 0.006,
};
/// Offices that never close: hotels, hospitals, carriers.
pub(super) static HOTEL: Habits = Habits {
    weekday: [
        4, 3, 2, 2, 2, 3, 5, 8, 10, 11, 11, 10, 9, 9, 9, 10, 10, 11, 11, 10, 9, 8, 7, 5,
    ],
    weekend: [
        5, 4, 3, 2, 2, 3, 4, 7, 10, 12, 12, 11, 10, 9, 9, 9, 10, 11, 11, 11, 10, 9, 8, 6,
    ],
    talk_s: 140.0,
    answered: 0.72,
    strangers: 0.5,
    abroad: 0.15,
    new_country: 0.12,
    round_call: 0.003,
};
pub(super) static CALL_CENTRE: Habits = Habits {
    weekday: [
        0, 0, 0, 0, 0, 0, 0, 2, 8, 12, 12, 12, 9, 10, 12, 12, 12, 12, 11, 8, 3, 0, 0, 0,
    ],
    weekend: [
        0, 0, 0, 0, 0, 0, 0, 0, 1, 4, 5, 5, 4, 3, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0,
    ],
    talk_s: 110.0,
    answered: 0.42,
    strangers: 0.85,
    abroad: 0.03,
    new_country: 0.03,
    round_call: 0.02,
};

/// Whether a point of the home's local time, in minutes since the epoch, is on a weekend.
pub(super) const fn is_weekend(local_minutes: i64) -> bool {
    // The epoch was a Thursday; 0 is Sunday.
    matches!((local_minutes.div_euclid(1_440) + 4).rem_euclid(7), 0 | 6)
}

impl Habits {
    /// Weights of the 24 UTC hours of a day, and how the day compares with a weekday.
    fn hours(&self, home: &Place, day: u64) -> ([u32; 24], f64) {
        let weights = std::array::from_fn(|hour| {
            let utc_minutes = (day * 1_440 + hour as u64 * 60 + 30) as i64;
            let local = utc_minutes + home.utc_offset_minutes;
            let hours = if is_weekend(local) {
                &self.weekend
            } else {
                &self.weekday
            };
            hours[local.rem_euclid(1_440) as usize / 60]
        });
        let share = |of: &[u32; 24]| f64::from(of.iter().sum::<u32>());
        (weights, share(&weights) / share(&self.weekday))
    }
}

/// A moment in the day, as the weights of its hours want it; milliseconds since the epoch.
fn moment(hours: &[u32; 24], day: u64, dice: &mut Dice) -> u64 {
    let total: u32 = hours.iter().sum();
    let mut at = dice.below(u64::from(total)) as u32;
    let hour = hours
        .iter()
        .position(|&weight| match at.checked_sub(weight) {
            Some(rest) => {
                at = rest;
                false
            }
            None => true,
        })
        .unwrap_or(12);
    day * DAY + hour as u64 * HOUR + dice.below(HOUR)
}

/// All calls of one subscriber on one day, in no order.
pub(super) fn calls_of_day(world: &World, who: &Subscriber, day: u64, calls: &mut Vec<Attempt>) {
    let seed = world.seed;
    let mut dice = who.dice(seed, Purpose::Traffic, day);
    let today = Today {
        who,
        home: who.at_home(seed, day),
        moving: who.on_the_move(seed, day, who.home),
        holiday: who
            .holiday(seed, day)
            .and_then(|place| Some((place, who.on_the_move(seed, day, place)?))),
    };
    let (hours, volume) = who.habits.hours(who.home, day);
    if volume <= 0.0 {
        return;
    }
    for _ in 0..dice.count(who.calls_per_day * volume) {
        let at = moment(&hours, day, &mut dice);
        let number = today.number(&mut dice);
        let access = today.access(&mut dice);
        calls.push(today.call(at, &number, access, &mut dice));
    }
    today.surprises(&hours, day, &mut dice, calls);
    // A second try after midnight is left out: a day's calls are all of that day.
    calls.retain(|call| call.at_ms / DAY == day);
}

struct Today<'a> {
    who: &'a Subscriber,
    home: Access,
    moving: Option<Access>,
    holiday: Option<(&'static Place, Access)>,
}

impl Today<'_> {
    fn number(&self, dice: &mut Dice) -> String {
        let who = self.who;
        let foreign = dice.chance(who.habits.abroad) && !who.contacts_abroad.is_empty();
        if let Some((place, _)) = self.holiday.as_ref().filter(|_| dice.chance(0.2)) {
            return domestic(place, dice);
        }
        if foreign {
            return dice.pick_early(&who.contacts_abroad).clone();
        }
        if dice.chance(who.habits.strangers) {
            return domestic(who.home, dice);
        }
        dice.pick_early(&who.contacts).clone()
    }

    fn access(&self, dice: &mut Dice) -> &Access {
        if let Some((_, access)) = self.holiday.as_ref().filter(|_| dice.chance(0.7)) {
            return access;
        }
        let moving = self.moving.as_ref().filter(|_| dice.chance(0.25));
        moving.unwrap_or(&self.home)
    }

    fn call(&self, at_ms: u64, number: &str, access: &Access, dice: &mut Dice) -> Attempt {
        let habits = self.who.habits;
        let answered = dice.chance(habits.answered);
        let talk_s = if answered {
            (1.0 + dice.waiting(habits.talk_s)).min(7_200.0) as u32
        } else {
            0
        };
        Attempt {
            at_ms,
            tenant: self.who.tenant,
            user: self.who.user.clone(),
            dialed: self.who.dial(number),
            source_ip: access.source_ip,
            user_agent: access.user_agent.clone(),
            ring_ms: dice.between(3_000, 30_000) as u32,
            talk_s,
            answered,
            call_id: dice.bits(),
            campaign: None,
        }
    }

    fn surprises(&self, hours: &[u32; 24], day: u64, dice: &mut Dice, calls: &mut Vec<Attempt>) {
        let who = self.who;
        if dice.chance(who.habits.new_country) {
            let place = if dice.chance(0.2) {
                atlas::risky(dice)
            } else {
                atlas::abroad(who.home, dice)
            };
            let number = domestic(place, dice);
            let first = moment(hours, day, dice);
            for attempt in 0..dice.between(1, 4) {
                let at = first + attempt * dice.between(60_000, 900_000);
                calls.push(self.call(at, &number, &self.home, dice));
            }
        }
        if dice.chance(who.habits.round_call) {
            let first = moment(hours, day, dice);
            let most = if who.kind == Kind::CallCentre {
                120
            } else {
                40
            };
            for _ in 0..dice.between(15, most) {
                let number = domestic(who.home, dice);
                let at = first + dice.below(240_000);
                calls.push(self.call(at, &number, &self.home, dice));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weekends_by_the_calendar() {
        let minutes = |day: i64| day * 1_440;
        // 1970-01-01 was a Thursday.
        let weekend: Vec<_> = (0..7).map(|day| is_weekend(minutes(day))).collect();
        assert_eq!(weekend, [false, false, true, true, false, false, false]);
    }

    #[test]
    fn offices_work_in_the_hours_of_their_home() {
        let sydney = atlas::place("AU");
        // 2026-03-04 is a Wednesday; 23:00 UTC is 09:00 there on Thursday.
        let (hours, volume) = OFFICE.hours(sydney, 20_516);
        assert!(hours[23] > 100 && hours[10] < 10, "{hours:?}");
        assert!((volume - 1.0).abs() < 1e-9);
    }
}
