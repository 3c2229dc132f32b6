//! `/v1/plans`

use super::body::Body;
use super::caller::Caller;
use super::openapi::Api;
use super::params::{Names, Params};
use super::{Desk, Problem};
use crate::accounts::{AccountsError, PLANS, PlanLimits, Plans, plan_name};
use crate::domain::Plan;
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use std::str::FromStr;
use utoipa::ToSchema;

pub(super) fn routes(api: Api) -> Api {
    api.on(__path_list, list).on(__path_change, change)
}

/// What of a plan is to change; what is absent stays, `null` is unlimited.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"calls_per_second": 20, "seats": null}))]
struct PlanChange {
    /// Calls per second of each subscriber, at least 1.
    #[serde(default, deserialize_with = "crate::accounts::given")]
    #[schema(value_type = Option<u32>, minimum = 1)]
    calls_per_second: Option<Option<u32>>,
    /// Subscribers of one domain.
    #[serde(default, deserialize_with = "crate::accounts::given")]
    #[schema(value_type = Option<u32>)]
    seats: Option<Option<u32>>,
}

/// A plan by its name.
struct Named(Plan);

impl FromStr for Named {
    type Err = AccountsError;

    fn from_str(text: &str) -> Result<Self, AccountsError> {
        PLANS
            .into_iter()
            .find(|plan| plan_name(*plan) == text)
            .map(Self)
            .ok_or_else(|| AccountsError::NoPlan(text.to_owned()))
    }
}

/// What every plan gives.
#[utoipa::path(get, path = "/v1/plans", tag = "plans", operation_id = "list_plans",
    responses((status = 200, description = "The plans", body = Plans)))]
async fn list(
    State(desk): State<Desk>,
    caller: Caller,
    params: Params,
) -> Result<Json<Plans>, Problem> {
    params.end()?;
    let found = desk.work(caller.actor(), |accounts, _| accounts.plans());
    found.await.map(Json)
}

/// Change what a plan gives. Whoever has a seat keeps it.
#[utoipa::path(patch, path = "/v1/plans/{plan}", tag = "plans", operation_id = "change_plan",
    request_body = PlanChange,
    params(("plan" = Plan, Path, description = "free, basic or itsp")),
    responses((status = 200, description = "What it gives now", body = PlanLimits)))]
async fn change(
    State(desk): State<Desk>,
    caller: Caller,
    names: Names,
    Body(change): Body<PlanChange>,
) -> Result<Json<PlanLimits>, Problem> {
    let Named(plan) = names.get("plan")?;
    let changed = desk.work(caller.actor(), move |accounts, now| {
        accounts.set_plan(plan, now, |limits| {
            limits.calls_per_second = change.calls_per_second.unwrap_or(limits.calls_per_second);
            limits.seats = change.seats.unwrap_or(limits.seats);
        })
    });
    changed.await.map(Json)
}
