//! Numbers and prefixes, from the file into memory.
//!
//! Reading ten million of them takes seconds, so a list is read whole only when the service starts
//! or after a large import. Small edits are followed through the log of changes: it names what
//! changed, and what is said of it now is read from the list. So it does no harm to apply a
//! change twice, and lists read at different times are brought to the same state by one log.

use super::tables::{self, ListId, ListRow};
use super::{Accounts, AccountsError};
use crate::domain::Timestamp;
use crate::domain::lists::{Entry, Listed, NumberList, NumberListBuilder};
use rusqlite::{Connection, params};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The epoch of a list that was never read.
const NEVER_READ: i64 = -1;

/// All numbers and prefixes that are listed, up to a place in the log of changes.
#[derive(Clone, Debug, Default)]
pub struct NumberLists {
    /// The last change that is in.
    position: i64,
    lists: HashMap<ListId, Numbers>,
}

#[derive(Clone, Debug)]
struct Numbers {
    epoch: i64,
    list: NumberList,
}

/// What is said of listed things now; `None`: they are listed no more.
type Changes = Vec<(Listed, Option<Entry>)>;
/// Reason and source by the row of their note.
type Notes = HashMap<i64, (Arc<str>, Arc<str>)>;

impl Accounts {
    /// Reads lists whole, however long that takes; for a thread that nobody waits for.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn load_numbers(&self, wanted: &[i64]) -> Result<NumberLists, AccountsError> {
        // Everything below is one state of the file.
        let tx = self.connection.unchecked_transaction()?;
        let rows = tables::lists(&tx)?;
        let rows = rows.iter().filter(|row| wanted.contains(&row.id));
        Ok(NumberLists::load(&tx, rows)?)
    }
}

impl NumberLists {
    /// Reads lists whole.
    pub(super) fn load<'a>(
        c: &Connection,
        rows: impl IntoIterator<Item = &'a ListRow>,
    ) -> rusqlite::Result<Self> {
        let mut read = Self {
            position: last_change(c)?,
            lists: HashMap::new(),
        };
        let notes = notes(c)?;
        for row in rows {
            let numbers = Numbers {
                epoch: row.epoch,
                list: read_list(c, row.id, &notes)?,
            };
            read.lists.insert(row.id, numbers);
        }
        Ok(read)
    }

    /// The numbers of a list; none when it has not been read yet.
    pub(super) fn of(&self, list: ListId) -> NumberList {
        self.lists
            .get(&list)
            .map_or_else(NumberList::default, |numbers| numbers.list.clone())
    }

    /// These lists with what was changed since, and with those that were read anew; also the
    /// lists that must be read whole, because they changed beyond the log.
    pub(super) fn follow(
        &self,
        c: &Connection,
        rows: &[ListRow],
        read: Option<Self>,
    ) -> rusqlite::Result<(Self, Vec<ListId>)> {
        let log = Log::of(c)?;
        let mut from = self.position;
        let mut lists = self.lists.clone();
        let nothing_missed = log.reaches(self.position);
        if !nothing_missed {
            lists.values_mut().for_each(|one| one.epoch = NEVER_READ);
        }
        if let Some(read) = read {
            from = from.min(read.position);
            let reached = log.reaches(read.position);
            for (id, mut numbers) in read.lists {
                if !reached {
                    numbers.epoch = NEVER_READ;
                }
                lists.insert(id, numbers);
            }
        }
        let known: HashSet<ListId> = rows.iter().map(|row| row.id).collect();
        lists.retain(|id, _| known.contains(id));
        for row in rows {
            // A new list is in the log from its first number on, unless it began with an import.
            let is_in_log = nothing_missed && row.epoch == 0;
            lists.entry(row.id).or_insert_with(|| Numbers {
                epoch: if is_in_log { 0 } else { NEVER_READ },
                list: NumberList::default(),
            });
        }
        for (id, changes) in changes(c, from)? {
            if let Some(numbers) = lists.get_mut(&id) {
                numbers.list.apply(changes);
            }
        }
        let stale = rows
            .iter()
            .filter(|row| lists.get(&row.id).is_none_or(|one| one.epoch != row.epoch))
            .map(|row| row.id)
            .collect();
        let followed = Self {
            position: log.last,
            lists,
        };
        Ok((followed, stale))
    }
}

/// What the log of changes holds.
struct Log {
    first: i64,
    last: i64,
}

impl Log {
    fn of(c: &Connection) -> rusqlite::Result<Self> {
        c.query_row(
            "SELECT (SELECT min(seq) FROM list_change), (SELECT max(seq) FROM list_change)",
            [],
            |row| {
                Ok(Self {
                    first: row.get::<_, Option<i64>>(0)?.unwrap_or(1),
                    last: row.get::<_, Option<i64>>(1)?.unwrap_or(0),
                })
            },
        )
    }

    /// Whether every change after `position` is still there. A position beyond the end is that
    /// of another file: a backup was put in the place of this one.
    const fn reaches(&self, position: i64) -> bool {
        self.first <= position + 1 && position <= self.last
    }
}

fn last_change(c: &Connection) -> rusqlite::Result<i64> {
    Log::of(c).map(|log| log.last)
}

/// What is said now of everything that changed after `position`.
fn changes(c: &Connection, position: i64) -> rusqlite::Result<HashMap<ListId, Changes>> {
    let mut statement = c.prepare_cached(
        "SELECT c.list, c.prefix, c.number, n.reason, n.source, m.expires_at
         FROM list_change c
         LEFT JOIN list_number m
             ON m.list = c.list AND m.prefix = c.prefix AND m.number = c.number
         LEFT JOIN list_note n ON n.id = m.note
         WHERE c.seq > ?1 ORDER BY c.seq",
    )?;
    let mut changes: HashMap<ListId, Changes> = HashMap::new();
    let mut rows = statement.query([position])?;
    while let Some(row) = rows.next()? {
        let is_listed = row.get::<_, Option<String>>(3)?.is_some();
        let entry = is_listed.then(|| tables::entry(row, 3)).transpose()?;
        let change = (tables::listed(row, 1)?, entry);
        changes.entry(row.get(0)?).or_default().push(change);
    }
    Ok(changes)
}

fn notes(c: &Connection) -> rusqlite::Result<Notes> {
    let mut sources: HashMap<String, Arc<str>> = HashMap::new();
    let mut statement = c.prepare_cached("SELECT id, reason, source FROM list_note")?;
    let rows = statement.query_map([], |row| {
        let reason: String = row.get(1)?;
        let source: String = row.get(2)?;
        let source = match sources.get(&source) {
            Some(known) => Arc::clone(known),
            None => {
                let new: Arc<str> = source.as_str().into();
                sources.insert(source, Arc::clone(&new));
                new
            }
        };
        Ok((row.get(0)?, (reason.into(), source)))
    })?;
    rows.collect()
}

fn read_list(c: &Connection, list: ListId, notes: &Notes) -> rusqlite::Result<NumberList> {
    let mut statement = c.prepare_cached(
        "SELECT prefix, number, note, expires_at FROM list_number
         WHERE list = ?1 ORDER BY prefix, number",
    )?;
    let mut rows = statement.query(params![list])?;
    let mut builder = NumberListBuilder::default();
    // Neighbours mostly have the same note.
    let mut last = None;
    while let Some(row) = rows.next()? {
        let note: i64 = row.get(2)?;
        let id = match last {
            Some((known, id)) if known == note => id,
            _ => {
                let (reason, source) = notes
                    .get(&note)
                    .ok_or(rusqlite::Error::IntegralValueOutOfRange(2, note))?;
                builder.note(reason, source)
            }
        };
        last = Some((note, id));
        let expires = row.get::<_, Option<i64>>(3)?.map(Timestamp::from_secs);
        builder.push(tables::listed(row, 0)?, id, expires);
    }
    Ok(builder.finish())
}
