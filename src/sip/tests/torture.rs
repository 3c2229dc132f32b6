//! The torture tests of RFC 4475, all 49: what the RFC says of each and what is done here.
//!
//! "Decided" is an INVITE that becomes a call, with the number it is about; a redirect server
//! sets up no session, so what only a session would need (bodies, `Accept`, dates) is left to
//! whoever takes the call. Where a message is answered the same over TCP, one outcome stands
//! for both.

use super::*;

/// A message, what the RFC expects, and what happens here.
struct Row {
    section: &'static str,
    message: &'static str,
    text: &'static str,
    /// What the RFC says, and why where this is stricter or laxer.
    rfc: &'static str,
    udp: &'static str,
    /// Outcomes in order, where they differ from UDP's.
    tcp: Option<&'static str>,
}

macro_rules! rows {
    ($($section:literal $message:literal $rfc:literal => $udp:literal $(, tcp $tcp:literal)?;)+) => {
        [$(Row {
            section: $section,
            message: $message,
            text: include_str!(concat!("../../../tests/data/rfc4475/", $message, ".sip")),
            rfc: $rfc,
            udp: $udp,
            tcp: rows!(@tcp $($tcp)?),
        }),+]
    };
    (@tcp) => { None };
    (@tcp $tcp:literal) => { Some($tcp) };
}

const ROWS: [Row; 49] = rows! {
    // Valid messages
    "3.1.1.1" "wsinv" "well-formed; a To tag of a dialog that is not ours: 481"
        => "481 in-dialog";
    "3.1.1.2" "intmeth" "well-formed, unknown method; 405 with Allow for every method not served"
        => "405 method";
    "3.1.1.3" "esc01" "escapes of the user part are undone, once; the scheme is sip"
        => "decided sips:user@example.com";
    "3.1.1.4" "escnull" "an escaped NUL is a character like others; no registrar here: 403"
        => "403 register";
    "3.1.1.5" "esc02" "% escapes nothing in method and header names: an unknown method"
        => "405 method";
    "3.1.1.6" "lwsdisp" "no white space before < is well-formed"
        => "200 options";
    "3.1.1.7" "longreq" "well-formed, 34 Vias"
        => "decided user";
    "3.1.1.8" "dblreq" "UDP: what follows the first request is discarded; TCP: two requests, the \
        second with three bytes more than its Content-Length, which begin no message"
        => "403 register", tcp "403 register, decided joe, dropped not-sip, closed";
    "3.1.1.9" "semiuri" "a semicolon in a user part belongs to it"
        => "200 options";
    "3.1.1.10" "transports" "whatever the transports of the Vias"
        => "200 options";
    "3.1.1.11" "mpart01" "well-formed with a binary body; MESSAGE is not served"
        => "405 method";
    "3.1.1.12" "unreason" "a response, whatever its phrase; nobody here sent a request"
        => "dropped response";
    "3.1.1.13" "noreason" "a response, even without a phrase"
        => "dropped response";
    // Invalid messages
    "3.1.2.1" "badinv01" "400; that Contact is odd too is not looked at"
        => "400 empty-via";
    "3.1.2.2" "clerr" "UDP: 400; TCP: the rest is waited for, until the time for a message is over"
        => "400 bad-content-length", tcp "waits";
    "3.1.2.3" "ncl" "400; over TCP nobody knows where the next message begins"
        => "400 bad-content-length", tcp "400 bad-content-length, closed";
    "3.1.2.4" "scalar02" "400: CSeq is beyond 32 bits"
        => "400 bad-cseq";
    "3.1.2.5" "scalarlg" "a response: discarded"
        => "dropped response";
    "3.1.2.6" "quotbal" "400: a quotation mark is open"
        => "400 bad-to";
    "3.1.2.7" "ltgtruri" "400: laxer ones strip the brackets"
        => "400 bad-request-uri";
    "3.1.2.8" "lwsruri" "400: laxer ones strip the space"
        => "400 bad-request-uri";
    "3.1.2.9" "lwsstart" "400: laxer ones bear several spaces"
        => "400 bad-request-uri";
    "3.1.2.10" "trws" "400: laxer ones strip the spaces"
        => "400 bad-request-line";
    "3.1.2.11" "escruri" "400: a Request-URI has no headers"
        => "400 bad-request-uri";
    "3.1.2.12" "baddate" "400, or the header is ignored by whom it does not concern: laxer, as \
        nothing here depends on the client's date"
        => "decided user";
    "3.1.2.13" "regbadct" "400 of a registrar; no registrar here, whatever the Contact: 403"
        => "403 register";
    "3.1.2.14" "badaspec" "400, or the spaces are ignored: laxer, as nothing is lost"
        => "200 options";
    "3.1.2.15" "baddn" "400, or the comma is borne: laxer, as devices send such names"
        => "200 options";
    "3.1.2.16" "badvers" "505, whatever the version of the Via"
        => "505 bad-version";
    "3.1.2.17" "mismatch01" "400: CSeq names another method"
        => "400 bad-cseq";
    "3.1.2.18" "mismatch02" "501 or 400: the mismatch is seen first"
        => "400 bad-cseq";
    "3.1.2.19" "bigcode" "a response: discarded"
        => "dropped response";
    // Transaction layer
    "3.2.1" "badbranch" "a cookie with nothing behind it identifies nothing: as of RFC 2543"
        => "200 options";
    // Application layer
    "3.3.1" "insuf" "ideally 400; it lacks what the request lacked"
        => "400 no-envelope";
    "3.3.2" "unkscm" "416"
        => "416 unsupported-scheme";
    "3.3.3" "novelsc" "416"
        => "416 unsupported-scheme";
    "3.3.4" "unksm2" "of no concern but to a registrar: 403"
        => "403 register";
    "3.3.5" "bext01" "420 with Unsupported; Proxy-Require is for proxies"
        => "420 require";
    "3.3.6" "invut" "415 of who takes the call; laxer, as a redirect leaves the body to him"
        => "decided user";
    "3.3.7" "regaut01" "credentials of an unknown scheme are no credentials: 403"
        => "403 register";
    "3.3.8" "multi01" "400; over TCP the two bytes missing from its body are waited for first"
        => "400 duplicate-header", tcp "waits";
    "3.3.9" "mcl01" "400; over TCP nobody knows where the next message begins"
        => "400 duplicate-header", tcp "400 duplicate-header, closed";
    "3.3.10" "bcast" "a response with a Via that is not ours: discarded"
        => "dropped response";
    "3.3.11" "zeromf" "only a proxy would refuse it; an endpoint serves it"
        => "200 options";
    "3.3.12" "cparam01" "of no concern but to a registrar: 403"
        => "403 register";
    "3.3.13" "cparam02" "of no concern but to a registrar: 403"
        => "403 register";
    "3.3.14" "regescrt" "of no concern but to a registrar: 403"
        => "403 register";
    "3.3.15" "sdp01" "406 of who would answer with a body it does not accept; laxer, as no answer \
        here has a body"
        => "decided user";
    // Backward compatibility
    "3.4.1" "inv2543" "of RFC 2543, without tag, branch, Max-Forwards and Content-Length; over TCP \
        the last cannot be done without"
        => "decided UserB", tcp "400 no-content-length, closed";
};

/// The bytes on the wire of a message written as text; see `tests/data/rfc4475/README.md`.
fn bytes_of(text: &str) -> Vec<u8> {
    let text = text.replace("\r\n", "\n");
    let mut bytes = Vec::new();
    for (at, part) in text.split("{{").enumerate() {
        let plain = match part.split_once("}}") {
            Some((special, plain)) if at > 0 => {
                match special.split_once('*') {
                    Some((times, text)) => {
                        let times = times.parse().expect("a number");
                        bytes.extend_from_slice(text.repeat(times).as_bytes());
                    }
                    None => bytes.extend(
                        special
                            .split_whitespace()
                            .map(|hex| u8::from_str_radix(hex, 16).expect("two digits")),
                    ),
                }
                plain
            }
            _ => part,
        };
        bytes.extend_from_slice(plain.replace('\n', "\r\n").as_bytes());
    }
    bytes
}

fn told(outcome: &Outcome<'_>) -> String {
    match outcome {
        Outcome::Decide(call) => format!("decided {}", call.asked.attempt.dialed),
        Outcome::Reply {
            status,
            reason,
            packet,
        } => {
            let answer = text(&packet.bytes);
            let code = status.code();
            assert!(answer.starts_with(&format!("SIP/2.0 {code} ")), "{answer}");
            format!("{code} {reason}")
        }
        Outcome::Drop(reason) => format!("dropped {reason}"),
        other => format!("{other:?}"),
    }
}

fn over_tcp(bytes: &[u8]) -> String {
    let (mut framer, mut endpoint) = (Framer::new(), endpoint(Ingress::Prevention));
    framer.push(bytes);
    let mut all = Vec::new();
    loop {
        match framer.next_frame() {
            Ok(Some(Frame::Message(message))) => {
                all.push(told(&endpoint.receive(&message, source(), now())));
            }
            Ok(Some(Frame::Ping)) => all.push("ping".to_owned()),
            Ok(None) if all.is_empty() => break "waits".to_owned(),
            Ok(None) => break all.join(", "),
            Err(broken) => {
                all.push(told(&endpoint.refuse(&broken.read, source(), broken.fault)));
                all.push("closed".to_owned());
                break all.join(", ");
            }
        }
    }
}

#[test]
fn each_torture_test_has_its_outcome() {
    for row in &ROWS {
        let bytes = bytes_of(row.text);
        let what = format!("{} {}: {}", row.section, row.message, row.rfc);
        let udp = told(&endpoint(Ingress::Prevention).receive(&bytes, source(), now()));
        assert_eq!(udp, row.udp, "UDP, {what}");
        assert_eq!(over_tcp(&bytes), row.tcp.unwrap_or(row.udp), "TCP, {what}");
    }
}

#[test]
fn all_49_are_there_in_order() {
    let sections = (1..=13)
        .map(|n| format!("3.1.1.{n}"))
        .chain((1..=19).map(|n| format!("3.1.2.{n}")))
        .chain(["3.2.1".to_owned()])
        .chain((1..=15).map(|n| format!("3.3.{n}")))
        .chain(["3.4.1".to_owned()]);
    assert!(sections.eq(ROWS.iter().map(|row| row.section.to_owned())));
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/rfc4475");
    let files = std::fs::read_dir(folder).expect("the folder");
    let messages = files
        .filter(|file| file.as_ref().expect("a file").path().extension() == Some("sip".as_ref()));
    assert_eq!(messages.count(), 49);
}

/// Lengths of bodies that the RFC gives, where they are right: a slip of a byte in a file would
/// be seen.
#[test]
fn the_messages_are_whole() {
    let lengths = [
        ("wsinv", 150),
        ("longreq", 150),
        ("mpart01", 553),
        ("unreason", 154),
        ("mismatch02", 138),
        ("invut", 40),
        ("lwsruri", 159),
    ];
    for (name, length) in lengths {
        let row = ROWS.iter().find(|row| row.message == name).expect(name);
        let bytes = bytes_of(row.text);
        let head = text(&bytes).find("\r\n\r\n").expect("an end");
        let body = &bytes[bytes.len() - length - 4..];
        assert!(
            body.starts_with(b"\r\n\r\n"),
            "{name} ends its head at {head}"
        );
    }
}

/// What the quoted pairs of a To header hold must come back byte for byte (section 8.2.6.2).
#[test]
fn quoted_control_characters_are_copied() {
    let row = &ROWS[1];
    let bytes = bytes_of(row.text);
    let Outcome::Reply { packet, .. } =
        endpoint(Ingress::Prevention).receive(&bytes, source(), now())
    else {
        panic!("405");
    };
    let quoted = b"To: \"BEL:\\\x07 NUL:\\\0 DEL:\\\x7f\" <sip:1_unusual";
    let found = packet.bytes.windows(quoted.len()).any(|w| w == quoted);
    assert!(found, "{}", text(&packet.bytes));
}

/// An answer with what there is, and nothing empty.
#[test]
fn an_answer_lacks_what_its_request_lacked() {
    let row = ROWS.iter().find(|row| row.message == "insuf").expect("row");
    let bytes = bytes_of(row.text);
    let Outcome::Reply { packet, .. } =
        endpoint(Ingress::Prevention).receive(&bytes, source(), now())
    else {
        panic!("400");
    };
    assert_eq!(lines_of(&packet.bytes, "CSeq"), ["193942 INVITE"]);
    for absent in ["From", "To", "Call-ID"] {
        assert!(lines_of(&packet.bytes, absent).is_empty(), "{absent}");
    }
}
