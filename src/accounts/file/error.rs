//! What is wrong with a policy file, and where.

use super::Included;
use crate::accounts::names::shown;

/// Something wrong in a policy file.
#[derive(Debug, thiserror::Error)]
#[error("policy file{}{}: {what}", line_text(*.line), place_text(.place.as_deref()))]
pub struct FileError {
    /// Line, from 1, where it is known.
    pub line: Option<usize>,
    /// Path of the value, where one can be named.
    pub place: Option<String>,
    /// What is wrong with it.
    pub what: Wrong,
}

/// What is wrong.
#[derive(Debug, thiserror::Error)]
#[expect(
    missing_docs,
    reason = "each message says what it means and what to do"
)]
pub enum Wrong {
    #[error("{0}")]
    Toml(String),
    #[error("format {0}: expected 1, the one this program knows")]
    Format(u32),
    #[error("the root domain is missing: it stays, it serves calls of no other domain")]
    NoRoot,
    #[error("no policy `{}` in this domain of the file", shown(.0))]
    NoPolicy(String),
    #[error("`{}`: expected `system`, or `domain/policy` of a policy in the file", shown(.0))]
    Of(String),
    #[error("lists_included is `{}`: expected no entries of other lists", .0.as_str())]
    NotIncluded(Included),
    #[error("`{}` is listed a second time, with another note or in another place", shown(.0))]
    Twice(String),
    #[error(
        "{0} list entries: a policy file holds at most 100,000; take `--lists none` or `--lists policies`, and `tfps list export` for the lists"
    )]
    TooManyEntries(usize),
    #[error("risk classes of countries are not kept by this version: leave them out")]
    NoCountryRisk,
    #[error("passwords are not kept by this version: leave it out")]
    NoCredentials,
}

fn line_text(line: Option<usize>) -> String {
    line.map_or_else(String::new, |line| format!(" line {line}"))
}

fn place_text(place: Option<&str>) -> String {
    place.map_or_else(String::new, |place| format!(", {place}"))
}

impl FileError {
    /// The same, `place` being where it stands.
    pub(in crate::accounts) fn below(self, place: &str) -> Self {
        let below = self
            .place
            .map_or_else(|| place.to_owned(), |inner| format!("{place}.{inner}"));
        Self {
            place: Some(below),
            ..self
        }
    }

    /// Something wrong at a place.
    pub(super) fn at(place: &str, what: Wrong) -> Self {
        Self {
            line: None,
            place: Some(place.to_owned()),
            what,
        }
    }
}
