//! What was answered lately, so that a retransmission gets the same bytes and is no new call
//! (RFC 3261 section 17.2.1).
//!
//! INVITEs are answered at once, so a transaction is either being decided or answered. The ACK
//! ends it only towards merged requests (section 8.2.2.2), which are known by their call; the
//! bytes stay for the whole lifetime, because an INVITE that was delayed behind its own ACK must
//! still not be counted twice.
//!
//! Every operation costs the same however full the table is: entries leave in the order they
//! came, a few at each arrival.

use crate::domain::{Answer, Timestamp};
use bytes::Bytes;
use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};
use uuid::Uuid;

/// How long an answered INVITE is known: 64 * T1, timers B and H (RFC 3261 section 17). No
/// client retransmits longer.
pub const TRANSACTION_LIFETIME_SECS: i64 = 32;

/// Expired entries that leave at each arrival: more than come, so the table shrinks by itself,
/// and few enough that no message waits for thousands of them.
const EXPIRED_PER_ARRIVAL: usize = 4;

/// Bounds of a transaction table; beyond either the oldest entry makes room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Transactions.
    pub entries: usize,
    /// Bytes of all answers together.
    pub bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entries: 131_072,
            bytes: 128 * 1024 * 1024,
        }
    }
}

/// What the table knows of an INVITE that arrived.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Seen {
    /// Nothing until now; it is being decided from now on.
    New,
    /// It is being decided.
    Pending,
    /// It was answered with these bytes; `None`: with silence.
    Answered(Option<Bytes>),
    /// It was decided before a restart; its bytes are to be built again.
    Recovered(Answer),
}

#[derive(Debug)]
struct Entry {
    /// Tells this entry from an earlier one of the same id in `order`.
    serial: u64,
    at: Timestamp,
    state: Seen,
    /// Its call, until it is acknowledged.
    call: Option<u128>,
}

impl Entry {
    fn size(&self) -> usize {
        match &self.state {
            Seen::Answered(Some(bytes)) => bytes.len(),
            _ => 0,
        }
    }
}

/// The table. One a door, whatever the transport: a client that asks again over TCP what it
/// asked over UDP asks the same. A flood on one door cannot push the transactions of another
/// out.
#[derive(Debug)]
pub(super) struct Transactions {
    limits: Limits,
    entries: HashMap<u128, Entry, BuildHasherDefault<Spread>>,
    /// Arrivals, oldest first; holds every entry and, until their time, those forgotten.
    order: VecDeque<(u128, u64, Timestamp)>,
    /// Transaction of each call that is not acknowledged.
    calls: HashMap<u128, u128, BuildHasherDefault<Spread>>,
    serial: u64,
    bytes: usize,
    evicted: u64,
}

impl Transactions {
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            entries: HashMap::default(),
            order: VecDeque::new(),
            calls: HashMap::default(),
            serial: 0,
            bytes: 0,
            evicted: 0,
        }
    }

    /// What is known of an INVITE; one never seen becomes pending.
    pub fn open(&mut self, id: Uuid, now: Timestamp) -> Seen {
        self.expire(now);
        match self.entries.get(&id.as_u128()) {
            Some(entry) if !expired(entry.at, now) => entry.state.clone(),
            _ => {
                self.insert(id, now, Seen::Pending);
                Seen::New
            }
        }
    }

    /// Whether a new INVITE is a copy, by another way, of one whose transaction still goes on.
    /// If not, its own does from now on, under the same `call`.
    pub fn is_merged(&mut self, id: Uuid, call: u128, now: Timestamp) -> bool {
        let key = id.as_u128();
        let other = self.calls.get(&call).and_then(|key| self.entries.get(key));
        if other.is_some_and(|other| !expired(other.at, now)) {
            return true;
        }
        if let Some(entry) = self.entries.get_mut(&key) {
            entry.call = Some(call);
            self.calls.insert(call, key);
        }
        false
    }

    /// The ACK of an INVITE came: who asks again by another way asks anew.
    pub fn acknowledge(&mut self, id: Uuid) {
        let key = id.as_u128();
        if let Some(entry) = self.entries.get_mut(&key)
            && let Some(call) = entry.call.take()
        {
            self.release(key, call);
        }
    }

    /// Whether an INVITE is pending or was answered.
    pub fn knows(&self, id: Uuid, now: Timestamp) -> bool {
        self.entries
            .get(&id.as_u128())
            .is_some_and(|entry| !expired(entry.at, now))
    }

    /// The bytes a known INVITE was answered with.
    pub fn answer_of(&self, id: Uuid) -> Option<Bytes> {
        match &self.entries.get(&id.as_u128())?.state {
            Seen::Answered(bytes) => bytes.clone(),
            _ => None,
        }
    }

    /// A pending or recovered INVITE has its answer; `None`: silence.
    pub fn complete(&mut self, id: Uuid, bytes: Option<Bytes>) {
        let Some(entry) = self.entries.get_mut(&id.as_u128()) else {
            return;
        };
        self.bytes -= entry.size();
        entry.state = Seen::Answered(bytes);
        self.bytes += entry.size();
        while self.bytes > self.limits.bytes && self.evict_oldest() {}
    }

    /// An INVITE decided before a restart, at `at`. Whether it was acknowledged is not known, so
    /// its copies are not taken for such.
    pub fn recover(&mut self, id: Uuid, answer: Answer, at: Timestamp) {
        self.insert(id, at, Seen::Recovered(answer));
    }

    /// A pending INVITE got no decision; its retransmission is to be decided afresh.
    pub fn forget(&mut self, id: Uuid) {
        if let Some(entry) = self.entries.remove(&id.as_u128()) {
            self.let_go(id.as_u128(), &entry);
        }
    }

    /// Entries that had to make room since the last call.
    pub fn take_evicted(&mut self) -> u64 {
        std::mem::take(&mut self.evicted)
    }

    fn insert(&mut self, id: Uuid, at: Timestamp, state: Seen) {
        self.serial += 1;
        let key = id.as_u128();
        let entry = Entry {
            serial: self.serial,
            at,
            state,
            call: None,
        };
        let serial = self.serial;
        if let Some(replaced) = self.entries.insert(key, entry) {
            self.let_go(key, &replaced);
        }
        self.order.push_back((key, serial, at));
        while self.order.len() > self.limits.entries.max(1) {
            self.evict_oldest();
        }
    }

    fn expire(&mut self, now: Timestamp) {
        for _ in 0..EXPIRED_PER_ARRIVAL {
            match self.order.front() {
                Some((_, _, at)) if expired(*at, now) => self.pop_oldest(),
                _ => return,
            };
        }
    }

    fn evict_oldest(&mut self) -> bool {
        if self.pop_oldest() {
            self.evicted += 1;
        }
        !self.order.is_empty()
    }

    /// Takes the oldest arrival out; whether an entry went with it.
    fn pop_oldest(&mut self) -> bool {
        let Some((key, serial, _)) = self.order.pop_front() else {
            return false;
        };
        if self.entries.get(&key).is_none_or(|e| e.serial != serial) {
            return false;
        }
        if let Some(entry) = self.entries.remove(&key) {
            self.let_go(key, &entry);
        }
        true
    }

    /// What an entry that left the table still held.
    fn let_go(&mut self, key: u128, entry: &Entry) {
        self.bytes -= entry.size();
        if let Some(call) = entry.call {
            self.release(key, call);
        }
    }

    /// A call goes on no longer in this transaction; it may do so in a later one.
    fn release(&mut self, key: u128, call: u128) {
        if self.calls.get(&call) == Some(&key) {
            self.calls.remove(&call);
        }
    }
}

/// A clock that steps back only makes entries live longer; the bounds hold all the same.
fn expired(at: Timestamp, now: Timestamp) -> bool {
    now.0.saturating_sub(at.0) >= TRANSACTION_LIFETIME_SECS * Timestamp::SECOND
}

/// The key is a keyed hash already; its two halves together are spread well enough.
#[derive(Debug, Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "folds both halves into one"
    )]
    fn write_u128(&mut self, key: u128) {
        self.0 = (key >> 64) as u64 ^ key as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::NeutralAnswer;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    fn id(n: u128) -> Uuid {
        Uuid::from_u128(n)
    }

    fn table(entries: usize, bytes: usize) -> Transactions {
        Transactions::new(Limits { entries, bytes })
    }

    fn bytes(text: &'static str) -> Option<Bytes> {
        Some(Bytes::from_static(text.as_bytes()))
    }

    #[test]
    fn is_new_once_then_pending_then_answered_until_its_time() {
        let mut table = table(10, 100);
        assert_eq!(table.open(id(1), at(0)), Seen::New);
        assert_eq!(table.open(id(1), at(0)), Seen::Pending);
        table.complete(id(1), bytes("x"));
        assert_eq!(table.open(id(1), at(31)), Seen::Answered(bytes("x")));
        assert!(table.knows(id(1), at(31)) && !table.knows(id(1), at(32)));
        assert_eq!(table.open(id(1), at(32)), Seen::New);
        assert_eq!(table.take_evicted(), 0);
    }

    #[test]
    fn silence_is_an_answer() {
        let mut table = table(10, 100);
        table.open(id(1), at(0));
        table.complete(id(1), None);
        assert_eq!(table.open(id(1), at(1)), Seen::Answered(None));
    }

    #[test]
    fn the_oldest_makes_room_and_is_counted() {
        let mut table = table(2, 100);
        for n in 1..=3 {
            table.open(id(n), at(0));
        }
        assert_eq!(table.take_evicted(), 1);
        assert!(!table.knows(id(1), at(0)) && table.knows(id(2), at(0)));
        assert_eq!((table.entries.len(), table.order.len()), (2, 2));
    }

    #[test]
    fn bytes_are_bounded_too() {
        let mut table = table(10, 5);
        for n in 1..=3 {
            table.open(id(n), at(0));
            table.complete(id(n), bytes("xyz"));
        }
        assert_eq!(table.take_evicted(), 2);
        assert_eq!(table.bytes, 3);
        assert_eq!(table.open(id(3), at(0)), Seen::Answered(bytes("xyz")));
    }

    #[test]
    fn the_forgotten_are_new_again_and_outlive_their_first_arrival() {
        let mut table = table(10, 100);
        table.open(id(1), at(0));
        table.forget(id(1));
        assert_eq!(table.open(id(1), at(20)), Seen::New);
        assert_eq!(
            table.open(id(2), at(33)),
            Seen::New,
            "expires the first arrival of 1"
        );
        assert_eq!(table.open(id(1), at(33)), Seen::Pending);
    }

    #[test]
    fn what_was_recovered_is_not_new() {
        let mut table = table(10, 100);
        let answer = Answer::Neutral(NeutralAnswer::ServiceUnavailable);
        table.recover(id(1), answer.clone(), at(0));
        assert_eq!(table.open(id(1), at(31)), Seen::Recovered(answer));
        table.complete(id(1), bytes("x"));
        assert_eq!(table.open(id(1), at(31)), Seen::Answered(bytes("x")));
        assert_eq!(table.open(id(1), at(32)), Seen::New);
    }

    #[test]
    fn a_call_is_merged_until_acknowledged_expired_or_forgotten() {
        let mut table = table(10, 100);
        let arrives = |table: &mut Transactions, n, secs| {
            assert_eq!(table.open(id(n), at(secs)), Seen::New);
            table.is_merged(id(n), 7, at(secs))
        };
        assert!(!arrives(&mut table, 1, 0));
        assert!(arrives(&mut table, 2, 0));
        table.acknowledge(id(2));
        assert!(
            arrives(&mut table, 3, 0),
            "the ACK of a merged one ends nothing"
        );
        table.acknowledge(id(1));
        assert!(!arrives(&mut table, 4, 0));
        table.forget(id(4));
        assert!(!arrives(&mut table, 5, 0));
        assert!(!arrives(&mut table, 6, 32), "5 is over");
        assert!(!table.is_merged(id(6), 8, at(32)), "another call");
    }

    #[test]
    fn calls_are_held_no_longer_than_their_transactions() {
        let mut table = table(3, 100);
        for n in 1..=9 {
            table.open(id(n), at(0));
            assert!(!table.is_merged(id(n), n, at(0)));
        }
        assert_eq!((table.entries.len(), table.calls.len()), (3, 3));
        assert!(table.calls.contains_key(&9) && !table.calls.contains_key(&1));
    }
}
