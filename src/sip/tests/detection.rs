//! Forked copies: whatever is odd about one, its answer is the neutral one, or none.

use super::*;
use crate::domain::{NeutralAnswer, NeutralAnswers};

fn answering(answer: NeutralAnswer) -> Endpoint {
    let own = "192.0.2.0/24".parse().expect("a network");
    let others = NeutralAnswer::Unspecified;
    endpoint(Ingress::Detection).with_neutral(NeutralAnswers::new(others, [(own, answer)]))
}

/// INVITEs that a customer's softswitch would get a 4xx or 505 for.
fn odd() -> Vec<Vec<u8>> {
    [
        ("1 INVITE", "1 BYE"),
        ("Max-Forwards: 69", "Max-Forwards: x"),
        ("9090 SIP/2.0", "9090 SIP/7.0"),
        ("From:", "X-From:"),
        ("P-Calls: 3", "P-Calls\n : 3"),
        ("INVITE sip:55", "INVITE http:55"),
        (":9090>", ":9090>;tag=known"),
    ]
    .into_iter()
    .map(|(from, to)| {
        assert!(INVITE.contains(from), "{from}");
        wire(&INVITE.replacen(from, to, 1))
    })
    .collect()
}

#[test]
fn an_odd_copy_gets_the_neutral_answer_of_its_peer() {
    let elsewhere = "203.0.113.1:5060".parse().expect("address");
    for datagram in odd() {
        let mut endpoint = answering(NeutralAnswer::RequestTerminated);
        for (source, status) in [(source(), 487), (elsewhere, 599)] {
            let Outcome::Reply { packet, .. } = endpoint.receive(&datagram, source, now()) else {
                panic!("an answer to {}", text(&datagram));
            };
            let answer = text(&packet.bytes);
            assert!(
                answer.starts_with(&format!("SIP/2.0 {status} ")),
                "{answer}"
            );
            assert!(!answer.contains("Retry-After"), "{answer}");
        }
    }
}

#[test]
fn a_stream_that_breaks_at_a_copy_ends_with_the_neutral_answer() {
    let datagram = wire(INVITE);
    let endpoint = answering(NeutralAnswer::RequestTerminated);
    let Outcome::Reply { status, reason, .. } =
        endpoint.refuse(&datagram, source(), Malformed::NoLength)
    else {
        panic!("an answer");
    };
    assert_eq!((status.code(), reason), (487, "no-content-length"));
}

#[test]
fn what_is_decided_is_so_whatever_it_requires() {
    for (from, to) in [
        ("Contact:", "Require: telepathy\nContact:"),
        ("Max-Forwards: 69", "Max-Forwards: 0"),
        ("INVITE sip:55", "INVITE sip:A0055"),
    ] {
        let message = wire(&INVITE.replacen(from, to, 1));
        assert_eq!(outcome_of(Ingress::Detection, &message), (1, "decide"));
    }
}

/// A mirror's packets carry the addresses of others: whoever they are, they are told nothing.
#[test]
fn silence_is_kept_whatever_is_sent() {
    let mut endpoint = answering(NeutralAnswer::Silent);
    assert!(endpoint.is_silent(source()));
    let methods = ["REGISTER", "BYE", "OPTIONS", "CANCEL", "SUBSCRIBE", "ACK"];
    let methods = methods.map(|method| wire(&method_text(method)));
    for datagram in odd().iter().chain(&methods) {
        let outcome = endpoint.receive(datagram, source(), now());
        let silent = matches!(outcome, Outcome::Drop(_) | Outcome::Absorb);
        assert!(silent, "{outcome:?} to {}", text(datagram));
    }
    let broken = endpoint.refuse(&methods[0], source(), Malformed::NoLength);
    assert!(matches!(broken, Outcome::Drop("no-content-length")));

    let datagram = wire(INVITE);
    let decided = call(&mut endpoint, &datagram);
    let silent = Answer::Neutral(NeutralAnswer::Silent);
    assert_eq!(endpoint.complete(&decided.pending, &silent), None);
    let again = endpoint.receive(&datagram, source(), now());
    assert!(matches!(again, Outcome::Retransmission(p) if endpoint.resend(&p).is_none()));
}

/// Who is not silent answers what is no INVITE as everywhere.
#[test]
fn other_methods_have_their_answers() {
    for (method, status) in [("OPTIONS", 200), ("REGISTER", 403), ("BYE", 481)] {
        let datagram = wire(&method_text(method));
        assert_eq!(outcome_of(Ingress::Detection, &datagram).0, status);
    }
}
