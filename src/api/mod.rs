//! The service over HTTP: questions ([`web`], the web service of the original TFPS, and
//! `POST /v1/decisions`) and accounts under `/v1`.
//!
//! Questions are the pipeline of the SIP doors with another end: a call is identified, decided,
//! spooled and then answered. They know the service by one trait, [`Calls`].
//!
//! Everything that is edited by command can be edited under `/v1`, with the same checks, the same
//! words in errors and a line in the same audit log. Requests work on SQLite on threads of their
//! own ([`Desk`]) and never touch what calls are decided with: an edit is in force when the
//! service next looks at the accounts, within a second. The routes and their description are one
//! list, `/openapi.json`.

mod ask;
mod audit;
mod body;
mod caller;
mod connection;
mod countries;
mod decisions;
mod desk;
mod domains;
mod file;
mod learned;
mod lists;
mod models;
mod openapi;
mod params;
mod passwords;
mod plans;
mod policies;
pub mod problem;
mod query;
mod refused;
mod subscribers;
mod tokens;
mod usage;
mod verdicts;
pub mod web;

pub use ask::Calls;
pub use connection::{After, serve_connection};
pub use desk::Desk;
pub use problem::Problem;
pub use verdicts::{Book, Later};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use openapi::Api;

/// All routes of accounts, tokens and the audit log, and of decisions.
fn api() -> Api {
    let parts = [
        domains::routes,
        policies::routes,
        subscribers::routes,
        passwords::routes,
        usage::routes,
        countries::routes,
        lists::routes,
        learned::routes,
        plans::routes,
        tokens::routes,
        models::routes,
        audit::routes,
        file::routes,
        decisions::routes,
        verdicts::routes,
    ];
    parts
        .into_iter()
        .fold(Api::default(), |api, routes| routes(api))
}

/// The REST API with its description at `/openapi.json`; whatever else is asked for is answered
/// with a problem.
pub fn router(desk: Desk) -> Router {
    let (routes, document) = api().finish();
    let describe = move || {
        let document = document.clone();
        async move { ([(header::CONTENT_TYPE, "application/json")], document) }
    };
    routes
        .route("/openapi.json", axum::routing::get(describe))
        .route_layer(middleware::from_fn_with_state(desk.clone(), admit))
        .method_not_allowed_fallback(|| async {
            Problem::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "expected a method that Allow names",
            )
        })
        .fallback(|| async {
            Problem::new(StatusCode::NOT_FOUND, "nothing is here: see /openapi.json")
        })
        .with_state(desk)
}

/// Lets a bounded number of requests be at work; more would only wait, with their bodies held.
/// Calls do not wait behind edits: they are bounded by connections alone.
async fn admit(State(desk): State<Desk>, request: axum::extract::Request, next: Next) -> Response {
    if request.uri().path() == decisions::PATH {
        return next.run(request).await;
    }
    let Some(_place) = desk.place() else {
        let problem = Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "too many requests are at work: ask again in a second",
        );
        return ([(header::RETRY_AFTER, "1")], problem).into_response();
    };
    next.run(request).await
}

#[cfg(test)]
mod question_tests;
#[cfg(test)]
mod tests;
