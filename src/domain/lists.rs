//! Lists of numbers, prefixes, networks and user agents, made for looking up.
//!
//! A list may hold ten million numbers, and a call looks into several: so numbers stand in sorted
//! arrays ([`NumberList`]), networks cost one hash probe per prefix length in use, and all
//! user-agent patterns are matched in one pass. A clone of any of them shares its content; what
//! one snapshot of the accounts holds, the next one holds without a copy.

mod agents;
mod networks;
mod numbers;
mod table;

pub use agents::AgentList;
pub use networks::NetworkList;
pub use numbers::{Listed, NumberList};
pub use table::{NoteId, NumberListBuilder};

use super::Timestamp;
use std::sync::Arc;

/// Why something is on a list, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// In the words of whoever listed it; of an attack group: its name.
    pub reason: Arc<str>,
    /// Who listed it: a person, a feed, a file. May be empty.
    pub source: Arc<str>,
    /// From then on the entry does not count.
    pub expires: Option<Timestamp>,
}

impl Entry {
    /// An entry that stays, of no particular source.
    #[must_use]
    pub fn lasting(reason: &str) -> Self {
        Self {
            reason: reason.into(),
            source: "".into(),
            expires: None,
        }
    }

    /// Whether the entry counts at `now`: it does until the very instant it expires.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.expires.is_none_or(|until| now < until)
    }
}

/// Everything one list can hold.
#[derive(Clone, Debug, Default)]
pub struct AccessList {
    /// Numbers and prefixes.
    pub numbers: NumberList,
    /// Source networks.
    pub networks: NetworkList,
    /// User agents.
    pub agents: AgentList,
}

/// The lists that hold for every policy that has the checks on.
#[derive(Clone, Debug, Default)]
pub struct SystemLists {
    /// R03 numbers, R02 networks, R01 user agents.
    pub black: AccessList,
    /// R12: networks of known attack groups; the entry's reason names the group.
    pub attack_groups: NetworkList,
}

#[cfg(test)]
mod tests;
