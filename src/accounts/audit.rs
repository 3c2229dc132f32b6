//! Every edit is one transaction, and every change in it a line of the audit log: when, by whom,
//! what was done to what, and the fields as they were and as they became. An edit that changes
//! nothing leaves no line; one that fails leaves nothing at all. The log is kept for good: it is
//! as long as there were edits, and each line is bounded.

use super::{Accounts, AccountsError, Name};
use crate::domain::Timestamp;
use rusqlite::{Connection, TransactionBehavior, params};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::cell::Cell;
use std::ops::Deref;
use utoipa::ToSchema;

/// Most bytes of what is noted of one change; of a larger one only the names of its fields.
const CHANGE: usize = 16 << 10;

/// Who edits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Actor {
    /// A command.
    #[default]
    Cli,
    /// A policy file that a command imports.
    Import,
    /// The program by itself.
    Program,
    /// Somebody with a token of this name, over HTTP.
    Token(Name),
}

impl std::fmt::Display for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Cli => f.write_str("cli"),
            Self::Import => f.write_str("import"),
            Self::Program => f.write_str("tfps"),
            // No token can pass for one of the above, whatever its name.
            Self::Token(name) => write!(f, "token:{name}"),
        }
    }
}

/// One line of the audit log.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct AuditRow {
    /// Number of the edit.
    #[schema(example = 17)]
    pub id: i64,
    /// When, RFC 3339.
    #[schema(example = "2030-01-01T00:00:00.000Z")]
    pub at: String,
    /// `cli`, `import`, `tfps`, or `token:` and its name.
    #[schema(example = "token:console")]
    pub actor: String,
    /// What was done.
    #[schema(example = "policy set")]
    pub action: String,
    /// To what.
    #[schema(example = "itsp.example/default")]
    pub subject: String,
    /// The fields that changed: `before` and `after`.
    #[schema(value_type = Option<Object>)]
    pub change: Option<Value>,
}

/// Which lines of the audit log.
#[derive(Clone, Debug)]
pub struct AuditFilter {
    /// Not older.
    pub since: Option<Timestamp>,
    /// Just this actor.
    pub actor: Option<String>,
    /// The subject holds this text.
    pub subject: Option<String>,
    /// Only lines before this one.
    pub before: Option<i64>,
    /// At most so many, the newest first.
    pub limit: u32,
}

impl Default for AuditFilter {
    fn default() -> Self {
        Self {
            since: None,
            actor: None,
            subject: None,
            before: None,
            limit: 100,
        }
    }
}

/// One transaction at work, in somebody's name.
pub(super) struct Edit<'a> {
    tx: &'a Connection,
    pub(super) now: Timestamp,
    actor: &'a Actor,
    lines: Cell<usize>,
}

impl Deref for Edit<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.tx
    }
}

impl Edit<'_> {
    /// Notes something that was done.
    pub(super) fn log(
        &self,
        action: &str,
        subject: &str,
        change: Option<&Value>,
    ) -> Result<(), AccountsError> {
        enter(self.tx, self.now, self.actor, action, subject, change)?;
        self.lines.set(self.lines.get() + 1);
        Ok(())
    }

    /// Something changed that the log need not name: the edit is kept all the same.
    pub(super) fn note_quietly(&self) {
        self.lines.set(self.lines.get() + 1);
    }

    /// How many changes were noted so far.
    pub(super) fn changes(&self) -> usize {
        self.lines.get()
    }

    /// Notes how a thing changed; `None` on either side: it was not there, it is gone. Says
    /// whether it did.
    pub(super) fn log_change<T: Serialize>(
        &self,
        action: &str,
        subject: &str,
        before: Option<&T>,
        after: Option<&T>,
    ) -> Result<bool, AccountsError> {
        match difference(before, after)? {
            None => Ok(false),
            Some(change) => self.log(action, subject, Some(&change)).map(|()| true),
        }
    }
}

/// Writes a line, within a transaction that does what it says.
pub(super) fn enter(
    tx: &Connection,
    now: Timestamp,
    actor: &Actor,
    action: &str,
    subject: &str,
    change: Option<&Value>,
) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "INSERT INTO audit_log (at, actor, action, subject, change)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![
        now.secs(),
        actor.to_string(),
        action,
        subject,
        change.map(bounded)
    ])?;
    Ok(())
}

impl Accounts {
    /// In whose name the edits that follow are made; without it, the command line's.
    pub fn act_as(&mut self, actor: Actor) {
        self.actor = actor;
    }

    /// Runs an edit as one transaction.
    pub(super) fn transact<T>(
        &mut self,
        now: Timestamp,
        change: impl FnOnce(&Edit<'_>) -> Result<T, AccountsError>,
    ) -> Result<T, AccountsError> {
        self.attempt(now, true, change)
    }

    /// Notes that somebody's counts of use were set to nothing: they are the running service's, and
    /// no part of the accounts, but who did it must be known.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn log_usage_reset(
        &mut self,
        domain: &str,
        name: &str,
        now: Timestamp,
    ) -> Result<(), AccountsError> {
        let subject = format!("{name}@{domain}");
        self.transact(now, |edit| edit.log("usage reset", &subject, None))
    }

    /// Notes that somebody said what calls were: verdicts are in ClickHouse, and no part of the
    /// accounts, but who gave them must be known here too. Of many calls the first ten are named.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn log_verdict(
        &mut self,
        said: &str,
        calls: &[uuid::Uuid],
        campaign: &str,
        now: Timestamp,
    ) -> Result<(), AccountsError> {
        let named: Vec<String> = calls.iter().take(10).map(uuid::Uuid::to_string).collect();
        let subject = named.first().cloned().unwrap_or_default();
        let change = json!({"after": {"verdict": said, "campaign": campaign,
            "calls": calls.len(), "first": named}});
        self.transact(now, |edit| edit.log("verdict", &subject, Some(&change)))
    }

    /// Runs an edit, and takes it back unless it is `kept`.
    pub(super) fn attempt<T>(
        &mut self,
        now: Timestamp,
        kept: bool,
        change: impl FnOnce(&Edit<'_>) -> Result<T, AccountsError>,
    ) -> Result<T, AccountsError> {
        let tx = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let edit = Edit {
            tx: &tx,
            now,
            actor: &self.actor,
            lines: Cell::new(0),
        };
        let result = change(&edit)?;
        // Committing what changed nothing would only make every reader read again.
        match kept && edit.changes() > 0 {
            true => tx.commit()?,
            false => tx.rollback()?,
        }
        Ok(result)
    }

    /// Lines of the audit log, the newest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn audit_log(&self, filter: &AuditFilter) -> Result<Vec<AuditRow>, AccountsError> {
        let mut statement = self.connection.prepare(
            "SELECT id, at, actor, action, subject, change FROM audit_log
             WHERE (?1 IS NULL OR at >= ?1) AND (?2 IS NULL OR actor = ?2)
               AND (?3 IS NULL OR instr(subject, ?3) > 0) AND (?4 IS NULL OR id < ?4)
             ORDER BY id DESC LIMIT ?5",
        )?;
        let values = params![
            filter.since.map(Timestamp::secs),
            filter.actor,
            filter.subject,
            filter.before,
            filter.limit
        ];
        let rows = statement.query_map(values, |row| {
            let change: Option<String> = row.get(5)?;
            Ok(AuditRow {
                id: row.get(0)?,
                at: Timestamp::from_secs(row.get(1)?).to_rfc3339(),
                actor: row.get(2)?,
                action: row.get(3)?,
                subject: row.get(4)?,
                change: change.and_then(|text| serde_json::from_str(&text).ok()),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// The fields that differ; `None` when none does.
fn difference<T: Serialize>(
    before: Option<&T>,
    after: Option<&T>,
) -> Result<Option<Value>, AccountsError> {
    let before = before.map(as_json).transpose()?;
    let after = after.map(as_json).transpose()?;
    if before == after {
        return Ok(None);
    }
    let (Some(Value::Object(old)), Some(Value::Object(new))) = (&before, &after) else {
        let sides = [("before", before), ("after", after)];
        let given = sides
            .into_iter()
            .filter_map(|(side, value)| Some((side.to_owned(), value?)));
        return Ok(Some(Value::Object(given.collect())));
    };
    let differing = |one: &Map<String, Value>, other: &Map<String, Value>| -> Value {
        one.iter()
            .filter(|(key, value)| other.get(*key) != Some(value))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect::<Map<_, _>>()
            .into()
    };
    Ok(Some(json!({
        "before": differing(old, new),
        "after": differing(new, old),
    })))
}

/// By way of text: a value made directly would show an `f32` of 0.7 as 0.699999988079071.
fn as_json<T: Serialize>(value: &T) -> Result<Value, AccountsError> {
    serde_json::to_string(value)
        .and_then(|text| serde_json::from_str(&text))
        .map_err(AccountsError::NotJson)
}

fn bounded(change: &Value) -> String {
    let text = change.to_string();
    if text.len() <= CHANGE {
        return text;
    }
    let fields = |side: &str| -> Vec<String> {
        let fields = change[side].as_object();
        fields.map_or_else(Vec::new, |all| all.keys().take(64).cloned().collect())
    };
    json!({
        "too_large_to_keep_bytes": text.len(),
        "fields_before": fields("before"),
        "fields_after": fields("after"),
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Thing {
        risk: f32,
        name: String,
    }

    fn thing(risk: f32, name: &str) -> Thing {
        Thing {
            risk,
            name: name.to_owned(),
        }
    }

    #[test]
    fn only_the_fields_that_changed_are_noted() {
        let (one, other) = (thing(0.7, "a"), thing(0.8, "a"));
        let changed = difference(Some(&one), Some(&other)).expect("json");
        let expected = json!({"before": {"risk": 0.7}, "after": {"risk": 0.8}});
        assert_eq!(changed, Some(expected));
        assert_eq!(difference(Some(&one), Some(&one)).expect("json"), None);
        let new = difference(None, Some(&one)).expect("json").expect("new");
        assert_eq!(new, json!({"after": {"risk": 0.7, "name": "a"}}));
    }

    #[test]
    fn a_huge_change_is_noted_by_its_fields() {
        let huge = thing(0.5, &"x".repeat(CHANGE));
        let change = difference(Some(&thing(0.5, "a")), Some(&huge)).expect("json");
        let noted = bounded(&change.expect("changed"));
        assert!(noted.len() < 200 && noted.contains("\"name\""), "{noted}");
    }

    #[test]
    fn no_token_passes_for_the_command_line() {
        let token = Actor::Token("cli".parse().expect("a name"));
        assert_ne!(token.to_string(), Actor::Cli.to_string());
    }
}
