//! `/v1/tokens`, for operators.

use super::body::Body;
use super::caller::Caller;
use super::openapi::Api;
use super::params::{Names, Params};
use super::{Desk, Problem};
use crate::accounts::{Name, NewToken, TokenRow};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

pub(super) fn routes(api: Api) -> Api {
    api.on(__path_list, list)
        .on(__path_add, add)
        .on(__path_remove, remove)
}

/// A new token; what it is is told here, and never again.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct Made {
    /// For `Authorization: Bearer`.
    #[schema(example = "tfps_...")]
    token: String,
    /// What it is called and may do.
    #[serde(flatten)]
    about: TokenRow,
}

/// All tokens; not what they are, which nobody knows.
#[utoipa::path(get, path = "/v1/tokens", tag = "tokens", operation_id = "list_tokens",
    responses((status = 200, description = "All of them", body = Vec<TokenRow>)))]
async fn list(
    State(desk): State<Desk>,
    caller: Caller,
    params: Params,
) -> Result<Json<Vec<TokenRow>>, Problem> {
    params.end()?;
    let found = desk.work(caller.actor(), |accounts, _| accounts.tokens());
    found.await.map(Json)
}

/// Make a token; it is told once.
#[utoipa::path(post, path = "/v1/tokens", tag = "tokens", operation_id = "add_token",
    request_body = NewToken,
    responses((status = 201, description = "Made", body = Made),
        (status = 409, description = "There is one of that name", body = Problem,
            content_type = "application/problem+json")))]
async fn add(
    State(desk): State<Desk>,
    caller: Caller,
    Body(new): Body<NewToken>,
) -> Result<(StatusCode, Json<Made>), Problem> {
    let made = desk.work(caller.actor(), move |accounts, now| {
        accounts.add_token(&new, now)
    });
    let (token, about) = made.await?;
    Ok((StatusCode::CREATED, Json(Made { token, about })))
}

/// Remove a token; it does nothing from then on.
#[utoipa::path(delete, path = "/v1/tokens/{name}", tag = "tokens", operation_id = "remove_token",
    params(("name" = Name, Path, description = "Its name")),
    responses((status = 204, description = "Removed")))]
async fn remove(
    State(desk): State<Desk>,
    caller: Caller,
    names: Names,
) -> Result<StatusCode, Problem> {
    let name: Name = names.get("name")?;
    let removed = desk.work(caller.actor(), move |accounts, now| {
        accounts.remove_token(name.as_str(), now)
    });
    removed.await.map(|()| StatusCode::NO_CONTENT)
}
