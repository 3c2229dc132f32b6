//! The tables of the lists, statement by statement.

use super::{EntryKind, ListKind};
use crate::domain::Number;
use crate::domain::Timestamp;
use crate::domain::lists::{Entry, Listed};
use rusqlite::types::Type;
use rusqlite::{Connection, Error, OptionalExtension, Result, Row, params};

/// Changes of numbers that are kept for those who follow them. Who is further behind reads the
/// lists anew.
const CHANGES_KEPT: i64 = 65_536;

/// A list, by its row.
pub(in crate::accounts) type ListId = i64;

/// One list.
#[derive(Clone, Debug)]
pub(super) struct ListRow {
    pub(super) id: ListId,
    /// Empty: the system's; else `domain/policy`.
    pub(super) scope: String,
    pub(super) list: ListKind,
    /// Grows when its numbers change beyond the log.
    pub(super) epoch: i64,
    /// Grows with every edit of its networks and user agents.
    pub(super) patterns: i64,
    pub(super) expires_from: Option<i64>,
}

impl ListRow {
    /// In messages and the audit log.
    pub(super) fn name(&self) -> &str {
        match self.scope.as_str() {
            "" => "system",
            scope => scope,
        }
    }
}

/// What is said of an entry; times in seconds since the epoch.
#[derive(Clone, Copy, Debug)]
pub(in crate::accounts) struct Said {
    pub(in crate::accounts) note: i64,
    pub(in crate::accounts) listed_at: i64,
    pub(in crate::accounts) expires_at: Option<i64>,
}

/// All lists, the system's first.
pub(super) fn lists(c: &Connection) -> Result<Vec<ListRow>> {
    let mut statement = c.prepare_cached(
        "SELECT id, scope, list, epoch, patterns, expires_from FROM list ORDER BY scope, list",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(ListRow {
            id: row.get(0)?,
            scope: row.get(1)?,
            list: named(row, 2, |name| {
                [ListKind::Black, ListKind::White, ListKind::Group]
                    .into_iter()
                    .find(|list| list.as_str() == name)
            })?,
            epoch: row.get(3)?,
            patterns: row.get(4)?,
            expires_from: row.get(5)?,
        })
    })?;
    rows.collect()
}

pub(in crate::accounts) fn find_list(
    c: &Connection,
    scope: &str,
    list: ListKind,
) -> Result<Option<ListId>> {
    c.query_row(
        "SELECT id FROM list WHERE scope = ?1 AND list = ?2",
        params![scope, list.as_str()],
        |row| row.get(0),
    )
    .optional()
}

pub(in crate::accounts) fn ensure_list(
    tx: &Connection,
    scope: &str,
    list: ListKind,
) -> Result<ListId> {
    if let Some(there) = find_list(tx, scope, list)? {
        return Ok(there);
    }
    tx.execute(
        "INSERT INTO list (scope, list) VALUES (?1, ?2)",
        params![scope, list.as_str()],
    )?;
    Ok(tx.last_insert_rowid())
}

pub(in crate::accounts) fn ensure_note(tx: &Connection, reason: &str, source: &str) -> Result<i64> {
    tx.execute(
        "INSERT OR IGNORE INTO list_note (reason, source) VALUES (?1, ?2)",
        [reason, source],
    )?;
    tx.query_row(
        "SELECT id FROM list_note WHERE reason = ?1 AND source = ?2",
        [reason, source],
        |row| row.get(0),
    )
}

pub(in crate::accounts) fn put_number(
    tx: &Connection,
    list: ListId,
    listed: Listed,
    said: Said,
) -> Result<()> {
    let (prefix, number) = columns(listed);
    tx.execute(
        "INSERT INTO list_number (list, prefix, number, note, listed_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT DO UPDATE SET note = excluded.note, listed_at = excluded.listed_at,
             expires_at = excluded.expires_at",
        params![
            list,
            prefix,
            number,
            said.note,
            said.listed_at,
            said.expires_at
        ],
    )?;
    Ok(())
}

pub(in crate::accounts) fn put_pattern(
    tx: &Connection,
    list: ListId,
    kind: EntryKind,
    value: &str,
    said: Said,
) -> Result<()> {
    tx.execute(
        "INSERT INTO list_pattern (list, kind, value, note, listed_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT DO UPDATE SET note = excluded.note, listed_at = excluded.listed_at,
             expires_at = excluded.expires_at",
        params![
            list,
            kind.as_str(),
            value,
            said.note,
            said.listed_at,
            said.expires_at
        ],
    )?;
    Ok(())
}

pub(in crate::accounts) fn remove_number(
    tx: &Connection,
    list: ListId,
    listed: Listed,
) -> Result<bool> {
    let (prefix, number) = columns(listed);
    let removed = tx.execute(
        "DELETE FROM list_number WHERE list = ?1 AND prefix = ?2 AND number = ?3",
        params![list, prefix, number],
    )?;
    Ok(removed > 0)
}

pub(in crate::accounts) fn remove_pattern(
    tx: &Connection,
    list: ListId,
    kind: EntryKind,
    value: &str,
) -> Result<bool> {
    let removed = tx.execute(
        "DELETE FROM list_pattern WHERE list = ?1 AND kind = ?2 AND value = ?3",
        params![list, kind.as_str(), value],
    )?;
    Ok(removed > 0)
}

/// What is said of a number or prefix that is listed.
pub(in crate::accounts) fn number_entry(
    c: &Connection,
    list: ListId,
    listed: Listed,
) -> Result<Option<Entry>> {
    let (prefix, number) = columns(listed);
    c.prepare_cached(
        "SELECT n.reason, n.source, m.expires_at FROM list_number m JOIN list_note n ON n.id = m.note
         WHERE m.list = ?1 AND m.prefix = ?2 AND m.number = ?3",
    )?
    .query_row(params![list, prefix, number], |row| entry(row, 0))
    .optional()
}

/// What is said of a network or user-agent pattern that is listed.
pub(in crate::accounts) fn pattern_entry(
    c: &Connection,
    list: ListId,
    kind: EntryKind,
    value: &str,
) -> Result<Option<Entry>> {
    c.prepare_cached(
        "SELECT n.reason, n.source, p.expires_at FROM list_pattern p JOIN list_note n ON n.id = p.note
         WHERE p.list = ?1 AND p.kind = ?2 AND p.value = ?3",
    )?
    .query_row(params![list, kind.as_str(), value], |row| entry(row, 0))
    .optional()
}

/// Says that an entry was listed, changed or taken off.
pub(in crate::accounts) fn log_change(tx: &Connection, list: ListId, listed: Listed) -> Result<()> {
    let (prefix, number) = columns(listed);
    tx.execute(
        "INSERT INTO list_change (list, prefix, number) VALUES (?1, ?2, ?3)",
        params![list, prefix, number],
    )?;
    Ok(())
}

pub(in crate::accounts) fn trim_log(tx: &Connection) -> Result<()> {
    tx.execute(
        "DELETE FROM list_change WHERE seq <= (SELECT max(seq) FROM list_change) - ?1",
        [CHANGES_KEPT],
    )?;
    Ok(())
}

pub(in crate::accounts) fn patterns_changed(tx: &Connection, list: ListId) -> Result<()> {
    tx.execute(
        "UPDATE list SET patterns = patterns + 1 WHERE id = ?1",
        [list],
    )?;
    Ok(())
}

/// Keeps in mind from when on something in the list expires.
pub(in crate::accounts) fn note_expiry(
    tx: &Connection,
    list: ListId,
    expires_at: Option<i64>,
) -> Result<()> {
    if let Some(at) = expires_at {
        tx.execute(
            "UPDATE list SET expires_from = min(coalesce(expires_from, ?2), ?2) WHERE id = ?1",
            params![list, at],
        )?;
    }
    Ok(())
}

/// Forgets the lists of a policy, or, when `scope` ends with `/`, of all policies of a domain.
pub(in crate::accounts) fn forget(tx: &Connection, scope: &str) -> Result<()> {
    let of_domain = scope.ends_with('/');
    let mine = |row: &ListRow| match of_domain {
        true => row.scope.starts_with(scope),
        false => row.scope == scope,
    };
    for row in lists(tx)?.into_iter().filter(mine) {
        for table in ["list_number", "list_pattern"] {
            tx.execute(&format!("DELETE FROM {table} WHERE list = ?1"), [row.id])?;
        }
        tx.execute("DELETE FROM list WHERE id = ?1", [row.id])?;
    }
    Ok(())
}

/// Networks and user agents of a list.
pub(super) fn patterns(c: &Connection, list: ListId) -> Result<Vec<(EntryKind, String, Entry)>> {
    let mut statement = c.prepare_cached(
        "SELECT p.kind, p.value, n.reason, n.source, p.expires_at
         FROM list_pattern p JOIN list_note n ON n.id = p.note
         WHERE p.list = ?1 ORDER BY p.kind, p.value",
    )?;
    let rows = statement.query_map([list], |row| {
        Ok((
            named(row, 0, EntryKind::parse)?,
            row.get(1)?,
            entry(row, 2)?,
        ))
    })?;
    rows.collect()
}

/// An entry from the columns `reason, source, expires_at`, the first of which is `at`.
pub(super) fn entry(row: &Row<'_>, at: usize) -> Result<Entry> {
    Ok(Entry {
        reason: row.get::<_, String>(at)?.into(),
        source: row.get::<_, String>(at + 1)?.into(),
        expires: row.get::<_, Option<i64>>(at + 2)?.map(Timestamp::from_secs),
    })
}

/// The columns `prefix, number`.
pub(super) const fn columns(listed: Listed) -> (bool, i64) {
    match listed {
        Listed::Number(number) => (false, number.as_u64().cast_signed()),
        Listed::Prefix(prefix) => (true, prefix.as_u64().cast_signed()),
    }
}

/// From the columns `prefix, number`, the first of which is `at`.
pub(super) fn listed(row: &Row<'_>, at: usize) -> Result<Listed> {
    let stored: i64 = row.get(at + 1)?;
    let number = u64::try_from(stored).ok().and_then(Number::from_u64);
    let number = number.ok_or(Error::IntegralValueOutOfRange(at + 1, stored))?;
    Ok(match row.get(at)? {
        true => Listed::Prefix(number),
        false => Listed::Number(number),
    })
}

/// A name that stands for a value.
fn named<T>(row: &Row<'_>, at: usize, value: impl Fn(&str) -> Option<T>) -> Result<T> {
    let name: String = row.get(at)?;
    value(&name).ok_or_else(|| {
        let unknown = format!("unknown name `{name}`");
        Error::FromSqlConversionFailure(at, Type::Text, unknown.into())
    })
}
