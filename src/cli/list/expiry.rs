//! When an entry ends, as it is written.

use crate::domain::Timestamp;
use chrono::DateTime;
use std::str::FromStr;

/// A point in time, or a while from now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Expiry {
    At(Timestamp),
    /// Seconds.
    After(i64),
}

/// Neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "expires: expected an RFC 3339 time such as 2030-01-01T00:00:00Z, or minutes, hours, days or weeks such as 90m, 12h, 30d, 4w"
)]
pub(in crate::cli) struct BadExpiry;

impl Expiry {
    pub(in crate::cli) const fn at(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(time) => time,
            Self::After(seconds) => now.plus_secs(seconds),
        }
    }
}

impl FromStr for Expiry {
    type Err = BadExpiry;

    fn from_str(text: &str) -> Result<Self, BadExpiry> {
        if let Ok(time) = DateTime::parse_from_rfc3339(text) {
            return Ok(Self::At(Timestamp::from(time.to_utc())));
        }
        let unit = match text.as_bytes().last() {
            Some(b'm') => 60,
            Some(b'h') => 3_600,
            Some(b'd') => 86_400,
            Some(b'w') => 7 * 86_400,
            _ => return Err(BadExpiry),
        };
        // Six digits of weeks are enough, and no sum of them is too large.
        let count = &text[..text.len() - 1];
        let fits = (1..=6).contains(&count.len()) && count.bytes().all(|b| b.is_ascii_digit());
        let count: i64 = count.parse().map_err(|_| BadExpiry)?;
        match fits {
            true => Ok(Self::After(count * unit)),
            false => Err(BadExpiry),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_or_a_while() {
        let at = Timestamp::from_secs(1_893_456_000);
        assert_eq!("2030-01-01T00:00:00Z".parse(), Ok(Expiry::At(at)));
        assert_eq!("2030-01-01T01:00:00+01:00".parse(), Ok(Expiry::At(at)));
        assert_eq!("30d".parse(), Ok(Expiry::After(30 * 86_400)));
        assert_eq!("90m".parse(), Ok(Expiry::After(5_400)));
        let now = Timestamp::from_secs(10);
        assert_eq!(Expiry::After(60).at(now), Timestamp::from_secs(70));
        for wrong in [
            "",
            "d",
            "30",
            "30D",
            "-1d",
            "+1d",
            "1.5d",
            "1234567w",
            "30 d",
            "2030-01-01",
            "30é",
        ] {
            assert_eq!(wrong.parse::<Expiry>(), Err(BadExpiry), "{wrong}");
        }
    }
}
