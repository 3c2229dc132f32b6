//! Answers as bytes (RFC 3261 section 8.2.6; RFC 3581 section 4).
//!
//! Same request, same decision, same bytes: nothing here depends on time or chance, which is
//! what lets an answer be built again after a restart.

use super::message::Envelope;
use super::text::{escape_user, params, push_value, split_once};
use super::via::Via;
use crate::digest;
use crate::domain::{Answer, NeutralAnswer, ScoreHeaders};
use bytes::Bytes;
use std::io::Write as _;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// Methods that get another answer than 405.
pub(super) const ALLOW: &str = "INVITE, ACK, CANCEL, OPTIONS";
/// The Server header, of all but a honeypot.
pub(super) const SERVER: &str = "TFPS";

/// Bytes and where they go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// A whole SIP message.
    pub bytes: Bytes,
    /// Over UDP: an address of the one the request came from.
    pub to: SocketAddr,
    /// Where its Via wants it instead, by `maddr`; see [`Packet::address`].
    pub maddr: Option<SocketAddr>,
}

impl Packet {
    pub(super) fn new(bytes: Bytes, via: &Via<'_>, source: SocketAddr) -> Self {
        Self {
            bytes,
            to: via.destination(source),
            maddr: via.maddr(source),
        }
    }

    /// Where to send it over UDP. `trusts` is asked about the request's source, and only when
    /// the answer is wanted elsewhere. Over a stream it goes back where the request came from.
    pub fn address(&self, trusts: impl FnOnce(IpAddr) -> bool) -> SocketAddr {
        match self.maddr {
            Some(maddr) if trusts(self.to.ip()) => maddr,
            _ => self.to,
        }
    }
}

/// The answers that are given: final ones, and the honeypot's ringing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "`phrase` says what each is, once")]
pub enum Status {
    Ringing,
    Ok,
    MovedTemporarily,
    BadRequest,
    Unauthorized,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    UnsupportedUriScheme,
    BadExtension,
    TemporarilyUnavailable,
    DoesNotExist,
    LoopDetected,
    TooManyHops,
    AddressIncomplete,
    BusyHere,
    RequestTerminated,
    BadEvent,
    NotImplemented,
    ServiceUnavailable,
    VersionNotSupported,
    PreconditionFailure,
    Unspecified,
    Decline,
}

impl Status {
    /// The three digits.
    #[must_use]
    pub const fn code(self) -> u16 {
        match self {
            Self::Ringing => 180,
            Self::Ok => 200,
            Self::MovedTemporarily => 302,
            Self::BadRequest => 400,
            Self::Unauthorized => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::UnsupportedUriScheme => 416,
            Self::BadExtension => 420,
            Self::TemporarilyUnavailable => 480,
            Self::DoesNotExist => 481,
            Self::LoopDetected => 482,
            Self::TooManyHops => 483,
            Self::AddressIncomplete => 484,
            Self::BusyHere => 486,
            Self::RequestTerminated => 487,
            Self::BadEvent => 489,
            Self::NotImplemented => 501,
            Self::ServiceUnavailable => 503,
            Self::VersionNotSupported => 505,
            Self::PreconditionFailure => 580,
            Self::Unspecified => 599,
            Self::Decline => 603,
        }
    }

    /// The reason phrase (RFC 3261 section 21; 489 of RFC 6665, 580 of RFC 3312).
    #[must_use]
    pub const fn phrase(self) -> &'static str {
        match self {
            Self::Ringing => "Ringing",
            Self::Ok => "OK",
            Self::MovedTemporarily => "Moved Temporarily",
            Self::BadRequest => "Bad Request",
            Self::Unauthorized => "Unauthorized",
            Self::Forbidden => "Forbidden",
            Self::NotFound => "Not Found",
            Self::MethodNotAllowed => "Method Not Allowed",
            Self::UnsupportedUriScheme => "Unsupported URI Scheme",
            Self::BadExtension => "Bad Extension",
            Self::TemporarilyUnavailable => "Temporarily Unavailable",
            Self::DoesNotExist => "Call/Transaction Does Not Exist",
            Self::LoopDetected => "Loop Detected",
            Self::TooManyHops => "Too Many Hops",
            Self::AddressIncomplete => "Address Incomplete",
            Self::BusyHere => "Busy Here",
            Self::BadEvent => "Bad Event",
            Self::NotImplemented => "Not Implemented",
            Self::RequestTerminated => "Request Terminated",
            Self::ServiceUnavailable => "Service Unavailable",
            Self::VersionNotSupported => "Version Not Supported",
            Self::PreconditionFailure => "Precondition Failure",
            Self::Unspecified => "Unspecified",
            Self::Decline => "Decline",
        }
    }
}

impl From<NeutralAnswer> for Option<Status> {
    fn from(answer: NeutralAnswer) -> Self {
        match answer {
            NeutralAnswer::ServiceUnavailable => Some(Status::ServiceUnavailable),
            NeutralAnswer::RequestTerminated => Some(Status::RequestTerminated),
            NeutralAnswer::PreconditionFailure => Some(Status::PreconditionFailure),
            NeutralAnswer::Unspecified => Some(Status::Unspecified),
            NeutralAnswer::Silent => None,
        }
    }
}

/// The status that says it; `None`: silence.
pub(super) fn status_of(answer: &Answer) -> Option<Status> {
    Some(match answer {
        Answer::Redirect { .. } => Status::MovedTemporarily,
        // Without Retry-After: the softswitch must not set this service aside.
        Answer::Decline(code) if code.is_approved() => Status::ServiceUnavailable,
        Answer::Decline(_) => Status::Decline,
        Answer::Neutral(neutral) => return Option::from(*neutral),
        Answer::Challenge(_) => Status::Unauthorized,
        Answer::Busy { .. } => Status::ServiceUnavailable,
        Answer::Forbidden => Status::Forbidden,
    })
}

/// A response being written: what the request gives, and the To tag of its transaction.
pub(super) struct Response<'a> {
    pub envelope: &'a Envelope<'a>,
    pub source: SocketAddr,
    pub to_tag: u64,
    /// The Server header; empty: none.
    pub server: &'a str,
    /// Whether headers are named by their compact forms (RFC 3261 section 7.3.3).
    pub compact: bool,
}

impl Response<'_> {
    /// A final answer with headers of its own.
    pub fn status(&self, status: Status, headers: &[(&str, &[u8])]) -> Bytes {
        let mut out = self.start(status);
        for (name, value) in headers {
            header(&mut out, name, value);
        }
        self.finish(out)
    }

    /// What a decision says; `None`: silence.
    pub fn answer(&self, answer: &Answer) -> Option<Bytes> {
        let status = status_of(answer)?;
        let retry_after;
        let headers = match answer {
            Answer::Redirect {
                code,
                number,
                host,
                score,
            } => {
                let mut out = self.start(status);
                out.extend_from_slice(b"Contact: <sip:");
                out.extend_from_slice(code.as_str().as_bytes());
                escape_user(&mut out, number);
                out.push(b'@');
                push_host(&mut out, host);
                out.extend_from_slice(b">\r\n");
                if let Some(score) = score {
                    push_score(&mut out, score);
                }
                return Some(self.finish(out));
            }
            Answer::Challenge(challenge) => {
                let challenges = digest::headers(challenge);
                let headers: Vec<_> = challenges
                    .iter()
                    .map(|value| ("WWW-Authenticate", value.as_bytes()))
                    .collect();
                return Some(self.status(status, &headers));
            }
            Answer::Busy { retry_after: secs } => {
                retry_after = secs.to_string();
                &[("Retry-After", retry_after.as_bytes())][..]
            }
            Answer::Decline(_) | Answer::Neutral(_) | Answer::Forbidden => &[],
        };
        Some(self.status(status, headers))
    }

    /// Status line and the headers that every answer has.
    fn start(&self, status: Status) -> Vec<u8> {
        let mut out = Vec::with_capacity(640);
        let (code, phrase) = (status.code(), status.phrase());
        push_text(&mut out, format_args!("SIP/2.0 {code} {phrase}\r\n"));
        self.push_vias(&mut out);
        let envelope = self.envelope;
        copied(&mut out, self.name("From", "f"), envelope.from);
        if !envelope.to.is_empty() {
            out.extend_from_slice(self.name("To", "t").as_bytes());
            out.extend_from_slice(b": ");
            push_value(&mut out, envelope.to);
            if envelope.to_tag.is_none() {
                push_text(&mut out, format_args!(";tag={:016x}", self.to_tag));
            }
            out.extend_from_slice(b"\r\n");
        }
        copied(&mut out, self.name("Call-ID", "i"), envelope.call_id);
        copied(&mut out, "CSeq", envelope.cseq);
        out
    }

    const fn name(&self, long: &'static str, compact: &'static str) -> &'static str {
        if self.compact { compact } else { long }
    }

    fn finish(&self, mut out: Vec<u8>) -> Bytes {
        if !self.server.is_empty() {
            header(&mut out, "Server", self.server.as_bytes());
        }
        header(&mut out, self.name("Content-Length", "l"), b"0");
        out.extend_from_slice(b"\r\n");
        out.into()
    }

    /// All Via elements in order; the topmost with `received` and `rport` as seen here, and
    /// never as the sender claims.
    fn push_vias(&self, out: &mut Vec<u8>) {
        let via = &self.envelope.via;
        out.extend_from_slice(self.name("Via", "v").as_bytes());
        out.extend_from_slice(b": ");
        push_value(out, via.head);
        for (name, value) in params(via.params) {
            if name.eq_ignore_ascii_case(b"received") || name.eq_ignore_ascii_case(b"rport") {
                continue;
            }
            out.push(b';');
            push_value(out, name);
            if let Some(value) = value {
                out.push(b'=');
                push_value(out, value);
            }
        }
        if via.rport {
            push_text(out, format_args!(";rport={}", self.source.port()));
        }
        if via.needs_received(self.source.ip()) {
            let ip = self.source.ip().to_canonical();
            push_text(out, format_args!(";received={ip}"));
        }
        let mut values = self.envelope.vias.iter();
        if let (_, Some(below)) = values
            .next()
            .map_or((&b""[..], None), |v| split_once(v, b','))
        {
            out.push(b',');
            push_value(out, below);
        }
        out.extend_from_slice(b"\r\n");
        for value in values {
            header(out, self.name("Via", "v"), value);
        }
    }
}

/// A header of the request; one that a faulty request lacks cannot be copied.
fn copied(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    if !value.is_empty() {
        header(out, name, value);
    }
}

fn header(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    push_value(out, value);
    out.extend_from_slice(b"\r\n");
}

fn push_text(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    // Writing into a Vec cannot fail.
    let _ = out.write_fmt(text);
}

/// A host as a URI has it; what cannot stand in a host is left out.
fn push_host(out: &mut Vec<u8>, host: &str) {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if bare.parse::<Ipv6Addr>().is_ok() {
        push_text(out, format_args!("[{bare}]"));
        return;
    }
    let before = out.len();
    out.extend(
        host.bytes()
            .filter(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_')),
    );
    if out.len() == before {
        // RFC 2606: a name that resolves nowhere.
        out.extend_from_slice(b"unknown.invalid");
    }
}

fn push_score(out: &mut Vec<u8>, headers: &ScoreHeaders) {
    if headers.score.is_finite() {
        let score = headers.score.clamp(0.0, 1.0);
        push_text(out, format_args!("P-TFPS-Score: {score:.3}\r\n"));
    }
    if !headers.reasons.is_empty() {
        header(out, "P-TFPS-Reason", headers.reasons.as_bytes());
    }
}
