//! The sender against servers of a few lines on a loopback port.

use super::*;
use crate::domain::Timestamp;
use std::collections::{HashMap, HashSet};
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

fn calls(count: u32) -> impl Iterator<Item = CallRecord> {
    (0..count).map(|n| CallRecord {
        time: Timestamp::from_secs(i64::from(n)),
        domain: "itsp-1.example".into(),
        user: format!("user {n}"),
        dialed_number: format!("+4420794{n:05}"),
        source_ip: "203.0.113.9".parse().expect("address"),
        user_agent: "phone\r\nX: y".into(),
        calls: Some(n),
        verdict: Some(Verdict::Legitimate),
        campaign: String::new(),
        call_id: (n % 2 == 0).then(|| format!("id-{n}@itsp-1.example")),
        duration_s: None,
        answered: None,
    })
}

/// What a server saw, by branch.
#[derive(Default)]
struct Seen {
    invites: HashMap<String, u32>,
    acks: HashMap<String, String>,
    sample: String,
}

fn header<'a>(message: &'a str, name: &str) -> &'a str {
    let mut lines = message.split("\r\n");
    let found = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    found.expect("the header")
}

/// A redirect, to an INVITE.
fn answer(invite: &str) -> Vec<u8> {
    let text = format!(
        "SIP/2.0 302 Moved Temporarily\r\nVia: {}\r\nFrom: {}\r\nTo: {};tag=s\r\n\
         Call-ID: {}\r\nCSeq: 1 INVITE\r\nContact: <sip:R15442079@itsp-1.example>\r\n\
         P-TFPS-Score: 0.5\r\nP-TFPS-Reason: night\r\nContent-Length: 0\r\n\r\n",
        header(invite, "Via"),
        header(invite, "From"),
        header(invite, "To"),
        header(invite, "Call-ID"),
    );
    text.into_bytes()
}

/// A server that answers every INVITE's `answer_from`-th transmission, until `calls` calls were
/// acknowledged.
async fn server(calls: usize, answer_from: u32) -> (SocketAddr, JoinHandle<Seen>) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
    let address = socket.local_addr().expect("an address");
    let task = tokio::spawn(async move {
        let mut seen = Seen::default();
        let mut datagram = vec![0; 2_048];
        let mut acks = 0;
        while acks < calls {
            let (length, peer) = socket.recv_from(&mut datagram).await.expect("a datagram");
            let text = std::str::from_utf8(&datagram[..length]).expect("text");
            let branch = header(text, "Via").to_owned();
            if text.starts_with("ACK ") {
                acks += 1;
                seen.acks.insert(branch, text.to_owned());
                continue;
            }
            let times = seen.invites.entry(branch).or_default();
            *times += 1;
            if *times != answer_from {
                continue;
            }
            seen.sample = text.to_owned();
            socket.send_to(&answer(text), peer).await.expect("sent");
        }
        seen
    });
    (address, task)
}

fn quick() -> SendOptions {
    SendOptions {
        t1: Duration::from_millis(20),
        give_up: Duration::from_secs(20),
        per_call: true,
        ..SendOptions::new("t1")
    }
}

#[tokio::test]
async fn every_call_is_asked_answered_and_acknowledged() {
    let (target, task) = server(500, 1).await;
    let patient = SendOptions {
        t1: Duration::from_secs(10),
        ..quick()
    };
    let report = send(calls(500), target, &patient).await.expect("sends");
    let seen = task.await.expect("the server");
    assert_eq!(
        (report.sent, report.answered, report.unanswered),
        (500, 500, 0)
    );
    assert_eq!(report.by_status, BTreeMap::from([(302, 500)]));
    assert_eq!(report.by_code, BTreeMap::from([("R15".to_owned(), 500)]));
    assert_eq!((seen.invites.len(), seen.acks.len()), (500, 500));
    let results = report.per_call.expect("kept");
    let ids: HashSet<_> = results.iter().map(|result| &result.call_id).collect();
    assert_eq!(ids.len(), 500);
    assert_eq!(
        (results[0].score, results[0].reasons.as_str()),
        (Some(0.5), "night")
    );
    assert_eq!(results[0].number, "442079");
    assert!(report.latency.max_us > 0);
}

#[tokio::test]
async fn messages_are_as_a_softswitch_sends_them() {
    let (target, task) = server(1, 1).await;
    send(calls(1), target, &quick()).await.expect("sends");
    let seen = task.await.expect("the server");
    let invite = seen.sample;
    assert!(invite.starts_with(&format!("INVITE sip:+442079400000@{target} SIP/2.0\r\n")));
    assert!(header(&invite, "From").starts_with("<sip:user%200@itsp-1.example>;tag="));
    assert_eq!(header(&invite, "P-Received"), "203.0.113.9");
    assert_eq!(header(&invite, "P-UA"), "phone  X: y");
    assert_eq!(header(&invite, "P-Calls"), "0");
    assert_eq!(header(&invite, "Call-ID"), "id-0@itsp-1.example");
    let ack = seen.acks.values().next().expect("an ACK");
    for name in ["Via", "From", "Call-ID"] {
        assert_eq!(header(ack, name), header(&invite, name));
    }
    assert_eq!(header(ack, "CSeq"), "1 ACK");
    assert!(header(ack, "To").ends_with(";tag=s"));
}

#[tokio::test]
async fn a_deaf_server_is_asked_again() {
    let (target, task) = server(100, 3).await;
    let report = send(calls(100), target, &quick()).await.expect("sends");
    let seen = task.await.expect("the server");
    assert_eq!((report.answered, report.unanswered), (100, 0));
    assert!(report.retransmissions >= 200, "{}", report.retransmissions);
    assert!(seen.invites.values().all(|&times| times >= 3));
}

#[tokio::test]
async fn a_response_that_comes_again_is_acknowledged_again() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
    let target = socket.local_addr().expect("an address");
    // Answers the first call twice, and the second once both answers were acknowledged.
    let server = async {
        let mut datagram = vec![0; 2_048];
        let (mut acks, mut later) = (0, None);
        loop {
            let (length, peer) = socket.recv_from(&mut datagram).await.expect("a datagram");
            let text = std::str::from_utf8(&datagram[..length]).expect("text");
            let is_first = header(text, "Call-ID").starts_with("id-0@");
            match (text.starts_with("ACK "), is_first) {
                (true, true) => acks += 1,
                (true, false) => return acks,
                (false, true) => {
                    for _ in 0..2 {
                        socket.send_to(&answer(text), peer).await.expect("sent");
                    }
                }
                (false, false) => later = Some(answer(text)),
            }
            if let Some(answer) = later.as_ref().filter(|_| acks == 2) {
                socket.send_to(answer, peer).await.expect("sent");
            }
        }
    };
    let options = SendOptions {
        t1: Duration::from_secs(10),
        ..quick()
    };
    let (report, acks) = tokio::join!(send(calls(2), target, &options), server);
    assert_eq!((report.expect("sends").answered, acks), (2, 2));
}

#[tokio::test]
async fn a_call_nobody_answers_is_given_up() {
    let silent = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
    let target = silent.local_addr().expect("an address");
    let options = SendOptions {
        t1: Duration::from_millis(5),
        give_up: Duration::from_millis(40),
        ..quick()
    };
    let report = send(calls(3), target, &options).await.expect("sends");
    assert_eq!((report.sent, report.answered, report.unanswered), (3, 0, 3));
    // At 5, 15 and 35 ms.
    assert_eq!(report.retransmissions, 9);
    let results = report.per_call.expect("kept");
    assert!(results.iter().all(|result| result.status.is_none()));
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_no_error() {
    let closed = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
    let target = closed.local_addr().expect("an address");
    drop(closed);
    let options = SendOptions {
        t1: Duration::from_millis(5),
        give_up: Duration::from_millis(40),
        ..quick()
    };
    let report = send(calls(2), target, &options).await.expect("sends");
    assert_eq!(report.unanswered, 2);
    assert!(report.port_unreachable > 0);
}

#[tokio::test]
async fn a_rate_is_kept() {
    let (target, task) = server(50, 1).await;
    let options = SendOptions {
        rate: Some(500.0),
        t1: Duration::from_secs(10),
        ..quick()
    };
    let report = send(calls(50), target, &options).await.expect("sends");
    task.await.expect("the server");
    // 49 pauses of 2 ms, of which 100 ms may be caught up only if the machine was late.
    assert!(report.elapsed_s >= 0.09, "{}", report.elapsed_s);
    assert_eq!(report.answered, 50);
}

#[tokio::test]
async fn options_that_make_no_sense_are_refused() {
    let target = "127.0.0.1:9".parse().expect("an address");
    let bad = [
        SendOptions {
            outstanding: 0,
            ..quick()
        },
        SendOptions {
            rate: Some(0.0),
            ..quick()
        },
        SendOptions {
            t1: Duration::ZERO,
            ..quick()
        },
        SendOptions {
            run_id: "a b".into(),
            ..quick()
        },
    ];
    for options in bad {
        assert!(
            send(calls(1), target, &options).await.is_err(),
            "{options:?}"
        );
    }
}
