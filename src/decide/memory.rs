//! What the engine remembers between calls: habits and use, copied out and taken in while calls
//! go on.

use super::Engine;
use crate::accounts::Snapshot;
use crate::domain::{CallEvent, Timestamp};
use crate::features::{self, Saved, Windows};
use crate::model::ModelSlot;
use crate::rates::Deck;
use crate::usage::{self, Piece, Reset, ResetJournal};
use parking_lot::FairMutexGuard;
use std::net::IpAddr;
use std::sync::Arc;

/// Tracks copied or joined while calls wait, at most: some tens of microseconds. The lock is
/// fair, so calls that wait go first after each piece.
const STATE_PIECE: usize = 256;

pub(super) type Guard<'a> = FairMutexGuard<'a, Windows>;

/// Whose habits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pool {
    /// Calls of trusted peers.
    Customers,
    /// Calls of anybody, from the free port: kept apart, so that nobody can shape or crowd out
    /// what is known of customers.
    Strangers,
    /// What rang at honeypots: kept apart from calls, and looked at by all of them.
    Honeypot,
}

impl Pool {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Customers, Self::Strangers, Self::Honeypot];
}

impl Engine {
    /// Counts an event of the past, in the windows and as use, unless they hold it already.
    pub fn remember(&self, event: &CallEvent) {
        let context = features::Context::of_event(event);
        self.windows_of(context.scope).replay(&context, event.at);
        if context.is_shown_at_honeypot() {
            self.windows(Pool::Honeypot)
                .note_honeypot(&context, event.at, true);
        }
        self.usage.replay(event);
    }

    /// The accounts, policies and lists in force.
    #[must_use]
    pub fn accounts(&self) -> Arc<Snapshot> {
        self.accounts.load_full()
    }

    /// Puts new accounts, policies and lists in force. Whoever holds the old ones last frees
    /// them, which takes a while with large lists: they are given back so that it is no call.
    pub fn swap_accounts(&self, accounts: Snapshot) -> Arc<Snapshot> {
        self.accounts.swap(Arc::new(accounts))
    }

    /// The rate deck in force.
    #[must_use]
    pub fn rates(&self) -> Arc<Deck> {
        self.rates.load_full()
    }

    /// Puts a rate deck in force.
    pub fn swap_rates(&self, deck: Arc<Deck>) {
        self.rates.store(deck);
    }

    /// The model slot, for watching and showing.
    #[must_use]
    pub fn model(&self) -> &ModelSlot {
        &self.model
    }

    /// Copies the windows out, a piece at a time, so that no call waits for the whole.
    pub fn copy_windows(&self, pool: Pool, mut take: impl FnMut(Vec<Saved>)) {
        let mut from = 0;
        loop {
            let piece = self.windows(pool).slice(from, STATE_PIECE).to_vec();
            if piece.is_empty() {
                return;
            }
            from += piece.len();
            take(piece);
        }
    }

    /// Joins tracks from elsewhere into the windows, a piece at a time. Times later than `now`
    /// count as now.
    pub fn merge_windows(&self, pool: Pool, tracks: &[Saved], now: Timestamp) {
        for piece in tracks.chunks(STATE_PIECE) {
            self.windows(pool).merge(piece, now);
        }
    }

    /// Tracks kept now, and how many made room so far.
    #[must_use]
    pub fn window_sizes(&self) -> (usize, u64) {
        let (mut tracks, mut evictions) = (0, 0);
        for pool in Pool::ALL {
            let windows = self.windows(pool);
            tracks += windows.len();
            evictions += windows.evictions();
        }
        (tracks, evictions)
    }

    /// Distinguishes the key of the counts of use from others without telling it.
    #[must_use]
    pub fn usage_key_check(&self) -> u64 {
        self.usage.key_check()
    }

    /// Copies the counts of use out, a piece at a time.
    pub fn copy_usage(&self, take: impl FnMut(Piece)) {
        self.usage.copy(take);
    }

    /// Takes saved counts in, then what was set to nothing since they were saved; from here on
    /// resets are noted in `journal`.
    pub fn restore_usage(&self, saved: Vec<Piece>, journal: Option<ResetJournal>, noted: &[Reset]) {
        saved
            .into_iter()
            .for_each(|piece| self.usage.restore(piece));
        noted.iter().for_each(|&reset| self.usage.apply(reset));
        *self.resets.lock() = journal;
    }

    /// Counters of use kept now, and how many made room so far.
    #[must_use]
    pub fn usage_sizes(&self) -> usage::Sizes {
        self.usage.sizes()
    }

    pub(super) fn windows(&self, pool: Pool) -> Guard<'_> {
        match pool {
            Pool::Customers => self.customers.lock(),
            Pool::Strangers => self.strangers.lock(),
            Pool::Honeypot => self.honeypot.lock(),
        }
    }

    pub(super) fn windows_of(&self, scope: Option<IpAddr>) -> Guard<'_> {
        match scope {
            None => self.windows(Pool::Customers),
            Some(_) => self.windows(Pool::Strangers),
        }
    }
}
