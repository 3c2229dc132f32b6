//! From bytes to a [`Message`] (RFC 3261 sections 7, 18.3 and 20).

use super::address::Address;
use super::message::{Envelope, Hints, MAX_MESSAGE, Malformed, Message, Request};
use super::names::{Name, before_colon, name_of};
use super::text::{
    any_control, find_unquoted, is_lws, is_token, pieces, split_at, split_once, trim,
};
use super::uri::{Scheme, Uri, decimal};
use super::via::Via;

/// Reads one datagram, or one message of a stream.
///
/// # Errors
/// [`Malformed`], when the sender cannot even be answered.
pub fn parse(datagram: &[u8]) -> Result<Message<'_>, Malformed> {
    if datagram.len() > MAX_MESSAGE {
        return Err(Malformed::TooLarge);
    }
    let start = datagram
        .iter()
        .position(|b| !matches!(b, b'\r' | b'\n' | b' ' | 0));
    let Some(start) = start else {
        return Ok(Message::KeepAlive);
    };
    let (line, rest) = next_line(&datagram[start..]).ok_or(Malformed::NotSip)?;
    if has_sip_prefix(line) {
        return Ok(Message::Response);
    }
    let mut fields = Fields::default();
    let (method, request_uri) = fields.read_request_line(line)?;
    let body = fields.read_headers(rest);
    fields.into_message(method, request_uri, body)
}

/// Whether a line is the first of a SIP message, well-formed or not.
pub(super) fn is_sip_line(line: &[u8]) -> bool {
    let line = trim(line);
    let last = line.iter().rposition(|b| *b == b' ').map_or(0, |at| at + 1);
    has_sip_prefix(line) || has_sip_prefix(&line[last..])
}

/// Bytes of the body that belongs to a head, which ends with its empty line.
///
/// # Errors
/// Content-Length is missing, no number, or there twice.
pub(super) fn content_length(head: &[u8]) -> Result<usize, Malformed> {
    let mut found = None;
    let mut rest = head;
    while let Some((line, after)) = next_line(rest) {
        rest = after;
        let Some(colon) = line.iter().position(|b| *b == b':') else {
            continue;
        };
        let (name, value) = split_at(line, colon);
        if let Some(Name::ContentLength) = name_of(before_colon(name))
            && found.replace(trim(value)).is_some()
        {
            return Err(Malformed::Duplicate);
        }
    }
    let length = decimal(found.ok_or(Malformed::NoLength)?);
    length
        .and_then(|length| usize::try_from(length).ok())
        .ok_or(Malformed::ContentLength)
}

pub(super) fn has_sip_prefix(text: &[u8]) -> bool {
    text.get(..4)
        .is_some_and(|p| p.eq_ignore_ascii_case(b"SIP/"))
}

/// The next line with its folds (section 7.3.1) but without its end, and what follows it.
/// A bare LF ends a line too, as in the servers this one stands beside.
pub(super) fn next_line(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut from = 0;
    loop {
        let end = from + text[from..].iter().position(|b| *b == b'\n')?;
        let line = text[..end].strip_suffix(b"\r").unwrap_or(&text[..end]);
        match text.get(end + 1) {
            Some(b' ' | b'\t') if !line.is_empty() => from = end + 1,
            _ => return Some((line, &text[end + 1..])),
        }
    }
}

/// Whether a control character stands in a line where none may: tabs and the CR LF of folds
/// may anywhere, and in a quoted string all but CR and LF behind a backslash (section 25.1,
/// `quoted-pair`).
fn has_control(line: &[u8]) -> bool {
    if !any_control(line) {
        return false;
    }
    let (mut quoted, mut escaped) = (false, false);
    let mut bytes = line.iter().peekable();
    while let Some(byte) = bytes.next() {
        let was_escaped = std::mem::take(&mut escaped);
        match byte {
            b'\t' | b'\n' => {}
            b'\r' if bytes.peek() == Some(&&b'\n') => {}
            b'\r' => return true,
            _ if was_escaped => {}
            b'\\' => escaped = quoted,
            b'"' => quoted = !quoted,
            b if b.is_ascii_control() => return true,
            _ => {}
        }
    }
    false
}

#[derive(Default)]
pub(super) struct Fields<'a> {
    vias: Vec<&'a [u8]>,
    pub(super) from: Option<&'a [u8]>,
    pub(super) to: Option<&'a [u8]>,
    pub(super) call_id: Option<&'a [u8]>,
    pub(super) cseq: Option<&'a [u8]>,
    max_forwards: Option<&'a [u8]>,
    content_length: Option<&'a [u8]>,
    require: Vec<&'a [u8]>,
    authorization: Vec<&'a [u8]>,
    user_agent: Option<&'a [u8]>,
    contact: Option<&'a [u8]>,
    tells_abilities: bool,
    hints: Hints<'a>,
    /// The first thing found wrong.
    fault: Option<Malformed>,
}

impl<'a> Fields<'a> {
    fn blame(&mut self, fault: Malformed) {
        self.fault.get_or_insert(fault);
    }

    /// Method and Request-URI of `METHOD uri SIP/2.0` (section 7.1).
    fn read_request_line(&mut self, line: &'a [u8]) -> Result<(&'a [u8], &'a [u8]), Malformed> {
        if has_control(line) {
            return Err(Malformed::NotSip);
        }
        let whole = trim(line);
        if whole.len() < line.len() {
            self.blame(Malformed::RequestLine);
        }
        let line = whole;
        let first = line.iter().position(|b| *b == b' ');
        let last = line.iter().rposition(|b| *b == b' ');
        let (Some(first), Some(last)) = (first, last) else {
            return Err(Malformed::NotSip);
        };
        let (method, version) = (&line[..first], &line[last + 1..]);
        if !is_token(method) || !has_sip_prefix(version) {
            return Err(Malformed::NotSip);
        }
        if &version[4..] != b"2.0" {
            self.blame(Malformed::Version);
        }
        let uri = line.get(first + 1..last).unwrap_or_default();
        if uri.is_empty() || uri.iter().any(|b| is_lws(*b)) {
            self.blame(Malformed::RequestUri);
        }
        Ok((method, uri))
    }

    /// Reads headers up to the empty line; returns what follows it.
    pub(super) fn read_headers(&mut self, mut rest: &'a [u8]) -> &'a [u8] {
        loop {
            let Some((line, after)) = next_line(rest) else {
                self.blame(Malformed::Unfinished);
                return b"";
            };
            rest = after;
            if line.is_empty() {
                return rest;
            }
            // Not taken over: what is copied into answers must be free of them.
            if has_control(line) {
                self.blame(Malformed::ControlCharacter);
                continue;
            }
            let Some(colon) = line.iter().position(|b| *b == b':') else {
                self.blame(Malformed::HeaderLine);
                continue;
            };
            let (name, value) = split_at(line, colon);
            let name = before_colon(name);
            if !is_token(name) {
                self.blame(Malformed::HeaderLine);
            } else if let Some(name) = name_of(name) {
                self.take(name, trim(value));
            }
        }
    }

    fn take(&mut self, name: Name, value: &'a [u8]) {
        let once = match name {
            Name::From => &mut self.from,
            Name::To => &mut self.to,
            Name::CallId => &mut self.call_id,
            Name::CSeq => &mut self.cseq,
            Name::MaxForwards => &mut self.max_forwards,
            Name::ContentLength => &mut self.content_length,
            Name::Via => return self.vias.push(value),
            Name::Require => return self.require.push(value),
            Name::Authorization => return self.authorization.push(value),
            Name::UserAgent => return self.user_agent = self.user_agent.or(Some(value)),
            Name::Contact => return self.contact = self.contact.or(Some(value)),
            Name::Allow | Name::Supported => return self.tells_abilities = true,
            Name::Received => return self.hints.received = Some(value),
            Name::Ua => return self.hints.user_agent = Some(value),
            Name::Calls => return self.hints.calls = Some(value),
            Name::Policy => return self.hints.policy = Some(value),
            Name::Bundle => return self.hints.bundle = Some(value),
        };
        if once.is_some() {
            self.blame(Malformed::Duplicate);
        } else {
            *once = Some(value);
        }
    }

    fn into_message(
        mut self,
        method: &'a [u8],
        request_uri: &'a [u8],
        body: &'a [u8],
    ) -> Result<Message<'a>, Malformed> {
        let top = self.vias.first().ok_or(Malformed::NoVia)?;
        let via = Via::parse(split_once(top, b',').0).ok_or(Malformed::BadVia)?;
        if has_empty_element(top) {
            self.blame(Malformed::Via);
        }
        let needed = [self.from, self.to, self.call_id, self.cseq];
        if needed
            .iter()
            .any(|value| value.is_none_or(<[u8]>::is_empty))
        {
            self.blame(Malformed::NoEnvelope);
        }
        let [from, to, call_id, cseq] = needed.map(Option::unwrap_or_default);
        let from_address = Address::parse(from);
        let to_address = Address::parse(to);
        let cseq_number = self.checked(cseq_of(cseq, method), Malformed::CSeq);
        let mut envelope = Envelope {
            method,
            request_uri,
            vias: Vec::new(),
            via,
            from,
            from_tag: from_address.and_then(|a| a.tag()).unwrap_or_default(),
            to,
            to_tag: to_address.and_then(|a| a.tag()),
            call_id,
            cseq,
            cseq_number: cseq_number.unwrap_or_default(),
        };
        let uri = self.checked(Uri::parse(request_uri), Malformed::RequestUri);
        if uri.is_some_and(|uri| uri.scheme == Scheme::Other) {
            self.blame(Malformed::UriScheme);
        }
        // Headers of a URI are for who follows it; none may stand in a request (section 19.1.1).
        if uri.is_some_and(|uri| uri.has_headers) {
            self.blame(Malformed::RequestUri);
        }
        let from_uri = from_address.and_then(|a| Uri::parse(a.uri));
        let from_uri = self.checked(from_uri, Malformed::From);
        let to_uri = to_address.and_then(|a| Uri::parse(a.uri));
        let to_uri = self.checked(to_uri, Malformed::To);
        let max_forwards = self.max_forwards.and_then(|value| {
            let hops = decimal(value).and_then(|n| u8::try_from(n).ok());
            self.checked(hops, Malformed::MaxForwards)
        });
        let body = self.cut(body);
        envelope.vias = self.vias;
        match (self.fault, uri, from_uri, to_uri) {
            (None, Some(uri), Some(from), Some(to)) => Ok(Message::Request(Box::new(Request {
                method: method_of(method),
                envelope,
                uri,
                from,
                to,
                max_forwards,
                require: self.require,
                authorization: self.authorization,
                user_agent: self.user_agent,
                contact: self.contact,
                tells_abilities: self.tells_abilities,
                hints: self.hints,
                body,
            }))),
            (fault, ..) => Ok(Message::Faulty(
                Box::new(envelope),
                fault.unwrap_or(Malformed::RequestUri),
            )),
        }
    }

    fn checked<T>(&mut self, value: Option<T>, fault: Malformed) -> Option<T> {
        if value.is_none() {
            self.blame(fault);
        }
        value
    }

    /// Over UDP the body ends with Content-Length, what follows is discarded; a datagram that
    /// ends before is an error; without the header it ends with the datagram (section 18.3).
    fn cut(&mut self, body: &'a [u8]) -> &'a [u8] {
        let Some(value) = self.content_length else {
            return body;
        };
        let length = decimal(value).and_then(|n| usize::try_from(n).ok());
        let cut = length.and_then(|length| body.get(..length));
        self.checked(cut, Malformed::ContentLength)
            .unwrap_or_default()
    }
}

/// Whether a Via value holds an element without protocol and host. An empty parameter is borne:
/// some devices end the header with a semicolon. Only asked of the topmost header: what is wrong
/// with those below is for whoever they name.
fn has_empty_element(via: &[u8]) -> bool {
    pieces(via, b',').any(|element| trim(split_once(element, b';').0).is_empty())
}

/// CSeq's number, where the header is a number and `method`.
fn cseq_of(cseq: &[u8], method: &[u8]) -> Option<u32> {
    let (number, named) = cseq.split_at(find_unquoted(cseq, is_lws)?);
    (trim(named) == method).then(|| decimal(number))?
}

/// Methods are case-sensitive (section 7.1), which `rsip`'s own reader does not mind.
fn method_of(token: &[u8]) -> Option<rsip::Method> {
    use rsip::Method;
    Some(match token {
        b"INVITE" => Method::Invite,
        b"ACK" => Method::Ack,
        b"CANCEL" => Method::Cancel,
        b"OPTIONS" => Method::Options,
        b"REGISTER" => Method::Register,
        b"BYE" => Method::Bye,
        b"INFO" => Method::Info,
        b"MESSAGE" => Method::Message,
        b"NOTIFY" => Method::Notify,
        b"PRACK" => Method::PRack,
        b"PUBLISH" => Method::Publish,
        b"REFER" => Method::Refer,
        b"SUBSCRIBE" => Method::Subscribe,
        b"UPDATE" => Method::Update,
        _ => return None,
    })
}
