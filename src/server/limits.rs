//! How many connections a listener holds, and how long each may take over what.
//!
//! Every connection costs memory and a file descriptor for as long as its peer likes, so both
//! are bounded, in all and, for strangers, by source. A quarter of the room is kept for trusted
//! peers: strangers who open all they can find do not keep a customer out. A trusted peer may
//! open as many as there is room: a softswitch has one address for all its customers.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

/// Bounds of the connections of one listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// Connections in all.
    pub max: usize,
    /// Connections of one source that is not trusted: an IPv4 address, or an IPv6 network of 64
    /// bits, which is what one subscriber has.
    pub max_per_source: usize,
    /// Longest silence between two messages.
    pub idle: Duration,
    /// Longest time from the first byte of a message to its last, and for a TLS handshake.
    pub message: Duration,
    /// Longest time for a peer to take the answers of a batch.
    pub write: Duration,
}

impl ConnectionLimits {
    /// Room for those nobody trusts.
    const fn strangers(&self) -> usize {
        self.max - self.max / 4
    }
}

/// The connections that a listener holds.
#[derive(Debug)]
pub(super) struct Held {
    limits: ConnectionLimits,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    all: usize,
    by_source: HashMap<IpAddr, usize>,
}

/// Room for one connection, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    held: Arc<Held>,
    source: IpAddr,
}

impl Held {
    pub(super) fn new(limits: ConnectionLimits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            counts: Mutex::default(),
        })
    }

    /// Takes a place for a connection.
    ///
    /// # Errors
    /// The short stable name of the bound that is met.
    pub(super) fn take(
        self: &Arc<Self>,
        peer: IpAddr,
        is_trusted: bool,
    ) -> Result<Place, &'static str> {
        let source = source_of(peer);
        let mut counts = self.counts.lock();
        let room = if is_trusted {
            self.limits.max
        } else {
            self.limits.strangers()
        };
        if counts.all >= room {
            return Err("full");
        }
        let own = counts.by_source.entry(source).or_default();
        if !is_trusted && *own >= self.limits.max_per_source {
            return Err("source-full");
        }
        *own += 1;
        counts.all += 1;
        Ok(Place {
            held: Arc::clone(self),
            source,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.held.counts.lock();
        counts.all -= 1;
        if let Some(own) = counts.by_source.get_mut(&self.source) {
            *own -= 1;
            if *own == 0 {
                counts.by_source.remove(&self.source);
            }
        }
    }
}

fn source_of(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(ip) if !ip.is_loopback() => {
            IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64))
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(max: usize, max_per_source: usize) -> Arc<Held> {
        Held::new(ConnectionLimits {
            max,
            max_per_source,
            idle: Duration::MAX,
            message: Duration::MAX,
            write: Duration::MAX,
        })
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("address")
    }

    #[test]
    fn a_quarter_is_kept_for_the_trusted() {
        let held = held(4, 4);
        let mut places: Vec<_> = (1..=3)
            .map(|n| held.take(ip(&format!("192.0.2.{n}")), false).expect("room"))
            .collect();
        let stranger = held.take(ip("192.0.2.4"), false).map(drop);
        assert_eq!(stranger, Err("full"));
        places.push(held.take(ip("192.0.2.4"), true).expect("kept room"));
        assert_eq!(held.take(ip("192.0.2.5"), true).map(drop), Err("full"));
        places.truncate(2);
        assert!(held.take(ip("192.0.2.5"), false).is_ok());
    }

    #[test]
    fn one_source_has_its_share_and_leaves_nothing_behind() {
        let held = held(100, 1);
        let first = held.take(ip("::ffff:192.0.2.1"), false).expect("room");
        let again = held.take(ip("192.0.2.1"), false).map(drop);
        assert_eq!(again, Err("source-full"));
        let second = held.take(ip("2001:db8::1"), false).expect("room");
        let neighbour = held.take(ip("2001:db8::ffff:1"), false).map(drop);
        assert_eq!(neighbour, Err("source-full"), "one subscriber's network");
        let third = held.take(ip("2001:db8:0:1::1"), false).expect("another");
        drop((first, second, third));
        assert_eq!(held.counts.lock().all, 0);
        assert!(held.counts.lock().by_source.is_empty());
    }

    #[test]
    fn the_trusted_are_bounded_in_all_only() {
        let held = held(4, 1);
        let take = |is_trusted| held.take(ip("192.0.2.1"), is_trusted);
        let places: Vec<_> = (0..4).map(|_| take(true).expect("room")).collect();
        assert_eq!(take(true).map(drop), Err("full"));
        drop(places);
        assert!(held.counts.lock().by_source.is_empty());
    }
}
