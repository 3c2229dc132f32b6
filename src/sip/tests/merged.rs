//! Copies of one request by several ways (RFC 3261 section 8.2.2.2), and credentials.

use super::*;
use crate::domain::{Check, Proof};
use crate::sip::attempt::{MAX_CREDENTIAL, MAX_CREDENTIALS};

fn copy(text: &str) -> Vec<u8> {
    wire(&text.replace("z9hG4bK-first", "z9hG4bK-other-way"))
}

fn status_of(outcome: Outcome<'_>) -> (u16, &'static str) {
    match outcome {
        Outcome::Reply { status, reason, .. } => (status.code(), reason),
        Outcome::Decide(_) => (1, "decide"),
        Outcome::Copy(_) => (1, "copy"),
        Outcome::Retransmission(_) => (1, "retransmission"),
        Outcome::Absorb => (0, "absorbed"),
        Outcome::Drop(reason) => (0, reason),
    }
}

fn refusal(number: &str) -> Answer {
    let Answer::Redirect { host, .. } = redirect(number) else {
        panic!("a redirect");
    };
    Answer::Redirect {
        code: Code::Refused(Check::R03),
        number: number.to_owned(),
        host,
        score: None,
    }
}

#[test]
fn a_copy_of_an_approval_is_told_so_until_the_first_is_acknowledged() {
    let (first, second, third) = (
        wire(INVITE),
        copy(INVITE),
        wire(&INVITE.replace("z9hG4bK-first", "z9hG4bK-third")),
    );
    let mut endpoint = endpoint(Ingress::Prevention);
    let decided = call(&mut endpoint, &first);
    endpoint.complete(&decided.pending, &redirect("55"));
    let outcome = endpoint.receive(&second, source(), now());
    assert_eq!(status_of(outcome), (482, "merged"));

    let ack = copy(&method_text("ACK"));
    assert_eq!(
        status_of(endpoint.receive(&ack, source(), now())),
        (0, "absorbed")
    );
    let outcome = endpoint.receive(&third, source(), now());
    assert_eq!(
        status_of(outcome),
        (482, "merged"),
        "the ACK was of the copy"
    );

    let ack = wire(&method_text("ACK"));
    assert_eq!(
        status_of(endpoint.receive(&ack, source(), now())),
        (0, "absorbed")
    );
    let Outcome::Retransmission(pending) = endpoint.receive(&second, source(), now()) else {
        panic!("the copy was answered");
    };
    let again = endpoint.resend(&pending).expect("the same answer");
    assert_eq!(read(&again.bytes).status_code.code(), 482);
    let fourth = wire(&INVITE.replace("z9hG4bK-first", "z9hG4bK-fourth"));
    let outcome = endpoint.receive(&fourth, source(), now());
    assert_eq!(status_of(outcome), (1, "decide"));
}

/// Asked twice, a refusal must not become something that a softswitch takes for no decision.
#[test]
fn a_copy_of_a_refusal_is_refused_the_same() {
    for (refusal, status) in [
        (refusal("55"), 302),
        (Answer::Decline(Code::Refused(Check::R11)), 603),
    ] {
        let (first, second) = (wire(INVITE), copy(INVITE));
        let mut endpoint = endpoint(Ingress::Prevention);
        let decided = call(&mut endpoint, &first);
        let told = endpoint.complete(&decided.pending, &refusal);
        let told = told.expect("an answer");
        let Outcome::Reply { packet, reason, .. } = endpoint.receive(&second, source(), now())
        else {
            panic!("answered at once");
        };
        assert_eq!(read(&packet.bytes).status_code.code(), status);
        assert_eq!(reason, "merged-refused");
        for name in ["Contact", "Call-ID", "CSeq"] {
            let (first, second) = (lines_of(&told.bytes, name), lines_of(&packet.bytes, name));
            assert_eq!(first, second);
        }
        let branch = &lines_of(&packet.bytes, "Via")[0];
        assert!(branch.contains("z9hG4bK-other-way"), "{branch}");
        let again = endpoint.receive(&second, source(), now());
        assert!(
            matches!(again, Outcome::Retransmission(p) if endpoint.resend(&p) == Some(packet)),
            "the copy has its own retransmissions"
        );
    }
}

/// Nobody who was not asked for a decision, or got none, makes a copy of the next.
#[test]
fn what_was_not_decided_has_no_copies() {
    let challenge = crate::domain::Challenge {
        realm: "itsp.example".into(),
        nonce: "n".into(),
        stale: false,
        algorithms: [crate::domain::DigestAlgorithm::Md5].into(),
    };
    for answer in [
        Answer::Forbidden,
        Answer::Busy { retry_after: 1 },
        Answer::Challenge(challenge),
    ] {
        let (first, second) = (wire(INVITE), copy(INVITE));
        let mut endpoint = endpoint(Ingress::Prevention);
        let decided = call(&mut endpoint, &first);
        assert!(endpoint.complete(&decided.pending, &answer).is_some());
        let outcome = endpoint.receive(&second, source(), now());
        assert_eq!(status_of(outcome), (1, "decide"), "{answer:?}");
    }
}

#[test]
fn a_copy_within_the_batch_waits_for_the_first() {
    let (first, second) = (wire(INVITE), copy(INVITE));
    for (answer, expected) in [
        (Some(redirect("55")), Some((482, "merged"))),
        (Some(refusal("55")), Some((302, "merged-refused"))),
        (Some(Answer::Forbidden), None),
        (None, None),
    ] {
        let mut endpoint = endpoint(Ingress::Prevention);
        let decided = call(&mut endpoint, &first);
        let Outcome::Copy(waiting) = endpoint.receive(&second, source(), now()) else {
            panic!("a copy");
        };
        match &answer {
            Some(answer) => drop(endpoint.complete(&decided.pending, answer)),
            None => endpoint.abandon(&decided.pending),
        }
        let settled = endpoint.settle(&waiting, now()).map(status_of);
        assert_eq!(settled, expected, "{answer:?}");
    }
}

#[test]
fn what_is_no_copy() {
    let table = [
        ("CSeq: 1 INVITE", "CSeq: 2 INVITE"),
        ("tag=a73kszlfl", "tag=another"),
        ("Call-ID: 1j", "Call-ID: 2j"),
        ("INVITE sip:55", "INVITE sip:56"),
        ("sip:alice@", "sip:mallory@"),
        ("X-TFPS: ", "X-TFPS: silver"),
        ("P-Received: 203.0.113.77", "P-Received: 203.0.113.78"),
        ("P-UA: ", "P-UA: Another "),
        ("P-Calls: 3", "Authorization: Digest x"),
    ];
    for (from, to) in table {
        assert!(INVITE.contains(from), "{from}");
        let mut endpoint = endpoint(Ingress::Prevention);
        let (first, other) = (wire(INVITE), copy(&INVITE.replace(from, to)));
        let decided = call(&mut endpoint, &first);
        endpoint.complete(&decided.pending, &redirect("55"));
        let outcome = endpoint.receive(&other, source(), now());
        assert_eq!(status_of(outcome), (1, "decide"), "{to}");
    }
    let old = INVITE.replace(";tag=a73kszlfl", "");
    let mut endpoint = endpoint(Ingress::Prevention);
    let (first, other) = (wire(&old), copy(&old));
    call(&mut endpoint, &first);
    let outcome = endpoint.receive(&other, source(), now());
    assert_eq!(status_of(outcome), (1, "decide"), "no From tag");
}

/// A caller who asks the service himself, in the name of the softswitch he is going to call by.
#[test]
fn what_another_address_asked_says_nothing_of_this_one() {
    let elsewhere = "198.51.100.66:5060".parse().expect("address");
    let (first, same, other) = (wire(INVITE), wire(INVITE), copy(INVITE));
    let mut endpoint = endpoint(Ingress::Prevention);
    let Outcome::Decide(decided) = endpoint.receive(&first, elsewhere, now()) else {
        panic!("a call");
    };
    endpoint.complete(&decided.pending, &redirect("55"));
    for datagram in [&same, &other] {
        let mut moved = call(&mut endpoint, datagram);
        assert_ne!(moved.asked.attempt.id, decided.asked.attempt.id);
        moved.asked.attempt.id = decided.asked.attempt.id;
        endpoint.abandon(&moved.pending);
    }
    // Another port of it is the same client.
    let port = SocketAddr::new(elsewhere.ip(), 6060);
    let outcome = endpoint.receive(&same, port, now());
    assert_eq!(status_of(outcome), (1, "retransmission"));
    let mapped = SocketAddr::new("::ffff:198.51.100.66".parse().expect("address"), 1);
    let outcome = endpoint.receive(&other, mapped, now());
    assert_eq!(status_of(outcome), (482, "merged"));
}

#[test]
fn a_forked_copy_is_never_merged_and_a_lost_ack_does_not_last() {
    let (first, second) = (wire(INVITE), copy(INVITE));
    let mut detection = endpoint(Ingress::Detection);
    call(&mut detection, &first);
    call(&mut detection, &second);
    let mut prevention = endpoint(Ingress::Prevention);
    let decided = call(&mut prevention, &first);
    prevention.complete(&decided.pending, &redirect("55"));
    let later = now().plus_secs(TRANSACTION_LIFETIME_SECS);
    let outcome = prevention.receive(&second, source(), later);
    assert_eq!(status_of(outcome), (1, "decide"));
}

/// RFC 3261 section 26.3.2.4: asked again, it is said again.
#[test]
fn who_is_not_let_in_takes_no_memory() {
    let (datagram, cancel) = (wire(INVITE), wire(&method_text("CANCEL")));
    let mut endpoint = endpoint(Ingress::Prevention);
    for _ in 0..2 {
        let asked = call(&mut endpoint, &datagram);
        let told = endpoint.complete(&asked.pending, &Answer::Forbidden);
        assert!(told.is_some());
    }
    let outcome = endpoint.receive(&cancel, source(), now());
    assert_eq!(status_of(outcome), (481, "cancel-unknown"));
}

fn proof_of(headers: &str) -> (Option<Proof>, Vec<&'static str>) {
    let datagram = wire(&INVITE.replace("P-Calls: 3", &format!("{headers}P-Calls: 3")));
    let call = call(&mut endpoint(Ingress::Prevention), &datagram);
    (call.asked.proof.clone(), call.bad_headers.clone())
}

#[test]
fn credentials_travel_with_the_call() {
    assert_eq!(proof_of(""), (None, vec![]));
    let (proof, bad) = proof_of(
        "Authorization: Digest username=\"a\",\n realm=\"b\"\n\
         Proxy-Authorization: Digest x\nauthorization : Basic y\n",
    );
    let proof = proof.expect("credentials");
    assert_eq!(proof.method, "INVITE");
    assert_eq!(
        proof.authorization,
        ["Digest username=\"a\",   realm=\"b\"", "Basic y"]
    );
    assert!(bad.is_empty());
}

#[test]
fn credentials_are_bounded_in_number_and_length() {
    let longest = "x".repeat(MAX_CREDENTIAL);
    let header = format!("Authorization: {longest}\n");
    // Number by number: all of the longest would not fit into a message.
    let (proof, bad) = proof_of(&header);
    assert_eq!(proof.expect("one").authorization, [longest]);
    assert!(bad.is_empty());
    let (proof, bad) = proof_of(&header.replace(": ", ": x"));
    assert_eq!((proof, bad), (None, vec!["Authorization"]));
    let (proof, bad) = proof_of(&"Authorization: x\n".repeat(MAX_CREDENTIALS + 1));
    assert_eq!(proof.expect("some").authorization.len(), MAX_CREDENTIALS);
    assert_eq!(bad, ["Authorization"]);
}
