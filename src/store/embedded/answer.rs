//! Answers in ClickHouse's HTTP dialect: headers, summary, exceptions before and within a body.

use std::{convert::Infallible, io, time::Duration};

use axum::{
    body::Body,
    http::{HeaderValue, header},
    response::Response,
};
use bytes::Bytes;
use futures_util::stream;
use tokio::sync::mpsc;

use super::{exception::Exception, ffi::Output};

/// Time for the trailer of a broken result to leave before the connection is cut.
const TRAILER_HEAD_START: Duration = Duration::from_millis(50);

/// What the thread of a query sends to its connection.
pub enum Event {
    /// A piece of the result.
    Piece(Bytes),
    /// The result was complete; what was left of it, and the counts.
    Done(Output),
    /// It failed; what was sent before is no result.
    Failed(Exception),
}

/// What every answer of a request carries.
#[derive(Debug, Clone)]
pub struct Tags {
    /// `X-ClickHouse-Query-Id`
    pub query_id: String,
    /// `X-ClickHouse-Format`
    pub format: String,
    /// `X-ClickHouse-Timezone`
    pub timezone: String,
    /// `X-ClickHouse-Exception-Tag`: 16 characters that mark an exception within the body.
    pub exception_tag: String,
    /// Since the request was read.
    pub started: std::time::Instant,
}

impl Tags {
    fn respond(&self, body: Body) -> Response {
        let mut response = Response::new(body);
        let headers = response.headers_mut();
        let mut put = |name: &'static str, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(name, value);
            }
        };
        put("x-clickhouse-query-id", &self.query_id);
        put("x-clickhouse-format", &self.format);
        put("x-clickhouse-timezone", &self.timezone);
        put("x-clickhouse-server-display-name", "tfps embedded");
        put(header::CONTENT_TYPE.as_str(), content_type(&self.format));
        response
    }

    fn summary(&self, response: &mut Response, output: &Output) {
        let elapsed = self.started.elapsed().as_nanos();
        let summary = format!(
            r#"{{"read_rows":"0","read_bytes":"0","written_rows":"{}","written_bytes":"{}","total_rows_to_read":"0","result_rows":"{}","result_bytes":"{}","elapsed_ns":"{elapsed}"}}"#,
            output.rows_written,
            output.bytes_written,
            if output.rows_written > 0 {
                output.rows_written
            } else {
                output.rows_read
            },
            output.body.len(),
        );
        if let Ok(value) = HeaderValue::from_str(&summary) {
            response.headers_mut().insert("x-clickhouse-summary", value);
        }
    }

    /// A complete result.
    pub fn done(&self, output: Output) -> Response {
        let mut response = self.respond(Body::from(output.body.clone()));
        self.summary(&mut response, &output);
        response
    }

    /// An exception before any result.
    pub fn failed(&self, exception: &Exception) -> Response {
        let mut response = self.respond(Body::from(format!("{exception}\n")));
        *response.status_mut() = exception.status();
        let headers = response.headers_mut();
        headers.insert(
            "x-clickhouse-exception-code",
            HeaderValue::from(exception.code()),
        );
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/plain; charset=UTF-8"),
        );
        response
    }

    /// A result as it comes: the first event decides the status, later exceptions go into the body.
    pub async fn stream(self, mut events: mpsc::Receiver<Event>) -> Response {
        let first = match events.recv().await {
            None => return self.failed(&Exception::no_answer()),
            Some(Event::Failed(exception)) => return self.failed(&exception),
            Some(Event::Done(output)) => return self.done(output),
            Some(Event::Piece(piece)) => piece,
        };
        let state = Sending {
            first: Some(first),
            events,
            tag: self.exception_tag.clone(),
            broken: false,
        };
        let mut response =
            self.respond(Body::from_stream(stream::try_unfold(state, Sending::next)));
        if let Ok(tag) = HeaderValue::from_str(&self.exception_tag) {
            response
                .headers_mut()
                .insert("x-clickhouse-exception-tag", tag);
        }
        self.summary(&mut response, &Output::default());
        response
    }
}

/// A body being sent.
struct Sending {
    first: Option<Bytes>,
    events: mpsc::Receiver<Event>,
    tag: String,
    broken: bool,
}

impl Sending {
    async fn next(mut self) -> io::Result<Option<(Bytes, Self)>> {
        if self.broken {
            // Without the last chunk of the transfer encoding no client takes this for a whole
            // result, even one that does not know the trailer.
            tokio::time::sleep(TRAILER_HEAD_START).await;
            return Err(io::Error::other("the query failed"));
        }
        if let Some(first) = self.first.take() {
            return Ok(Some((first, self)));
        }
        let exception = match self.events.recv().await {
            Some(Event::Piece(piece)) => return Ok(Some((piece, self))),
            Some(Event::Done(output)) if output.body.is_empty() => return Ok(None),
            Some(Event::Done(output)) => return Ok(Some((output.body, self.closed()))),
            Some(Event::Failed(exception)) => exception,
            None => Exception::no_answer(),
        };
        self.broken = true;
        let trailer = trailer(&exception, &self.tag);
        Ok(Some((trailer, self)))
    }

    /// Nothing follows but the regular end.
    fn closed(mut self) -> Self {
        let (sender, events) = mpsc::channel(1);
        // the channel is empty and open for one, so this cannot fail
        let _sent: Result<(), _> = sender.try_send(Event::Done(Output::default()));
        self.events = events;
        self
    }
}

/// How ClickHouse since 25.11 marks an exception behind data already sent
/// (`WriteBufferFromHTTPServerResponse::cancelWithException`); the `clickhouse` crate looks for it
/// at the end of each chunk.
fn trailer(exception: &Exception, tag: &str) -> Bytes {
    let message = format!("{exception}\n");
    let length = message.len();
    Bytes::from(format!(
        "\r\n__exception__\r\n{tag}\r\n{message}{length} {tag}\r\n__exception__\r\n"
    ))
}

fn content_type(format: &str) -> &'static str {
    if format.starts_with("CSV") {
        "text/csv; charset=UTF-8; header=absent"
    } else if format.starts_with("TabSeparated") || format.starts_with("TSV") {
        "text/tab-separated-values; charset=UTF-8"
    } else if format.contains("EachRow") || format == "NDJSON" {
        "application/x-ndjson; charset=UTF-8"
    } else if format.starts_with("JSON") {
        "application/json; charset=UTF-8"
    } else if ["RowBinary", "Native", "Arrow", "Parquet"]
        .iter()
        .any(|f| format.starts_with(f))
    {
        "application/octet-stream"
    } else {
        "text/plain; charset=UTF-8"
    }
}

/// `Ok.`, to `/ping` and to a request without a query.
pub async fn ok() -> Result<&'static str, Infallible> {
    Ok("Ok.\n")
}
