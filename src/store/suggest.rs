//! A word of fraud spreads to its campaign, as suggestions that somebody accepts or dismisses.
//!
//! The rules stand in `sql/verdicts/suggest.sql`; training sees accepted ones only, as the
//! verdicts they became.

use super::client::{END_TIMEOUT, QUERY_TIMEOUT, SEND_TIMEOUT, bounded, within};
use super::insert::texts;
use super::judge::{JudgeError, Known, Said, Word, once};
use super::verdicts::VerdictEntry;
use super::{Store, StoreError};
use crate::domain::{Timestamp, Verdict};
use clickhouse::Row;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use uuid::Uuid;

const SUGGEST: &str = include_str!("../../sql/verdicts/suggest.sql");
const SEEN: &str = include_str!("../../sql/verdicts/seen.sql");
const SUGGESTIONS: &str = include_str!("../../sql/verdicts/suggestions.sql");

/// Suggestions made because of one word, at most.
pub const MAX_SUGGESTED: usize = 1_000;
/// Judged calls looked around at once: the span of their times is what is read.
const SEEDS: usize = 100;
/// Longest such span, microseconds.
const SPAN: i64 = 24 * 3_600 * Timestamp::SECOND;
/// Judged calls looked around for one word, at most: an attack's first thousand show the rest.
const MAX_SEEDS: usize = 1_000;

/// Campaigns named where several are settled at once, at most.
const NAMED: usize = 10;

/// A call that looks like part of a campaign.
#[derive(Clone, Debug, PartialEq, Eq, Row, Deserialize, Serialize)]
pub struct Suggestion {
    /// The call.
    #[serde(with = "clickhouse::serde::uuid")]
    pub id: Uuid,
    /// Domain whose policy applied to it.
    pub account: String,
    /// When it was, microseconds since 1970.
    pub micros: i64,
    /// The call that was called fraud.
    #[serde(with = "clickhouse::serde::uuid")]
    pub because: Uuid,
    /// Domain of that one.
    pub because_account: String,
    /// Campaign of the verdict.
    pub campaign: String,
    /// Which rule links the two.
    pub rule: String,
    /// The same in words.
    pub reason: String,
    /// Who gave the verdict.
    pub by: String,
    /// How he knew: `analyst`, `customer`.
    pub source: String,
    /// When, microseconds since 1970.
    pub suggested: i64,
}

/// What of a suggested call helps to judge it.
#[derive(Clone, Debug, PartialEq, Row, Deserialize, Serialize)]
pub struct Seen {
    /// The call.
    #[serde(with = "clickhouse::serde::uuid")]
    pub id: Uuid,
    /// The caller.
    pub user: String,
    /// His domain.
    pub caller_domain: String,
    /// The called number; `0`: none.
    pub called: String,
    /// Its country.
    pub called_country: String,
    /// Probability of fraud as served; `None`: no model scored.
    pub score: Option<f32>,
}

/// What came of settling suggestions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settlement {
    /// How many were settled.
    pub calls: usize,
    /// Campaign that the verdicts were noted with; of several the names with commas between.
    pub campaign: String,
}

/// What becomes of a suggestion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Settle {
    /// It is so: a verdict of whoever accepts.
    Accept,
    /// It is not known to be so; it is not suggested again.
    Dismiss,
}

impl Settle {
    const fn value(self) -> i8 {
        match self {
            Self::Accept => 1,
            Self::Dismiss => 2,
        }
    }
}

#[derive(Row, Deserialize)]
struct Linked {
    #[serde(with = "clickhouse::serde::uuid")]
    id: Uuid,
    owner: String,
    micros: i64,
    #[serde(with = "clickhouse::serde::uuid")]
    because: Uuid,
    because_owner: String,
    because_micros: i64,
    rule: String,
}

impl Linked {
    fn reason(&self) -> String {
        let link = match self.rule.as_str() {
            "caller-block" => "the same caller to the same thousand numbers",
            "caller-country" => {
                "the same caller to the same country, which he is not known to have called before"
            }
            "source-tool" => {
                "the same address, new to the account or with mostly suspicious calls, with the same User-Agent"
            }
            _ => "another caller to the same thousand numbers, new to his account",
        };
        let seconds = (self.micros - self.because_micros) / Timestamp::SECOND;
        let apart = match seconds.abs() {
            s @ 0..=119 => format!("{s} s"),
            s @ 120..=7_199 => format!("{} min", s / 60),
            s => format!("{} h", s / 3_600),
        };
        let side = if seconds < 0 { "before" } else { "after" };
        format!("{link}, {apart} {side} call {}", self.because)
    }
}

#[derive(Row, Serialize)]
struct SuggestionRow<'a> {
    #[serde(with = "clickhouse::serde::uuid")]
    id: Uuid,
    account: &'a str,
    call_at: i64,
    #[serde(with = "clickhouse::serde::uuid")]
    because: Uuid,
    because_account: &'a str,
    campaign: &'a str,
    rule: &'a str,
    reason: &'a str,
    state: i8,
    by: &'a str,
    source: &'a str,
    settled_as: &'a str,
    at: i64,
}

impl Store {
    /// Suggests the calls around those that a word calls fraud; how many. Asked for after
    /// [`Store::judge`], which notes the word itself; other words suggest nothing.
    ///
    /// # Errors
    /// ClickHouse could not say: the word stands all the same, and said again it suggests.
    pub async fn suggest(&self, word: &Word) -> Result<usize, JudgeError> {
        if word.said != Said::Fraud {
            return Ok(0);
        }
        let calls = self.known(&word.ids, word.own.as_deref()).await?;
        let mut left = MAX_SUGGESTED;
        for seeds in groups(&calls) {
            let linked = self.linked(&seeds, word, left).await?;
            let reasons: Vec<String> = linked.iter().map(Linked::reason).collect();
            let rows = linked
                .iter()
                .zip(&reasons)
                .map(|(linked, reason)| SuggestionRow {
                    id: linked.id,
                    account: &linked.owner,
                    call_at: linked.micros,
                    because: linked.because,
                    because_account: &linked.because_owner,
                    campaign: &word.campaign,
                    rule: &linked.rule,
                    reason,
                    state: 0,
                    by: &word.by,
                    source: word.source,
                    settled_as: "",
                    at: word.at.0,
                });
            self.insert_suggestions(rows).await?;
            left -= linked.len().min(left);
            if left == 0 {
                break;
            }
        }
        Ok(MAX_SUGGESTED - left)
    }

    async fn linked(
        &self,
        seeds: &[&Known],
        word: &Word,
        limit: usize,
    ) -> Result<Vec<Linked>, StoreError> {
        let ids: Vec<Uuid> = seeds.iter().map(|seed| seed.id).collect();
        let times = || seeds.iter().map(|seed| seed.micros);
        let query = self
            .client
            .query_raw(SUGGEST)
            .param("ids", texts(&ids))
            .param("first", times().min().unwrap_or_default())
            .param("last", times().max().unwrap_or_default())
            .param("account", word.own.as_deref().unwrap_or_default())
            .param("source", word.source)
            .param("limit", limit as u64);
        within(QUERY_TIMEOUT, query.fetch_all::<Linked>()).await
    }

    /// Suggestions that wait, the latest first; only of calls of one account because of its own
    /// calls, when it is given.
    ///
    /// # Errors
    /// ClickHouse could not say.
    pub async fn suggestions(
        &self,
        own: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Suggestion>, StoreError> {
        self.suggestions_of(None, own, limit).await
    }

    /// What is known of suggested calls, in no order.
    ///
    /// # Errors
    /// ClickHouse could not say.
    pub async fn seen(&self, suggestions: &[Suggestion]) -> Result<Vec<Seen>, StoreError> {
        let ids: Vec<Uuid> = suggestions.iter().map(|call| call.id).collect();
        let times = || suggestions.iter().map(|call| call.micros);
        let query = self
            .client
            .query_raw(SEEN)
            .param("ids", texts(&ids))
            .param("first", times().min().unwrap_or_default())
            .param("last", times().max().unwrap_or_default())
            .param("limit", ids.len() as u64);
        bounded(query.fetch_all()).await
    }

    async fn suggestions_of(
        &self,
        ids: Option<&[Uuid]>,
        own: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Suggestion>, StoreError> {
        let query = self
            .client
            .query_raw(SUGGESTIONS)
            .param("account", own.unwrap_or_default())
            .param("all", u8::from(ids.is_none()))
            .param("ids", texts(ids.unwrap_or_default()))
            .param("limit", limit as u64);
        bounded(query.fetch_all()).await
    }

    /// Accepts or dismisses what is suggested of calls, all of them or none. `word` says in whose
    /// name; its campaign, where it is empty, is the suggestion's.
    ///
    /// # Errors
    /// Nothing is suggested of one of them, or it is not his: nothing was noted.
    pub async fn settle(&self, word: &Word, settle: Settle) -> Result<Settlement, JudgeError> {
        let mut wanted = word.ids.clone();
        wanted.sort_unstable();
        wanted.dedup();
        if wanted.is_empty() || wanted.len() > MAX_SUGGESTED {
            return Err(JudgeError::Number(wanted.len()));
        }
        let own = word.own.as_deref();
        let open = self
            .suggestions_of(Some(&wanted), own, wanted.len())
            .await?;
        let missing = wanted.iter().find(|id| !open.iter().any(|o| o.id == **id));
        if let Some(missing) = missing {
            return Err(JudgeError::NotSuggested(*missing));
        }
        // The verdict first: a suggestion of a judged call no longer waits, whatever is noted of it.
        let campaign = match settle {
            Settle::Accept => self.accept(&open, word).await?,
            Settle::Dismiss => word.campaign.clone(),
        };
        let rows = open.iter().map(|suggestion| SuggestionRow {
            id: suggestion.id,
            account: &suggestion.account,
            call_at: suggestion.micros,
            because: suggestion.because,
            because_account: &suggestion.because_account,
            campaign: &suggestion.campaign,
            rule: &suggestion.rule,
            reason: &suggestion.reason,
            state: settle.value(),
            by: &word.by,
            source: &suggestion.source,
            settled_as: word.source,
            at: word.at.0.max(suggestion.suggested + 1),
        });
        match self.insert_suggestions(rows).await {
            // The verdicts are there, so they no longer wait.
            Err(error) if settle == Settle::Accept => {
                tracing::warn!(%error, "accepted suggestions were not marked as such");
            }
            inserted => inserted?,
        }
        Ok(Settlement {
            calls: open.len(),
            campaign,
        })
    }

    /// Notes what is suggested as verdicts, all of them or none; under which campaigns.
    async fn accept(&self, open: &[Suggestion], word: &Word) -> Result<String, StoreError> {
        let or = |own: &str, suggested: &str| match own.is_empty() {
            true => suggested.to_owned(),
            false => own.to_owned(),
        };
        let entries: Vec<VerdictEntry> = open
            .iter()
            .map(|suggestion| {
                // How analysts name a campaign is not told to customers.
                let is_told = word.own.is_none() || suggestion.source == word.source;
                let campaign = if is_told { &suggestion.campaign } else { "" };
                VerdictEntry {
                    id: suggestion.id,
                    verdict: Verdict::Fraud,
                    campaign: or(&word.campaign, campaign),
                    by: word.by.clone(),
                    source: word.source.to_owned(),
                    note: or(&word.note, &suggestion.reason),
                    at: word.at,
                }
            })
            .collect();
        self.insert_verdicts(&entries, &once("verdict")).await?;
        let names = entries.iter().map(|entry| entry.campaign.as_str());
        let names: BTreeSet<&str> = names.filter(|name| !name.is_empty()).collect();
        Ok(names.into_iter().take(NAMED).collect::<Vec<_>>().join(", "))
    }

    async fn insert_suggestions<'a>(
        &self,
        rows: impl ExactSizeIterator<Item = SuggestionRow<'a>>,
    ) -> Result<(), StoreError> {
        if rows.len() == 0 {
            return Ok(());
        }
        let insert = async {
            let mut insert = self
                .client
                .insert::<SuggestionRow<'static>>("verdict_suggestions")
                .await?
                .with_setting("insert_deduplicate", "1")
                .with_setting("insert_deduplication_token", once("suggest"))
                .with_setting("async_insert", "0")
                .with_timeouts(Some(SEND_TIMEOUT), Some(END_TIMEOUT));
            for row in rows {
                insert.write(&row).await?;
            }
            insert.end().await
        };
        within(SEND_TIMEOUT + END_TIMEOUT, insert).await
    }
}

/// Calls near each other in time, so that little is read for each group.
fn groups(calls: &[Known]) -> Vec<Vec<&Known>> {
    let mut sorted: Vec<&Known> = calls.iter().collect();
    sorted.sort_by_key(|call| call.micros);
    sorted.truncate(MAX_SEEDS);
    let mut groups: Vec<Vec<&Known>> = Vec::new();
    for call in sorted {
        match groups.last_mut() {
            Some(group) if group.len() < SEEDS && call.micros - group[0].micros <= SPAN => {
                group.push(call);
            }
            _ => groups.push(vec![call]),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_short_and_near() {
        let call = |hours: i64| Known {
            id: Uuid::nil(),
            account: String::new(),
            micros: hours * 3_600 * Timestamp::SECOND,
        };
        let mut calls: Vec<Known> = (0..150).map(|_| call(0)).collect();
        calls.extend([call(100), call(20), call(101)]);
        let groups: Vec<usize> = groups(&calls).iter().map(Vec::len).collect();
        assert_eq!(groups, [100, 51, 2]);
    }

    #[test]
    fn reasons_say_what_links_two_calls_and_how_far_apart_they_were() {
        let linked = |rule: &str, seconds: i64| Linked {
            id: Uuid::nil(),
            owner: String::new(),
            micros: seconds * Timestamp::SECOND,
            because: Uuid::nil(),
            because_owner: String::new(),
            because_micros: 0,
            rule: rule.to_owned(),
        };
        let nil = Uuid::nil();
        assert_eq!(
            linked("caller-block", -90).reason(),
            format!("the same caller to the same thousand numbers, 90 s before call {nil}")
        );
        assert!(
            linked("source-tool", 7_200)
                .reason()
                .contains(", 2 h after ")
        );
        let rules = [
            "caller-block",
            "caller-country",
            "source-tool",
            "block-tenants",
        ];
        let words: std::collections::HashSet<_> = rules.map(|rule| linked(rule, 0).reason()).into();
        assert_eq!(words.len(), rules.len());
    }
}
