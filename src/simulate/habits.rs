//! When, whom and how long each kind of customer calls.

use super::atlas::Place;
use super::calendar;
use super::dice::Dice;
use super::subscriber::Kind;

/// Milliseconds in an hour and a day.
pub(super) const HOUR: u64 = 3_600_000;
pub(super) const DAY: u64 = 24 * HOUR;

/// When and whom a kind of customer calls.
#[derive(Debug)]
pub(super) struct Habits {
    /// Weight of each local hour of a working day.
    weekday: [u32; 24],
    /// The same for days off, on the same scale.
    day_off: [u32; 24],
    /// Mean seconds of talk.
    pub(super) talk_s: f64,
    /// Share of calls that are answered.
    pub(super) answered: f64,
    /// Share of failed calls that are tried again at once.
    pub(super) redials: f64,
    /// Share of calls to numbers never called before.
    pub(super) strangers: f64,
    /// Share of calls to anywhere abroad, never called before: guests of a hotel.
    pub(super) guests: f64,
    /// Chance in a day of calls to a country never called before.
    pub(super) new_country: f64,
    /// Chance in a day of ringing many people at once: an alarm, a cancelled delivery.
    pub(super) round_call: f64,
    /// Share of calls to freephone numbers.
    pub(super) freephone: f64,
    /// Share of calls to premium numbers.
    pub(super) premium: f64,
    /// Share of calls to short numbers and feature codes, as dialled.
    pub(super) short: f64,
    /// Voicemail checks a day.
    pub(super) voicemail: f64,
}

/// The habits of a kind.
pub(super) const fn of(kind: Kind) -> &'static Habits {
    match kind {
        Kind::Household => &HOUSEHOLD,
        Kind::Office => &OFFICE,
        Kind::CallCentre => &CALL_CENTRE,
        Kind::Hotel => &HOTEL,
        Kind::Wholesale => &WHOLESALE,
        Kind::Softphone => &SOFTPHONE,
    }
}

static HOUSEHOLD: Habits = Habits {
    weekday: [
        1, 0, 0, 0, 0, 0, 1, 3, 5, 6, 7, 7, 6, 5, 5, 5, 6, 8, 9, 9, 8, 6, 4, 2,
    ],
    day_off: [
        2, 1, 0, 0, 0, 0, 0, 1, 3, 6, 9, 9, 8, 6, 6, 6, 7, 8, 9, 9, 8, 6, 4, 3,
    ],
    talk_s: 190.0,
    answered: 0.76,
    redials: 0.35,
    strangers: 0.15,
    guests: 0.0,
    new_country: 0.006,
    round_call: 0.0,
    freephone: 0.025,
    premium: 0.003,
    short: 0.006,
    voicemail: 0.12,
};
static OFFICE: Habits = Habits {
    weekday: [
        1, 1, 1, 1, 1, 2, 8, 35, 100, 120, 120, 110, 70, 90, 110, 110, 100, 70, 30, 12, 6, 3, 2, 1,
    ],
    day_off: [
        1, 1, 1, 1, 1, 1, 1, 2, 6, 8, 8, 8, 6, 5, 5, 4, 3, 3, 2, 1, 1, 1, 1, 1,
    ],
    talk_s: 150.0,
    answered: 0.72,
    redials: 0.25,
    strangers: 0.3,
    guests: 0.0,
    new_country: 0.03,
    round_call: 0.006,
    freephone: 0.03,
    premium: 0.001,
    short: 0.003,
    voicemail: 0.4,
};
/// They never close.
static HOTEL: Habits = Habits {
    weekday: [
        4, 3, 2, 2, 2, 3, 5, 8, 10, 11, 11, 10, 9, 9, 9, 10, 10, 11, 11, 10, 9, 8, 7, 5,
    ],
    day_off: [
        5, 4, 3, 2, 2, 3, 4, 7, 10, 12, 12, 11, 10, 9, 9, 9, 10, 11, 11, 11, 10, 9, 8, 6,
    ],
    talk_s: 140.0,
    answered: 0.72,
    redials: 0.3,
    strangers: 0.4,
    guests: 0.3,
    new_country: 0.0,
    round_call: 0.003,
    freephone: 0.03,
    premium: 0.004,
    short: 0.008,
    voicemail: 1.0,
};
static CALL_CENTRE: Habits = Habits {
    weekday: [
        0, 0, 0, 0, 0, 0, 0, 2, 8, 12, 12, 12, 9, 10, 12, 12, 12, 12, 11, 8, 3, 0, 0, 0,
    ],
    day_off: [
        0, 0, 0, 0, 0, 0, 0, 0, 1, 4, 5, 5, 4, 3, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0,
    ],
    talk_s: 110.0,
    answered: 0.42,
    redials: 0.15,
    strangers: 0.85,
    guests: 0.0,
    new_country: 0.03,
    round_call: 0.02,
    freephone: 0.005,
    premium: 0.0,
    short: 0.0,
    voicemail: 0.0,
};
/// Customers of many carriers, in all zones.
static WHOLESALE: Habits = Habits {
    weekday: [
        6, 5, 5, 4, 4, 5, 6, 8, 10, 11, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 11, 10, 9, 7,
    ],
    day_off: [
        6, 5, 5, 4, 4, 4, 5, 6, 7, 8, 9, 9, 9, 9, 9, 9, 9, 10, 10, 10, 9, 8, 7, 7,
    ],
    talk_s: 200.0,
    answered: 0.48,
    redials: 0.3,
    strangers: 0.0,
    guests: 0.0,
    new_country: 0.0,
    round_call: 0.0,
    freephone: 0.02,
    premium: 0.004,
    short: 0.0,
    voicemail: 0.0,
};
static SOFTPHONE: Habits = Habits {
    weekday: [
        3, 2, 1, 1, 1, 1, 2, 4, 8, 10, 10, 9, 8, 9, 9, 9, 9, 9, 9, 8, 8, 7, 6, 4,
    ],
    day_off: [
        4, 3, 2, 1, 1, 1, 1, 2, 4, 6, 7, 7, 6, 6, 6, 6, 6, 7, 7, 7, 7, 6, 6, 5,
    ],
    talk_s: 210.0,
    answered: 0.7,
    redials: 0.35,
    strangers: 0.2,
    guests: 0.0,
    new_country: 0.02,
    round_call: 0.0,
    freephone: 0.03,
    premium: 0.003,
    short: 0.003,
    voicemail: 0.15,
};

impl Habits {
    /// Weights of the 24 UTC hours of a day by that country's clock, and how the day compares
    /// with a working day.
    pub(super) fn hours(&self, place: &Place, day: u64) -> ([u32; 24], f64) {
        let offset = calendar::utc_offset_minutes(place, day);
        let midnight = (day * 1_440) as i64 + offset;
        // A UTC day touches two local days at most.
        let is_off = [midnight, midnight + 1_439].map(|at| calendar::is_day_off(place, at));
        let first = midnight.div_euclid(1_440);
        let weights = std::array::from_fn(|hour| {
            let local = midnight + hour as i64 * 60 + 30;
            let is_first = local.div_euclid(1_440) == first;
            let hours = match is_off[usize::from(!is_first)] {
                true => &self.day_off,
                false => &self.weekday,
            };
            hours[local.rem_euclid(1_440) as usize / 60]
        });
        let share = |of: &[u32; 24]| f64::from(of.iter().sum::<u32>());
        (weights, share(&weights) / share(&self.weekday))
    }
}

/// A moment in the day, as the weights of its hours want it; milliseconds since the epoch.
pub(super) fn moment(hours: &[u32; 24], day: u64, dice: &mut Dice) -> u64 {
    let hour = dice.weighted(hours) as u64;
    day * DAY + hour * HOUR + dice.below(HOUR)
}

#[cfg(test)]
mod tests {
    use super::super::atlas;
    use super::*;

    #[test]
    fn offices_work_in_the_hours_of_their_home() {
        let sydney = atlas::place("AU");
        // 2026-03-04 is a Wednesday; 22:00 UTC is 09:00 there on Thursday, in summer time.
        let (hours, volume) = OFFICE.hours(sydney, 20_516);
        assert!(hours[22] > 100 && hours[9] < 35, "{hours:?}");
        assert!((volume - 1.0).abs() < 1e-9);
        // 2026-04-03 is Good Friday in London.
        let (_, volume) = OFFICE.hours(atlas::place("GB"), 20_546);
        assert!(volume < 0.1, "{volume}");
    }
}
