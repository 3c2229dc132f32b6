//! How tracks are read and counted.

use crate::domain::Timestamp;
use crate::features::entities::{Kind, key};
use crate::features::table::TrackTable;
use crate::features::track::{Track, WINDOWS, Window, decay};

/// Seconds until a novelty has fallen to 1/e: three days.
const NOVELTY: f32 = 3.0 * 86_400.0;
/// Seconds of the longest window, which says what is usual.
const USUAL: f32 = WINDOWS[Window::Days30 as usize];

/// Parts of a window: in each a pair that is seen is counted up once.
const PARTS: i64 = 64;

/// One walk over the tracks of one call.
pub(in crate::features) struct Pass<'t> {
    pub(in crate::features) table: &'t mut TrackTable,
    pub(in crate::features) now: Timestamp,
    /// Whether tracks that may hold the call already are left as they are.
    pub(in crate::features) guard: bool,
}

/// A counter of distinct things, before the call.
pub(super) struct Distinct {
    pub(super) before: Option<Track>,
    /// What the call's own thing lacked of a whole one: 1 of one never seen.
    pub(super) lacked: f32,
    /// Whether the call brings a thing that was not seen lately.
    pub(super) is_new: bool,
}

impl Pass<'_> {
    /// Counts one more; the track as it was before.
    pub(super) fn see(&mut self, kind: Kind, a: u64, b: u64) -> Option<Track> {
        self.add(kind, a, b, 1.0)
    }

    /// Counts so much more; the track as it was before.
    pub(super) fn add(&mut self, kind: Kind, a: u64, b: u64, amount: f32) -> Option<Track> {
        let key = key(kind, a, b);
        if self.guard
            && let Some(track) = self.table.get(key)
            && track.last >= self.now
        {
            return Some(*track);
        }
        self.table.observe(key, self.now, amount)
    }

    /// Counts one more if `is`; the track as it was before.
    pub(super) fn see_if(&mut self, is: bool, kind: Kind, a: u64, b: u64) -> Option<Track> {
        if is {
            self.see(kind, a, b)
        } else {
            self.peek(kind, a, b)
        }
    }

    /// The track, without counting.
    pub(super) fn peek(&self, kind: Kind, a: u64, b: u64) -> Option<Track> {
        self.table.get(key(kind, a, b)).copied()
    }

    /// Like `see`, for a counter of distinct things, of which each counts 1 when it was last seen and
    /// fades from then on: a `pair` that is seen again is counted up by what has faded of it, so that
    /// who goes on calling goes on counting. Done once in each part of the window, which leaves an
    /// error of at most one part in [`PARTS`] and needs nothing but the pair's last sight.
    pub(super) fn distinct(
        &mut self,
        kind: Kind,
        a: u64,
        b: u64,
        pair: Option<Track>,
        window: Window,
    ) -> Distinct {
        let lacked = pair.map_or(1.0, |pair| self.faded(pair, window));
        let before = if lacked > 0.0 {
            self.add(kind, a, b, lacked)
        } else {
            self.peek(kind, a, b)
        };
        Distinct {
            before,
            lacked,
            is_new: !self.within(pair, window),
        }
    }

    /// How much of a thing has faded since the part of the window in which it was last seen.
    fn faded(&self, pair: Track, window: Window) -> f32 {
        let length = WINDOWS[window as usize];
        #[expect(clippy::cast_possible_truncation, reason = "whole seconds")]
        let part = length as i64 * Timestamp::SECOND / PARTS;
        let parts = self.now.0.div_euclid(part) - pair.last.0.div_euclid(part);
        #[expect(
            clippy::cast_precision_loss,
            reason = "far below 2^24, or all has faded"
        )]
        let elapsed = parts.max(0) as f32 / PARTS as f32;
        1.0 - decay(elapsed, 1.0)
    }

    /// Whether something was seen within a window.
    pub(super) fn within(&self, track: Option<Track>, window: Window) -> bool {
        let length = f64::from(WINDOWS[window as usize]);
        track.is_some_and(|track| self.now.seconds_since(track.last) <= length)
    }

    /// ln(1 + distinct things), with the one that the call brings.
    pub(super) fn kinds(&self, distinct: &Distinct, window: Window) -> f32 {
        (self.count(distinct.before, window) + distinct.lacked).ln_1p()
    }

    /// From 1, never seen, to 0, long known: 1/e after three days.
    pub(super) fn novelty(&self, track: Option<Track>) -> f32 {
        self.novelty_over(track, NOVELTY)
    }

    /// The same with `scale` seconds to 1/e.
    pub(super) fn novelty_over(&self, track: Option<Track>, scale: f32) -> f32 {
        track.map_or(1.0, |track| track.novelty(self.now, scale))
    }

    /// The decayed count.
    pub(super) fn count(&self, track: Option<Track>, window: Window) -> f32 {
        track.map_or(0.0, |track| track.count(window, self.now))
    }

    /// ln(1 + the decayed count).
    pub(super) fn rate(&self, track: Option<Track>, window: Window) -> f32 {
        self.count(track, window).ln_1p()
    }

    /// ln of a window's count over the usual one of 30 days, with `calm` added to both: what is
    /// below it is no burst.
    pub(super) fn burst(&self, track: Option<Track>, window: Window, calm: f32) -> f32 {
        let windows = USUAL / WINDOWS[window as usize];
        let usual = self.count(track, Window::Days30) / windows;
        ((self.count(track, window) + calm) / (usual + calm)).ln()
    }

    /// Share of 30 days' calls that went one way.
    pub(super) fn share(&self, part: Option<Track>, calls: f32) -> f32 {
        (self.count(part, Window::Days30) / calls.max(1.0)).min(1.0)
    }
}

/// How rarely something happens whose usual share would be `expected`, from 0 to 1, as far as
/// there have been calls enough to tell: half at `enough`.
pub(super) fn rarity(share: f32, expected: f32, calls: f32, enough: f32) -> f32 {
    let known = calls / (calls + enough);
    known * (1.0 - (share / expected).min(1.0))
}
