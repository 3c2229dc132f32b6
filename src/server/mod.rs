//! The ends where calls come in: sockets around [`crate::sip`].
//!
//! The network knows the logic by one trait, [`CallHandler`]; everything else of the service
//! stands behind it.
//!
//! # Left for later
//! TCP and TLS belong here beside [`udp`], with the limits of open doors (connections, calls per
//! second and source).

pub mod udp;

#[cfg(test)]
mod tests;

use crate::domain::{Answer, Asked, Timestamp};
use std::net::SocketAddr;

/// What the network needs of the service.
pub trait CallHandler: Send + Sync + 'static {
    /// The time. Also that of the transactions, so it should not jump.
    fn now(&self) -> Timestamp;

    /// Decides every attempt and makes the events durable before it returns; one answer per
    /// attempt, in the same order. Attempts beyond the answers returned get none, and are
    /// decided when they come again.
    ///
    /// `arrived` is when the batch was taken from the socket. Must not block on anything but
    /// memory and one write: the socket waits meanwhile. A panic ends the listener.
    fn decide(&self, asked: Vec<Asked>, arrived: Timestamp) -> Vec<Answer>;
}

/// A listener could not be opened. The service must not run without it.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on udp {address}: {source}; free that address or set `{key}` to another")]
pub struct BindError {
    /// What was asked for.
    pub address: SocketAddr,
    /// The configuration key that asks for it.
    pub key: String,
    /// What the system said.
    pub source: std::io::Error,
}
