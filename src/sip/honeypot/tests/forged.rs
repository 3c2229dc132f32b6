//! Packets with somebody else's address on them.

use super::*;
use crate::domain::{Sign, SignGroup, Signs};

/// The same transaction, with as much in it as there is room for, and with as little.
fn long_and_short(user: &str) -> [String; 2] {
    let display = "x".repeat(8_000);
    let invite = request("INVITE", user, "442079460000", 1, "");
    let to = format!("To: \"{user}\"");
    let long = invite.replace(&to, &format!("To: \"{display}\""));
    [long, invite]
}

#[test]
fn a_shorter_retransmission_gets_no_more_than_it_sent() {
    for open in [true, false] {
        let [long, short] = long_and_short(&extension(open));
        let mut endpoint = endpoint();
        let (first, _) = ask(&mut endpoint, &long);
        assert!(first.expect("there is room").bytes.len() > 8_000);
        for _ in 0..10 {
            let (again, asked) = ask(&mut endpoint, &short);
            assert_eq!((again, asked), (None, None), "and it is no other call");
        }
        assert!(ask(&mut endpoint, &long).0.is_some());
        endpoint.due(NOW.plus_secs(60));
        assert_eq!(ask(&mut endpoint, &short).0, None);
    }
}

#[test]
fn what_was_said_over_a_connection_is_not_said_again_to_a_datagram() {
    let mut endpoint = endpoint();
    let [long, short] = long_and_short(&extension(true));
    let told = endpoint.receive_by(Arrived::Connected, long.as_bytes(), source(), NOW);
    let Outcome::Decide(call) = told else {
        panic!("{told:?}");
    };
    let neutral = Answer::Neutral(NeutralAnswer::ServiceUnavailable);
    assert!(endpoint.complete(&call.pending, &neutral).is_some());
    assert_eq!(ask(&mut endpoint, &short).0, None);
}

#[test]
fn answers_go_where_the_request_came_from() {
    for method in ["OPTIONS", "REGISTER", "INVITE", "MESSAGE"] {
        let mut endpoint = endpoint();
        let more = format!("Subject: {}\r\n", "x".repeat(600));
        let text = request(method, &extension(true), "442079460000", 1, &more)
            .replace(";rport", ";rport;maddr=203.0.113.5");
        let (packet, _) = ask(&mut endpoint, &text);
        let packet = packet.expect("an answer");
        assert_eq!(packet.address(|_| true), source(), "{method}");
    }
}

#[test]
fn a_call_tells_whether_its_source_was_shown() {
    let signs = |how| -> Signs {
        let mut endpoint = endpoint();
        let text = request("INVITE", "100", "442079460000", 1, "");
        match endpoint.receive_by(how, text.as_bytes(), source(), NOW) {
            Outcome::Decide(call) => call.asked.attempt.signs,
            other => panic!("{other:?}"),
        }
    };
    let (datagram, connected) = (signs(Arrived::Datagram), signs(Arrived::Connected));
    assert!(datagram.has(Sign::SourceNotShown));
    assert!(!connected.has(Sign::SourceNotShown));
    let groups = [SignGroup::Tool, SignGroup::Media, SignGroup::Header];
    for group in groups {
        assert_eq!(datagram.count_of(group), connected.count_of(group));
    }
    assert_eq!(datagram.bits() & 1 << 14, 1 << 14);
}

#[test]
fn a_call_of_before_a_restart_is_no_other_one() {
    let mut endpoint = endpoint();
    let text = request("INVITE", "100", "442079460000", 1, "");
    let (_, asked) = ask(&mut endpoint, &text);
    let id = asked.expect("a call").attempt.id;
    let mut after = self::endpoint();
    after.recover(id, Answer::Neutral(NeutralAnswer::Silent), NOW);
    assert_eq!(ask(&mut after, &text), (None, None));
}
