//! The lists as the hot path gets them.

use super::numbers::NumberLists;
use super::tables::{self, ListId, ListRow};
use super::{EntryKind, ListKind, compile_agents};
use crate::accounts::AccountsError;
use crate::accounts::edit::parse_network;
use crate::domain::lists::{AccessList, AgentList, NetworkList, NumberList, SystemLists};
use rusqlite::Connection;
use std::collections::HashMap;

/// Every list, in memory.
#[derive(Debug)]
pub(in crate::accounts) struct ServedLists {
    rows: Vec<ListRow>,
    numbers: NumberLists,
    patterns: HashMap<ListId, Patterns>,
    stale: Vec<ListId>,
}

/// Networks and user agents of one list.
#[derive(Clone, Debug, Default)]
struct Patterns {
    version: i64,
    networks: NetworkList,
    agents: AgentList,
}

impl ServedLists {
    /// Reads all lists whole.
    pub(in crate::accounts) fn load(c: &Connection) -> Result<Self, AccountsError> {
        let rows = tables::lists(c)?;
        Ok(Self {
            numbers: NumberLists::load(c, &rows)?,
            patterns: read_patterns(c, &rows, &HashMap::new())?,
            stale: Vec::new(),
            rows,
        })
    }

    /// These lists with what has changed since. Where that is more than the log of changes
    /// holds, what was there stays until the list comes as `read`.
    pub(in crate::accounts) fn follow(
        &self,
        c: &Connection,
        read: Option<NumberLists>,
    ) -> Result<Self, AccountsError> {
        let rows = tables::lists(c)?;
        let (numbers, stale) = self.numbers.follow(c, &rows, read)?;
        Ok(Self {
            numbers,
            patterns: read_patterns(c, &rows, &self.patterns)?,
            stale,
            rows,
        })
    }

    /// Lists that must be read whole to be up to date.
    pub(in crate::accounts) fn stale(&self) -> &[ListId] {
        &self.stale
    }

    pub(in crate::accounts) fn system(&self) -> SystemLists {
        SystemLists {
            black: self.black(""),
            attack_groups: self.whole("", ListKind::Group).networks,
        }
    }

    /// What the policy `domain/policy` refuses (empty: the system).
    pub(in crate::accounts) fn black(&self, scope: &str) -> AccessList {
        self.whole(scope, ListKind::Black)
    }

    /// What the policy `domain/policy` approves at once.
    pub(in crate::accounts) fn white(&self, scope: &str) -> NumberList {
        self.whole(scope, ListKind::White).numbers
    }

    fn whole(&self, scope: &str, list: ListKind) -> AccessList {
        let order =
            |row: &ListRow| (row.scope.as_str(), row.list.as_str()).cmp(&(scope, list.as_str()));
        let Ok(at) = self.rows.binary_search_by(order) else {
            return AccessList::default();
        };
        let id = self.rows[at].id;
        let patterns = self.patterns.get(&id).cloned().unwrap_or_default();
        AccessList {
            numbers: self.numbers.of(id),
            networks: patterns.networks,
            agents: patterns.agents,
        }
    }
}

/// Networks and user agents of all lists; those that have not changed are taken over.
fn read_patterns(
    c: &Connection,
    rows: &[ListRow],
    before: &HashMap<ListId, Patterns>,
) -> Result<HashMap<ListId, Patterns>, AccountsError> {
    let read = |row: &ListRow| match before.get(&row.id) {
        Some(same) if same.version == row.patterns => Ok((row.id, same.clone())),
        _ => Ok((row.id, read_some(c, row)?)),
    };
    rows.iter().map(read).collect()
}

fn read_some(c: &Connection, row: &ListRow) -> Result<Patterns, AccountsError> {
    let mut networks = NetworkList::default();
    let mut agents = Vec::new();
    for (kind, value, entry) in tables::patterns(c, row.id)? {
        match kind {
            EntryKind::Network => networks.insert(parse_network(&value)?, entry),
            _ => agents.push((value, entry)),
        }
    }
    Ok(Patterns {
        version: row.patterns,
        networks,
        agents: compile_agents(row.name(), agents)?,
    })
}
