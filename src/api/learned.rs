//! `/v1/lists/learned`: what was learned, with its evidence, and what people decide about it.

use super::body::Body;
use super::caller::Caller;
use super::openapi::Api;
use super::params::Params;
use super::{Desk, Problem};
use crate::accounts::{EntryKind, LearnedRow, LearnedState};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

pub(super) fn routes(api: Api) -> Api {
    api.on(__path_show, show).on(__path_decide, decide)
}

/// Which findings.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what `show` takes")]
struct Filter {
    /// Only what stands so: proposed, listed, approved or rejected.
    state: Option<String>,
    /// At most so many, 1 to 1000.
    #[param(default = 100, minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// What a person decides about a finding.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"kind": "number", "value": "252612345678", "decision": "reject"}))]
struct NewDecision {
    /// Kind of the finding.
    kind: EntryKind,
    /// Its value, as it is shown.
    #[schema(example = "252612345678")]
    value: String,
    /// What becomes of it.
    decision: LearnedDecision,
}

/// On the list, or never.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, ToSchema)]
#[serde(rename_all = "lowercase")]
enum LearnedDecision {
    /// It is listed although it was only proposed, or was rejected.
    Approve,
    /// It is taken off, and never listed again by itself.
    Reject,
}

/// What was learned, the heaviest first.
#[utoipa::path(get, path = "/v1/lists/learned", tag = "lists", operation_id = "find_learned",
    params(Filter),
    responses((status = 200, description = "With the evidence", body = Vec<LearnedRow>)))]
async fn show(
    State(desk): State<Desk>,
    caller: Caller,
    mut params: Params,
) -> Result<Json<Vec<LearnedRow>>, Problem> {
    const STATES: &str = "proposed, listed, approved or rejected";
    let state = params.value("state", STATES, LearnedState::parse)?;
    let limit = params.limit()?;
    params.end()?;
    let rows = desk.work(caller.actor(), move |accounts, _| accounts.learned(state));
    let mut rows = rows.await?;
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(Json(rows))
}

/// Approve or reject what was learned.
#[utoipa::path(post, path = "/v1/lists/learned", tag = "lists", operation_id = "decide_learned",
    request_body = NewDecision,
    responses((status = 204, description = "Decided; a rejection holds until it is approved")))]
async fn decide(
    State(desk): State<Desk>,
    caller: Caller,
    Body(new): Body<NewDecision>,
) -> Result<StatusCode, Problem> {
    let done = desk.work(caller.actor(), move |accounts, now| {
        let approve = new.decision == LearnedDecision::Approve;
        accounts.decide_learned(new.kind, &new.value, approve, now)
    });
    done.await.map(|()| StatusCode::NO_CONTENT)
}
