//! What can go wrong with accounts, and what to do about it.

use super::names::shown;
use crate::domain::NumberError;

/// Why an edit was refused or the accounts could not be read.
#[derive(Debug, thiserror::Error)]
#[expect(
    missing_docs,
    reason = "each message says what it means and what to do"
)]
pub enum AccountsError {
    #[error("accounts database: {0}")]
    Database(#[from] rusqlite::Error),
    #[error("cannot create {path}: {source}")]
    Folder {
        path: std::path::PathBuf,
        source: std::io::Error,
    },
    #[error(
        "accounts database has schema {found}, this program knows {known}: use the program that wrote it, or a newer one"
    )]
    NewerSchema { found: usize, known: usize },
    #[error("no domain `{}`: `tfps domain list` shows them", shown(.0))]
    NoDomain(String),
    #[error("no policy `{}` in domain `{}`: `tfps policy list` shows them", shown(.policy), shown(.domain))]
    NoPolicy { domain: String, policy: String },
    #[error("no subscriber `{}`: `tfps subscriber list` shows them", shown(.0))]
    NoSubscriber(String),
    #[error("`{}` exists already", shown(.0))]
    Exists(String),
    #[error(
        "subscriber `{}` is there already: `tfps subscriber set` gives another policy, `tfps subscriber password` another password",
        shown(.0)
    )]
    SubscriberExists(String),
    #[error("policy `{}` is in use: give its domain and subscribers another one first", shown(.0))]
    PolicyInUse(String),
    #[error("the root domain stays: it serves calls of no other domain")]
    RootStays,
    #[error("domain `{}`: expected a host name or address without port or spaces, at most 253 characters", shown(.0))]
    BadDomain(String),
    #[error("name `{}`: expected 1 to 64 letters, digits, `-`, `_` or `.`", shown(.0))]
    BadName(String),
    #[error("user `{}`: expected 1 to 128 printable characters without spaces or `/`", shown(.0))]
    BadUser(String),
    #[error("password: expected 8 to 128 printable ASCII characters without a space at either end")]
    BadPassword,
    #[error(
        "user `{0}`: has a colon, and digest authentication cannot carry one: give a password to a user without"
    )]
    ColonInUser(String),
    #[error("credentials: expected what `tfps policy export` wrote, or set a password anew")]
    BadCredentials,
    #[error("network `{}`: expected an address or network such as 192.0.2.0/24 or 2001:db8::/32", shown(.0))]
    BadNetwork(String),
    #[error("number `{}`: {source}", shown(.value))]
    BadNumber { value: String, source: NumberError },
    #[error("dial prefix `{}`: expected 1 to 8 digits, `*` or `#`", shown(.0))]
    BadDialPrefix(String),
    #[error("user-agent pattern `{}`: expected a regular expression: {}", shown(.pattern), complaint(.error))]
    BadPattern {
        pattern: String,
        /// Not its source: that tells the pattern again, over several lines.
        error: regex::Error,
    },
    #[error("user-agent pattern: expected 1 to 1000 bytes of printable characters")]
    LongPattern,
    #[error(
        "user-agent patterns of `{scope}` together: {source}; `tfps list remove` takes some off"
    )]
    PatternsTogether { scope: String, source: regex::Error },
    #[error("{field} `{value}`: expected {expected}")]
    BadRule {
        /// Where in the rules, e.g. `off_hours.periods[0].from`.
        field: String,
        /// Its beginning, if it is long.
        value: String,
        expected: &'static str,
    },
    #[error("country `{}`: expected two letters of ISO 3166-1, or XG for satellite and global numbers", shown(.0))]
    BadCountry(String),
    #[error("list entry `{}`: a white list holds numbers and prefixes of one policy", shown(.0))]
    BadWhitelist(String),
    #[error("list entry `{}`: an attack group holds networks of the system", shown(.0))]
    BadGroup(String),
    #[error("no such entry `{}`: `tfps list show` shows them", shown(.0))]
    NoEntry(String),
    #[error("nothing was learned about `{}`: `tfps list learned` shows what was", shown(.0))]
    NotLearned(String),
    #[error("reason: expected 1 to 200 printable characters")]
    BadReason,
    #[error("source `{0}`: expected the one that is replaced, or none")]
    OtherSource(String),
    #[error(
        "reasons: {found} different ones in all lists, expected at most {most}: give many entries one reason"
    )]
    TooManyReasons { found: i64, most: i64 },
    #[error("stored rules of policy {policy} cannot be read: {source}")]
    BadRules {
        policy: String,
        source: serde_json::Error,
    },
    #[error("source `{}`: expected 1 to 100 printable characters", shown(.0))]
    BadSource(String),
    #[error("value `{}`: expected at most 1,000 bytes", shown(.0))]
    LongValue(String),
    #[error("{0} entries: expected 1 to 1,000; `tfps list import` takes any number")]
    Batch(usize),
    #[error("too many: expected at most {0}")]
    TooMany(usize),
    #[error("`{}` is not trusted: `tfps domain list` shows what is", shown(.0))]
    NotTrusted(String),
    #[error(
        "0 calls per second: expected at least 1, or no limit (`unlimited` as an option, null as JSON)"
    )]
    BadRate,
    #[error("time `{}`: expected RFC 3339, e.g. 2030-01-01T00:00:00Z", shown(.0))]
    BadTime(String),
    #[error("expected a time in the future")]
    ExpiryPast,
    #[error(
        "plan {plan} has {seats} seats in a domain: {domain} has {taken} subscribers on it, and would have {wanted}; `tfps plan set {plan} --seats` gives more"
    )]
    NoSeat {
        plan: &'static str,
        seats: u32,
        domain: String,
        taken: i64,
        wanted: i64,
    },
    #[error("plan `{}`: expected free, basic or itsp", shown(.0))]
    NoPlan(String),
    #[error("no token `{}`: `tfps token list` shows them", shown(.0))]
    NoToken(String),
    #[error("a token has a domain if its role is domain, and only then")]
    TokenDomain,
    #[error("the system gave no random bits: {0}")]
    Random(getrandom::Error),
    #[error("`{}` has changed meanwhile: read it again", shown(.0))]
    Stale(String),
    #[error("cannot be written as JSON: {0}")]
    NotJson(serde_json::Error),
    #[error(transparent)]
    File(#[from] super::file::FileError),
    #[error("{field}: {source}")]
    In {
        field: String,
        source: Box<AccountsError>,
    },
}

/// What is wrong with a pattern, without the pattern: the last line of what the parser says.
fn complaint(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default();
    shown(last.trim_start_matches("error: "))
}

/// Whose fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A value does not do.
    Value,
    /// What is named is not there.
    Missing,
    /// What is there stands against it.
    Conflict,
    /// It is no longer what it was thought to be.
    Stale,
    /// The program's or the disk's.
    Ours,
}

impl AccountsError {
    /// Says in which field the wrong value stands.
    #[must_use]
    pub fn at(self, place: &str) -> Self {
        match self {
            Self::In { field, source } => Self::In {
                field: format!("{place}.{field}"),
                source,
            },
            Self::File(error) => Self::File(error.below(place)),
            source => Self::In {
                field: match source.field() {
                    Some(own) => format!("{place}.{own}"),
                    None => place.to_owned(),
                },
                source: Box::new(source),
            },
        }
    }

    /// As [`at`](Self::at), if a seat is missing.
    pub(super) fn at_seats(self, place: &str) -> Self {
        match self {
            Self::NoSeat { .. } => self.at(place),
            other => other,
        }
    }

    /// Path of the field whose value does not do, where one can be named.
    #[must_use]
    pub fn field(&self) -> Option<String> {
        match self {
            Self::In { field, .. } => Some(field.clone()),
            Self::File(error) => error.place.clone(),
            Self::BadRule { field, .. } => Some(field.clone()),
            _ => None,
        }
    }

    /// Whose fault it is.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::NoDomain(_)
            | Self::NoPolicy { .. }
            | Self::NoSubscriber(_)
            | Self::NoEntry(_)
            | Self::NotLearned(_)
            | Self::NoToken(_) => Fault::Missing,
            Self::Exists(_)
            | Self::SubscriberExists(_)
            | Self::PolicyInUse(_)
            | Self::RootStays
            | Self::NoSeat { .. } => Fault::Conflict,
            Self::Stale(_) => Fault::Stale,
            Self::Database(_)
            | Self::Folder { .. }
            | Self::NewerSchema { .. }
            | Self::BadRules { .. }
            | Self::Random(_)
            | Self::NotJson(_) => Fault::Ours,
            // What a body names and is not there is a value that does not do.
            Self::In { source, .. } => match source.fault() {
                Fault::Missing => Fault::Value,
                fault => fault,
            },
            _ => Fault::Value,
        }
    }
}
