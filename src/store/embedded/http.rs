//! The HTTP side of the child: one request, one session, one thread that may block.

use std::{
    collections::hash_map::RandomState,
    hash::BuildHasher,
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderMap, Method, Uri, header},
    response::{IntoResponse, Response},
    routing::{any, get},
};
use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use super::{
    answer::{Event, Tags, ok},
    engine::{Engine, Session},
    exception::Exception,
    ffi::{Connection, Output, Params},
    request::{Data, Request},
    stitch::{Join, Stitcher},
};

/// Pieces in flight between a connection and its thread.
const IN_FLIGHT: usize = 4;
/// What is read of an INSERT's data after it failed, so that the client gets to read why.
const DRAIN_BYTES: usize = 64 * 1024 * 1024;
/// For so long.
const DRAIN_TIME: Duration = Duration::from_secs(5);
/// Upper bound of a result that cannot be streamed, as rows in memory (128 MiB; as JSON it takes
/// six times that), unless the request sets its own `max_result_bytes`.
const MAX_WHOLE_RESULT: u32 = 128 * 1024 * 1024;

/// The routes of ClickHouse's HTTP interface that clients use.
pub fn router(engine: Arc<Engine>) -> Router {
    Router::new()
        .route("/ping", get(ok))
        .route("/replicas_status", get(ok))
        .route("/", any(query))
        .with_state(engine)
}

async fn query(
    State(engine): State<Arc<Engine>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let mut tags = Tags {
        query_id: random_id(),
        format: "TabSeparated".to_owned(),
        timezone: engine.timezone.clone(),
        exception_tag: random_id()[..18].replace('-', ""),
        started: Instant::now(),
    };
    if let Err(exception) = from_this_machine(&headers) {
        return tags.failed(&exception);
    }
    let request = match Request::read(&method, &uri, &headers, body).await {
        Ok(Some(request)) => request,
        Ok(None) => return ok().await.into_response(),
        Err(exception) => return tags.failed(&exception),
    };
    if let Some(id) = request.query_id.filter(|id| !id.is_empty()) {
        tags.query_id = id;
    }
    tags.format.clone_from(&request.format);
    let permit = match engine.permit().await {
        Ok(permit) => permit,
        Err(exception) => return tags.failed(&exception),
    };
    let Request {
        session,
        sql,
        format,
        data,
        expected_rows,
        ..
    } = request;
    let Some(data) = data else {
        let (sender, events) = mpsc::channel(IN_FLIGHT);
        tokio::task::spawn_blocking(move || {
            let outcome = engine
                .session(&session)
                .and_then(|connection| run(connection, &session, &sql, &format, &sender));
            if let Err(exception) = outcome {
                // the client may be gone; then nobody is left to be told
                let _told: Result<(), _> = sender.blocking_send(Event::Failed(exception));
            }
            drop(permit);
        });
        return tags.stream(events).await;
    };
    let (sender, pieces) = mpsc::channel(IN_FLIGHT);
    let (answer, answered) = oneshot::channel();
    tokio::task::spawn_blocking(move || {
        let outcome = insert(&engine, &session, &sql, &format, pieces).and_then(|output| {
            check_rows(&output, expected_rows)?;
            Ok(output)
        });
        let _told: Result<(), _> = answer.send(outcome);
        drop(permit);
    });
    let outcome = send_data(data, sender, answered).await;
    match outcome {
        Ok(output) => tags.done(output),
        Err(exception) => tags.failed(&exception),
    }
}

/// A page of any web site can make a browser on this machine send requests here (cross-site
/// requests, DNS rebinding). Programs do not send `Origin`, and name the address or localhost.
fn from_this_machine(headers: &HeaderMap) -> Result<(), Exception> {
    let local = |host: &str| {
        let name = match host.strip_prefix('[') {
            Some(rest) => rest.split(']').next().unwrap_or_default(),
            None => host.rsplit_once(':').map_or(host, |(name, _)| name),
        };
        name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok()
    };
    let value = |name| headers.get(name).map(|v| v.to_str().unwrap_or_default());
    let origin_host =
        value(header::ORIGIN).map(|o| o.split_once("://").map_or("", |(_, host)| host));
    if origin_host.is_none_or(local) && value(header::HOST).is_none_or(local) {
        return Ok(());
    }
    Err(Exception::new(
        Exception::ACCESS_DENIED,
        "The embedded engine answers programs of its own machine only, by address or as localhost",
    ))
}

/// Runs a statement without data, in the request's own thread.
fn run(
    mut connection: Connection,
    session: &Session,
    sql: &Bytes,
    format: &str,
    events: &mpsc::Sender<Event>,
) -> Result<(), Exception> {
    if let Some(join) = Join::of(format) {
        match connection.stream(sql, format, &session.params) {
            Ok(mut result) => {
                let mut stitcher = Stitcher::new(join);
                while let Some(piece) = result.fetch()? {
                    let piece = stitcher.push(piece)?;
                    if !piece.is_empty() && events.blocking_send(Event::Piece(piece)).is_err() {
                        return Ok(()); // the client is gone; dropping the stream cancels the query
                    }
                }
                let output = Output {
                    body: stitcher.end(),
                    ..Output::default()
                };
                let _told: Result<(), _> = events.blocking_send(Event::Done(output));
                return Ok(());
            }
            // DDL, SHOW, DESCRIBE, EXPLAIN, INSERT SELECT: refused by the library before anything
            // is done, and short enough to be run in one go
            Err(refusal)
                if refusal
                    .to_string()
                    .contains("Streaming query is not supported") => {}
            Err(exception) => return Err(exception),
        }
    }
    if Join::of(format).is_none() {
        bound_whole_result(&mut connection, session)?;
    }
    let output = connection.execute(sql, format, &session.params)?;
    let _told: Result<(), _> = events.blocking_send(Event::Done(output));
    Ok(())
}

/// A result formatted in one go is kept in memory, several times its size as rows. Results that
/// are streamed have no such bound, and the setting would cut them.
fn bound_whole_result(connection: &mut Connection, session: &Session) -> Result<(), Exception> {
    if session
        .settings
        .iter()
        .any(|(name, _)| name == "max_result_bytes")
    {
        return Ok(());
    }
    let bound = format!("SET max_result_bytes = {MAX_WHOLE_RESULT}");
    connection
        .execute(bound.as_bytes(), "Null", &Params::default())
        .map(drop)
}

/// Runs an INSERT, in the request's own thread. `pieces` ends with an empty one; if it ends
/// without, the client is gone and the INSERT is cancelled.
fn insert(
    engine: &Engine,
    session: &Session,
    sql: &[u8],
    format: &str,
    mut pieces: mpsc::Receiver<Bytes>,
) -> Result<Output, Exception> {
    let mut connection = engine.session(session)?;
    let mut stream = connection.insert(sql, format, &session.params)?;
    loop {
        match pieces.blocking_recv() {
            Some(piece) if piece.is_empty() => return stream.finish(),
            Some(piece) => stream.append(&piece)?,
            None => {
                return Err(Exception::new(
                    Exception::NETWORK_ERROR,
                    "The request's body broke off, nothing more is inserted",
                ));
            }
        }
    }
}

/// Carries an INSERT's data from the connection to its thread, then waits for the outcome.
async fn send_data(
    mut data: Data,
    sender: mpsc::Sender<Bytes>,
    mut answered: oneshot::Receiver<Result<Output, Exception>>,
) -> Result<Output, Exception> {
    let lost = |_| Err(Exception::no_answer());
    loop {
        let piece = tokio::select! {
            biased;
            outcome = &mut answered => {
                drain(data).await; // it failed while data was still coming
                return outcome.unwrap_or_else(lost);
            }
            piece = data.next() => piece?,
        };
        if piece.as_ref().is_some_and(Bytes::is_empty) {
            continue; // an empty piece would be taken for the end
        }
        let last = piece.is_none();
        if sender.send(piece.unwrap_or_default()).await.is_err() || last {
            break;
        }
    }
    let outcome = answered.await.unwrap_or_else(lost);
    if outcome.is_err() {
        drain(data).await;
    }
    outcome
}

/// Closing a connection with unread data resets it, and the client may never see the answer.
async fn drain(mut data: Data) {
    let reading = async {
        let mut left = DRAIN_BYTES;
        while let Ok(Some(piece)) = data.next().await {
            left = left.saturating_sub(piece.len());
            if left == 0 {
                return;
            }
        }
    };
    let _in_time: Result<(), _> = tokio::time::timeout(DRAIN_TIME, reading).await;
}

/// Rows written against rows sent, where the client said how many it sends. Materialised views
/// add to the rows written, so more is no loss.
fn check_rows(output: &Output, expected: Option<u64>) -> Result<(), Exception> {
    match expected {
        Some(expected) if output.rows_written < expected => Err(Exception::new(
            Exception::INCORRECT_DATA,
            &format!("{} rows written of {expected} sent", output.rows_written),
        )),
        _ => Ok(()),
    }
}

/// An identifier in the form of a UUID, from the hasher's random keys.
fn random_id() -> String {
    let (a, b) = (
        RandomState::new().hash_one(0_u8),
        RandomState::new().hash_one(1_u8),
    );
    let hex = format!("{a:016x}{b:016x}");
    format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_answered() {
        let asked = |host: &'static str, origin: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, host.parse().unwrap());
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, origin.parse().unwrap());
            }
            from_this_machine(&headers).is_ok()
        };
        assert!(asked("127.0.0.1:8123", None));
        assert!(asked("localhost", None));
        assert!(asked("[::1]:8123", Some("http://localhost:3000")));
        assert!(!asked("evil.example:8123", None));
        assert!(!asked("127.0.0.1:8123", Some("https://evil.example")));
        assert!(!asked("127.0.0.1:8123", Some("null")));
    }
}
