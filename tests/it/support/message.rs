//! Just enough SIP text for scripted peers: start line, headers in order, body. Deliberately not the parser under
//! test, so that a mistake there cannot hide itself here.

use std::fmt::{self, Write as _};

#[derive(Clone, Debug)]
pub struct Message {
    pub start: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Message {
    pub fn new(start: impl Into<String>) -> Self {
        Self {
            start: start.into(),
            headers: Vec::new(),
            body: String::new(),
        }
    }

    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub fn parse(datagram: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(datagram).ok()?;
        let (head, body) = text.split_once("\r\n\r\n")?;
        let mut lines = head.split("\r\n");
        let mut message = Self::new(lines.next()?);
        for line in lines {
            let (name, value) = line.split_once(':')?;
            message = message.with(name.trim(), value.trim());
        }
        message.body = body.to_owned();
        Some(message)
    }

    /// `None` for a request.
    pub fn status(&self) -> Option<u16> {
        self.start.strip_prefix("SIP/2.0 ")?.get(..3)?.parse().ok()
    }

    /// Of a request; for a response the protocol version, which no test asks for.
    pub fn method(&self) -> &str {
        self.start.split(' ').next().unwrap_or_default()
    }

    pub fn request_uri(&self) -> &str {
        self.start.split(' ').nth(1).unwrap_or_default()
    }

    /// The user part of the Request-URI: the dialled number.
    pub fn number(&self) -> &str {
        let uri = self.request_uri().trim_start_matches("sip:");
        uri.split('@').next().unwrap_or_default()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    pub fn all<'a, 'n>(
        &'a self,
        name: &'n str,
    ) -> impl DoubleEndedIterator<Item = &'a str> + use<'a, 'n> {
        self.headers
            .iter()
            .filter(move |(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The same with another value of a header.
    pub fn changed(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self.with(name, value)
    }

    /// The request of another method within the same transaction.
    pub fn as_method(&self, method: &str) -> Self {
        let mut request = self.clone();
        request.start = request.start.replacen(self.method(), method, 1);
        request.changed("CSeq", format!("1 {method}"))
    }

    /// The same request about another number.
    pub fn about(&self, number: &str) -> Self {
        let mut request = self.clone();
        request.start = request.start.replacen(self.number(), number, 1);
        request
    }

    /// The same request by another way.
    pub fn by_another_way(&self) -> Self {
        let mut copy = self.clone();
        for (name, value) in &mut copy.headers {
            if name == "Via" {
                *value = value.replace(";branch=z9hG4bK", ";branch=z9hG4bK-other");
            }
        }
        copy
    }

    /// The `branch` of the topmost Via, which names the transaction.
    pub fn branch(&self) -> &str {
        let via = self.header("Via").unwrap_or_default();
        via.split(";branch=")
            .nth(1)
            .and_then(|rest| rest.split(';').next())
            .unwrap_or_default()
    }

    /// A response to this request, with the headers a response must copy (RFC 3261 section 8.2.6.2, and 12.1.1 for
    /// Record-Route).
    pub fn response(&self, status: u16, reason: &str) -> Self {
        let mut response = Self::new(format!("SIP/2.0 {status} {reason}"));
        for (name, value) in &self.headers {
            let name = name.as_str();
            if ["Via", "From", "Call-ID", "CSeq", "Record-Route"]
                .iter()
                .any(|kept| name.eq_ignore_ascii_case(kept))
            {
                response = response.with(name, value);
            } else if name.eq_ignore_ascii_case("To") {
                let tag = if status > 100 && !value.contains(";tag=") {
                    ";tag=callee"
                } else {
                    ""
                };
                response = response.with("To", format!("{value}{tag}"));
            }
        }
        response
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut head = String::new();
        for (name, value) in &self.headers {
            write!(head, "{name}: {value}\r\n")?;
        }
        write!(
            f,
            "{}\r\n{head}Content-Length: {}\r\n\r\n{}",
            self.start,
            self.body.len(),
            self.body
        )
    }
}
