//! Calls per second, without a timer: a bucket that holds one second's worth.

use crate::domain::Timestamp;

/// Nanoseconds in one second.
const SECOND: i64 = 1_000_000_000;

/// When the bucket would be full again. That one number is the whole bucket (the generic cell
/// rate algorithm, ITU-T I.371): every call moves it on by the time that one call is worth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Rate {
    /// Nanoseconds since the epoch.
    full_at: i64,
}

impl Rate {
    /// Takes one call; when there is none left: whole seconds until there is.
    pub(super) fn admit(&mut self, per_second: u32, now: Timestamp) -> Result<(), u32> {
        let now = now.0.saturating_mul(1_000);
        let worth = SECOND / i64::from(per_second.max(1));
        // Never more than a second ahead: if it is, the clock was put back, and all begins anew.
        let behind = self.full_at.saturating_sub(now);
        let full_at = if (0..=SECOND).contains(&behind) {
            self.full_at
        } else {
            now
        };
        let next = full_at.saturating_add(worth);
        if next.saturating_sub(now) > SECOND {
            return Err(1);
        }
        self.full_at = next;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Timestamp = Timestamp::from_secs(1_760_000_000);

    fn admitted(rate: &mut Rate, per_second: u32, asked: usize, now: Timestamp) -> usize {
        (0..asked)
            .filter(|_| rate.admit(per_second, now).is_ok())
            .count()
    }

    #[test]
    fn one_seconds_worth_at_once_and_no_more() {
        for per_second in [1, 3, 7, 100, 100_000] {
            let mut rate = Rate::default();
            let worth = per_second as usize;
            assert_eq!(admitted(&mut rate, per_second, worth + 5, T0), worth);
            assert_eq!(rate.admit(per_second, T0), Err(1));
            assert_eq!(
                admitted(&mut rate, per_second, worth + 5, T0.plus_secs(1)),
                worth
            );
        }
    }

    #[test]
    fn it_fills_evenly() {
        let mut rate = Rate::default();
        assert_eq!(admitted(&mut rate, 10, 20, T0), 10);
        assert_eq!(admitted(&mut rate, 10, 20, Timestamp(T0.0 + 99_999)), 0);
        assert_eq!(admitted(&mut rate, 10, 20, Timestamp(T0.0 + 100_000)), 1);
        assert_eq!(admitted(&mut rate, 10, 20, Timestamp(T0.0 + 450_000)), 3);
    }

    #[test]
    fn in_the_long_run_it_is_the_rate() {
        let mut rate = Rate::default();
        let admitted: usize = (0..10_000)
            .map(|ms| admitted(&mut rate, 50, 3, Timestamp(T0.0 + ms * 1_000)))
            .sum();
        assert_eq!(admitted, 50 * 10 + 50 - 1);
    }

    #[test]
    fn a_step_of_the_clock_stops_nobody() {
        let mut rate = Rate::default();
        assert_eq!(admitted(&mut rate, 5, 9, T0), 5);
        assert_eq!(admitted(&mut rate, 5, 9, T0.plus_secs(-86_400)), 5, "back");
        assert_eq!(admitted(&mut rate, 5, 9, T0.plus_secs(31_536_000)), 5);
        let _admitted = rate.admit(5, Timestamp(i64::MAX));
        assert_eq!(admitted(&mut rate, 5, 9, Timestamp(i64::MIN)), 5);
    }

    #[test]
    fn another_rate_holds_from_the_next_call_on() {
        let mut rate = Rate::default();
        assert_eq!(admitted(&mut rate, 100, 200, T0), 100);
        assert_eq!(admitted(&mut rate, 2, 9, T0.plus_secs(1)), 2);
    }
}
