//! Times as other programs write them: a form, and the zone of whoever wrote them.

use super::{MapError, MapProblem};
use crate::domain::Timestamp;
use chrono::format::{Fixed, Item, Numeric, StrftimeItems};
use chrono::{DateTime, LocalResult, NaiveDateTime, TimeZone as _, Utc};
use chrono_tz::Tz;
use serde::Deserialize;

/// An IANA time zone, with its daylight saving.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct TimeZone(Tz);

/// No zone of that name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no time zone: expected an IANA name such as Europe/Madrid or UTC")]
pub struct UnknownZone(String);

impl std::str::FromStr for TimeZone {
    type Err = UnknownZone;

    fn from_str(name: &str) -> Result<Self, UnknownZone> {
        let unknown = |_| UnknownZone(name.chars().take(60).collect());
        name.parse().map(Self).map_err(unknown)
    }
}

impl TryFrom<String> for TimeZone {
    type Error = UnknownZone;

    fn try_from(name: String) -> Result<Self, UnknownZone> {
        name.parse()
    }
}

/// What a time means that was twice, in the night in which the clocks go back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Twice {
    /// Nobody knows: the row is set aside.
    #[default]
    Refuse,
    Earlier,
    Later,
}

/// One form, or several that are tried in order.
#[derive(Clone, Debug)]
pub(super) enum Formats {
    One(String),
    Several(Vec<String>),
}

impl Formats {
    fn all(&self) -> &[String] {
        match self {
            Self::One(format) => std::slice::from_ref(format),
            Self::Several(formats) => formats,
        }
    }

    /// Whether one of them leaves open where the clock hung.
    pub(super) fn need_a_zone(&self) -> bool {
        self.all().iter().any(|format| is_local(format))
    }

    /// Whether each is a form of times.
    pub(super) fn check(&self) -> Result<(), MapError> {
        let wrong = |format: &str| MapError::Value {
            key: "time.format".to_owned(),
            value: format.chars().take(80).collect(),
            expected: "rfc3339, epoch, epoch_ms, epoch_us, or a form such as %Y-%m-%d %H:%M:%S",
        };
        if self.all().is_empty() {
            return Err(wrong(""));
        }
        for format in self.all() {
            if is_epoch(format) || format == "rfc3339" {
                continue;
            }
            if StrftimeItems::new(format).any(|item| item == Item::Error) || !format.contains('%') {
                return Err(wrong(format));
            }
            let names_zone = |item| item == Item::Fixed(Fixed::TimezoneName);
            if StrftimeItems::new(format).any(names_zone) {
                return Err(MapError::Value {
                    key: "time.format".to_owned(),
                    value: format.chars().take(80).collect(),
                    expected: "no %Z: CEST and the like name no one zone; cut it off with a pattern and say `zone`, or use %z",
                });
            }
        }
        Ok(())
    }

    /// The time that a text means.
    pub(super) fn read(
        &self,
        field: &'static str,
        text: &str,
        zone: Option<TimeZone>,
        twice: Twice,
    ) -> Result<Timestamp, MapProblem> {
        let mut problem = MapProblem::Time(field);
        for format in self.all() {
            match read(field, text, format, zone, twice) {
                Ok(time) => return Ok(time),
                Err(MapProblem::Time(_)) => {}
                Err(other) => problem = other,
            }
        }
        Err(problem)
    }
}

fn is_epoch(format: &str) -> bool {
    matches!(format, "epoch" | "epoch_ms" | "epoch_us")
}

/// Whether a text of that form says by itself which moment it means.
fn has_offset(format: &str) -> bool {
    // What `%#z` is has no name outside chrono.
    let permissive = StrftimeItems::new("%#z").next();
    let tells = |item: Item<'_>| {
        Some(&item) == permissive.as_ref()
            || matches!(
                item,
                Item::Numeric(Numeric::Timestamp, _)
                    | Item::Fixed(
                        Fixed::TimezoneOffset
                            | Fixed::TimezoneOffsetZ
                            | Fixed::TimezoneOffsetColon
                            | Fixed::TimezoneOffsetColonZ
                            | Fixed::TimezoneOffsetDoubleColon
                            | Fixed::TimezoneOffsetTripleColon
                            | Fixed::RFC2822
                            | Fixed::RFC3339
                    )
            )
    };
    format == "rfc3339" || StrftimeItems::new(format).any(tells)
}

fn is_local(format: &str) -> bool {
    !is_epoch(format) && !has_offset(format)
}

fn read(
    field: &'static str,
    text: &str,
    format: &str,
    zone: Option<TimeZone>,
    twice: Twice,
) -> Result<Timestamp, MapProblem> {
    let no_time = MapProblem::Time(field);
    let utc = |time: DateTime<Utc>| Ok(Timestamp::from(time));
    match format {
        "epoch" => return epoch(text, 6).ok_or(no_time),
        "epoch_ms" => return epoch(text, 3).ok_or(no_time),
        "epoch_us" => return epoch(text, 0).ok_or(no_time),
        "rfc3339" => {
            let time = DateTime::parse_from_rfc3339(text).map_err(|_| no_time)?;
            return utc(time.to_utc());
        }
        format if has_offset(format) => {
            let time = DateTime::parse_from_str(text, format).map_err(|_| no_time)?;
            return utc(time.to_utc());
        }
        _ => {}
    }
    let local = NaiveDateTime::parse_from_str(text, format).map_err(|_| no_time.clone())?;
    let TimeZone(zone) = zone.ok_or(no_time)?;
    match (zone.from_local_datetime(&local), twice) {
        (LocalResult::Single(time), _)
        | (LocalResult::Ambiguous(time, _), Twice::Earlier)
        | (LocalResult::Ambiguous(_, time), Twice::Later) => utc(time.to_utc()),
        (LocalResult::Ambiguous(..), Twice::Refuse) => Err(MapProblem::TwiceThere(field)),
        (LocalResult::None, _) => Err(MapProblem::NoSuchTime(field)),
    }
}

/// Digits, with a fraction or not; microseconds are ten to the power of `shift` times smaller.
fn epoch(text: &str, shift: usize) -> Option<Timestamp> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    let mut digits = whole.to_owned();
    digits.extend(fraction.chars().chain("000000".chars()).take(shift));
    let micros: i64 = digits.parse().ok()?;
    // Years a calendar has.
    DateTime::from_timestamp_micros(micros)?;
    Some(Timestamp(micros))
}
