//! Entries of lists, one or many in a transaction: read by filter, put, taken off. Everything
//! that reads or writes them for requests and policy files goes through the functions here.

use super::audit::Edit;
use super::listing::tables::{self, ListId, Said};
use super::listing::{Value, check_agents, check_fits, require_scope};
use super::{
    Accounts, AccountsError, EntryFilter, EntryKind, Expiry, ListEntry, ListKind, Reason, Scope,
    Source,
};
use crate::domain::Timestamp;
use rusqlite::Connection;
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
pub struct EntryQuery {
    /// Of this scope.
    pub scope: Scope,
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
    let value = kind.read(value).map_err(|error| error.at("value"))?;
    Ok(value.text())
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
    let id = tables::ensure_list(edit, &scope.text(), list)?;
    let value = kind.read(value)?;
    let before = find(edit, id, &value)?;
    if before.as_ref() == Some(note) {
        return Ok(false);
    }
    let said = Said {
        note: tables::ensure_note(edit, &note.reason, &note.source)?,
        listed_at: edit.now.secs(),
        expires_at: note.expires.map(|expires| expires.at().secs()),
    };
    match &value {
        Value::Number(listed) => {
            tables::put_number(edit, id, *listed, said)?;
            tables::log_change(edit, id, *listed)?;
            tables::trim_log(edit)?;
        }
        Value::Pattern(kind, value) => {
            tables::put_pattern(edit, id, *kind, value, said)?;
            tables::patterns_changed(edit, id)?;
        }
    }
    tables::note_expiry(edit, id, said.expires_at)?;
    if logged {
        let subject = subject(scope, list, &value);
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
    let value = kind.read(value).map_err(|error| error.at("value"))?;
    remove(edit, scope, list, &value, true)
}

/// As [`take`], of a value in its stored form.
pub(super) fn remove(
    edit: &Edit<'_>,
    scope: &Scope,
    list: ListKind,
    value: &Value,
    logged: bool,
) -> Result<(), AccountsError> {
    let id = tables::find_list(edit, &scope.text(), list)?;
    let found = match id {
        Some(id) => find(edit, id, value)?.map(|before| (id, before)),
        None => None,
    };
    let (id, before) = found.ok_or_else(|| AccountsError::NoEntry(value.to_string()))?;
    match value {
        Value::Number(listed) => {
            tables::remove_number(edit, id, *listed)?;
            tables::log_change(edit, id, *listed)?;
            tables::trim_log(edit)?;
        }
        Value::Pattern(kind, value) => {
            tables::remove_pattern(edit, id, *kind, value)?;
            tables::patterns_changed(edit, id)?;
        }
    }
    if logged {
        let subject = subject(scope, list, value);
        edit.log_change("list remove", &subject, Some(&before), None)?;
    }
    Ok(())
}

fn find(db: &Connection, list: ListId, value: &Value) -> Result<Option<Note>, AccountsError> {
    let found = match value {
        Value::Number(listed) => tables::number_entry(db, list, *listed)?,
        Value::Pattern(kind, value) => tables::pattern_entry(db, list, *kind, value)?,
    };
    Ok(found.map(|entry| Note {
        reason: entry.reason.to_string(),
        source: entry.source.to_string(),
        expires: entry.expires.map(|at| Expiry::from_secs(at.secs())),
    }))
}

fn subject(scope: &Scope, list: ListKind, value: &Value) -> String {
    format!("{} {} {value}", scope.name(), list.as_str())
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
            require_scope(edit, scope)?;
            let mut changed = 0;
            for (at, new) in entries.iter().enumerate() {
                let source = new.source.as_ref().map_or(source, Source::as_str);
                let put = put(edit, scope, new, source);
                changed += usize::from(put.map_err(|e| e.at(&format!("entries[{at}]")))?);
            }
            if entries.iter().any(|new| new.kind == EntryKind::Agent) {
                for list in [ListKind::Black, ListKind::White] {
                    check_agents(edit, scope, list).map_err(|e| e.at("entries"))?;
                }
            }
            Ok(changed)
        })
    }

    /// Lists something, or gives an entry that is there a new reason, source and expiry.
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
        let source: Source = source.parse()?;
        let entry = NewEntry {
            list,
            kind,
            value: value.to_owned(),
            reason: reason.parse()?,
            source: None,
            expires: expires_at.map(|at| Expiry::from_secs(at.secs())),
        };
        self.transact(now, |edit| {
            require_scope(edit, scope)?;
            put(edit, scope, &entry, source.as_str())?;
            match kind {
                EntryKind::Agent => check_agents(edit, scope, list),
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
        self.transact(now, |edit| take(edit, scope, list, kind, value))
    }

    /// Entries of one scope, by list, kind and value.
    ///
    /// # Errors
    /// There is no such policy, or the database cannot be read.
    pub fn find_entries(&self, query: &EntryQuery) -> Result<Vec<ListEntry>, AccountsError> {
        require_scope(&self.connection, &query.scope)?;
        let filter = EntryFilter {
            scope: Some(&query.scope),
            list: query.list,
            kind: query.kind,
            source: query.source.as_deref(),
            value: query.begins.as_deref(),
        };
        let mut found = Vec::new();
        self.list_query(&filter, query.limit.into(), |entry| {
            found.push(entry);
            Ok::<_, AccountsError>(())
        })?;
        Ok(found)
    }
}
