//! A door with both transports, and a client that connects to it.

use super::*;
use crate::server::http::HttpConnection;
use crate::server::tcp::{TcpConfig, TcpServer};
use std::io::{Read, Write};
use std::net::TcpStream;

/// Longer than any test takes.
pub(super) const LONG: Duration = Duration::from_secs(60);

pub(super) const LIMITS: ConnectionLimits = ConnectionLimits {
    max: 64,
    max_per_source: 64,
    idle: LONG,
    message: LONG,
    write: LONG,
};

/// A door with UDP and TCP.
pub(super) struct Both {
    pub udp: SocketAddr,
    pub tcp: SocketAddr,
    pub fake: Arc<Fake>,
    pub telemetry: Arc<Telemetry>,
    pub shutdown: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

impl Both {
    pub(super) fn start(limits: ConnectionLimits) -> Self {
        Self::start_with(limits, None)
    }

    pub(super) fn start_with(
        limits: ConnectionLimits,
        http: Option<Arc<dyn HttpConnection>>,
    ) -> Self {
        let telemetry = Arc::new(Telemetry::new());
        let door = door(&telemetry);
        let udp = bound_to(&door);
        let config = TcpConfig {
            address: "127.0.0.1:0".parse().expect("address"),
            key: "prevention.listen",
            limits,
            certificates: None,
        };
        let mut tcp = TcpServer::bind(config, door).expect("bound");
        if let Some(http) = http {
            tcp = tcp.with_http(http);
        }
        Self::run(udp, tcp, telemetry)
    }

    pub(super) fn run(udp: UdpServer, tcp: TcpServer, telemetry: Arc<Telemetry>) -> Self {
        let (fake, shutdown) = (Arc::new(Fake::default()), CancellationToken::new());
        Self {
            udp: udp.local_addr(),
            tcp: tcp.local_addr(),
            tasks: vec![
                tokio::spawn(udp.run(fake.clone(), shutdown.clone())),
                tokio::spawn(tcp.run(fake.clone(), shutdown.clone())),
            ],
            fake,
            telemetry,
            shutdown,
        }
    }

    pub(super) fn connect(&self) -> Peer {
        Peer::connect(self.tcp)
    }

    /// Waits until the metrics say so.
    pub(super) async fn until(&self, line: &str) {
        let deadline = std::time::Instant::now() + LONG;
        loop {
            let metrics = self.telemetry.encode().expect("metrics");
            if metrics.contains(line) {
                return;
            }
            assert!(
                std::time::Instant::now() < deadline,
                "{line} not in\n{metrics}"
            );
            tokio::task::yield_now().await;
        }
    }

    pub(super) async fn stop(self) -> (Vec<String>, String) {
        self.shutdown.cancel();
        for task in self.tasks {
            task.await.expect("the listener ends by itself");
        }
        let asked = self.fake.asked.lock().expect("lock").clone();
        let dialed = asked.into_iter().map(|attempt| attempt.dialed).collect();
        (dialed, self.telemetry.encode().expect("metrics"))
    }
}

/// A blocking client.
pub(super) struct Peer(pub TcpStream);

impl Peer {
    pub(super) fn connect(to: SocketAddr) -> Self {
        let stream = TcpStream::connect(to).expect("connected");
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .expect("timeout");
        Self(stream)
    }

    pub(super) fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).expect("written");
    }

    /// One answer: answers here have no body.
    pub(super) fn answer(&mut self) -> String {
        let mut text = Vec::new();
        let mut byte = [0];
        while !text.ends_with(b"\r\n\r\n") {
            self.0.read_exact(&mut byte).expect("an answer in time");
            text.push(byte[0]);
        }
        String::from_utf8(text).expect("text")
    }

    /// What comes until the other end closes.
    pub(super) fn rest(&mut self) -> String {
        let mut rest = Vec::new();
        match self.0.read_to_end(&mut rest) {
            Ok(_) => {}
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset),
        }
        String::from_utf8(rest).expect("text")
    }
}

pub(super) fn number_of(answer: &str) -> &str {
    let contact = answer.split("Contact: <sip:A00").nth(1).expect("a Contact");
    contact.split('@').next().expect("a number")
}

pub(super) fn closed(reason: &str) -> String {
    format!(
        "tfps_connections_closed_total{{ingress=\"prevention\",transport=\"tcp\",reason=\"{reason}\"}} 1\n"
    )
}
