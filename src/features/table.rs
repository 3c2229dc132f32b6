//! A bounded table of tracks that can be copied out a little at a time.

use super::track::Track;
use crate::domain::{Prehashed, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::hash::BuildHasherDefault;

/// How many neighbours an eviction looks at; the least recently seen of them goes.
const SAMPLE: usize = 16;

/// One saved track.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Saved(pub u64, pub Track);

/// Tracks by key, at most `capacity` of them.
///
/// Slots are dense, so that a snapshot is copied out in pieces between calls, and evicting costs
/// the same whatever the size: of `SAMPLE` slots after a moving hand, the one least
/// recently seen makes room.
#[derive(Debug)]
pub struct TrackTable {
    index: HashMap<u64, u32, BuildHasherDefault<Prehashed>>,
    slots: Vec<Saved>,
    capacity: usize,
    hand: usize,
    evictions: u64,
}

impl TrackTable {
    /// An empty table for `capacity` tracks (at least one).
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        let capacity = capacity.clamp(1, u32::MAX as usize);
        // All of it at once: growing would move millions of entries while calls wait. The
        // system gives the pages only when they are first written to.
        Self {
            index: HashMap::with_capacity_and_hasher(capacity, BuildHasherDefault::default()),
            slots: Vec::with_capacity(capacity),
            capacity,
            hand: 0,
            evictions: 0,
        }
    }

    /// What is known under a key.
    #[must_use]
    pub fn get(&self, key: u64) -> Option<&Track> {
        let at = *self.index.get(&key)?;
        self.slots.get(at as usize).map(|saved| &saved.1)
    }

    /// Counts `amount` more under a key; what was there before.
    pub fn observe(&mut self, key: u64, now: Timestamp, amount: f32) -> Option<Track> {
        match self.index.get(&key) {
            Some(&at) => {
                let track = &mut self.slots[at as usize].1;
                let before = *track;
                track.observe(now, amount);
                Some(before)
            }
            None => {
                self.insert(key, Track::new(now, amount));
                None
            }
        }
    }

    /// Joins a track from elsewhere into this table. Into a full table only what was seen later
    /// than what would have to make room.
    pub fn merge(&mut self, Saved(key, track): Saved) {
        match self.index.get(&key) {
            Some(&at) => self.slots[at as usize].1.merge(&track),
            None if self.slots.len() < self.capacity => self.insert(key, track),
            None => {
                let victim = self.victim();
                if self.slots[victim].1.last < track.last {
                    self.replace(victim, key, track);
                }
            }
        }
    }

    /// Up to `count` tracks from slot `from` on: a piece of a snapshot.
    #[must_use]
    pub fn slice(&self, from: usize, count: usize) -> &[Saved] {
        let end = self.slots.len().min(from.saturating_add(count));
        self.slots.get(from..end).unwrap_or_default()
    }

    /// How many tracks.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether nothing is tracked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Tracks that made room so far.
    #[must_use]
    pub const fn evictions(&self) -> u64 {
        self.evictions
    }

    fn insert(&mut self, key: u64, track: Track) {
        if self.slots.len() < self.capacity {
            self.note(key, self.slots.len());
            self.slots.push(Saved(key, track));
        } else {
            let victim = self.victim();
            self.replace(victim, key, track);
        }
    }

    fn replace(&mut self, at: usize, key: u64, track: Track) {
        self.index.remove(&self.slots[at].0);
        self.slots[at] = Saved(key, track);
        self.note(key, at);
        self.evictions += 1;
    }

    fn note(&mut self, key: u64, at: usize) {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "capacity is clamped to u32"
        )]
        self.index.insert(key, at as u32);
    }

    fn victim(&mut self) -> usize {
        let len = self.slots.len();
        let start = self.hand;
        self.hand = (start + SAMPLE) % len;
        (start..start + SAMPLE)
            .map(|at| at % len)
            .min_by_key(|&at| self.slots[at].1.last)
            .unwrap_or(start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_more_than_its_capacity_and_the_busy_stay() {
        let mut table = TrackTable::new(1_000);
        let mut now = Timestamp::from_secs(0);
        for round in 0..100_000u64 {
            now = now.plus_secs(1);
            table.observe(
                round.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1 << 63,
                now,
                1.0,
            );
            table.observe(round % 10, now, 1.0);
        }
        assert_eq!(table.len(), 1_000);
        assert!(table.evictions() > 90_000);
        let kept = (0..10).filter(|&key| table.get(key).is_some()).count();
        assert_eq!(kept, 10, "what is seen all the time is never evicted");
    }

    #[test]
    fn old_history_does_not_displace_what_is_newer() {
        let mut table = TrackTable::new(50);
        (0..50).for_each(|key| {
            table.observe(key, Timestamp::from_secs(1_000), 1.0);
        });
        (100..200)
            .for_each(|key| table.merge(Saved(key, Track::new(Timestamp::from_secs(10), 1.0))));
        assert!((0..50).all(|key| table.get(key).is_some()));
        table.merge(Saved(300, Track::new(Timestamp::from_secs(2_000), 1.0)));
        assert!(table.get(300).is_some());
        assert_eq!(table.len(), 50);
    }

    #[test]
    fn slices_cover_the_table() {
        let mut table = TrackTable::new(100);
        (0..25).for_each(|key| {
            table.observe(key, Timestamp::from_secs(1), 1.0);
        });
        let sizes: Vec<_> = (0..4).map(|i| table.slice(i * 10, 10).len()).collect();
        assert_eq!(sizes, [10, 10, 5, 0]);
    }
}
