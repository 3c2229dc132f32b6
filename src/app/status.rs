//! 8080: is it alive, is it ready, what does it count, how is it.

use super::{Addresses, clock};
use crate::decide::Engine;
use crate::domain::Timestamp;
use crate::telemetry::Telemetry;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use std::net::SocketAddr;
use std::sync::Arc;

/// Media type of OpenMetrics, as Prometheus asks for it.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What the pages tell.
#[derive(Clone)]
pub(super) struct Status {
    pub(super) addresses: Addresses,
    pub(super) engine: Arc<Engine>,
    pub(super) telemetry: Arc<Telemetry>,
    pub(super) started: Timestamp,
}

/// Its routes.
pub(super) fn router(status: Status) -> Router {
    Router::new()
        .route("/", get(page))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(status)
}

/// Ready means: calls are answered. ClickHouse is told, and does not matter for that.
async fn ready(State(status): State<Status>) -> impl IntoResponse {
    let model = status.engine.model().current();
    axum::Json(serde_json::json!({
        "ready": true,
        "store_up": status.telemetry.store_up.get() == 1,
        "spool_backlog": status.telemetry.spool_backlog.get(),
        "model": model.as_ref().map(|model| model.id()),
    }))
}

async fn metrics(State(status): State<Status>) -> impl IntoResponse {
    let (tracks, evictions) = status.engine.window_sizes();
    status.telemetry.show_windows(tracks, evictions);
    let usage = status.engine.usage_sizes();
    status.telemetry.show_usage(usage.rows, usage.evicted);
    match status.telemetry.encode() {
        Ok(text) => ([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn page(State(status): State<Status>) -> Html<String> {
    let model = status.engine.model().current();
    let model = model
        .as_ref()
        .map_or("none: calls carry no score", |m| m.id());
    let (tracks, _) = status.engine.window_sizes();
    let totals = status.telemetry.totals();
    let store = match status.telemetry.store_up.get() {
        1 => "answers",
        _ => "does not answer: calls wait in the spool",
    };
    let at = |address: Option<SocketAddr>| {
        address.map_or_else(|| "not served".to_owned(), |address| address.to_string())
    };
    let up = clock::now().seconds_since(status.started);
    let rows = [
        ("up for", format!("{up:.0} s")),
        (
            "prevention (SIP, UDP and TCP)",
            at(status.addresses.prevention),
        ),
        ("prevention (SIP, TLS)", at(status.addresses.prevention_tls)),
        (
            "detection (SIP, UDP and TCP)",
            at(status.addresses.detection),
        ),
        ("honeypot (SIP, UDP and TCP)", at(status.addresses.honeypot)),
        ("ClickHouse", format!("{}: {store}", status.addresses.store)),
        ("calls checked", totals.decided.to_string()),
        ("of them refused", totals.refused.to_string()),
        (
            "waiting for ClickHouse",
            status.telemetry.spool_backlog.get().to_string(),
        ),
        ("model in force", model.to_owned()),
        ("habits kept", format!("{tracks} tracks")),
    ];
    let rows: String = rows
        .iter()
        .map(|(name, value)| format!("<tr><th scope=row>{name}<td>{}\n", escape(value)))
        .collect();
    Html(format!(
        "<!doctype html>\n<html lang=en>\n<meta charset=utf-8>\n\
         <meta name=viewport content=\"width=device-width\">\n\
         <meta name=color-scheme content=\"light dark\">\n<title>TFPS</title>\n\
         <style>body{{font:1rem/1.5 system-ui;max-width:44rem;margin:2rem auto;padding:0 1rem}}\
         th{{text-align:left;font-weight:400;padding-right:2rem}}\
         td{{font-variant-numeric:tabular-nums}}</style>\n\
         <h1>TFPS {version}</h1>\n<table>\n{rows}</table>\n\
         <p><a href=/metrics>metrics</a> · <a href=/readyz>readiness</a>\n",
        version = env!("CARGO_PKG_VERSION"),
    ))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
