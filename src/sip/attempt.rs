//! An INVITE as a call: every default applied, wire types left behind.

use super::message::Request;
use super::text::{to_text, trim, unescape};
use super::uri::{Uri, decimal};
use crate::domain::{CallAttempt, Ingress, Proof};
use std::net::IpAddr;
use uuid::Uuid;

/// Longest text kept of any one header, characters. Real ones are far shorter; what is
/// remembered of a call is bounded by it.
pub const MAX_TEXT: usize = 256;

/// Most Authorization headers taken of one INVITE: a client answers one challenge, and may carry
/// those of the proxies on its way.
pub const MAX_CREDENTIALS: usize = 8;

/// Longest Authorization header taken, bytes: three times one of SHA-256 with a long name and
/// URI.
pub const MAX_CREDENTIAL: usize = 2_048;

/// A header that was of no use and was taken as absent, by name.
pub type BadHeaders = Vec<&'static str>;

/// The call an INVITE asks about, and the headers that were of no use.
///
/// `peer` is the packet's source; `id` its transaction's. The separate headers win over the
/// fields of `P-TFPS: user;domain;ip;ua;calls`. A From of a `tel:` URI names no domain; the
/// peer's address stands in.
#[must_use]
pub fn call_attempt(
    request: &Request<'_>,
    ingress: Ingress,
    peer: IpAddr,
    id: Uuid,
) -> (CallAttempt, BadHeaders) {
    let mut bad = BadHeaders::new();
    let peer = peer.to_canonical();
    let hints = &request.hints;
    let bundle = usable(hints.bundle)
        .and_then(|value| note(&mut bad, "P-TFPS", Bundle::parse(value)))
        .unwrap_or_default();

    let explicit_ip =
        usable(hints.received).and_then(|value| note(&mut bad, "P-Received", ip_address(value)));
    let source_ip = explicit_ip.or_else(|| {
        bundle
            .ip
            .and_then(|v| note(&mut bad, "P-TFPS", ip_address(v)))
    });
    let explicit_calls =
        usable(hints.calls).and_then(|value| note(&mut bad, "P-Calls", decimal(value)));
    let concurrent = explicit_calls.or_else(|| {
        bundle
            .calls
            .and_then(|v| note(&mut bad, "P-TFPS", decimal(v)))
    });
    let policy_user = usable(hints.policy)
        .and_then(|value| note(&mut bad, "X-TFPS", user_at_domain(value)))
        .or(bundle.policy_user);
    let user_agent = usable(hints.user_agent)
        .or(bundle.user_agent)
        .or(request.user_agent)
        .unwrap_or_default();
    let domain = match request.from.host {
        [] => peer.to_string(),
        host => to_text(host, MAX_TEXT).to_ascii_lowercase(),
    };

    let attempt = CallAttempt {
        id,
        ingress,
        call_id: to_text(request.envelope.call_id, MAX_TEXT),
        peer,
        source_ip: source_ip.unwrap_or(peer),
        user: user_text(&request.from),
        domain,
        policy_user,
        dialed: user_text(&request.uri),
        user_agent: to_text(user_agent, MAX_TEXT),
        concurrent,
        signs: super::signs::signs(request, peer),
    };
    (attempt, bad)
}

/// The digest credentials of an INVITE, unchecked; `None`: it has none. Headers beyond the
/// bounds are of no use.
#[must_use]
pub fn proof(request: &Request<'_>, bad: &mut BadHeaders) -> Option<Proof> {
    let headers = &request.authorization;
    let (kept, surplus) = headers.split_at(headers.len().min(MAX_CREDENTIALS));
    let authorization: Vec<_> = kept
        .iter()
        .filter(|value| value.len() <= MAX_CREDENTIAL)
        .map(|value| to_text(value, MAX_CREDENTIAL))
        .collect();
    let dropped = surplus.len() + kept.len() - authorization.len();
    bad.extend(std::iter::repeat_n("Authorization", dropped));
    (!authorization.is_empty()).then_some(Proof {
        method: "INVITE",
        authorization,
    })
}

/// A hint's value. Empty ones, and `<null>`, which OpenSIPS writes for a variable without a
/// value, say nothing.
fn usable(value: Option<&[u8]>) -> Option<&[u8]> {
    value
        .map(trim)
        .filter(|value| !value.is_empty() && *value != b"<null>")
}

fn note<T>(bad: &mut BadHeaders, header: &'static str, value: Option<T>) -> Option<T> {
    if value.is_none() {
        bad.push(header);
    }
    value
}

fn user_text(uri: &Uri<'_>) -> String {
    to_text(&uri.user_unescaped(), MAX_TEXT)
}

/// `192.0.2.1`, `2001:db8::1` or `[2001:db8::1]`.
fn ip_address(value: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(value).ok()?;
    let inside = text.strip_prefix('[').and_then(|t| t.strip_suffix(']'));
    let address: IpAddr = inside.unwrap_or(text).parse().ok()?;
    Some(address.to_canonical())
}

/// `user@domain`, also as a URI with or without angle brackets.
fn user_at_domain(value: &[u8]) -> Option<(String, String)> {
    let value = value
        .strip_prefix(b"<")
        .and_then(|v| v.strip_suffix(b">"))
        .unwrap_or(value);
    let value = match value.get(..4) {
        Some(scheme) if scheme.eq_ignore_ascii_case(b"sip:") => &value[4..],
        _ => value,
    };
    let at = value.iter().rposition(|b| *b == b'@')?;
    policy_user(&value[..at], &value[at + 1..])
}

fn policy_user(user: &[u8], domain: &[u8]) -> Option<(String, String)> {
    let user = to_text(&unescape(trim(user)), MAX_TEXT);
    let domain = to_text(domain, MAX_TEXT).to_ascii_lowercase();
    let spaced = |text: &str| text.is_empty() || text.contains(char::is_whitespace);
    (!spaced(&user) && !spaced(&domain)).then_some((user, domain))
}

/// The five fields of `P-TFPS`; empty ones are absent.
#[derive(Default)]
struct Bundle<'a> {
    policy_user: Option<(String, String)>,
    ip: Option<&'a [u8]>,
    user_agent: Option<&'a [u8]>,
    calls: Option<&'a [u8]>,
}

impl<'a> Bundle<'a> {
    /// `None` with fewer than five fields. A User-Agent may itself hold semicolons, so the
    /// number of calls is what follows the last one.
    fn parse(value: &'a [u8]) -> Option<Self> {
        let mut fields = value.splitn(4, |b| *b == b';');
        let (user, domain, ip) = (fields.next()?, fields.next()?, fields.next()?);
        let rest = fields.next()?;
        let last = rest.iter().rposition(|b| *b == b';')?;
        Some(Self {
            policy_user: policy_user(user, domain),
            ip: usable(Some(ip)),
            user_agent: usable(Some(&rest[..last])),
            calls: usable(Some(&rest[last + 1..])),
        })
    }
}
