//! `/v1/export` and `/v1/import`: everything as one policy file.

use super::caller::Caller;
use super::openapi::Api;
use super::params::Params;
use super::{Desk, Problem, body};
use crate::accounts::AccountsError;
use crate::accounts::file::{Included, PolicyFile};
use axum::Json;
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

pub(super) fn routes(api: Api) -> Api {
    api.on(__path_export, export).on(__path_import, import)
}

/// What an import did, or would do.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct Outcome {
    /// How many things changed, or would; 0: the accounts were equal to the file.
    #[schema(example = 3)]
    changes: usize,
    /// Of a dry run: the difference as a unified diff.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "-seats = 10\n+seats = 11\n")]
    diff: Option<String>,
}

/// Everything but tokens, as a TOML file.
#[utoipa::path(get, path = "/v1/export", tag = "file", operation_id = "export_accounts",
    params(("lists" = Option<Included>, Query,
        description = "Which lists; `all` without it. Above 100,000 entries: none or policies")),
    responses((status = 200, description = "The file", body = String,
        content_type = "application/toml")))]
async fn export(
    State(desk): State<Desk>,
    caller: Caller,
    mut params: Params,
) -> Result<Response, Problem> {
    let included = params.value("lists", "none, policies or all", Included::parse)?;
    params.end()?;
    let written = desk.work(caller.actor(), move |accounts, _| {
        let file = accounts.export(included.unwrap_or(Included::All))?;
        Ok::<_, AccountsError>(file.to_toml()?)
    });
    let text = written.await?;
    let headers = [(header::CONTENT_TYPE, "application/toml")];
    Ok((headers, text).into_response())
}

/// Make the accounts equal to a file, all or nothing.
#[utoipa::path(post, path = "/v1/import", tag = "file", operation_id = "import_accounts",
    request_body(content = String, content_type = "application/toml",
        description = "As `/v1/export` writes it; at most 64 MiB"),
    params(("dry_run" = Option<bool>, Query, description = "Only say what would change")),
    responses((status = 200, description = "Done, or what would be", body = Outcome)))]
async fn import(
    State(desk): State<Desk>,
    caller: Caller,
    mut params: Params,
    request: Request,
) -> Result<Json<Outcome>, Problem> {
    let dry_run = params.value("dry_run", "true or false", |text| text.parse().ok())?;
    let dry_run = dry_run.unwrap_or(false);
    params.end()?;
    let _place = desk.place_for_file().await;
    let text = body::file(request).await?;
    let vault = desk.vault();
    let imported = desk.work(caller.actor(), move |accounts, now| {
        let file = PolicyFile::parse(&text).map_err(AccountsError::from)?;
        let imported = accounts.import(&file, &vault, dry_run, now)?;
        Ok::<_, AccountsError>(Outcome {
            changes: imported.changes,
            diff: dry_run.then(|| imported.diff()),
        })
    });
    imported.await.map(Json)
}
