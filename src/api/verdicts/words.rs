//! Bodies of requests on verdicts, and of their answers.

use crate::api::Problem;
use crate::api::caller::Caller;
use crate::api::refused::wrong;
use crate::domain::Timestamp;
use crate::store::{History, Judged, MAX_JUDGED, Said, Settle, Suggestion, Word};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// How operators know.
const ANALYST: &str = "analyst";
/// How domains know.
const CUSTOMER: &str = "customer";

/// Longest campaign and note, characters.
const TEXT: usize = 1_000;

/// What calls were. Unknown fields are refused.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"calls": ["00000000-0000-0000-0000-000000000001"], "verdict": "fraud",
    "campaign": "easter"}))]
pub(super) struct NewVerdict {
    /// Ids of the calls, 1 to 1,000: column `id` of the table `calls`, `id` of a decision.
    #[schema(min_items = 1, max_items = 1000)]
    calls: Vec<Uuid>,
    /// What they were.
    verdict: SaidWord,
    /// Groups the calls of one attack; at most 1,000 characters.
    #[serde(default)]
    #[schema(example = "easter")]
    campaign: String,
    /// In your words; at most 1,000 characters.
    #[serde(default)]
    #[schema(example = "asked the customer")]
    note: String,
}

/// What a call was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum SaidWord {
    /// Fraud.
    Fraud,
    /// An ordinary call.
    Legitimate,
    /// What your side said before is taken back.
    Withdrawn,
}

impl From<SaidWord> for Said {
    fn from(word: SaidWord) -> Self {
        match word {
            SaidWord::Fraud => Self::Fraud,
            SaidWord::Legitimate => Self::Legitimate,
            SaidWord::Withdrawn => Self::Withdrawn,
        }
    }
}

/// Most calls of one request: its answer looks around each.
const CALLS: usize = 1_000;
const _: () = assert!(CALLS <= MAX_JUDGED);

impl NewVerdict {
    pub(super) fn word(self, caller: &Caller, at: Timestamp) -> Result<Word, Problem> {
        if self.calls.is_empty() || self.calls.len() > CALLS {
            let count = self.calls.len().to_string();
            return Err(wrong("calls", &count, "1 to 1000 calls"));
        }
        Ok(Word {
            said: self.verdict.into(),
            campaign: checked("campaign", self.campaign)?,
            note: checked("note", self.note)?,
            ..named(self.calls, caller, at)
        })
    }
}

/// What becomes of a suggestion. Unknown fields are refused.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"action": "accept"}))]
pub(super) struct Settling {
    /// What to do with it.
    #[schema(value_type = SettleWord)]
    pub(super) action: Settle,
    /// In your words; at most 1,000 characters.
    #[serde(default)]
    #[schema(example = "asked the customer")]
    note: String,
}

/// What becomes of a suggestion.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "describes `Settle`")]
pub(super) enum SettleWord {
    /// It is so: a verdict of whoever accepts.
    Accept,
    /// It is not known to be so; it is not suggested again.
    Dismiss,
}

impl Settling {
    pub(super) fn word(&self, id: Uuid, caller: &Caller, at: Timestamp) -> Result<Word, Problem> {
        Ok(Word {
            note: checked("note", self.note.clone())?,
            ..named(vec![id], caller, at)
        })
    }
}

/// Who says it, and how he knows.
fn named(ids: Vec<Uuid>, caller: &Caller, at: Timestamp) -> Word {
    let own = caller.own_domain().map(str::to_owned);
    Word {
        ids,
        said: Said::Fraud,
        campaign: String::new(),
        note: String::new(),
        by: caller.actor().to_string(),
        source: if own.is_some() { CUSTOMER } else { ANALYST },
        own,
        at,
    }
}

fn checked(field: &'static str, text: String) -> Result<String, Problem> {
    let fits = text.chars().count() <= TEXT && !text.chars().any(char::is_control);
    match fits {
        true => Ok(text),
        false => Err(wrong(
            field,
            &text,
            "at most 1000 characters, none of them control characters",
        )),
    }
}

/// What came of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct NotedCalls {
    /// Calls of which it was noted.
    #[schema(example = 1)]
    pub(super) calls: usize,
    /// Other calls of which the same is suggested because of it.
    #[schema(example = 12)]
    pub(super) suggested: usize,
    /// What did not come of it; absent: everything did.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "noted; what it suggests could not be looked up")]
    pub(super) warning: Option<&'static str>,
}

/// What came of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Settled {
    /// How many suggestions were settled.
    #[schema(example = 1)]
    pub(super) settled: usize,
}

/// Something that was said of a call.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Verdict {
    /// The call.
    call: Uuid,
    /// `fraud`, `legitimate` or `withdrawn`.
    #[schema(example = "fraud")]
    verdict: String,
    /// Campaign; may be empty. To a domain only in its own words.
    #[schema(example = "easter")]
    campaign: String,
    /// Who said so. To a domain only of its own words.
    #[schema(example = "token:console")]
    by: String,
    /// How it is known: `analyst`, `customer`, `import`, `honeypot` or `report`.
    #[schema(example = "analyst")]
    source: String,
    /// In his words; absent in a list of the latest verdicts. To a domain only in its own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "asked the customer")]
    note: Option<String>,
    /// When, RFC 3339.
    #[schema(example = "2030-01-01T00:00:00.000Z")]
    at: String,
}

impl Verdict {
    pub(super) fn of_history(call: Uuid, said: History) -> Self {
        Self {
            call,
            verdict: said.said,
            campaign: said.campaign,
            by: said.by,
            source: said.source,
            note: Some(said.note),
            at: Timestamp(said.micros).to_rfc3339(),
        }
    }
}

impl Verdict {
    /// As a domain is told it: of others' words only what was said, when and how it is known.
    pub(super) fn for_customer(self) -> Self {
        if self.source == CUSTOMER {
            return self;
        }
        Self {
            campaign: String::new(),
            by: String::new(),
            note: self.note.map(|_| String::new()),
            ..self
        }
    }
}

impl From<Judged> for Verdict {
    fn from(judged: Judged) -> Self {
        Self {
            call: judged.id,
            verdict: judged.said,
            campaign: judged.campaign,
            by: judged.by,
            source: judged.source,
            note: None,
            at: Timestamp(judged.micros).to_rfc3339(),
        }
    }
}

/// A call that looks like part of a campaign.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct SuggestedCall {
    /// The call.
    id: Uuid,
    /// Domain whose policy applied to it.
    #[schema(example = "itsp.example")]
    domain: String,
    /// When it was, RFC 3339.
    #[schema(example = "2030-01-01T00:00:00.000Z")]
    at: String,
    /// The call that was called fraud.
    because: Uuid,
    /// Campaign of that verdict. To a domain only of its own.
    #[schema(example = "easter")]
    campaign: String,
    /// What links the two.
    #[schema(example = "caller-block")]
    rule: String,
    /// The same in words.
    #[schema(example = "the same caller to the same thousand numbers, 34 min after call 0...")]
    reason: String,
}

impl SuggestedCall {
    /// As it is told: to a customer not how an analyst named the campaign.
    pub(super) fn told(suggestion: Suggestion, to_customer: bool) -> Self {
        let is_told = !to_customer || suggestion.source == CUSTOMER;
        Self {
            id: suggestion.id,
            domain: suggestion.account,
            at: Timestamp(suggestion.micros).to_rfc3339(),
            because: suggestion.because,
            campaign: if is_told {
                suggestion.campaign
            } else {
                String::new()
            },
            rule: suggestion.rule,
            reason: suggestion.reason,
        }
    }
}
