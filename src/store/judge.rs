//! Saying what calls were, taking it back, and what was said before.
//!
//! Nothing is overwritten: of each source the latest word counts, an analyst's before a customer's
//! before a file's, and the earlier ones stay (view `verdicts_latest`). A word of fraud also makes
//! suggestions of other calls ([`super::suggest`]), which are no labels.

use super::client::{END_TIMEOUT, bounded, within};
use super::insert::{IDS, texts};
use super::verdicts::VerdictRow;
use super::{Store, StoreError};
use crate::domain::{Timestamp, Verdict};
use clickhouse::Row;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use super::suggest::{MAX_SUGGESTED, Settle, Suggestion};

const KNOWN: &str = include_str!("../../sql/verdicts/known.sql");
const FIND: &str = include_str!("../../sql/verdicts/find.sql");
const HISTORY: &str = include_str!("../../sql/verdicts/history.sql");
const LATEST: &str = include_str!("../../sql/verdicts/latest.sql");

/// Calls judged by one word, at most.
pub const MAX_JUDGED: usize = 10_000;

/// What somebody says of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Said {
    /// It was an ordinary call.
    Legitimate,
    /// It was fraud.
    Fraud,
    /// What the same source said before is taken back.
    Withdrawn,
}

impl Said {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Legitimate, Self::Fraud, Self::Withdrawn];

    /// As written in ClickHouse.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Legitimate => "legitimate",
            Self::Fraud => "fraud",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The word of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|said| said.as_str() == name)
    }

    /// Value of the column's `Enum8`.
    pub(super) const fn value(self) -> i8 {
        match self {
            Self::Legitimate => 0,
            Self::Fraud => 1,
            Self::Withdrawn => 2,
        }
    }
}

impl From<Verdict> for Said {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Fraud => Self::Fraud,
            Verdict::Legitimate => Self::Legitimate,
        }
    }
}

/// One word on some calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// The calls, 1 to [`MAX_JUDGED`].
    pub ids: Vec<Uuid>,
    /// What they were.
    pub said: Said,
    /// Groups the calls of one attack; may be empty.
    pub campaign: String,
    /// In his words; may be empty.
    pub note: String,
    /// Who says so.
    pub by: String,
    /// How he knows: `analyst`, `customer`.
    pub source: &'static str,
    /// The one account whose calls he may judge; `None`: all.
    pub own: Option<String>,
    /// When he says so.
    pub at: Timestamp,
}

/// Why nothing was noted.
#[derive(Debug, thiserror::Error)]
pub enum JudgeError {
    /// ClickHouse did not do as asked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Calls that are not there, or not his.
    #[error("no such call: {}; nothing was noted", list(.0))]
    Unknown(Vec<Uuid>),
    /// Too many at once.
    #[error("{0} calls: expected 1 to {MAX_JUDGED} at once; nothing was noted")]
    Number(usize),
    /// Not suggested, or settled already, or not his.
    #[error("no suggestion waits for call {0}")]
    NotSuggested(Uuid),
}

fn list(ids: &[Uuid]) -> String {
    let mut text = texts(&ids[..ids.len().min(10)]).join(", ");
    if ids.len() > 10 {
        text.push_str(&format!(" and {} more", ids.len() - 10));
    }
    text
}

/// A call there is.
#[derive(Clone, Debug, PartialEq, Eq, Row, Deserialize)]
pub(super) struct Known {
    #[serde(with = "clickhouse::serde::uuid")]
    pub(super) id: Uuid,
    pub(super) account: String,
    pub(super) micros: i64,
}

/// Which calls an analyst looks for; what is empty is not asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sought {
    /// Domain whose policy applied.
    pub account: String,
    /// The caller.
    pub user: String,
    /// His domain.
    pub domain: String,
    /// SIP Call-ID.
    pub call_id: String,
    /// What the called number begins with: digits.
    pub prefix: String,
    /// Not before.
    pub from: Option<Timestamp>,
    /// Not after.
    pub to: Option<Timestamp>,
}

/// A call that was found.
#[derive(Clone, Debug, PartialEq, Eq, Row, Deserialize, Serialize)]
pub struct Found {
    /// Its id.
    #[serde(with = "clickhouse::serde::uuid")]
    pub id: Uuid,
    /// Domain whose policy applied.
    pub account: String,
    /// When it was, microseconds since 1970.
    pub micros: i64,
    /// The caller.
    pub user: String,
    /// His domain.
    pub domain: String,
    /// The called number.
    pub called: String,
    /// Its country.
    pub called_country: String,
    /// `A00` or the refusal.
    pub refusal: String,
    /// Its verdict now; empty: none.
    pub said: String,
}

/// Something that was said of a call.
#[derive(Clone, Debug, PartialEq, Eq, Row, Deserialize, Serialize)]
pub struct History {
    /// `fraud`, `legitimate` or `withdrawn`.
    pub said: String,
    /// Campaign; may be empty.
    pub campaign: String,
    /// Who said so.
    pub by: String,
    /// How he knew.
    pub source: String,
    /// In his words.
    pub note: String,
    /// When, microseconds since 1970.
    pub micros: i64,
}

/// A call with its verdict.
#[derive(Clone, Debug, PartialEq, Eq, Row, Deserialize, Serialize)]
pub struct Judged {
    /// The call.
    #[serde(with = "clickhouse::serde::uuid")]
    pub id: Uuid,
    /// `fraud` or `legitimate`.
    pub said: String,
    /// Campaign; may be empty.
    pub campaign: String,
    /// Who said so.
    pub by: String,
    /// How he knew.
    pub source: String,
    /// When, microseconds since 1970.
    pub micros: i64,
}

impl Store {
    /// Notes a word on calls, all of them or none; how many. What it suggests of others is asked
    /// for apart ([`Self::suggest`]): a word that was noted is never answered with an error.
    ///
    /// # Errors
    /// A call is not there, or not his: nothing was noted. ClickHouse failed: say it again.
    pub async fn judge(&self, word: &Word) -> Result<usize, JudgeError> {
        if word.ids.is_empty() || word.ids.len() > MAX_JUDGED {
            return Err(JudgeError::Number(word.ids.len()));
        }
        let calls = self.known(&word.ids, word.own.as_deref()).await?;
        self.note(&calls, word).await?;
        Ok(calls.len())
    }

    /// The calls of some ids, each once, sorted.
    pub(super) async fn known(
        &self,
        ids: &[Uuid],
        own: Option<&str>,
    ) -> Result<Vec<Known>, JudgeError> {
        let mut wanted = ids.to_vec();
        wanted.sort_unstable();
        wanted.dedup();
        let mut calls: Vec<Known> = Vec::new();
        for part in wanted.chunks(IDS) {
            let query = self.client.query_raw(KNOWN).param("ids", texts(part));
            calls.extend(within(END_TIMEOUT, query.fetch_all::<Known>()).await?);
        }
        calls.retain(|call| own.is_none_or(|own| call.account == own));
        calls.sort_unstable_by_key(|call| call.id);
        let known = |id: &Uuid| calls.binary_search_by_key(id, |call| call.id).is_ok();
        let unknown: Vec<Uuid> = wanted.iter().filter(|id| !known(id)).copied().collect();
        match unknown.is_empty() {
            true => Ok(calls),
            false => Err(JudgeError::Unknown(unknown)),
        }
    }

    async fn note(&self, calls: &[Known], word: &Word) -> Result<(), StoreError> {
        let rows = calls.iter().map(|call| VerdictRow {
            id: call.id,
            verdict: word.said.value(),
            campaign: &word.campaign,
            by: &word.by,
            source: word.source,
            note: &word.note,
            at: word.at.0,
        });
        self.insert_verdict_rows(rows, &once("verdict")).await
    }

    /// Calls by what is known of them, the latest first, `limit` at most.
    ///
    /// # Errors
    /// ClickHouse could not say.
    pub async fn find_calls(
        &self,
        sought: &Sought,
        limit: usize,
    ) -> Result<Vec<Found>, StoreError> {
        // The years a `DateTime64` of microseconds can hold.
        const FIRST: Timestamp = Timestamp::from_secs(0);
        const LAST: Timestamp = Timestamp::from_secs(4_102_444_800);
        let query = self
            .client
            .query_raw(FIND)
            .param("from", sought.from.unwrap_or(FIRST).0)
            .param("to", sought.to.unwrap_or(LAST).0)
            .param("account", &sought.account)
            .param("user", &sought.user)
            .param("domain", &sought.domain)
            .param("call_id", &sought.call_id)
            .param("prefix", &sought.prefix)
            .param("limit", limit as u64);
        bounded(query.fetch_all()).await
    }

    /// Everything that was said of a call, the latest first.
    ///
    /// # Errors
    /// The call is not there, or not his; ClickHouse could not say.
    pub async fn verdict_history(
        &self,
        id: Uuid,
        own: Option<&str>,
    ) -> Result<Vec<History>, JudgeError> {
        self.known(&[id], own).await?;
        let query = self.client.query_raw(HISTORY).param("id", id.to_string());
        Ok(bounded(query.fetch_all()).await?)
    }

    /// Judged calls, the latest words first.
    ///
    /// # Errors
    /// ClickHouse could not say.
    pub async fn latest_verdicts(
        &self,
        said: Option<Said>,
        own: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Judged>, StoreError> {
        let query = self
            .client
            .query_raw(LATEST)
            .param("said", said.map_or("", Said::as_str))
            .param("account", own.unwrap_or_default())
            .param("limit", limit as u64);
        bounded(query.fetch_all()).await
    }
}

/// A token no other insert has.
pub(super) fn once(what: &str) -> String {
    format!("{what}:{}", Uuid::from_u128(rand::random()))
}
