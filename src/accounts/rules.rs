//! A policy's rules as they are edited and stored; `domain::Policy` is what they become.

use super::AccountsError;
use crate::domain::{AnswerMode, Check, Country, CountryRule, Mode, Plan, Policy, REFUSAL_ORDER};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Everything of a policy but its lists.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PolicyRules {
    /// free, basic or itsp; itsp sees scores.
    pub plan: Plan,
    /// redirect (302) or decline (503/603).
    pub answer: AnswerMode,
    /// Mode of each check that is not off, by code.
    pub modes: BTreeMap<String, Mode>,
    /// Risk above which R15 refuses, 0 to 1; unset: the model's own threshold.
    pub risk_threshold: Option<f32>,
    /// Calls per second of each subscriber, at least 1; unset: the plan's.
    pub calls_per_second: Option<u32>,
    /// Countries calls may come from.
    pub origin: CountryRules,
    /// Countries calls may go to.
    pub destination: CountryRules,
}

/// Countries by ISO code; neither: all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CountryRules {
    /// Only these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<String>,
    /// All but these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub except: Vec<String>,
}

impl PolicyRules {
    /// The rules a domain begins with: lists and number plan enforced, risk in audit.
    #[must_use]
    pub fn initial() -> Self {
        use Check::{R01, R02, R03, R07, R12, R14, R15};
        let mut rules = Self::default();
        for check in [R01, R02, R03, R07, R12, R14] {
            rules.set_mode(check, Mode::Enforce);
        }
        rules.set_mode(R15, Mode::Audit);
        rules
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
    /// # Errors
    /// Names the field that is out of range, unknown or not available.
    pub fn build(&self, name: &str) -> Result<Policy, AccountsError> {
        let mut policy = Policy {
            name: name.to_owned(),
            plan: self.plan,
            answer: self.answer,
            risk_threshold: self.risk_threshold,
            calls_per_second: self.calls_per_second,
            origin: self.origin.build().map_err(|e| e.at("origin"))?,
            destination: self.destination.build().map_err(|e| e.at("destination"))?,
            ..Policy::default()
        };
        if let Some(threshold) = self.risk_threshold
            && !(0.0..=1.0).contains(&threshold)
        {
            return Err(AccountsError::BadThreshold(threshold));
        }
        for check in REFUSAL_ORDER {
            policy.modes[check.index()] = self.mode(check);
        }
        Ok(policy)
    }
}

impl CountryRules {
    fn build(&self) -> Result<CountryRule, AccountsError> {
        let parse = |codes: &[String]| {
            codes
                .iter()
                .map(|code| {
                    Country::parse(code).ok_or_else(|| AccountsError::BadCountry(code.clone()))
                })
                .collect::<Result<Vec<_>, _>>()
        };
        match (self.only.is_empty(), self.except.is_empty()) {
            (true, true) => Ok(CountryRule::Any),
            (false, true) => Ok(CountryRule::Only(parse(&self.only)?)),
            (true, false) => Ok(CountryRule::Except(parse(&self.except)?)),
            (false, false) => Err(AccountsError::OnlyAndExcept),
        }
    }
}
