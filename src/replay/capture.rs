//! Calls out of captured packets: pcap and pcapng.
//!
//! ```text
//! Packets (file) -> link (IP in what the link carries) -> Fragments -> UDP -----------> Dialogs -> Row
//!                                                                  \-> TCP, Streams -/
//! ```
//! An INVITE goes through the same `sip` as one that is sent to the service. Captures hold what
//! anybody sent: everything that is kept between two packets is bounded, and what is broken is
//! told with the number of its packet.

mod dialogs;
mod fragments;
mod link;
mod packets;
mod streams;

pub use dialogs::Dialogs;
pub use packets::{CaptureError, Packet, Packets, is_capture};

use crate::domain::Timestamp;
use fragments::Fragments;
use std::net::{IpAddr, SocketAddr};
use streams::Streams;

/// Packets may be so much later than now, seconds: a clock that runs ahead.
const AHEAD: i64 = 300;

/// Why a packet, or a message in it, was of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// The capture kept only its beginning, or a length in it is wrong.
    #[error("cut short: capture whole packets (snaplen 0)")]
    Cut,
    /// A Simple Packet Block has no time, and a call without one is of no use.
    #[error("its time is not in the capture (a pcapng Simple Packet Block)")]
    Timeless,
    /// Before 1990, or later than the clock here says: no capture of SIP is that old, and one
    /// packet of the future would end every call that is up.
    #[error("its time is before 1990 or in the future: is the clock right?")]
    Misdated,
    /// Fragments that do not fit together.
    #[error("IP fragments that do not fit together")]
    Fragments,
    /// Fragments of which the others are not in the capture.
    #[error("an IP fragment whose others are not in the capture")]
    Unfinished,
    /// A link type that carries no IP, or is not known.
    #[error("a link type that is not read: Ethernet, Linux cooked, loopback and raw IP are")]
    Link,
    /// Segments of a TCP stream are missing.
    #[error("a TCP stream with a gap: what stood there is lost")]
    Gap,
    /// A SIP message that is at fault.
    #[error("SIP: {0}")]
    Sip(crate::sip::Malformed),
    /// More calls at once than are followed.
    #[error("too many calls at once: the oldest were taken as they stood")]
    TooMany,
}

/// Where a message came from and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct From {
    /// Number of the packet that completed it, from 1.
    pub packet: u64,
    /// When that was captured.
    pub at: Timestamp,
    /// Source address of the packet.
    pub source: IpAddr,
}

/// Turns packets into messages, and those into calls.
#[derive(Debug)]
pub struct Reader {
    latest: Timestamp,
    fragments: Fragments,
    streams: Streams,
    dialogs: Dialogs,
}

impl Reader {
    /// Before the first packet; `now`: packets from more than five minutes later are set aside.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self {
            latest: now.plus_secs(AHEAD),
            fragments: Fragments::default(),
            streams: Streams::default(),
            dialogs: Dialogs::default(),
        }
    }

    /// Takes a packet; `broken` is told what was of no use.
    pub fn take(&mut self, packet: &Packet<'_>, broken: &mut dyn FnMut(u64, Broken)) {
        let at = match packet.at {
            None => return broken(packet.number, Broken::Timeless),
            Some(at) if at < Timestamp::EARLIEST_CALL || at > self.latest => {
                return broken(packet.number, Broken::Misdated);
            }
            Some(at) => at,
        };
        let ip = match link::ip(packet.link, packet.data) {
            Ok(Some(ip)) => ip,
            Ok(None) => return,
            Err(why) => return broken(packet.number, why),
        };
        let whole = match self.fragments.take(&ip, at) {
            Ok(Some(whole)) => whole,
            Ok(None) => return,
            Err(why) => return broken(packet.number, why),
        };
        let from = From {
            packet: packet.number,
            at,
            source: ip.source,
        };
        let dialogs = &mut self.dialogs;
        let mut message = |bytes: &[u8]| dialogs.take(bytes, from, broken);
        match ip.protocol {
            link::UDP => match etherparse::UdpSlice::from_slice(&whole) {
                Ok(udp) => message(udp.payload()),
                Err(_) => broken(packet.number, Broken::Cut),
            },
            link::TCP => match etherparse::TcpSlice::from_slice(&whole) {
                Ok(tcp) => {
                    let ends = (
                        SocketAddr::new(ip.source, tcp.source_port()),
                        SocketAddr::new(ip.destination, tcp.destination_port()),
                    );
                    let gap = self.streams.take(ends, &tcp, at, &mut message);
                    if gap {
                        broken(packet.number, Broken::Gap);
                    }
                }
                Err(_) => broken(packet.number, Broken::Cut),
            },
            _ => {}
        }
    }

    /// The calls that are over.
    pub fn finished(&mut self) -> impl Iterator<Item = super::Row> {
        self.dialogs.finished()
    }

    /// What is left at the end: the calls that are still up, and what never became whole.
    pub fn end(self, broken: &mut dyn FnMut(u64, Broken)) -> (Vec<super::Row>, Counts) {
        let unfinished = self.fragments.left();
        if unfinished > 0 {
            broken(0, Broken::Unfinished);
        }
        let counts = self.dialogs.counts();
        (self.dialogs.end(), counts)
    }
}

/// What was seen beside calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// SIP messages of all kinds.
    pub messages: u64,
    /// INVITEs seen again: retransmissions, and copies on their way through proxies.
    pub copies: u64,
    /// INVITEs answered 401 or 407: the call is the one with the password that follows.
    pub challenged: u64,
    /// INVITEs within a dialog: the call is there already.
    pub within: u64,
    /// INVITEs that dial nothing.
    pub numberless: u64,
}

#[cfg(test)]
mod tests;
