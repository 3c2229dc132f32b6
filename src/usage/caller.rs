//! What is remembered of one caller's calls to one number.

use super::table::Row;
use crate::domain::{SameNumber, Timestamp};
use serde::{Deserialize, Serialize};

/// The longest window a policy may have, seconds.
const LONGEST: u32 = 604_800;

/// When the last calls were, as many as R13 must tell apart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pair {
    /// The subscriber the last call was counted to.
    owner: u64,
    /// Length of the window at the last call, seconds.
    seconds: u32,
    /// In the order they came in.
    times: Vec<Timestamp>,
}

impl Pair {
    /// Calls less than `seconds` away from now. A time ahead of now was given by a clock that has
    /// been put back since.
    #[must_use]
    pub fn within(&self, seconds: u32, now: Timestamp) -> u32 {
        let length = u64::from(seconds) * Timestamp::SECOND.unsigned_abs();
        let near = |time: &&Timestamp| now.0.abs_diff(time.0) < length;
        u32::try_from(self.times.iter().filter(near).count()).unwrap_or(u32::MAX)
    }

    /// Counts a call; as many are kept as the limit must tell apart.
    pub(super) fn count(&mut self, owner: u64, now: Timestamp, limit: SameNumber) {
        self.owner = owner;
        self.seconds = limit.seconds;
        self.times.push(now);
        self.keep_last(limit.calls);
    }

    /// Counts a call of the past, unless it is there: no two calls have the same time. It does
    /// not tell how long its window was.
    pub(super) fn replay(&mut self, owner: u64, at: Timestamp, calls: u32) {
        if !self.times.contains(&at) {
            self.owner = owner;
            if self.seconds == 0 {
                self.seconds = LONGEST;
            }
            self.times.push(at);
            self.times.sort_unstable();
            self.keep_last(calls);
        }
    }

    fn keep_last(&mut self, calls: u32) {
        let calls = usize::try_from(calls).unwrap_or(usize::MAX);
        let surplus = self.times.len().saturating_sub(calls);
        self.times.drain(..surplus);
    }

    /// Forgets the calls, if they are counted to that subscriber.
    pub(super) fn forget_calls_of(&mut self, owner: u64) {
        if self.owner == owner {
            self.times.clear();
        }
    }
}

impl Row for Pair {
    fn is_over(&self, now: Timestamp) -> bool {
        self.within(self.seconds, now) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Timestamp = Timestamp::from_secs(1_760_000_000);

    fn pair(seconds: &[i64]) -> Pair {
        let mut pair = Pair::default();
        let limit = SameNumber {
            calls: 3,
            seconds: 60,
        };
        for &second in seconds {
            pair.count(1, T0.plus_secs(second), limit);
        }
        pair
    }

    #[test]
    fn the_window_moves_with_the_call() {
        let calls = pair(&[0, 10, 20]);
        let within = |second: i64| calls.within(60, T0.plus_secs(second));
        assert_eq!(
            [within(20), within(59), within(60), within(70), within(80)],
            [3, 3, 2, 1, 0]
        );
        assert_eq!(calls.within(60, Timestamp(T0.0 + 59_999_999)), 3);
    }

    #[test]
    fn only_as_many_as_matter_are_kept() {
        assert_eq!(pair(&[0, 1, 2, 3, 4]), pair(&[2, 3, 4]));
    }

    #[test]
    fn a_short_step_back_keeps_the_window_and_a_long_one_begins_it_anew() {
        let calls = pair(&[0, 10, 20]);
        assert_eq!(calls.within(60, T0.plus_secs(-30)), 3);
        assert_eq!(calls.within(60, T0.plus_secs(-86_400)), 0);
        assert_eq!(calls.within(60, T0.plus_secs(31_536_000)), 0);
        assert_eq!(calls.within(60, T0.plus_secs(25)), 3, "come back");
    }

    #[test]
    fn it_is_over_when_its_last_call_is_out_of_the_window() {
        let calls = pair(&[0, 10]);
        let over = |second: i64| calls.is_over(T0.plus_secs(second));
        assert_eq!([over(10), over(69), over(70)], [false, false, true]);
        let mut replayed = Pair::default();
        assert!(replayed.is_over(T0));
        replayed.replay(1, T0, 3);
        assert!(!replayed.is_over(T0.plus_secs(86_400)));
    }

    #[test]
    fn a_call_is_counted_again_only_if_it_is_missing() {
        let mut saved = pair(&[0, 10]);
        for second in [20, 0, 10, 20] {
            saved.replay(1, T0.plus_secs(second), 3);
        }
        assert_eq!(saved, pair(&[0, 10, 20]));
        saved.replay(1, T0.plus_secs(-10), 3);
        assert_eq!(saved, pair(&[0, 10, 20]), "older than those that matter");
    }
}
