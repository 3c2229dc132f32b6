//! INVITEs that are no calls to decide, by what they say alone.

use super::message::Request;
use super::respond::Status;
use super::text::{split_once, trim, unescape};
use crate::domain::{Code, REFUSAL_ORDER};

/// Option tags that ask something of whoever sets the session up. A redirect sets up none,
/// and the softswitch's next target will see the header itself, so they are no reason for a 420.
const SESSION_TAGS: [&[u8]; 12] = [
    b"100rel",
    b"early-session",
    b"from-change",
    b"histinfo",
    b"join",
    b"outbound",
    b"path",
    b"precondition",
    b"privacy",
    b"replaces",
    b"resource-priority",
    b"timer",
];

/// The final answer of an INVITE that is no call to decide.
pub(super) fn refusal(request: &Request<'_>) -> Option<(Status, &'static str)> {
    if request.envelope.to_tag.is_some() {
        return Some((Status::DoesNotExist, "in-dialog"));
    }
    if request.max_forwards == Some(0) {
        return Some((Status::TooManyHops, "max-forwards"));
    }
    let Some(user) = request.uri.user else {
        return Some((Status::AddressIncomplete, "no-number"));
    };
    begins_with_code(&unescape(user)).then_some((Status::LoopDetected, "loop"))
}

/// Whether a number is one of our own answers come back.
fn begins_with_code(user: &[u8]) -> bool {
    std::iter::once(Code::A00)
        .chain(REFUSAL_ORDER.into_iter().map(Code::Refused))
        .any(|code| user.starts_with(code.as_str().as_bytes()))
}

/// Required option tags that are not understood, as the Unsupported header lists them
/// (RFC 3261 section 8.2.2.3); empty: none.
pub(super) fn unsupported(request: &Request<'_>) -> Vec<u8> {
    let mut tags: Vec<&[u8]> = Vec::new();
    for value in &request.require {
        let mut rest = Some(*value);
        while let Some(list) = rest {
            let (tag, next) = split_once(list, b',');
            let tag = trim(tag);
            let known = SESSION_TAGS.iter().any(|t| t.eq_ignore_ascii_case(tag));
            if !known && !tag.is_empty() {
                tags.push(tag);
            }
            rest = next;
        }
    }
    tags.join(&b", "[..])
}
