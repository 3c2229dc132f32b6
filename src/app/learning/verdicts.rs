//! What people say of calls, read from ClickHouse now and then.

use crate::config::Settings;
use crate::domain::{Number, Timestamp, Verdict};
use crate::learned::{Call, Evidence, Heard, Keys};
use crate::store::{Store, StoreError};
use clickhouse::Row;
use serde::Deserialize;
use std::net::IpAddr;
use tokio::runtime::Handle;
use uuid::Uuid;

const VERDICT_EVIDENCE: &str = include_str!("../../../sql/store/verdict_evidence.sql");
/// Looks between two questions.
const EVERY: u32 = 10;
/// Verdicts taken at a time, at most; the rest come with the next question.
const PAGE: u64 = 50_000;
/// Source of verdicts that analysts give; others are their own callers'.
const ANALYST: &str = "analyst";

/// Asks ClickHouse what people said.
pub(super) struct Source {
    store: Store,
    runtime: Handle,
    looks: u32,
}

/// Where verdicts come from; nowhere until ClickHouse is known.
#[derive(Default)]
pub(in crate::app) struct Verdicts(Option<Source>);

#[derive(Deserialize, Row)]
struct Said {
    id: String,
    verdict: String,
    by: String,
    source: String,
    at: i64,
    inserted_at: i64,
    account: String,
    number: u64,
    source_ip: String,
}

impl Verdicts {
    /// From the ClickHouse at `url`. Must be called within a runtime.
    pub(in crate::app) fn of(url: &str, settings: &Settings) -> Self {
        Self(Some(Source {
            store: Store::new(url, &settings.store),
            runtime: Handle::current(),
            looks: 0,
        }))
    }

    /// What was said after `heard`, which is moved on. ClickHouse may be down: then it is read
    /// later.
    pub(super) fn since(&mut self, heard: &mut Heard, keys: Keys) -> Vec<Evidence> {
        let Some(source) = &mut self.0 else {
            return Vec::new();
        };
        source.looks = source.looks.wrapping_add(1);
        if !source.looks.is_multiple_of(EVERY) {
            return Vec::new();
        }
        let said = match source.runtime.block_on(source.ask(*heard)) {
            Ok(said) => said,
            Err(error) => {
                tracing::debug!(%error, "verdicts not read; the next look tries again");
                return Vec::new();
            }
        };
        if let Some(last) = said.last() {
            *heard = last.mark();
        }
        said.iter().filter_map(|said| said.evidence(keys)).collect()
    }
}

impl Source {
    async fn ask(&self, heard: Heard) -> Result<Vec<Said>, StoreError> {
        let query = self
            .store
            .query(VERDICT_EVIDENCE)
            .param("since", heard.inserted_at)
            .param("id", heard.id.to_string())
            .param("at", heard.at)
            .param("limit", PAGE);
        self.store.rows(query).await
    }
}

impl Said {
    fn mark(&self) -> Heard {
        Heard {
            inserted_at: self.inserted_at,
            id: Uuid::parse_str(&self.id).unwrap_or_default(),
            at: self.at,
        }
    }

    fn evidence(&self, keys: Keys) -> Option<Evidence> {
        let verdict = match self.verdict.as_str() {
            "fraud" => Some(Verdict::Fraud),
            "legitimate" => Some(Verdict::Legitimate),
            "withdrawn" => None,
            _ => return None,
        };
        let source_ip: IpAddr = self.source_ip.parse().ok()?;
        let call = Call {
            account: &self.account,
            source_ip: source_ip.to_canonical(),
            number: Number::from_u64(self.number),
        };
        let analyst = (self.source == ANALYST).then_some(self.by.as_str());
        Evidence::of_verdict(verdict, analyst, &call, Timestamp(self.at), keys)
    }
}
