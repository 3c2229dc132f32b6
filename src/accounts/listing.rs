//! Black and white lists, attack groups: their entries as they are edited and stored.
//!
//! One entry is edited here; [`bulk`] brings in a file of them, [`query`] and [`check`] show
//! them, [`served`] is what the hot path gets, [`purge`] clears away what has expired.

mod bulk;
mod check;
mod merge;
mod numbers;
mod purge;
mod query;
mod served;
pub(super) mod tables;

pub use bulk::{Imported, ListImport};
pub use check::{ListMatch, MatchState, Sought};
pub use numbers::NumberLists;
pub use query::EntryFilter;
pub(super) use query::{count, each, policy_scopes};
pub(super) use served::ServedLists;
pub(super) use tables::forget as forget_lists;

use super::edit::{parse_network, parse_number, require_policy};
use super::{Accounts, AccountsError, names};
use crate::domain::Timestamp;
use crate::domain::lists::{AgentList, Entry, Listed};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Longest user-agent pattern, bytes.
const PATTERN: usize = 1_000;

/// Whose list it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Holds for every policy that has the check on.
    System,
    /// One policy's own.
    Policy {
        /// Domain of the policy.
        domain: String,
        /// Its name.
        policy: String,
    },
}

/// Which list.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum ListKind {
    /// Refuses.
    Black,
    /// Approves at once (numbers and prefixes of one policy).
    White,
    /// Networks of a named attack group; the reason is the name.
    Group,
}

/// What kind of thing is listed.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum EntryKind {
    /// One whole E.164 number.
    Number,
    /// Every number that begins so.
    Prefix,
    /// An address or network.
    Network,
    /// A regular expression over user agents, case-insensitive.
    Agent,
}

/// One entry, for listing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ListEntry {
    /// Empty: the system's; else `domain/policy`.
    pub scope: String,
    /// black, white or group.
    pub list: String,
    /// number, prefix, network or agent.
    pub kind: String,
    /// What is listed.
    pub value: String,
    /// Why.
    pub reason: String,
    /// Who listed it.
    pub source: String,
    /// Seconds since the epoch.
    pub listed_at: i64,
    /// Seconds since the epoch; none: stays.
    pub expires_at: Option<i64>,
}

/// One entry as it comes in a file, to be listed.
#[derive(Clone, Copy, Debug)]
pub struct RawEntry<'a> {
    /// What kind of value it is.
    pub kind: EntryKind,
    /// The value, as a person writes it.
    pub value: &'a str,
    /// Why, 1 to 200 characters; for an attack group its name.
    pub reason: &'a str,
    /// Who lists it, 1 to 100 characters.
    pub source: &'a str,
    /// When it ends, in whole seconds; none: it stays.
    pub expires: Option<Timestamp>,
}

/// A value in its stored form.
pub(super) enum Value {
    Number(Listed),
    Pattern(EntryKind, String),
}

impl Scope {
    pub(super) fn text(&self) -> String {
        match self {
            Self::System => String::new(),
            Self::Policy { domain, policy } => {
                format!("{}/{policy}", domain.to_ascii_lowercase())
            }
        }
    }

    /// In messages and the audit log.
    pub(super) fn name(&self) -> String {
        match self {
            Self::System => "system".to_owned(),
            Self::Policy { .. } => self.text(),
        }
    }
}

impl ListKind {
    /// From black, white or group.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Black, Self::White, Self::Group]
            .into_iter()
            .find(|list| list.as_str() == text)
    }

    /// As it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Black => "black",
            Self::White => "white",
            Self::Group => "group",
        }
    }
}

impl EntryKind {
    /// All of them, in the order in which entries are shown.
    pub const ALL: [Self; 4] = [Self::Number, Self::Prefix, Self::Network, Self::Agent];

    /// As it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Prefix => "prefix",
            Self::Network => "network",
            Self::Agent => "agent",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    pub(super) fn read(self, value: &str) -> Result<Value, AccountsError> {
        match self {
            Self::Number => parse_number(value).map(|n| Value::Number(Listed::Number(n))),
            Self::Prefix => parse_number(value).map(|n| Value::Number(Listed::Prefix(n))),
            Self::Network => parse_network(value).map(|n| Value::Pattern(self, n.to_string())),
            Self::Agent
                if value.is_empty() || value.len() > PATTERN || !names::is_printable(value) =>
            {
                Err(AccountsError::LongPattern)
            }
            Self::Agent => AgentList::new(vec![(value.to_owned(), Entry::lasting(""))])
                .map(|_| Value::Pattern(self, value.to_owned()))
                .map_err(|error| AccountsError::BadPattern {
                    pattern: value.to_owned(),
                    error,
                }),
        }
    }
}

impl Value {
    /// Without its kind.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Number(Listed::Number(number) | Listed::Prefix(number)) => number.to_string(),
            Self::Pattern(_, value) => value.clone(),
        }
    }
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(listed) => listed.fmt(f),
            Self::Pattern(kind, value) => write!(f, "{} {value}", kind.as_str()),
        }
    }
}

impl RawEntry<'_> {
    /// Its value in the stored form, once everything fits the list.
    fn checked(&self, scope: &Scope, list: ListKind) -> Result<Value, AccountsError> {
        check_fits(scope, list, self.kind, self.value)?;
        names::check_reason(self.reason)?;
        names::check_source(self.source)?;
        self.kind.read(self.value)
    }
}

pub(super) fn check_fits(
    scope: &Scope,
    list: ListKind,
    kind: EntryKind,
    value: &str,
) -> Result<(), AccountsError> {
    use EntryKind::{Network, Number, Prefix};
    match (list, scope, kind) {
        (ListKind::White, Scope::System, _) => Err(AccountsError::BadWhitelist(value.to_owned())),
        (ListKind::White, _, Number | Prefix) | (ListKind::Black, _, _) => Ok(()),
        (ListKind::White, _, _) => Err(AccountsError::BadWhitelist(value.to_owned())),
        (ListKind::Group, Scope::System, Network) => Ok(()),
        (ListKind::Group, _, _) => Err(AccountsError::BadGroup(value.to_owned())),
    }
}

pub(super) fn require_scope(tx: &Connection, scope: &Scope) -> Result<(), AccountsError> {
    match scope {
        Scope::System => Ok(()),
        Scope::Policy { domain, policy } => {
            require_policy(tx, &domain.to_ascii_lowercase(), policy)
        }
    }
}

/// Patterns that are fine one by one may be too large together, and a service that starts
/// reads them together: an edit after which it could not is refused here.
pub(super) fn check_agents(
    tx: &Connection,
    scope: &Scope,
    list: ListKind,
) -> Result<(), AccountsError> {
    let Some(id) = tables::find_list(tx, &scope.text(), list)? else {
        return Ok(());
    };
    let agents = tables::patterns(tx, id)?
        .into_iter()
        .filter(|(kind, ..)| *kind == EntryKind::Agent)
        .map(|(_, value, entry)| (value, entry))
        .collect();
    compile_agents(&scope.name(), agents).map(drop)
}

/// All user-agent patterns of one list.
fn compile_agents(scope: &str, patterns: Vec<(String, Entry)>) -> Result<AgentList, AccountsError> {
    AgentList::new(patterns).map_err(|source| AccountsError::PatternsTogether {
        scope: scope.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests;
