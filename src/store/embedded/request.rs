//! An HTTP request of ClickHouse's protocol, read as far as its statement.

use std::time::Duration;

use axum::{
    body::{Body, BodyDataStream},
    http::{HeaderMap, Method, Uri, header},
};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;

use super::{engine::Session, exception::Exception, statement::Statement};

/// The longest statement, data not counted (ClickHouse's `max_query_size`).
const MAX_STATEMENT: usize = 256 * 1024;
/// The longest form (`multipart/form-data`): statement and parameters.
const MAX_FORM: usize = 16 * 1024 * 1024;
/// How long to wait for the next piece of a body before giving the session to somebody else.
const BODY_PATIENCE: Duration = Duration::from_secs(300);

/// A request whose statement is known; the data of an INSERT is still to be read.
pub struct Request {
    /// What to set before the statement runs.
    pub session: Session,
    /// The statement; for an INSERT without FORMAT and data.
    pub sql: Bytes,
    /// Output format of a query, input format of an INSERT.
    pub format: String,
    /// For an INSERT with data.
    pub data: Option<Data>,
    /// The client's `query_id`.
    pub query_id: Option<String>,
    /// Rows the client says it sends (`X-TFPS-Rows`): an INSERT that wrote another number fails.
    pub expected_rows: Option<u64>,
}

/// The data of an INSERT: what came with the statement, then the rest of the body.
pub struct Data {
    first: Bytes,
    rest: BodyDataStream,
}

impl Data {
    /// The next piece, `None` at the regular end of the body.
    ///
    /// # Errors
    /// The client went away, or sends nothing: what came is not the whole.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Exception> {
        if !self.first.is_empty() {
            return Ok(Some(std::mem::take(&mut self.first)));
        }
        piece(&mut self.rest).await
    }
}

async fn piece(body: &mut BodyDataStream) -> Result<Option<Bytes>, Exception> {
    match tokio::time::timeout(BODY_PATIENCE, body.next()).await {
        Ok(None) => Ok(None),
        Ok(Some(Ok(bytes))) => Ok(Some(bytes)),
        Ok(Some(Err(error))) => Err(Exception::new(
            Exception::NETWORK_ERROR,
            &format!("The request's body broke off, nothing more is inserted: {error}"),
        )),
        Err(_) => Err(Exception::new(
            Exception::TIMEOUT_EXCEEDED,
            "The request's body stopped coming, nothing more is inserted",
        )),
    }
}

impl Request {
    /// Reads URL, headers and as much of the body as the statement takes.
    ///
    /// # Errors
    /// What cannot be understood or is not supported, as the exception to answer.
    pub async fn read(
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        body: Body,
    ) -> Result<Option<Self>, Exception> {
        let header = |name: &str| {
            headers
                .get(name)
                .and_then(|v| v.to_str().ok())
                .map(str::to_owned)
        };
        if let Some(encoding) =
            header(header::CONTENT_ENCODING.as_str()).filter(|e| e != "identity")
        {
            return Err(unsupported(&format!(
                "Content-Encoding {encoding} is not supported by the embedded engine: send the body uncompressed"
            )));
        }
        let mut call = Call {
            database: header("x-clickhouse-database"),
            format: header("x-clickhouse-format"),
            ..Call::default()
        };
        for (name, value) in pairs(uri.query().unwrap_or_default()) {
            call.take(name, value)?;
        }
        let mut body = body.into_data_stream();
        if let Some(boundary) = header(header::CONTENT_TYPE.as_str())
            .as_deref()
            .and_then(boundary)
        {
            let form = whole(&mut body, MAX_FORM).await?;
            for (name, value) in form_fields(&form, &boundary)? {
                call.take(name, value)?;
            }
        }
        let (text, complete) = call.text(&mut body).await?;
        if complete && text.iter().all(u8::is_ascii_whitespace) {
            return Ok(None);
        }
        let statement = Statement::parse(&text)?;
        let mut session = call.session;
        session.database = call.database.filter(|name| !name.is_empty());
        session.readonly = method == Method::GET;
        let text = text.freeze();
        let mut request = Self {
            session,
            sql: text.clone(),
            format: String::new(),
            data: None,
            query_id: call.query_id,
            expected_rows: header("x-tfps-rows").and_then(|rows| rows.parse().ok()),
        };
        match statement {
            Statement::Insert { head, format, data } if complete || head < text.len() => {
                request.sql = text.slice(..head);
                request.format = format;
                request.data = Some(Data {
                    first: text.slice(data..),
                    rest: body,
                });
            }
            Statement::Insert { .. } | Statement::Other { .. } if !complete => {
                return Err(Exception::new(
                    Exception::QUERY_TOO_LARGE,
                    "The statement is longer than 256 KiB",
                ));
            }
            Statement::Insert { format, .. } => request.format = format,
            Statement::Other { format } => {
                request.format = format
                    .or(call.format)
                    .unwrap_or_else(|| "TabSeparated".to_owned());
            }
        }
        Ok(Some(request))
    }
}

/// What URL, headers and form say, while they are being read.
#[derive(Default)]
struct Call {
    query: Option<String>,
    database: Option<String>,
    format: Option<String>,
    query_id: Option<String>,
    session: Session,
}

impl Call {
    fn take(&mut self, name: String, value: String) -> Result<(), Exception> {
        match name.as_str() {
            "query" => self.query = Some(value),
            "database" => self.database = Some(value),
            "default_format" => self.format = Some(value),
            "query_id" => self.query_id = Some(value),
            "compress" | "decompress" if value != "0" => {
                return Err(unsupported(&format!(
                    "{name}=1 is not supported by the embedded engine: use Compression::None, on loopback it is the faster one anyway"
                )));
            }
            // no users, no sessions, no buffering on our side, and no compression
            "user"
            | "password"
            | "quota_key"
            | "role"
            | "session_id"
            | "session_timeout"
            | "session_check"
            | "close_session"
            | "compress"
            | "decompress"
            | "buffer_size"
            | "wait_end_of_query"
            | "stacktrace"
            | "client_protocol_version" => {}
            _ => match name.strip_prefix("param_") {
                // the value stays as it travels, in TSV escaping: so the engine reads it
                Some(param) => self.session.params.0.push((param.to_owned(), value)),
                None => self.session.settings.push((name, value)),
            },
        }
        Ok(())
    }

    /// The statement's text: the query of the URL, a line end, the body. Of a body no more is read
    /// than the statement can be long; `false` when there is more.
    async fn text(&mut self, body: &mut BodyDataStream) -> Result<(BytesMut, bool), Exception> {
        let mut text = BytesMut::from(self.query.take().unwrap_or_default().as_bytes());
        if !text.is_empty() {
            // with FORMAT or VALUES in the URL the body is data and nothing else
            match Statement::parse(&text) {
                Ok(Statement::Insert { head, .. }) if head < text.len() => {
                    return Ok((text, false));
                }
                _ => {}
            }
            text.extend_from_slice(b"\n");
        }
        while text.len() < MAX_STATEMENT {
            match piece(body).await? {
                Some(bytes) => text.extend_from_slice(&bytes),
                None => return Ok((text, true)),
            }
        }
        Ok((text, false))
    }
}

fn unsupported(what: &str) -> Exception {
    Exception::new(Exception::NOT_IMPLEMENTED, what)
}

/// Reads a body to its end, at most `limit` bytes of it.
async fn whole(body: &mut BodyDataStream, limit: usize) -> Result<Bytes, Exception> {
    let mut text = BytesMut::new();
    while let Some(bytes) = piece(body).await? {
        if text.len() + bytes.len() > limit {
            return Err(Exception::new(
                Exception::QUERY_TOO_LARGE,
                "The form is longer than 16 MiB",
            ));
        }
        text.extend_from_slice(&bytes);
    }
    Ok(text.freeze())
}

/// `application/x-www-form-urlencoded` pairs.
fn pairs(query: &str) -> impl Iterator<Item = (String, String)> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name), decoded(value))
        })
}

fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(b) = bytes.get(at) {
        let escaped = text
            .get(at + 1..at + 3)
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (b, escaped) {
            (b'%', Some(byte)) => {
                out.push(byte);
                at += 2;
            }
            (b'+', _) => out.push(b' '),
            (b, _) => out.push(*b),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn boundary(content_type: &str) -> Option<String> {
    let rest = content_type.strip_prefix("multipart/form-data")?;
    let (_, boundary) = rest.split_once("boundary=")?;
    let boundary = boundary.split(';').next()?.trim().trim_matches('"');
    (!boundary.is_empty()).then(|| boundary.to_owned())
}

/// The fields of a form (RFC 7578), which is how the `clickhouse` crate sends statement and
/// parameters. Files, ClickHouse's external tables, are refused.
fn form_fields(form: &[u8], boundary: &str) -> Result<Vec<(String, String)>, Exception> {
    let broken = || Exception::new(Exception::BAD_ARGUMENTS, "The multipart form is malformed");
    let form = std::str::from_utf8(form).map_err(|_| broken())?;
    let mark = format!("--{boundary}");
    let mut fields = Vec::new();
    for part in form.split(mark.as_str()).skip(1) {
        if part.starts_with("--") {
            return Ok(fields);
        }
        let part = part.strip_prefix("\r\n").ok_or_else(broken)?;
        let (head, value) = part.split_once("\r\n\r\n").ok_or_else(broken)?;
        if head.contains("filename=") {
            return Err(unsupported(
                "External tables are not supported by the embedded engine",
            ));
        }
        let (_, name) = head.split_once("name=\"").ok_or_else(broken)?;
        let (name, _) = name.split_once('"').ok_or_else(broken)?;
        fields.push((
            name.to_owned(),
            value.strip_suffix("\r\n").unwrap_or(value).to_owned(),
        ));
    }
    Err(broken())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_decoded() {
        let read: Vec<_> = pairs("query=SELECT%201%2B1&a=b+c&&d").collect();
        let expected = [("query", "SELECT 1+1"), ("a", "b c"), ("d", "")];
        assert_eq!(read, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
        assert_eq!(decoded("100%"), "100%");
    }

    #[test]
    fn a_form_is_read_whole_or_not_at_all() {
        let form =
            b"--B\r\nContent-Disposition: form-data; name=\"query\"\r\n\r\nSELECT 1\r\n--B--\r\n";
        let fields = form_fields(form, "B").unwrap();
        assert_eq!(fields, [("query".to_owned(), "SELECT 1".to_owned())]);
        assert!(form_fields(&form[..form.len() - 6], "B").is_err());
        assert_eq!(
            boundary("multipart/form-data; boundary=\"B\"").as_deref(),
            Some("B")
        );
    }
}
