//! Fragments of IP packets put together, within bounds.

use super::Broken;
use super::link::Ip;
use crate::domain::Timestamp;
use etherparse::IpNumber;
use etherparse::defrag::IpDefragBuf;
use std::borrow::Cow;
use std::collections::HashMap;
use std::net::IpAddr;

/// Packets being put together at once: 64 KiB each.
const MOST: usize = 1_024;
/// How long a packet may take, seconds (RFC 8200 section 4.5 gives it 60).
const PATIENCE: f64 = 60.0;

/// Source, destination, protocol and identification: RFC 791 section 2.3.
type Key = (IpAddr, IpAddr, u8, u32);

/// Packets of which fragments are there.
#[derive(Debug, Default)]
pub(super) struct Fragments {
    waiting: HashMap<Key, (IpDefragBuf, Timestamp)>,
    given_up: u64,
}

impl Fragments {
    /// The payload of a packet once it is whole.
    pub(super) fn take<'a>(
        &mut self,
        ip: &Ip<'a>,
        at: Timestamp,
    ) -> Result<Option<Cow<'a, [u8]>>, Broken> {
        let Some(fragment) = ip.fragment else {
            return Ok(Some(Cow::Borrowed(ip.payload)));
        };
        let key = (ip.source, ip.destination, ip.protocol, fragment.id);
        if self.waiting.len() >= MOST && !self.waiting.contains_key(&key) {
            self.make_room(at);
        }
        let new = || {
            let buffer = IpDefragBuf::new(IpNumber(ip.protocol), Vec::new(), Vec::new());
            (buffer, at)
        };
        let (buffer, since) = self.waiting.entry(key).or_insert_with(new);
        if at.seconds_since(*since) > PATIENCE {
            // The same number again, for another packet.
            (*buffer, *since) = new();
            self.given_up += 1;
        }
        let added = buffer.add(fragment.offset, fragment.more, ip.payload);
        if added.is_err() {
            self.waiting.remove(&key);
            return Err(Broken::Fragments);
        }
        if !buffer.is_complete() {
            return Ok(None);
        }
        let whole = self.waiting.remove(&key);
        Ok(whole.map(|(buffer, _)| Cow::Owned(buffer.take_bufs().0)))
    }

    fn make_room(&mut self, at: Timestamp) {
        let before = self.waiting.len();
        self.waiting
            .retain(|_, (_, since)| at.seconds_since(*since) <= PATIENCE);
        if self.waiting.len() >= MOST {
            let oldest = self.waiting.iter().min_by_key(|(_, (_, since))| *since);
            if let Some(key) = oldest.map(|(key, _)| *key) {
                self.waiting.remove(&key);
            }
        }
        self.given_up += (before - self.waiting.len()) as u64;
    }

    /// Packets that never became whole.
    pub(super) fn left(&self) -> u64 {
        self.given_up + self.waiting.len() as u64
    }
}
