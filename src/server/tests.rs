//! Real sockets on port 0, and a service that only remembers what it was asked.

mod batches;
mod peer;
mod streams;
mod tls;

use super::udp::UdpServer;
use super::*;
use crate::domain::{CallAttempt, Code, Ingress};
use crate::sip::{Limits, Secret};
use crate::telemetry::Telemetry;
use std::net::UdpSocket;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

#[derive(Default)]
struct Fake {
    asked: Mutex<Vec<CallAttempt>>,
    /// At the next batch, once.
    panics: AtomicBool,
}

impl CallHandler for Fake {
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(1_800_000_000)
    }

    fn decide(&self, asked: Vec<Asked>, _arrived: Timestamp) -> Vec<Answer> {
        let attempts: Vec<_> = asked.into_iter().map(|asked| asked.attempt).collect();
        let panics = self.panics.swap(false, Ordering::Relaxed);
        assert!(!panics, "as the test wants it");
        let answers = attempts.iter().map(answer_to).collect();
        self.asked.lock().expect("lock").extend(attempts);
        answers
    }

    fn trusts(&self, peer: IpAddr) -> bool {
        peer.to_string() == TRUSTED
    }
}

/// The only address that the service trusts.
const TRUSTED: &str = "127.0.0.3";

fn answer_to(attempt: &CallAttempt) -> Answer {
    Answer::Redirect {
        code: Code::A00,
        number: attempt.dialed.clone(),
        host: attempt.domain.clone(),
        score: None,
    }
}

fn door(telemetry: &Arc<Telemetry>) -> Arc<Door> {
    let (ingress, secret) = (Ingress::Prevention, Secret::new([9; 16]));
    let door = Door::new(ingress, secret, Limits::default(), telemetry.clone());
    Arc::new(door)
}

struct Running {
    address: SocketAddr,
    fake: Arc<Fake>,
    telemetry: Arc<Telemetry>,
    shutdown: CancellationToken,
    task: JoinHandle<()>,
    client: UdpSocket,
}

impl Running {
    fn start() -> Self {
        let (server, telemetry) = bound();
        Self::run(server, telemetry)
    }

    fn run(server: UdpServer, telemetry: Arc<Telemetry>) -> Self {
        let (fake, shutdown) = (Arc::new(Fake::default()), CancellationToken::new());
        let client = UdpSocket::bind("127.0.0.1:0").expect("client");
        client
            .set_read_timeout(Some(Duration::from_secs(20)))
            .expect("timeout");
        Self {
            address: server.local_addr(),
            task: tokio::spawn(server.run(fake.clone(), shutdown.clone())),
            fake,
            telemetry,
            shutdown,
            client,
        }
    }

    fn send(&self, datagram: &[u8]) {
        let sent = self.client.send_to(datagram, self.address).expect("sent");
        assert_eq!(sent, datagram.len());
    }

    fn receive(&self) -> String {
        let mut buffer = vec![0; 65_536];
        let (length, from) = self
            .client
            .recv_from(&mut buffer)
            .expect("an answer in time");
        assert_eq!(from, self.address);
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    }

    async fn stop(self) -> (Vec<CallAttempt>, String) {
        self.shutdown.cancel();
        self.task.await.expect("the loop ends by itself");
        let asked = self.fake.asked.lock().expect("lock").clone();
        (asked, self.telemetry.encode().expect("metrics"))
    }
}

fn bound() -> (UdpServer, Arc<Telemetry>) {
    let telemetry = Arc::new(Telemetry::new());
    (bound_to(&door(&telemetry)), telemetry)
}

fn bound_to(door: &Arc<Door>) -> UdpServer {
    let address = "127.0.0.1:0".parse().expect("address");
    UdpServer::bind(address, "prevention.listen", door.clone()).expect("bound")
}

fn invite(n: usize, extra: &str) -> Vec<u8> {
    format!(
        "INVITE sip:5548{n}@tfps SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:1;rport;branch=z9hG4bK{n}\r\n\
         From: <sip:alice@itsp.example>;tag=a\r\nTo: <sip:5548@tfps>\r\nCall-ID: {n}\r\nCSeq: 1 INVITE\r\n\
         {extra}Content-Length: 0\r\n\r\n"
    )
    .into_bytes()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_are_answered_once_whatever_else_arrives() {
    let server = Running::start();
    server.send(&[0xff, 0x00, 0x80, b'\r', b'\n', 1, 2, 3]);
    server.send(b"\r\n\r\n");
    server.send(
        &invite(0, "")
            .iter()
            .copied()
            .skip_while(|b| *b != b'F')
            .collect::<Vec<_>>(),
    );
    let no_via = String::from_utf8(invite(0, ""))
        .expect("text")
        .replace("Via:", "X:");
    server.send(no_via.as_bytes());
    server.send(
        &[
            &invite(0, "")[..],
            &vec![b'x'; 65_507 - invite(0, "").len()],
        ]
        .concat(),
    );
    let too_long = server.client.send_to(&vec![b'x'; 70_000], server.address);
    assert!(too_long.is_err(), "no UDP datagram is that long");

    server.send(&invite(1, "P-Calls: -1\r\n"));
    let first = server.receive();
    assert!(
        first.starts_with("SIP/2.0 302 Moved Temporarily\r\n"),
        "{first}"
    );
    assert!(
        first.contains("Contact: <sip:A0055481@itsp.example>\r\n"),
        "{first}"
    );
    server.send(&invite(1, "P-Calls: -1\r\n"));
    assert_eq!(server.receive(), first);
    server.send(&invite(2, "P-Calls: abc\r\n"));
    assert!(server.receive().contains("A0055482@"));

    let (asked, metrics) = server.stop().await;
    let dialed: Vec<_> = asked.iter().map(|a| (&*a.dialed, a.concurrent)).collect();
    assert_eq!(dialed, [("55481", None), ("55482", None)]);
    for line in [
        "tfps_dropped_total{ingress=\"prevention\",reason=\"no-via\"} 1",
        "tfps_dropped_total{ingress=\"prevention\",reason=\"too-large\"} 1",
        "tfps_dropped_total{ingress=\"prevention\",reason=\"keep-alive\"} 1",
        "tfps_dropped_total{ingress=\"prevention\",reason=\"not-sip\"} 2",
        "tfps_bad_headers_total{name=\"P-Calls\"} 2",
        "tfps_retransmissions_total{ingress=\"prevention\"} 1",
    ] {
        assert!(metrics.contains(line), "{line} not in\n{metrics}");
    }
}

#[tokio::test]
async fn duplicates_in_one_batch_are_decided_once_and_both_answered() {
    // The test's thread is the runtime's: all three wait in the socket before it is read.
    let server = Running::start();
    for n in [1, 1, 2] {
        server.send(&invite(n, ""));
    }
    tokio::task::yield_now().await;
    let address = server.address;
    let client = server.client.try_clone().expect("clone");
    let (asked, _) = server.stop().await;
    assert_eq!(asked.len(), 2);
    let mut buffer = [0; 2048];
    let mut answers: Vec<_> = (0..3)
        .map(|_| {
            let (length, from) = client.recv_from(&mut buffer).expect("an answer in time");
            assert_eq!(from, address);
            buffer[..length].to_vec()
        })
        .collect();
    answers.sort();
    answers.dedup();
    assert_eq!(answers.len(), 2);
}

#[tokio::test]
async fn what_was_received_is_answered_before_the_loop_ends() {
    let (server, telemetry) = bound();
    let address = server.local_addr();
    let client = UdpSocket::bind("127.0.0.1:0").expect("client");
    client
        .set_read_timeout(Some(Duration::from_secs(20)))
        .expect("timeout");
    for n in 0..100 {
        client.send_to(&invite(n, ""), address).expect("sent");
    }
    let fake = Arc::new(Fake::default());
    let shutdown = CancellationToken::new();
    shutdown.cancel();
    server.run(fake.clone(), shutdown).await;
    drop(telemetry);
    assert_eq!(fake.asked.lock().expect("lock").len(), 100);
    let mut buffer = [0; 2048];
    for _ in 0..100 {
        client.recv_from(&mut buffer).expect("an answer in time");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_decided_before_a_restart_is_not_decided_again() {
    let before = Running::start();
    before.send(&invite(1, ""));
    let first = before.receive();
    let (asked, _) = before.stop().await;

    let telemetry = Arc::new(Telemetry::new());
    let door = door(&telemetry);
    door.recover(
        asked[0].id,
        answer_to(&asked[0]),
        Timestamp::from_secs(1_799_999_990),
    );
    let after = Running::run(bound_to(&door), telemetry);
    after.send(&invite(1, ""));
    let port = |text: &str| {
        text.split("rport=")
            .nth(1)
            .map(|t| t[..t.find(';').unwrap_or(0)].to_owned())
    };
    let again = after.receive();
    let (Some(old), Some(new)) = (port(&first), port(&again)) else {
        panic!("rport in both");
    };
    // Only the client's port differs: it is another client socket.
    assert_eq!(again.replace(&new, "P"), first.replace(&old, "P"));
    assert!(after.stop().await.0.is_empty());
}

#[tokio::test]
async fn a_taken_port_is_an_error_that_names_the_key() {
    let (server, telemetry) = bound();
    let error = UdpServer::bind(server.local_addr(), "prevention.listen", door(&telemetry))
        .expect_err("taken")
        .to_string();
    let address = format!("udp {}", server.local_addr());
    assert!(error.contains(&address), "{error}");
    assert!(error.contains("`prevention.listen`"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn maddr_moves_the_answer_of_a_trusted_peer_only() {
    let server = Running::start();
    let elsewhere = UdpSocket::bind("127.0.0.4:0").expect("a socket");
    elsewhere
        .set_read_timeout(Some(Duration::from_secs(20)))
        .expect("timeout");
    let port = elsewhere.local_addr().expect("bound").port();
    let asking = |n| {
        let text = String::from_utf8(invite(n, "")).expect("text");
        let via = format!("127.0.0.1:{port};maddr=127.0.0.4;rport");
        text.replace("127.0.0.1:1;rport", &via).into_bytes()
    };
    server.send(&asking(1));
    assert!(server.receive().contains("A0055481@"), "to its source");

    let trusted = UdpSocket::bind((TRUSTED, 0)).expect("a socket");
    trusted.send_to(&asking(2), server.address).expect("sent");
    let mut buffer = [0; 2048];
    let (length, from) = elsewhere.recv_from(&mut buffer).expect("an answer");
    assert_eq!(from, server.address);
    let answer = String::from_utf8_lossy(&buffer[..length]);
    assert!(answer.contains("A0055482@"), "{answer}");
}
