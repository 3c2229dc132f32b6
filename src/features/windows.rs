//! Everybody's habits.

use super::compute::{self, Pass};
use super::entities::{Entities, Hash64};
use super::table::{Saved, TrackTable};
use super::{COUNT, Context, Near, VERSION};
use crate::domain::{FeatureVector, Timestamp};

/// Bounded memory of everybody's habits.
#[derive(Debug)]
pub struct Windows {
    table: TrackTable,
    key: [u8; 16],
}

impl Windows {
    /// Empty windows for at most `tracks` tracks (about 90 bytes each). `key` makes
    /// the hashes unguessable; a saved state is only of use under the same key.
    #[must_use]
    pub fn new(tracks: usize, key: [u8; 16]) -> Self {
        Self {
            table: TrackTable::new(tracks),
            key,
        }
    }

    /// Distinguishes this key from others without telling it.
    #[must_use]
    pub fn key_check(&self) -> u64 {
        Hash64(&self.key).of("key check")
    }

    /// The features of a call as of just before it, then counts the call.
    pub fn observe(&mut self, context: &Context<'_>, now: Timestamp) -> FeatureVector {
        let entities = Entities::new(Hash64(&self.key), context, now);
        let mut values = vec![0.0; COUNT];
        compute::run(&mut self.pass(now, false), context, &entities, &mut values);
        FeatureVector {
            version: VERSION,
            values,
        }
    }

    /// Counts a call of the past that a saved state may or may not already hold: a track last
    /// seen at or after `at` is left as it is.
    pub fn replay(&mut self, context: &Context<'_>, at: Timestamp) {
        let entities = Entities::new(Hash64(&self.key), context, at);
        let mut unused = vec![0.0; COUNT];
        compute::run(&mut self.pass(at, true), context, &entities, &mut unused);
    }

    /// What these windows, of a honeypot, know of the things a call touches.
    #[must_use]
    pub fn near(&self, context: &Context<'_>, now: Timestamp) -> Near {
        if self.table.is_empty() {
            return Near::default();
        }
        let entities = Entities::new(Hash64(&self.key), context, now);
        compute::near(&self.table, context, &entities, now)
    }

    /// Counts a call at a honeypot, for [`near`](Self::near); `again`: unless a saved state
    /// already holds it.
    pub fn note_honeypot(&mut self, context: &Context<'_>, now: Timestamp, again: bool) {
        let entities = Entities::new(Hash64(&self.key), context, now);
        compute::note_honeypot(&mut self.pass(now, again), context, &entities);
    }

    fn pass(&mut self, now: Timestamp, guard: bool) -> Pass<'_> {
        Pass {
            table: &mut self.table,
            now,
            guard,
        }
    }

    /// Up to `count` tracks from slot `from` on.
    #[must_use]
    pub fn slice(&self, from: usize, count: usize) -> &[Saved] {
        self.table.slice(from, count)
    }

    /// Joins saved tracks into these windows. Times later than `now` count as now.
    pub fn merge(&mut self, tracks: &[Saved], now: Timestamp) {
        for &Saved(key, mut track) in tracks {
            track.not_after(now);
            self.table.merge(Saved(key, track));
        }
    }

    /// How many tracks are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether nothing has been seen yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// Tracks that made room so far.
    #[must_use]
    pub const fn evictions(&self) -> u64 {
        self.table.evictions()
    }
}
