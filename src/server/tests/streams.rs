//! Connections: framing, bounds, and what is told apart on detection's port.

use super::peer::{Both, LIMITS, LONG, closed, number_of};
use super::*;
use crate::server::http::{BoxedIo, HttpConnection, Serving};
use crate::server::tcp::{TcpConfig, TcpServer};
use std::io::{Read, Write};
use std::net::Shutdown;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const SHORT: Duration = Duration::from_millis(300);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_in_whatever_pieces_are_answered_on_their_connection() {
    let server = Both::start(LIMITS);
    let mut peer = server.connect();
    let several = [&b"\r\n"[..], &invite(1, ""), &invite(2, ""), &invite(3, "")].concat();
    let (first, second) = several.split_at(several.len() - 7);
    peer.send(first);
    assert_eq!(number_of(&peer.answer()), "55481");
    assert_eq!(number_of(&peer.answer()), "55482");
    peer.send(second);
    let answer = peer.answer();
    assert_eq!(number_of(&answer), "55483");
    let port = peer.0.local_addr().expect("bound").port();
    assert!(answer.contains(&format!(";rport={port};")), "{answer}");
    for byte in invite(4, "") {
        peer.send(&[byte]);
    }
    assert_eq!(number_of(&peer.answer()), "55484");

    peer.send(&invite(3, ""));
    assert_eq!(peer.answer(), answer, "the same bytes again");
    peer.send(b"\r\n\r\n");
    let mut pong = [0; 2];
    peer.0.read_exact(&mut pong).expect("a pong");
    assert_eq!(&pong, b"\r\n");
    peer.0.shutdown(Shutdown::Write).expect("shut down");
    assert_eq!(peer.rest(), "");

    let (dialed, metrics) = server.stop().await;
    assert_eq!(dialed, ["55481", "55482", "55483", "55484"]);
    assert!(metrics.contains(&closed("peer")), "{metrics}");
    assert!(
        metrics.contains("tfps_connections_open{ingress=\"prevention\",transport=\"tcp\"} 0"),
        "{metrics}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_asked_over_udp_is_not_decided_again_over_tcp() {
    let server = Both::start(LIMITS);
    let client = UdpSocket::bind("127.0.0.1:0").expect("client");
    client
        .set_read_timeout(Some(Duration::from_secs(20)))
        .expect("timeout");
    client.send_to(&invite(1, ""), server.udp).expect("sent");
    let mut buffer = [0; 2048];
    let (length, _) = client.recv_from(&mut buffer).expect("an answer");
    let mut peer = server.connect();
    peer.send(&invite(1, ""));
    assert_eq!(peer.answer().as_bytes(), &buffer[..length]);
    assert_eq!(server.stop().await.0, ["55481"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_cannot_be_divided_is_told_why_and_ended() {
    let server = Both::start(LIMITS);
    let without = String::from_utf8(invite(1, "")).expect("text");
    let without = without.replace("Content-Length: 0\r\n", "");
    let long = format!("X: {}\r\n", "x".repeat(crate::sip::MAX_MESSAGE));
    for (bytes, status) in [
        (without.into_bytes(), "400"),
        (invite(1, "Content-Length: 0\r\n"), "400"),
        (invite(1, &long), "400"),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(), ""),
        (b"\x16\x03\x01".to_vec(), ""),
    ] {
        let mut peer = server.connect();
        peer.send(&invite(9, ""));
        assert_eq!(number_of(&peer.answer()), "55489");
        peer.send(&bytes);
        // What follows is not read as a message.
        let _ = peer.0.write_all(&invite(2, ""));
        let rest = peer.rest();
        assert_eq!(rest.get(8..11).unwrap_or_default(), status, "{rest}");
        assert!(!rest.contains("55482"), "{rest}");
    }
    let (dialed, metrics) = server.stop().await;
    assert_eq!(dialed, ["55489"]);
    for reason in ["no-content-length", "duplicate-header", "too-large"] {
        assert!(metrics.contains(&closed(reason)), "{reason}: {metrics}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_silent_slow_or_does_not_read_is_cut_off() {
    let limits = ConnectionLimits {
        idle: SHORT,
        message: SHORT,
        write: SHORT,
        ..LIMITS
    };
    let server = Both::start(limits);
    let (mut silent, mut slow) = (server.connect(), server.connect());
    slow.send(b"INVITE sip:1@x SIP/2.0\r\n");
    assert_eq!((silent.rest(), slow.rest()), (String::new(), String::new()));

    // It asks and asks, and takes no answer: the answers fill all buffers on the way.
    let deaf = server.connect();
    deaf.0.set_nonblocking(true).expect("set");
    let asking = invite(1, "").repeat(50);
    let mut sent = 0;
    let deadline = std::time::Instant::now() + LONG;
    loop {
        assert!(std::time::Instant::now() < deadline, "it is never cut off");
        match (&deaf.0).write(&asking[sent % asking.len()..]) {
            Ok(length) => sent += length,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                let metrics = server.telemetry.encode().expect("metrics");
                if metrics.contains(&closed("slow-reader")) {
                    break;
                }
                tokio::task::yield_now().await;
            }
            // Reset: cut off.
            Err(_) => break,
        }
    }
    let (_, metrics) = server.stop().await;
    for reason in ["idle", "slow", "slow-reader"] {
        assert!(metrics.contains(&closed(reason)), "{reason}: {metrics}");
    }
}

/// Each piece ends one message and begins the next: every single one is quick.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_always_amid_a_message_but_never_long_stays() {
    let limits = ConnectionLimits {
        message: 3 * SHORT,
        ..LIMITS
    };
    let server = Both::start(limits);
    let mut peer = server.connect();
    let start = std::time::Instant::now();
    let mut n = 0;
    peer.send(&invite(n, "")[..20]);
    while start.elapsed() < 3 * limits.message {
        let (this, next) = (invite(n, ""), invite(n + 1, ""));
        peer.send(&[&this[20..], &next[..20]].concat());
        assert_eq!(number_of(&peer.answer()), format!("5548{n}"));
        n += 1;
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_open_connections_are_bounded_and_slow_nobody() {
    let limits = ConnectionLimits {
        max: 16,
        max_per_source: 10,
        ..LIMITS
    };
    let server = Both::start(limits);
    let mut flood: Vec<_> = (0..100)
        .map(|_| {
            let mut peer = server.connect();
            // Refused ones may be closed already.
            let _ = peer.0.write(b"INVITE sip:1@x SIP/2.0\r\nVia:");
            peer
        })
        .collect();
    let client = UdpSocket::bind("127.0.0.1:0").expect("client");
    client
        .set_read_timeout(Some(Duration::from_secs(20)))
        .expect("timeout");
    for n in 0..100 {
        client.send_to(&invite(n, ""), server.udp).expect("sent");
        let mut buffer = [0; 2048];
        client.recv_from(&mut buffer).expect("an answer in time");
    }
    // The last to come was refused, and so closed.
    assert_eq!(flood.pop().expect("a peer").rest(), "");
    let metrics = server.telemetry.encode().expect("metrics");
    for line in [
        "tfps_connections_open{ingress=\"prevention\",transport=\"tcp\"} 10",
        "tfps_connections_refused_total{ingress=\"prevention\",transport=\"tcp\",reason=\"source-full\"} 90",
    ] {
        assert!(metrics.contains(line), "{line} not in\n{metrics}");
    }
    drop(flood);
    server
        .until("connections_open{ingress=\"prevention\",transport=\"tcp\"} 0")
        .await;
    let mut peer = server.connect();
    peer.send(&invite(200, ""));
    assert_eq!(number_of(&peer.answer()), "5548200");
    let (dialed, _) = server.stop().await;
    assert_eq!(dialed.len(), 101);
}

#[tokio::test]
async fn what_came_over_tcp_is_answered_before_the_listener_ends() {
    // The test's thread is the runtime's: nothing is accepted before the order to stop.
    let server = Both::start(LIMITS);
    let mut peers: Vec<_> = (0..10).map(|_| server.connect()).collect();
    for (n, peer) in peers.iter_mut().enumerate() {
        peer.send(&[invite(n, ""), invite(n + 100, "")].concat());
    }
    let (dialed, metrics) = server.stop().await;
    assert_eq!(dialed.len(), 20);
    for (n, peer) in peers.iter_mut().enumerate() {
        assert_eq!(number_of(&peer.answer()), format!("5548{n}"));
        assert_eq!(number_of(&peer.answer()), format!("5548{}", n + 100));
        assert_eq!(peer.rest(), "");
    }
    assert!(metrics.contains("reason=\"shutdown\"} 10"), "{metrics}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_vias_come_back_whole_over_udp_and_tcp() {
    let vias: String = (0..60)
        .map(|n| format!("Via: SIP/2.0/UDP proxy{n}.example;branch=z9hG4bKbelow{n}\r\n"))
        .collect();
    let server = Both::start(LIMITS);
    let client = UdpSocket::bind("127.0.0.1:0").expect("client");
    client
        .set_read_timeout(Some(Duration::from_secs(20)))
        .expect("timeout");
    client.send_to(&invite(1, &vias), server.udp).expect("sent");
    let mut buffer = [0; 65_535];
    let (length, _) = client.recv_from(&mut buffer).expect("an answer");
    let over_udp = String::from_utf8_lossy(&buffer[..length]).into_owned();
    let mut peer = server.connect();
    peer.send(&invite(2, &vias));
    for (answer, number) in [(over_udp, "55481"), (peer.answer(), "55482")] {
        assert!(answer.len() > 1_300, "{} bytes", answer.len());
        assert_eq!(answer.matches("Via: ").count(), 61);
        assert!(answer.contains(&vias), "all, in order, unchanged");
        assert_eq!(number_of(&answer), number);
    }
    server.stop().await;
}

/// Says what it was sent.
struct Echo;

impl HttpConnection for Echo {
    fn serve(&self, mut io: BoxedIo, peer: SocketAddr, _: CancellationToken) -> Serving<'_> {
        Box::pin(async move {
            let mut request = [0; 18];
            io.read_exact(&mut request).await.expect("read");
            let request = String::from_utf8_lossy(&request);
            let said = format!("{request} of {peer}");
            io.write_all(said.as_bytes()).await.expect("written");
        })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_port_speaks_sip_and_http() {
    let server = Both::start_with(LIMITS, Some(Arc::new(Echo)));
    let mut web = server.connect();
    web.send(b"GET / HT");
    web.send(b"TP/1.0\r\n\r\n");
    let own = web.0.local_addr().expect("bound");
    assert_eq!(web.rest(), format!("GET / HTTP/1.0\r\n\r\n of {own}"));

    let mut phone = server.connect();
    phone.send(b"\r\n\r\n");
    let mut pong = [0; 2];
    phone.0.read_exact(&mut pong).expect("a pong");
    let (start, rest) = (&invite(1, "")[..9].to_vec(), &invite(1, "")[9..].to_vec());
    phone.send(start);
    phone.send(rest);
    assert_eq!(number_of(&phone.answer()), "55481");
    phone.send(b"GET / HTTP/1.0\r\n\r\n");
    assert_eq!(phone.rest(), "", "who began with SIP speaks SIP");
    let (_, metrics) = server.stop().await;
    for reason in ["http", "not-sip"] {
        assert!(metrics.contains(&closed(reason)), "{reason}: {metrics}");
    }
}

#[tokio::test]
async fn ipv6_serves_both_transports_and_its_wildcard_both_families() {
    let telemetry = Arc::new(Telemetry::new());
    let door = door(&telemetry);
    let address: SocketAddr = "[::]:0".parse().expect("address");
    let udp = UdpServer::bind(address, "prevention.listen", door.clone()).expect("bound");
    let config = TcpConfig {
        address,
        key: "prevention.listen",
        limits: LIMITS,
        certificates: None,
    };
    let tcp = TcpServer::bind(config, door).expect("bound");
    let server = Both::run(udp, tcp, telemetry);
    for (n, ip) in [(10, "[::1]"), (20, "127.0.0.1")] {
        let at = |port| {
            format!("{ip}:{port}")
                .parse::<SocketAddr>()
                .expect("address")
        };
        let client = tokio::net::UdpSocket::bind(at(0)).await.expect("client");
        let to = at(server.udp.port());
        client.send_to(&invite(n, ""), to).await.expect("sent");
        let mut buffer = [0; 2048];
        let (length, _) = client.recv_from(&mut buffer).await.expect("an answer");
        let over_udp = String::from_utf8_lossy(&buffer[..length]).into_owned();
        let mut stream = tokio::net::TcpStream::connect(at(server.tcp.port()))
            .await
            .expect("connected");
        stream.write_all(&invite(n + 1, "")).await.expect("written");
        let length = stream.read(&mut buffer).await.expect("an answer");
        let over_tcp = String::from_utf8_lossy(&buffer[..length]).into_owned();
        let bare = ip.trim_matches(['[', ']']);
        for answer in [over_udp, over_tcp] {
            assert!(answer.contains(&format!(";received={bare}")), "{answer}");
        }
    }
    server.stop().await;
}
