//! `/v1/domains/{domain}/usage/{name}`: what of his quotas somebody has used, and setting it to
//! nothing.
//!
//! Counts are the running service's, not the accounts': they are read where calls are counted.

use super::caller::Caller;
use super::openapi::Api;
use super::params::{Names, Params};
use super::{Desk, Problem};
use crate::accounts::{DomainName, UserName};
use crate::decide::{Allowance, ResetError};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

pub(super) fn routes(api: Api) -> Api {
    api.on(__path_get, get).on(__path_reset, reset)
}

/// What a subscriber, a caller number or the default user has used of his limits.
#[utoipa::path(get, path = "/v1/domains/{domain}/usage/{name}", tag = "usage",
    operation_id = "get_usage",
    params(("domain" = DomainName, Path, description = "The domain"),
        ("name" = UserName, Path, description = "A subscriber, a mapped caller number, or the default user")),
    responses((status = 200, description = "Used, and allowed", body = Allowance)))]
async fn get(
    State(desk): State<Desk>,
    _caller: Caller,
    names: Names,
    params: Params,
) -> Result<Json<Allowance>, Problem> {
    params.end()?;
    let (domain, name): (DomainName, UserName) = (names.get("domain")?, names.get("name")?);
    let used = desk.calls().usage(domain.as_str(), name.as_str());
    used.map(Json)
        .ok_or_else(|| nobody(domain.as_str(), name.as_str()))
}

/// Set to nothing what somebody has used: his quotas, and what R13 remembers of his calls. It
/// holds across a restart.
#[utoipa::path(delete, path = "/v1/domains/{domain}/usage/{name}", tag = "usage",
    operation_id = "reset_usage",
    params(("domain" = DomainName, Path, description = "The domain"),
        ("name" = UserName, Path, description = "A subscriber, a mapped caller number, or the default user")),
    responses((status = 200, description = "Nothing is used", body = Allowance)))]
async fn reset(
    State(desk): State<Desk>,
    caller: Caller,
    names: Names,
    params: Params,
) -> Result<Json<Allowance>, Problem> {
    params.end()?;
    let (domain, name): (DomainName, UserName) = (names.get("domain")?, names.get("name")?);
    let calls = desk.calls();
    // The reset waits for the disk, as the work on accounts does.
    let reset = desk.work(caller.actor(), move |accounts, now| {
        let used = calls.reset_usage(domain.as_str(), name.as_str()).map_err(
            |error| match error {
                ResetError::NoSubscriber { domain, name } => nobody(&domain, &name),
                ResetError::NotNoted(error) => {
                    tracing::error!(%error, "counts of use not reset");
                    let detail =
                        "it cannot be written down, so it was not done: the service's log says why";
                    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, detail)
                }
            },
        )?;
        accounts.log_usage_reset(domain.as_str(), name.as_str(), now)?;
        Ok::<_, Problem>(used)
    });
    reset.await.map(Json)
}

fn nobody(domain: &str, name: &str) -> Problem {
    let detail = format!("nobody in `{domain}` is counted as `{name}`");
    Problem::new(StatusCode::NOT_FOUND, detail).in_field("name")
}
