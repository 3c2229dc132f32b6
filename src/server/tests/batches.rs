//! What becomes of a batch: copies in it, its end by a panic, and the end of its connection.

use super::peer::{Both, LIMITS, closed, number_of};
use super::*;
use crate::domain::NeutralAnswers;
use crate::server::connection::Connection;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn by_another_way(n: usize) -> Vec<u8> {
    let text = String::from_utf8(invite(n, "")).expect("text");
    text.replace("branch=z9hG4bK", "branch=z9hG4bKother")
        .into_bytes()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_in_the_same_batch_is_told_so_after_the_first() {
    let server = Both::start(LIMITS);
    let mut peer = server.connect();
    peer.send(&[invite(1, ""), by_another_way(1), invite(2, "")].concat());
    assert_eq!(number_of(&peer.answer()), "55481");
    assert_eq!(number_of(&peer.answer()), "55482");
    let copy = peer.answer();
    assert!(copy.starts_with("SIP/2.0 482 "), "{copy}");
    assert!(copy.contains("z9hG4bKother1"), "{copy}");
    let (dialed, metrics) = server.stop().await;
    assert_eq!(dialed, ["55481", "55482"]);
    assert!(metrics.contains("reason=\"merged\"} 1"), "{metrics}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_panic_left_undecided_is_decided_when_it_comes_again() {
    let server = Both::start(LIMITS);
    server.fake.panics.store(true, Ordering::Relaxed);
    let mut first = server.connect();
    first.send(&[invite(1, ""), by_another_way(1)].concat());
    assert_eq!(first.rest(), "");
    server.until(&closed("defect")).await;
    let mut second = server.connect();
    second.send(&by_another_way(1));
    assert_eq!(number_of(&second.answer()), "55481");
    assert_eq!(server.stop().await.0, ["55481"]);
}

/// Its peer asks and takes no answer: the answer fills what is between them.
#[tokio::test]
async fn who_does_not_read_cannot_hold_up_the_end() {
    let telemetry = Arc::new(Telemetry::new());
    let shutdown = CancellationToken::new();
    let connection = Connection {
        door: door(&telemetry),
        handler: Arc::new(Fake::default()),
        peer: "192.0.2.1:5060".parse().expect("address"),
        limits: LIMITS,
        http: None,
        shutdown: shutdown.clone(),
    };
    let (mut deaf, stream) = tokio::io::duplex(64);
    let serving = tokio::spawn(connection.serve(stream));
    deaf.write_all(&invite(1, "")).await.expect("written");
    let mut begun = [0];
    deaf.read_exact(&mut begun).await.expect("it is answering");
    let start = std::time::Instant::now();
    shutdown.cancel();
    assert_eq!(serving.await.expect("it ends"), "shutdown");
    let took = start.elapsed();
    assert!(took < LIMITS.write / 4, "{took:?}");
}

#[tokio::test]
async fn silence_is_kept_on_streams_too() {
    let telemetry = Arc::new(Telemetry::new());
    let secret = Secret::new([9; 16]);
    let limits = Limits::default();
    let door = Door::new(Ingress::Detection, secret, limits, telemetry);
    let silent = NeutralAnswers::from(crate::domain::NeutralAnswer::Silent);
    let connection = Connection {
        door: Arc::new(door.with_neutral(silent)),
        handler: Arc::new(Fake::default()),
        peer: "192.0.2.1:5060".parse().expect("address"),
        limits: LIMITS,
        http: None,
        shutdown: CancellationToken::new(),
    };
    let (mut mirror, stream) = tokio::io::duplex(4096);
    let serving = tokio::spawn(connection.serve(stream));
    let options = String::from_utf8(invite(1, "")).expect("text");
    let options = options.replace("INVITE", "OPTIONS");
    mirror.write_all(b"\r\n\r\n").await.expect("written");
    mirror.write_all(options.as_bytes()).await.expect("written");
    mirror.shutdown().await.expect("shut down");
    let mut said = Vec::new();
    mirror.read_to_end(&mut said).await.expect("read");
    assert_eq!(String::from_utf8_lossy(&said), "");
    assert_eq!(serving.await.expect("it ends"), "peer");
}
