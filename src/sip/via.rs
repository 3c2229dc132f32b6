//! The topmost Via: whom to answer, and how (RFC 3261 sections 18.2 and 20.42, RFC 3581).

use super::text::{is_lws, is_token, params, split_once, trim};
use super::uri::host_port;
use std::net::{IpAddr, SocketAddr};

/// Port of a sent-by that names none (section 18.2.2).
const DEFAULT_PORT: u16 = 5060;

/// The first element of the first Via header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Via<'a> {
    /// `SIP/2.0/UDP host:port` as sent.
    pub(super) head: &'a [u8],
    /// What follows the first semicolon.
    pub(super) params: &'a [u8],
    /// `host:port` as sent.
    pub sent_by: &'a [u8],
    /// Host of sent-by, an IPv6 address without brackets.
    pub host: &'a [u8],
    /// Port of sent-by.
    pub port: Option<u16>,
    /// The `branch` parameter; empty when there is none.
    pub branch: &'a [u8],
    /// Whether the client asked for the answer at its source port (RFC 3581).
    pub rport: bool,
    /// The `maddr` parameter: where else the client wants the answer.
    maddr: Option<&'a [u8]>,
}

impl<'a> Via<'a> {
    /// Reads one Via element; `None` when nobody could be answered by it.
    #[must_use]
    pub fn parse(element: &'a [u8]) -> Option<Self> {
        let (head, rest) = split_once(element, b';');
        let (name, rest_of_head) = split_once(head, b'/');
        let (version, transport_and_sent_by) = split_once(rest_of_head?, b'/');
        // Whatever the version: it is the request line's that may need a 505.
        if !trim(name).eq_ignore_ascii_case(b"SIP") || !is_token(trim(version)) {
            return None;
        }
        let after = trim(transport_and_sent_by?);
        let sent_by = trim(&after[after.iter().position(|b| is_lws(*b))?..]);
        let (host, port) = host_port(sent_by)?;
        let mut via = Self {
            head: trim(head),
            params: rest.unwrap_or_default(),
            sent_by,
            host,
            port,
            branch: b"",
            rport: false,
            maddr: None,
        };
        for (name, value) in params(via.params) {
            if name.eq_ignore_ascii_case(b"branch") {
                via.branch = value.unwrap_or_default();
            } else if name.eq_ignore_ascii_case(b"rport") {
                via.rport = true;
            } else if name.eq_ignore_ascii_case(b"maddr") {
                via.maddr = value;
            }
        }
        Some(via)
    }

    /// Whether the branch alone tells transactions apart (section 8.1.1.7). A cookie with
    /// nothing behind it tells nothing.
    #[must_use]
    pub fn has_cookie(&self) -> bool {
        matches!(self.branch.split_at_checked(7),
            Some((cookie, [_, ..])) if cookie.eq_ignore_ascii_case(b"z9hG4bK"))
    }

    /// Whether the answer's Via must say `received` (section 18.2.1; with `rport` always,
    /// RFC 3581 section 4).
    #[must_use]
    pub fn needs_received(&self, source: IpAddr) -> bool {
        let named = std::str::from_utf8(self.host)
            .ok()
            .and_then(|host| host.parse::<IpAddr>().ok());
        self.rport || named.map(|ip| ip.to_canonical()) != Some(source.to_canonical())
    }

    /// Where the answer goes over UDP: to the packet's own source address, at its source port
    /// when `rport` asked for it, else at the port of sent-by. A sent-by host is never followed:
    /// `received` says the same for every honest client.
    #[must_use]
    pub fn destination(&self, source: SocketAddr) -> SocketAddr {
        if self.rport {
            return source;
        }
        let mut to = source;
        to.set_port(self.port.unwrap_or(DEFAULT_PORT));
        to
    }

    /// Where `maddr` wants the answer instead (section 18.2.2, second point), `rport` or not
    /// (RFC 3581 section 4); `None`: nowhere else.
    ///
    /// Only for a `source` that is trusted. Over UDP nobody has proved who he is, and an answer
    /// sent to an address of the sender's choice would make this a reflector. Even then only an
    /// address is followed, not a name, which would have to be looked up while the call waits;
    /// only of one machine, so that nothing is sent to many; and this machine's own loopback
    /// only from loopback.
    #[must_use]
    pub fn maddr(&self, source: SocketAddr) -> Option<SocketAddr> {
        let text = std::str::from_utf8(self.maddr?).ok()?;
        let inside = text.strip_prefix('[').and_then(|t| t.strip_suffix(']'));
        let asked: IpAddr = inside.unwrap_or(text).parse().ok()?;
        let asked = asked.to_canonical();
        let one = match asked {
            IpAddr::V4(ip) => !ip.is_broadcast(),
            IpAddr::V6(_) => true,
        } && !asked.is_multicast()
            && !asked.is_unspecified();
        let near = !asked.is_loopback() || source.ip().to_canonical().is_loopback();
        let ip = match (source.ip(), asked) {
            (IpAddr::V4(_), IpAddr::V4(_)) | (IpAddr::V6(_), IpAddr::V6(_)) => asked,
            // A socket of both families speaks IPv4 through mapped addresses.
            (IpAddr::V6(_), IpAddr::V4(ip)) => IpAddr::V6(ip.to_ipv6_mapped()),
            (IpAddr::V4(_), IpAddr::V6(_)) => return None,
        };
        (one && near).then(|| SocketAddr::new(ip, self.port.unwrap_or(DEFAULT_PORT)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn via(text: &str) -> Option<Via<'_>> {
        Via::parse(text.as_bytes())
    }

    #[test]
    fn reads_what_is_allowed_and_refuses_the_rest() {
        let spaced =
            via("SIP / 2.0 / UDP  first.example : 4000 ;ttl=16 ;branch=z9hG4bKx").expect("via");
        assert_eq!(
            (spaced.host, spaced.port),
            (&b"first.example"[..], Some(4000))
        );
        assert_eq!(spaced.branch, b"z9hG4bKx");
        assert!(spaced.has_cookie() && !spaced.rport);
        let six = via("SIP/2.0/UDP [2001:db8::9]:5070;rport;branch=1").expect("via");
        assert_eq!((six.host, six.port), (&b"2001:db8::9"[..], Some(5070)));
        assert!(six.rport && !six.has_cookie());
        for (branch, has) in [("z9hG4bK", false), ("Z9hg4bkx", true), ("z9hG", false)] {
            let text = format!("SIP/7.0/UDP h;branch={branch}");
            assert_eq!(via(&text).expect("via").has_cookie(), has, "{branch}");
        }
        for bad in [
            "",
            "SIP/2.0/UDP",
            "SIP/2.0 host",
            "HTTP/2.0/UDP h",
            "SIP/ /UDP h",
            "SIP/2.0/UDP h:0",
            "SIP/2.0/UDP a b",
        ] {
            assert!(via(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn destination_is_the_source_whatever_the_via_says() {
        let source: SocketAddr = "192.0.2.7:40000".parse().expect("address");
        let table = [
            (
                "SIP/2.0/UDP 198.51.100.1:5080;branch=z9hG4bK1",
                "192.0.2.7:5080",
            ),
            ("SIP/2.0/UDP 198.51.100.1;branch=z9hG4bK1", "192.0.2.7:5060"),
            (
                "SIP/2.0/UDP 198.51.100.1:5080;rport;branch=z9hG4bK1",
                "192.0.2.7:40000",
            ),
            (
                "SIP/2.0/UDP 198.51.100.1:5080;rport=9;branch=z9hG4bK1",
                "192.0.2.7:40000",
            ),
            (
                "SIP/2.0/UDP 198.51.100.1;maddr=203.0.113.5;received=203.0.113.6",
                "192.0.2.7:5060",
            ),
        ];
        for (text, to) in table {
            assert_eq!(
                via(text).expect(text).destination(source).to_string(),
                to,
                "{text}"
            );
        }
    }

    #[test]
    fn maddr_is_followed_to_one_address_only() {
        let table = [
            ("192.0.2.7:40000", "203.0.113.5", Some("203.0.113.5:5080")),
            ("192.0.2.7:40000", "\"203.0.113.5\"", None),
            ("192.0.2.7:40000", "gateway.example", None),
            ("192.0.2.7:40000", "224.0.1.75", None),
            ("192.0.2.7:40000", "255.255.255.255", None),
            ("192.0.2.7:40000", "0.0.0.0", None),
            ("192.0.2.7:40000", "127.0.0.1", None),
            ("127.0.0.2:40000", "127.0.0.3", Some("127.0.0.3:5080")),
            ("192.0.2.7:40000", "2001:db8::5", None),
            ("[2001:db8::7]:4", "2001:db8::5", Some("[2001:db8::5]:5080")),
            (
                "[2001:db8::7]:4",
                "[2001:db8::5]",
                Some("[2001:db8::5]:5080"),
            ),
            ("[2001:db8::7]:4", "ff02::1", None),
            ("[2001:db8::7]:4", "::ffff:127.0.0.1", None),
            (
                "[::ffff:192.0.2.7]:4",
                "203.0.113.5",
                Some("[::ffff:203.0.113.5]:5080"),
            ),
        ];
        for (source, maddr, to) in table {
            let text = format!("SIP/2.0/UDP 198.51.100.1:5080;rport;maddr={maddr};branch=1");
            let source = source.parse().expect("address");
            let found = via(&text).expect("via").maddr(source);
            let to = to.map(|to| to.parse().expect("address"));
            assert_eq!(found, to, "{maddr} from {source}");
        }
        let source = "192.0.2.7:40000".parse().expect("address");
        assert_eq!(
            via("SIP/2.0/UDP 192.0.2.7").expect("via").maddr(source),
            None
        );
    }

    #[test]
    fn received_is_due_when_the_host_is_another_a_name_or_rport_is_asked() {
        let source: IpAddr = "::ffff:192.0.2.7".parse().expect("address");
        let due = |text| via(text).expect(text).needs_received(source);
        assert!(!due("SIP/2.0/UDP 192.0.2.7:5080"));
        assert!(due("SIP/2.0/UDP 192.0.2.7:5080;rport"));
        assert!(due("SIP/2.0/UDP 192.0.2.8"));
        assert!(due("SIP/2.0/UDP proxy.example"));
    }
}
