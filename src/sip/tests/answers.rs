//! What answers look like, and where they go.

use super::*;
use crate::domain::{Check, NeutralAnswer, ScoreHeaders};

#[test]
fn an_answer_copies_what_it_must_and_says_where_it_saw_the_peer() {
    let datagram = wire(INVITE);
    let mut endpoint = endpoint(Ingress::Prevention);
    let call = call(&mut endpoint, &datagram);
    let answer = Answer::Redirect {
        code: Code::Refused(Check::R03),
        number: "55 48#\r\nEvil: 1".into(),
        host: "2001:db8::5".into(),
        score: Some(ScoreHeaders {
            score: 0.9731,
            reasons: "new-country,burst-1m\r\nEvil: 2".into(),
        }),
    };
    let packet = endpoint
        .complete(&call.pending, &answer)
        .expect("an answer");
    assert_eq!(packet.to, source(), "rport asked for the source port");
    let tag = lines_of(&packet.bytes, "To")[0]
        .rsplit_once(";tag=")
        .expect("tag")
        .1
        .to_owned();
    assert_eq!(tag.len(), 16);
    let expected = format!(
        "SIP/2.0 302 Moved Temporarily\n\
         Via: SIP/2.0/UDP 192.0.2.7:5080;branch=z9hG4bK-first;rport=40000;received=192.0.2.7\n\
         Via: SIP/2.0/UDP 198.51.100.4:5060;branch=z9hG4bK-below;received=203.0.113.9\n\
         From: \"Alice, \\\"the\\\" caller\" <sip:alice@ITSP.example:5070>;tag=a73kszlfl\n\
         To: <sip:5548987654321@192.0.2.10:9090>;tag={tag}\n\
         Call-ID: 1j9FpLxk3uxtm8tn@192.0.2.7\n\
         CSeq: 1 INVITE\n\
         Contact: <sip:R0355%2048%23%0D%0AEvil:%201@[2001:db8::5]>\n\
         P-TFPS-Score: 0.973\n\
         P-TFPS-Reason: new-country,burst-1m  Evil: 2\n\
         Server: TFPS\n\
         Content-Length: 0\n\n"
    )
    .replace("Evil:%", "Evil%3A%");
    assert_eq!(text(&packet.bytes), text(&wire(&expected)));
}

#[test]
fn answers_without_rport_go_to_the_port_of_sent_by_and_lists_of_vias_stay_lists() {
    let datagram = wire(COMPACT);
    let mut endpoint = endpoint(Ingress::Prevention);
    let call = call(&mut endpoint, &datagram);
    let packet = endpoint
        .complete(&call.pending, &redirect("1"))
        .expect("an answer");
    assert_eq!(packet.to.to_string(), "192.0.2.7:4000");
    assert_eq!(
        lines_of(&packet.bytes, "Via"),
        [
            "SIP/2.0/UDP first.example:4000;branch=z9hG4bKcompact;received=192.0.2.7, SIP/2.0/UDP second.example"
        ]
    );
    assert_eq!(
        lines_of(&packet.bytes, "CSeq"),
        ["0009    INVITE"],
        "unfolded"
    );
}

#[test]
fn every_answer_of_the_domain_has_its_status() {
    let table = [
        (Answer::Decline(Code::A00), Some(503)),
        (Answer::Decline(Code::Refused(Check::R15)), Some(603)),
        (
            Answer::Neutral(NeutralAnswer::ServiceUnavailable),
            Some(503),
        ),
        (Answer::Neutral(NeutralAnswer::RequestTerminated), Some(487)),
        (
            Answer::Neutral(NeutralAnswer::PreconditionFailure),
            Some(580),
        ),
        (Answer::Neutral(NeutralAnswer::Unspecified), Some(599)),
        (Answer::Neutral(NeutralAnswer::Silent), None),
        (Answer::Forbidden, Some(403)),
        (redirect("1"), Some(302)),
    ];
    for (answer, status) in table {
        let datagram = wire(INVITE);
        let mut endpoint = endpoint(Ingress::Prevention);
        let call = call(&mut endpoint, &datagram);
        let packet = endpoint.complete(&call.pending, &answer);
        let found = packet.as_ref().map(|p| read(&p.bytes).status_code.code());
        assert_eq!(found, status, "{answer:?}");
        if let Some(packet) = &packet {
            assert!(!text(&packet.bytes).contains("Retry-After"));
        }
        let again = match endpoint.receive(&datagram, source(), now()) {
            Outcome::Retransmission(pending) => endpoint.resend(&pending),
            // Not remembered, and said again.
            Outcome::Decide(call) if answer == Answer::Forbidden => {
                endpoint.complete(&call.pending, &answer)
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(again, packet);
    }
}

#[test]
fn options_and_unknown_methods_say_what_is_allowed() {
    for (method, accept) in [("OPTIONS", true), ("PUBLISH", false)] {
        let datagram = wire(&method_text(method));
        let Outcome::Reply { packet, .. } =
            endpoint(Ingress::Prevention).receive(&datagram, source(), now())
        else {
            panic!("{method} is answered");
        };
        assert_eq!(
            lines_of(&packet.bytes, "Allow"),
            ["INVITE, ACK, CANCEL, OPTIONS"]
        );
        assert_eq!(!lines_of(&packet.bytes, "Accept").is_empty(), accept);
    }
    let datagram = wire(&INVITE.replace("Contact:", "Require: 100rel, telepathy,x\nContact:"));
    let Outcome::Reply { packet, .. } =
        endpoint(Ingress::Prevention).receive(&datagram, source(), now())
    else {
        panic!("420");
    };
    assert_eq!(lines_of(&packet.bytes, "Unsupported"), ["telepathy, x"]);
}
