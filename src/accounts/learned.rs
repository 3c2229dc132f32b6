//! What was learned, beside the lists: proposals with their evidence, and what people decided.
//!
//! The running service puts findings in ([`Accounts::learn`]); people look, approve and reject. A
//! listed one is an entry of the system's lists like any other, of the source `learned`. A
//! rejection holds whatever is learned later, until it is taken back by approving; taking such an
//! entry off its list by hand is a rejection too. What another source has listed is left to it.

mod intake;

use super::audit::Edit;
use super::entries::{put, remove};
use super::listing::tables;
use super::listing::{Value, check_agents};
use super::{Accounts, AccountsError, EntryKind, Expiry, ListKind, NewEntry, Reason, Scope};
use crate::domain::{Timestamp, parse_network};
use rusqlite::{OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Source of entries that were learned.
pub const LEARNED: &str = "learned";
/// The attack group of networks that were learned.
const GROUP: &str = "learned scanners";
/// Seconds by which an entry must gain before it is renewed: each renewal is an edit.
const RENEWED: i64 = 86_400;

/// A finding as it comes to the lists.
#[derive(Clone, Debug, PartialEq)]
pub struct LearnedFinding {
    /// Kind of entry.
    pub kind: EntryKind,
    /// Its value.
    pub value: String,
    /// Why it is only proposed; `None`: it may be listed.
    pub withheld: Option<String>,
    /// The evidence in words.
    pub reason: String,
    /// Weight by kind of witness, as JSON.
    pub evidence: serde_json::Value,
    /// All of it together.
    pub weight: f32,
    /// Independent parties.
    pub parties: usize,
    /// When it was first spoken of.
    pub first: Timestamp,
    /// When last.
    pub last: Timestamp,
    /// Until when it stands.
    pub expires: Timestamp,
}

/// Where a finding stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum LearnedState {
    /// Waits for a person.
    Proposed,
    /// Is on the system's black list.
    Listed,
    /// Is there because a person said so.
    Approved,
    /// A person said no: it is never listed by itself.
    Rejected,
}

/// A finding with its evidence and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct LearnedRow {
    /// Kind of entry.
    pub kind: EntryKind,
    /// Its value.
    #[schema(example = "252612345678")]
    pub value: String,
    /// Where it stands.
    pub state: LearnedState,
    /// Of a proposal: why it is not listed; else empty.
    #[schema(example = "its ordinary life: 7 tenants, about 40 callers, 21 days")]
    pub why: String,
    /// The evidence in words.
    #[schema(example = "learned: 3 honeypot sources; 2030-01-01 to 2030-01-03")]
    pub reason: String,
    /// What each kind of witness weighs.
    #[schema(value_type = Object)]
    pub evidence: serde_json::Value,
    /// All of it together.
    #[schema(example = 3.0)]
    pub weight: f64,
    /// Independent parties that say so.
    #[schema(example = 3)]
    pub parties: i64,
    /// When it was first spoken of, RFC 3339.
    #[schema(example = "2030-01-01T00:00:00.000Z")]
    pub first_seen: String,
    /// When last.
    #[schema(example = "2030-01-03T00:00:00.000Z")]
    pub last_seen: String,
    /// Until when it stands, if nothing new is said.
    #[schema(example = "2030-02-02T00:00:00.000Z")]
    pub expires: String,
    /// Who approved or rejected it.
    #[schema(example = "token:console")]
    pub decided_by: Option<String>,
    /// When, RFC 3339.
    #[schema(example = "2030-01-04T00:00:00.000Z")]
    pub decided_at: Option<String>,
}

/// What a review of all findings changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Learnt {
    /// Entries listed or renewed.
    pub listed: u64,
    /// Proposals that are new.
    pub proposed: u64,
    /// Those of them that are only proposed because enough of their kind are listed.
    pub held_back: u64,
}

impl LearnedState {
    const ALL: [Self; 4] = [Self::Proposed, Self::Listed, Self::Approved, Self::Rejected];

    /// As it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Listed => "listed",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
        }
    }

    /// The state of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

const COLUMNS: &str = "kind, value, state, why, reason, evidence, weight, parties, first_seen, \
                       last_seen, expires_at, decided_by, decided_at";

impl Accounts {
    /// Takes in what there is enough evidence against now, the heaviest first: lists what may be
    /// listed, proposes the rest, and forgets proposals for which there is no longer enough. Of
    /// each kind only so many are listed and so many kept.
    ///
    /// # Errors
    /// The database cannot be written; nothing is changed then.
    pub fn learn(
        &mut self,
        findings: &[LearnedFinding],
        now: Timestamp,
    ) -> Result<Learnt, AccountsError> {
        self.transact(now, |edit| intake::take_all_in(edit, findings))
    }

    /// All there is enough evidence against, and what was decided: the heaviest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn learned(&self, state: Option<LearnedState>) -> Result<Vec<LearnedRow>, AccountsError> {
        rows(&self.connection, state)
    }

    /// Lists a finding although it was withheld or rejected, until its evidence ends; or takes it
    /// off and keeps it off. What nothing is said against yet may be rejected in advance.
    ///
    /// # Errors
    /// The value is not of its kind, or what is approved was never learned.
    pub fn decide_learned(
        &mut self,
        kind: EntryKind,
        value: &str,
        approve: bool,
        now: Timestamp,
    ) -> Result<(), AccountsError> {
        let value = kind.read(value).map_err(|e| e.at("value"))?.text();
        let by = self.actor.to_string();
        self.transact(now, |edit| {
            let row = row(edit, kind, &value)?;
            if row.is_none() {
                reject_in_advance(edit, kind, &value, approve)?;
            }
            let reason = row.map_or_else(String::new, |row| row.reason);
            let state = match approve {
                true => LearnedState::Approved,
                false => LearnedState::Rejected,
            };
            let listed = listed_by(edit, kind, &value)?;
            let is_mine = listed.as_deref() == Some(LEARNED);
            if approve && (is_mine || listed.is_none()) {
                let expires = row_expiry(edit, kind, &value)?.max(now.plus_secs(RENEWED).secs());
                enter(edit, kind, &value, &reason, Timestamp::from_secs(expires))?;
                if kind == EntryKind::Agent {
                    check_agents(edit, &Scope::System, ListKind::Black)?;
                }
            } else if !approve && is_mine {
                remove(
                    edit,
                    &Scope::System,
                    list_of(kind, &value),
                    &stored(kind, &value)?,
                    true,
                )?;
            }
            edit.execute(
                "UPDATE learned SET state = ?3, why = '', decided_by = ?4, decided_at = ?5
                 WHERE kind = ?1 AND value = ?2",
                params![kind.as_str(), value, state.as_str(), by, now.secs()],
            )?;
            let action = match approve {
                true => "learned approve",
                false => "learned reject",
            };
            edit.log(action, &format!("{} {value}", kind.as_str()), None)
        })
    }
}

/// Something that nothing is said against yet, to be kept off whatever comes.
fn reject_in_advance(
    edit: &Edit<'_>,
    kind: EntryKind,
    value: &str,
    approve: bool,
) -> Result<(), AccountsError> {
    if approve {
        return Err(AccountsError::NotLearned(value.to_owned()));
    }
    let nothing = LearnedFinding {
        kind,
        value: value.to_owned(),
        withheld: None,
        reason: String::new(),
        evidence: serde_json::json!({}),
        weight: 0.0,
        parties: 0,
        first: edit.now,
        last: edit.now,
        expires: edit.now,
    };
    let expires = edit.now.secs();
    write(edit, &nothing, LearnedState::Rejected, "", expires)
}

fn write(
    edit: &Edit<'_>,
    finding: &LearnedFinding,
    state: LearnedState,
    why: &str,
    expires: i64,
) -> Result<(), AccountsError> {
    edit.prepare_cached(
        "INSERT INTO learned (kind, value, state, why, reason, evidence, weight, parties,
             first_seen, last_seen, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
         ON CONFLICT DO UPDATE SET state = excluded.state, why = excluded.why,
             reason = excluded.reason, evidence = excluded.evidence, weight = excluded.weight,
             parties = excluded.parties, first_seen = excluded.first_seen,
             last_seen = excluded.last_seen, expires_at = excluded.expires_at",
    )?
    .execute(params![
        finding.kind.as_str(),
        finding.value,
        state.as_str(),
        why,
        finding.reason,
        finding.evidence.to_string(),
        f64::from(finding.weight),
        finding.parties.cast_signed(),
        finding.first.secs(),
        finding.last.secs(),
        expires
    ])?;
    Ok(())
}

/// Where it belongs: networks of many machines are an attack group (R12), all else is on the black
/// list.
fn list_of(kind: EntryKind, value: &str) -> ListKind {
    let network = match kind {
        EntryKind::Network => parse_network(value),
        EntryKind::Number | EntryKind::Prefix | EntryKind::Agent => None,
    };
    // Of IPv6 a network of 64 bits is what one machine has.
    let is_group = |network: ipnet::IpNet| network.prefix_len() < network.max_prefix_len().min(64);
    match network.is_some_and(is_group) {
        true => ListKind::Group,
        false => ListKind::Black,
    }
}

/// Puts an entry on its list of the system, or renews it. Whether user agents fit together is yet
/// to be checked.
fn enter(
    edit: &Edit<'_>,
    kind: EntryKind,
    value: &str,
    reason: &str,
    expires: Timestamp,
) -> Result<(), AccountsError> {
    let list = list_of(kind, value);
    // Of a group it is the name.
    let reason: Reason = match list {
        ListKind::Group => GROUP.parse()?,
        ListKind::Black | ListKind::White => reason.parse()?,
    };
    let entry = NewEntry {
        list,
        kind,
        value: value.to_owned(),
        reason,
        source: None,
        expires: Some(Expiry::from_secs(expires.secs())),
    };
    put(edit, &Scope::System, &entry, LEARNED)?;
    Ok(())
}

fn stored(kind: EntryKind, value: &str) -> Result<Value, AccountsError> {
    kind.read(value)
}

/// Who has it on the system's black list; `None`: it is not there, or over.
fn listed_by(
    edit: &Edit<'_>,
    kind: EntryKind,
    value: &str,
) -> Result<Option<String>, AccountsError> {
    let Some(list) = tables::find_list(edit, "", list_of(kind, value))? else {
        return Ok(None);
    };
    let entry = match stored(kind, value)? {
        Value::Number(listed) => tables::number_entry(edit, list, listed)?,
        Value::Pattern(kind, value) => tables::pattern_entry(edit, list, kind, &value)?,
    };
    let live = entry.filter(|entry| entry.is_live(edit.now));
    Ok(live.map(|entry| entry.source.to_string()))
}

fn row_expiry(edit: &Edit<'_>, kind: EntryKind, value: &str) -> Result<i64, AccountsError> {
    let found = edit
        .query_row(
            "SELECT expires_at FROM learned WHERE kind = ?1 AND value = ?2",
            params![kind.as_str(), value],
            |row| row.get(0),
        )
        .optional()?;
    Ok(found.unwrap_or_default())
}

fn row(
    c: &rusqlite::Connection,
    kind: EntryKind,
    value: &str,
) -> Result<Option<LearnedRow>, AccountsError> {
    let sql = format!("SELECT {COLUMNS} FROM learned WHERE kind = ?1 AND value = ?2");
    let mut statement = c.prepare_cached(&sql)?;
    let found = statement.query_row(params![kind.as_str(), value], read);
    Ok(found.optional()?)
}

fn rows(
    c: &rusqlite::Connection,
    state: Option<LearnedState>,
) -> Result<Vec<LearnedRow>, AccountsError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM learned WHERE ?1 IS NULL OR state = ?1
         ORDER BY weight DESC, last_seen DESC, kind, value"
    );
    let mut statement = c.prepare_cached(&sql)?;
    let rows = statement.query_map([state.map(LearnedState::as_str)], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<LearnedRow> {
    let time = |secs: i64| Timestamp::from_secs(secs).to_rfc3339();
    let (kind, state): (String, String) = (row.get(0)?, row.get(2)?);
    let unknown = |column| rusqlite::Error::InvalidColumnName(column);
    let evidence: String = row.get(5)?;
    Ok(LearnedRow {
        kind: EntryKind::parse(&kind).ok_or_else(|| unknown("kind".to_owned()))?,
        value: row.get(1)?,
        state: LearnedState::parse(&state).ok_or_else(|| unknown("state".to_owned()))?,
        why: row.get(3)?,
        reason: row.get(4)?,
        evidence: serde_json::from_str(&evidence).unwrap_or_default(),
        weight: row.get(6)?,
        parties: row.get(7)?,
        first_seen: time(row.get(8)?),
        last_seen: time(row.get(9)?),
        expires: time(row.get(10)?),
        decided_by: row.get(11)?,
        decided_at: row.get::<_, Option<i64>>(12)?.map(time),
    })
}

#[cfg(test)]
mod tests;
