//! The only place that reads the wall clock.

use crate::domain::Timestamp;

/// Now.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "everybody else gets the time as an argument"
)]
pub fn now() -> Timestamp {
    chrono::Utc::now().into()
}

/// The wall clock as it was at the start, and since then only forwards: for time-outs, which a
/// step of the clock must not bring on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Monotonic {
    start: Timestamp,
    since: std::time::Instant,
}

impl Monotonic {
    pub(super) fn start() -> Self {
        Self {
            start: now(),
            since: std::time::Instant::now(),
        }
    }

    pub(super) fn now(self) -> Timestamp {
        let elapsed = i64::try_from(self.since.elapsed().as_micros()).unwrap_or(i64::MAX);
        Timestamp(self.start.0.saturating_add(elapsed))
    }
}
