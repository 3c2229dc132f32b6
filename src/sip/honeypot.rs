//! The honeypot: a door that looks like a PBX to whoever tries doors.
//!
//! ```text
//! OPTIONS            200 with Allow, Accept, Supported
//! REGISTER           401; then 200 to a weak password of some extensions, else 403
//! INVITE             some extensions at once, others with a weak password: 180, a while later
//!                    480, 486, 503 or 404; else 401, or 403
//! CANCEL, BYE, ...   as a PBX without that call
//! ```
//! No call leaves, none is ever taken: every INVITE is a call to decide, recorded like any other,
//! and ends in a refusal that gives reason to try again.
//!
//! # What it must not become
//! - **No amplifier.** What is sent to a source that has not proved its address is never more than
//!   what came from it, in bytes, retransmissions each for itself: headers that need not be there
//!   are left out, and what still does not fit is not said. An address is proved by a connection, or by a digest
//!   answer to a challenge that was sent to it.
//! - **No sink of memory or time.** No state but the transactions every door has, a fixed table of
//!   rates and a bounded one of ringing calls; a source that asks too often is not heard. Ringing
//!   calls end by one look at their table, not by a timer each, and nothing is sent again but to
//!   who asks again.
//! - **No way out.** It opens no connection, follows no Contact and believes no header about who
//!   calls.
//!
//! Which extensions are weak or open is a keyed hash: the same at every visit, different on
//! every machine, so that it can neither be told apart by its manner nor be mapped in advance.

mod crowd;
mod play;
mod proof;
mod ringing;

#[cfg(test)]
mod tests;

use super::endpoint::Endpoint;
use super::identity::Secret;
use super::message::Envelope;
use super::respond::Packet;
use crowd::Crowd;
use ringing::Ringing;
use std::net::{IpAddr, SocketAddr};

/// Which PBX it claims to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Persona {
    /// The Server header of every answer.
    pub server: String,
    /// The realm of its challenges.
    pub realm: String,
    /// Requests of one source that are heard in a second; twice as many at once.
    pub per_second: u32,
}

/// How much may be said to who asks. Of a retransmission its own counts: a shorter INVITE may be of
/// the same transaction as the one that was answered, and anybody may have sent it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Room {
    /// Bytes that came from him.
    bytes: usize,
    /// Whether he is connected, and so has the address he sends from: then it does not matter.
    connected: bool,
}

impl Room {
    pub(super) const fn holds(self, bytes: usize) -> bool {
        self.connected || bytes <= self.bytes
    }
}

/// A request that was no call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Where it came from.
    pub source: IpAddr,
    /// Its User-Agent; may be empty.
    pub agent: String,
    /// Whether the source has proved its address.
    pub proven: bool,
}

/// The state of a honeypot besides that of any door.
#[derive(Debug)]
pub(super) struct Honeypot {
    pub(super) persona: Persona,
    secret: Secret,
    crowd: Crowd,
    ringing: Ringing,
    probes: Vec<Probe>,
}

impl Honeypot {
    pub(super) fn new(persona: Persona, secret: Secret) -> Self {
        Self {
            crowd: Crowd::new(persona.per_second, secret),
            persona,
            secret,
            ringing: Ringing::default(),
            probes: Vec::new(),
        }
    }
}

impl Endpoint {
    /// What goes back to `source`. A honeypot answers where the request came from and nowhere
    /// else, whatever `maddr` says: not even a trusted peer may send its answers to a third.
    pub(super) fn packet(
        &self,
        bytes: bytes::Bytes,
        envelope: &Envelope<'_>,
        source: SocketAddr,
    ) -> Packet {
        let packet = Packet::new(bytes, &envelope.via, source);
        match self.honeypot {
            Some(_) => Packet {
                maddr: None,
                ..packet
            },
            None => packet,
        }
    }
}
