//! Staged entries, into the list they are for.
//!
//! What is on the list already and the same is left alone, so that the same file once more changes
//! nothing. What another source has listed is that source's: it is kept as it is, so that a feed
//! that comes anew every day neither takes an operator's own entry over nor, later, takes it off.
//! Unless it has expired, or taking over is what is asked for. A few changes are told entry by entry in the log of changes; beyond that the list is
//! marked as changed, and whoever serves it reads it whole in the background.
//!
//! All is done by SQLite statements over whole tables: ten million times around a loop here would
//! take as long again.

use super::bulk::Imported;
use super::purge::{count_notes, sweep_notes};
use super::tables::{self, ListId};
use crate::accounts::AccountsError;
use crate::domain::Timestamp;
use rusqlite::{Connection, Row, named_params};

/// More changes than this are not told one by one.
const TOLD: u64 = 8_192;
/// Different pairs of reason and source in all lists together: a service holds them in memory.
const MOST_NOTES: i64 = 1_000_000;

/// How entries come into a list.
#[derive(Clone, Copy)]
pub(super) struct Manner<'a> {
    /// What is of this source and not staged goes.
    pub(super) replace: Option<&'a str>,
    /// Entries of other sources become the staged ones'.
    pub(super) take_over: bool,
}

/// Merges the tables `temp.staged_*` into a list, within a transaction.
pub(super) fn merge(
    tx: &Connection,
    list: ListId,
    manner: Manner<'_>,
    now: Timestamp,
) -> Result<Imported, AccountsError> {
    number_notes(tx, MOST_NOTES)?;
    let of = |part| Merge {
        tx,
        list,
        manner,
        now: now.secs(),
        part,
    };
    let (numbers, patterns) = (of(&NUMBERS), of(&PATTERNS));
    let mut done = Imported::default();
    let told = numbers.look(&mut done)?;
    if told > TOLD {
        tx.execute("UPDATE list SET epoch = epoch + 1 WHERE id = ?1", [list])?;
    } else if told > 0 {
        numbers.tell()?;
    }
    if told > 0 {
        numbers.write()?;
    }
    if patterns.look(&mut done)? > 0 {
        patterns.write()?;
        tables::patterns_changed(tx, list)?;
    }
    Ok(done)
}

/// Gives the notes that came the rows they have, or now get, in the file, of which there may be
/// `most`. Before that is too many, those that no entry has any more make room.
pub(super) fn number_notes(tx: &Connection, most: i64) -> Result<(), AccountsError> {
    tx.execute(
        "INSERT OR IGNORE INTO main.list_note (reason, source)
             SELECT reason, source FROM temp.staged_note",
        [],
    )?;
    tx.execute(
        "UPDATE temp.staged_note SET listed =
             (SELECT n.id FROM main.list_note n
              WHERE n.reason = staged_note.reason AND n.source = staged_note.source)",
        [],
    )?;
    if count_notes(tx)? > most {
        sweep_notes(tx, "AND id NOT IN (SELECT listed FROM temp.staged_note)")?;
    }
    let found = count_notes(tx)?;
    if found > most {
        return Err(AccountsError::TooManyReasons { found, most });
    }
    Ok(())
}

/// A kind of entries: its tables `list_*`, `staged_*` and `gathered_*`, and the columns that tell
/// entries of one list apart.
struct Part {
    table: &'static str,
    key: [&'static str; 2],
}

const NUMBERS: Part = Part {
    table: "number",
    key: ["prefix", "number"],
};
const PATTERNS: Part = Part {
    table: "pattern",
    key: ["kind", "value"],
};

/// Staged entries of one kind, on their way into a list.
struct Merge<'a> {
    tx: &'a Connection,
    list: ListId,
    manner: Manner<'a>,
    /// Seconds since the epoch.
    now: i64,
    part: &'a Part,
}

/// Whether the entry `$there` may become what comes with the note `$note` of the source `$source`.
const MAY_CHANGE: &str = "($there.note = $note OR :take_over OR $there.expires_at <= :now
    OR (SELECT source FROM main.list_note WHERE id = $there.note) = $source)";

fn may_change(there: &str, note: &str, source: &str) -> String {
    MAY_CHANGE
        .replace("$there", there)
        .replace("$note", note)
        .replace("$source", source)
}

impl Merge<'_> {
    /// Staged entries `s` with their notes `n`, and as `m` those that are there.
    fn joined(&self) -> String {
        let Part { table, key: [a, b] } = self.part;
        format!(
            "FROM temp.staged_{table} s CROSS JOIN temp.staged_note n ON n.id = s.note
             LEFT JOIN main.list_{table} m ON m.list = :list AND m.{a} = s.{a} AND m.{b} = s.{b}"
        )
    }

    /// Of these: what is there will change.
    fn changes() -> String {
        let may = may_change("m", "n.listed", "n.source");
        format!("(m.note IS NOT n.listed OR m.expires_at IS NOT s.expires_at) AND {may}")
    }

    /// Entries `m` of the source that is replaced which did not come.
    fn gone(&self) -> String {
        let Part { table, key: [a, b] } = self.part;
        format!(
            "FROM main.list_{table} AS m
             WHERE m.list = :list AND m.note IN (SELECT id FROM list_note WHERE source = :replace)
               AND NOT EXISTS
                   (SELECT 1 FROM temp.staged_{table} s WHERE s.{a} = m.{a} AND s.{b} = m.{b})"
        )
    }

    /// Counts what will change, and adds it to `done`.
    fn look(&self, done: &mut Imported) -> Result<u64, AccountsError> {
        let table = self.part.table;
        let (gathered, staged) = (
            self.count(&format!("SELECT count(*) FROM temp.gathered_{table}"), &[])?,
            self.count(&format!("SELECT count(*) FROM temp.staged_{table}"), &[])?,
        );
        let list: (&str, &dyn rusqlite::ToSql) = (":list", &self.list);
        let any = format!("SELECT EXISTS (SELECT 1 FROM list_{table} WHERE list = :list)");
        let (added, changed, kept) = if self.count(&any, &[list])? > 0 {
            let may = may_change("m", "n.listed", "n.source");
            let sql = format!(
                "SELECT count(*) FILTER (WHERE m.list IS NULL),
                        count(*) FILTER (WHERE m.list IS NOT NULL AND {}),
                        count(*) FILTER (WHERE m.list IS NOT NULL AND NOT coalesce({may}, 0)) {}",
                Self::changes(),
                self.joined()
            );
            let values = named_params! {
                ":list": self.list, ":now": self.now, ":take_over": self.manner.take_over
            };
            self.tx.query_row(&sql, values, |row| {
                Ok((unsigned(row, 0)?, unsigned(row, 1)?, unsigned(row, 2)?))
            })?
        } else {
            (staged, 0, 0)
        };
        let removed = match &self.manner.replace {
            Some(source) => self.count(
                &format!("SELECT count(*) {}", self.gone()),
                &[list, (":replace", source)],
            )?,
            None => 0,
        };
        done.duplicates += gathered - staged;
        done.added += added;
        done.changed += changed;
        done.kept += kept;
        done.unchanged += staged - added - changed - kept;
        done.removed += removed;
        Ok(added + changed + removed)
    }

    fn count(
        &self,
        sql: &str,
        values: &[(&str, &dyn rusqlite::ToSql)],
    ) -> Result<u64, AccountsError> {
        Ok(self.tx.query_row(sql, values, |row| unsigned(row, 0))?)
    }

    /// Enters what will change in the log of changes.
    fn tell(&self) -> Result<(), AccountsError> {
        let [a, b] = self.part.key;
        let into = format!("INSERT INTO main.list_change (list, {a}, {b}) SELECT :list,");
        self.tx.execute(
            &format!(
                "{into} s.{a}, s.{b} {} WHERE m.list IS NULL OR ({})",
                self.joined(),
                Self::changes()
            ),
            named_params! {
                ":list": self.list, ":now": self.now, ":take_over": self.manner.take_over
            },
        )?;
        if let Some(source) = self.manner.replace {
            self.tx.execute(
                &format!("{into} m.{a}, m.{b} {}", self.gone()),
                named_params! {":list": self.list, ":replace": source},
            )?;
        }
        tables::trim_log(self.tx)?;
        Ok(())
    }

    fn write(&self) -> Result<(), AccountsError> {
        let Part { table, key: [a, b] } = self.part;
        if let Some(source) = self.manner.replace {
            self.tx.execute(
                &format!("DELETE {}", self.gone()),
                named_params! {":list": self.list, ":replace": source},
            )?;
        }
        let source = "(SELECT source FROM main.list_note WHERE id = excluded.note)";
        let may = may_change(&format!("list_{table}"), "excluded.note", source);
        self.tx.execute(
            &format!(
                "INSERT INTO main.list_{table} (list, {a}, {b}, note, listed_at, expires_at)
                 SELECT :list, s.{a}, s.{b}, n.listed, :now, s.expires_at
                 FROM temp.staged_{table} s CROSS JOIN temp.staged_note n ON n.id = s.note
                 WHERE true ORDER BY s.{a}, s.{b}
                 ON CONFLICT DO UPDATE SET note = excluded.note, listed_at = excluded.listed_at,
                     expires_at = excluded.expires_at
                 WHERE (note IS NOT excluded.note OR expires_at IS NOT excluded.expires_at) AND {may}"
            ),
            named_params! {
                ":list": self.list, ":now": self.now, ":take_over": self.manner.take_over
            },
        )?;
        Ok(())
    }
}

fn unsigned(row: &Row<'_>, at: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(at).map(i64::unsigned_abs)
}
