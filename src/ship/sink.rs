//! Where batches go.

use crate::domain::{CallEvent, Timestamp};
use crate::spool::Batch;
use crate::store::{MigrateError, Placed, Source, Store, StoreError};

/// A store for records of one kind.
pub trait Sink<T>: Send {
    /// Makes ready, once per process: migrations. Repeated until it succeeds.
    fn prepare(&mut self) -> impl Future<Output = Result<(), MigrateError>> + Send;

    /// Stores the batch under its token. "Done" is a claim; [`Self::present`] checks it.
    fn insert(&mut self, batch: &Batch<T>) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// The offsets of the batch's range that are stored, sorted, repeated if stored twice.
    fn present(
        &mut self,
        batch: &Batch<T>,
    ) -> impl Future<Output = Result<Vec<u64>, StoreError>> + Send;
}

impl Sink<CallEvent> for Store {
    async fn prepare(&mut self) -> Result<(), MigrateError> {
        let applied = self.migrate().await?;
        if !applied.is_empty() {
            tracing::info!(?applied, "tables migrated");
        }
        Ok(())
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
