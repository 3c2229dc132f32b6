//! The same service by every way in: UDP and TCP on one port, IPv4 and IPv6, SIP and HTTP.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;

use crate::support::{Load, Phone, StreamPhone, TestService, code_of, connect, eventually, get};

const NUMBER: &str = "5548987654321";

#[test]
fn a_call_over_tcp_is_a_call() {
    let service = TestService::start_on_shared("transports_tcp");
    let mut phone = StreamPhone::connect(service.prevention());
    assert_eq!(code_of(&phone.call(NUMBER)), "A00");
    // The next on the same connection, and the same request again.
    let invite = phone.invite(NUMBER);
    let first = phone.ask(&invite).to_string();
    assert_eq!(phone.ask(&invite).to_string(), first);
    let answer = StreamPhone::connect(service.detection()).call(NUMBER);
    assert_eq!(answer.status(), Some(503));
    service.wait_for_rows(3);
    let doors = service.sql("SELECT ingress, count() FROM calls GROUP BY 1 ORDER BY 1");
    let mut doors: Vec<_> = doors.lines().collect();
    doors.sort_unstable();
    assert_eq!(doors, ["detection\t1", "prevention\t2"]);
}

#[test]
fn ipv6_carries_calls_over_both() {
    let service = TestService::prepare_on_shared("transports_ipv6")
        .with("TFPS_PREVENTION__LISTEN", "[::1]:0")
        .with("TFPS_DETECTION__LISTEN", "[::]:0")
        .started();
    let answer = Phone::from_address("::1", service.prevention()).call(NUMBER);
    assert_eq!(code_of(&answer), "A00");
    let mut phone = StreamPhone::connect(service.prevention());
    assert_eq!(code_of(&phone.call(NUMBER)), "A00");
    // The wildcard serves both families.
    for ip in ["::1", "127.0.0.1"] {
        let mut to = service.detection();
        to.set_ip(ip.parse().expect("an address"));
        assert_eq!(Phone::from_address(ip, to).call(NUMBER).status(), Some(503));
        let answer = StreamPhone::connect(to).call(NUMBER);
        assert_eq!(answer.status(), Some(503));
    }
    service.wait_for_rows(6);
    let sources = service.sql("SELECT DISTINCT source_ip FROM calls WHERE ingress = 'prevention'");
    assert_eq!(sources, "::1");
}

#[test]
fn detection_tells_http_from_sip_and_prevention_speaks_no_http() {
    let service = TestService::start_on_shared("transports_http");
    let reply = get(service.detection(), "/nowhere").expect("an answer");
    assert_eq!(reply.status, 404);
    assert!(get(service.prevention(), "/").is_none(), "closed");
    eventually("the door says why", || {
        let reason = ["ingress=\"prevention\"", "reason=\"not-sip\""];
        (service.metric("tfps_connections_closed_total", &reason) == 1).then_some(())
    });
}

/// A killed service has told its peer nothing: who asks again gets what was decided.
#[test]
fn a_repeated_request_gets_the_same_answer_from_the_next_service() {
    let mut service = TestService::start_on_shared("transports_restart");
    let mut phone = StreamPhone::connect(service.prevention());
    let mut invite = phone.invite(NUMBER);
    // Without rport the answer does not depend on the port it is asked from.
    for (name, value) in &mut invite.headers {
        if name == "Via" {
            *value = value.replace(";rport", "");
        }
    }
    let first = phone.ask(&invite).to_string();
    service.kill();
    service.start_again();
    let again = StreamPhone::connect(service.prevention()).ask(&invite);
    assert_eq!(again.to_string(), first);
    assert_eq!(service.decided(), 0);
    service.wait_for_rows(1);
}

#[test]
fn a_flood_of_half_open_connections_delays_no_call() {
    const CALLS: u64 = 3_000;
    let service = TestService::prepare_on_shared("transports_flood")
        .with("TFPS_CONNECTIONS__MAX", "64")
        .started();
    // Each opens, begins to speak, and waits; as soon as one is cut off, another comes.
    let flood = |to| {
        let mut open: Vec<TcpStream> = Vec::new();
        for n in 0..600 {
            let mut stream = connect(to);
            let _ = stream.write(b"INVITE sip:1@x SIP/2.0\r\nVia: SIP/2.0/TCP x");
            if open.len() < 200 {
                open.push(stream);
            } else {
                open[n % 200] = stream;
            }
        }
        open
    };
    let load = Load::start(&service, service.prevention(), CALLS);
    let open = [flood(service.prevention()), flood(service.detection())];
    let sent = load.finish();
    assert_eq!(sent.by_status.get(&302), Some(&CALLS), "{sent:?}");
    for ingress in ["prevention", "detection"] {
        let labels = [&*format!("ingress=\"{ingress}\""), "transport=\"tcp\""];
        assert!(service.metric("tfps_connections_refused_total", &labels) > 0);
        assert!(service.metric("tfps_connections_open", &labels) <= 64);
    }
    drop(open);
    service.wait_for_rows(CALLS);
}

/// A softswitch has one address for all its customers.
#[test]
fn only_strangers_are_bounded_by_their_address() {
    let service = TestService::prepare_on_shared("transports_places")
        .with("TFPS_CONNECTIONS__MAX_PER_SOURCE", "1")
        .started();
    let mut phones: Vec<_> = (0..20)
        .map(|_| StreamPhone::connect(service.prevention()))
        .collect();
    for phone in &mut phones {
        assert_eq!(code_of(&phone.call(NUMBER)), "A00");
    }
    service.tfps_ok(&["domain", "untrust", "root", "127.0.0.0/8"]);
    let phone = Phone::new(service.prevention());
    eventually("the address is a stranger's", || {
        (phone.call(NUMBER).status() != Some(302)).then_some(())
    });
    let mut one_more = connect(service.prevention());
    let read = one_more.read(&mut [0]);
    assert!(!matches!(read, Ok(1..)), "{read:?}");
    let refused = ["reason=\"source-full\""];
    assert_eq!(
        service.metric("tfps_connections_refused_total", &refused),
        1
    );
}

#[test]
fn a_slow_peer_is_cut_off_by_the_configured_times() {
    let service = TestService::prepare_on_shared("transports_slow")
        .with("TFPS_CONNECTIONS__IDLE_SECS", "1")
        .with("TFPS_CONNECTIONS__MESSAGE_SECS", "1")
        .started();
    let (mut silent, mut slow) = (connect(service.detection()), connect(service.detection()));
    slow.write_all(b"INVITE sip:1@x").expect("written");
    for stream in [&mut silent, &mut slow] {
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).expect("closed in time");
        assert_eq!(rest, b"");
    }
    for reason in ["reason=\"idle\"", "reason=\"slow\""] {
        // Counted once it is closed.
        eventually(reason, || {
            (service.metric("tfps_connections_closed_total", &[reason]) == 1).then_some(())
        });
    }
}

/// A port that is taken for one of the two is taken for both.
#[test]
fn a_taken_tcp_port_is_told_with_its_key() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a listener");
    let address = taken.local_addr().expect("bound").to_string();
    let service =
        TestService::prepare_on_shared("transports_taken").with("TFPS_DETECTION__LISTEN", &address);
    let ended = service.tfps(&["serve"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let said = format!("tcp {address}");
    assert!(ended.stderr.contains(&said), "{ended:?}");
    assert!(ended.stderr.contains("`detection.listen`"), "{ended:?}");
    assert!(!fs::exists(service.data().join("addresses.json")).expect("looked"));
}
