//! Black and white lists, attack groups: their entries as they are edited and stored.

use super::edit::{parse_network, parse_number, require_policy};
use super::entries::{self, NewEntry};
use super::{Accounts, AccountsError, Expiry};
use crate::domain::Timestamp;
use crate::domain::lists::{AgentList, Entry};
use rusqlite::{Connection, ToSql};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

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
    /// Seconds since the epoch; none: stays.
    pub expires_at: Option<i64>,
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
}

impl ListKind {
    /// As it is written and stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.text()
    }

    /// From black, white or group.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Some(Self::from_text(text)).filter(|list| list.text() == text)
    }

    /// From how it is stored.
    pub(super) fn from_text(text: &str) -> Self {
        match text {
            "black" => Self::Black,
            "white" => Self::White,
            _ => Self::Group,
        }
    }

    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Black => "black",
            Self::White => "white",
            Self::Group => "group",
        }
    }
}

impl EntryKind {
    /// As it is written and stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.text()
    }

    /// From number, prefix, network or agent.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Some(Self::from_text(text)).filter(|kind| kind.text() == text)
    }

    /// From how it is stored.
    pub(super) fn from_text(text: &str) -> Self {
        match text {
            "number" => Self::Number,
            "prefix" => Self::Prefix,
            "network" => Self::Network,
            _ => Self::Agent,
        }
    }

    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Prefix => "prefix",
            Self::Network => "network",
            Self::Agent => "agent",
        }
    }

    /// The value in its stored form.
    pub(super) fn canonical(self, value: &str) -> Result<String, AccountsError> {
        match self {
            Self::Number | Self::Prefix => parse_number(value).map(|n| n.to_string()),
            Self::Network => parse_network(value).map(|n| n.to_string()),
            Self::Agent => AgentList::new(vec![(value.to_owned(), Entry::lasting(""))])
                .map(|_| value.to_owned())
                .map_err(|source| AccountsError::BadPattern {
                    pattern: value.to_owned(),
                    source,
                }),
        }
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

impl Accounts {
    /// Lists something, or gives an entry that is there a new reason and expiry.
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
            list,
            kind,
            value: value.to_owned(),
            reason: reason.parse()?,
            source: None,
            expires: expires_at.map(|at| Expiry::from_secs(at.secs())),
        };
        self.transact(now, |edit| {
            if let Scope::Policy { domain, policy } = scope {
                require_policy(edit, &domain.to_ascii_lowercase(), policy)?;
            }
            entries::put(edit, scope, &entry, source)?;
            match kind {
                EntryKind::Agent => check_agents(edit, &scope.text(), list),
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
        self.transact(now, |edit| entries::take(edit, scope, list, kind, value))
    }

    /// Entries of one scope (`None`: of all), at most `limit`.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn list_entries(
        &self,
        scope: Option<&Scope>,
        limit: u32,
    ) -> Result<Vec<ListEntry>, AccountsError> {
        let scope = scope.map(Scope::text);
        self.entries_where(
            "?1 IS NULL OR scope = ?1 ORDER BY scope, list, kind, value LIMIT ?2",
            &[&scope, &limit],
        )
    }

    pub(super) fn entries_where(
        &self,
        condition: &str,
        values: &[&dyn ToSql],
    ) -> Result<Vec<ListEntry>, AccountsError> {
        read_entries(&self.connection, condition, values)
    }
}

pub(super) fn read_entries(
    connection: &Connection,
    condition: &str,
    values: &[&dyn ToSql],
) -> Result<Vec<ListEntry>, AccountsError> {
    let mut statement = connection.prepare(&format!(
        "SELECT scope, list, kind, value, reason, source, expires_at
         FROM list_entry WHERE {condition}"
    ))?;
    let rows = statement.query_map(values, |row| {
        Ok(ListEntry {
            scope: row.get(0)?,
            list: row.get(1)?,
            kind: row.get(2)?,
            value: row.get(3)?,
            reason: row.get(4)?,
            source: row.get(5)?,
            expires_at: row.get(6)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Patterns that are fine one by one may be too large together, and a service that starts
/// reads them together: an edit after which it could not is refused here.
pub(super) fn check_agents(
    tx: &Connection,
    scope: &str,
    list: ListKind,
) -> Result<(), AccountsError> {
    let entries = read_entries(
        tx,
        "kind = ?1 AND scope = ?2 AND list = ?3",
        &[&EntryKind::Agent.text(), &scope, &list.text()],
    )?;
    let agents = entries
        .into_iter()
        .map(|entry| (entry.value, Entry::lasting("")))
        .collect();
    compile_agents(scope, agents).map(drop)
}

/// All user-agent patterns of one list of one scope (empty: the system's).
pub(super) fn compile_agents(
    scope: &str,
    patterns: Vec<(String, Entry)>,
) -> Result<AgentList, AccountsError> {
    AgentList::new(patterns).map_err(|source| AccountsError::PatternsTogether {
        scope: if scope.is_empty() { "system" } else { scope }.to_owned(),
        source,
    })
}
