//! Responses, read only as far as an onlooker needs who wants to know what became of a request.
//! The service itself sends no requests and reads none.

use super::address::Address;
use super::reader::{Fields, has_sip_prefix, next_line};
use super::text::{find_unquoted, is_lws, trim};
use super::uri::decimal;

/// A response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply<'a> {
    /// 100 to 699.
    pub status: u16,
    /// Call-ID.
    pub call_id: &'a [u8],
    /// From's tag; empty for clients of RFC 2543.
    pub from_tag: &'a [u8],
    /// CSeq's number.
    pub cseq_number: u32,
    /// CSeq's method: what the request was.
    pub method: &'a [u8],
}

/// Reads a response; `None`: it is none, or not whole enough to know what it answers.
#[must_use]
pub fn parse_reply(datagram: &[u8]) -> Option<Reply<'_>> {
    let start = datagram.iter().position(|b| !b.is_ascii_whitespace())?;
    let (line, rest) = next_line(&datagram[start..])?;
    if !has_sip_prefix(line) {
        return None;
    }
    let mut words = line.split(|b| *b == b' ').skip(1);
    let status = decimal(words.next()?).and_then(|n| u16::try_from(n).ok())?;
    if !(100..700).contains(&status) {
        return None;
    }
    let mut fields = Fields::default();
    fields.read_headers(rest);
    let cseq = fields.cseq?;
    let (number, method) = cseq.split_at(find_unquoted(cseq, is_lws)?);
    Some(Reply {
        status,
        call_id: fields.call_id?,
        from_tag: Address::parse(fields.from?)?.tag().unwrap_or_default(),
        cseq_number: decimal(number)?,
        method: trim(method),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const OK: &[u8] = b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n\
        f: \"A\" <sip:a@b.example>;tag=one\r\nt: <sip:1@b.example>;tag=two\r\ni: x@y\r\n\
        CSeq: 7  INVITE\r\n\r\n";

    #[test]
    fn what_an_onlooker_needs() {
        let reply = parse_reply(OK).expect("a response");
        let expected = Reply {
            status: 200,
            call_id: b"x@y",
            from_tag: b"one",
            cseq_number: 7,
            method: b"INVITE",
        };
        assert_eq!(reply, expected);
    }

    #[test]
    fn what_is_none() {
        let text = String::from_utf8_lossy(OK);
        for (from, to) in [
            ("SIP/2.0 200", "INVITE sip:1@b.example"),
            (" 200 ", " 2000 "),
            (" 200 ", " ok "),
            ("i: x@y\r\n", ""),
            ("7  INVITE", "INVITE"),
            ("f: ", "x: "),
        ] {
            let changed = text.replace(from, to);
            assert_ne!(changed, text);
            assert_eq!(parse_reply(changed.as_bytes()), None, "{changed}");
        }
    }
}
