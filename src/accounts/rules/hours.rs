//! Off hours as people write them.

use super::super::AccountsError;
use super::bad;
use crate::domain::{ALL_MONTHS, ALL_WEEKDAYS, DAY_MINUTES, OffHours, Period};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Periods of a policy, at most: each is looked at for every call.
const MAX_PERIODS: usize = 32;
const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// When it is off hours, and by whose clock: also where the day of a daily quota begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OffHoursRules {
    /// Time zone by its IANA name; daylight saving is observed.
    #[schema(example = "America/Sao_Paulo")]
    pub zone: String,
    /// Off hours is whenever any of these holds; empty: never.
    #[serde(default)]
    #[schema(max_items = 32)]
    pub periods: Vec<PeriodRules>,
}

/// One recurring period. One that spans midnight belongs to the day on which it begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PeriodRules {
    /// Months it begins in: names, ranges and lists of them, e.g. `oct-mar,jul`; unset: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "oct-mar")]
    pub months: Option<String>,
    /// Weekdays it begins on, e.g. `mon-thu,sun`; unset: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "mon-fri")]
    pub weekdays: Option<String>,
    /// First minute, `HH:MM`; equal to `to`: the whole day.
    #[schema(example = "18:00")]
    pub from: String,
    /// First minute that is normal again, `HH:MM`; may be `24:00`.
    #[schema(example = "08:00")]
    pub to: String,
}

impl OffHoursRules {
    pub(super) fn build(&self) -> Result<OffHours, AccountsError> {
        let zone: Tz = self.zone.parse().map_err(|_| {
            let expected = "an IANA time zone such as America/Sao_Paulo";
            bad("off_hours.zone", &self.zone, expected)
        })?;
        if self.periods.len() > MAX_PERIODS {
            let field = "off_hours.periods";
            return Err(bad(field, self.periods.len(), "at most 32 periods"));
        }
        let periods = self.periods.iter().enumerate();
        Ok(OffHours {
            zone,
            periods: periods
                .map(|(at, rules)| rules.build(at))
                .collect::<Result<_, _>>()?,
        })
    }
}

impl PeriodRules {
    fn build(&self, at: usize) -> Result<Period, AccountsError> {
        let wrong = |field: &str, value: &str, expected| {
            bad(format!("off_hours.periods[{at}].{field}"), value, expected)
        };
        let months = match &self.months {
            None => ALL_MONTHS,
            Some(text) => month_bits(text)
                .ok_or_else(|| wrong("months", text, "months such as oct-mar or jan,jul"))?,
        };
        let weekdays = match &self.weekdays {
            None => ALL_WEEKDAYS,
            Some(text) => weekday_bits(text)
                .ok_or_else(|| wrong("weekdays", text, "weekdays such as mon-fri or sat,sun"))?,
        };
        let from = minute(&self.from).filter(|&minute| minute < DAY_MINUTES);
        Ok(Period {
            months,
            weekdays,
            from: from.ok_or_else(|| wrong("from", &self.from, "a time from 00:00 to 23:59"))?,
            to: minute(&self.to)
                .ok_or_else(|| wrong("to", &self.to, "a time from 00:00 to 24:00"))?,
        })
    }
}

impl std::fmt::Display for PeriodRules {
    /// As the command line takes it: `oct-mar mon-fri 18:00-08:00`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for days in [&self.months, &self.weekdays].into_iter().flatten() {
            write!(f, "{days} ")?;
        }
        write!(f, "{}-{}", self.from, self.to)
    }
}

impl std::str::FromStr for PeriodRules {
    type Err = String;

    /// From `[MONTHS] [WEEKDAYS] HH:MM-HH:MM`, in any order.
    fn from_str(text: &str) -> Result<Self, String> {
        let (mut months, mut weekdays, mut times) = (None, None, None);
        for word in text.split_whitespace() {
            let taken = if let Some((from, to)) =
                word.split_once('-').filter(|_| word.contains(':'))
            {
                times.replace((from.to_owned(), to.to_owned())).is_some()
            } else if month_bits(word).is_some() {
                months.replace(word.to_owned()).is_some()
            } else if weekday_bits(word).is_some() {
                weekdays.replace(word.to_owned()).is_some()
            } else {
                return Err(format!(
                    "`{word}`: expected months (oct-mar), weekdays (mon-fri) or times (18:00-08:00)"
                ));
            };
            if taken {
                return Err(format!("`{word}`: there is one of that kind before it"));
            }
        }
        let (from, to) = times.ok_or("expected times such as 18:00-08:00")?;
        let period = Self {
            months,
            weekdays,
            from,
            to,
        };
        // Times are checked here too, so that the message can point at the option.
        period.build(0).map_err(|e| e.to_string())?;
        Ok(period)
    }
}

fn month_bits(text: &str) -> Option<u16> {
    bits(text, &MONTHS)
}

fn weekday_bits(text: &str) -> Option<u8> {
    bits(text, &WEEKDAYS).and_then(|bits| u8::try_from(bits).ok())
}

/// Names, ranges (which may run over the end: `oct-mar`) and lists of them, as bits.
fn bits(text: &str, names: &[&str]) -> Option<u16> {
    let position = |name: &str| {
        let name = name.trim();
        names
            .iter()
            .position(|known| known.eq_ignore_ascii_case(name))
    };
    text.split(',').try_fold(0, |bits, part| {
        let (first, last) = match part.split_once('-') {
            Some((first, last)) => (position(first)?, position(last)?),
            None => (position(part)?, position(part)?),
        };
        let length = (last + names.len() - first) % names.len();
        let range = (first..=first + length).map(|at| 1 << (at % names.len()));
        Some(range.fold(bits, |bits, bit: u16| bits | bit))
    })
}

/// Minute of the day of `HH:MM`.
fn minute(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |digits: &str| {
        let fine = digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_digit());
        fine.then(|| digits.parse::<u16>().ok()).flatten()
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    let minute = hours * 60 + minutes;
    (minutes < 60 && minute <= DAY_MINUTES).then_some(minute)
}
