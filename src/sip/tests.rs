//! The rules of the room, told as messages. Longer ones are in `tests/data/sip`.

use super::message::Message;
use super::*;
use crate::domain::{Answer, CallAttempt, Code, Ingress, Sign, Timestamp};
use std::net::SocketAddr;

mod answers;
mod detection;
mod framing;
mod merged;
mod properties;
mod signs;
mod torture;

const INVITE: &str = include_str!("../../tests/data/sip/invite.sip");
const COMPACT: &str = include_str!("../../tests/data/sip/compact.sip");
const TEL: &str = include_str!("../../tests/data/sip/tel.sip");

fn wire(text: &str) -> Vec<u8> {
    text.replace("\r\n", "\n")
        .replace('\n', "\r\n")
        .into_bytes()
}

fn source() -> SocketAddr {
    "192.0.2.7:40000".parse().expect("address")
}

fn now() -> Timestamp {
    Timestamp::from_secs(1_800_000_000)
}

fn endpoint(ingress: Ingress) -> Endpoint {
    Endpoint::new(ingress, Secret::new([7; 16]), Limits::default())
}

fn redirect(number: &str) -> Answer {
    Answer::Redirect {
        code: Code::A00,
        number: number.to_owned(),
        host: "itsp.example".to_owned(),
        score: None,
    }
}

fn call<'a>(endpoint: &mut Endpoint, datagram: &'a [u8]) -> Box<Call<'a>> {
    match endpoint.receive(datagram, source(), now()) {
        Outcome::Decide(call) => call,
        other => panic!("expected a call, found {other:?}"),
    }
}

fn attempt_of(text: &str) -> (CallAttempt, Vec<&'static str>) {
    let datagram = wire(text);
    let call = call(&mut endpoint(Ingress::Prevention), &datagram);
    (call.asked.attempt.clone(), call.bad_headers.clone())
}

/// Status and reason of what is answered without a decision; 0: dropped or absorbed.
fn outcome_of(ingress: Ingress, datagram: &[u8]) -> (u16, &'static str) {
    match endpoint(ingress).receive(datagram, source(), now()) {
        Outcome::Reply {
            status,
            reason,
            packet,
        } => {
            let response = read(&packet.bytes);
            assert_eq!(response.status_code.code(), status.code());
            (status.code(), reason)
        }
        Outcome::Drop(reason) => (0, reason),
        Outcome::Absorb => (0, "absorbed"),
        Outcome::Decide(_) => (1, "decide"),
        Outcome::Copy(_) => (1, "copy"),
        Outcome::Retransmission(_) => (1, "retransmission"),
    }
}

fn read(bytes: &[u8]) -> rsip::Response {
    rsip::Response::try_from(bytes).expect("rsip reads our answer")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn lines_of(bytes: &[u8], name: &str) -> Vec<String> {
    let prefix = format!("{name}: ");
    text(bytes)
        .split("\r\n")
        .filter_map(|line| line.strip_prefix(&prefix).map(str::to_owned))
        .collect()
}

#[test]
fn a_customers_invite_becomes_a_call() {
    let (attempt, bad) = attempt_of(INVITE);
    let expected = CallAttempt {
        id: attempt.id,
        ingress: Ingress::Prevention,
        call_id: "1j9FpLxk3uxtm8tn@192.0.2.7".into(),
        peer: source().ip(),
        source_ip: "203.0.113.77".parse().expect("address"),
        user: "alice".into(),
        domain: "itsp.example".into(),
        policy_user: Some(("gold".into(), "other.example".into())),
        dialed: "5548987654321".into(),
        user_agent: "Grandstream GXP1625 1.0.4.138".into(),
        concurrent: Some(3),
        signs: [Sign::SdpNoAudio, Sign::NoAllow].into_iter().collect(),
    };
    assert_eq!(attempt, expected);
    assert!(bad.is_empty());
}

#[test]
fn compact_names_folds_and_the_bundle_are_understood() {
    let (attempt, bad) = attempt_of(COMPACT);
    assert_eq!(attempt.dialed, "+5548987654321");
    assert_eq!((&*attempt.user, &*attempt.domain), ("bob", "2001:db8::5"));
    assert_eq!(
        attempt.policy_user,
        Some(("bob".into(), "bundle.example".into()))
    );
    assert_eq!(attempt.source_ip.to_string(), "203.0.113.5");
    assert_eq!(attempt.user_agent, "Phone; model 2");
    assert_eq!(attempt.concurrent, Some(7));
    assert!(bad.is_empty(), "{bad:?}");
}

#[test]
fn useless_hints_are_absent_and_named() {
    let (attempt, bad) = attempt_of(TEL);
    assert_eq!(attempt.dialed, "+55-48-9876");
    assert_eq!((&*attempt.user, &*attempt.domain), ("+1212", "192.0.2.7"));
    assert_eq!(attempt.source_ip, source().ip());
    assert_eq!(attempt.user_agent, "Own");
    assert_eq!((attempt.concurrent, attempt.policy_user), (None, None));
    assert_eq!(bad, ["P-Received", "P-Calls", "X-TFPS"]);
}

#[test]
fn concurrent_calls_are_a_plain_number_or_unknown() {
    let table = [
        ("0", Some(0)),
        (" 12 ", Some(12)),
        ("-1", None),
        ("abc", None),
        ("+1", None),
        ("4294967296", None),
        ("1 2", None),
    ];
    for (value, expected) in table {
        let (attempt, bad) =
            attempt_of(&INVITE.replace("P-Calls: 3", &format!("P-Calls: {value}")));
        assert_eq!(attempt.concurrent, expected, "{value}");
        assert_eq!(bad.is_empty(), expected.is_some(), "{value}");
    }
}

#[test]
fn separate_headers_win_over_the_bundle_and_the_last_one_counts() {
    let message = INVITE.replace(
        "P-Calls: 3",
        "P-Calls: 3\nP-TFPS: eve;evil.example;203.0.113.99;Evil;99\nP-Calls: 4",
    );
    let (attempt, _) = attempt_of(&message);
    assert_eq!(attempt.concurrent, Some(4));
    assert_eq!(attempt.source_ip.to_string(), "203.0.113.77");
    assert_eq!(
        attempt.policy_user,
        Some(("gold".into(), "other.example".into()))
    );
    let (_, bad) = attempt_of(&INVITE.replace("P-Calls: 3", "P-TFPS: a;b"));
    assert_eq!(bad, ["P-TFPS"]);
}

#[test]
fn the_anonymous_may_call() {
    let message = INVITE.replace(
        "\"Alice, \\\"the\\\" caller\" <sip:alice@ITSP.example:5070>",
        "<sip:anonymous@anonymous.invalid>",
    );
    let (attempt, _) = attempt_of(&message);
    assert_eq!(
        (&*attempt.user, &*attempt.domain),
        ("anonymous", "anonymous.invalid")
    );
}

#[test]
fn each_rule_has_its_answer() {
    let with = |from: &str, to: &str| {
        assert!(INVITE.contains(from), "{from}");
        wire(&INVITE.replacen(from, to, 1))
    };
    let method = |name: &str| {
        wire(
            &INVITE
                .replacen("INVITE sip", &format!("{name} sip"), 1)
                .replace("1 INVITE", &format!("1 {name}")),
        )
    };
    let user = |user: &str| with("sip:5548987654321@", &format!("sip:{user}@"));
    let table = [
        (wire(INVITE), (1, "decide")),
        (method("ACK"), (0, "absorbed")),
        (method("CANCEL"), (481, "cancel-unknown")),
        (method("OPTIONS"), (200, "options")),
        (method("REGISTER"), (403, "register")),
        (method("BYE"), (481, "bye")),
        (method("SUBSCRIBE"), (405, "method")),
        (method("invite"), (405, "method")),
        (method("FROBNICATE"), (405, "method")),
        (
            with("Max-Forwards: 69", "Max-Forwards: 0"),
            (483, "max-forwards"),
        ),
        (
            with("Max-Forwards: 69", "Max-Forwards: 256"),
            (400, "bad-max-forwards"),
        ),
        (
            with("Max-Forwards: 69", "Max-Forwards: 69\nMax-Forwards: 69"),
            (400, "duplicate-header"),
        ),
        (user("A005548"), (482, "loop")),
        (user("%52015548"), (482, "loop")),
        (user("R15"), (482, "loop")),
        (user("R16555"), (1, "decide")),
        (user("R005"), (1, "decide")),
        (user("john.doe"), (1, "decide")),
        (with("sip:5548987654321@192", "sip:192"), (484, "no-number")),
        (
            with("sip:5548987654321@192.0.2.10:9090 SIP", "tel: SIP"),
            (484, "no-number"),
        ),
        (
            with("sip:5548987654321@192.0.2.10:9090 SIP", "http://x SIP"),
            (416, "unsupported-scheme"),
        ),
        (
            with("sip:5548987654321@192.0.2.10:9090 SIP", "sip:55 48@x SIP"),
            (400, "bad-request-uri"),
        ),
        (
            with("sip:5548987654321@192.0.2.10:9090 SIP", "nonsense SIP"),
            (400, "bad-request-uri"),
        ),
        (with("9090 SIP/2.0", "9090 SIP/7.0"), (505, "bad-version")),
        (
            with(
                "To: <sip:5548987654321@192.0.2.10:9090>",
                "To: <sip:5548@x>;tag=known",
            ),
            (481, "in-dialog"),
        ),
        (
            with("To: <sip:5548987654321@192.0.2.10:9090>", "To: <sip:5548"),
            (400, "bad-to"),
        ),
        (
            with("<sip:alice@ITSP.example:5070>", "<alice>"),
            (400, "bad-from"),
        ),
        (
            with("Contact:", "Require: 100rel , timer\nContact:"),
            (1, "decide"),
        ),
        (
            with("Contact:", "Require: 100rel, telepathy\nContact:"),
            (420, "require"),
        ),
        (with("1 INVITE", "1 BYE"), (400, "bad-cseq")),
        (with("1 INVITE", "4294967296 INVITE"), (400, "bad-cseq")),
        (with("1 INVITE", "INVITE"), (400, "bad-cseq")),
        (
            with("Content-Length: 4", "Content-Length: 400"),
            (400, "bad-content-length"),
        ),
        (
            with("Content-Length: 4", "Content-Length: -4"),
            (400, "bad-content-length"),
        ),
        (
            with("Content-Length: 4", "Content-Length: 1"),
            (1, "decide"),
        ),
        (with("Content-Length: 4\n", ""), (1, "decide")),
        (with("P-Calls: 3", "P-Calls 3"), (400, "bad-header-line")),
        (with("P-Calls: 3", "P-Calls \t : 3"), (1, "decide")),
        (
            with("P-Calls: 3", "P-Calls\n : 3"),
            (400, "bad-header-line"),
        ),
        (
            with("P-Calls: 3", "P-Calls: 3\0"),
            (400, "control-character"),
        ),
        (
            with("Call-ID: 1j", "Call-ID: \x0b1j"),
            (400, "control-character"),
        ),
        (with("From:", "X-From:"), (400, "no-envelope")),
        (with("CSeq:", "X-CSeq:"), (400, "no-envelope")),
        (
            with(
                "To: <sip:5548987654321@192.0.2.10:9090>",
                "To: \"x <sip:5548@x>",
            ),
            (400, "bad-to"),
        ),
        (with("5080;branch", "5080,,x;branch"), (400, "empty-via")),
        (with("first;rport", "first;;rport;"), (1, "decide")),
        (
            with("9090 SIP/2.0", "9090 SIP/2.0 "),
            (400, "bad-request-line"),
        ),
        (
            with("192.0.2.10:9090 SIP", "192.0.2.10:9090?Route=x SIP"),
            (400, "bad-request-uri"),
        ),
        (
            wire(&method_text("OPTIONS").replace("Contact:", "Require: telepathy\nContact:")),
            (420, "require"),
        ),
        (with("Via: SIP/2.0/UDP 192", "Via: 192"), (0, "bad-via")),
        (wire(&INVITE.replace("Via:", "X-Via:")), (0, "no-via")),
        (
            wire(&method_text("ACK").replace("Max-Forwards: 69", "Max-Forwards: x")),
            (0, "bad-max-forwards"),
        ),
        (
            wire(INVITE.split("\n\n").next().expect("head")),
            (400, "unfinished-headers"),
        ),
        (b"SIP/2.0 200 OK\r\n\r\n".to_vec(), (0, "response")),
        (b"GET / HTTP/1.1\r\n\r\n".to_vec(), (0, "not-sip")),
        (b"\r\n\r\n".to_vec(), (0, "keep-alive")),
        (b"\0\0\0\0".to_vec(), (0, "keep-alive")),
        (Vec::new(), (0, "keep-alive")),
        (vec![b'A'; MAX_MESSAGE + 1], (0, "too-large")),
    ];
    for (datagram, expected) in table {
        assert_eq!(
            outcome_of(Ingress::Prevention, &datagram),
            expected,
            "{}",
            text(&datagram)
        );
    }
}

fn method_text(name: &str) -> String {
    INVITE
        .replacen("INVITE sip", &format!("{name} sip"), 1)
        .replace("1 INVITE", &format!("1 {name}"))
}

#[test]
fn bare_line_feeds_and_leading_empty_lines_are_borne() {
    let message = format!("\n\r\n{INVITE}");
    assert_eq!(
        outcome_of(Ingress::Prevention, message.as_bytes()),
        (1, "decide")
    );
}

#[test]
fn the_body_ends_with_content_length() {
    let body_of = |text: &str| match parse(&wire(text)) {
        Ok(Message::Request(request)) => request.body.to_vec(),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        body_of(INVITE),
        b"v=0\r",
        "four bytes, the rest is discarded"
    );
    assert_eq!(
        body_of(&INVITE.replace("Content-Length: 4\n", "")),
        b"v=0\r\n"
    );
}

#[test]
fn a_retransmission_gets_the_same_bytes_and_ack_and_cancel_find_their_invite() {
    let (datagram, ack, cancel) = (
        wire(INVITE),
        wire(&method_text("ACK")),
        wire(&method_text("CANCEL")),
    );
    let mut endpoint = endpoint(Ingress::Prevention);
    let first = call(&mut endpoint, &datagram);
    let early = endpoint.receive(&datagram, source(), now());
    let sent = endpoint.complete(&first.pending, &redirect("55"));
    assert!(sent.is_some());
    assert!(
        matches!(early, Outcome::Retransmission(p) if endpoint.resend(&p) == sent),
        "within a batch"
    );
    assert!(matches!(
        endpoint.receive(&ack, source(), now()),
        Outcome::Absorb
    ));
    let late = endpoint.receive(&datagram, source(), now().plus_secs(31));
    assert!(
        matches!(late, Outcome::Retransmission(p) if endpoint.resend(&p) == sent),
        "after the ACK too"
    );
    let Outcome::Reply { status, packet, .. } = endpoint.receive(&cancel, source(), now()) else {
        panic!("CANCEL is answered");
    };
    assert_eq!(status, Status::Ok);
    let to = |bytes: &[u8]| lines_of(bytes, "To");
    assert_eq!(
        to(&packet.bytes),
        to(&sent.expect("sent").bytes),
        "the To tag of its INVITE"
    );
    assert!(matches!(
        endpoint.receive(&datagram, source(), now().plus_secs(32)),
        Outcome::Decide(_)
    ));
}

#[test]
fn after_a_restart_the_answer_is_the_same_and_nothing_is_decided_again() {
    let datagram = wire(INVITE);
    let mut before = endpoint(Ingress::Prevention);
    let first = call(&mut before, &datagram);
    let sent = before.complete(&first.pending, &redirect("55"));
    let mut after = endpoint(Ingress::Prevention);
    after.recover(first.pending.id, redirect("55"), now());
    for _ in 0..2 {
        let again = after.receive(&datagram, source(), now().plus_secs(3));
        assert!(matches!(again, Outcome::Retransmission(p) if after.resend(&p) == sent));
    }
}

#[test]
fn an_abandoned_call_is_decided_when_it_comes_again() {
    let datagram = wire(INVITE);
    let mut endpoint = endpoint(Ingress::Prevention);
    let first = call(&mut endpoint, &datagram);
    endpoint.abandon(&first.pending);
    call(&mut endpoint, &datagram);
}

#[test]
fn what_tells_transactions_apart() {
    let id = |ingress, text: &str| call(&mut endpoint(ingress), &wire(text)).asked.attempt.id;
    let base = id(Ingress::Prevention, INVITE);
    assert_eq!(
        base,
        id(
            Ingress::Prevention,
            &INVITE.replace("P-Calls: 3", "P-Calls: 4")
        )
    );
    assert_ne!(base, id(Ingress::Detection, INVITE), "the door");
    for (from, to) in [
        ("z9hG4bK-first", "z9hG4bK-other"),
        ("192.0.2.7:5080;", "192.0.2.7:5081;"),
        ("tag=a73kszlfl", "tag=other"),
        ("Call-ID: 1", "Call-ID: 2"),
        ("CSeq: 1", "CSeq: 2"),
    ] {
        assert_ne!(
            base,
            id(Ingress::Prevention, &INVITE.replace(from, to)),
            "{to}"
        );
    }
    let moved = |text: &str| text.replace("INVITE sip:55", "INVITE sip:56");
    assert_eq!(base, id(Ingress::Prevention, &moved(INVITE)));
    let old = INVITE.replace("z9hG4bK-first", "first");
    assert_ne!(
        id(Ingress::Prevention, &old),
        id(Ingress::Prevention, &moved(&old)),
        "RFC 2543"
    );
}
