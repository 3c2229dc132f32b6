//! What a customer wants of his calls.

use super::lists::{AccessList, NumberList};
use super::{Check, CountryRule, Limits, Mode, OffHours, SameNumber};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What the customer pays for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Plan {
    /// Detection only, codes masked.
    Free,
    /// Prevention.
    #[default]
    Basic,
    /// Prevention, with score and reasons in the answer.
    Itsp,
}

impl Plan {
    /// Whether the answer carries `P-TFPS-Score` and `P-TFPS-Reason`.
    #[must_use]
    pub const fn sees_scores(self) -> bool {
        matches!(self, Self::Itsp)
    }
}

/// How the answer is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum AnswerMode {
    /// 302 with the code in the Contact.
    #[default]
    Redirect,
    /// 503 approves, 603 refuses.
    Decline,
}

/// The rules for a subscriber's calls. Immutable once loaded; edits make a new snapshot.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Name, unique in its domain.
    pub name: String,
    /// What is paid for.
    pub plan: Plan,
    /// How answers are given.
    pub answer: AnswerMode,
    /// Mode of each check, by [`Check::index`].
    pub modes: [Mode; 15],
    /// Risk above which R15 refuses, 0 to 1; `None`: the model's own threshold.
    pub risk_threshold: Option<f32>,
    /// Calls a subscriber may ask about in a second; `None`: any number.
    pub calls_per_second: Option<u32>,
    /// Calls a subscriber may have up at once, by hours (R08, R10).
    pub concurrent: Limits,
    /// Calls a subscriber may make in a calendar day, by hours (R09, R11).
    pub daily_quota: Limits,
    /// When it is off hours, and by whose clock a day begins.
    pub off_hours: OffHours,
    /// How often one caller may call one number (R13); `None`: any number of times.
    pub same_number: Option<SameNumber>,
    /// Countries calls may come from.
    pub origin: CountryRule,
    /// Countries calls may go to.
    pub destination: CountryRule,
    /// Numbers and prefixes approved at once.
    pub whitelist: NumberList,
    /// What this policy refuses on its own account (R14).
    pub blacklist: AccessList,
}

impl Policy {
    /// Mode of one check.
    #[must_use]
    pub const fn mode(&self, check: Check) -> Mode {
        self.modes[check.index()]
    }
}
