//! Many entries at once: a file of ten million, a feed that comes anew every day.
//!
//! Entries are first gathered in temporary tables, which touch nothing, take no lock and vanish
//! with the process. They are then sorted, which makes ten million insertions fast, and merged in
//! one transaction: all of them or none.

use super::merge::{Manner, merge};
use super::tables;
use super::{
    Accounts, AccountsError, EntryKind, ListKind, RawEntry, Scope, Value, check_agents,
    require_scope,
};
use crate::accounts::audit;
use crate::domain::Timestamp;
use rusqlite::{TransactionBehavior, params};
use serde::Serialize;
use std::collections::HashMap;

/// Reasons and sources kept at hand.
const NOTES_AT_HAND: usize = 4_096;
/// More rows than this leave a log that is worth folding into the file at once.
const MANY: u64 = 100_000;

const GATHER: &str = "
    PRAGMA main.cache_size = -65536;
    PRAGMA temp.cache_size = -65536;
    BEGIN;
    CREATE TEMP TABLE staged_note (
        id INTEGER PRIMARY KEY, reason TEXT NOT NULL, source TEXT NOT NULL, listed INTEGER,
        UNIQUE (reason, source));
    CREATE TEMP TABLE gathered_number (prefix INTEGER, number INTEGER, note INTEGER, expires_at INTEGER);
    CREATE TEMP TABLE gathered_pattern (kind TEXT, value TEXT, note INTEGER, expires_at INTEGER);";
/// Of entries that stand in the file twice the last one counts.
const SORT: &str = "
    CREATE TEMP TABLE staged_number (prefix INTEGER, number INTEGER, note INTEGER, expires_at INTEGER,
        PRIMARY KEY (prefix, number)) WITHOUT ROWID;
    INSERT OR REPLACE INTO staged_number
        SELECT prefix, number, note, expires_at FROM gathered_number ORDER BY prefix, number, rowid;
    CREATE TEMP TABLE staged_pattern (kind TEXT, value TEXT, note INTEGER, expires_at INTEGER,
        PRIMARY KEY (kind, value)) WITHOUT ROWID;
    INSERT OR REPLACE INTO staged_pattern
        SELECT kind, value, note, expires_at FROM gathered_pattern ORDER BY kind, value, rowid;
    COMMIT;";
const CLEAR: &str = "
    DROP TABLE IF EXISTS temp.gathered_number;
    DROP TABLE IF EXISTS temp.gathered_pattern;
    DROP TABLE IF EXISTS temp.staged_number;
    DROP TABLE IF EXISTS temp.staged_pattern;
    DROP TABLE IF EXISTS temp.staged_note;
    PRAGMA main.cache_size = -2000;
    PRAGMA temp.cache_size = -2000;";

/// What an import came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Imported {
    /// Entries given.
    pub entries: u64,
    /// Of these, given more than once; the last one counted.
    pub duplicates: u64,
    /// Of these, expired before they were listed, and left out.
    pub expired: u64,
    /// Now on the list, and not before.
    pub added: u64,
    /// On the list before, now with another reason, source or expiry.
    pub changed: u64,
    /// On the list before just so.
    pub unchanged: u64,
    /// On the list before by another source, and left as they were.
    pub kept: u64,
    /// Taken off, as they were of the source that was replaced and not in the file.
    pub removed: u64,
}

impl Imported {
    pub(super) const fn changes(&self) -> u64 {
        self.added + self.changed + self.removed
    }
}

/// Entries on their way into one list. Dropped before [`ListImport::finish`], it leaves nothing.
#[derive(Debug)]
pub struct ListImport<'a> {
    accounts: &'a mut Accounts,
    scope: Scope,
    list: ListKind,
    replace: Option<String>,
    take_over: bool,
    now: Timestamp,
    notes: HashMap<String, i64>,
    /// Reason, source and note of the entry before: mostly the next one's too.
    last_note: Option<(String, String, i64)>,
    entries: u64,
    expired: u64,
    earliest: Option<i64>,
    agents: bool,
}

impl Accounts {
    /// Begins to bring entries into a list. With `replace`, all entries of that source that do
    /// not come go.
    ///
    /// # Errors
    /// There is no such policy, or no room for what is to come.
    pub fn list_import(
        &mut self,
        scope: &Scope,
        list: ListKind,
        replace: Option<&str>,
        now: Timestamp,
    ) -> Result<ListImport<'_>, AccountsError> {
        require_scope(&self.connection, scope)?;
        let import = ListImport {
            accounts: self,
            scope: scope.clone(),
            list,
            replace: replace.map(str::to_owned),
            take_over: false,
            now,
            notes: HashMap::new(),
            last_note: None,
            entries: 0,
            expired: 0,
            earliest: None,
            agents: false,
        };
        import.accounts.connection.execute_batch(GATHER)?;
        Ok(import)
    }
}

impl ListImport<'_> {
    /// Whether entries that another source has listed become this import's, which then may also
    /// take them off; otherwise they are kept as they are.
    pub const fn take_over(&mut self, yes: bool) {
        self.take_over = yes;
    }

    /// One more entry.
    ///
    /// # Errors
    /// It is none, or does not fit the list; the others are not affected.
    pub fn add(&mut self, entry: &RawEntry<'_>) -> Result<(), AccountsError> {
        let value = entry.checked(&self.scope, self.list)?;
        if self
            .replace
            .as_deref()
            .is_some_and(|name| name != entry.source)
        {
            return Err(AccountsError::OtherSource(entry.source.to_owned()));
        }
        self.entries += 1;
        if entry.expires.is_some_and(|at| at <= self.now) {
            self.expired += 1;
            return Ok(());
        }
        let expires_at = entry.expires.map(Timestamp::secs);
        self.earliest = match (self.earliest, expires_at) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        let note = self.note(entry.reason, entry.source)?;
        let c = &self.accounts.connection;
        match value {
            Value::Number(listed) => {
                let (prefix, number) = tables::columns(listed);
                c.prepare_cached("INSERT INTO temp.gathered_number VALUES (?1, ?2, ?3, ?4)")?
                    .execute(params![prefix, number, note, expires_at])?;
            }
            Value::Pattern(kind, value) => {
                self.agents |= kind == EntryKind::Agent;
                c.prepare_cached("INSERT INTO temp.gathered_pattern VALUES (?1, ?2, ?3, ?4)")?
                    .execute(params![kind.as_str(), value, note, expires_at])?;
            }
        }
        Ok(())
    }

    fn note(&mut self, reason: &str, source: &str) -> Result<i64, AccountsError> {
        match &self.last_note {
            Some((r, s, id)) if r == reason && s == source => Ok(*id),
            _ => {
                let id = self.new_note(reason, source)?;
                self.last_note = Some((reason.to_owned(), source.to_owned(), id));
                Ok(id)
            }
        }
    }

    fn new_note(&mut self, reason: &str, source: &str) -> Result<i64, AccountsError> {
        // Neither has control characters.
        let both = format!("{source}\0{reason}");
        if let Some(&known) = self.notes.get(&both) {
            return Ok(known);
        }
        let c = &self.accounts.connection;
        c.prepare_cached(
            "INSERT OR IGNORE INTO temp.staged_note (reason, source) VALUES (?1, ?2)",
        )?
        .execute([reason, source])?;
        let id = c
            .prepare_cached("SELECT id FROM temp.staged_note WHERE reason = ?1 AND source = ?2")?
            .query_row([reason, source], |row| row.get(0))?;
        if self.notes.len() >= NOTES_AT_HAND {
            self.notes.clear();
        }
        self.notes.insert(both, id);
        Ok(id)
    }

    /// Puts the entries on the list, all of them or none. `from` names where they come from, for
    /// the audit log; when nothing changes, nothing is written there either.
    ///
    /// # Errors
    /// The policy has gone meanwhile, the user-agent patterns are too large together, there are
    /// too many different reasons, or the database cannot be written.
    pub fn finish(self, from: &str) -> Result<Imported, AccountsError> {
        let c = &self.accounts.connection;
        c.execute_batch(SORT)?;
        let tx = rusqlite::Transaction::new_unchecked(c, TransactionBehavior::Immediate)?;
        require_scope(&tx, &self.scope)?;
        let list = tables::ensure_list(&tx, &self.scope.text(), self.list)?;
        let manner = Manner {
            replace: self.replace.as_deref(),
            take_over: self.take_over,
        };
        let mut done = merge(&tx, list, manner, self.now)?;
        done.entries = self.entries;
        done.expired = self.expired;
        tables::note_expiry(&tx, list, self.earliest)?;
        if self.agents {
            check_agents(&tx, &self.scope, self.list)?;
        }
        if done.changes() == 0 {
            return Ok(done);
        }
        let subject = format!(
            "{} {} from {from}: {} entries, {} added, {} changed, {} unchanged, {} kept, {} removed, \
             {} duplicates, {} expired before",
            self.list.as_str(),
            self.scope.name(),
            done.entries,
            done.added,
            done.changed,
            done.unchanged,
            done.kept,
            done.removed,
            done.duplicates,
            done.expired,
        );
        audit::enter(
            &tx,
            self.now,
            &self.accounts.actor,
            "list import",
            &subject,
            None,
        )?;
        tx.commit()?;
        if done.changes() > MANY {
            // Only saves disk: who reads the lists at this moment may prevent it.
            drop(c.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())));
        }
        Ok(done)
    }
}

impl Drop for ListImport<'_> {
    fn drop(&mut self) {
        let c = &self.accounts.connection;
        if !c.is_autocommit() {
            // An import that was not finished; nothing but temporary tables is in it.
            drop(c.execute_batch("ROLLBACK"));
        }
        // They would go with the connection anyway.
        drop(c.execute_batch(CLEAR));
    }
}
