//! Rows of a file into ClickHouse, each exactly once, however often and in however many copies of
//! the file they come.
//!
//! A row is known by its id ([`super::Identities`]). Before a batch is sent ClickHouse is asked
//! which of it are there, and only the others are sent, under a token that is a hash of their
//! ids; afterwards it is asked again. Killed anywhere, the next run finds what is there and goes
//! on; an insert that was on its way meanwhile has the same token as its repetition.

use super::{FileHash, Identities, Row, decide};
use crate::decide::Engine;
use crate::domain::{CallEvent, Timestamp};
use crate::features::{Context, Windows};
use crate::store::{Present, Source, Store, StoreError, VerdictEntry};
use sha2::{Digest, Sha256};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// Rows of one insert.
const BATCH: usize = 20_000;

/// Why an import stopped. Run again, it goes on where it stopped: what is stored stays.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// ClickHouse did not do as asked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// ClickHouse said it had stored rows that are not there.
    #[error(
        "ClickHouse lacks {lacking} of {sent} rows it said it had stored: import the file again"
    )]
    Short {
        /// Rows sent.
        sent: usize,
        /// Of them not there.
        lacking: usize,
    },
    /// Rows are there more than once.
    #[error(
        "{surplus} calls are stored more than once, the first is {id}: two imports ran at once; remove the surplus rows by their id and source_file"
    )]
    Surplus {
        /// How many too many.
        surplus: usize,
        /// One of them.
        id: Uuid,
    },
}

/// What an import did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Imported {
    /// Calls that are now in ClickHouse.
    pub calls: u64,
    /// Of them there before this run.
    pub already: u64,
    /// Calls with a verdict.
    pub verdicts: u64,
    /// Calls whose code is a refusal.
    pub refused: u64,
}

/// What the calls new to ClickHouse show of habits, for the running service to join.
#[derive(Debug)]
pub struct Learned {
    /// Their habits alone.
    pub windows: Windows,
    /// A name of just these calls; `None`: none is new.
    pub name: Option<String>,
    /// Of the calls that killed runs stored ([`Origin::unlearned`]) how many are among them, by
    /// file.
    pub caught_up: HashMap<u64, u64>,
}

/// Where the rows are said to come from.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The file.
    pub file: FileHash,
    /// What it is called in the verdicts.
    pub by: String,
    /// Files ([`FileHash::number`]) of which a run ended before the habits were kept, and since when,
    /// by ClickHouse's clock: what is stored of them since then is as good as new.
    pub unlearned: HashMap<u64, u32>,
}

/// Takes rows, decides them and stores them in batches.
pub struct Importer<'a> {
    engine: &'a Engine,
    store: &'a Store,
    origin: Origin,
    identities: Identities,
    windows: Windows,
    /// Ids whose habits are in `windows`.
    learned: Sha256,
    any_learned: bool,
    caught_up: HashMap<u64, u64>,
    batch: Vec<(CallEvent, u64)>,
    verdicts: Vec<VerdictEntry>,
    done: Imported,
}

impl<'a> Importer<'a> {
    /// `windows` are empty ones, to be filled from what is new.
    #[must_use]
    pub fn new(engine: &'a Engine, store: &'a Store, origin: Origin, windows: Windows) -> Self {
        Self {
            engine,
            store,
            origin,
            identities: Identities::new(),
            windows,
            learned: Sha256::new(),
            any_learned: false,
            caught_up: HashMap::new(),
            batch: Vec::with_capacity(BATCH),
            verdicts: Vec::new(),
            done: Imported::default(),
        }
    }

    /// Rows that are in ClickHouse so far.
    #[must_use]
    pub const fn stored(&self) -> u64 {
        self.done.calls
    }

    /// Takes a row; stores a batch when one is full. What was decided of it.
    ///
    /// # Errors
    /// The batch could not be stored.
    pub async fn take(&mut self, row: &Row) -> Result<Option<&CallEvent>, ImportError> {
        if self.batch.len() >= BATCH {
            self.flush().await?;
        }
        let id = self.identities.id(&row.record);
        let Some(event) = decide(self.engine, row, id) else {
            return Ok(None);
        };
        if !event.decision.code.is_approved() {
            self.done.refused += 1;
        }
        if let Some(verdict) = row.record.verdict {
            self.verdicts.push(VerdictEntry {
                id,
                verdict,
                campaign: row.record.campaign.clone(),
                by: self.origin.by.clone(),
                source: "import".to_owned(),
                note: String::new(),
                // When the call was: an analyst's later word goes before the file's, however
                // often the file is imported.
                at: event.at,
            });
        }
        self.batch.push((event, row.line));
        Ok(self.batch.last().map(|(event, _)| event))
    }

    /// Stores what is left; what is new of habits and what was done.
    ///
    /// # Errors
    /// The last batch could not be stored.
    pub async fn finish(mut self) -> Result<(Learned, Imported), ImportError> {
        self.flush().await?;
        let name = self.any_learned.then(|| {
            let digest: [u8; 32] = self.learned.finalize().into();
            digest[..8].iter().map(|b| format!("{b:02x}")).collect()
        });
        let learned = Learned {
            windows: self.windows,
            name,
            caught_up: self.caught_up,
        };
        Ok((learned, self.done))
    }

    async fn flush(&mut self) -> Result<(), ImportError> {
        if self.batch.is_empty() {
            return Ok(());
        }
        let ids: Vec<Uuid> = self
            .batch
            .iter()
            .map(|(event, _)| event.attempt.id)
            .collect();
        let before = self.present(&ids).await?;
        let stored: HashMap<Uuid, Present> = before.iter().map(|p| (p.id, *p)).collect();
        if stored.len() < ids.len() {
            self.insert(&stored).await?;
        }
        check(&ids, &self.present(&ids).await?)?;
        self.learn(&stored);
        let verdicts = self.note_verdicts().await?;
        self.done.calls += ids.len() as u64;
        self.done.already += stored.len() as u64;
        self.done.verdicts += verdicts;
        self.batch.clear();
        Ok(())
    }

    async fn present(&self, ids: &[Uuid]) -> Result<Vec<Present>, StoreError> {
        let times = || self.batch.iter().map(|(event, _)| event.at);
        let first: Timestamp = times().min().unwrap_or_default();
        let last = times().max().unwrap_or_default();
        self.store.present_ids(ids, first, last).await
    }

    /// Sends the rows that are not stored.
    async fn insert(&self, stored: &HashMap<Uuid, Present>) -> Result<(), StoreError> {
        let lacking = || {
            let lacks = |event: &CallEvent| !stored.contains_key(&event.attempt.id);
            self.batch.iter().filter(move |(event, _)| lacks(event))
        };
        let token = token(lacking().map(|(event, _)| event.attempt.id));
        let file = self.origin.file.number();
        let rows = lacking().map(|(event, line)| {
            let offset = *line;
            (event, Source { file, offset })
        });
        self.store.insert_calls(rows, &token).await
    }

    /// Habits are learned once from each call, though it may be read often.
    fn learn(&mut self, stored: &HashMap<Uuid, Present>) {
        let unlearned = &self.origin.unlearned;
        let lacks = |known: &Present| {
            let since = unlearned.get(&known.file);
            since.is_some_and(|since| known.stored >= *since)
        };
        for (event, _) in &self.batch {
            let id = event.attempt.id;
            let known = stored.get(&id);
            if known.is_none_or(lacks) {
                if let Some(known) = known {
                    *self.caught_up.entry(known.file).or_default() += 1;
                }
                self.windows.observe(&Context::of_event(event), event.at);
                self.learned.update(id.as_bytes());
                self.any_learned = true;
            }
        }
    }

    /// Notes the verdicts that files have not said yet; how many calls have one.
    async fn note_verdicts(&mut self) -> Result<u64, StoreError> {
        let entries = std::mem::take(&mut self.verdicts);
        let ids: Vec<Uuid> = entries.iter().map(|entry| entry.id).collect();
        let said = self.store.imported_verdicts(&ids).await?;
        let said: HashMap<Uuid, _> = said.iter().map(|said| (said.id, said)).collect();
        let mut new = Vec::new();
        for entry in &entries {
            let at = match said.get(&entry.id) {
                Some(said) if said.is_said_by(entry) => continue,
                // Behind what the file said before, and still before any analyst.
                Some(said) => Timestamp(said.micros + 1).max(entry.at),
                None => entry.at,
            };
            let entry = entry.clone();
            new.push(VerdictEntry { at, ..entry });
        }
        // Not of the ids alone: a word may change and change back.
        self.store
            .insert_verdicts(&new, &format!("import:{}", Uuid::from_u128(rand::random())))
            .await?;
        Ok(entries.len() as u64)
    }
}

/// Whether each id is there, and once.
fn check(ids: &[Uuid], present: &[Present]) -> Result<(), ImportError> {
    if let Some(twice) = present.windows(2).find(|pair| pair[0].id == pair[1].id) {
        let all: HashSet<Uuid> = present.iter().map(|p| p.id).collect();
        return Err(ImportError::Surplus {
            surplus: present.len() - all.len(),
            id: twice[0].id,
        });
    }
    if present.len() < ids.len() {
        return Err(ImportError::Short {
            sent: ids.len(),
            lacking: ids.len() - present.len(),
        });
    }
    Ok(())
}

/// The same rows, the same token.
fn token(ids: impl Iterator<Item = Uuid>) -> String {
    let mut hasher = Sha256::new();
    ids.for_each(|id| hasher.update(id.as_bytes()));
    let digest: [u8; 32] = hasher.finalize().into();
    let hex: String = digest[..16].iter().map(|b| format!("{b:02x}")).collect();
    format!("import:{hex}")
}
