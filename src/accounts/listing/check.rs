//! Which entries cover a number, an address or a user agent, and which of them decides.
//!
//! Asked of the file, so that it costs some look-ups and not a load of every list; what decides
//! is said by the rules of `domain::lists`: the number itself, the longest prefix, the smallest
//! network, the first pattern, of those that have not expired.

use super::query::entry_of;
use super::tables::{self, ListRow};
use super::{Accounts, AccountsError, EntryKind, ListEntry, ListKind};
use crate::accounts::edit::parse_network;
use crate::domain::lists::Entry;
use crate::domain::{Check, Number, Timestamp};
use rusqlite::{Connection, params};
use serde::Serialize;
use std::cmp::Reverse;
use std::net::IpAddr;

/// What is looked for.
#[derive(Clone, Copy, Debug)]
pub enum Sought<'a> {
    /// A called number, E.164.
    Number(Number),
    /// The address of a customer's device.
    Address(IpAddr),
    /// Its User-Agent.
    Agent(&'a str),
}

/// What becomes of an entry that covers what is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum MatchState {
    /// It decides.
    Decides,
    /// It would, were there not a closer one on the same list.
    Covered,
    /// It counts no more.
    Expired,
}

/// An entry that covers what is looked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ListMatch {
    /// The entry.
    #[serde(flatten)]
    pub entry: ListEntry,
    /// Whether it decides.
    pub state: MatchState,
    /// The code of a refusal; none: the policy's whitelist approves at once.
    pub code: Option<&'static str>,
}

impl Accounts {
    /// Every entry of every list that covers `sought`, list by list, the closest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn list_check(
        &self,
        sought: Sought<'_>,
        now: Timestamp,
    ) -> Result<Vec<ListMatch>, AccountsError> {
        let tx = self.connection.unchecked_transaction()?;
        let mut matches = Vec::new();
        for row in tables::lists(&tx)? {
            let found = match sought {
                Sought::Number(number) => numbers(&tx, &row, number)?,
                Sought::Address(address) => networks(&tx, &row, address)?,
                Sought::Agent(agent) => agents(&tx, &row, agent, now)?,
            };
            let mut decided = false;
            for entry in found {
                let expires = entry.expires_at.map(Timestamp::from_secs);
                let state = match (expires.is_none_or(|until| now < until), decided) {
                    (false, _) => MatchState::Expired,
                    (true, true) => MatchState::Covered,
                    (true, false) => MatchState::Decides,
                };
                decided |= state == MatchState::Decides;
                matches.push(ListMatch {
                    code: code(&row, &entry).map(Check::as_str),
                    entry,
                    state,
                });
            }
        }
        Ok(matches)
    }
}

/// The check that reads the list.
fn code(list: &ListRow, entry: &ListEntry) -> Option<Check> {
    match (list.list, list.scope.is_empty()) {
        (ListKind::White, _) => None,
        (ListKind::Group, _) => Some(Check::R12),
        (ListKind::Black, false) => Some(Check::R14),
        (ListKind::Black, true) => Some(match EntryKind::parse(&entry.kind) {
            Some(EntryKind::Network) => Check::R02,
            Some(EntryKind::Agent) => Check::R01,
            _ => Check::R03,
        }),
    }
}

fn numbers(c: &Connection, list: &ListRow, number: Number) -> rusqlite::Result<Vec<ListEntry>> {
    let mut statement = c.prepare_cached(
        "SELECT CAST(m.number AS TEXT), n.reason, n.source, m.listed_at, m.expires_at
         FROM list_number m CROSS JOIN list_note n ON n.id = m.note
         WHERE m.list = ?1 AND m.prefix = ?2 AND m.number = ?3",
    )?;
    let whole = std::iter::once((EntryKind::Number, number.as_u64()));
    let prefixes = (1..=number.digits())
        .rev()
        .map(|digits| (EntryKind::Prefix, number.prefix(digits)));
    let mut found = Vec::new();
    for (kind, value) in whole.chain(prefixes) {
        let is_prefix = kind == EntryKind::Prefix;
        let values = params![list.id, is_prefix, value.cast_signed()];
        let rows = statement.query_map(values, |row| entry_of(row, list, kind))?;
        for entry in rows {
            found.push(entry?);
        }
    }
    Ok(found)
}

fn networks(
    c: &Connection,
    list: &ListRow,
    address: IpAddr,
) -> Result<Vec<ListEntry>, AccountsError> {
    let address = address.to_canonical();
    let mut found = Vec::new();
    for entry in patterns(c, list, EntryKind::Network)? {
        let network = parse_network(&entry.value)?;
        if network.contains(&address) {
            found.push((Reverse(network.prefix_len()), entry));
        }
    }
    found.sort_by_key(|(length, _)| *length);
    Ok(found.into_iter().map(|(_, entry)| entry).collect())
}

fn agents(
    c: &Connection,
    list: &ListRow,
    agent: &str,
    now: Timestamp,
) -> Result<Vec<ListEntry>, AccountsError> {
    let mut found = Vec::new();
    for entry in patterns(c, list, EntryKind::Agent)? {
        let alone = vec![(entry.value.clone(), Entry::lasting(""))];
        if super::compile_agents(list.name(), alone)?
            .find(agent, now)
            .is_some()
        {
            found.push(entry);
        }
    }
    Ok(found)
}

fn patterns(c: &Connection, list: &ListRow, kind: EntryKind) -> rusqlite::Result<Vec<ListEntry>> {
    let mut statement = c.prepare_cached(
        "SELECT p.value, n.reason, n.source, p.listed_at, p.expires_at
         FROM list_pattern p CROSS JOIN list_note n ON n.id = p.note
         WHERE p.list = ?1 AND p.kind = ?2 ORDER BY p.value",
    )?;
    let rows = statement.query_map(params![list.id, kind.as_str()], |row| {
        entry_of(row, list, kind)
    })?;
    rows.collect()
}
