//! Inserts of calls, and the proof that they are there.

use super::client::{END_TIMEOUT, SEND_TIMEOUT, within};
use super::{CallRow, Store, StoreError};
use crate::domain::{CallEvent, Timestamp};
use clickhouse::Row;
use serde::Deserialize;
use uuid::Uuid;

const PRESENT: &str = include_str!("../../sql/store/present.sql");
const STORED_OF: &str = include_str!("../../sql/store/stored_of.sql");
const PRESENT_IDS: &str = include_str!("../../sql/store/present_ids.sql");

/// Ids of one question: they travel in its address, which may have 64 KiB.
pub(super) const IDS: usize = 1_000;

/// A stored call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Row, Deserialize)]
pub struct Present {
    /// Which.
    #[serde(with = "clickhouse::serde::uuid")]
    pub id: Uuid,
    /// When it came into ClickHouse, seconds of ClickHouse's own clock.
    pub stored: u32,
    /// [`Source::file`] it came from.
    pub file: u64,
}

/// Where a row comes from: unique for ever, so that a row can be asked for by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// Id of the spool segment, or a hash of the imported file.
    pub file: u64,
    /// Byte offset of the record, or number of the line.
    pub offset: u64,
}

/// Places `start..end` of one source, and the time its events span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// [`Source::file`] of all of them.
    pub file: u64,
    /// First place.
    pub start: u64,
    /// Behind the last place.
    pub end: u64,
    /// Time of the earliest event.
    pub first: Timestamp,
    /// Time of the latest event.
    pub last: Timestamp,
}

impl Store {
    /// Inserts calls as one block, under a token: the same token again stores nothing again.
    ///
    /// Success is what ClickHouse *says*; [`Self::present`] tells what it did.
    ///
    /// # Errors
    /// After [`super::Meaning::Retry`] errors the rows may be stored, or be stored later.
    pub async fn insert_calls(
        &self,
        calls: impl Iterator<Item = (&CallEvent, Source)>,
        token: &str,
    ) -> Result<(), StoreError> {
        let insert = async {
            let mut insert = self
                .client
                .insert::<CallRow<'static>>("calls")
                .await?
                .with_setting("insert_deduplicate", "1")
                .with_setting("insert_deduplication_token", token)
                .with_setting("async_insert", "0")
                .with_timeouts(Some(SEND_TIMEOUT), Some(END_TIMEOUT));
            for (event, source) in calls {
                insert.write(&CallRow::new(event, source)).await?;
            }
            insert.end().await
        };
        let inserted = within(SEND_TIMEOUT + END_TIMEOUT, insert).await;
        if matches!(inserted, Err(StoreError::Schema(_))) {
            // The client remembers the columns it saw first; they may have been migrated since.
            self.client.clear_cached_metadata().await;
        }
        inserted
    }

    /// Which places of a source are in `calls`, sorted; one that is there twice is listed twice.
    ///
    /// # Errors
    /// ClickHouse could not say.
    pub async fn present(&self, placed: &Placed) -> Result<Vec<u64>, StoreError> {
        let query = self
            .client
            .query_raw(PRESENT)
            .param("file", placed.file)
            .param("start", placed.start)
            .param("end", placed.end)
            .param("first", placed.first.0)
            .param("last", placed.last.0)
            // On a replicated table the replica asked must have what another was given.
            .with_setting("select_sequential_consistency", "1");
        within(END_TIMEOUT, query.fetch_all::<u64>()).await
    }

    /// Which of some calls between two times are in `calls`, sorted by id; one that is there twice
    /// is listed twice.
    ///
    /// # Errors
    /// ClickHouse could not say.
    pub async fn present_ids(
        &self,
        ids: &[Uuid],
        first: Timestamp,
        last: Timestamp,
    ) -> Result<Vec<Present>, StoreError> {
        let mut present = Vec::new();
        for part in ids.chunks(IDS) {
            let query = self
                .client
                .query_raw(PRESENT_IDS)
                .param("ids", texts(part))
                .param("first", first.0)
                .param("last", last.0)
                // As in `present`.
                .with_setting("select_sequential_consistency", "1");
            present.extend(within(END_TIMEOUT, query.fetch_all::<Present>()).await?);
        }
        present.sort_unstable();
        Ok(present)
    }

    /// How many calls of a file ([`Source::file`]) came in since a second of ClickHouse's clock.
    ///
    /// # Errors
    /// ClickHouse could not say.
    pub async fn stored_of(&self, file: u64, since: u32) -> Result<u64, StoreError> {
        let query = self.client.query_raw(STORED_OF);
        let query = query.param("file", file).param("since", since);
        within(END_TIMEOUT, query.fetch_one::<u64>()).await
    }

    /// ClickHouse's own clock, seconds: what [`Present::stored`] is measured by.
    ///
    /// # Errors
    /// ClickHouse could not say.
    pub async fn clock(&self) -> Result<u32, StoreError> {
        let query = self.client.query_raw("SELECT toUnixTimestamp(now())");
        within(END_TIMEOUT, query.fetch_one::<u32>()).await
    }
}

/// Ids as a parameter of type `Array(UUID)`.
pub(super) fn texts(ids: &[Uuid]) -> Vec<String> {
    ids.iter().map(Uuid::to_string).collect()
}
