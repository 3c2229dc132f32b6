//! Call records of other programs: a map says which of their columns is what.
//!
//! A map is TOML; those of common programs are ready ([`READY`]), and each of them is where one's
//! own begins (`tfps import --print-map NAME`). What a file does not say must be said
//! ([`Said`]): the domain, the address and the time zone are never guessed. Rows that are no
//! calls (another method, another direction) are left out and counted; rows that cannot be read
//! are set aside.

mod columns;
mod file;
mod reader;
mod times;
mod written;

pub use file::{ColumnName, MapError, MapFile, Said};
pub use reader::{Left, MapReader};
pub use times::TimeZone;

/// Maps that come with the program: name, and text.
pub const READY: [(&str, &str); 4] = [
    ("asterisk", include_str!("map/ready/asterisk.toml")),
    ("freeswitch", include_str!("map/ready/freeswitch.toml")),
    ("kamailio", include_str!("map/ready/kamailio.toml")),
    ("opensips", include_str!("map/ready/opensips.toml")),
];

/// The text of a ready map.
#[must_use]
pub fn ready(name: &str) -> Option<&'static str> {
    let found = READY.iter().find(|(known, _)| *known == name);
    found.map(|(_, text)| *text)
}

/// What is wrong with a value of a mapped row. The value itself is not repeated: it may be a
/// phone number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MapProblem {
    /// A value that must be there is in none of its columns, or not in the form the pattern asks.
    #[error("`{0}`: none of its columns has a value that fits its pattern")]
    Missing(&'static str),
    /// Not a time of this form.
    #[error("`{0}`: expected a time as `format` says")]
    Time(&'static str),
    /// A time of day that was left out when the clocks went forward.
    #[error("`{0}`: there was no such time in this zone, as the clocks went forward")]
    NoSuchTime(&'static str),
    /// A time of day that came twice when the clocks went back.
    #[error(
        "`{0}`: this time was twice in this zone, as the clocks went back: say `twice = \"earlier\"` or `\"later\"` in the map"
    )]
    TwiceThere(&'static str),
    /// Not a number of seconds.
    #[error("`{0}`: expected a number from 0 to 4294967295")]
    Seconds(&'static str),
    /// Its end is before its start.
    #[error("`end` is before `time`")]
    EndsBefore,
}

#[cfg(test)]
mod tests;
