//! Calls that ring until nobody answers.

use crate::domain::Timestamp;
use crate::sip::respond::Packet;
use bytes::Bytes;
use std::net::IpAddr;
use uuid::Uuid;

/// Calls that ring at a time, and of one source.
const CALLS: usize = 512;
const OF_SOURCE: usize = 8;

/// A call that rings.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) id: Uuid,
    pub(super) source: IpAddr,
    pub(super) due: Timestamp,
    /// What ends it.
    pub(super) last: Packet,
    /// What ends it when it is cancelled.
    pub(super) cancelled: Bytes,
}

/// All of them, at most so many.
#[derive(Debug, Default)]
pub(super) struct Ringing(Vec<Call>);

impl Ringing {
    /// Whether a call of a source may ring: else it is ended at once.
    pub(super) fn has_room(&self, source: IpAddr) -> bool {
        let of_source = self.0.iter().filter(|call| call.source == source);
        self.0.len() < CALLS && of_source.count() < OF_SOURCE
    }

    pub(super) fn begin(&mut self, call: Call) {
        self.0.push(call);
    }

    /// A call is cancelled: it ends at the next look.
    pub(super) fn cancel(&mut self, id: Uuid, now: Timestamp) {
        if let Some(call) = self.0.iter_mut().find(|call| call.id == id) {
            call.due = now;
            call.last.bytes = call.cancelled.clone();
        }
    }

    /// When the next one ends.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.0.iter().map(|call| call.due).min()
    }

    /// Those that end by now.
    pub(super) fn end(&mut self, now: Timestamp) -> Vec<Call> {
        self.0.extract_if(.., |call| call.due <= now).collect()
    }
}
