//! What a source shows of itself: a nonce that was sent to its address, and a password that is
//! weak enough.

use super::Honeypot;
use crate::domain::Timestamp;
use crate::sip::message::Request;
use crate::sip::text::{find_unquoted, split_at, trim};
use md5::{Digest as _, Md5};
use std::net::IpAddr;

/// Seconds a nonce is good for, and at most as long again.
const NONCE_SECS: i64 = 300;
/// Hexadecimal digits of a nonce: 48 bits.
const NONCE_DIGITS: usize = 12;
/// One extension in so many takes a weak password.
const WEAK: u64 = 3;
/// Longest Authorization header that is looked at, bytes.
const LONGEST: usize = 1_024;
/// What people set and scanners try; beside these, what is made of the extension itself.
const PASSWORDS: [&str; 16] = [
    "1234",
    "12345",
    "123456",
    "12345678",
    "0000",
    "1111",
    "1234567890",
    "password",
    "passwd",
    "admin",
    "test",
    "secret",
    "changeme",
    "qwerty",
    "asterisk",
    "letmein",
];

/// What a request shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// No credentials, or none that answer a challenge of ours.
    Nothing,
    /// An answer to a challenge that is too old.
    Stale,
    /// An answer to our challenge with a password that is not taken.
    Wrong,
    /// One that is.
    Accepted,
}

impl Shown {
    /// Whether the source has the address it sends from: it has read what was sent there.
    pub(super) const fn is_proven(self) -> bool {
        matches!(self, Self::Wrong | Self::Accepted)
    }
}

impl Honeypot {
    /// The nonce an address is challenged with.
    pub(super) fn nonce(&self, source: IpAddr, now: Timestamp) -> String {
        self.nonce_of(source, now.secs().div_euclid(NONCE_SECS))
    }

    fn nonce_of(&self, source: IpAddr, window: i64) -> String {
        let mut seed = source.to_canonical().to_string().into_bytes();
        seed.extend_from_slice(&window.to_be_bytes());
        // Short, because the challenge must fit what was asked, and long enough: two are good at
        // a time, so at the 2,000 requests a second that are heard of all sources together by
        // default one is guessed, whoever's, about once in two thousand years.
        let digits = NONCE_DIGITS;
        let bits = self.secret.draw(b"nonce", &seed) >> (64 - 4 * digits);
        format!("{bits:0digits$x}")
    }

    /// What a request shows.
    pub(super) fn shown(&self, request: &Request<'_>, source: IpAddr, now: Timestamp) -> Shown {
        let mut headers = request.authorization.iter();
        let usable = headers.find(|value| value.len() <= LONGEST);
        let Some(given) = usable.and_then(|value| Given::parse(value)) else {
            return Shown::Nothing;
        };
        let window = now.secs().div_euclid(NONCE_SECS);
        let is_of = |window| self.nonce_of(source, window).as_bytes() == given.nonce;
        if !is_of(window) && !is_of(window - 1) {
            return match given.nonce.len() {
                NONCE_DIGITS => Shown::Stale,
                _ => Shown::Nothing,
            };
        }
        match self.takes(&given, request.envelope.method) {
            true => Shown::Accepted,
            false => Shown::Wrong,
        }
    }

    /// Whether the extension is a weak one and the password one of those.
    fn takes(&self, given: &Given<'_>, method: &[u8]) -> bool {
        if !self
            .secret
            .draw(b"weak", given.username)
            .is_multiple_of(WEAK)
        {
            return false;
        }
        let user = String::from_utf8_lossy(given.username);
        let own = [
            user.to_string(),
            format!("{user}{user}"),
            format!("{user}123"),
            format!("pass{user}"),
            user.chars().rev().collect(),
        ];
        let own = own.iter().map(String::as_str);
        own.chain(PASSWORDS).any(|password| {
            let response = given.response_of(password, &self.persona.realm, method);
            response.as_bytes().eq_ignore_ascii_case(given.response)
        })
    }
}

/// Digest credentials, as far as they are needed (RFC 2617 section 3.2.2: PBXs of the kind offer
/// MD5 without `qop`; tools that add one are understood).
#[derive(Debug, Default)]
struct Given<'a> {
    username: &'a [u8],
    nonce: &'a [u8],
    uri: &'a [u8],
    response: &'a [u8],
    qop: &'a [u8],
    count: &'a [u8],
    client_nonce: &'a [u8],
}

impl<'a> Given<'a> {
    fn parse(value: &'a [u8]) -> Option<Self> {
        let (scheme, mut rest) = split_at(value, value.iter().position(|b| *b == b' ')?);
        if !scheme.eq_ignore_ascii_case(b"Digest") {
            return None;
        }
        let mut given = Self::default();
        while !rest.is_empty() {
            let end = find_unquoted(rest, |b| b == b',').unwrap_or(rest.len());
            let (field, after) = (&rest[..end], rest.get(end + 1..).unwrap_or_default());
            rest = after;
            let Some(equals) = field.iter().position(|b| *b == b'=') else {
                continue;
            };
            let (name, value) = split_at(field, equals);
            given.note(trim(name), unquoted(trim(value)));
        }
        Some(given)
    }

    fn note(&mut self, name: &[u8], value: &'a [u8]) {
        let fields: [(&[u8], &mut &'a [u8]); 7] = [
            (b"username", &mut self.username),
            (b"nonce", &mut self.nonce),
            (b"uri", &mut self.uri),
            (b"response", &mut self.response),
            (b"qop", &mut self.qop),
            (b"nc", &mut self.count),
            (b"cnonce", &mut self.client_nonce),
        ];
        for (known, field) in fields {
            if known.eq_ignore_ascii_case(name) {
                *field = value;
            }
        }
    }

    /// The response that a password gives.
    fn response_of(&self, password: &str, realm: &str, method: &[u8]) -> String {
        let join = |parts: &[&[u8]]| hex(&parts.join(&b':'));
        let ha1 = join(&[self.username, realm.as_bytes(), password.as_bytes()]);
        let ha2 = join(&[method, self.uri]);
        let (ha1, ha2) = (ha1.as_bytes(), ha2.as_bytes());
        // svcrack says `qop=auth`, which it was not offered, and computes without it.
        match (self.qop, self.client_nonce) {
            ([], _) | (_, []) => join(&[ha1, self.nonce, ha2]),
            (qop, _) => join(&[ha1, self.nonce, self.count, self.client_nonce, qop, ha2]),
        }
    }
}

fn unquoted(value: &[u8]) -> &[u8] {
    let inside = value
        .strip_prefix(b"\"")
        .and_then(|v| v.strip_suffix(b"\""));
    inside.unwrap_or(value)
}

fn hex(text: &[u8]) -> String {
    let digest: [u8; 16] = Md5::digest(text).into();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
