//! `POST /v1/decisions`: a question in JSON, and everything that is known of its answer.
//!
//! Each POST is a new call. Who may ask is as on 9090: a trusted address, else HTTP digest. The
//! challenge is for the domain that the body names, so the body must come with the first request
//! already: `curl --anyauth` sends it, `curl --digest` an empty one.

use super::Problem;
use super::ask::{Asker, Calls, Question, Undecided, ask, checked_domain, checked_text};
use crate::domain::CallEvent;
use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::sync::Arc;
use utoipa::ToSchema;
use uuid::Uuid;

/// Largest body read, bytes.
const MAX_BODY: usize = 64 * 1024;

/// A call to decide. Unknown fields are refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecisionRequest {
    /// The number as dialled; 1 to 256 characters.
    #[serde(default)]
    #[schema(required, example = "554898754321")]
    pub dialed_number: String,
    /// Who calls: a user name or a caller number; 1 to 256 characters.
    #[serde(default)]
    #[schema(required, example = "alice")]
    pub from_user: String,
    /// The domain that asks; absent: the one that trusts the address this comes from.
    #[schema(example = "itsp.example")]
    pub domain: Option<String>,
    /// Address of the calling device; absent: the one this comes from.
    #[schema(value_type = Option<String>, example = "192.0.2.10")]
    pub source_ip: Option<IpAddr>,
    /// User-Agent of the calling device, at most 256 characters.
    pub user_agent: Option<String>,
    /// Calls the customer has up now, without this one; absent: unknown.
    pub calls: Option<u32>,
    /// What the call is known by to whoever asks, at most 256 characters.
    pub call_id: Option<String>,
}

/// The decision.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct DecisionResponse {
    /// Identity of the call, also in `tfps.calls`.
    pub id: Uuid,
    /// `A00`, or `R01` to `R15`.
    #[schema(example = "R03")]
    pub code: &'static str,
    /// What the code means.
    pub description: &'static str,
    /// The number in E.164 without `+`; absent: what was dialled is none.
    pub number: Option<String>,
    /// Country the call goes to, ISO 3166-1; absent: unknown.
    #[schema(example = "BR")]
    pub country: Option<String>,
    /// Probability of fraud, 0 to 1; absent: there is no model, or the plan does not see scores.
    pub score: Option<f32>,
    /// What raised the score most, largest first; empty where there is no score.
    pub reasons: Vec<DecisionReason>,
    /// Every check, in the order in which refusals decide.
    pub checks: Vec<DecisionCheck>,
    /// The model that scored; absent where there is no score.
    pub model: Option<String>,
    /// Name of the policy that applied.
    pub policy: String,
    /// Who the call was counted to: `user@domain`.
    #[schema(example = "alice@itsp.example")]
    pub subscriber: String,
}

/// One contribution to a score.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct DecisionReason {
    /// Short stable name.
    #[schema(example = "new-country")]
    pub tag: String,
    /// Contribution to the log-odds of fraud; positive raises the risk.
    pub contribution: f32,
}

/// What one check said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct DecisionCheck {
    /// Which.
    #[schema(example = "R03")]
    pub check: &'static str,
    /// off, pass, refuse or audit.
    pub outcome: &'static str,
    /// In words; empty unless it refused, or would have.
    pub evidence: String,
}

/// The route.
pub fn router(calls: Arc<dyn Calls>) -> Router {
    let wrong_method = || async { Problem::new(StatusCode::METHOD_NOT_ALLOWED, "expected POST") };
    Router::new()
        .route("/v1/decisions", post(decide).fallback(wrong_method))
        .with_state(calls)
}

/// Decides a call.
#[utoipa::path(
    post,
    path = "/v1/decisions",
    request_body = DecisionRequest,
    responses(
        (status = 200, description = "The decision", body = DecisionResponse),
        (status = 400, description = "A field is wrong", body = Problem),
        (status = 401, description = "Prove who you are: digest, in WWW-Authenticate", body = Problem),
        (status = 403, description = "Forbidden", body = Problem),
        (status = 413, description = "More than 64 KiB", body = Problem),
        (status = 415, description = "Not application/json", body = Problem),
        (status = 503, description = "More calls per second than the plan has", body = Problem),
    )
)]
pub async fn decide(
    State(calls): State<Arc<dyn Calls>>,
    request: Request,
) -> Result<axum::Json<DecisionResponse>, Response> {
    let (request, body) = request.into_parts();
    let question = read(&request.headers, body)
        .await
        .map_err(IntoResponse::into_response)?;
    let asker = Asker::of("POST", &request);
    let event = ask(Arc::clone(&calls), asker, question)
        .await
        .map_err(|undecided| refused(&undecided))?;
    let sees_scores = calls.sees_scores(&event);
    Ok(axum::Json(DecisionResponse::of(*event, sees_scores)))
}

async fn read(headers: &HeaderMap, body: axum::body::Body) -> Result<Question, Problem> {
    let is_json = headers.get(CONTENT_TYPE).is_some_and(|value| {
        let media = value.as_bytes().split(|b| *b == b';').next();
        media.is_some_and(|m| m.trim_ascii().eq_ignore_ascii_case(b"application/json"))
    });
    if !is_json {
        let detail = "Content-Type: expected application/json";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
    }
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        let detail = "body: expected at most 64 KiB";
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail));
    };
    // The reader would take an array for an object whose fields come in order.
    if body.trim_ascii_start().first() != Some(&b'{') {
        let detail = "body: expected a JSON object";
        return Err(Problem::new(StatusCode::BAD_REQUEST, detail));
    }
    let mut json = serde_json::Deserializer::from_slice(&body);
    let asked: DecisionRequest = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let field = error.path().to_string();
        let problem = Problem::new(StatusCode::BAD_REQUEST, error.into_inner().to_string());
        match field.as_str() {
            "." => problem,
            _ => problem.in_field(field),
        }
    })?;
    json.end()
        .map_err(|error| Problem::new(StatusCode::BAD_REQUEST, error.to_string()))?;
    asked.check()
}

impl DecisionRequest {
    fn check(self) -> Result<Question, Problem> {
        let bad = |field: &'static str| {
            move |problem: &str| {
                let detail = format!("{field}: {problem}");
                Problem::new(StatusCode::BAD_REQUEST, detail).in_field(field)
            }
        };
        // As in the query of the web service: what is optional and empty says nothing.
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        let required = |field, value: String| match value.as_str() {
            "" => Err(bad(field)("is missing or empty")),
            _ => checked_text(value).map_err(bad(field)),
        };
        let text = |field, value: Option<String>| {
            let checked = given(value).map(checked_text).transpose();
            checked.map(Option::unwrap_or_default).map_err(bad(field))
        };
        Ok(Question {
            dialed_number: required("dialed_number", self.dialed_number)?,
            from_user: required("from_user", self.from_user)?,
            domain: given(self.domain)
                .map(checked_domain)
                .transpose()
                .map_err(bad("domain"))?,
            source_ip: self.source_ip,
            user_agent: text("user_agent", self.user_agent)?,
            calls: self.calls,
            call_id: text("call_id", self.call_id)?,
        })
    }
}

fn refused(undecided: &Undecided) -> Response {
    let problem = Problem::new(undecided.status(), undecided.text());
    (undecided.headers(), problem).into_response()
}

impl DecisionResponse {
    fn of(event: CallEvent, sees_scores: bool) -> Self {
        let decision = event.decision;
        let country = event.destination.country;
        let scored = decision.score.filter(|_| sees_scores);
        let reasons = match scored {
            None => Vec::new(),
            Some(_) => decision.reasons,
        };
        Self {
            id: event.attempt.id,
            code: decision.code.as_str(),
            description: decision.code.description(),
            number: event.destination.number.map(|number| number.to_string()),
            country: country.is_known().then(|| country.to_string()),
            score: scored,
            reasons: reasons
                .into_iter()
                .map(|reason| DecisionReason {
                    tag: reason.tag,
                    contribution: reason.contribution,
                })
                .collect(),
            checks: decision
                .checks
                .into_iter()
                .map(|check| DecisionCheck {
                    check: check.check.as_str(),
                    outcome: check.outcome.as_str(),
                    evidence: check.evidence,
                })
                .collect(),
            model: scored.map(|_| decision.model),
            policy: event.policy,
            subscriber: format!("{}@{}", event.subscriber, event.account),
        }
    }
}
