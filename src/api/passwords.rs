//! `/v1/domains/{domain}/subscribers/{user}/password`: set and taken away, never shown.

use super::body::Body;
use super::caller::Caller;
use super::openapi::Api;
use super::params::{Names, Params};
use super::{Desk, Problem};
use crate::accounts::{AccountsError, DomainName, Password, UserName};
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use utoipa::ToSchema;

pub(super) fn routes(api: Api) -> Api {
    api.on(__path_put, put).on(__path_remove, remove)
}

/// A password to be set.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"password": "correct horse battery"}))]
struct NewPassword {
    /// 8 to 128 printable ASCII characters, no space at either end.
    #[serde(deserialize_with = "secret")]
    #[schema(value_type = String, min_length = 8, max_length = 128, write_only)]
    password: Password,
}

/// A password, or an error that does not show what was sent instead of one.
fn secret<'de, D: Deserializer<'de>>(value: D) -> Result<Password, D::Error> {
    let sent = serde_json::Value::deserialize(value)?;
    Password::parse(sent.as_str().unwrap_or_default()).map_err(D::Error::custom)
}

/// Give a subscriber a password, with which he may ask from any address.
#[utoipa::path(put, path = "/v1/domains/{domain}/subscribers/{user}/password", tag = "subscribers",
    operation_id = "put_password", request_body = NewPassword,
    params(("domain" = DomainName, Path, description = "The domain"),
        ("user" = UserName, Path, description = "User name")),
    responses((status = 204, description = "Set")))]
async fn put(
    State(desk): State<Desk>,
    caller: Caller,
    names: Names,
    Body(new): Body<NewPassword>,
) -> Result<StatusCode, Problem> {
    set(&desk, &caller, &names, Some(new.password)).await
}

/// Take a subscriber's password away; he cannot prove then who he is.
#[utoipa::path(delete, path = "/v1/domains/{domain}/subscribers/{user}/password", tag = "subscribers",
    operation_id = "remove_password",
    params(("domain" = DomainName, Path, description = "The domain"),
        ("user" = UserName, Path, description = "User name")),
    responses((status = 204, description = "He has none")))]
async fn remove(
    State(desk): State<Desk>,
    caller: Caller,
    names: Names,
    params: Params,
) -> Result<StatusCode, Problem> {
    params.end()?;
    set(&desk, &caller, &names, None).await
}

async fn set(
    desk: &Desk,
    caller: &Caller,
    names: &Names,
    password: Option<Password>,
) -> Result<StatusCode, Problem> {
    let (domain, user): (DomainName, UserName) = (names.get("domain")?, names.get("user")?);
    let vault = desk.vault();
    let set = desk.work(caller.actor(), move |accounts, now| {
        accounts.domain(domain.as_str())?;
        let sealing = password.as_ref().map(|password| (password, &vault));
        accounts
            .set_password(user.as_str(), domain.as_str(), sealing, now)
            .map_err(|error| match error {
                error @ AccountsError::ColonInUser(_) => error.at("user"),
                error => error,
            })
    });
    set.await.map(|()| StatusCode::NO_CONTENT)
}
