//! What is remembered of one subscriber.

use super::rate::Rate;
use super::table::Row;
use crate::domain::{Hours, Timestamp, Used};
use serde::{Deserialize, Serialize};

/// Days remembered: those he last called on.
const DAYS: usize = 4;

/// Calls of one calendar day, in normal and in off hours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayCount {
    day: i32,
    /// In normal hours.
    pub normal: u32,
    /// In off hours.
    pub off_hours: u32,
}

/// A subscriber's calls of the days he last called on, and of this second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// How often his counts were set to nothing.
    pub resets: u32,
    /// Last used first.
    days: [DayCount; DAYS],
    /// Not saved: a second passes while a program starts.
    #[serde(skip)]
    pub(super) rate: Rate,
}

impl DayCount {
    /// Calls in one kind of hours.
    #[must_use]
    pub const fn of(&self, hours: Hours) -> u32 {
        match hours {
            Hours::Normal => self.normal,
            Hours::Off => self.off_hours,
        }
    }

    const fn of_mut(&mut self, hours: Hours) -> &mut u32 {
        match hours {
            Hours::Normal => &mut self.normal,
            Hours::Off => &mut self.off_hours,
        }
    }
}

impl Slot {
    /// What was used on a day.
    #[must_use]
    pub fn of_day(&self, day: i32) -> DayCount {
        let found = self.days.iter().find(|count| count.day == day);
        found.copied().unwrap_or_default()
    }

    /// Counts one more.
    pub(super) fn count(&mut self, day: i32, hours: Hours, same_number: u32) -> Used {
        let resets = self.resets;
        let count = self.day_mut(day).of_mut(hours);
        *count = count.saturating_add(1);
        Used {
            off_hours: hours == Hours::Off,
            day,
            count: *count,
            resets,
            same_number,
        }
    }

    /// Counts what a call of the past used up, unless it is counted already; whether it still
    /// matters: one from before the last reset does not.
    pub(super) fn replay(&mut self, used: &Used) -> bool {
        if used.resets < self.resets {
            return false;
        }
        let _is_new = self.reset(used.resets);
        let hours = match used.off_hours {
            true => Hours::Off,
            false => Hours::Normal,
        };
        let count = self.day_mut(used.day).of_mut(hours);
        *count = (*count).max(used.count);
        true
    }

    /// Sets the counts to nothing, unless that was done already; whether it was not.
    pub(super) fn reset(&mut self, resets: u32) -> bool {
        let is_new = resets > self.resets;
        if is_new {
            *self = Self {
                resets,
                ..Self::default()
            };
        }
        is_new
    }

    /// The count of a day, which moves to the front; a new one takes the place of the day that
    /// was longest not called on. By use and not by date: a day far ahead, where a wrong clock
    /// has been, does not stay for ever.
    fn day_mut(&mut self, day: i32) -> &mut DayCount {
        let known = self.days.iter().position(|count| count.day == day);
        let at = known.unwrap_or(DAYS - 1);
        self.days[..=at].rotate_right(1);
        if known.is_none() {
            self.days[0] = DayCount {
                day,
                ..DayCount::default()
            };
        }
        &mut self.days[0]
    }
}

impl Row for Slot {
    /// A clock that was wrong may come back to any of its days.
    fn is_over(&self, _: Timestamp) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Calls made so far on each of some days, in normal hours.
    fn normal(slot: &Slot, days: &[i32]) -> Vec<u32> {
        days.iter().map(|&day| slot.of_day(day).normal).collect()
    }

    #[test]
    fn the_hours_and_the_days_are_counted_apart() {
        let mut slot = Slot::default();
        for _ in 0..3 {
            let _used = slot.count(10, Hours::Normal, 0);
        }
        let used = slot.count(10, Hours::Off, 7);
        assert_eq!((used.count, used.off_hours, used.same_number), (1, true, 7));
        assert_eq!(slot.count(11, Hours::Normal, 0).count, 1);
        assert_eq!(normal(&slot, &[10, 11, 12]), [3, 1, 0]);
        assert_eq!(slot.of_day(10).off_hours, 1);
    }

    #[test]
    fn a_clock_that_jumps_and_comes_back_finds_its_count_again() {
        let mut slot = Slot::default();
        for day in [10, 10, 11, 375, 375, 11, 10] {
            let _used = slot.count(day, Hours::Normal, 0);
        }
        assert_eq!(normal(&slot, &[10, 11, 375]), [3, 2, 2]);
        // Three days later the day of the wrong clock is forgotten, before it is really there.
        for day in [12, 13, 14] {
            let _used = slot.count(day, Hours::Normal, 0);
        }
        assert_eq!(normal(&slot, &[375, 12, 14]), [0, 1, 1]);
    }

    #[test]
    fn calls_are_counted_again_once_and_in_any_order() {
        let mut counted = Slot::default();
        let used: Vec<_> = (0..4).map(|_| counted.count(10, Hours::Off, 0)).collect();
        let mut saved = Slot::default();
        for at in [2, 0, 3, 1, 3] {
            assert!(saved.replay(&used[at]));
        }
        assert_eq!(saved.of_day(10), counted.of_day(10));
    }

    #[test]
    fn calls_from_before_a_reset_stay_forgotten() {
        let mut slot = Slot::default();
        let before = slot.count(10, Hours::Normal, 0);
        assert!(slot.reset(1));
        assert_eq!(normal(&slot, &[10]), [0]);
        let after = slot.count(10, Hours::Normal, 0);
        assert!(!slot.reset(1));
        assert_eq!(normal(&slot, &[10]), [1], "the same reset again");
        assert!(!slot.replay(&before));
        assert!(slot.replay(&after));
        assert_eq!(normal(&slot, &[10]), [1]);
        // A state saved before the reset, and a call from after it.
        let mut old = Slot::default();
        let _used = old.count(10, Hours::Normal, 0);
        let _used = old.count(10, Hours::Normal, 0);
        assert!(old.replay(&after));
        assert_eq!(normal(&old, &[10]), [1]);
    }
}
