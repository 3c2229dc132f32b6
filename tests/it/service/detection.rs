//! The free port by the real service: one neutral answer whatever comes, or none, by who asks.

use std::fs;
use std::io::{Read, Write};

use crate::support::{Message, Phone, StreamPhone, TestService, connect, eventually};

const NUMBER: &str = "5548987654321";

/// INVITEs that prevention would answer with a 4xx or 505.
fn odd(phone: &Phone) -> Vec<Message> {
    let invite = || phone.invite(NUMBER);
    let started = |from: &str, to: &str| {
        let mut request = invite();
        request.start = request.start.replacen(from, to, 1);
        request
    };
    let tagged = format!("<sip:{NUMBER}@tfps>;tag=known");
    vec![
        invite().changed("CSeq", "one INVITE"),
        invite().changed("Max-Forwards", "many"),
        invite().changed("Max-Forwards", "0"),
        invite().changed("From", "<nobody"),
        invite().changed("To", tagged),
        invite().with("Require", "telepathy"),
        invite().with("Call-ID", "another"),
        started("SIP/2.0", "SIP/7.0"),
        started("sip:", "http:"),
        started(NUMBER, "A00"),
        started(&format!("{NUMBER}@"), ""),
    ]
}

#[test]
fn every_invite_gets_the_neutral_answer_whatever_is_wrong_with_it() {
    let service = TestService::start_on_shared("detection_odd");
    let phone = Phone::new(service.detection());
    for request in odd(&phone) {
        let answer = phone.ask_only(&request);
        assert_eq!(answer.status(), Some(503), "{request}");
        assert_eq!(answer.header("Retry-After"), None);
    }
    // On a stream that cannot be read on.
    let mut stream = connect(service.detection());
    let endless = phone.invite(NUMBER).to_string();
    let endless = endless.replace("Content-Length: 0\r\n", "");
    stream.write_all(endless.as_bytes()).expect("written");
    let mut said = String::new();
    stream.read_to_string(&mut said).expect("closed");
    assert!(said.starts_with("SIP/2.0 503 "), "{said}");
}

#[test]
fn other_methods_have_their_answers() {
    let service = TestService::start_on_shared("detection_methods");
    let phone = Phone::new(service.detection());
    let invite = phone.invite(NUMBER);
    assert_eq!(phone.ask(&invite).status(), Some(503));
    let cancelled = phone.ask_only(&invite.as_method("CANCEL"));
    assert_eq!(cancelled.status(), Some(200));
    for (method, status) in [
        ("OPTIONS", 200),
        ("REGISTER", 403),
        ("BYE", 481),
        ("SUBSCRIBE", 405),
    ] {
        let request = phone.invite(NUMBER).as_method(method);
        assert_eq!(phone.ask_only(&request).status(), Some(status));
    }
    // Each copy is a call of its own.
    let copy = invite.by_another_way();
    assert_eq!(phone.ask(&copy).status(), Some(503));
    assert_eq!(service.decided(), 2);
}

/// Sends one of everything, then waits until it was dealt with.
fn send_everything(service: &TestService, phone: &Phone) {
    let counted = || {
        [
            "tfps_calls_total",
            "tfps_rejected_total",
            "tfps_dropped_total",
        ]
        .map(|name| service.metric(name, &["ingress=\"detection\""]))
        .iter()
        .sum::<u64>()
    };
    let mut requests = odd(phone);
    let methods = ["OPTIONS", "REGISTER", "BYE", "SUBSCRIBE", "CANCEL"];
    requests.extend(methods.map(|method| phone.invite(NUMBER).as_method(method)));
    requests.push(phone.invite(NUMBER));
    // The last one alone: when it is counted, the answers to those before it are sent.
    let last = requests.pop().expect("one");
    for batch in [requests, vec![last]] {
        let expected = counted() + batch.len() as u64;
        for request in &batch {
            phone.send(request.to_string().as_bytes());
        }
        eventually("all is counted", || (counted() == expected).then_some(()));
    }
}

#[test]
fn a_silent_port_says_nothing_at_all() {
    let service = TestService::prepare_on_shared("detection_silent")
        .with("TFPS_DETECTION__ANSWER", "silent")
        .started();
    let phone = Phone::new(service.detection());
    send_everything(&service, &phone);
    phone.heard_nothing();

    let mut stream = connect(service.detection());
    let options = phone.invite(NUMBER).as_method("OPTIONS").to_string();
    let invite = phone.invite(NUMBER).to_string();
    let all = format!("\r\n\r\n{options}{invite}");
    stream.write_all(all.as_bytes()).expect("written");
    stream
        .shutdown(std::net::Shutdown::Write)
        .expect("shut down");
    let mut said = String::new();
    stream.read_to_string(&mut said).expect("closed");
    assert_eq!(said, "");
    // What is told nothing is looked at all the same: four of the odd ones, and two.
    let decided = service.decided();
    assert_eq!(decided, 6);
    eventually("they are rows", || {
        (service.number("SELECT count() FROM calls") == Some(decided)).then_some(())
    });
}

#[test]
fn the_answer_is_that_of_the_peer() {
    let service = TestService::prepare_on_shared("detection_peers");
    let file = service.folder().join("tfps.toml");
    let toml = "[detection]\nanswer = 599\n\
                [[detection.peers]]\nnetwork = \"127.0.0.0/24\"\nanswer = 487\n\
                [[detection.peers]]\nnetwork = \"127.0.0.2\"\nanswer = \"silent\"\n\
                [[detection.peers]]\nnetwork = \"127.0.1.0/24\"\nanswer = \"580\"\n";
    fs::write(&file, toml).expect("written");
    let service = service
        .with("TFPS_CONFIG", &file.to_string_lossy())
        .started();
    for (own, status) in [("127.0.0.1", 487), ("127.0.1.1", 580), ("127.0.2.1", 599)] {
        let phone = Phone::from_address(own, service.detection());
        assert_eq!(phone.call(NUMBER).status(), Some(status), "{own}");
        let wrong = phone.invite(NUMBER).changed("CSeq", "one INVITE");
        assert_eq!(phone.ask_only(&wrong).status(), Some(status), "{own}");
    }
    let mirror = Phone::from_address("127.0.0.2", service.detection());
    send_everything(&service, &mirror);
    mirror.heard_nothing();
    let over_tcp = StreamPhone::connect(service.detection()).call(NUMBER);
    assert_eq!(over_tcp.status(), Some(487));
}
