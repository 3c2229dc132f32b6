//! An `Authorization` header, read (RFC 7616 section 3.4; RFC 3261 section 25.1).

use super::guesses::Source;
use super::ha1::{Response, Signed};
use super::nonce::Nonce;
use crate::domain::DigestAlgorithm;

/// Longest header read, bytes. Real ones have some three hundred, but on the web the `uri` is a
/// whole request target, with a User-Agent in it.
const LONGEST: usize = 18 * 1024;

/// Somebody's claim to be a user of a realm: an answer to one of our challenges, not yet judged.
#[derive(Clone, Debug)]
pub struct Claim {
    credentials: Credentials,
    pub(super) nonce: Nonce,
}

impl Claim {
    pub(super) const fn new(credentials: Credentials, nonce: Nonce) -> Self {
        Self { credentials, nonce }
    }

    /// Who it claims to be.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.credentials.user
    }

    /// Whom the challenge was given to that it answers.
    #[must_use]
    pub const fn given_to(&self) -> Source {
        self.nonce.source()
    }

    /// Whether it is for a call to `number` (the user part of the Request-URI, unescaped): its
    /// `uri` names that number, or none.
    #[must_use]
    pub fn signs_number(&self, number: &str) -> bool {
        user_of(&self.credentials.uri).is_none_or(|user| user == number)
    }

    pub(super) const fn algorithm(&self) -> DigestAlgorithm {
        self.credentials.algorithm
    }

    pub(super) const fn count(&self) -> u32 {
        self.credentials.count_value
    }

    pub(super) const fn response(&self) -> &Response {
        &self.credentials.response
    }

    pub(super) fn signed<'a>(&'a self, method: &'a str) -> Signed<'a> {
        let own = &self.credentials;
        Signed {
            method,
            uri: &own.uri,
            nonce: &own.nonce,
            count: &own.count,
            client_nonce: &own.client_nonce,
        }
    }
}

/// Whether an Authorization header value is for exactly this request target (path and query).
#[must_use]
pub fn signs_target(value: &str, target: &str) -> bool {
    Credentials::parse(value).is_some_and(|credentials| credentials.uri == target)
}

/// The user part of a SIP or `tel:` URI, unescaped and without parameters; `None`: it has none.
fn user_of(uri: &str) -> Option<String> {
    let scheme = |name: &str| {
        let (found, rest) = uri.split_at_checked(name.len())?;
        found.eq_ignore_ascii_case(name).then_some(rest)
    };
    let user = match scheme("tel:") {
        Some(number) => number,
        None => {
            let rest = scheme("sip:").or_else(|| scheme("sips:")).unwrap_or(uri);
            let userinfo = rest.rsplit_once('@')?.0;
            userinfo.split(':').next()?
        }
    };
    Some(unescaped(user.split(';').next()?))
}

/// Undoes `%xx`; a `%` that starts none stands for itself.
fn unescaped(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        let hex = |at: usize| char::from(*tail.get(at)?).to_digit(16);
        match (first, hex(0), hex(1)) {
            (b'%', Some(high), Some(low)) => {
                out.extend(u8::try_from(high * 16 + low));
                rest = &tail[2..];
            }
            _ => out.push(*first),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Credentials that can be judged: everything that must be there is, and is supported.
#[derive(Clone, Debug)]
pub(super) struct Credentials {
    pub user: String,
    pub realm: String,
    /// As sent.
    pub nonce: String,
    uri: String,
    algorithm: DigestAlgorithm,
    response: Response,
    client_nonce: String,
    /// As sent, eight hexadecimal digits.
    count: String,
    count_value: u32,
}

impl Credentials {
    /// Reads one header value. `None`: no digest, or one that cannot be judged here: malformed,
    /// without `qop=auth`, of another algorithm, with a hashed user name.
    pub fn parse(value: &str) -> Option<Self> {
        let (scheme, rest) = value.trim_start().split_at_checked(6)?;
        let spaced = rest.starts_with(|c: char| c.is_ascii_whitespace());
        if value.len() > LONGEST || !spaced || !scheme.eq_ignore_ascii_case("digest") {
            return None;
        }
        let fields = Fields::read(rest)?;
        let algorithm = match fields.algorithm {
            None => DigestAlgorithm::Md5,
            Some(name) => name.parse().ok()?,
        };
        let hashed = fields
            .hashed_user
            .is_some_and(|v| !v.eq_ignore_ascii_case("false"));
        if hashed || !fields.qop?.eq_ignore_ascii_case("auth") {
            return None;
        }
        let count = fields.count.filter(|digits| digits.len() == 8)?;
        let count_value = u32::from_str_radix(count, 16).ok()?;
        if count_value == 0 || count.starts_with('+') {
            return None;
        }
        Some(Self {
            user: unquoted(fields.user?),
            realm: unquoted(fields.realm?),
            nonce: fields.nonce?.to_owned(),
            uri: fields.uri.filter(|uri| !uri.is_empty())?.to_owned(),
            algorithm,
            response: Response::parse(fields.response?, algorithm)?,
            client_nonce: fields.client_nonce.filter(|n| !n.is_empty())?.to_owned(),
            count: count.to_owned(),
            count_value,
        })
    }
}

/// The parameters that are read, each without its quotation marks.
#[derive(Default)]
struct Fields<'a> {
    user: Option<&'a str>,
    realm: Option<&'a str>,
    nonce: Option<&'a str>,
    uri: Option<&'a str>,
    algorithm: Option<&'a str>,
    response: Option<&'a str>,
    client_nonce: Option<&'a str>,
    count: Option<&'a str>,
    qop: Option<&'a str>,
    hashed_user: Option<&'a str>,
}

impl<'a> Fields<'a> {
    /// `name=value, name="value", ...` in any order; whether a value is quoted does not matter,
    /// as clients differ in it. `None`: malformed, or one that is read stands twice.
    fn read(mut rest: &'a str) -> Option<Self> {
        let mut fields = Self::default();
        loop {
            rest = rest.trim_start_matches(|c: char| c == ',' || c.is_ascii_whitespace());
            if rest.is_empty() {
                return Some(fields);
            }
            let (name, after) = rest.split_once('=')?;
            let (value, after) = value(after.trim_ascii_start())?;
            let place = fields.place(name.trim_ascii_end());
            if place.is_some_and(|place| place.replace(value).is_some()) {
                return None;
            }
            rest = after.trim_ascii_start();
            if !rest.is_empty() && !rest.starts_with(',') {
                return None;
            }
        }
    }

    fn place(&mut self, name: &str) -> Option<&mut Option<&'a str>> {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        Some(match () {
            () if is("username") => &mut self.user,
            () if is("realm") => &mut self.realm,
            () if is("nonce") => &mut self.nonce,
            () if is("uri") => &mut self.uri,
            () if is("algorithm") => &mut self.algorithm,
            () if is("response") => &mut self.response,
            () if is("cnonce") => &mut self.client_nonce,
            () if is("nc") => &mut self.count,
            () if is("qop") => &mut self.qop,
            () if is("userhash") => &mut self.hashed_user,
            () => return None,
        })
    }
}

/// A token or the inside of a quoted string, and what follows it.
fn value(text: &str) -> Option<(&str, &str)> {
    let Some(inside) = text.strip_prefix('"') else {
        let end = text
            .find(|c: char| c == ',' || c.is_ascii_whitespace())
            .unwrap_or(text.len());
        return (end > 0).then(|| text.split_at(end));
    };
    let mut escaped = false;
    for (at, c) in inside.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some((&inside[..at], &inside[at + 1..])),
            _ => {}
        }
    }
    None
}

/// Without the backslashes of a quoted string. What is hashed as it was sent keeps them.
fn unquoted(inside: &str) -> String {
    let mut escaped = false;
    inside
        .chars()
        .filter(|c| {
            escaped = *c == '\\' && !escaped;
            !escaped
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESPONSE: &str = "0123456789abcdef0123456789ABCDEF";

    fn header(more: &str) -> String {
        format!(
            "Digest username=\"alice\", realm=\"itsp.example\", nonce=\"n\", uri=\"sip:1@x\", \
             response=\"{RESPONSE}\"{more}"
        )
    }

    const GOOD: &str = ", cnonce=\"c\", nc=0000000a, qop=auth";

    #[test]
    fn any_order_case_space_and_quoting() {
        let text = format!(
            "  dIgEsT\tQOP = \"auth\" ,\r\n NC=\"0000000A\",,opaque=\"a, b=\\\"c\\\"\", \
             response={RESPONSE} , Algorithm=\"md5\", cnonce=c,uri=\"sip:1@x\",nonce=\"n\", \
             realm=\"itsp.example\", username=\"al\\\"i\\\\ce\", userhash=false"
        );
        let found = Credentials::parse(&text).expect("read");
        assert_eq!(found.user, "al\"i\\ce");
        assert_eq!(
            (found.realm.as_str(), found.nonce.as_str()),
            ("itsp.example", "n")
        );
        assert_eq!((found.count.as_str(), found.count_value), ("0000000A", 10));
        assert_eq!(found.algorithm, DigestAlgorithm::Md5);
    }

    #[test]
    fn what_cannot_be_judged_is_not_read() {
        assert!(Credentials::parse(&header(GOOD)).is_some());
        for (what, text) in [
            ("another scheme", "Basic YWxpY2U6c2VjcmV0".to_owned()),
            (
                "a longer scheme",
                header(GOOD).replacen("Digest ", "Digester ", 1),
            ),
            ("no qop", header(", cnonce=\"c\", nc=00000001")),
            (
                "auth-int",
                header(", cnonce=\"c\", nc=00000001, qop=auth-int"),
            ),
            ("no cnonce", header(", nc=00000001, qop=auth")),
            (
                "an empty cnonce",
                header(", cnonce=\"\", nc=00000001, qop=auth"),
            ),
            ("no count", header(", cnonce=\"c\", qop=auth")),
            ("count 0", header(", cnonce=\"c\", nc=00000000, qop=auth")),
            ("a short count", header(", cnonce=\"c\", nc=1, qop=auth")),
            (
                "a signed count",
                header(", cnonce=\"c\", nc=+0000001, qop=auth"),
            ),
            ("a session", header(&format!("{GOOD}, algorithm=MD5-sess"))),
            (
                "an unknown algorithm",
                header(&format!("{GOOD}, algorithm=SHA-512-256")),
            ),
            (
                "the other's length",
                header(&format!("{GOOD}, algorithm=SHA-256")),
            ),
            ("a hashed user", header(&format!("{GOOD}, userhash=true"))),
            (
                "a parameter twice",
                header(&format!("{GOOD}, username=\"bob\"")),
            ),
            ("an open string", header(&format!("{GOOD}, opaque=\"x"))),
            ("no comma", header(&format!("{GOOD} opaque=\"x\""))),
            ("no value", header(&format!("{GOOD}, opaque="))),
            ("no name", header(&format!("{GOOD}, opaque"))),
            (
                "no hexadecimal",
                header(GOOD).replace(RESPONSE, &"x".repeat(32)),
            ),
            (
                "no digits of one byte",
                header(GOOD).replace(RESPONSE, &"é".repeat(16)),
            ),
            (
                "too long",
                header(&format!("{GOOD}, opaque=\"{}\"", "x".repeat(LONGEST))),
            ),
            ("nothing", String::new()),
        ] {
            assert!(Credentials::parse(&text).is_none(), "{what}: {text}");
        }
    }

    #[test]
    fn the_number_that_is_signed() {
        for (uri, user) in [
            ("sip:5548@host:5060;transport=udp", Some("5548")),
            ("SIPS:%2B5548;npdi=yes@host", Some("+5548")),
            ("sip:alice:secret@host", Some("alice")),
            ("tel:+5548;phone-context=x", Some("+5548")),
            ("sip:host:5060", None),
            ("127.0.0.1:9090", None),
            ("5548@host", Some("5548")),
            ("", None),
        ] {
            assert_eq!(user_of(uri).as_deref(), user, "{uri}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_too_odd(text in ".{0,300}", tail in "\\PC{0,100}") {
            let _ = Credentials::parse(&text);
            let _ = Credentials::parse(&format!("Digest {tail}"));
            let _ = user_of(&text);
        }
    }
}
