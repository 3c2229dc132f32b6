//! A policy's rules as they are edited and stored; `domain::Policy` is what they become.
//!
//! Everything is a text or number that a person writes. What is not given has a meaning, so rules
//! stored by an earlier program can always be read.

mod countries;
mod hours;
mod report;

pub use countries::CountryRules;
pub use hours::{OffHoursRules, PeriodRules};
pub use report::{ReportPeriod, ReportRules};

use super::AccountsError;
use crate::domain::{
    AnswerMode, Check, CountryRisks, Limits, Mode, Plan, Policy, REFUSAL_ORDER, SameNumber,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::RangeInclusive;
use utoipa::ToSchema;

/// Calls per second a policy may name.
const PER_SECOND: RangeInclusive<u32> = 1..=100_000;
/// Calls that R13 can tell apart: so many times are remembered for a caller and number.
const SAME_NUMBER_CALLS: RangeInclusive<u32> = 1..=100;
/// Up to a week.
const SAME_NUMBER_SECONDS: RangeInclusive<u32> = 1..=7 * 86_400;

/// Everything of a policy but its lists.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PolicyRules {
    /// free, basic or itsp; itsp sees scores.
    pub plan: Plan,
    /// redirect (302) or decline (503/603).
    pub answer: AnswerMode,
    /// Mode of each check that is not off, by code. Absent: those a policy begins with, so that
    /// nobody has every check off who said nothing of them; `{}`: every check is off.
    #[serde(default = "initial_modes")]
    #[schema(example = json!({"R03": "enforce", "R15": "audit"}))]
    pub modes: BTreeMap<String, Mode>,
    /// Risk above which R15 refuses, 0 to 1; unset: the model's own threshold.
    #[schema(minimum = 0, maximum = 1, example = 0.9)]
    pub risk_threshold: Option<f32>,
    /// Calls a subscriber may ask about in a second, 1 to 100000; more get 503 with Retry-After.
    /// Unset: as many as his plan allows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 100_000)]
    pub calls_per_second: Option<u32>,
    /// Countries calls may come from (R04).
    pub origin: CountryRules,
    /// Countries calls may go to (R06).
    pub destination: CountryRules,
    /// Calls a subscriber may have up at once (R10; off hours R08).
    #[serde(skip_serializing_if = "LimitRules::is_unset")]
    pub concurrent: LimitRules,
    /// Calls a subscriber may make in a calendar day (R11; off hours R09).
    #[serde(skip_serializing_if = "LimitRules::is_unset")]
    pub daily_quota: LimitRules,
    /// How often one caller may call one number (R13); unset: any number of times.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub same_number: Option<SameNumberRules>,
    /// When it is off hours; unset: never, and days begin at midnight UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub off_hours: Option<OffHoursRules>,
    /// Who gets a report of this policy's calls, and how often; unset: nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<ReportRules>,
}

/// A limit for normal hours and one for off hours; they are counted apart and do not add up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LimitRules {
    /// In normal hours; unset: no limit; 0: none at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub normal: Option<u32>,
    /// In off hours; unset: no limit; 0: none at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub off_hours: Option<u32>,
}

/// So many calls of one caller to one number within so many seconds; the next is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SameNumberRules {
    /// Calls that are allowed, 1 to 100.
    #[schema(minimum = 1, maximum = 100, example = 5)]
    pub calls: u32,
    /// Length of the window that moves with the call, 1 to 604800 (a week).
    #[schema(minimum = 1, maximum = 604_800, example = 600)]
    pub seconds: u32,
}

impl PolicyRules {
    /// The rules a domain begins with: lists and number plan enforced, risk in audit.
    #[must_use]
    pub fn initial() -> Self {
        Self {
            modes: initial_modes(),
            ..Self::default()
        }
    }

    /// Sets the mode of a check.
    pub fn set_mode(&mut self, check: Check, mode: Mode) {
        match mode {
            Mode::Off => self.modes.remove(check.as_str()),
            mode => self.modes.insert(check.as_str().to_owned(), mode),
        };
    }

    /// The mode of a check.
    #[must_use]
    pub fn mode(&self, check: Check) -> Mode {
        self.modes.get(check.as_str()).copied().unwrap_or_default()
    }

    /// The policy these rules make, without its lists.
    ///
    /// `risks` say which countries `risk:high` and the like mean. Where the rules name no calls
    /// per second, the policy has no limit: what its plan allows is for the caller to put there.
    ///
    /// # Errors
    /// Names the field that is out of range or unknown, its value and what was expected.
    pub fn build(&self, name: &str, risks: &CountryRisks) -> Result<Policy, AccountsError> {
        if let Some(report) = &self.report {
            report.check()?;
        }
        let off_hours = self.off_hours.as_ref().map(OffHoursRules::build);
        Ok(Policy {
            name: name.to_owned(),
            plan: self.plan,
            answer: self.answer,
            modes: self.checked_modes()?,
            risk_threshold: self.checked_threshold()?,
            calls_per_second: self
                .calls_per_second
                .map(|calls| within("calls_per_second", calls, PER_SECOND, "from 1 to 100000"))
                .transpose()?,
            concurrent: self.concurrent.into(),
            daily_quota: self.daily_quota.into(),
            off_hours: off_hours.transpose()?.unwrap_or_default(),
            same_number: self.same_number.map(SameNumberRules::build).transpose()?,
            origin: self.origin.build(countries::Side::Origin, risks)?,
            destination: self
                .destination
                .build(countries::Side::Destination, risks)?,
            ..Policy::default()
        })
    }

    fn checked_modes(&self) -> Result<[Mode; 15], AccountsError> {
        let known = |code: &str| REFUSAL_ORDER.iter().any(|check| check.as_str() == code);
        if let Some(code) = self.modes.keys().find(|code| !known(code)) {
            return Err(bad("modes", code, "one of R01 to R15"));
        }
        let mut modes = [Mode::Off; 15];
        for check in REFUSAL_ORDER {
            modes[check.index()] = self.mode(check);
        }
        Ok(modes)
    }

    fn checked_threshold(&self) -> Result<Option<f32>, AccountsError> {
        match self.risk_threshold {
            Some(risk) if !(0.0..=1.0).contains(&risk) => {
                Err(bad("risk_threshold", risk, "a number from 0 to 1"))
            }
            fine => Ok(fine),
        }
    }
}

fn initial_modes() -> BTreeMap<String, Mode> {
    use Check::{R01, R02, R03, R07, R12, R14, R15};
    let enforced = [R01, R02, R03, R07, R12, R14].map(|check| (check, Mode::Enforce));
    let all = enforced.into_iter().chain([(R15, Mode::Audit)]);
    all.map(|(check, mode)| (check.as_str().to_owned(), mode))
        .collect()
}

impl LimitRules {
    /// Whether neither limit is set.
    #[must_use]
    pub const fn is_unset(&self) -> bool {
        self.normal.is_none() && self.off_hours.is_none()
    }
}

impl From<LimitRules> for Limits {
    fn from(rules: LimitRules) -> Self {
        Self {
            normal: rules.normal,
            off_hours: rules.off_hours,
        }
    }
}

impl SameNumberRules {
    fn build(self) -> Result<SameNumber, AccountsError> {
        let (calls, seconds) = (SAME_NUMBER_CALLS, SAME_NUMBER_SECONDS);
        Ok(SameNumber {
            calls: within("same_number.calls", self.calls, calls, "from 1 to 100")?,
            seconds: within(
                "same_number.seconds",
                self.seconds,
                seconds,
                "from 1 to 604800 (a week)",
            )?,
        })
    }
}

fn within(
    field: &str,
    value: u32,
    range: RangeInclusive<u32>,
    expected: &'static str,
) -> Result<u32, AccountsError> {
    if range.contains(&value) {
        Ok(value)
    } else {
        Err(bad(field, value, expected))
    }
}

/// The error of a field; a value of any length is told by its beginning.
fn bad(field: impl Into<String>, value: impl Display, expected: &'static str) -> AccountsError {
    const SHOWN: usize = 60;
    let value = value.to_string();
    let mut shown: String = value
        .chars()
        .take(SHOWN)
        .flat_map(char::escape_debug)
        .collect();
    if value.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    AccountsError::BadRule {
        field: field.into(),
        value: shown,
        expected,
    }
}

#[cfg(test)]
mod tests;
