//! Which nonce counts were used: each is good once (RFC 7616 section 3.4, `nc`).
//!
//! Only nonces that somebody who knew the password answered are remembered, so strangers cannot
//! fill the table. What it has forgotten it can no longer vouch for: nonces as old as the oldest
//! that had to make room are refused as stale.

use super::nonce::Nonce;
use crate::domain::Timestamp;
use std::collections::BTreeMap;

/// Expired entries cleared away with each call, at most: two would do, as each call adds one.
const CLEARED: usize = 16;
/// Counts below the highest that may still come: requests overtake each other over UDP.
const REACH: u32 = 64;

/// The counts used of each nonce, by its time and random part.
#[derive(Debug)]
pub(super) struct Used {
    windows: BTreeMap<(Timestamp, u64), Window>,
    capacity: usize,
    /// Nonces given out then or before may have been forgotten.
    horizon: Timestamp,
}

/// The highest count used, and which of those below: bit `n` is `highest - n`.
#[derive(Clone, Copy, Debug)]
struct Window {
    highest: u32,
    below: u64,
}

/// Why a right answer to a nonce is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spent {
    /// This count was used.
    Replayed,
    /// Whether it was used is not known any more.
    Forgotten,
}

impl Used {
    pub fn new(capacity: usize) -> Self {
        Self {
            windows: BTreeMap::new(),
            capacity: capacity.max(1),
            horizon: Timestamp(i64::MIN),
        }
    }

    /// Uses `count` of a nonce, or says why it may not be. Entries of nonces given out before
    /// `expired` are cleared away.
    pub fn spend(&mut self, nonce: Nonce, count: u32, expired: Timestamp) -> Result<(), Spent> {
        if nonce.at <= self.horizon {
            return Err(Spent::Forgotten);
        }
        let key = (nonce.at, nonce.random);
        match self.windows.get_mut(&key) {
            Some(window) => return window.spend(count).then_some(()).ok_or(Spent::Replayed),
            None => self.windows.insert(key, Window::first(count)),
        };
        for _ in 0..CLEARED {
            match self.windows.first_entry() {
                Some(oldest) if oldest.key().0 < expired => oldest.remove(),
                _ => break,
            };
        }
        if self.windows.len() > self.capacity
            && let Some(((at, _), _)) = self.windows.pop_first()
        {
            self.horizon = at;
        }
        Ok(())
    }
}

impl Window {
    const fn first(count: u32) -> Self {
        Self {
            highest: count,
            below: 1,
        }
    }

    /// Whether `count` was not used before; it is then.
    fn spend(&mut self, count: u32) -> bool {
        if count > self.highest {
            let shift = count - self.highest;
            self.below = self.below.checked_shl(shift).unwrap_or(0) | 1;
            self.highest = count;
            return true;
        }
        let back = self.highest - count;
        let bit = 1_u64.checked_shl(back).unwrap_or(0);
        if back >= REACH || self.below & bit != 0 {
            return false;
        }
        self.below |= bit;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEVER: Timestamp = Timestamp(i64::MIN);

    const fn nonce(at: i64) -> Nonce {
        Nonce {
            at: Timestamp(at),
            era: 0,
            random: 7,
        }
    }

    #[test]
    fn each_count_is_good_once_in_any_order_within_reach() {
        let mut used = Used::new(10);
        let mut spend = |count| used.spend(nonce(1), count, NEVER);
        for count in [1, 3, 2, 66] {
            assert_eq!(spend(count), Ok(()), "{count}");
            assert_eq!(spend(count), Err(Spent::Replayed), "{count}");
        }
        assert_eq!(spend(3), Err(Spent::Replayed), "63 below, used");
        assert_eq!(spend(4), Ok(()), "62 below, not used");
        assert_eq!(spend(2), Err(Spent::Replayed), "out of reach");
        assert_eq!(spend(u32::MAX), Ok(()));
        assert_eq!(spend(u32::MAX), Err(Spent::Replayed));
        assert_eq!(spend(u32::MAX - 63), Ok(()), "the last within reach");
        assert_eq!(
            spend(u32::MAX - 64),
            Err(Spent::Replayed),
            "the first out of it"
        );
    }

    #[test]
    fn a_full_table_forgets_the_oldest_and_knows_that_it_did() {
        let mut used = Used::new(2);
        for at in [10, 20, 30] {
            assert_eq!(used.spend(nonce(at), 1, NEVER), Ok(()));
        }
        assert_eq!(used.windows.len(), 2);
        assert_eq!(used.spend(nonce(10), 2, NEVER), Err(Spent::Forgotten));
        assert_eq!(used.spend(nonce(9), 1, NEVER), Err(Spent::Forgotten));
        assert_eq!(used.spend(nonce(20), 1, NEVER), Err(Spent::Replayed));
        assert_eq!(used.spend(nonce(20), 2, NEVER), Ok(()));
        assert_eq!(used.spend(nonce(11), 1, NEVER), Ok(()), "taken this once");
        assert_eq!(used.spend(nonce(11), 1, NEVER), Err(Spent::Forgotten));
    }

    #[test]
    fn what_has_expired_leaves_a_bounded_piece_at_a_time() {
        let mut used = Used::new(1_000);
        for at in 0..100 {
            assert_eq!(used.spend(nonce(at), 1, NEVER), Ok(()));
        }
        assert_eq!(used.spend(nonce(1_000), 1, Timestamp(50)), Ok(()));
        assert_eq!(used.windows.len(), 101 - CLEARED);
        for at in 1_001..1_010 {
            assert_eq!(used.spend(nonce(at), 1, Timestamp(50)), Ok(()));
        }
        assert_eq!(used.windows.len(), 60);
    }
}
