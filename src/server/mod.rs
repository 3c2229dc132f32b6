//! The ends where calls come in: sockets around [`crate::sip`].
//!
//! The network knows the logic by one trait, [`CallHandler`]; everything else of the service
//! stands behind it.
//! ```text
//! udp ------------------------\
//! tcp -> (tls) -> connection --> door -> CallHandler
//!                       \-> http: a connection whose first line is HTTP's
//! web -> http
//! ```
//! A [`Door`] is what one port number is for, whatever the transports it is reached by.

mod batch;
mod connection;
mod door;
pub mod http;
mod limits;
pub mod tcp;
pub mod tls;
pub mod udp;
pub mod web;

#[cfg(test)]
mod tests;

pub use door::Door;
pub use limits::ConnectionLimits;

use crate::domain::{Answer, Asked, Timestamp};
use crate::sip::Probe;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// What the network needs of the service.
pub trait CallHandler: Send + Sync + 'static {
    /// The time. Also that of the transactions, so it should not jump.
    fn now(&self) -> Timestamp;

    /// Decides every attempt and makes the events durable before it returns; one answer per
    /// attempt, in the same order. Attempts beyond the answers returned get none, and are
    /// decided when they come again.
    ///
    /// `arrived` is when the batch was taken from the socket. Must not block on anything but
    /// memory and one write: the socket waits meanwhile. A panic ends the UDP listener, and with
    /// it the service; over TCP and TLS it ends the connection the batch came by. Its calls are
    /// abandoned either way, and decided when they come again.
    fn decide(&self, asked: Vec<Asked>, arrived: Timestamp) -> Vec<Answer>;

    /// Requests came to a honeypot that were no calls. Must not block.
    fn probed(&self, _probes: Vec<Probe>) {}

    /// Whether a domain trusts this address. Answers to it may go elsewhere when it asks for
    /// that (`maddr`), and there is always room for its connections. Reads memory only.
    fn trusts(&self, peer: IpAddr) -> bool;
}

/// What carries SIP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Datagrams.
    Udp,
    /// A plain stream.
    Tcp,
    /// A stream within TLS.
    Tls,
}

impl Transport {
    /// As counted and configured.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A listener could not be opened. The service must not run without it.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot listen on {transport} {address}: {source}; free that address or set `{key}` to another"
)]
pub struct BindError {
    /// What was to listen there.
    pub transport: Transport,
    /// What was asked for.
    pub address: SocketAddr,
    /// The configuration key that asks for it.
    pub key: String,
    /// What the system said.
    pub source: std::io::Error,
}

impl BindError {
    fn of(
        transport: Transport,
        address: SocketAddr,
        key: &str,
    ) -> impl Fn(std::io::Error) -> Self + use<'_> {
        move |source| Self {
            transport,
            address,
            key: key.to_owned(),
            source,
        }
    }
}
