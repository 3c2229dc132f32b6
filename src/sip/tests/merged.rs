//! Copies of one request by several ways (RFC 3261 section 8.2.2.2), and credentials.

use super::*;
use crate::domain::Proof;
use crate::sip::attempt::{MAX_CREDENTIAL, MAX_CREDENTIALS};

fn copy(text: &str) -> Vec<u8> {
    wire(&text.replace("z9hG4bK-first", "z9hG4bK-other-way"))
}

fn status_of(outcome: Outcome<'_>) -> (u16, &'static str) {
    match outcome {
        Outcome::Reply { status, reason, .. } => (status.code(), reason),
        Outcome::Decide(_) => (1, "decide"),
        Outcome::Retransmission(_) => (1, "retransmission"),
        Outcome::Absorb => (0, "absorbed"),
        Outcome::Drop(reason) => (0, reason),
    }
}

#[test]
fn a_copy_is_refused_until_the_first_is_acknowledged() {
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

#[test]
fn what_is_no_copy() {
    let table = [
        ("CSeq: 1 INVITE", "CSeq: 2 INVITE"),
        ("tag=a73kszlfl", "tag=another"),
        ("Call-ID: 1j", "Call-ID: 2j"),
    ];
    for (from, to) in table {
        let mut endpoint = endpoint(Ingress::Prevention);
        let (first, other) = (wire(INVITE), copy(&INVITE.replace(from, to)));
        call(&mut endpoint, &first);
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

#[test]
fn a_forked_copy_is_never_merged_and_a_lost_ack_does_not_last() {
    let (first, second) = (wire(INVITE), copy(INVITE));
    let mut detection = endpoint(Ingress::Detection);
    call(&mut detection, &first);
    call(&mut detection, &second);
    let mut prevention = endpoint(Ingress::Prevention);
    call(&mut prevention, &first);
    let later = now().plus_secs(TRANSACTION_LIFETIME_SECS);
    let outcome = prevention.receive(&second, source(), later);
    assert_eq!(status_of(outcome), (1, "decide"));
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
