//! Packets as scanners send them, and what they get.

use super::*;
use crate::domain::{Answer, Asked, Ingress, NeutralAnswer, Sign, Timestamp};
use crate::sip::{Arrived, Call, Endpoint, Limits, Outcome, Packet};
use md5::{Digest as _, Md5};
use std::net::SocketAddr;

mod forged;

const NOW: Timestamp = Timestamp::from_secs(1_760_000_000);
const SERVER: &str = "FPBX-16.0.40.7(18.20.2)";

fn endpoint_of(per_second: u32) -> Endpoint {
    let secret = Secret::new([3; 16]);
    Endpoint::new(Ingress::Honeypot, secret, Limits::default()).with_honeypot(Persona {
        server: SERVER.into(),
        realm: "asterisk".into(),
        per_second,
    })
}

fn endpoint() -> Endpoint {
    endpoint_of(1_000)
}

fn source() -> SocketAddr {
    "192.0.2.66:5062".parse().expect("address")
}

/// As svmap and svwar write them: no more than there must be.
fn request(method: &str, user: &str, dialed: &str, serial: u32, more: &str) -> String {
    format!(
        "{method} sip:{dialed}@198.51.100.1 SIP/2.0\r\n\
         Via: SIP/2.0/UDP 192.0.2.66:5062;branch=z9hG4bK-{serial};rport\r\n\
         Content-Length: 0\r\n\
         From: \"{user}\"<sip:{user}@198.51.100.1>;tag=3632333{serial}\r\n\
         Accept: application/sdp\r\n\
         User-Agent: friendly-scanner\r\n\
         To: \"{user}\"<sip:{user}@198.51.100.1>\r\n\
         Contact: sip:{user}@192.0.2.66:5062\r\n\
         CSeq: 1 {method}\r\n\
         Call-ID: 11{serial}\r\n\
         {more}Max-Forwards: 70\r\n\r\n"
    )
}

/// What is sent, and what is to be decided first.
fn ask_at(endpoint: &mut Endpoint, text: &str, now: Timestamp) -> (Option<Packet>, Option<Asked>) {
    match endpoint.receive(text.as_bytes(), source(), now) {
        Outcome::Reply { packet, .. } => (Some(packet), None),
        Outcome::Decide(call) => {
            let Call { asked, pending, .. } = *call;
            let neutral = Answer::Neutral(NeutralAnswer::ServiceUnavailable);
            (endpoint.complete(&pending, &neutral), Some(asked))
        }
        Outcome::Retransmission(pending) => (endpoint.resend(&pending), None),
        _ => (None, None),
    }
}

fn ask(endpoint: &mut Endpoint, text: &str) -> (Option<Packet>, Option<Asked>) {
    ask_at(endpoint, text, NOW)
}

fn said(packet: Option<Packet>) -> String {
    packet.map_or_else(String::new, |p| {
        String::from_utf8_lossy(&p.bytes).into_owned()
    })
}

fn status(packet: Option<Packet>) -> u16 {
    let said = said(packet);
    let code = said.split(' ').nth(1).unwrap_or("0");
    code.parse().expect("a status")
}

fn hex(text: &str) -> String {
    let digest: [u8; 16] = Md5::digest(text).into();
    digest.iter().map(|b| format!("{b:02x}")).collect()
}

/// The answer to a challenge (RFC 2617), computed apart from the code it tests.
fn authorization(challenge: &str, method: &str, user: &str, password: &str) -> String {
    let nonce = challenge.split("nonce=\"").nth(1).expect("a nonce");
    let nonce = nonce.split('"').next().expect("its end");
    let ha1 = hex(&format!("{user}:asterisk:{password}"));
    let ha2 = hex(&format!("{method}:sip:198.51.100.1"));
    let response = hex(&format!("{ha1}:{nonce}:{ha2}"));
    format!(
        "Authorization: Digest username=\"{user}\", realm=\"asterisk\", nonce=\"{nonce}\", \
         uri=\"sip:198.51.100.1\", response=\"{response}\", algorithm=MD5,qop=auth\r\n"
    )
}

#[test]
fn options_are_answered_by_the_pbx_it_claims_to_be() {
    let mut endpoint = endpoint();
    let text = request("OPTIONS", "100", "100", 1, "");
    let (packet, asked) = ask(&mut endpoint, &text);
    assert!(asked.is_none());
    let said = said(packet);
    assert!(said.starts_with("SIP/2.0 200 OK\r\n"), "{said}");
    assert!(said.contains(&format!("Server: {SERVER}\r\n")), "{said}");
    assert!(!said.to_ascii_uppercase().contains("TFPS"), "{said}");
    let probes = endpoint.take_probes();
    assert_eq!(probes.len(), 1);
    assert_eq!(probes[0].agent, "friendly-scanner");
    assert!(!probes[0].proven);
    // Where there is room for it, all that a PBX can.
    let long = request(
        "OPTIONS",
        "100",
        "100",
        2,
        &format!("Subject: {}\r\n", "x".repeat(200)),
    );
    let said = self::said(ask(&mut endpoint, &long).0);
    for header in ["Allow: INVITE", "Accept: application/sdp", "Supported: "] {
        assert!(said.contains(header), "{header}: {said}");
    }
}

#[test]
fn no_answer_is_larger_than_what_was_asked() {
    let mut endpoint = endpoint();
    let methods = [
        "OPTIONS",
        "REGISTER",
        "INVITE",
        "CANCEL",
        "BYE",
        "SUBSCRIBE",
        "MESSAGE",
        "NOTIFY",
        "INFO",
        "PUBLISH",
        "REFER",
        "FOO",
    ];
    let mut answered = 0;
    for (at, method) in methods.into_iter().enumerate() {
        for user in 100..160 {
            let serial = u32::try_from(at * 1_000 + user).expect("small");
            let full = request(method, &user.to_string(), "900442079460000", serial, "");
            // Also with little to it, as an amplifier's user would send.
            let bare = full
                .replace("Accept: application/sdp\r\n", "")
                .replace("User-Agent: friendly-scanner\r\n", "")
                .replace("Max-Forwards: 70\r\n", "")
                .replace(&format!("Contact: sip:{user}@192.0.2.66:5062\r\n"), "")
                .replace("z9hG4bK-", "z9hG4bK-b");
            for text in [full, bare] {
                let (packet, _) = ask(&mut endpoint, &text);
                let later: usize = endpoint
                    .due(NOW.plus_secs(60))
                    .iter()
                    .map(|p| p.bytes.len())
                    .sum();
                let bytes = packet.as_ref().map_or(0, |p| p.bytes.len()) + later;
                assert!(bytes <= text.len(), "{bytes} for {}: {text}", text.len());
                answered += u32::from(packet.is_some());
            }
        }
    }
    assert!(answered > 500, "{answered}");
    // Garbage gets nothing, however it looks.
    for text in [
        "",
        "\r\n\r\n",
        "INVITE",
        "SIP/2.0 200 OK\r\n\r\n",
        "\0\0\0\0",
    ] {
        assert!(ask(&mut endpoint, text).0.is_none(), "{text:?}");
    }
}

#[test]
fn some_extensions_take_a_weak_password_and_none_a_strong_one() {
    let mut endpoint = endpoint();
    let (mut taken, mut serial) = (0, 0);
    for user in 100..160 {
        let user = user.to_string();
        for (password, weak) in [("1234", true), ("kW9!rqLz0", false)] {
            serial += 2;
            let (challenge, _) = ask(
                &mut endpoint,
                &request("REGISTER", &user, &user, serial, ""),
            );
            let challenge = said(challenge);
            assert!(challenge.starts_with("SIP/2.0 401 "), "{challenge}");
            let more = authorization(&challenge, "REGISTER", &user, password);
            let text = request("REGISTER", &user, &user, serial + 1, &more);
            match said(ask(&mut endpoint, &text).0) {
                ok if ok.starts_with("SIP/2.0 200 ") => {
                    assert!(weak, "{password}");
                    assert!(ok.contains("Expires: 120\r\n"), "{ok}");
                    assert!(ok.contains("192.0.2.66:5062;expires=120\r\n"), "{ok}");
                    taken += 1;
                }
                no => assert!(no.starts_with("SIP/2.0 403 "), "{no}"),
            }
            let probes = endpoint.take_probes();
            assert!(!probes[0].proven && probes[1].proven);
        }
    }
    assert!((10..=30).contains(&taken), "a third of 60: {taken}");
}

#[test]
fn a_nonce_is_for_the_address_it_was_sent_to_and_for_minutes() {
    let mut endpoint = endpoint();
    let challenge = said(ask(&mut endpoint, &request("REGISTER", "100", "100", 1, "")).0);
    let more = authorization(&challenge, "REGISTER", "100", "x");
    let text = request("REGISTER", "100", "100", 2, &more);
    let elsewhere = "203.0.113.9:5062".parse().expect("address");
    drop(endpoint.receive(text.as_bytes(), elsewhere, NOW));
    let stale = said(ask_at(&mut endpoint, &text, NOW.plus_secs(601)).0);
    assert!(stale.contains("stale=true"), "{stale}");
    ask(&mut endpoint, &text);
    let proven: Vec<bool> = endpoint.take_probes().iter().map(|p| p.proven).collect();
    assert_eq!(proven, [false, false, false, true]);
}

/// An extension that may call, or may not, without a password.
fn extension(open: bool) -> String {
    let mut endpoint = endpoint();
    (100..200)
        .map(|user: u32| user.to_string())
        .find(|user| {
            let sdp = format!("Subject: {}\r\n", "x".repeat(600));
            let serial = user.parse().expect("digits");
            let text = request("INVITE", user, "442079460000", serial, &sdp);
            (status(ask(&mut endpoint, &text).0) == 180) == open
        })
        .expect("both kinds are there")
}

#[test]
fn a_call_of_an_open_extension_rings_and_ends_and_is_recorded_once() {
    let mut endpoint = endpoint();
    let more = format!(
        "P-Received: 10.1.1.1\r\nX-TFPS: a@b.example\r\nP-UA: Phone\r\nSubject: {}\r\n",
        "x".repeat(600)
    );
    let text = request("INVITE", &extension(true), "900442079460000", 1, &more);
    let (packet, asked) = ask(&mut endpoint, &text);
    assert_eq!(status(packet.clone()), 180);
    let asked = asked.expect("a call");
    assert!(
        asked.attempt.signs.has(Sign::SourceNotShown),
        "its address is not proved"
    );
    let attempt = asked.attempt;
    assert_eq!(attempt.ingress, Ingress::Honeypot);
    assert_eq!(attempt.dialed, "900442079460000");
    assert_eq!(attempt.user_agent, "friendly-scanner");
    // Nobody speaks for anybody here.
    assert_eq!(attempt.source_ip, source().ip());
    assert_eq!(attempt.policy_user, None);
    let (again, asked) = ask(&mut endpoint, &text);
    assert_eq!(
        (again, asked),
        (packet, None),
        "the same bytes, no other call"
    );
    let due = endpoint.next_due().expect("it rings");
    let secs = due.seconds_since(NOW);
    assert!((3.0..=9.0).contains(&secs), "{secs}");
    assert!(endpoint.due(due.plus_secs(-1)).is_empty());
    let last = endpoint.due(due);
    let code = status(last.first().cloned());
    assert!([404, 480, 486, 503].contains(&code), "{code}");
    assert_eq!(status(ask_at(&mut endpoint, &text, due).0), code);
    assert_eq!(endpoint.next_due(), None);
    let ack = request("ACK", "100", "900442079460000", 1, "");
    assert!(ask(&mut endpoint, &ack).0.is_none());
}

#[test]
fn a_cancelled_call_ends_as_such() {
    let mut endpoint = endpoint();
    let more = format!("Subject: {}\r\n", "x".repeat(600));
    let user = extension(true);
    let text = request("INVITE", &user, "442079460000", 1, &more);
    assert_eq!(status(ask(&mut endpoint, &text).0), 180);
    let cancel = request("CANCEL", &user, "442079460000", 1, "");
    assert_eq!(status(ask(&mut endpoint, &cancel).0), 200);
    assert_eq!(status(endpoint.due(NOW).first().cloned()), 487);
    let unknown = request("CANCEL", &user, "442079460000", 2, "");
    assert_eq!(status(ask(&mut endpoint, &unknown).0), 481);
}

#[test]
fn other_extensions_must_show_a_password_which_proves_their_address() {
    let mut endpoint = endpoint();
    let user = extension(false);
    let (packet, asked) = ask(
        &mut endpoint,
        &request("INVITE", &user, "442079460000", 1, ""),
    );
    assert!(asked.is_some(), "recorded all the same");
    let challenge = said(packet);
    assert!(challenge.starts_with("SIP/2.0 401 "), "{challenge}");
    let more = authorization(&challenge, "INVITE", &user, "kW9!rqLz0");
    let (packet, asked) = ask(
        &mut endpoint,
        &request("INVITE", &user, "442079460000", 2, &more),
    );
    assert_eq!(status(packet), 403);
    assert!(
        !asked
            .expect("a call")
            .attempt
            .signs
            .has(Sign::SourceNotShown)
    );
}

#[test]
fn a_source_that_asks_too_often_is_not_heard_and_ringing_is_bounded() {
    let mut endpoint = endpoint_of(10);
    let heard = (0..1_000)
        .filter(|&n| {
            ask(&mut endpoint, &request("OPTIONS", "100", "100", n, ""))
                .0
                .is_some()
        })
        .count();
    assert_eq!(heard, 20, "two seconds' worth");
    let text = request("OPTIONS", "100", "100", 5_000, "");
    assert!(ask_at(&mut endpoint, &text, NOW.plus_secs(1)).0.is_some());

    let mut endpoint = self::endpoint();
    let user = extension(true);
    let more = format!("Subject: {}\r\n", "x".repeat(600));
    let ringing = (0..100)
        .filter(|&n| {
            let text = request("INVITE", &user, "442079460000", n, &more);
            status(ask(&mut endpoint, &text).0) == 180
        })
        .count();
    assert_eq!(ringing, 8);
}

#[test]
fn who_is_connected_has_his_address_and_is_told_everything() {
    let mut endpoint = endpoint();
    let text = request("OPTIONS", "100", "100", 1, "");
    let told = endpoint.receive_by(Arrived::Connected, text.as_bytes(), source(), NOW);
    let Outcome::Reply { packet, .. } = told else {
        panic!("{told:?}");
    };
    assert!(packet.bytes.len() > text.len());
    assert!(endpoint.take_probes()[0].proven);
    let text = request("INVITE", &extension(true), "442079460000", 2, "");
    let told = endpoint.receive_by(Arrived::Connected, text.as_bytes(), source(), NOW);
    let Outcome::Decide(call) = told else {
        panic!("{told:?}");
    };
    assert!(!call.asked.attempt.signs.has(Sign::SourceNotShown));
    let neutral = Answer::Neutral(NeutralAnswer::ServiceUnavailable);
    let code = status(endpoint.complete(&call.pending, &neutral));
    assert!(
        [404, 480, 486, 503].contains(&code),
        "{code}: it ends at once"
    );
}

#[test]
fn every_machine_has_other_extensions() {
    let weak = |key: u8| {
        let persona = endpoint().honeypot.expect("one").persona;
        let honeypot = Honeypot::new(persona, Secret::new([key; 16]));
        (0u32..64)
            .map(|n| honeypot.secret.draw(b"open", n.to_string().as_bytes()) % 4)
            .collect::<Vec<_>>()
    };
    assert_eq!(weak(1), weak(1));
    assert_ne!(weak(1), weak(2));
}
