//! Verdicts over HTTP, with a shelf in the place of ClickHouse: what is asked of it, in whose
//! name, and what its answers become. The same against a real engine is in `tests/it/verdicts.rs`.

use super::*;
use crate::api::{Book, Later};
use crate::store::{
    History, JudgeError, Judged, Said, Settle, Settlement, StoreError, Suggestion, Word,
};
use serde_json::json;
use std::sync::Mutex;
use uuid::Uuid;

/// The one call of `a.example` there is, which waits for an answer to its suggestion.
pub(in crate::api) const OURS: &str = "00000000-0000-0000-0000-000000000001";
const OTHERS: &str = "00000000-0000-0000-0000-00000000000b";

/// A campaign of which the shelf suggests nothing: it fails.
const UNHEARD: &str = "unheard";

/// Knows two calls, of two domains.
#[derive(Default)]
pub(in crate::api) struct Shelf {
    said: Mutex<Vec<Word>>,
}

impl Shelf {
    fn owner(id: Uuid) -> Option<&'static str> {
        match id.to_string().as_str() {
            OURS => Some("a.example"),
            OTHERS => Some("b.example"),
            _ => None,
        }
    }

    fn may(id: Uuid, own: Option<&str>) -> bool {
        Self::owner(id).is_some_and(|owner| own.is_none_or(|own| own == owner))
    }

    fn keep(&self, word: Word) {
        self.said.lock().expect("kept").push(word);
    }
}

fn now<'a, T: Send + 'a>(answer: Result<T, JudgeError>) -> Later<'a, T> {
    Box::pin(async move { answer })
}

impl Book for Shelf {
    fn judge(&self, word: Word) -> Later<'_, usize> {
        let may = |id: &&Uuid| !Self::may(**id, word.own.as_deref());
        let unknown: Vec<Uuid> = word.ids.iter().filter(may).copied().collect();
        if !unknown.is_empty() {
            return now(Err(JudgeError::Unknown(unknown)));
        }
        let calls = word.ids.len();
        self.keep(word);
        now(Ok(calls))
    }

    fn suggest(&self, word: Word) -> Later<'_, usize> {
        match word.campaign == UNHEARD {
            true => now(Err(StoreError::Timeout.into())),
            false => now(Ok(3)),
        }
    }

    fn history(&self, id: Uuid, own: Option<String>) -> Later<'_, Vec<History>> {
        if !Self::may(id, own.as_deref()) {
            return now(Err(JudgeError::Unknown(vec![id])));
        }
        let said = self.said.lock().expect("read");
        let of_it = said.iter().rev().filter(|word| word.ids.contains(&id));
        now(Ok(of_it
            .map(|word| History {
                said: word.said.as_str().into(),
                campaign: word.campaign.clone(),
                by: word.by.clone(),
                source: word.source.into(),
                note: word.note.clone(),
                micros: word.at.0,
            })
            .collect()))
    }

    fn latest(
        &self,
        said: Option<Said>,
        own: Option<String>,
        limit: usize,
    ) -> Later<'_, Vec<Judged>> {
        let words = self.said.lock().expect("read");
        let fits = |word: &&Word| {
            said.is_none_or(|said| said == word.said) && Self::may(word.ids[0], own.as_deref())
        };
        now(Ok(words
            .iter()
            .filter(fits)
            .take(limit)
            .map(|word| Judged {
                id: word.ids[0],
                said: word.said.as_str().into(),
                campaign: word.campaign.clone(),
                by: word.by.clone(),
                source: word.source.into(),
                micros: word.at.0,
            })
            .collect()))
    }

    fn suggestions(&self, own: Option<String>, limit: usize) -> Later<'_, Vec<Suggestion>> {
        let suggestion = |id: &str| Suggestion {
            id: id.parse().expect("an id"),
            account: Self::owner(id.parse().expect("an id"))
                .expect("known")
                .into(),
            micros: NOW.0,
            because: Uuid::from_u128(9),
            because_account: "b.example".into(),
            campaign: "wave".into(),
            rule: "caller-block".into(),
            reason: "the same caller".into(),
            by: "ann".into(),
            source: "analyst".into(),
            suggested: NOW.0,
        };
        let all = [OURS, OTHERS].map(suggestion).into_iter();
        let own = move |s: &Suggestion| own.as_deref().is_none_or(|own| own == s.account);
        now(Ok(all.filter(own).take(limit).collect()))
    }

    fn settle(&self, word: Word, _settle: Settle) -> Later<'_, Settlement> {
        match Self::may(word.ids[0], word.own.as_deref()) {
            true => {
                self.keep(word);
                let campaign = "night".to_owned();
                now(Ok(Settlement { calls: 1, campaign }))
            }
            false => now(Err(JudgeError::NotSuggested(word.ids[0]))),
        }
    }
}

const JSON: [(&str, &str); 1] = [("content-type", "application/json")];

#[tokio::test]
async fn a_domain_judges_its_own_calls_as_a_customer_and_no_others() {
    let bench = Bench::new();
    let own = bench.token("own", Role::Domain, Some("a.example"));
    let ask = async |body: Value| {
        let body = body.to_string();
        bench
            .ask(Some(&own), "POST", "/v1/verdicts", &JSON, body)
            .await
    };
    let other = ask(json!({"calls": [OURS, OTHERS], "verdict": "fraud"})).await;
    assert_eq!((other.status, other.field().as_str()), (404, "calls"));
    let said = other.json()["detail"].as_str().expect("text").to_owned();
    assert!(
        said.contains(OTHERS) && !said.contains("b.example"),
        "{said}"
    );
    let nowhere = ask(json!({"calls": [Uuid::from_u128(77)], "verdict": "fraud"})).await;
    assert_eq!(nowhere.status, 404, "told the same as of another's call");

    let body = json!({"calls": [OURS], "verdict": "fraud", "campaign": "wave", "note": "theft"});
    let noted = ask(body).await;
    assert_eq!(
        (noted.status, noted.json()),
        (200, json!({"calls": 1, "suggested": 3}))
    );
    let path = format!("/v1/verdicts?call={OURS}");
    let history = bench
        .ask(Some(&own), "GET", &path, &[], Body::empty())
        .await
        .json();
    assert_eq!(history[0]["source"], "customer");
    assert_eq!(history[0]["by"], "token:own");
    assert_eq!(
        (&history[0]["verdict"], &history[0]["note"]),
        (&json!("fraud"), &json!("theft"))
    );
    let path = format!("/v1/verdicts?call={OTHERS}");
    let hidden = bench
        .ask(Some(&own), "GET", &path, &[], Body::empty())
        .await;
    assert_eq!(hidden.status, 404);

    let suggestions = "/v1/verdicts/suggestions";
    let seen = bench
        .ask(Some(&own), "GET", suggestions, &[], Body::empty())
        .await
        .json();
    let ids: Vec<_> = seen
        .as_array()
        .expect("rows")
        .iter()
        .map(|s| s["id"].clone())
        .collect();
    assert_eq!(ids, [OURS]);
    let path = format!("{suggestions}/{OTHERS}");
    let body = json!({"action": "accept"}).to_string();
    let refused = bench.ask(Some(&own), "POST", &path, &JSON, body).await;
    assert_eq!((refused.status, refused.field().as_str()), (404, "id"));
}

#[tokio::test]
async fn who_said_what_is_in_the_audit_log_and_a_verdict_can_be_withdrawn() {
    let bench = Bench::new();
    for said in ["fraud", "withdrawn"] {
        let body = json!({"calls": [OTHERS], "verdict": said});
        assert_eq!(bench.json("POST", "/v1/verdicts", &body).await.status, 200);
    }
    let path = format!("/v1/verdicts/suggestions/{OURS}");
    let settled = bench
        .json("POST", &path, &json!({"action": "dismiss"}))
        .await;
    assert_eq!(settled.json(), json!({"settled": 1}));
    let history = bench
        .plain("GET", &format!("/v1/verdicts?call={OTHERS}"))
        .await
        .json();
    assert_eq!(history[0]["verdict"], "withdrawn");
    assert_eq!(
        (&history[1]["source"], &history[1]["by"]),
        (&json!("analyst"), &json!("token:boss"))
    );
    let log = bench
        .plain("GET", "/v1/audit?actor=token:boss&limit=3")
        .await
        .json();
    let done: Vec<_> = log["items"]
        .as_array()
        .expect("lines")
        .iter()
        .map(|line| {
            (
                line["action"].clone(),
                line["change"]["after"]["verdict"].clone(),
            )
        })
        .collect();
    let expected = ["suggestion dismissed", "withdrawn", "fraud"];
    assert_eq!(done, expected.map(|said| (json!("verdict"), json!(said))));
    // Nothing is logged of what was not done.
    let unknown = json!({"calls": [Uuid::from_u128(5)], "verdict": "fraud"});
    assert_eq!(
        bench.json("POST", "/v1/verdicts", &unknown).await.status,
        404
    );
    let again = bench
        .plain("GET", "/v1/audit?actor=token:boss&limit=3")
        .await
        .json();
    assert_eq!(log, again);
}

#[tokio::test]
async fn a_noted_word_is_logged_and_answered_though_nothing_can_be_suggested() {
    let bench = Bench::new();
    let body = json!({"calls": [OURS], "verdict": "fraud", "campaign": UNHEARD});
    let reply = bench.json("POST", "/v1/verdicts", &body).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.json()["calls"], 1);
    assert_eq!(reply.json()["suggested"], 0);
    let warning = reply.json()["warning"].as_str().map(str::to_owned);
    assert!(warning.is_some_and(|text| text.contains("the verdict is noted")));
    let log = bench
        .plain("GET", "/v1/audit?actor=token:boss&limit=1")
        .await
        .json();
    assert_eq!(log["items"][0]["change"]["after"]["campaign"], UNHEARD);
}

#[tokio::test]
async fn a_domain_is_not_told_who_of_the_operators_people_said_what() {
    let bench = Bench::new();
    let own = bench.token("own", Role::Domain, Some("a.example"));
    let body = json!({"calls": [OURS], "verdict": "fraud", "campaign": "gang", "note": "theft"});
    assert_eq!(bench.json("POST", "/v1/verdicts", &body).await.status, 200);
    let one = format!("/v1/verdicts?call={OURS}");
    for path in [one.as_str(), "/v1/verdicts"] {
        let told = bench
            .ask(Some(&own), "GET", path, &[], Body::empty())
            .await
            .json();
        assert_eq!(told[0]["verdict"], "fraud");
        assert_eq!(told[0]["source"], "analyst");
        assert_eq!(
            (&told[0]["by"], &told[0]["campaign"]),
            (&json!(""), &json!(""))
        );
        assert!(!told.to_string().contains("theft"), "{told}");
        let operator = bench.plain("GET", path).await.json();
        assert_eq!(operator[0]["by"], "token:boss");
        assert_eq!(operator[0]["campaign"], "gang");
    }
    let path = "/v1/verdicts/suggestions";
    let told = bench.ask(Some(&own), "GET", path, &[], Body::empty()).await;
    assert_eq!(told.json()[0]["campaign"], "", "an analyst named it");
    assert_eq!(bench.plain("GET", path).await.json()[0]["campaign"], "wave");
}

#[tokio::test]
async fn a_bad_word_is_told_by_its_field() {
    let bench = Bench::new();
    for (body, field) in [
        (json!({"calls": [], "verdict": "fraud"}), "calls"),
        (json!({"calls": ["x"], "verdict": "fraud"}), "calls[0]"),
        (json!({"calls": [OURS], "verdict": "maybe"}), "verdict"),
        (
            json!({"calls": [OURS], "verdict": "fraud", "campaign": "a\u{1b}[0m"}),
            "campaign",
        ),
        (
            json!({"calls": [OURS], "verdict": "fraud", "note": "x".repeat(1_001)}),
            "note",
        ),
        (
            json!({"calls": vec![OURS; 1_001], "verdict": "fraud"}),
            "calls",
        ),
    ] {
        let reply = bench.json("POST", "/v1/verdicts", &body).await;
        assert_eq!(
            (reply.status, reply.field().as_str()),
            (400, field),
            "{reply:?}"
        );
    }
    for (path, field) in [
        ("/v1/verdicts?call=x", "call"),
        ("/v1/verdicts?verdict=withdrawn", "verdict"),
        ("/v1/verdicts?limit=0", "limit"),
        ("/v1/verdicts/suggestions?limit=9999", "limit"),
    ] {
        let reply = bench.plain("GET", path).await;
        assert_eq!(
            (reply.status, reply.field().as_str()),
            (400, field),
            "{path}"
        );
    }
    let reply = bench
        .json(
            "POST",
            "/v1/verdicts/suggestions/x",
            &json!({"action": "accept"}),
        )
        .await;
    assert_eq!((reply.status, reply.field().as_str()), (400, "id"));
}
