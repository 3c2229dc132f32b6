//! SIP, SIPS and `tel:` URIs, as far as a call needs them.

use super::text::{find_unquoted, split_at, trim, unescape};
use std::net::Ipv6Addr;

/// What a URI begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `sip:`
    Sip,
    /// `sips:`
    Sips,
    /// `tel:` (RFC 3966)
    Tel,
    /// Any other: 416 in a Request-URI.
    Other,
}

/// A URI's parts that say who and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uri<'a> {
    /// What it begins with.
    pub scheme: Scheme,
    /// User part still escaped, without password and without the parameters of a
    /// telephone number (`;phone-context=...`); for `tel:` the number. `None` when there is
    /// none or it is empty.
    pub user: Option<&'a [u8]>,
    /// Host without port and without the brackets of an IPv6 address; empty for `tel:`.
    pub host: &'a [u8],
    /// Whether headers (`?Subject=...`) follow.
    pub has_headers: bool,
}

impl<'a> Uri<'a> {
    /// Reads a URI; `None` when it has no scheme, or no host where one must be.
    #[must_use]
    pub fn parse(text: &'a [u8]) -> Option<Self> {
        let (scheme, rest) = split_at(text, text.iter().position(|b| *b == b':')?);
        let scheme = match scheme {
            s if s.eq_ignore_ascii_case(b"sip") => Scheme::Sip,
            s if s.eq_ignore_ascii_case(b"sips") => Scheme::Sips,
            s if s.eq_ignore_ascii_case(b"tel") => Scheme::Tel,
            [first, ..] if first.is_ascii_alphabetic() => Scheme::Other,
            _ => return None,
        };
        match scheme {
            Scheme::Tel | Scheme::Other => Some(Self {
                scheme,
                user: some(number_of(rest)),
                host: b"",
                has_headers: false,
            }),
            Scheme::Sip | Scheme::Sips => {
                let (user, place) = match rest.iter().position(|b| *b == b'@') {
                    Some(at) => {
                        let (userinfo, place) = split_at(rest, at);
                        (some(user_of(userinfo)), place)
                    }
                    None => (None, rest),
                };
                let end = place
                    .iter()
                    .position(|b| matches!(b, b';' | b'?'))
                    .unwrap_or(place.len());
                let (host, _port) = host_port(&place[..end])?;
                Some(Self {
                    scheme,
                    user,
                    host,
                    has_headers: place.contains(&b'?'),
                })
            }
        }
    }

    /// The user part with its escapes undone; empty when there is none.
    #[must_use]
    pub fn user_unescaped(&self) -> Vec<u8> {
        self.user
            .map_or_else(Vec::new, |u| unescape(u).into_owned())
    }
}

fn some(text: &[u8]) -> Option<&[u8]> {
    (!text.is_empty()).then_some(text)
}

/// The user without its password. A `;` may be part of a user's name, but what follows it in a
/// telephone number are the number's parameters (RFC 3261 section 19.1.6).
fn user_of(userinfo: &[u8]) -> &[u8] {
    let end = userinfo
        .iter()
        .position(|b| *b == b':')
        .unwrap_or(userinfo.len());
    let user = &userinfo[..end];
    match number_of(user) {
        number if is_number(number) => number,
        _ => user,
    }
}

/// Whether it begins as a telephone number and holds nothing else (RFC 3966: digits and visual
/// separators; `*` and `#` are dialled too).
fn is_number(text: &[u8]) -> bool {
    matches!(text, [b'+' | b'0'..=b'9', ..])
        && text
            .iter()
            .all(|b| b.is_ascii_digit() || b"+*#-.()".contains(b))
}

fn number_of(text: &[u8]) -> &[u8] {
    let end = text.iter().position(|b| *b == b';').unwrap_or(text.len());
    &text[..end]
}

/// `host`, `host:port`, `[v6]` or `[v6]:port`; white space around the colon is allowed, as in
/// Via (section 25.1, `COLON`). The host comes without brackets. `None` when it is no host or
/// the port is not 1 to 65535.
pub(super) fn host_port(text: &[u8]) -> Option<(&[u8], Option<u16>)> {
    let text = trim(text);
    if let [b'[', rest @ ..] = text {
        let (inside, after) = split_at(rest, find_unquoted(rest, |b| b == b']')?);
        let address = std::str::from_utf8(inside).ok()?;
        address.parse::<Ipv6Addr>().ok()?;
        return match trim(after) {
            [] => Some((inside, None)),
            [b':', digits @ ..] => Some((inside, Some(port(digits)?))),
            _ => None,
        };
    }
    let (host, port) = match text.iter().position(|b| *b == b':') {
        Some(at) => {
            let (host, digits) = split_at(text, at);
            (trim(host), Some(port(digits)?))
        }
        None => (text, None),
    };
    let is_host = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    (!host.is_empty() && host.iter().all(is_host)).then_some((host, port))
}

fn port(digits: &[u8]) -> Option<u16> {
    let number = decimal(trim(digits))?;
    u16::try_from(number).ok().filter(|port| *port != 0)
}

/// A number of digits only: no sign, no white space, no overflow.
pub(super) fn decimal(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Option<(Scheme, &str, &str)> {
        let uri = Uri::parse(text.as_bytes())?;
        let text = |b| std::str::from_utf8(b).expect("ascii");
        Some((uri.scheme, text(uri.user.unwrap_or(b"-")), text(uri.host)))
    }

    #[test]
    fn uris() {
        use Scheme::{Other, Sip, Sips, Tel};
        let table = [
            ("sip:5548@10.0.0.1", Some((Sip, "5548", "10.0.0.1"))),
            (
                "SIP:john.doe@Itsp.example:5070;transport=udp",
                Some((Sip, "john.doe", "Itsp.example")),
            ),
            (
                "sips:a:secret@[2001:db8::1]:5061",
                Some((Sips, "a", "2001:db8::1")),
            ),
            (
                "sip:+1.212;phone-context=x;npdi@gw;user=phone",
                Some((Sip, "+1.212", "gw")),
            ),
            ("sip:al;ice@gw?Subject=x", Some((Sip, "al;ice", "gw"))),
            ("sip:1_a;b@gw", Some((Sip, "1_a;b", "gw"))),
            ("sip:*99*1;x@gw", Some((Sip, "*99*1;x", "gw"))),
            ("sip:gw.example", Some((Sip, "-", "gw.example"))),
            ("sip:@gw.example", Some((Sip, "-", "gw.example"))),
            ("tel:+55-48;phone-context=+55", Some((Tel, "+55-48", ""))),
            ("tel:", Some((Tel, "-", ""))),
            ("http://gw", Some((Other, "//gw", ""))),
            ("sip:a@", None),
            ("sip:a@b@c", None),
            ("sip:a@gw:0", None),
            ("sip:a@gw:70000", None),
            ("sip:a@[::1", None),
            ("sip:a@[nonsense]", None),
            ("5548", None),
            (":x", None),
        ];
        for (text, expected) in table {
            assert_eq!(parts(text), expected, "{text}");
        }
    }
}
