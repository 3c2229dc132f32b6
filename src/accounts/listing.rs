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
mod tables;

pub use bulk::{Imported, ListImport};
pub use check::{ListMatch, MatchState, Sought};
pub use numbers::NumberLists;
pub use query::EntryFilter;
pub(super) use served::ServedLists;
pub(super) use tables::forget as forget_lists;

use super::edit::{parse_network, parse_number, require_policy};
use super::{Accounts, AccountsError};
use crate::domain::Timestamp;
use crate::domain::lists::{AgentList, Entry, Listed};
use rusqlite::Connection;
use serde::Serialize;
use tables::{ListId, Said};

/// Longest reason of an entry, characters.
const REASON: usize = 200;
/// Longest name of a source, characters.
const SOURCE: usize = 100;
/// Longest user-agent pattern, characters.
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListKind {
    /// Refuses.
    Black,
    /// Approves at once (numbers and prefixes of one policy).
    White,
    /// Networks of a named attack group; the reason is the name.
    Group,
}

/// What kind of thing is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// One entry, to be listed.
#[derive(Clone, Copy, Debug)]
pub struct NewEntry<'a> {
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
enum Value {
    Number(Listed),
    Pattern(EntryKind, String),
}

impl Scope {
    fn text(&self) -> String {
        match self {
            Self::System => String::new(),
            Self::Policy { domain, policy } => {
                format!("{}/{policy}", domain.to_ascii_lowercase())
            }
        }
    }

    /// In messages and the audit log.
    fn name(&self) -> String {
        match self {
            Self::System => "system".to_owned(),
            Self::Policy { .. } => self.text(),
        }
    }
}

impl ListKind {
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

    fn read(self, value: &str) -> Result<Value, AccountsError> {
        match self {
            Self::Number => parse_number(value).map(|n| Value::Number(Listed::Number(n))),
            Self::Prefix => parse_number(value).map(|n| Value::Number(Listed::Prefix(n))),
            Self::Network => parse_network(value).map(|n| Value::Pattern(self, n.to_string())),
            Self::Agent if !is_line(value, PATTERN) => Err(AccountsError::LongPattern),
            Self::Agent => AgentList::new(vec![(value.to_owned(), Entry::lasting(""))])
                .map(|_| Value::Pattern(self, value.to_owned()))
                .map_err(|source| AccountsError::BadPattern {
                    pattern: value.to_owned(),
                    source,
                }),
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

impl NewEntry<'_> {
    /// Its value in the stored form, once everything fits the list.
    fn checked(&self, scope: &Scope, list: ListKind) -> Result<Value, AccountsError> {
        check_fits(scope, list, self.kind, self.value)?;
        if !is_line(self.reason, REASON) {
            return Err(AccountsError::BadReason);
        }
        if !is_line(self.source, SOURCE) {
            return Err(AccountsError::BadSource);
        }
        self.kind.read(self.value)
    }
}

/// Whether a text can stand in one line of a terminal, a file and an answer.
fn is_line(text: &str, longest: usize) -> bool {
    (1..=longest).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

fn check_fits(
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

fn require_scope(tx: &Connection, scope: &Scope) -> Result<(), AccountsError> {
    match scope {
        Scope::System => Ok(()),
        Scope::Policy { domain, policy } => {
            require_policy(tx, &domain.to_ascii_lowercase(), policy)
        }
    }
}

impl Accounts {
    /// Lists something, or gives an entry that is there a new reason, source and expiry.
    ///
    /// # Errors
    /// The value is not of its kind, the list cannot hold it, there is no such policy, or the
    /// user-agent patterns of the scope are too large together.
    #[expect(clippy::too_many_arguments, reason = "an entry is just these")]
    pub fn list_add(
        &mut self,
        scope: &Scope,
        list: ListKind,
        kind: EntryKind,
        value: &str,
        reason: &str,
        source: &str,
        expires_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), AccountsError> {
        let entry = NewEntry {
            kind,
            value,
            reason,
            source,
            expires: expires_at,
        };
        let value = entry.checked(scope, list)?;
        let subject = format!("{} {} {value}", list.as_str(), scope.name());
        self.edit(now, "list add", &subject, |tx| {
            require_scope(tx, scope)?;
            let id = tables::ensure_list(tx, &scope.text(), list)?;
            let said = Said {
                note: tables::ensure_note(tx, reason, source)?,
                listed_at: now.secs(),
                expires_at: expires_at.map(Timestamp::secs),
            };
            match &value {
                Value::Number(listed) => {
                    tables::put_number(tx, id, *listed, said)?;
                    tables::log_change(tx, id, *listed)?;
                    tables::trim_log(tx)?;
                }
                Value::Pattern(kind, value) => {
                    tables::put_pattern(tx, id, *kind, value, said)?;
                    tables::patterns_changed(tx, id)?;
                }
            }
            tables::note_expiry(tx, id, said.expires_at)?;
            match kind {
                EntryKind::Agent => check_agents(tx, &scope.name(), id),
                EntryKind::Number | EntryKind::Prefix | EntryKind::Network => Ok(()),
            }
        })
    }

    /// Takes an entry off a list.
    ///
    /// # Errors
    /// There is none.
    pub fn list_remove(
        &mut self,
        scope: &Scope,
        list: ListKind,
        kind: EntryKind,
        value: &str,
        now: Timestamp,
    ) -> Result<(), AccountsError> {
        let value = kind.read(value)?;
        let subject = format!("{} {} {value}", list.as_str(), scope.name());
        self.edit(now, "list remove", &subject, |tx| {
            let found = tables::find_list(tx, &scope.text(), list)?;
            let id = found.ok_or_else(|| AccountsError::NoEntry(value.to_string()))?;
            let removed = match &value {
                Value::Number(listed) => {
                    tables::log_change(tx, id, *listed)?;
                    tables::trim_log(tx)?;
                    tables::remove_number(tx, id, *listed)?
                }
                Value::Pattern(kind, value) => {
                    tables::patterns_changed(tx, id)?;
                    tables::remove_pattern(tx, id, *kind, value)?
                }
            };
            if removed {
                Ok(())
            } else {
                Err(AccountsError::NoEntry(value.to_string()))
            }
        })
    }
}

/// Patterns that are fine one by one may be too large together, and a service that starts
/// reads them together: an edit after which it could not is refused here.
fn check_agents(tx: &Connection, scope: &str, list: ListId) -> Result<(), AccountsError> {
    let agents = tables::patterns(tx, list)?
        .into_iter()
        .filter(|(kind, ..)| *kind == EntryKind::Agent)
        .map(|(_, value, entry)| (value, entry))
        .collect();
    compile_agents(scope, agents).map(drop)
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
