//! What was answered lately, so that a retransmission gets the same bytes and is no new call
//! (RFC 3261 section 17.2.1).
//!
//! INVITEs are answered at once, so a transaction is either being decided or answered. What is
//! being decided is no more than what is in flight, and stands apart: only an answer that is to
//! be remembered takes room in the table and may push another out. Challenges and 403s are not
//! (section 26.3.2.4), so that strangers, however many, push out nothing of a customer's.
//!
//! The ACK ends a transaction only towards copies of its request (see [`CopyOf`]); the bytes stay
//! for the whole lifetime, because an INVITE that was delayed behind its own ACK must still not
//! be counted twice.
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

/// What an INVITE is to those that came before it by other ways.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum CopyOf {
    /// No copy: the first of its call.
    None,
    /// A copy of one that is being decided.
    Undecided,
    /// A copy of one that was approved.
    Approved,
    /// A copy of one that was refused, so.
    Refused(Answer),
    /// A copy like [`MAX_COPIES`] before it: to be decided for itself.
    OneTooMany,
}

/// Copies of an approved call that are told so and not decided. More ways than these lead from
/// no honest softswitch to here.
const MAX_COPIES: u8 = 3;

/// An INVITE that is being decided.
#[derive(Debug)]
struct Undecided {
    at: Timestamp,
    /// The call it is the first of.
    call: Option<u128>,
}

/// An INVITE that was answered, or is to be again.
#[derive(Debug)]
struct Entry {
    /// Tells this entry from an earlier one of the same id in `order`.
    serial: u64,
    at: Timestamp,
    state: Seen,
    /// The call it is the first of, until it is acknowledged.
    first: Option<First>,
}

/// What the copies of a decided call are told by.
#[derive(Debug)]
struct First {
    call: u128,
    /// `None`: approved.
    refusal: Option<Answer>,
    /// Told so far.
    copies: u8,
}

impl Entry {
    fn size(&self) -> usize {
        let bytes = match &self.state {
            Seen::Answered(Some(bytes)) => bytes.len(),
            _ => 0,
        };
        let refusal = self.first.as_ref().and_then(|first| first.refusal.as_ref());
        // Its texts stand in the bytes as well.
        if refusal.is_some() { 2 * bytes } else { bytes }
    }
}

type ByKey<T> = HashMap<u128, T, BuildHasherDefault<Spread>>;

/// The table. One a door, whatever the transport: a client that asks again over TCP what it
/// asked over UDP asks the same. A flood on one door cannot push the transactions of another
/// out.
#[derive(Debug)]
pub(super) struct Transactions {
    limits: Limits,
    undecided: ByKey<Undecided>,
    entries: ByKey<Entry>,
    /// Entries as they came, oldest first; also, until their time, those replaced.
    order: VecDeque<(u128, u64, Timestamp)>,
    /// The first transaction of each call, until it is acknowledged.
    calls: ByKey<u128>,
    serial: u64,
    bytes: usize,
    evicted: u64,
}

impl Transactions {
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            undecided: HashMap::default(),
            entries: HashMap::default(),
            order: VecDeque::new(),
            calls: HashMap::default(),
            serial: 0,
            bytes: 0,
            evicted: 0,
        }
    }

    /// What is known of an INVITE; one never seen becomes pending, until [`complete`] or
    /// [`forget`].
    ///
    /// [`complete`]: Self::complete
    /// [`forget`]: Self::forget
    pub fn open(&mut self, id: Uuid, now: Timestamp) -> Seen {
        self.expire(now);
        let key = id.as_u128();
        if let Some(entry) = self.entries.get(&key)
            && !expired(entry.at, now)
        {
            return entry.state.clone();
        }
        let known = self.undecided.get(&key);
        if known.is_some_and(|undecided| !expired(undecided.at, now)) {
            return Seen::Pending;
        }
        let undecided = Undecided {
            at: now,
            call: None,
        };
        if let Some(Undecided {
            call: Some(call), ..
        }) = self.undecided.insert(key, undecided)
        {
            self.release(key, call);
        }
        Seen::New
    }

    /// Whether a pending INVITE is a copy of one that came by another way; if not, it is the
    /// first of its `call`, until its ACK.
    pub fn copy_of(&mut self, id: Uuid, call: u128, now: Timestamp) -> CopyOf {
        let key = id.as_u128();
        let first = self.calls.get(&call).copied();
        if let Some(first) = first.filter(|first| *first != key) {
            if let Some(entry) = self.entries.get_mut(&first)
                && !expired(entry.at, now)
                && let Some(first) = &mut entry.first
            {
                return first.told();
            }
            let undecided = self.undecided.get(&first);
            if undecided.is_some_and(|other| !expired(other.at, now)) {
                return CopyOf::Undecided;
            }
        }
        if let Some(undecided) = self.undecided.get_mut(&key) {
            undecided.call = Some(call);
            self.calls.insert(call, key);
        }
        CopyOf::None
    }

    /// The ACK of an INVITE came: who asks again by another way asks anew.
    pub fn acknowledge(&mut self, id: Uuid) {
        let key = id.as_u128();
        let Some(entry) = self.entries.get_mut(&key) else {
            return;
        };
        self.bytes -= entry.size();
        let first = entry.first.take();
        self.bytes += entry.size();
        if let Some(first) = first {
            self.release(key, first.call);
        }
    }

    /// Whether an INVITE is pending or was answered.
    pub fn knows(&self, id: Uuid, now: Timestamp) -> bool {
        let key = id.as_u128();
        let answered = self.entries.get(&key).map(|entry| entry.at);
        let at = answered.or_else(|| Some(self.undecided.get(&key)?.at));
        at.is_some_and(|at| !expired(at, now))
    }

    /// The bytes a known INVITE was answered with.
    pub fn answer_of(&self, id: Uuid) -> Option<Bytes> {
        match &self.entries.get(&id.as_u128())?.state {
            Seen::Answered(bytes) => bytes.clone(),
            _ => None,
        }
    }

    /// A pending or recovered INVITE has its answer, as these bytes; `None`: silence. Only one
    /// that says a decision lets copies be known by it.
    pub fn complete(&mut self, id: Uuid, bytes: Option<Bytes>, answer: Option<&Answer>) {
        let key = id.as_u128();
        if let Some(undecided) = self.undecided.remove(&key) {
            let code = answer.and_then(Answer::decision);
            let first = undecided.call.zip(code).map(|(call, code)| First {
                call,
                refusal: answer.filter(|_| !code.is_approved()).cloned(),
                copies: 0,
            });
            if let (Some(call), None) = (undecided.call, &first) {
                self.release(key, call);
            }
            self.insert(key, undecided.at, Seen::Answered(bytes), first);
        } else if let Some(entry) = self.entries.get_mut(&key) {
            self.bytes -= entry.size();
            entry.state = Seen::Answered(bytes);
            self.bytes += entry.size();
        }
        while self.bytes > self.limits.bytes && self.evict_oldest() {}
    }

    /// An INVITE decided before a restart, at `at`. Whether it was acknowledged is not known, so
    /// its copies are not taken for such.
    pub fn recover(&mut self, id: Uuid, answer: Answer, at: Timestamp) {
        self.insert(id.as_u128(), at, Seen::Recovered(answer), None);
    }

    /// Nothing of a pending INVITE is to be remembered: its retransmission is to be decided
    /// afresh.
    pub fn forget(&mut self, id: Uuid) {
        let key = id.as_u128();
        if let Some(undecided) = self.undecided.remove(&key)
            && let Some(call) = undecided.call
        {
            self.release(key, call);
        }
    }

    /// Entries that had to make room since the last call.
    pub fn take_evicted(&mut self) -> u64 {
        std::mem::take(&mut self.evicted)
    }

    fn insert(&mut self, key: u128, at: Timestamp, state: Seen, first: Option<First>) {
        self.serial += 1;
        let serial = self.serial;
        let entry = Entry {
            serial,
            at,
            state,
            first,
        };
        self.bytes += entry.size();
        let call = entry.first.as_ref().map(|first| first.call);
        if let Some(replaced) = self.entries.insert(key, entry) {
            self.bytes -= replaced.size();
            if let Some(first) = replaced.first.filter(|first| Some(first.call) != call) {
                self.release(key, first.call);
            }
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
            self.bytes -= entry.size();
            if let Some(first) = entry.first {
                self.release(key, first.call);
            }
        }
        true
    }

    /// A call goes on no longer in this transaction; it may do so in a later one.
    fn release(&mut self, key: u128, call: u128) {
        if self.calls.get(&call) == Some(&key) {
            self.calls.remove(&call);
        }
    }
}

impl First {
    /// What the next copy is told.
    fn told(&mut self) -> CopyOf {
        match &self.refusal {
            Some(refusal) => CopyOf::Refused(refusal.clone()),
            None if self.copies >= MAX_COPIES => CopyOf::OneTooMany,
            None => {
                self.copies += 1;
                CopyOf::Approved
            }
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
#[path = "transaction_tests.rs"]
mod tests;
