//! `POST /v1/decisions`: a question in JSON, and everything that is known of its answer.
//!
//! Each POST is a new call. Who may ask is as on 9090, a trusted address, else HTTP digest; and
//! whoever has a token: an operator for any domain, a domain for itself. The challenge is for the
//! domain that the body names, so the body must come with the first request already: `curl
//! --anyauth` sends it, `curl --digest` an empty one.

use super::ask::{Asker, Question, Undecided, ask, checked_domain, checked_text, kept_text};
use super::body::Body;
use super::caller::Caller;
use super::openapi::Api;
use super::refused::forbidden;
use super::{Desk, Problem};
use crate::accounts::shortened;
use crate::domain::{CallEvent, Check};
use axum::Json;
use axum::extract::{FromRequest, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use utoipa::ToSchema;
use uuid::Uuid;

/// Where it is.
pub(super) const PATH: &str = "/v1/decisions";

pub(super) fn routes(api: Api) -> Api {
    api.on(__path_decide, decide)
}

/// A call to decide. Unknown fields are refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"dialed_number": "5548987654321", "from_user": "alice"}))]
pub(super) struct DecisionRequest {
    /// The number as dialled; 1 to 256 characters.
    #[serde(default)]
    #[schema(required, example = "5548987654321")]
    dialed_number: String,
    /// Who calls: a user name or a caller number; 1 to 256 characters.
    #[serde(default)]
    #[schema(required, example = "alice")]
    from_user: String,
    /// The domain that asks; absent: that of the token, else the one that trusts the address this
    /// comes from, else the root's.
    #[schema(example = "itsp.example")]
    domain: Option<String>,
    /// Address of the calling device; absent: the one this comes from.
    #[schema(value_type = Option<String>, example = "192.0.2.10")]
    source_ip: Option<IpAddr>,
    /// User-Agent of the calling device; 256 characters of it are kept.
    user_agent: Option<String>,
    /// Calls the customer has up now, without this one; absent: unknown.
    calls: Option<u32>,
    /// What the call is known by to whoever asks; 256 characters of it are kept.
    call_id: Option<String>,
}

/// The decision.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct DecisionResponse {
    /// Identity of the call, also in `tfps.calls`.
    id: Uuid,
    /// `A00`, or `R01` to `R15`.
    #[schema(example = "R03")]
    code: &'static str,
    /// What the code means.
    #[schema(example = "called number blacklisted")]
    description: &'static str,
    /// The number in E.164 without `+`; absent: what was dialled is none.
    #[schema(example = "5548987654321")]
    number: Option<String>,
    /// Country the call goes to, ISO 3166-1; absent: unknown.
    #[schema(example = "BR")]
    country: Option<String>,
    /// Probability of fraud, 0 to 1; absent: there is no model, or the plan does not see scores.
    score: Option<f32>,
    /// What raised the score most, largest first; empty where there is no score.
    reasons: Vec<DecisionReason>,
    /// Every check, in the order in which refusals decide.
    checks: Vec<DecisionCheck>,
    /// The model that scored; absent where there is no score.
    #[schema(example = "default")]
    model: Option<String>,
    /// Name of the policy that applied.
    #[schema(example = "default")]
    policy: String,
    /// Who the call was counted to: `user@domain`.
    #[schema(example = "alice@itsp.example")]
    subscriber: String,
}

/// One contribution to a score.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct DecisionReason {
    /// Short stable name.
    #[schema(example = "new-country")]
    tag: String,
    /// Contribution to the log-odds of fraud; positive raises the risk.
    contribution: f32,
}

/// What one check said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct DecisionCheck {
    /// Which.
    #[schema(example = "R03")]
    check: &'static str,
    /// off, pass, refuse or audit.
    #[schema(example = "refuse")]
    outcome: &'static str,
    /// In words; empty unless it refused, or would have, and where it would tell a score that the
    /// plan does not see.
    #[schema(example = "+252 61 is listed: IRSF")]
    evidence: String,
}

/// Decide a call.
#[utoipa::path(post, path = "/v1/decisions", tag = "decisions", operation_id = "decide",
    request_body = DecisionRequest,
    security(("token" = []), ("digest" = []), ()),
    responses((status = 200, description = "The decision", body = DecisionResponse),
        (status = 401, description = "Prove who you are: digest, in WWW-Authenticate", body = Problem,
            content_type = "application/problem+json"),
        (status = 404, description = "The domain is not served; told to operators only",
            body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "More calls per second than the plan has", body = Problem,
            content_type = "application/problem+json")))]
async fn decide(
    State(desk): State<Desk>,
    request: Request,
) -> Result<Json<DecisionResponse>, Response> {
    let (mut parts, body) = request.into_parts();
    let caller = Caller::if_any(&mut parts, &desk).await?;
    let asker = Asker::of("POST", &parts);
    let Body(asked) = Body::<DecisionRequest>::from_request(Request::from_parts(parts, body), &())
        .await
        .map_err(IntoResponse::into_response)?;
    let mut question = asked.check().map_err(IntoResponse::into_response)?;
    let asker = match &caller {
        None => asker,
        Some(caller) => {
            keep_to_own(caller, &mut question).map_err(IntoResponse::into_response)?;
            asker.vouched()
        }
    };
    let named = question.domain.clone();
    let event = match ask(desk.calls(), asker, question).await {
        Ok(event) => event,
        Err(Undecided::Forbidden) if caller.is_some() => {
            return Err(not_served(&named.unwrap_or_default()).into_response());
        }
        Err(undecided) => return Err(refused(&undecided)),
    };
    let sees_scores = desk.calls().sees_scores(&event);
    Ok(Json(DecisionResponse::of(*event, sees_scores)))
}

/// The token of a domain asks for that domain, whether it says so or not.
fn keep_to_own(caller: &Caller, question: &mut Question) -> Result<(), Problem> {
    let Some(own) = caller.own_domain() else {
        return Ok(());
    };
    match &question.domain {
        Some(named) if named != own => Err(forbidden()),
        _ => {
            question.domain = Some(own.to_owned());
            Ok(())
        }
    }
}

fn not_served(domain: &str) -> Problem {
    let detail = format!("domain: `{}` is not served", shortened(domain, 60));
    Problem::new(StatusCode::NOT_FOUND, detail).in_field("domain")
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
        let kept = |text: Option<String>| kept_text(&text.unwrap_or_default());
        Ok(Question {
            dialed_number: required("dialed_number", self.dialed_number)?,
            from_user: required("from_user", self.from_user)?,
            domain: given(self.domain)
                .map(checked_domain)
                .transpose()
                .map_err(bad("domain"))?,
            source_ip: self.source_ip,
            user_agent: kept(self.user_agent),
            calls: self.calls,
            call_id: kept(self.call_id),
            bad_hints: Vec::new(),
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
                    evidence: match check.check {
                        // It tells the score.
                        Check::R15 if scored.is_none() => String::new(),
                        _ => check.evidence,
                    },
                })
                .collect(),
            model: scored.map(|_| decision.model),
            policy: event.policy,
            subscriber: format!("{}@{}", event.subscriber, event.account),
        }
    }
}
