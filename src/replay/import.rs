//! Rows of a file into ClickHouse, each exactly once however often the import is repeated.

use super::{FileHash, decide};
use crate::decide::Engine;
use crate::domain::{CallEvent, CallRecord};
use crate::features::{Context, Windows};
use crate::store::{Placed, Source, Store, StoreError, VerdictEntry};

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
        "{surplus} rows of batch {token} are stored more than once: remove them by their source_file and source_offset"
    )]
    Surplus {
        /// How many too many.
        surplus: usize,
        /// The batch.
        token: String,
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

/// Takes rows, decides them and stores them in batches.
pub struct Importer<'a> {
    engine: &'a Engine,
    store: &'a Store,
    file: FileHash,
    by: String,
    /// What this file alone shows of habits, for the running service to join.
    windows: Windows,
    batch: Vec<(CallEvent, u64)>,
    verdicts: Vec<VerdictEntry>,
    done: Imported,
}

impl<'a> Importer<'a> {
    /// `windows` are empty ones, to be filled from this file; `by` names the file in the
    /// verdicts.
    #[must_use]
    pub fn new(
        engine: &'a Engine,
        store: &'a Store,
        file: FileHash,
        windows: Windows,
        by: String,
    ) -> Self {
        Self {
            engine,
            store,
            file,
            by,
            windows,
            batch: Vec::with_capacity(BATCH),
            verdicts: Vec::new(),
            done: Imported::default(),
        }
    }

    /// Takes the row of a line; stores a batch when one is full.
    ///
    /// # Errors
    /// The batch could not be stored.
    pub async fn take(&mut self, record: &CallRecord, line: u64) -> Result<(), ImportError> {
        let id = self.file.call_id(line);
        let Some(event) = decide(self.engine, record, id) else {
            return Ok(());
        };
        self.windows.observe(&Context::of_event(&event), event.at);
        if !event.decision.code.is_approved() {
            self.done.refused += 1;
        }
        if let Some(verdict) = record.verdict {
            self.verdicts.push(VerdictEntry {
                id,
                verdict,
                campaign: record.campaign.clone(),
                by: self.by.clone(),
                source: "import".to_owned(),
                note: String::new(),
                // When the call was: an analyst's later word goes before the file's, however
                // often the file is imported.
                at: event.at,
            });
        }
        self.batch.push((event, line));
        if self.batch.len() >= BATCH {
            self.flush().await?;
        }
        Ok(())
    }

    /// Stores what is left; the file's habits and what was done.
    ///
    /// # Errors
    /// The last batch could not be stored.
    pub async fn finish(mut self) -> Result<(Windows, Imported), ImportError> {
        self.flush().await?;
        Ok((self.windows, self.done))
    }

    async fn flush(&mut self) -> Result<(), ImportError> {
        let (Some((_, start)), Some((_, last))) = (self.batch.first(), self.batch.last()) else {
            return Ok(());
        };
        let times = || self.batch.iter().map(|(event, _)| event.at);
        let placed = Placed {
            file: self.file.number(),
            start: *start,
            end: last + 1,
            first: times().min().unwrap_or_default(),
            last: times().max().unwrap_or_default(),
        };
        let token = format!("import:{}:{start}:{}", self.file.name(), self.batch.len());
        let present = self.store.present(&placed).await?;
        let before = present.len();
        if before < self.batch.len() {
            self.insert(&token, &present).await?;
        }
        let after = self.store.present(&placed).await?.len();
        match after.cmp(&self.batch.len()) {
            std::cmp::Ordering::Equal => {}
            std::cmp::Ordering::Less => {
                return Err(ImportError::Short {
                    sent: self.batch.len(),
                    lacking: self.batch.len() - after,
                });
            }
            std::cmp::Ordering::Greater => {
                return Err(ImportError::Surplus {
                    surplus: after - self.batch.len(),
                    token,
                });
            }
        }
        self.store
            .insert_verdicts(&self.verdicts, &format!("{token}:verdicts"))
            .await?;
        self.done.calls += self.batch.len() as u64;
        self.done.already += before as u64;
        self.done.verdicts += self.verdicts.len() as u64;
        self.batch.clear();
        self.verdicts.clear();
        Ok(())
    }

    /// Sends the rows whose lines are not in `present` (sorted). Part of a batch has a token of
    /// its own: under the whole batch's it would be dropped.
    async fn insert(&self, token: &str, present: &[u64]) -> Result<(), ImportError> {
        let file = self.file.number();
        let token = match present.len() {
            0 => token.to_owned(),
            some => format!("{token}:after:{some}"),
        };
        let lacking = self
            .batch
            .iter()
            .filter(|(_, line)| present.binary_search(line).is_err());
        let rows = lacking.map(|(event, offset)| {
            let offset = *offset;
            (event, Source { file, offset })
        });
        Ok(self.store.insert_calls(rows, &token).await?)
    }
}
