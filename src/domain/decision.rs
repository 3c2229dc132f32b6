//! A decision is a value that carries its evidence.

use super::{Check, Code, Mode, REFUSAL_ORDER};
use serde::{Deserialize, Serialize};

/// What one check said of one call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum Outcome {
    /// Not evaluated: the policy has the check off.
    #[default]
    Off = 0,
    /// Nothing against the call.
    Pass,
    /// Refuses, and is enforced.
    Refuse,
    /// Would have refused; recorded only.
    Audit,
}

impl Outcome {
    /// As stored in ClickHouse.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Pass => "pass",
            Self::Refuse => "refuse",
            Self::Audit => "audit",
        }
    }

    /// What a check's finding becomes under a mode.
    #[must_use]
    pub const fn of(mode: Mode, refuses: bool) -> Self {
        match (mode, refuses) {
            (Mode::Off, _) => Self::Off,
            (_, false) => Self::Pass,
            (Mode::Enforce, true) => Self::Refuse,
            (Mode::Audit, true) => Self::Audit,
        }
    }
}

/// A check, what it said, and the evidence (list entry, country, ...) when it refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckOutcome {
    /// Which check.
    pub check: Check,
    /// What it said.
    pub outcome: Outcome,
    /// The evidence, in words; empty unless it refused or audited.
    pub evidence: String,
}

/// One contribution to the risk score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    /// Short stable tag, e.g. `new-country`.
    pub tag: String,
    /// Contribution to the log-odds of fraud; positive raises the risk.
    pub contribution: f32,
}

/// The answer and everything that led to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// The answer's code. In shadow: what the answer would have been.
    pub code: Code,
    /// Whether the policy's whitelist approved at once.
    pub whitelisted: bool,
    /// Every check, in [`REFUSAL_ORDER`].
    pub checks: Vec<CheckOutcome>,
    /// Calibrated probability of fraud, 0 to 1; `None` without a model.
    pub score: Option<f32>,
    /// The model that scored; empty without one.
    pub model: String,
    /// The contributions that raised the score most, largest first.
    pub reasons: Vec<Reason>,
    /// How unlike the calls of the model's training the call is, 0 to 1: it alerts and never
    /// blocks. `None`: the model in force has no such measure.
    pub novelty: Option<f32>,
}

impl Decision {
    /// The code that outcomes lead to: the first enforcing refusal in order, else approval.
    #[must_use]
    pub fn code_of(whitelisted: bool, checks: &[CheckOutcome]) -> Code {
        if whitelisted {
            return Code::A00;
        }
        REFUSAL_ORDER
            .into_iter()
            .find(|wanted| {
                checks
                    .iter()
                    .any(|c| c.check == *wanted && c.outcome == Outcome::Refuse)
            })
            .map_or(Code::A00, Code::Refused)
    }
}
