//! SIP over UDP: one task per socket, a batch of datagrams per wake-up.
//!
//! ```text
//! readable -> take up to BATCH datagrams -> Endpoint::receive each -> one CallHandler::decide
//!          -> Endpoint::complete each -> send all
//! ```
//! Batches grow with the load by themselves, so that under load one write makes many calls
//! durable. No message, however bad, ends the loop.

use super::{BindError, CallHandler};
use crate::domain::{Answer, Ingress, Timestamp};
use crate::sip::{Endpoint, Limits, MAX_MESSAGE, Outcome, Packet, Secret};
use crate::telemetry::{Event, Telemetry};
use socket2::{Domain, Protocol, Socket, Type};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Datagrams per batch, and so buffers per socket (1 MiB together).
const BATCH: usize = 64;
/// One byte more than may be read: a datagram that fills its buffer was too long.
const BUFFER: usize = MAX_MESSAGE + 1;
/// Receive buffer asked of the system: 8 MiB, some seconds of calls while a disk is slow. The
/// system grants at most `net.core.rmem_max`.
const RECEIVE_BUFFER: usize = 8 * 1024 * 1024;
/// Longest wait for room in the send buffer before an answer is given up; its INVITE will be
/// retransmitted.
const SEND_WAIT: Duration = Duration::from_millis(100);
/// Batches answered at most after the order to stop: 65,536 datagrams, more than the receive
/// buffer holds, so a flood cannot keep the listener alive.
const DRAIN_BATCHES: usize = 1024;

/// How one socket is set up.
#[derive(Clone, Debug)]
pub struct UdpConfig {
    /// Where to listen; port 0 lets the system choose.
    pub address: SocketAddr,
    /// The configuration key it comes from, for errors.
    pub key: String,
    /// Which door this is.
    pub ingress: Ingress,
    /// Key of the transactions.
    pub secret: Secret,
    /// Bounds of the transaction table.
    pub limits: Limits,
}

/// A bound socket and its transactions.
#[derive(Debug)]
pub struct UdpServer {
    socket: UdpSocket,
    address: SocketAddr,
    door: Door,
}

impl UdpServer {
    /// Binds the socket. Datagrams are queued from here on, and answered once it runs.
    ///
    /// # Errors
    /// The address and the configuration key, when the system refuses it, or when there is no
    /// tokio runtime.
    pub fn bind(config: &UdpConfig, telemetry: Arc<Telemetry>) -> Result<Self, BindError> {
        let failed = |source| BindError {
            address: config.address,
            key: config.key.clone(),
            source,
        };
        let socket = open(config.address).map_err(failed)?;
        let address = socket.local_addr().map_err(failed)?;
        Ok(Self {
            socket,
            address,
            door: Door {
                ingress: config.ingress,
                endpoint: Endpoint::new(config.ingress, config.secret, config.limits),
                telemetry,
            },
        })
    }

    /// Where it listens; with the port the system chose.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// After a restart, oldest first: see [`Endpoint::recover`].
    pub fn recover(&mut self, id: Uuid, answer: Answer, at: Timestamp) {
        self.door.endpoint.recover(id, answer, at);
    }

    /// Answers until `shutdown`; then answers what has been received, and returns.
    pub async fn run<H: CallHandler + ?Sized>(self, handler: Arc<H>, shutdown: CancellationToken) {
        let Self {
            socket, mut door, ..
        } = self;
        let mut inbox = Inbox::new();
        loop {
            tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                // Fails only when the runtime is going down: then there is nothing to wait for.
                ready = socket.readable() => if ready.is_err() { break },
            }
            inbox.fill(|buffer| socket.try_recv_from(buffer));
            for packet in door.answer(&inbox, &*handler) {
                let sent = send(&socket, &packet).await;
                door.note_sent(&packet, sent);
            }
        }
        door.drain(socket, &mut inbox, &*handler);
    }
}

fn open(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::DGRAM,
        Some(Protocol::UDP),
    )?;
    if address.is_ipv6() && address.ip().is_unspecified() {
        // `[::]` serves IPv4 as well, whatever the system's default.
        socket.set_only_v6(false)?;
    }
    // A smaller buffer than asked for is no reason not to serve.
    let _ = socket.set_recv_buffer_size(RECEIVE_BUFFER);
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    let granted = socket.recv_buffer_size().unwrap_or_default();
    let socket = UdpSocket::from_std(socket.into())?;
    let bound = socket.local_addr()?;
    tracing::info!(address = %bound, asked = RECEIVE_BUFFER, granted, "listening on udp, receive buffer in bytes");
    Ok(socket)
}

/// Sends one answer, waiting a bounded time for room.
async fn send(socket: &UdpSocket, packet: &Packet) -> io::Result<()> {
    match socket.try_send_to(&packet.bytes, packet.to) {
        Err(error) if error.kind() == ErrorKind::WouldBlock => {
            match tokio::time::timeout(SEND_WAIT, socket.send_to(&packet.bytes, packet.to)).await {
                Ok(sent) => sent.map(drop),
                Err(_) => Err(error),
            }
        }
        other => other.map(drop),
    }
}

/// The datagrams of one batch, in buffers that are used again and again.
struct Inbox {
    buffers: Vec<[u8; BUFFER]>,
    received: Vec<(usize, SocketAddr)>,
}

impl Inbox {
    fn new() -> Self {
        Self {
            buffers: vec![[0; BUFFER]; BATCH],
            received: Vec::with_capacity(BATCH),
        }
    }

    /// Takes what is there, at most a batch.
    fn fill(&mut self, mut receive: impl FnMut(&mut [u8]) -> io::Result<(usize, SocketAddr)>) {
        self.received.clear();
        // Bounded also over errors: those of ICMP (a peer that has closed its port) say
        // nothing about the next datagram and are passed over.
        for _ in 0..BATCH {
            match receive(&mut self.buffers[self.received.len()]) {
                Ok(received) => self.received.push(received),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => {}
            }
        }
    }

    fn datagrams(&self) -> impl Iterator<Item = (&[u8], SocketAddr)> {
        self.received
            .iter()
            .zip(&self.buffers)
            .map(|((length, source), buffer)| (&buffer[..*length], *source))
    }
}

/// What does not depend on the runtime: datagrams in, answers out.
#[derive(Debug)]
struct Door {
    ingress: Ingress,
    endpoint: Endpoint,
    telemetry: Arc<Telemetry>,
}

impl Door {
    /// The answers to one batch.
    fn answer<H: CallHandler + ?Sized>(&mut self, inbox: &Inbox, handler: &H) -> Vec<Packet> {
        let mut packets = Vec::with_capacity(inbox.received.len());
        if inbox.received.is_empty() {
            return packets;
        }
        let arrived = handler.now();
        let mut asked = Vec::new();
        let mut undecided = Vec::new();
        let mut repeated = Vec::new();
        for (datagram, source) in inbox.datagrams() {
            match self.endpoint.receive(datagram, source, arrived) {
                Outcome::Decide(call) => {
                    for header in &call.bad_headers {
                        self.telemetry.emit(&Event::BadHeader { header });
                    }
                    asked.push(call.asked);
                    undecided.push(call.pending);
                }
                Outcome::Retransmission(pending) => repeated.push(pending),
                Outcome::Reply {
                    status,
                    reason,
                    packet,
                } => {
                    self.note_rejected(status.code(), reason);
                    packets.push(packet);
                }
                Outcome::Absorb => {}
                Outcome::Drop(reason) => self.note_dropped(reason),
            }
        }
        if !asked.is_empty() {
            let mut answers = handler.decide(asked, arrived).into_iter();
            for pending in &undecided {
                if let Some(answer) = answers.next() {
                    packets.extend(self.endpoint.complete(pending, &answer));
                } else {
                    self.endpoint.abandon(pending);
                    self.note_dropped("undecided");
                }
            }
        }
        // Last, because the call they repeat may have been decided in this very batch.
        for pending in &repeated {
            let ingress = self.ingress;
            self.telemetry.emit(&Event::Retransmission { ingress });
            packets.extend(self.endpoint.resend(pending));
        }
        for _ in 0..self.endpoint.take_evicted() {
            let table = "transactions";
            self.telemetry.emit(&Event::Evicted { table });
        }
        packets
    }

    /// Answers what the system still holds. Without the runtime, which may not have heard yet
    /// of the datagrams that came last.
    fn drain<H: CallHandler + ?Sized>(
        &mut self,
        socket: UdpSocket,
        inbox: &mut Inbox,
        handler: &H,
    ) {
        let Ok(socket) = socket.into_std() else {
            return;
        };
        for _ in 0..DRAIN_BATCHES {
            inbox.fill(|buffer| socket.recv_from(buffer));
            if inbox.received.is_empty() {
                return;
            }
            for packet in self.answer(inbox, handler) {
                let sent = socket.send_to(&packet.bytes, packet.to).map(drop);
                self.note_sent(&packet, sent);
            }
        }
    }

    fn note_sent(&self, packet: &Packet, sent: io::Result<()>) {
        if let Err(error) = sent {
            self.telemetry.emit(&Event::SendFailed {
                peer: packet.to,
                error: &error.to_string(),
            });
        }
    }

    fn note_rejected(&self, status: u16, reason: &'static str) {
        let ingress = self.ingress;
        self.telemetry.emit(&Event::Rejected {
            ingress,
            status,
            reason,
        });
    }

    fn note_dropped(&self, reason: &'static str) {
        let ingress = self.ingress;
        self.telemetry.emit(&Event::Dropped { ingress, reason });
    }
}
