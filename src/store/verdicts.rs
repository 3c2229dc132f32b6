//! Labels, and the names of the features they are learned from.

use super::client::{END_TIMEOUT, SEND_TIMEOUT, bounded, within};
use super::insert::{IDS, texts};
use super::judge::Said;
use super::{Store, StoreError};
use crate::domain::{Timestamp, Verdict};
use clickhouse::Row;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

const IMPORTED: &str = include_str!("../../sql/verdicts/imported.sql");
const FEATURE_NAMES: &str = include_str!("../../sql/store/feature_names.sql");

/// What somebody says a call was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerdictEntry {
    /// The call.
    pub id: Uuid,
    /// What it was.
    pub verdict: Verdict,
    /// Groups the calls of one attack; may be empty.
    pub campaign: String,
    /// Who says so.
    pub by: String,
    /// How it is known: `analyst`, `customer`, `import`, `honeypot`, `report`.
    pub source: String,
    /// In his words; may be empty.
    pub note: String,
    /// When he said so.
    pub at: Timestamp,
}

#[derive(Row, Serialize)]
pub(super) struct VerdictRow<'a> {
    #[serde(with = "clickhouse::serde::uuid")]
    pub(super) id: Uuid,
    pub(super) verdict: i8,
    pub(super) campaign: &'a str,
    pub(super) by: &'a str,
    pub(super) source: &'a str,
    pub(super) note: &'a str,
    pub(super) at: i64,
}

/// What files have said of a call so far.
#[derive(Clone, Debug, PartialEq, Eq, Row, Deserialize)]
pub struct ImportedVerdict {
    /// The call.
    #[serde(with = "clickhouse::serde::uuid")]
    pub id: Uuid,
    /// Value of the column's `Enum8`.
    said: i8,
    named: String,
    /// When, microseconds since 1970.
    pub micros: i64,
}

impl ImportedVerdict {
    /// Whether a file says the same again.
    #[must_use]
    pub fn is_said_by(&self, entry: &VerdictEntry) -> bool {
        self.id == entry.id
            && self.said == Said::from(entry.verdict).value()
            && self.named == entry.campaign
    }
}

impl<'a> From<&'a VerdictEntry> for VerdictRow<'a> {
    fn from(entry: &'a VerdictEntry) -> Self {
        Self {
            id: entry.id,
            verdict: Said::from(entry.verdict).value(),
            campaign: &entry.campaign,
            by: &entry.by,
            source: &entry.source,
            note: &entry.note,
            at: entry.at.0,
        }
    }
}

/// Why the catalogue of features was not written down.
#[derive(Debug, thiserror::Error)]
pub enum FeatureNamesError {
    /// ClickHouse did not do as asked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Stored vectors of this version mean something else: `features::VERSION` must grow.
    #[error("features version {version} was stored with other names: raise the version")]
    Changed {
        /// The version.
        version: u16,
    },
}

#[derive(Row, Serialize)]
struct FeatureRow<'a> {
    version: u16,
    position: u16,
    name: &'a str,
    words: &'a str,
}

impl Store {
    /// Inserts verdicts under a token: the same token again stores nothing again.
    ///
    /// # Errors
    /// ClickHouse did not do as asked; the same again, with the same token, is right.
    pub async fn insert_verdicts(
        &self,
        entries: &[VerdictEntry],
        token: &str,
    ) -> Result<(), StoreError> {
        self.insert_verdict_rows(entries.iter().map(VerdictRow::from), token)
            .await
    }

    /// As [`Self::insert_verdicts`], of rows.
    pub(super) async fn insert_verdict_rows<'a>(
        &self,
        rows: impl ExactSizeIterator<Item = VerdictRow<'a>>,
        token: &str,
    ) -> Result<(), StoreError> {
        if rows.len() == 0 {
            return Ok(());
        }
        let insert = async {
            let mut insert = self
                .client
                .insert::<VerdictRow<'static>>("verdicts")
                .await?
                .with_setting("insert_deduplicate", "1")
                .with_setting("insert_deduplication_token", token)
                .with_setting("async_insert", "0")
                .with_timeouts(Some(SEND_TIMEOUT), Some(END_TIMEOUT));
            for row in rows {
                insert.write(&row).await?;
            }
            insert.end().await
        };
        within(SEND_TIMEOUT + END_TIMEOUT, insert).await
    }

    /// What files have said of some calls, each call's last word, in no order.
    ///
    /// # Errors
    /// ClickHouse could not say.
    pub async fn imported_verdicts(
        &self,
        ids: &[Uuid],
    ) -> Result<Vec<ImportedVerdict>, StoreError> {
        let mut said = Vec::new();
        for part in ids.chunks(IDS) {
            let query = self.client.query_raw(IMPORTED).param("ids", texts(part));
            said.extend(within(END_TIMEOUT, query.fetch_all::<ImportedVerdict>()).await?);
        }
        Ok(said)
    }

    /// Writes the catalogue of features down, once per version: `(name, what it says)` in order.
    ///
    /// # Errors
    /// The version is known under other names, or ClickHouse failed.
    pub async fn describe_features(
        &self,
        version: u16,
        features: &[(&str, &str)],
    ) -> Result<(), FeatureNamesError> {
        let known = self
            .client
            .query_raw(FEATURE_NAMES)
            .param("version", version);
        let known: Vec<String> = bounded(known.fetch_all()).await?;
        if !known.is_empty() {
            let same = known.iter().eq(features.iter().map(|(name, _)| name));
            return if same {
                Ok(())
            } else {
                Err(FeatureNamesError::Changed { version })
            };
        }
        let insert = async {
            let mut insert = self
                .client
                .insert::<FeatureRow<'static>>("feature_names")
                .await?
                .with_timeouts(Some(SEND_TIMEOUT), Some(END_TIMEOUT));
            for (position, (name, words)) in (1..).zip(features) {
                let row = FeatureRow {
                    version,
                    position,
                    name,
                    words,
                };
                insert.write(&row).await?;
            }
            insert.end().await
        };
        Ok(within(SEND_TIMEOUT + END_TIMEOUT, insert).await?)
    }
}
