//! Points in time, as the whole program passes them around.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Microseconds since 1970-01-01T00:00:00Z.
///
/// Time is always an argument: the live service passes the clock's reading,
/// `import` and `score` pass the file's own time, tests pass literals.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// 1990-01-01: no SIP is older.
    pub const EARLIEST_CALL: Self = Self::from_secs(631_152_000);

    /// Microseconds in one second.
    pub const SECOND: i64 = 1_000_000;

    /// From whole seconds since the epoch.
    #[must_use]
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs * Self::SECOND)
    }

    /// Whole seconds since the epoch, rounded down.
    #[must_use]
    pub const fn secs(self) -> i64 {
        self.0.div_euclid(Self::SECOND)
    }

    /// Seconds from `earlier` to `self`; negative when the clock stepped back.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "a difference of centuries still has microseconds"
    )]
    pub fn seconds_since(self, earlier: Self) -> f64 {
        (self.0 - earlier.0) as f64 / Self::SECOND as f64
    }

    /// This point moved by `seconds` (negative: into the past).
    #[must_use]
    pub const fn plus_secs(self, seconds: i64) -> Self {
        Self(self.0 + seconds * Self::SECOND)
    }

    /// As a calendar date and time; out-of-range values clamp to the epoch.
    #[must_use]
    pub fn to_datetime(self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0).unwrap_or_default()
    }

    /// RFC 3339 with milliseconds, UTC.
    #[must_use]
    pub fn to_rfc3339(self) -> String {
        self.to_datetime()
            .to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(at: DateTime<Utc>) -> Self {
        Self(at.timestamp_micros())
    }
}
