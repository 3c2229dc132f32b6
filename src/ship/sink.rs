//! Where batches go.

use crate::domain::{CallEvent, Timestamp};
use crate::features::{CATALOGUE, VERSION};
use crate::spool::Batch;
use crate::store::{FeatureNamesError, MigrateError, Placed, Source, Store, StoreError};

/// Why a store is not ready to be shipped to.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// Its tables are not those of this version.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    /// The names of the features could not be written down.
    #[error(transparent)]
    Features(#[from] FeatureNamesError),
}

impl PrepareError {
    /// What ClickHouse said; `None`: it is for an operator to mend.
    pub(super) const fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Migrate(MigrateError::Store(error))
            | Self::Features(FeatureNamesError::Store(error)) => Some(error),
            Self::Migrate(_) | Self::Features(FeatureNamesError::Changed { .. }) => None,
        }
    }
}

/// A store for records of one kind.
pub trait Sink<T>: Send {
    /// Makes ready, once per process: migrations, names. Repeated until it succeeds.
    fn prepare(&mut self) -> impl Future<Output = Result<(), PrepareError>> + Send;

    /// Stores the batch under its token. "Done" is a claim; [`Self::present`] checks it.
    fn insert(&mut self, batch: &Batch<T>) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// The offsets of the batch's range that are stored, sorted, repeated if stored twice.
    fn present(
        &mut self,
        batch: &Batch<T>,
    ) -> impl Future<Output = Result<Vec<u64>, StoreError>> + Send;
}

impl Sink<CallEvent> for Store {
    async fn prepare(&mut self) -> Result<(), PrepareError> {
        let applied = self.migrate().await?;
        if !applied.is_empty() {
            tracing::info!(?applied, "tables migrated");
        }
        // Before the first row, so that no stored vector is without the names of its values.
        let names: Vec<(&str, &str)> = CATALOGUE.iter().map(|f| (f.name, f.words)).collect();
        Ok(self.describe_features(VERSION, &names).await?)
    }

    async fn insert(&mut self, batch: &Batch<CallEvent>) -> Result<(), StoreError> {
        let file = batch.range.segment.id;
        let calls = batch.records.iter().map(|stored| {
            let offset = stored.offset;
            (&stored.record, Source { file, offset })
        });
        self.insert_calls(calls, &batch.token).await
    }

    async fn present(&mut self, batch: &Batch<CallEvent>) -> Result<Vec<u64>, StoreError> {
        let times = || batch.records.iter().map(|stored| stored.record.at);
        Self::present(
            self,
            &Placed {
                file: batch.range.segment.id,
                start: batch.range.start,
                end: batch.range.end,
                first: times().min().unwrap_or(Timestamp(0)),
                last: times().max().unwrap_or(Timestamp(0)),
            },
        )
        .await
    }
}
