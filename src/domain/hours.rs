//! A customer's own clock: which day it is for him, and whether it is off hours.
//!
//! An instant is always turned into local time, never the other way round, so daylight saving
//! needs no rule of its own: a local hour that occurs twice is off hours twice, one that is
//! skipped never is.

use super::Timestamp;
use chrono::{DateTime, Datelike, Days, NaiveDateTime, NaiveTime, TimeZone, Timelike};
use chrono_tz::{GapInfo, Tz};

/// Minutes of a day.
pub const DAY_MINUTES: u16 = 24 * 60;
/// Every month: January is bit 0.
pub const ALL_MONTHS: u16 = 0xfff;
/// Every weekday: Monday is bit 0.
pub const ALL_WEEKDAYS: u8 = 0x7f;
/// Periods that follow each other without a gap are joined for so many steps, at most.
const JOINED: usize = 16;

/// Which of a policy's two sets of limits holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Hours {
    /// The ordinary limits: R10 and R11.
    #[default]
    Normal,
    /// The limits for nights, weekends, holidays: R08 and R09.
    Off,
}

/// When it is off hours, by the clock of one time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OffHours {
    /// Whose clock; it also says when a day begins, with or without periods.
    pub zone: Tz,
    /// Off hours is whenever any of these holds.
    pub periods: Vec<Period>,
}

/// One recurring period.
///
/// One that spans midnight (`from` after `to`) belongs to the day it begins: `mon` 18:00 to 08:00
/// ends on Tuesday morning. One whose ends are equal is the whole day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// Months it begins in: bit 0 is January.
    pub months: u16,
    /// Weekdays it begins on: bit 0 is Monday.
    pub weekdays: u8,
    /// First minute of the day that belongs to it, 0 to 1439.
    pub from: u16,
    /// First minute of the day that no longer does, 0 to 1440.
    pub to: u16,
}

/// An instant as the customer's clock shows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LocalTime {
    /// Date and time of the day.
    pub clock: NaiveDateTime,
    /// Which limits hold.
    pub hours: Hours,
}

impl Default for OffHours {
    /// Never, by the clock of UTC.
    fn default() -> Self {
        Self {
            zone: Tz::UTC,
            periods: Vec::new(),
        }
    }
}

impl LocalTime {
    /// The calendar day as a running number, which quotas are counted by.
    #[must_use]
    pub fn day(&self) -> i32 {
        self.clock.num_days_from_ce()
    }
}

impl OffHours {
    /// The customer's clock at an instant.
    #[must_use]
    pub fn local(&self, at: Timestamp) -> LocalTime {
        let clock = at.to_datetime().with_timezone(&self.zone).naive_local();
        let hours = match self.is_off(clock) {
            true => Hours::Off,
            false => Hours::Normal,
        };
        LocalTime { clock, hours }
    }

    /// What the clock will show when off hours end; `None`: it is not off hours, or always.
    #[must_use]
    pub fn off_until(&self, clock: NaiveDateTime) -> Option<NaiveDateTime> {
        let mut end = clock;
        for _ in 0..JOINED {
            let later = self.periods.iter().filter_map(|p| p.end(end)).max();
            match later {
                Some(later) => end = later,
                None => return (end > clock).then_some(end),
            }
        }
        None
    }

    /// The instant at which the next calendar day begins: daily counts begin anew.
    #[must_use]
    pub fn next_day(&self, now: Timestamp) -> Timestamp {
        let clock = self.local(now).clock;
        let Some(date) = clock.date().checked_add_days(Days::new(1)) else {
            return now;
        };
        let midnight = date.and_time(NaiveTime::MIN);
        let begins: Option<DateTime<Tz>> = match self.zone.from_local_datetime(&midnight) {
            chrono::LocalResult::Single(at) => Some(at),
            chrono::LocalResult::Ambiguous(first, second) => {
                Some(if Timestamp::from(first.to_utc()) > now {
                    first
                } else {
                    second
                })
            }
            // The clock is put forward at midnight: the day begins when that is done.
            chrono::LocalResult::None => {
                GapInfo::new(&midnight, &self.zone).and_then(|gap| gap.end)
            }
        };
        begins.map_or(now, |at| at.to_utc().into())
    }

    fn is_off(&self, clock: NaiveDateTime) -> bool {
        self.periods.iter().any(|period| period.holds(clock))
    }
}

impl Period {
    /// Whether a clock that shows this is within the period.
    #[must_use]
    pub fn holds(&self, clock: NaiveDateTime) -> bool {
        self.end(clock).is_some()
    }

    /// What the clock shows at the end of the period it is within; `None`: it is not.
    fn end(&self, clock: NaiveDateTime) -> Option<NaiveDateTime> {
        let minute = u16::try_from(clock.hour() * 60 + clock.minute()).ok()?;
        let today = clock.date();
        let at = |days: u64, minute: u16| {
            let midnight = today.checked_add_days(Days::new(days))?;
            let minutes = chrono::Duration::minutes(minute.into());
            midnight
                .and_time(NaiveTime::MIN)
                .checked_add_signed(minutes)
        };
        let begins_today = self.begins_on(today);
        if self.from == self.to {
            return begins_today.then(|| at(1, 0)).flatten();
        }
        if self.from < self.to {
            let within = begins_today && (self.from..self.to).contains(&minute);
            return within.then(|| at(0, self.to)).flatten();
        }
        if begins_today && minute >= self.from {
            return at(1, self.to);
        }
        let began = today.pred_opt().is_some_and(|day| self.begins_on(day));
        (began && minute < self.to)
            .then(|| at(0, self.to))
            .flatten()
    }

    fn begins_on(&self, day: chrono::NaiveDate) -> bool {
        self.months & (1 << day.month0()) != 0
            && self.weekdays & (1 << day.weekday().num_days_from_monday()) != 0
    }
}

#[cfg(test)]
mod tests;
