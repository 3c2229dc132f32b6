//! What a message says, borrowed from it and only as far as it is needed.
//!
//! What a peer may get wrong is one variant of [`Malformed`]. If a Via says whom to answer all
//! the same the request is [`Message::Faulty`] and gets a 400, else silence.

use super::respond::Status;
use super::uri::Uri;
use super::via::Via;

/// Longest message read, head and body, bytes. INVITEs of real devices stay below 4 KiB and UDP
/// fragments from 1.5 KiB on; longer datagrams are dropped unread and longer messages end their
/// stream, so memory per message is bounded.
pub const MAX_MESSAGE: usize = 16 * 1024;

/// What a datagram turned out to be.
#[derive(Debug)]
pub enum Message<'a> {
    /// A well-formed request.
    Request(Box<Request<'a>>),
    /// A request that is not well-formed but can be answered.
    Faulty(Box<Envelope<'a>>, Malformed),
    /// A response; nobody here sent a request.
    Response,
    /// CR LF, zeros or nothing: keeps an address translator awake, wants no answer (RFC 5626).
    KeepAlive,
}

/// What is wrong with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Longer than [`MAX_MESSAGE`].
    #[error("longer than {MAX_MESSAGE} bytes: strip the body or headers before the check")]
    TooLarge,
    /// Begins with neither a request line nor a status line.
    #[error("no SIP message: something else speaks to this port")]
    NotSip,
    /// No Via at all.
    #[error("no Via header: the sender cannot be answered and must add one")]
    NoVia,
    /// The topmost Via cannot be read.
    #[error("unreadable topmost Via header: the sender cannot be answered")]
    BadVia,
    /// From, To, Call-ID or CSeq is missing.
    #[error("no From, To, Call-ID or CSeq header: no transaction without them")]
    NoEnvelope,
    /// The headers do not end with an empty line.
    #[error("headers without an end: the datagram was cut, or the empty line is missing")]
    Unfinished,
    /// A line that is no `name: value`.
    #[error("a line that is no header: each must be `name: value`")]
    HeaderLine,
    /// A control character in a header.
    #[error("a control character in a header: it must be removed or escaped")]
    ControlCharacter,
    /// No Content-Length on a stream.
    #[error("no Content-Length header: a stream cannot be divided into messages without it")]
    NoLength,
    /// The request line is not divided by single spaces.
    #[error("bad request line: expected `METHOD uri SIP/2.0` and nothing else")]
    RequestLine,
    /// An empty element in the topmost Via header.
    #[error("an empty element in the topmost Via header: remove the surplus comma")]
    Via,
    /// A header that may stand once stands twice.
    #[error("From, To, Call-ID, CSeq, Max-Forwards or Content-Length stands more than once")]
    Duplicate,
    /// The version is not `SIP/2.0`.
    #[error("a version other than SIP/2.0")]
    Version,
    /// The Request-URI cannot be read.
    #[error("unreadable Request-URI: expected `sip:number@host`")]
    RequestUri,
    /// The Request-URI is neither `sip:`, `sips:` nor `tel:`.
    #[error("Request-URI scheme not served: use sip:, sips: or tel:")]
    UriScheme,
    /// The From header cannot be read.
    #[error("unreadable From header: expected `<sip:user@domain>;tag=...`")]
    From,
    /// The To header cannot be read.
    #[error("unreadable To header: expected `<sip:user@domain>`")]
    To,
    /// CSeq is no number and method, or not this request's method.
    #[error("bad CSeq header: expected a number and the request's own method")]
    CSeq,
    /// Max-Forwards is not 0 to 255.
    #[error("bad Max-Forwards header: expected 0 to 255")]
    MaxForwards,
    /// Content-Length is no number, or the datagram ends before the body does.
    #[error("bad Content-Length header: no number, or more than the datagram holds")]
    ContentLength,
}

impl Malformed {
    /// Short stable name, for counters.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::TooLarge => "too-large",
            Self::NotSip => "not-sip",
            Self::NoVia => "no-via",
            Self::BadVia => "bad-via",
            Self::NoEnvelope => "no-envelope",
            Self::Unfinished => "unfinished-headers",
            Self::HeaderLine => "bad-header-line",
            Self::ControlCharacter => "control-character",
            Self::NoLength => "no-content-length",
            Self::RequestLine => "bad-request-line",
            Self::Via => "empty-via",
            Self::Duplicate => "duplicate-header",
            Self::Version => "bad-version",
            Self::RequestUri => "bad-request-uri",
            Self::UriScheme => "unsupported-scheme",
            Self::From => "bad-from",
            Self::To => "bad-to",
            Self::CSeq => "bad-cseq",
            Self::MaxForwards => "bad-max-forwards",
            Self::ContentLength => "bad-content-length",
        }
    }

    /// The answer, where one can be given.
    #[must_use]
    pub const fn status(self) -> Status {
        match self {
            Self::Version => Status::VersionNotSupported,
            Self::UriScheme => Status::UnsupportedUriScheme,
            _ => Status::BadRequest,
        }
    }
}

/// What every answer copies and every transaction is known by. All values are as sent,
/// trimmed; folded ones still hold their CR LF and white space. Of a request that is at fault
/// From, To, Call-ID and CSeq may be missing, and are empty.
#[derive(Clone, Debug)]
pub struct Envelope<'a> {
    /// Method as sent.
    pub method: &'a [u8],
    /// Request-URI as sent.
    pub request_uri: &'a [u8],
    /// The Via header values in order; each may hold several elements.
    pub vias: Vec<&'a [u8]>,
    /// The topmost Via element.
    pub via: Via<'a>,
    /// From.
    pub from: &'a [u8],
    /// From's tag; empty for clients of RFC 2543.
    pub from_tag: &'a [u8],
    /// To.
    pub to: &'a [u8],
    /// To's tag: present within a dialog.
    pub to_tag: Option<&'a [u8]>,
    /// Call-ID.
    pub call_id: &'a [u8],
    /// CSeq, number and method.
    pub cseq: &'a [u8],
    /// CSeq's number; 0 when it cannot be read.
    pub cseq_number: u32,
}

/// A well-formed request.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// What an answer copies.
    pub envelope: Envelope<'a>,
    /// The method; `None`: one that no RFC defines.
    pub method: Option<rsip::Method>,
    /// Request-URI.
    pub uri: Uri<'a>,
    /// The URI in From.
    pub from: Uri<'a>,
    /// The URI in To.
    pub to: Uri<'a>,
    /// Hops left, where the header is present.
    pub max_forwards: Option<u8>,
    /// Values of the Require headers; each may hold several option tags.
    pub require: Vec<&'a [u8]>,
    /// Values of the Authorization headers: answers to digest challenges, one a realm.
    pub authorization: Vec<&'a [u8]>,
    /// User-Agent.
    pub user_agent: Option<&'a [u8]>,
    /// Contact.
    pub contact: Option<&'a [u8]>,
    /// Whether Allow or Supported says what the sender can do.
    pub tells_abilities: bool,
    /// The headers by which a softswitch speaks to this service.
    pub hints: Hints<'a>,
    /// Body, without what follows Content-Length (section 18.3).
    pub body: &'a [u8],
}

/// Headers by which a softswitch tells of its customer's own device.
///
/// Where one stands twice the last counts: a softswitch appends its own below those
/// that the customer's device may have sent to deceive it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hints<'a> {
    /// `P-Received`
    pub received: Option<&'a [u8]>,
    /// `P-UA`
    pub user_agent: Option<&'a [u8]>,
    /// `P-Calls`
    pub calls: Option<&'a [u8]>,
    /// `X-TFPS`
    pub policy: Option<&'a [u8]>,
    /// `P-TFPS`
    pub bundle: Option<&'a [u8]>,
}
