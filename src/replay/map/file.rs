//! A map as it is written, checked before the first row is read.

use super::times::{Formats, TimeZone, Twice};
use regex::Regex;
use serde::Deserialize;

/// Longest pattern, characters: more is no pattern of a column.
const MAX_PATTERN: usize = 1_000;

/// Which column of a file: its name in the header, or its number from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ColumnName {
    /// From 1.
    Number(usize),
    /// As in the header.
    Name(String),
}

impl std::fmt::Display for ColumnName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// What the operator says because the file does not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// Domain of the callers.
    pub domain: Option<String>,
    /// Address of the callers.
    pub source_ip: Option<String>,
    /// User-Agent of the callers.
    pub user_agent: Option<String>,
    /// IANA zone of the file's times.
    pub zone: Option<TimeZone>,
}

/// Why a map is of no use.
#[derive(Debug, thiserror::Error)]
#[expect(
    missing_docs,
    reason = "each message says what it means and what to do"
)]
pub enum MapError {
    #[error("the map is no TOML of a map: {0}")]
    Toml(#[from] toml::de::Error),
    #[error("`{key}`: `{value}` does not do: expected {expected}")]
    Value {
        key: String,
        value: String,
        expected: &'static str,
    },
    #[error(
        "the file does not say `{0}` and the map has no column for it: say it with `--set {0}=...`, or give the column in a map of your own"
    )]
    Unsaid(&'static str),
    #[error(
        "the map's times have no zone: say it with `--set zone=Europe/Madrid` (or wherever the program that wrote the file ran)"
    )]
    NoZone,
    #[error("the file has no column `{column}`, which the map takes `{field}` from: {header}")]
    NoColumn {
        column: String,
        field: &'static str,
        header: String,
    },
    #[error(
        "the map expects values divided by {expected}, and the file's header seems to be divided by {found}: write `delimiter = \"{key}\"` in a map of your own (`tfps import --print-map NAME > mine.toml`)"
    )]
    Delimiter {
        expected: String,
        found: String,
        key: String,
    },
    #[error("column `{0}` is named, but the map says that the file has no header: give its number")]
    NameWithoutHeader(String),
    #[error("`{0}` gives no column: give one")]
    NoSource(&'static str),
    #[error("the header could not be read")]
    Io(#[from] std::io::Error),
    #[error("the header is no row of this file: {0}")]
    Header(#[from] crate::replay::csv::RowProblem),
    #[error("the file is empty: expected a header")]
    Empty,
}

/// One place to take a value from.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Place {
    pub(super) column: ColumnName,
    /// The value is its first group; without one the whole column.
    #[serde(default)]
    pub(super) pattern: Option<String>,
    /// A file without this column is fine.
    #[serde(default)]
    pub(super) optional: bool,
}

/// The first of several places that has a value.
#[derive(Clone, Debug, Default)]
pub(super) enum Places {
    #[default]
    None,
    One(Place),
    Several(Vec<Place>),
}

impl Places {
    pub(super) fn all(&self) -> &[Place] {
        match self {
            Self::None => &[],
            Self::One(place) => std::slice::from_ref(place),
            Self::Several(places) => places,
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Time {
    pub(super) from: Places,
    /// Tried one after the other.
    pub(super) format: Formats,
    #[serde(default)]
    pub(super) zone: Option<TimeZone>,
    #[serde(default)]
    pub(super) twice: Twice,
}

/// A whole number of seconds, or of thousandths.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Seconds {
    pub(super) from: Places,
    #[serde(default)]
    pub(super) milliseconds: bool,
}

/// What tells whether a call was answered: yes where the value fits.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answered {
    pub(super) column: ColumnName,
    pub(super) pattern: String,
    #[serde(default)]
    pub(super) optional: bool,
}

/// Only rows whose column fits are calls.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Only {
    pub(super) column: ColumnName,
    pub(super) pattern: String,
    #[serde(default)]
    pub(super) optional: bool,
}

/// A value that is the same in every row.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Constants {
    pub(super) domain: Option<String>,
    pub(super) source_ip: Option<String>,
    pub(super) user_agent: Option<String>,
}

/// A map of columns.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MapFile {
    #[serde(default = "comma")]
    pub(super) delimiter: char,
    #[serde(default = "yes")]
    pub(super) header: bool,
    /// Texts that mean that there is no value.
    #[serde(default)]
    pub(super) empty: Vec<String>,
    pub(super) time: Time,
    pub(super) user: Places,
    pub(super) dialed_number: Places,
    #[serde(default)]
    pub(super) domain: Places,
    #[serde(default)]
    pub(super) source_ip: Places,
    #[serde(default)]
    pub(super) user_agent: Places,
    #[serde(default)]
    pub(super) calls: Places,
    #[serde(default)]
    pub(super) call_id: Places,
    #[serde(default)]
    pub(super) verdict: Places,
    #[serde(default)]
    pub(super) campaign: Places,
    #[serde(default)]
    pub(super) duration: Option<Seconds>,
    /// From the call's start to its end, ringing included.
    #[serde(default)]
    pub(super) up: Option<Seconds>,
    /// The call's end, in the form of `time`.
    #[serde(default)]
    pub(super) end: Places,
    #[serde(default)]
    pub(super) answered: Option<Answered>,
    #[serde(default)]
    pub(super) only: Vec<Only>,
    #[serde(default)]
    pub(super) constant: Constants,
}

const fn comma() -> char {
    ','
}

const fn yes() -> bool {
    true
}

impl MapFile {
    /// Reads a map, and puts into it what is `said`.
    ///
    /// # Errors
    /// The key, its value and what was expected.
    pub fn parse(text: &str, said: &Said) -> Result<Self, MapError> {
        let mut map: Self = toml::from_str(text)?;
        if !map.delimiter.is_ascii() || matches!(map.delimiter, '"' | '\r' | '\n') {
            return Err(MapError::Value {
                key: "delimiter".to_owned(),
                value: map.delimiter.to_string(),
                expected: "one character of ASCII, as \",\" or \"\\t\"",
            });
        }
        let set = |constant: &mut Option<String>, said: &Option<String>| {
            if said.is_some() {
                constant.clone_from(said);
            }
        };
        set(&mut map.constant.domain, &said.domain);
        set(&mut map.constant.source_ip, &said.source_ip);
        set(&mut map.constant.user_agent, &said.user_agent);
        if said.zone.is_some() {
            map.time.zone = said.zone;
        }
        map.check()?;
        Ok(map)
    }

    fn check(&self) -> Result<(), MapError> {
        for (field, places) in [("user", &self.user), ("dialed_number", &self.dialed_number)] {
            if places.all().is_empty() {
                return Err(MapError::NoSource(field));
            }
        }
        if self.time.from.all().is_empty() {
            return Err(MapError::NoSource("time.from"));
        }
        if self.domain.all().is_empty() && self.constant.domain.is_none() {
            return Err(MapError::Unsaid("domain"));
        }
        if self.source_ip.all().is_empty() && self.constant.source_ip.is_none() {
            return Err(MapError::Unsaid("source_ip"));
        }
        if let Some(address) = &self.constant.source_ip
            && address.parse::<std::net::IpAddr>().is_err()
        {
            return Err(MapError::Value {
                key: "source_ip".to_owned(),
                value: address.clone(),
                expected: "an IPv4 or IPv6 address",
            });
        }
        if self.time.format.need_a_zone() && self.time.zone.is_none() {
            return Err(MapError::NoZone);
        }
        self.time.format.check()
    }
}

/// A pattern that compiles within bounds.
pub(super) fn pattern(field: &'static str, text: &str) -> Result<Regex, MapError> {
    let wrong = || MapError::Value {
        key: format!("{field}.pattern"),
        value: text.chars().take(80).collect(),
        expected: "a regular expression of at most 1000 characters, as ^sip:([^@]+)@",
    };
    if text.len() > MAX_PATTERN {
        return Err(wrong());
    }
    Regex::new(text).map_err(|_| wrong())
}
