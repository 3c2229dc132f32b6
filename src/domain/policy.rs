//! What a customer wants of his calls.

use super::lists::{AccessList, NumberList};
use super::{Check, Country, Mode};
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

/// Which countries a policy allows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum CountryRule {
    /// All of them, known or not.
    #[default]
    Any,
    /// Only these.
    Only(Vec<Country>),
    /// All but these.
    Except(Vec<Country>),
}

impl CountryRule {
    /// Whether the rule looks at countries at all.
    #[must_use]
    pub const fn restricts(&self) -> bool {
        !matches!(self, Self::Any)
    }

    /// Whether a known country passes.
    #[must_use]
    pub fn allows(&self, country: Country) -> bool {
        match self {
            Self::Any => true,
            Self::Only(countries) => countries.contains(&country),
            Self::Except(countries) => !countries.contains(&country),
        }
    }
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
    /// Calls per second of each subscriber, the policy's own or its plan's; `None`: unlimited.
    pub calls_per_second: Option<u32>,
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
