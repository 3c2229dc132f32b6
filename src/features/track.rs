//! What is remembered of one thing.

use crate::domain::Timestamp;
use serde::{Deserialize, Serialize};

/// Time constants of the decayed counts, seconds: one second to thirty days.
pub const WINDOWS: [f32; 8] = [
    1.0,
    10.0,
    60.0,
    600.0,
    3_600.0,
    86_400.0,
    604_800.0,
    2_592_000.0,
];

/// Index into [`WINDOWS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Window {
    /// 1 second.
    Second,
    /// 10 seconds.
    Seconds10,
    /// 1 minute.
    Minute,
    /// 10 minutes.
    Minutes10,
    /// 1 hour.
    Hour,
    /// 1 day.
    Day,
    /// 7 days.
    Days7,
    /// 30 days.
    Days30,
}

/// A track last seen so much later than now was seen by a clock that was wrong, microseconds.
const CLOCK_SLACK: i64 = 60 * Timestamp::SECOND;

/// First and last sight, and exponentially decayed counts.
///
/// A count over window `w` is `sum(a_i exp(-(now - t_i) / w))`: about the number of events of the
/// last `w` seconds, or the sum of their amounts, without a queue and without an edge at which
/// they all vanish.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Track {
    /// First sight.
    pub first: Timestamp,
    /// Last sight.
    pub last: Timestamp,
    /// Decayed counts as of `last`, one per window.
    counts: [f32; WINDOWS.len()],
}

impl Track {
    /// Something seen for the first time, which counts `amount`.
    #[must_use]
    pub const fn new(now: Timestamp, amount: f32) -> Self {
        Self {
            first: now,
            last: now,
            counts: [amount; WINDOWS.len()],
        }
    }

    /// The decayed count as of `now`. A clock that stepped back decays nothing.
    #[must_use]
    pub fn count(&self, window: Window, now: Timestamp) -> f32 {
        self.counts[window as usize] * decay(self.elapsed(now), WINDOWS[window as usize])
    }

    /// Counts `amount` more.
    pub fn observe(&mut self, now: Timestamp, amount: f32) {
        let elapsed = self.elapsed(now);
        for (count, window) in self.counts.iter_mut().zip(WINDOWS) {
            *count = *count * decay(elapsed, window) + amount;
        }
        self.last = if self.last.0 - now.0 > CLOCK_SLACK {
            now
        } else {
            self.last.max(now)
        };
    }

    /// Takes back times later than `now`, which a wrong clock or a file's wrong time zone gave:
    /// until then nothing would decay.
    pub fn not_after(&mut self, now: Timestamp) {
        self.last = self.last.min(now);
        self.first = self.first.min(now);
    }

    /// How new this is at `now`, from 1 (just appeared) towards 0, with `scale` seconds to 1/e.
    #[must_use]
    pub fn novelty(&self, now: Timestamp, scale: f32) -> f32 {
        #[expect(clippy::cast_possible_truncation, reason = "an age in seconds")]
        let age = now.seconds_since(self.first).max(0.0) as f32;
        decay(age, scale)
    }

    /// Joins what two processes have seen of the same thing.
    pub fn merge(&mut self, other: &Self) {
        let last = self.last.max(other.last);
        let (mine, theirs) = (self.elapsed(last), other.elapsed(last));
        for (at, window) in WINDOWS.into_iter().enumerate() {
            self.counts[at] =
                self.counts[at] * decay(mine, window) + other.counts[at] * decay(theirs, window);
        }
        self.first = self.first.min(other.first);
        self.last = last;
    }

    #[expect(clippy::cast_possible_truncation, reason = "an age in seconds")]
    fn elapsed(&self, now: Timestamp) -> f32 {
        now.seconds_since(self.last).max(0.0) as f32
    }
}

/// `exp(-elapsed / window)`. Where the series ends after two terms, or nothing is left, as with
/// most windows of most tracks, the exponential is not worth its time.
pub(super) fn decay(elapsed: f32, window: f32) -> f32 {
    let ratio = elapsed / window;
    if ratio < 1e-4 {
        1.0 - ratio
    } else if ratio > 80.0 {
        0.0
    } else {
        (-ratio).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Timestamp = Timestamp::from_secs(1_700_000_000);

    #[test]
    fn counts_decay_with_their_window() {
        let mut track = Track::new(T0, 1.0);
        track.observe(T0.plus_secs(60), 1.0);
        let now = T0.plus_secs(120);
        // exp(-120/60) + exp(-60/60), computed by hand
        assert!((track.count(Window::Minute, now) - (0.135_335 + 0.367_879)).abs() < 1e-4);
        assert!((track.count(Window::Days30, now) - 2.0).abs() < 1e-3);
    }

    #[test]
    fn a_clock_that_steps_back_loses_nothing() {
        let mut track = Track::new(T0, 1.0);
        track.observe(T0.plus_secs(-30), 1.0);
        assert_eq!(track.last, T0, "a short step: seen last is seen last");
        assert!((track.count(Window::Seconds10, T0) - 2.0).abs() < 1e-6);
    }

    #[test]
    fn a_time_from_the_future_does_not_stop_decay() {
        let mut track = Track::new(T0.plus_secs(6 * 3_600), 1.0);
        track.observe(T0, 1.0);
        assert_eq!(track.last, T0);
        assert!(track.count(Window::Seconds10, T0.plus_secs(60)) < 0.01);
        let mut loaded = Track::new(T0.plus_secs(6 * 3_600), 1.0);
        loaded.not_after(T0);
        assert_eq!((loaded.first, loaded.last), (T0, T0));
    }

    #[test]
    fn merging_equals_having_seen_all() {
        let times: Vec<_> = (0..20).map(|i| T0.plus_secs(i * 37)).collect();
        let mut whole = Track::new(times[0], 1.0);
        times[1..].iter().for_each(|&t| whole.observe(t, 1.0));
        let (mut left, mut right) = (Track::new(times[0], 1.0), Track::new(times[1], 1.0));
        for (at, &t) in times.iter().enumerate().skip(2) {
            if at % 2 == 0 { &mut left } else { &mut right }.observe(t, 1.0);
        }
        left.merge(&right);
        assert_eq!((left.first, left.last), (whole.first, whole.last));
        for (a, b) in left.counts.iter().zip(whole.counts) {
            assert!((a - b).abs() < 1e-3 * b, "{a} {b}");
        }
    }
}
