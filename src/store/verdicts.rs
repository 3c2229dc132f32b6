//! Labels, and the names of the features they are learned from.

use super::client::{END_TIMEOUT, SEND_TIMEOUT, bounded, within};
use super::{Store, StoreError};
use crate::domain::{Timestamp, Verdict};
use clickhouse::Row;
use serde::Serialize;
use uuid::Uuid;

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
    /// How it is known: `analyst`, `import`, `honeypot`, `report`.
    pub source: String,
    /// In his words; may be empty.
    pub note: String,
    /// When he said so.
    pub at: Timestamp,
}

#[derive(Row, Serialize)]
struct VerdictRow<'a> {
    #[serde(with = "clickhouse::serde::uuid")]
    id: Uuid,
    verdict: i8,
    campaign: &'a str,
    by: &'a str,
    source: &'a str,
    note: &'a str,
    at: i64,
}

impl<'a> From<&'a VerdictEntry> for VerdictRow<'a> {
    fn from(entry: &'a VerdictEntry) -> Self {
        Self {
            id: entry.id,
            verdict: match entry.verdict {
                Verdict::Legitimate => 0,
                Verdict::Fraud => 1,
            },
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
        if entries.is_empty() {
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
            for entry in entries {
                insert.write(&VerdictRow::from(entry)).await?;
            }
            insert.end().await
        };
        within(SEND_TIMEOUT + END_TIMEOUT, insert).await
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
