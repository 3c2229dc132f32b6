//! An order to stop is obeyed, whatever clients have left undone; and nobody is left without his
//! answer who has said all he had to say.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::time::{Duration, Instant};

use crate::support::{Phone, TestService, connect};

const LONDON: &str = "442071838750";
/// The service's own bound on the end of all its parts, and some time for a busy machine.
const GRACE: Duration = Duration::from_secs(30);

#[test]
fn half_requests_do_not_keep_it_running() {
    let mut service = TestService::start_on_shared("stopping_half");
    Phone::new(service.prevention()).call(LONDON);
    let web = format!("GET /?dialed_number={LONDON}");
    let (http, detection) = (service.addresses().http, service.detection());
    let halves = [
        (http, "GET /healthz HTT"),
        (http, "GET /healthz HTTP/1.1\r\nHost: x\r\n"),
        (
            http,
            "POST /v1/decisions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
             Content-Length: 100\r\n\r\n{",
        ),
        (http, ""),
        (detection, web.as_str()),
        (detection, "GET / HTTP/1.1\r\nHost:"),
        (service.prevention(), "INVITE sip:1@x SIP/2.0\r\nVia:"),
    ];
    let open: Vec<_> = halves
        .iter()
        .map(|(server, half)| {
            let mut stream = connect(*server);
            stream.write_all(half.as_bytes()).expect("written");
            stream
        })
        .collect();
    // One that was accepted later has been answered: so those were accepted.
    assert_eq!(service.get("/healthz").status, 200);
    let told = Instant::now();
    assert!(service.terminate().success());
    assert!(told.elapsed() < GRACE, "{:?}", told.elapsed());
    drop(open);
    assert!(service.data().join("state/usage").exists(), "saved");
    assert!(!service.log().contains("do not end in time"));
    service.start_again();
    service.wait_for_rows(1);
}

/// `printf 'GET ...' | nc -N`: the client's side ends with its request.
#[test]
fn a_client_that_has_ended_its_side_gets_its_answer() {
    let service = TestService::start_on_shared("stopping_half_close");
    for (server, target, end) in [
        (
            service.detection(),
            format!("/?dialed_number={LONDON}&from_user=a"),
            "A00",
        ),
        (service.addresses().http, "/healthz".to_owned(), "ok\n"),
    ] {
        for _ in 0..20 {
            let mut stream = connect(server);
            let request = format!("GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).expect("written");
            stream.shutdown(Shutdown::Write).expect("ended");
            let mut answer = String::new();
            stream.read_to_string(&mut answer).expect("read");
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer:?}");
            assert!(answer.ends_with(end), "{answer:?}");
        }
    }
}

/// A caller that keeps its connection for the next question holds no place of the port's.
#[test]
fn the_web_service_closes_after_each_answer() {
    let service = TestService::start_on_shared("stopping_close");
    let mut stream = connect(service.detection());
    let request = format!("GET /?dialed_number={LONDON}&from_user=a HTTP/1.1\r\nHost: x\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("written");
    let mut answer = String::new();
    // To its end, which is the server's to make.
    stream.read_to_string(&mut answer).expect("read");
    assert!(
        answer
            .to_ascii_lowercase()
            .contains("\r\nconnection: close\r\n"),
        "{answer:?}"
    );
    assert!(answer.ends_with("A00"), "{answer:?}");
}
