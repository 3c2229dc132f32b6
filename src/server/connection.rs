//! One connection: a stream in, its messages answered on it.
//!
//! ```text
//! read -> Framer: whole messages of this read -> Door::answer -> one write
//! ```
//! It reads on only when its peer has taken the answers, so what waits for a slow peer is never
//! more than the answers to one read, and only its own task waits. Answers go back on the
//! connection the request came by (RFC 3261 section 18.2.2); is it gone, they are dropped, and
//! the client asks again: nothing is ever opened towards a peer.

use super::http::{HttpConnection, Rewound, Spoken};
use super::{CallHandler, ConnectionLimits, Door};
use crate::sip::{Arrived, Broken, Frame, Framer};
use bytes::{Bytes, BytesMut};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

/// Bytes read at a time, and so of one batch.
const READ: usize = 8 * 1024;
/// After the order to stop: silence after which nothing more is expected.
const DRAIN_SILENCE: Duration = Duration::from_millis(100);
/// After the order to stop: the time a connection has for all that it still does. A peer that
/// keeps sending, or does not take its answers, cannot keep the service alive.
const DRAIN: Duration = Duration::from_secs(2);
/// How long a peer whose stream is broken may go on sending: closed at once, the system would
/// take back the answer that says what is wrong.
const LINGER: Duration = Duration::from_secs(1);

/// What serves one connection.
pub(super) struct Connection<H: ?Sized> {
    pub door: Arc<Door>,
    pub handler: Arc<H>,
    pub peer: SocketAddr,
    pub limits: ConnectionLimits,
    /// Who takes over when HTTP is spoken; `None`: nobody, it is closed.
    pub http: Option<Arc<dyn HttpConnection>>,
    pub shutdown: CancellationToken,
}

/// Why a connection ends: short stable name.
type End = &'static str;

/// How far a connection was served here.
enum Spoke {
    /// To its end.
    Sip(End),
    /// Until it spoke HTTP, with what was read of that.
    Http(Bytes),
}

/// Where a stream stands.
struct Progress {
    framer: Framer,
    /// The first line, while it may still be HTTP's.
    first: Option<BytesMut>,
    /// When the message began that has not ended; `None`: between messages.
    begun: Option<Instant>,
    /// When something was last read.
    heard: Instant,
    /// Told to stop.
    is_draining: bool,
}

impl Progress {
    fn is_amid_message(&self) -> bool {
        self.framer.is_amid_message() || self.first.as_ref().is_some_and(|f| !f.is_empty())
    }
}

impl<H: CallHandler + ?Sized> Connection<H> {
    /// Serves it to its end, and says why that came.
    pub(super) async fn serve<S>(self, mut stream: S) -> End
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let drained = async {
            self.shutdown.cancelled().await;
            tokio::time::sleep(DRAIN).await;
        };
        let spoken = tokio::select! {
            spoken = self.converse(&mut stream) => spoken,
            () = drained => Spoke::Sip("shutdown"),
        };
        match spoken {
            Spoke::Sip(end) => end,
            Spoke::Http(read) => self.hand_over(read, stream).await,
        }
    }

    /// Reads and answers SIP, until either ends it or it turns out to be HTTP.
    async fn converse<S>(&self, stream: &mut S) -> Spoke
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut progress = Progress {
            framer: Framer::new(),
            first: self.http.as_ref().map(|_| BytesMut::new()),
            begun: None,
            heard: Instant::now(),
            is_draining: false,
        };
        let mut buffer = vec![0; READ];
        let end = loop {
            let read = match self.read(stream, &mut buffer, &mut progress).await {
                Ok(length) => &buffer[..length],
                Err(end) => break end,
            };
            let Progress { framer, first, .. } = &mut progress;
            if let Some(line) = first {
                line.extend_from_slice(read);
                match Spoken::of(line) {
                    Spoken::Http => return Spoke::Http(line.split().freeze()),
                    Spoken::Other => framer.push(&first.take().unwrap_or_default()),
                    // Empty lines are HTTP's to skip and SIP's to answer.
                    Spoken::Unknown if line.iter().all(|b| matches!(b, b'\r' | b'\n')) => {
                        framer.push(&line.split());
                    }
                    Spoken::Unknown => {}
                }
            } else {
                framer.push(read);
            }
            match self.answer(stream, framer).await {
                Err(end) => break end,
                // What is begun now is another message.
                Ok(true) => progress.begun = None,
                Ok(false) => {}
            }
            progress.begun = match progress.is_amid_message() {
                true => progress.begun.or(Some(progress.heard)),
                false => None,
            };
        };
        // Says goodbye where the transport has a word for it.
        let _ = timeout(self.limits.write, stream.shutdown()).await;
        Spoke::Sip(end)
    }

    /// Waits for bytes, as long as the peer may take.
    async fn read<S: AsyncRead + Unpin>(
        &self,
        stream: &mut S,
        buffer: &mut [u8],
        progress: &mut Progress,
    ) -> Result<usize, End> {
        let (deadline, too_late) = match progress.begun {
            Some(begun) => (begun + self.limits.message, "slow"),
            None => (progress.heard + self.limits.idle, "idle"),
        };
        if !progress.is_draining {
            tokio::select! {
                biased;
                () = self.shutdown.cancelled() => progress.is_draining = true,
                read = timeout_at(deadline, stream.read(buffer)) => {
                    progress.heard = Instant::now();
                    return read.map_err(|_| too_late).and_then(received);
                }
            }
        }
        // Told to stop: what is on its way is still answered.
        let read = timeout(DRAIN_SILENCE, stream.read(buffer)).await;
        read.map_err(|_| "shutdown").and_then(received)
    }

    /// Answers all whole messages that are there; whether there were any.
    async fn answer<S>(&self, stream: &mut S, framer: &mut Framer) -> Result<bool, End>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let (messages, mut out, broken) = take_all(framer);
        let peer = self.peer;
        if !out.is_empty() && self.door.is_silent(peer) {
            out.clear();
        }
        let batch = messages.iter().map(|message| (&message[..], peer));
        for packet in self.door.answer(batch, Arrived::Connected, &*self.handler) {
            out.extend_from_slice(&packet.bytes);
        }
        if let Some(Broken { read, fault }) = &broken
            && let Some(packet) = self.door.refuse(read, peer, *fault)
        {
            out.extend_from_slice(&packet.bytes);
        }
        if !out.is_empty() {
            self.write(stream, &out).await?;
        }
        match broken {
            None => Ok(!messages.is_empty()),
            Some(broken) => {
                let _ = timeout(LINGER, linger(stream)).await;
                Err(broken.fault.reason())
            }
        }
    }

    async fn write<S: AsyncWrite + Unpin>(&self, stream: &mut S, out: &[u8]) -> Result<(), End> {
        let written = timeout(self.limits.write, async {
            stream.write_all(out).await?;
            stream.flush().await
        });
        let (error, end) = match written.await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => (error, "error"),
            Err(_) => (ErrorKind::TimedOut.into(), "slow-reader"),
        };
        self.door.note_unsent(self.peer, &error);
        Err(end)
    }

    async fn hand_over<S>(&self, read: Bytes, stream: S) -> End
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        if let Some(http) = &self.http {
            let io = Box::new(Rewound { read, stream });
            http.serve(io, self.peer, self.shutdown.clone()).await;
        }
        "http"
    }
}

/// Whole messages, the answers to pings, and what broke the stream.
fn take_all(framer: &mut Framer) -> (Vec<Bytes>, Vec<u8>, Option<Broken>) {
    let (mut messages, mut pongs) = (Vec::new(), Vec::new());
    loop {
        match framer.next_frame() {
            Ok(Some(Frame::Message(message))) => messages.push(message),
            Ok(Some(Frame::Ping)) => pongs.extend_from_slice(b"\r\n"),
            Ok(None) => return (messages, pongs, None),
            Err(broken) => return (messages, pongs, Some(broken)),
        }
    }
}

fn received(read: io::Result<usize>) -> Result<usize, End> {
    match read {
        Ok(0) => Err("peer"),
        Ok(length) => Ok(length),
        // Over TLS: gone without a goodbye.
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Err("peer"),
        Err(_) => Err("error"),
    }
}

/// Ends our direction, and reads what comes on the other until it ends too.
async fn linger<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S) -> io::Result<()> {
    stream.shutdown().await?;
    let mut rest = [0; 1024];
    while stream.read(&mut rest).await? > 0 {}
    Ok(())
}
