//! INVITE and ACK as bytes.

use crate::domain::CallRecord;
use std::io::Write;
use std::net::SocketAddr;

/// What the messages of one run have in common.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) id: String,
    pub(super) local: SocketAddr,
    pub(super) target: SocketAddr,
}

/// An INVITE that is ready to be sent, and sent again.
#[derive(Debug)]
pub(super) struct Invite {
    pub(super) bytes: Vec<u8>,
    /// Where the headers end that its ACK repeats.
    shared_end: usize,
}

/// What a branch begins with (RFC 3261, section 8.1.1.7).
const MAGIC: &str = "z9hG4bK";

impl Run {
    /// The INVITE for a call: as a softswitch would ask, on behalf of the caller's device.
    pub(super) fn invite(&self, number: u64, call_id: &str, call: &CallRecord) -> Invite {
        let Self { id, local, target } = self;
        let (user, domain) = (escaped(&call.user), host(&call.domain));
        let dialed = escaped(&call.dialed_number);
        let call_id = word(call_id);
        let mut bytes = Vec::with_capacity(640);
        // Writing into a `Vec` cannot fail.
        let _ = write!(
            bytes,
            "INVITE sip:{dialed}@{target} SIP/2.0\r\n\
             Via: SIP/2.0/UDP {local};rport;branch={MAGIC}-{id}-{number}\r\n\
             Max-Forwards: 70\r\n\
             From: <sip:{user}@{domain}>;tag={id}-{number}\r\n\
             Call-ID: {call_id}\r\n"
        );
        let shared_end = bytes.len();
        let _ = write!(
            bytes,
            "To: <sip:{dialed}@{target}>\r\n\
             CSeq: 1 INVITE\r\n\
             Contact: <sip:{user}@{local}>\r\n\
             P-Received: {}\r\n",
            call.source_ip
        );
        if !call.user_agent.is_empty() {
            let _ = write!(bytes, "P-UA: {}\r\n", line(&call.user_agent));
        }
        if let Some(calls) = call.calls {
            let _ = write!(bytes, "P-Calls: {calls}\r\n");
        }
        bytes.extend_from_slice(b"Content-Length: 0\r\n\r\n");
        Invite { bytes, shared_end }
    }

    /// Number of the INVITE to which a response with this branch belongs.
    pub(super) fn number_of(&self, branch: &str) -> Option<u64> {
        let rest = branch.strip_prefix(MAGIC)?.strip_prefix('-')?;
        rest.strip_prefix(self.id.as_str())?
            .strip_prefix('-')?
            .parse()
            .ok()
    }
}

impl Invite {
    /// The ACK to a final response other than 2xx: Request-URI, Via, From and Call-ID of the
    /// INVITE, To of the response (RFC 3261, section 17.1.1.3).
    pub(super) fn ack(&self, to: &str) -> Vec<u8> {
        let mut bytes = b"ACK".to_vec();
        bytes.extend_from_slice(&self.bytes[b"INVITE".len()..self.shared_end]);
        // Writing into a `Vec` cannot fail.
        let _ = write!(
            bytes,
            "To: {to}\r\nCSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n"
        );
        bytes
    }
}

/// The user part of a SIP URI (RFC 3261, section 25.1: `user`).
fn escaped(user: &str) -> String {
    let mut text = String::with_capacity(user.len());
    for byte in user.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => text.push(char::from(byte)),
            b'-' | b'_' | b'.' | b'!' | b'~' | b'*' | b'\'' | b'(' | b')' => {
                text.push(char::from(byte));
            }
            b'&' | b'=' | b'+' | b'$' | b',' | b';' | b'?' | b'/' => text.push(char::from(byte)),
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

/// A host: what cannot stand in one becomes `-`.
fn host(domain: &str) -> String {
    let keep =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']');
    domain
        .chars()
        .map(|c| if keep(c) { c } else { '-' })
        .collect()
}

/// A Call-ID: what cannot stand in one becomes `-`.
fn word(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_ascii_graphic() { c } else { '-' })
        .collect()
}

/// A header's value: no line breaks, nothing unprintable.
fn line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}
