//! The web service of the original TFPS: one GET, three letters back.
//!
//! ```text
//! GET /?dialed_number=554898754321&from_user=alice[&domain=][&source_ip=][&user_agent=][&sim_calls=]
//! 200 text/plain: A00 or Rnn
//! ```
//! Who may ask is as on 9090: a trusted address, else HTTP digest (401), else 403. `domain`
//! absent is the domain that trusts the address, and for a stranger the root's. 400 names the
//! parameter that is wrong, 503 comes with Retry-After.
//!
//! HEAD is refused like every method but GET: a question counts as a call, and whoever asks only
//! for headers does not mean to make one.

use super::ask::{Asker, Calls, Question, ask};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use std::sync::Arc;

/// The service, for connections whose peer is in the extensions as `ConnectInfo<SocketAddr>`.
pub fn router(calls: Arc<dyn Calls>) -> Router {
    Router::new()
        .route("/", any(question))
        .fallback(nothing_here)
        .with_state(calls)
}

async fn question(State(calls): State<Arc<dyn Calls>>, request: Request) -> Response {
    let (request, _) = request.into_parts();
    if request.method != Method::GET {
        let allow = [(ALLOW, HeaderValue::from_static("GET"))];
        return text(StatusCode::METHOD_NOT_ALLOWED, "ask with GET", allow);
    }
    let question = match Question::from_query(request.uri.query().unwrap_or_default()) {
        Ok(question) => question,
        Err(error) => return text(StatusCode::BAD_REQUEST, &error.to_string(), []),
    };
    match ask(calls, Asker::of("GET", &request), question).await {
        Ok(event) => text(StatusCode::OK, event.decision.code.as_str(), []),
        Err(undecided) => {
            let mut response = text(undecided.status(), undecided.text(), []);
            response.headers_mut().extend(undecided.headers());
            response
        }
    }
}

async fn nothing_here() -> Response {
    let said = "not here: ask GET /?dialed_number=...&from_user=...";
    text(StatusCode::NOT_FOUND, said, [])
}

/// The text alone, without a line's end: clients compare it.
fn text<const N: usize>(
    status: StatusCode,
    body: &str,
    more: [(axum::http::HeaderName, HeaderValue); N],
) -> Response {
    let mut headers = HeaderMap::from_iter(more);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    // The same question a second later is another call.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    (status, headers, body.to_owned()).into_response()
}
