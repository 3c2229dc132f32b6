//! SIP over UDP: one task per socket, a batch of datagrams per wake-up.
//!
//! ```text
//! readable -> take up to BATCH datagrams -> Door::answer: Endpoint::receive each
//!          -> one CallHandler::decide -> Endpoint::complete each -> send all
//! ```
//! Batches grow with the load by themselves, so that under load one write makes many calls
//! durable. No message, however bad, ends the loop.

use super::{BindError, CallHandler, Door, Transport};
use crate::domain::Timestamp;
use crate::sip::{Arrived, MAX_MESSAGE, Packet};
use socket2::{Domain, Protocol, Socket, Type};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio_util::sync::CancellationToken;

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

/// A bound socket of a door.
#[derive(Debug)]
pub struct UdpServer {
    socket: UdpSocket,
    address: SocketAddr,
    door: Arc<Door>,
}

impl UdpServer {
    /// Binds the socket; port 0 lets the system choose. `key` is the configuration key that the
    /// address comes from. Datagrams are queued from here on, and answered once it runs.
    ///
    /// # Errors
    /// The address and the configuration key, when the system refuses it, or when there is no
    /// tokio runtime.
    pub fn bind(address: SocketAddr, key: &str, door: Arc<Door>) -> Result<Self, BindError> {
        let failed = BindError::of(Transport::Udp, address, key);
        let socket = open(address).map_err(&failed)?;
        let address = socket.local_addr().map_err(&failed)?;
        Ok(Self {
            socket,
            address,
            door,
        })
    }

    /// Where it listens; with the port the system chose.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `shutdown`; then answers what has been received, and returns.
    pub async fn run<H: CallHandler + ?Sized>(self, handler: Arc<H>, shutdown: CancellationToken) {
        let Self { socket, door, .. } = self;
        let mut inbox = Inbox::new();
        loop {
            tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                // Fails only when the runtime is going down: then there is nothing to wait for.
                ready = socket.readable() => if ready.is_err() { break },
                () = until(door.next_due(), &*handler) => {}
            }
            inbox.fill(|buffer| socket.try_recv_from(buffer));
            let mut packets = door.answer(inbox.datagrams(), Arrived::Datagram, &*handler);
            if door.next_due().is_some() {
                packets.extend(door.due(handler.now()));
            }
            for packet in packets {
                let to = packet.address(|source| handler.trusts(source));
                if let Err(error) = send(&socket, &packet, to).await {
                    door.note_unsent(to, &error);
                }
            }
        }
        drain(&door, socket, &mut inbox, &*handler);
    }
}

/// Waits until something is due; for ever if nothing is.
async fn until<H: CallHandler + ?Sized>(due: Option<Timestamp>, handler: &H) {
    match due {
        None => std::future::pending().await,
        Some(due) => {
            let secs = due.seconds_since(handler.now()).max(0.0);
            tokio::time::sleep(Duration::from_secs_f64(secs)).await;
        }
    }
}

/// Answers what the system still holds. Without the runtime, which may not have heard yet of
/// the datagrams that came last.
fn drain<H: CallHandler + ?Sized>(door: &Door, socket: UdpSocket, inbox: &mut Inbox, handler: &H) {
    let Ok(socket) = socket.into_std() else {
        return;
    };
    for _ in 0..DRAIN_BATCHES {
        inbox.fill(|buffer| socket.recv_from(buffer));
        if inbox.received.is_empty() {
            return;
        }
        for packet in door.answer(inbox.datagrams(), Arrived::Datagram, handler) {
            let to = packet.address(|source| handler.trusts(source));
            if let Err(error) = socket.send_to(&packet.bytes, to) {
                door.note_unsent(to, &error);
            }
        }
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
async fn send(socket: &UdpSocket, packet: &Packet, to: SocketAddr) -> io::Result<()> {
    match socket.try_send_to(&packet.bytes, to) {
        Err(error) if error.kind() == ErrorKind::WouldBlock => {
            match tokio::time::timeout(SEND_WAIT, socket.send_to(&packet.bytes, to)).await {
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
