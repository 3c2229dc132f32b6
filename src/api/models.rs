//! `/v1/models/status`: the model in force, and whether it still fits.

use super::caller::Caller;
use super::openapi::Api;
use super::params::Params;
use super::{Desk, Problem};
use crate::model::ModelStatus;
use axum::Json;
use axum::extract::State;

pub(super) fn routes(api: Api) -> Api {
    api.on(__path_status, status)
}

/// The model in force: since when it is trained, how far live calls have drifted from its
/// training, and what came of the calls it scored.
#[utoipa::path(get, path = "/v1/models/status", tag = "models", operation_id = "get_model_status",
    responses((status = 200, description = "As it is now", body = ModelStatus)))]
async fn status(
    State(desk): State<Desk>,
    _caller: Caller,
    params: Params,
) -> Result<Json<ModelStatus>, Problem> {
    params.end()?;
    Ok(Json(desk.calls().model_status()))
}
