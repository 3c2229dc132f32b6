//! SIP over TCP and TLS: one task that accepts, one for each connection.
//!
//! A connection can do no more than wait by itself: it holds a place among a bounded number of
//! them ([`ConnectionLimits`]), its peer must keep to the times, and the transaction table it
//! shares with the other transports is locked for microseconds.

use super::connection::Connection;
use super::http::HttpConnection;
use super::limits::{Held, Place};
use super::tls::Certificates;
use super::{BindError, CallHandler, ConnectionLimits, Door, Transport};
use crate::telemetry::Event;
use socket2::{Domain, Protocol, Socket, Type};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Connections the system keeps while they are not accepted.
const BACKLOG: i32 = 1024;
/// Pause when the system has nothing to accept connections with (file descriptors): they may be
/// free again by then.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How one listener is set up.
pub struct TcpConfig<'a> {
    /// Where to listen; port 0 lets the system choose.
    pub address: SocketAddr,
    /// The configuration key it comes from, for errors.
    pub key: &'a str,
    /// Bounds of its connections.
    pub limits: ConnectionLimits,
    /// TLS, with these certificates; `None`: plain TCP.
    pub certificates: Option<Arc<Certificates>>,
}

/// A bound listener of a door.
pub struct TcpServer {
    listener: TcpListener,
    address: SocketAddr,
    door: Arc<Door>,
    limits: ConnectionLimits,
    certificates: Option<Arc<Certificates>>,
    http: Option<Arc<dyn HttpConnection>>,
}

impl TcpServer {
    /// Binds the listener. Connections are queued from here on, and served once it runs.
    ///
    /// # Errors
    /// The address and the configuration key, when the system refuses it, or when there is no
    /// tokio runtime.
    pub fn bind(config: TcpConfig<'_>, door: Arc<Door>) -> Result<Self, BindError> {
        let transport = match config.certificates {
            Some(_) => Transport::Tls,
            None => Transport::Tcp,
        };
        let failed = BindError::of(transport, config.address, config.key);
        let listener = open(config.address).map_err(&failed)?;
        let address = listener.local_addr().map_err(&failed)?;
        tracing::info!(%address, "listening on {transport}");
        Ok(Self {
            listener,
            address,
            door,
            limits: config.limits,
            certificates: config.certificates,
            http: None,
        })
    }

    /// Hands connections over that speak HTTP. Without, they are closed.
    #[must_use]
    pub fn with_http(mut self, http: Arc<dyn HttpConnection>) -> Self {
        self.http = Some(http);
        self
    }

    /// Where it listens; with the port the system chose.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown`; then answers what has been received, and returns.
    pub async fn run<H: CallHandler + ?Sized>(self, handler: Arc<H>, shutdown: CancellationToken) {
        let reception = Reception {
            held: Held::new(self.limits),
            door: self.door,
            limits: self.limits,
            certificates: self.certificates,
            http: self.http,
            handler,
            shutdown,
        };
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                biased;
                () = reception.shutdown.cancelled() => break,
                Some(_) = connections.join_next() => {}
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, peer)) => reception.admit(&mut connections, stream, peer),
                    Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
                    Err(error) => {
                        reception.note_refused("system");
                        tracing::warn!(%error, "connection not accepted");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
            }
        }
        reception.admit_the_last(&mut connections, self.listener);
        while connections.join_next().await.is_some() {}
    }
}

/// A listening socket.
pub(super) fn open(address: SocketAddr) -> io::Result<TcpListener> {
    let domain = Domain::for_address(address);
    let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() && address.ip().is_unspecified() {
        // `[::]` serves IPv4 as well, whatever the system's default.
        socket.set_only_v6(false)?;
    }
    // A new start must not wait until the system has forgotten the connections of the last.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// What every connection of a listener is given.
struct Reception<H: ?Sized> {
    held: Arc<Held>,
    door: Arc<Door>,
    limits: ConnectionLimits,
    certificates: Option<Arc<Certificates>>,
    http: Option<Arc<dyn HttpConnection>>,
    handler: Arc<H>,
    shutdown: CancellationToken,
}

impl<H: CallHandler + ?Sized> Reception<H> {
    /// Serves a connection in a task of its own, if there is room.
    fn admit(&self, connections: &mut JoinSet<()>, stream: TcpStream, peer: SocketAddr) {
        let place = match self.held.take(peer.ip(), self.handler.trusts(peer.ip())) {
            Ok(place) => place,
            Err(reason) => return self.note_refused(reason),
        };
        // Answers are whole: nothing is gained by waiting for more to send.
        let _ = stream.set_nodelay(true);
        let connection = Connection {
            door: Arc::clone(&self.door),
            handler: Arc::clone(&self.handler),
            peer,
            limits: self.limits,
            http: self.http.clone(),
            shutdown: self.shutdown.clone(),
        };
        let certificates = self.certificates.clone();
        let transport = self.transport();
        connections.spawn(async move {
            let mut open = Open::new(&connection.door, transport, place);
            open.reason = match certificates {
                None => connection.serve(stream).await,
                Some(certificates) => serve_tls(connection, stream, &certificates).await,
            };
        });
    }

    /// Connections that were made before the order to stop: what they brought is answered.
    fn admit_the_last(&self, connections: &mut JoinSet<()>, listener: TcpListener) {
        let Ok(listener) = listener.into_std() else {
            return;
        };
        // Bounded also over errors.
        for _ in 0..self.limits.max {
            match listener.accept() {
                Ok((stream, peer)) => {
                    let stream = stream.set_nonblocking(true).map(|()| stream);
                    if let Ok(stream) = stream.and_then(TcpStream::from_std) {
                        self.admit(connections, stream, peer);
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => {}
            }
        }
    }

    fn transport(&self) -> Transport {
        match self.certificates {
            Some(_) => Transport::Tls,
            None => Transport::Tcp,
        }
    }

    fn note_refused(&self, reason: &'static str) {
        self.door.telemetry().emit(&Event::ConnectionRefused {
            ingress: self.door.ingress(),
            transport: self.transport().as_str(),
            reason,
        });
    }
}

/// An open connection: counted when it opens and when it ends, however it does.
struct Open {
    door: Arc<Door>,
    transport: Transport,
    reason: &'static str,
    _place: Place,
}

impl Open {
    fn new(door: &Arc<Door>, transport: Transport, place: Place) -> Self {
        door.telemetry().emit(&Event::ConnectionOpened {
            ingress: door.ingress(),
            transport: transport.as_str(),
        });
        Self {
            door: Arc::clone(door),
            transport,
            // Unless it comes to say another.
            reason: "defect",
            _place: place,
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.door.telemetry().emit(&Event::ConnectionClosed {
            ingress: self.door.ingress(),
            transport: self.transport.as_str(),
            reason: self.reason,
        });
    }
}

async fn serve_tls<H: CallHandler + ?Sized>(
    connection: Connection<H>,
    stream: TcpStream,
    certificates: &Certificates,
) -> &'static str {
    let handshake = timeout(
        connection.limits.message,
        certificates.acceptor().accept(stream),
    );
    let shaken = tokio::select! {
        shaken = handshake => shaken,
        // Nothing was asked yet.
        () = connection.shutdown.cancelled() => return "shutdown",
    };
    match shaken {
        Ok(Ok(stream)) => connection.serve(stream).await,
        Ok(Err(_)) => "handshake",
        Err(_) => "slow-handshake",
    }
}
