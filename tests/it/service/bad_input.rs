//! What comes over UDP and is no good: answered or dropped, counted by reason, and that is all.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use crate::support::{Message, Phone, TestService, code_of, eventually};

const NUMBER: &str = "5548987654321";
/// The default receive buffer of a small machine holds so many.
const IN_FLIGHT: usize = 50;

/// Datagrams that were accounted for, in whatever way.
fn seen(service: &TestService) -> u64 {
    [
        "tfps_calls_total",
        "tfps_rejected_total",
        "tfps_dropped_total",
        "tfps_retransmissions_total",
    ]
    .into_iter()
    .map(|name| service.metric(name, &["ingress=\"prevention\""]))
    .sum()
}

/// Sends all and waits until all are accounted for.
fn send_all(service: &TestService, phone: &Phone, datagrams: &[Vec<u8>]) {
    let mut expected = seen(service);
    for chunk in datagrams.chunks(IN_FLIGHT) {
        for datagram in chunk {
            phone.send(datagram);
        }
        expected += chunk.len() as u64;
        eventually("every datagram is counted", || {
            let seen = seen(service);
            assert!(seen <= expected, "{seen} counted of {expected} sent");
            (seen == expected).then_some(())
        });
    }
}

fn assert_a_good_call_works(service: &TestService) {
    let answer = Phone::new(service.prevention()).call(NUMBER);
    assert_eq!(code_of(&answer), "A00");
}

#[test]
fn two_thousand_random_datagrams() {
    let service = TestService::start_on_shared("bad_random");
    let phone = Phone::new(service.prevention());
    let mut dice = Pcg64Mcg::seed_from_u64(2);
    let noise: Vec<Vec<u8>> = (0..1_000)
        .map(|_| {
            let length = dice.random_range(0..1_400);
            (0..length).map(|_| dice.random()).collect()
        })
        .collect();
    send_all(&service, &phone, &noise);
    assert_eq!(service.decided(), 0, "noise is no call");
    assert_a_good_call_works(&service);

    // Bytes of a good INVITE overwritten: some are still a call, none is lost from the count.
    let good = phone.invite(NUMBER).to_string().into_bytes();
    let broken: Vec<Vec<u8>> = (0..1_000)
        .map(|_| {
            let mut bytes = good.clone();
            for _ in 0..dice.random_range(1..6) {
                // Not the method: an ACK is absorbed, which nothing counts.
                let at = dice.random_range(7..bytes.len());
                bytes[at] = dice.random();
            }
            bytes
        })
        .collect();
    send_all(&service, &phone, &broken);
    assert_a_good_call_works(&service);

    let rows = service.decided();
    eventually("the calls among them are rows", || {
        (service.number("SELECT uniqExact(id) FROM calls") == Some(rows)).then_some(())
    });
    assert_eq!(service.number("SELECT count() FROM calls"), Some(rows));
}

#[test]
fn an_invite_without_via_is_dropped_by_name() {
    let service = TestService::start_on_shared("bad_via");
    let phone = Phone::new(service.prevention());
    let mut invite = phone.invite(NUMBER);
    invite.headers.retain(|(name, _)| name != "Via");
    send_all(&service, &phone, &[invite.to_string().into_bytes()]);
    assert_eq!(
        service.metric("tfps_dropped_total", &["reason=\"no-via\""]),
        1
    );
    assert_a_good_call_works(&service);
}

/// UDP over IPv4 carries 65,507 bytes: 70 kB cannot be sent, so the largest that can is.
#[test]
fn a_huge_datagram_is_dropped_by_name() {
    let service = TestService::start_on_shared("bad_size");
    let phone = Phone::new(service.prevention());
    let head = phone.invite(NUMBER).to_string().into_bytes();
    let sized = |size: usize| {
        let mut datagram = head.clone();
        datagram.resize(size, b'x');
        datagram
    };
    let refused = phone.try_send(&sized(70_000)).expect_err("70 kB");
    assert_eq!(
        refused.raw_os_error(),
        Some(90),
        "message too long: {refused}"
    );
    send_all(&service, &phone, &[sized(65_507)]);
    assert_eq!(
        service.metric("tfps_dropped_total", &["reason=\"too-large\""]),
        1
    );
    assert_a_good_call_works(&service);
    assert_eq!(service.decided(), 1);
}

#[test]
fn a_p_calls_that_is_no_count_is_taken_as_absent() {
    let service = TestService::start_on_shared("bad_calls");
    let phone = Phone::new(service.prevention());
    for value in ["-1", "abc", "99999999999999999999", "1.5", "7"] {
        let answer = phone.ask(&phone.invite(NUMBER).with("P-Calls", value));
        assert_eq!(code_of(&answer), "A00", "{value}");
    }
    assert_eq!(
        service.metric("tfps_bad_headers_total", &["name=\"P-Calls\""]),
        4
    );
    service.wait_for_rows(5);
    let kept = service.sql("SELECT concurrent FROM calls ORDER BY at");
    assert_eq!(kept, "\\N\n\\N\n\\N\n\\N\n7");
}

#[test]
fn what_is_no_call_gets_its_own_answer() {
    let service = TestService::start_on_shared("bad_method");
    let phone = Phone::new(service.prevention());
    let with_method = |method: &str| phone.invite(NUMBER).as_method(method);
    let with_header = |name: &str, value: &str| phone.invite(NUMBER).changed(name, value);
    let to = |user: &str| phone.invite(user);
    let cases: [(Message, u16, &str); 11] = [
        (with_method("OPTIONS"), 200, "options"),
        (with_method("REGISTER"), 403, "register"),
        (with_method("BYE"), 481, "bye"),
        (with_method("SUBSCRIBE"), 405, "method"),
        (to("A005548987654321"), 482, "loop"),
        (to("R035548987654321"), 482, "loop"),
        (with_header("Max-Forwards", "0"), 483, "max-forwards"),
        (with_header("Max-Forwards", "many"), 400, "bad-max-forwards"),
        (with_header("CSeq", "one INVITE"), 400, "bad-cseq"),
        (with_header("Require", "100rel, telepathy"), 420, "require"),
        (no_user(&phone), 484, "no-number"),
    ];
    for (request, status, reason) in cases {
        let answer = phone.ask(&request);
        assert_eq!(answer.status(), Some(status), "{request}");
        let labels = [
            &*format!("status=\"{status}\""),
            &*format!("reason=\"{reason}\""),
        ];
        assert!(
            service.metric("tfps_rejected_total", &labels) > 0,
            "{reason} is not counted"
        );
    }
    assert_eq!(service.decided(), 0);
    assert_a_good_call_works(&service);
}

fn no_user(phone: &Phone) -> Message {
    let mut invite = phone.invite(NUMBER);
    invite.start = invite.start.replacen(&format!("{NUMBER}@"), "", 1);
    invite
}
