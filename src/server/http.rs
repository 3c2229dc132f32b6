//! A connection that turns out to speak HTTP: detection's port is also that of the web service,
//! told apart by the first line.

use bytes::{Buf, Bytes};
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::sync::CancellationToken;

/// Both directions of a connection.
pub trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// A connection, whatever carries it.
pub type BoxedIo = Box<dyn Io>;

/// What a connection is being served by; ends with it.
pub type Serving<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Takes over connections that speak HTTP.
pub trait HttpConnection: Send + Sync + 'static {
    /// Serves one from its first byte to its end. With `shutdown` it answers what it has begun
    /// to read and ends soon.
    ///
    /// The place of the connection among those of its port is held until then, so a silent
    /// client must be cut off.
    fn serve(&self, io: BoxedIo, peer: SocketAddr, shutdown: CancellationToken) -> Serving<'_>;
}

/// What the first line of a connection says is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spoken {
    /// The line has not ended.
    Unknown,
    /// `METHOD target HTTP/1.x`.
    Http,
    /// Anything else.
    Other,
}

/// Longest first line that is waited for, bytes: a URL with a User-Agent that is long, and longer
/// as each odd byte takes three.
const MAX_FIRST_LINE: usize = 16 * 1024;

impl Spoken {
    /// Reads the first bytes of a connection. Empty lines before the first may be HTTP's
    /// (RFC 9112 section 2.2) as well as SIP's.
    pub(super) fn of(bytes: &[u8]) -> Self {
        let start = bytes.iter().position(|b| !matches!(b, b'\r' | b'\n'));
        let line = &bytes[start.unwrap_or(bytes.len())..];
        match line.iter().position(|b| *b == b'\n') {
            None if line.len() > MAX_FIRST_LINE => Self::Other,
            None => Self::Unknown,
            Some(end) => {
                let line = line[..end].trim_ascii_end();
                let version = line.rsplit(|b| *b == b' ').next().unwrap_or_default();
                match version {
                    [b'H', b'T', b'T', b'P', b'/', b'1', b'.', _] if version != line => Self::Http,
                    _ => Self::Other,
                }
            }
        }
    }
}

/// A connection with the bytes put back that were read from it already.
#[derive(Debug)]
pub(super) struct Rewound<S> {
    pub(super) read: Bytes,
    pub(super) stream: S,
}

impl<S: AsyncRead + Unpin> AsyncRead for Rewound<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.read.is_empty() {
            return Pin::new(&mut self.stream).poll_read(context, buffer);
        }
        let length = self.read.len().min(buffer.remaining());
        buffer.put_slice(&self.read[..length]);
        self.read.advance(length);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Rewound<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[test]
    fn the_first_line_tells() {
        let long = [b'G'; MAX_FIRST_LINE + 1];
        let table: [(&[u8], Spoken); 12] = [
            (b"", Spoken::Unknown),
            (b"\r\n\r\n", Spoken::Unknown),
            (b"GET / HTTP/1.1", Spoken::Unknown),
            (b"GET / HTTP/1.1\r\n", Spoken::Http),
            (b"\r\nPOST /v1/decisions HTTP/1.0\n", Spoken::Http),
            (b"PRI * HTTP/2.0\r\n", Spoken::Other),
            (b"HTTP/1.1\r\n", Spoken::Other),
            (b"HTTP/1.1 200 OK\r\n", Spoken::Other),
            (b"INVITE sip:1@x SIP/2.0\r\n", Spoken::Other),
            (b"GET /%20HTTP/1.1\r\n", Spoken::Other),
            (b"\x16\x03\x01\n", Spoken::Other),
            (&long, Spoken::Other),
        ];
        for (bytes, spoken) in table {
            let text = String::from_utf8_lossy(bytes);
            assert_eq!(Spoken::of(bytes), spoken, "{text:?}");
        }
    }

    #[tokio::test]
    async fn what_was_read_is_read_again_and_then_the_rest() {
        let (mut client, stream) = tokio::io::duplex(64);
        let mut rewound = Rewound {
            read: Bytes::from_static(b"GET "),
            stream,
        };
        client.write_all(b"/").await.expect("written");
        rewound.write_all(b"ok").await.expect("written");
        drop(client.shutdown().await);
        let mut two = [0; 2];
        rewound.read_exact(&mut two).await.expect("read");
        let mut rest = Vec::new();
        rewound.read_to_end(&mut rest).await.expect("read");
        assert_eq!((&two, &*rest), (b"GE", &b"T /"[..]));
        client.read_exact(&mut two).await.expect("read");
        assert_eq!(&two, b"ok");
    }
}
