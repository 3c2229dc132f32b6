//! Entries of lists, one or many in a transaction: read by filter, put, taken off. Everything
//! that reads or writes them for requests and policy files goes through the functions here.

use super::audit::Edit;
use super::listing::{check_agents, check_fits, read_entries};
use super::{
    Accounts, AccountsError, EntryKind, Expiry, ListEntry, ListKind, Reason, Scope, Source,
    require_policy,
};
use crate::domain::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Most entries added by one edit; `tfps list import` takes any number.
pub const BATCH: usize = 1_000;
/// Most bytes of a value: the longest are user-agent patterns.
const VALUE: usize = 1_000;

/// An entry to be listed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "list": "black", "kind": "prefix", "value": "25261", "reason": "revenue share"
}))]
pub struct NewEntry {
    /// black refuses, white approves at once, group is a named attack group.
    pub list: ListKind,
    /// What kind of value it is.
    pub kind: EntryKind,
    /// The number or prefix in E.164, the network, or the pattern.
    #[schema(example = "25261")]
    pub value: String,
    /// Why; of a group: its name.
    pub reason: Reason,
    /// Who lists it; absent: whoever asks.
    #[serde(default)]
    pub source: Option<Source>,
    /// From then on it does not count; absent: it stays.
    #[serde(default)]
    pub expires: Option<Expiry>,
}

/// Which entries.
#[derive(Clone, Debug)]
pub struct EntryFilter {
    /// Of this scope; none: of all.
    pub scope: Option<Scope>,
    /// On this list.
    pub list: Option<ListKind>,
    /// Of this kind.
    pub kind: Option<EntryKind>,
    /// Listed by this source.
    pub source: Option<String>,
    /// The value begins so.
    pub begins: Option<String>,
    /// At most so many.
    pub limit: u32,
}

/// Why something is listed, by whom and until when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Note {
    pub(super) reason: String,
    pub(super) source: String,
    pub(super) expires: Option<Expiry>,
}

/// A value as it is stored, if the list takes it.
pub(super) fn stored_form(
    scope: &Scope,
    list: ListKind,
    kind: EntryKind,
    value: &str,
) -> Result<String, AccountsError> {
    if value.len() > VALUE {
        return Err(AccountsError::LongValue(value.to_owned()).at("value"));
    }
    check_fits(scope, list, kind, value).map_err(|error| error.at("list"))?;
    kind.canonical(value).map_err(|error| error.at("value"))
}

/// Puts an entry on a list, or gives one that is there another reason, source and expiry. Patterns
/// are not looked at together: [`check_agents`] does.
pub(super) fn put(
    edit: &Edit<'_>,
    scope: &Scope,
    new: &NewEntry,
    source: &str,
) -> Result<bool, AccountsError> {
    let value = stored_form(scope, new.list, new.kind, &new.value)?;
    let note = Note {
        reason: new.reason.to_string(),
        source: source.to_owned(),
        expires: new.expires,
    };
    write(edit, scope, new.list, new.kind, &value, &note, true)
}

/// Writes an entry of a value in its stored form; says whether it is new or changed.
pub(super) fn write(
    edit: &Edit<'_>,
    scope: &Scope,
    list: ListKind,
    kind: EntryKind,
    value: &str,
    note: &Note,
    logged: bool,
) -> Result<bool, AccountsError> {
    let before = find(edit, scope, list, kind, value)?;
    if before.as_ref() == Some(note) {
        return Ok(false);
    }
    edit.prepare_cached(
        "INSERT INTO list_entry (scope, list, kind, value, reason, source, created_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT DO UPDATE SET reason = excluded.reason, source = excluded.source,
             created_at = excluded.created_at, expires_at = excluded.expires_at",
    )?
    .execute(params![
        scope.text(),
        list.text(),
        kind.text(),
        value,
        note.reason,
        note.source,
        edit.now.secs(),
        note.expires.map(|expires| expires.at().secs())
    ])?;
    if logged {
        let subject = subject(scope, list, kind, value);
        edit.log_change("list add", &subject, before.as_ref(), Some(note))?;
    }
    Ok(true)
}

/// Takes an entry off a list.
pub(super) fn take(
    edit: &Edit<'_>,
    scope: &Scope,
    list: ListKind,
    kind: EntryKind,
    value: &str,
) -> Result<(), AccountsError> {
    let value = kind.canonical(value).map_err(|error| error.at("value"))?;
    remove(edit, scope, list, kind, &value, true)
}

/// As [`take`], of a value in its stored form.
pub(super) fn remove(
    edit: &Edit<'_>,
    scope: &Scope,
    list: ListKind,
    kind: EntryKind,
    value: &str,
    logged: bool,
) -> Result<(), AccountsError> {
    let Some(before) = find(edit, scope, list, kind, value)? else {
        return Err(AccountsError::NoEntry(value.to_owned()));
    };
    edit.prepare_cached(
        "DELETE FROM list_entry WHERE scope = ?1 AND list = ?2 AND kind = ?3 AND value = ?4",
    )?
    .execute(params![scope.text(), list.text(), kind.text(), value])?;
    if logged {
        let subject = subject(scope, list, kind, value);
        edit.log_change("list remove", &subject, Some(&before), None)?;
    }
    Ok(())
}

fn find(
    db: &Connection,
    scope: &Scope,
    list: ListKind,
    kind: EntryKind,
    value: &str,
) -> Result<Option<Note>, AccountsError> {
    let found = db
        .prepare_cached(
            "SELECT reason, source, expires_at FROM list_entry
             WHERE scope = ?1 AND list = ?2 AND kind = ?3 AND value = ?4",
        )?
        .query_row(
            params![scope.text(), list.text(), kind.text(), value],
            |row| {
                let expires: Option<i64> = row.get(2)?;
                Ok(Note {
                    reason: row.get(0)?,
                    source: row.get(1)?,
                    expires: expires.map(Expiry::from_secs),
                })
            },
        )
        .optional()?;
    Ok(found)
}

fn subject(scope: &Scope, list: ListKind, kind: EntryKind, value: &str) -> String {
    let scope = match scope {
        Scope::System => "system".to_owned(),
        Scope::Policy { .. } => scope.text(),
    };
    format!("{scope} {} {} {value}", list.text(), kind.text())
}

/// How many entries there are; of the system's lists, or of all policies' together.
pub(super) fn count(db: &Connection, of_system: bool) -> Result<i64, AccountsError> {
    let sql = match of_system {
        true => "SELECT count(*) FROM list_entry WHERE scope = ''",
        false => "SELECT count(*) FROM list_entry WHERE scope <> ''",
    };
    Ok(db.query_row(sql, [], |row| row.get(0))?)
}

/// All entries of the system's lists, or of all policies'.
pub(super) fn all(db: &Connection, of_system: bool) -> Result<Vec<ListEntry>, AccountsError> {
    read_entries(db, "(scope = '') = ?1", &[&of_system])
}

impl Accounts {
    /// Puts entries on lists, all or none; says how many are new or changed.
    ///
    /// # Errors
    /// None or too many, no such policy, or the first entry that does not do, with its place.
    pub fn add_entries(
        &mut self,
        scope: &Scope,
        entries: &[NewEntry],
        source: &str,
        now: Timestamp,
    ) -> Result<usize, AccountsError> {
        if !(1..=BATCH).contains(&entries.len()) {
            return Err(AccountsError::Batch(entries.len()).at("entries"));
        }
        self.transact(now, |edit| {
            if let Scope::Policy { domain, policy } = scope {
                require_policy(edit, &domain.to_ascii_lowercase(), policy)?;
            }
            let mut changed = 0;
            for (at, new) in entries.iter().enumerate() {
                let source = new.source.as_ref().map_or(source, Source::as_str);
                let put = put(edit, scope, new, source);
                changed += usize::from(put.map_err(|e| e.at(&format!("entries[{at}]")))?);
            }
            if entries.iter().any(|new| new.kind == EntryKind::Agent) {
                for list in [ListKind::Black, ListKind::White] {
                    check_agents(edit, &scope.text(), list).map_err(|e| e.at("entries"))?;
                }
            }
            Ok(changed)
        })
    }

    /// Entries, by scope, list, kind and value.
    ///
    /// # Errors
    /// There is no such policy, or the database cannot be read.
    pub fn find_entries(&self, filter: &EntryFilter) -> Result<Vec<ListEntry>, AccountsError> {
        if let Some(Scope::Policy { domain, policy }) = &filter.scope {
            require_policy(&self.connection, domain, policy)?;
        }
        let scope = filter.scope.as_ref().map(Scope::text);
        let list = filter.list.map(ListKind::text);
        let kind = filter.kind.map(EntryKind::text);
        read_entries(
            &self.connection,
            "(?1 IS NULL OR scope = ?1) AND (?2 IS NULL OR list = ?2)
             AND (?3 IS NULL OR kind = ?3) AND (?4 IS NULL OR source = ?4)
             AND (?5 IS NULL OR substr(value, 1, length(?5)) = ?5)
             ORDER BY scope, list, kind, value LIMIT ?6",
            &[
                &scope,
                &list,
                &kind,
                &filter.source,
                &filter.begins,
                &filter.limit,
            ],
        )
    }
}
