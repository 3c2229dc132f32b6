//! Moments as they are written on a command line.

use crate::domain::Timestamp;
use anyhow::Context;
use chrono::{DateTime, NaiveDate, NaiveTime};

/// A moment as written on the command line.
pub(super) fn moment(text: &str, now: Timestamp) -> anyhow::Result<Timestamp> {
    parse_moment(text, now).with_context(|| {
        format!("`{text}` is no time: expected RFC 3339, a date, now, today, today-21d or now-12h")
    })
}

fn parse_moment(text: &str, now: Timestamp) -> Option<Timestamp> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.to_utc().into());
    }
    if let Ok(date) = text.parse::<NaiveDate>() {
        return Some(date.and_time(NaiveTime::MIN).and_utc().into());
    }
    let (base, rest) = if let Some(rest) = text.strip_prefix("now") {
        (now, rest)
    } else {
        let rest = text.strip_prefix("today")?;
        (
            Timestamp::from_secs(now.secs().div_euclid(86_400) * 86_400),
            rest,
        )
    };
    if rest.is_empty() {
        return Some(base);
    }
    let span = rest.strip_prefix('-')?;
    let unit = match span.chars().last()? {
        'd' => 86_400,
        'h' => 3_600,
        'm' => 60,
        _ => return None,
    };
    let count: u32 = span[..span.len() - 1].parse().ok()?;
    Some(base.plus_secs(-i64::from(count) * unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-03-02T13:00:00Z.
    const NOW: Timestamp = Timestamp::from_secs(1_772_456_400);

    #[test]
    fn moments() {
        let at = |text: &str| parse_moment(text, NOW).map(Timestamp::to_rfc3339);
        let cases = [
            ("now", Some("2026-03-02T13:00:00.000Z")),
            ("now-12h", Some("2026-03-02T01:00:00.000Z")),
            ("today", Some("2026-03-02T00:00:00.000Z")),
            ("today-21d", Some("2026-02-09T00:00:00.000Z")),
            ("2026-01-31", Some("2026-01-31T00:00:00.000Z")),
            (
                "2026-01-31T01:00:00+01:00",
                Some("2026-01-31T00:00:00.000Z"),
            ),
            ("today+1d", None),
            ("now-1é", None),
            ("yesterday", None),
        ];
        for (text, expected) in cases {
            assert_eq!(at(text).as_deref(), expected, "{text}");
        }
    }
}
