//! A listener for HTTP alone: one task that accepts, one for each connection, as many as the
//! bounds of connections allow.

use super::http::HttpConnection;
use super::limits::Held;
use super::{BindError, ConnectionLimits, Transport};
use crate::domain::Ingress;
use crate::telemetry::{Event, Telemetry};
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Pause when the system has nothing to accept connections with (file descriptors).
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A bound listener.
pub struct WebServer {
    listener: TcpListener,
    address: SocketAddr,
    limits: ConnectionLimits,
    telemetry: Arc<Telemetry>,
}

impl WebServer {
    /// Binds the listener. Connections are queued from here on, and served once it runs.
    ///
    /// # Errors
    /// The address and the configuration key `key`, when the system refuses it, or when there is
    /// no tokio runtime.
    pub fn bind(
        address: SocketAddr,
        key: &str,
        limits: ConnectionLimits,
        telemetry: Arc<Telemetry>,
    ) -> Result<Self, BindError> {
        let failed = BindError::of(Transport::Tcp, address, key);
        let listener = super::tcp::open(address).map_err(&failed)?;
        let address = listener.local_addr().map_err(&failed)?;
        Ok(Self {
            listener,
            address,
            limits,
            telemetry,
        })
    }

    /// Where it listens; with the port the system chose.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown`; then what has been asked is answered, as long as `http` takes for
    /// it. There is always room for those whom `trusts` knows.
    pub async fn run(
        self,
        http: Arc<dyn HttpConnection>,
        trusts: impl Fn(IpAddr) -> bool + Send,
        shutdown: CancellationToken,
    ) {
        let held = Held::new(self.limits);
        let mut connections = JoinSet::new();
        let admit = |connections: &mut JoinSet<()>, stream: TcpStream, peer: SocketAddr| {
            let place = match held.take(peer.ip(), trusts(peer.ip())) {
                Ok(place) => place,
                Err(reason) => return self.note_refused(reason),
            };
            // Answers are whole: nothing is gained by waiting for more to send.
            let _ = stream.set_nodelay(true);
            let (http, shutdown) = (Arc::clone(&http), shutdown.clone());
            connections.spawn(async move {
                http.serve(Box::new(stream), peer, shutdown).await;
                drop(place);
            });
        };
        loop {
            tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                Some(_) = connections.join_next() => {}
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, peer)) => admit(&mut connections, stream, peer),
                    Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
                    Err(error) => {
                        self.note_refused("system");
                        tracing::warn!(%error, "connection not accepted");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
            }
        }
        while connections.join_next().await.is_some() {}
    }

    fn note_refused(&self, reason: &'static str) {
        self.telemetry.emit(&Event::ConnectionRefused {
            ingress: Ingress::Web,
            transport: Transport::Tcp.as_str(),
            reason,
        });
    }
}
