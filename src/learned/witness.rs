//! Who says so, and how much that weighs.

use super::SubjectKind;
use serde::{Deserialize, Serialize};

/// How a witness knows. In the order of what it weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum WitnessKind {
    /// A packet at the honeypot whose source has not proved its address: anybody may have sent it.
    Unproven,
    /// A suspicious call of the free stream.
    Free,
    /// A customer's call that his own blacklist or the risk score spoke against.
    Refusal,
    /// A customer's verdict.
    Customer,
    /// An analyst's verdict.
    Analyst,
    /// A source at the honeypot that has proved its address by answering a challenge.
    Honeypot,
}

/// What a kind of witness can weigh.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Caps {
    /// Each time he says so.
    pub each: f32,
    /// One party in one day.
    pub day: f32,
    /// One party in all.
    pub party: f32,
    /// All parties of the kind together.
    pub kind: f32,
}

impl WitnessKind {
    /// All of them, the heaviest first.
    pub const ALL: [Self; 6] = [
        Self::Honeypot,
        Self::Analyst,
        Self::Customer,
        Self::Refusal,
        Self::Free,
        Self::Unproven,
    ];

    /// Stable name, for JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unproven => "unproven",
            Self::Free => "free",
            Self::Refusal => "refusals",
            Self::Customer => "customers",
            Self::Analyst => "analysts",
            Self::Honeypot => "honeypot",
        }
    }

    /// Whether it speaks of the world's open doors, where anybody may say anything.
    pub(super) const fn is_open(self) -> bool {
        matches!(self, Self::Unproven | Self::Free)
    }

    /// Whether the party is an account.
    pub(super) const fn is_tenant(self) -> bool {
        matches!(self, Self::Customer | Self::Refusal)
    }

    /// What it can weigh about a kind of subject, where being listed takes a weight of three or
    /// four.
    ///
    /// Refusals, the free stream and what is unproven stay below three even together: a score
    /// must not confirm itself by way of a list. `probe`: a request at the honeypot that was no
    /// call; a telephone set up wrongly sends such.
    pub(super) const fn caps(self, about: SubjectKind, probe: bool) -> Caps {
        let (each, day, party, kind) = match (self, about) {
            (Self::Honeypot, SubjectKind::Address) if probe => (0.2, 1.0, 3.0, 6.0),
            (Self::Honeypot, SubjectKind::Address) => (3.0, 3.0, 3.0, 6.0),
            (Self::Honeypot, _) => (1.0, 1.0, 1.5, 6.0),
            (Self::Analyst, _) => (2.0, 2.0, 2.0, 4.0),
            (Self::Customer, _) => (1.0, 1.0, 1.0, 4.0),
            (Self::Refusal, _) => (0.25, 0.5, 1.0, 2.0),
            (Self::Free, _) => (0.05, 0.1, 0.2, 0.5),
            (Self::Unproven, _) => (0.02, 0.05, 0.1, 0.2),
        };
        Caps {
            each,
            day,
            party,
            kind,
        }
    }
}
