//! What is limited, and what an approved call uses up.

use super::Hours;
use serde::{Deserialize, Serialize};

/// A limit for normal hours and one for off hours. They are counted apart and do not add up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// In normal hours; `None`: no limit.
    pub normal: Option<u32>,
    /// In off hours; `None`: no limit.
    pub off_hours: Option<u32>,
}

impl Limits {
    /// The one that holds.
    #[must_use]
    pub const fn of(&self, hours: Hours) -> Option<u32> {
        match hours {
            Hours::Normal => self.normal,
            Hours::Off => self.off_hours,
        }
    }
}

/// How often one caller may call one number (R13).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SameNumber {
    /// Calls allowed within `seconds`; the next one is refused.
    pub calls: u32,
    /// Length of the window that moves with the call, seconds.
    pub seconds: u32,
}

/// What a call has used up, as it stands with the call: enough to count it again after a crash,
/// once, whatever else was saved by then and whatever the policy says meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Used {
    /// Whether it was off hours.
    pub off_hours: bool,
    /// The calendar day in the policy's zone, as [`super::LocalTime::day`].
    pub day: i32,
    /// Which call of that day and those hours it was for its subscriber, counted from 1.
    pub count: u32,
    /// How often the subscriber's counts had been set to nothing before.
    pub resets: u32,
    /// How many calls of this caller to this number R13 needed to know; 0: it did not look.
    pub same_number: u32,
}

/// Approved calls before the one that is checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Of the subscriber, on this day, in the kind of hours that it is.
    pub today: u32,
    /// Of the caller to the number, within R13's window.
    pub same_number: u32,
}
