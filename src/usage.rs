//! What has been used by whom: calls of a day (R09, R11), calls of one caller to one number (R13),
//! calls in this second.
//!
//! Two bounded tables: one of subscribers, one of pairs of caller and number. Asking and counting
//! are one critical section ([`Usage::hold`]), so that no two sockets both take the last call.
//! Keys are keyed hashes: names and numbers are not kept.
//!
//! What survives: the tables are saved now and then ([`write_state`]), and every call that was
//! counted carries what it used up ([`Used`]), so the calls since the last saving can be counted
//! again, each once, in any order. A count that was set to nothing is noted in a journal first.
//!
//! What a clock does to it: quotas are kept by calendar day, for the last few days a subscriber
//! called on, so a clock that jumps ahead and comes back finds its count again. R13 measures how
//! far apart two calls are, whichever came first by the clock: a step back by less than the window
//! keeps the window, one by more begins it anew. Calls per second begin anew at any step back.

mod caller;
mod journal;
mod rate;
mod slot;
mod state;
mod table;

pub use caller::Pair;
pub use journal::{Reset, ResetJournal};
pub use slot::{DayCount, Slot};
pub use state::{Piece, UsageStateError, read_state, write_state};
pub use table::Sizes;

use crate::domain::{
    CallAttempt, CallEvent, Counts, Destination, LocalTime, SameNumber, Timestamp, Used,
};
use parking_lot::FairMutexGuard;
use siphasher::sip::SipHasher13;
use std::hash::{Hash, Hasher};
use table::{Shards, Table};

/// Subscribers remembered, at most: some 90 bytes each. They are names of ours (subscribers,
/// mapped caller numbers, default users), so nobody outside can crowd them out.
const SUBSCRIBERS: usize = 1 << 20;
/// Pairs of caller and number remembered, at most, all domains' together. Measured when full: 136
/// MiB where R13 must tell one call apart, 170 MiB for five, 362 MiB for twenty.
///
/// One whose window has passed makes room first; one that is refused is used by that, so that
/// whoever repeats a call does not outlast it by making others.
const PAIRS: usize = 1 << 20;

/// Counters of everybody's use.
#[derive(Debug)]
pub struct Usage {
    key: [u8; 16],
    subscribers: Shards<Slot>,
    pairs: Shards<Pair>,
}

/// Whose call it is that is asked about, and where it goes.
#[derive(Clone, Copy, Debug)]
pub struct Asking<'a> {
    /// The domain.
    pub account: &'a str,
    /// Who in it the call is counted to.
    pub subscriber: &'a str,
    /// The call.
    pub attempt: &'a CallAttempt,
    /// Where it goes.
    pub destination: &'a Destination,
    /// The customer's clock.
    pub local: LocalTime,
    /// R13's limit; `None`: it does not look, and nothing is remembered for it.
    pub same_number: Option<SameNumber>,
    /// Now.
    pub now: Timestamp,
}

/// The counters of one call, held until it is decided.
#[derive(Debug)]
pub struct Held<'a> {
    asking: Asking<'a>,
    who: u64,
    pair: u64,
    // Always taken in this order, so that no two calls wait for each other.
    subscribers: FairMutexGuard<'a, Table<Slot>>,
    pairs: Option<FairMutexGuard<'a, Table<Pair>>>,
}

impl Usage {
    /// Nothing used yet. `key` makes the hashes unguessable; saved counts are only of use under
    /// the same key.
    #[must_use]
    pub fn new(key: [u8; 16]) -> Self {
        Self::with_room(key, SUBSCRIBERS, PAIRS)
    }

    fn with_room(key: [u8; 16], subscribers: usize, pairs: usize) -> Self {
        Self {
            key,
            subscribers: Shards::new(subscribers),
            pairs: Shards::new(pairs),
        }
    }

    /// Distinguishes this key from others without telling it.
    #[must_use]
    pub fn key_check(&self) -> u64 {
        self.hash("usage key check")
    }

    /// Takes one of a subscriber's calls of this second; when there is none left: how many
    /// seconds until there is.
    ///
    /// # Errors
    /// There is none left; nothing was taken.
    pub fn admit(
        &self,
        account: &str,
        subscriber: &str,
        per_second: u32,
        now: Timestamp,
    ) -> Result<(), u32> {
        let who = self.who(account, subscriber);
        self.subscribers
            .lock(who)
            .entry(who, now)
            .rate
            .admit(per_second, now)
    }

    /// Locks the counters that a call is checked against.
    #[must_use]
    pub fn hold<'a>(&'a self, asking: Asking<'a>) -> Held<'a> {
        let who = self.who(asking.account, asking.subscriber);
        let pair = self.pair(asking.account, asking.attempt, asking.destination);
        Held {
            asking,
            who,
            pair,
            subscribers: self.subscribers.lock(who),
            pairs: asking.same_number.map(|_| self.pairs.lock(pair)),
        }
    }

    /// What a subscriber has used on a day, in normal and in off hours.
    #[must_use]
    pub fn of_day(&self, account: &str, subscriber: &str, day: i32) -> DayCount {
        let who = self.who(account, subscriber);
        let slots = self.subscribers.lock(who);
        slots
            .get(who)
            .map_or_else(Default::default, |slot| slot.of_day(day))
    }

    /// Counts a call of the past that the saved counts may or may not hold already.
    pub fn replay(&self, event: &CallEvent) {
        let Some(used) = event.used else {
            return;
        };
        let who = self.who(&event.account, &event.subscriber);
        let mut slots = self.subscribers.lock(who);
        let matters = slots.entry(who, event.at).replay(&used);
        drop(slots);
        if !matters {
            return;
        }
        if used.same_number > 0 {
            let pair = self.pair(&event.account, &event.attempt, &event.destination);
            let mut pairs = self.pairs.lock(pair);
            pairs
                .entry(pair, event.at)
                .replay(who, event.at, used.same_number);
        }
    }

    /// The reset that would set a subscriber's counts to nothing; [`Usage::apply`] does it.
    #[must_use]
    pub fn next_reset(&self, account: &str, subscriber: &str) -> Reset {
        let who = self.who(account, subscriber);
        let slots = self.subscribers.lock(who);
        let before = slots.get(who).map_or(0, |slot| slot.resets);
        Reset {
            who,
            resets: before.saturating_add(1),
        }
    }

    /// Sets a subscriber's counts to nothing, also those of R13 that his calls made. One that
    /// was applied before changes nothing: the saved counts may hold it, and calls after it.
    pub fn apply(&self, reset: Reset) {
        let mut slots = self.subscribers.lock(reset.who);
        let slot = slots.entry(reset.who, Timestamp::default());
        let is_new = slot.reset(reset.resets);
        drop(slots);
        if is_new {
            self.pairs
                .each(|pairs| pairs.each(|pair| pair.forget_calls_of(reset.who)));
        }
    }

    /// Copies everything out, a piece at a time, so that no call waits for the whole.
    pub fn copy(&self, mut take: impl FnMut(Piece)) {
        self.subscribers
            .copy(|slots| take(Piece::Subscribers(slots)));
        self.pairs.copy(|pairs| take(Piece::Pairs(pairs)));
    }

    /// Takes in a piece that was copied out of other counters under the same key.
    pub fn restore(&self, piece: Piece) {
        match piece {
            Piece::Subscribers(slots) => self.subscribers.restore(slots),
            Piece::Pairs(pairs) => self.pairs.restore(pairs),
        }
    }

    /// Of subscribers and pairs together.
    #[must_use]
    pub fn sizes(&self) -> Sizes {
        self.subscribers.sizes() + self.pairs.sizes()
    }

    fn who(&self, account: &str, subscriber: &str) -> u64 {
        self.hash(("subscriber", account, subscriber))
    }

    /// The caller is the user of From within his account, whoever's policy applies.
    fn pair(&self, account: &str, attempt: &CallAttempt, destination: &Destination) -> u64 {
        let caller = ("pair", account, &attempt.user);
        match destination.number {
            Some(number) => self.hash((caller, number)),
            None => self.hash((caller, &attempt.dialed)),
        }
    }

    fn hash(&self, value: impl Hash) -> u64 {
        let mut hasher = SipHasher13::new_with_key(&self.key);
        value.hash(&mut hasher);
        hasher.finish()
    }
}

impl Held<'_> {
    /// What was used before this call.
    #[must_use]
    pub fn counts(&mut self) -> Counts {
        let Asking { local, now, .. } = self.asking;
        let slot = self.subscribers.get(self.who);
        let pair = self.pairs.as_mut();
        let pair = pair.and_then(|pairs| pairs.touch(self.pair));
        Counts {
            today: slot.map_or(0, |slot| slot.of_day(local.day()).of(local.hours)),
            same_number: match (pair, self.asking.same_number) {
                (Some(pair), Some(limit)) => pair.within(limit.seconds, now),
                _ => 0,
            },
        }
    }

    /// Counts the call, which was approved.
    #[must_use]
    pub fn count(mut self) -> Used {
        let Asking { local, now, .. } = self.asking;
        let remembered = self.asking.same_number.map_or(0, |limit| limit.calls);
        if let (Some(pairs), Some(limit)) = (&mut self.pairs, self.asking.same_number) {
            pairs.entry(self.pair, now).count(self.who, now, limit);
        }
        let slot = self.subscribers.entry(self.who, now);
        slot.count(local.day(), local.hours, remembered)
    }
}

#[cfg(test)]
mod tests;
