//! What is remembered of a call: the unit of the spool and a row of `calls`.

use super::{CallAttempt, Country, Decision, Destination, FeatureVector, Timestamp, Used};
use serde::{Deserialize, Serialize};

/// One checked INVITE with everything that was known and decided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CallEvent {
    /// When it was decided (live: the clock; file: the file's own time).
    pub at: Timestamp,
    /// The call as it asked.
    pub attempt: CallAttempt,
    /// Domain whose policy applied; empty for a free call of nobody's.
    pub account: String,
    /// Who in it the call was counted to: a subscriber, a mapped caller number, or the default
    /// user.
    pub subscriber: String,
    /// Name of the policy that applied.
    pub policy: String,
    /// What it used up; `None`: nothing, as it was refused or only looked at.
    pub used: Option<Used>,
    /// Where the call goes.
    pub destination: Destination,
    /// Where the call comes from, by address.
    pub origin: Country,
    /// The features as served.
    pub features: FeatureVector,
    /// The answer and its evidence.
    pub decision: Decision,
    /// What a minute to the number costs by the rate deck in force, in its currency; `None`: the
    /// deck has no price for it.
    pub price: Option<f32>,
    /// From the datagram's arrival to the finished decision, microseconds.
    pub latency_us: u32,
}

/// What turned out to be true of a call. A label, never a feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It was fraud.
    Fraud,
    /// It was an ordinary call.
    Legitimate,
}

impl Verdict {
    /// As written in files and in ClickHouse.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fraud => "fraud",
            Self::Legitimate => "legitimate",
        }
    }
}
