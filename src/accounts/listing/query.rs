//! Entries as they are shown and exported.

use super::tables::{self, ListRow};
use super::{Accounts, AccountsError, EntryKind, ListEntry, ListKind, Scope};
use rusqlite::{CachedStatement, Connection, Params, Row, named_params};
use std::ops::RangeInclusive;

/// Digits of the longest number.
const DIGITS: u32 = 15;

/// Which entries; what is not given does not matter.
#[derive(Clone, Copy, Debug, Default)]
pub struct EntryFilter<'a> {
    /// Of this scope.
    pub scope: Option<&'a Scope>,
    /// Of this list.
    pub list: Option<ListKind>,
    /// Of this kind.
    pub kind: Option<EntryKind>,
    /// Of exactly this source.
    pub source: Option<&'a str>,
    /// Whose value begins so.
    pub value: Option<&'a str>,
}

impl EntryFilter<'_> {
    fn takes_list(&self, row: &ListRow) -> bool {
        self.scope.is_none_or(|scope| scope.text() == row.scope)
            && self.list.is_none_or(|list| list == row.list)
    }

    /// Numbers with so many digits as may be, that begin as asked.
    fn ranges(&self) -> Vec<RangeInclusive<i64>> {
        let Some(begin) = self.value else {
            return vec![0..=i64::MAX];
        };
        let digits = u32::try_from(begin.len()).unwrap_or(u32::MAX);
        match begin.parse::<i64>() {
            Ok(number) if number > 0 && digits <= DIGITS => (0..=DIGITS - digits)
                .map(|more| {
                    let power = 10i64.pow(more);
                    number * power..=(number + 1) * power - 1
                })
                .collect(),
            _ => Vec::new(),
        }
    }
}

/// Takes entries until there are enough of them, or one is not taken.
struct Taker<F> {
    left: u64,
    take: F,
}

impl Accounts {
    /// Entries of one scope (`None`: of all), at most `limit`.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn list_entries(
        &self,
        scope: Option<&Scope>,
        limit: u32,
    ) -> Result<Vec<ListEntry>, AccountsError> {
        let mut entries = Vec::new();
        let filter = EntryFilter {
            scope,
            ..EntryFilter::default()
        };
        self.list_query(&filter, limit.into(), |entry| {
            entries.push(entry);
            Ok::<_, AccountsError>(())
        })?;
        Ok(entries)
    }

    /// Gives entries one by one to `take`, at most `limit`: by scope, list and kind, numbers in
    /// ascending order. Expired entries are given as long as they are stored.
    ///
    /// # Errors
    /// The database cannot be read, or an entry is not taken.
    pub fn list_query<E: From<AccountsError>>(
        &self,
        filter: &EntryFilter<'_>,
        limit: u64,
        take: impl FnMut(ListEntry) -> Result<(), E>,
    ) -> Result<(), E> {
        let failed = |error: rusqlite::Error| E::from(error.into());
        // One state of the file, whatever is edited meanwhile.
        let tx = self.connection.unchecked_transaction().map_err(failed)?;
        each(&tx, filter, limit, take)
    }
}

/// As [`Accounts::list_query`], within a transaction.
pub(in crate::accounts) fn each<E: From<AccountsError>>(
    c: &Connection,
    filter: &EntryFilter<'_>,
    limit: u64,
    take: impl FnMut(ListEntry) -> Result<(), E>,
) -> Result<(), E> {
    let failed = |error: rusqlite::Error| E::from(error.into());
    let mut taker = Taker { left: limit, take };
    for row in tables::lists(c).map_err(failed)? {
        if !filter.takes_list(&row) {
            continue;
        }
        for kind in EntryKind::ALL {
            if filter.kind.is_none_or(|wanted| wanted == kind) {
                query_kind(c, filter, &row, kind, &mut taker)?;
            }
        }
    }
    Ok(())
}

/// How many entries there are; of the system's lists, or of all policies' together.
pub(in crate::accounts) fn count(c: &Connection, of_system: bool) -> rusqlite::Result<u64> {
    c.query_row(
        "SELECT (SELECT count(*) FROM list_number WHERE list IN (SELECT id FROM list WHERE (scope = '') = ?1))
              + (SELECT count(*) FROM list_pattern WHERE list IN (SELECT id FROM list WHERE (scope = '') = ?1))",
        [of_system],
        |row| row.get::<_, i64>(0),
    )
    .map(i64::cast_unsigned)
}

/// Policies that have lists.
pub(in crate::accounts) fn policy_scopes(c: &Connection) -> rusqlite::Result<Vec<Scope>> {
    let mut scopes: Vec<Scope> = tables::lists(c)?
        .iter()
        .filter_map(|row| row.scope.split_once('/'))
        .map(|(domain, policy)| Scope::Policy {
            domain: domain.to_owned(),
            policy: policy.to_owned(),
        })
        .collect();
    scopes.dedup();
    Ok(scopes)
}

fn query_kind<E: From<AccountsError>, F: FnMut(ListEntry) -> Result<(), E>>(
    c: &Connection,
    filter: &EntryFilter<'_>,
    row: &ListRow,
    kind: EntryKind,
    taker: &mut Taker<F>,
) -> Result<(), E> {
    let failed = |error: rusqlite::Error| E::from(error.into());
    match kind {
        EntryKind::Number | EntryKind::Prefix => {
            let mut statement = c
                .prepare_cached(
                    "SELECT CAST(m.number AS TEXT), n.reason, n.source, m.listed_at, m.expires_at
                         FROM list_number m CROSS JOIN list_note n ON n.id = m.note
                         WHERE m.list = :list AND m.prefix = :prefix
                           AND m.number BETWEEN :first AND :last
                           AND (:source IS NULL OR n.source = :source)
                         ORDER BY m.number LIMIT :limit",
                )
                .map_err(failed)?;
            for range in filter.ranges() {
                let limit = i64::try_from(taker.left).unwrap_or(i64::MAX);
                let values = named_params! {
                    ":list": row.id, ":prefix": kind == EntryKind::Prefix,
                    ":first": range.start(), ":last": range.end(),
                    ":source": filter.source, ":limit": limit,
                };
                taker.take_all(&mut statement, values, row, kind)?;
            }
            Ok(())
        }
        EntryKind::Network | EntryKind::Agent => {
            let mut statement = c
                .prepare_cached(
                    "SELECT p.value, n.reason, n.source, p.listed_at, p.expires_at
                         FROM list_pattern p CROSS JOIN list_note n ON n.id = p.note
                         WHERE p.list = :list AND p.kind = :kind
                           AND (:value IS NULL OR substr(p.value, 1, length(:value)) = :value)
                           AND (:source IS NULL OR n.source = :source)
                         ORDER BY p.value LIMIT :limit",
                )
                .map_err(failed)?;
            let limit = i64::try_from(taker.left).unwrap_or(i64::MAX);
            let values = named_params! {
                ":list": row.id, ":kind": kind.as_str(), ":value": filter.value,
                ":source": filter.source, ":limit": limit,
            };
            taker.take_all(&mut statement, values, row, kind)
        }
    }
}

impl<F> Taker<F> {
    fn take_all<E: From<AccountsError>>(
        &mut self,
        statement: &mut CachedStatement<'_>,
        values: impl Params,
        list: &ListRow,
        kind: EntryKind,
    ) -> Result<(), E>
    where
        F: FnMut(ListEntry) -> Result<(), E>,
    {
        let failed = |error: rusqlite::Error| E::from(error.into());
        let mut rows = statement.query(values).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            (self.take)(entry_of(row, list, kind).map_err(failed)?)?;
            self.left = self.left.saturating_sub(1);
        }
        Ok(())
    }
}

/// From the columns `value, reason, source, listed_at, expires_at`.
pub(super) fn entry_of(
    row: &Row<'_>,
    list: &ListRow,
    kind: EntryKind,
) -> rusqlite::Result<ListEntry> {
    Ok(ListEntry {
        scope: list.scope.clone(),
        list: list.list.as_str().to_owned(),
        kind: kind.as_str().to_owned(),
        value: row.get(0)?,
        reason: row.get(1)?,
        source: row.get(2)?,
        listed_at: row.get(3)?,
        expires_at: row.get(4)?,
    })
}
