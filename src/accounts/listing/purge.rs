//! Expired entries leave the file.
//!
//! The running service does this every hour: it is the one process that is always there, and
//! nobody else reads the lists. An entry does not count from the instant it expires; it is kept
//! for a day more, so that `tfps list check` can still say why a call was refused.

use super::tables::{self, ListRow};
use super::{Accounts, AccountsError};
use crate::accounts::audit::{self, Actor};
use crate::domain::Timestamp;
use rusqlite::{Connection, TransactionBehavior, params};

/// Seconds an expired entry is kept.
const KEPT: i64 = 24 * 3_600;
/// Entries taken off in one transaction: other edits wait for no more than that.
const PIECE: usize = 10_000;
/// Notes that nobody uses any more do not matter below so many notes.
const NOTES: i64 = 10_000;

/// One table of entries and the columns that tell them apart within a list.
struct Part {
    /// The next entries that have expired, after a given one.
    find: &'static str,
    remove: &'static str,
    /// Tells those who follow the list that an entry is gone.
    tell: &'static str,
}

const NUMBERS: Part = Part {
    find: "SELECT prefix, number FROM list_number
           WHERE list = ?1 AND (prefix, number) > (?2, ?3) AND expires_at <= ?4
           ORDER BY prefix, number LIMIT ?5",
    remove: "DELETE FROM list_number
             WHERE list = ?1 AND prefix = ?2 AND number = ?3 AND expires_at <= ?4",
    tell: "INSERT INTO list_change (list, prefix, number) VALUES (?1, ?2, ?3)",
};
const PATTERNS: Part = Part {
    find: "SELECT kind, value FROM list_pattern
           WHERE list = ?1 AND (kind, value) > (?2, ?3) AND expires_at <= ?4
           ORDER BY kind, value LIMIT ?5",
    remove: "DELETE FROM list_pattern
             WHERE list = ?1 AND kind = ?2 AND value = ?3 AND expires_at <= ?4",
    tell: "UPDATE list SET patterns = patterns + 1
           WHERE id = ?1 AND ?2 IS NOT NULL AND ?3 IS NOT NULL",
};

/// An entry within its list, as its key columns stand in the table.
type Key = (rusqlite::types::Value, rusqlite::types::Value);

impl Accounts {
    /// Takes entries off that expired more than a day ago, some at a time, each time with a line
    /// in the audit log; how many.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn purge_expired(&mut self, now: Timestamp) -> Result<u64, AccountsError> {
        let until = now.secs() - KEPT;
        let mut purged = 0;
        for list in tables::lists(&self.connection)? {
            if list.expires_from.is_none_or(|from| from > until) {
                continue;
            }
            let least = |kind: &str| (kind.to_owned().into(), String::new().into());
            purged += self.purge_part(&NUMBERS, &list, (0.into(), 0.into()), until, now)?;
            purged += self.purge_part(&PATTERNS, &list, least(""), until, now)?;
            let tx = self
                .connection
                .transaction_with_behavior(TransactionBehavior::Immediate)?;
            tx.execute(
                "UPDATE list SET expires_from =
                     (SELECT min(at) FROM
                         (SELECT min(expires_at) AS at FROM list_number WHERE list = ?1
                          UNION ALL
                          SELECT min(expires_at) FROM list_pattern WHERE list = ?1))
                 WHERE id = ?1",
                [list.id],
            )?;
            tx.commit()?;
        }
        Ok(purged)
    }

    fn purge_part(
        &mut self,
        part: &Part,
        list: &ListRow,
        mut after: Key,
        until: i64,
        now: Timestamp,
    ) -> Result<u64, AccountsError> {
        let mut purged = 0;
        loop {
            // Found without a lock on the file; that each is still expired is asked again below.
            let piece = find(&self.connection, part.find, list, &after, until)?;
            let Some(last) = piece.last() else {
                return Ok(purged);
            };
            after.clone_from(last);
            let tx = self
                .connection
                .transaction_with_behavior(TransactionBehavior::Immediate)?;
            let mut removed = 0;
            {
                let mut remove = tx.prepare_cached(part.remove)?;
                let mut tell = tx.prepare_cached(part.tell)?;
                for (first, second) in &piece {
                    removed += remove.execute(params![list.id, first, second, until])?;
                    tell.execute(params![list.id, first, second])?;
                }
            }
            tables::trim_log(&tx)?;
            let subject = format!(
                "{} {}: {removed} expired entries",
                list.list.as_str(),
                list.name()
            );
            audit::enter(&tx, now, &Actor::Program, "list purge", &subject, None)?;
            tx.commit()?;
            purged += removed as u64;
        }
    }

    /// Forgets reasons and sources that no entry has any more, once there are many. Looks at
    /// every entry, and edits wait meanwhile, some seconds with ten million: for once a day.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn sweep_notes(&mut self) -> Result<(), AccountsError> {
        if count_notes(&self.connection)? >= NOTES {
            sweep_notes(&self.connection, "")?;
        }
        Ok(())
    }
}

pub(super) fn count_notes(c: &Connection) -> rusqlite::Result<i64> {
    c.query_row("SELECT count(*) FROM list_note", [], |row| row.get(0))
}

/// Forgets notes that no entry has, and to which the condition `and` applies.
pub(super) fn sweep_notes(c: &Connection, and: &str) -> rusqlite::Result<usize> {
    c.execute(
        &format!(
            "DELETE FROM main.list_note WHERE id NOT IN
                 (SELECT note FROM list_number UNION SELECT note FROM list_pattern) {and}"
        ),
        [],
    )
}

fn find(
    c: &Connection,
    statement: &str,
    list: &ListRow,
    after: &Key,
    until: i64,
) -> rusqlite::Result<Vec<Key>> {
    let mut statement = c.prepare_cached(statement)?;
    let values = params![list.id, after.0, after.1, until, PIECE.cast_signed()];
    let rows = statement.query_map(values, |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}
