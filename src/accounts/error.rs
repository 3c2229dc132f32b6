//! What can go wrong with accounts, and what to do about it.

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
    #[error("no domain `{0}`: `tfps domain list` shows them")]
    NoDomain(String),
    #[error("no policy `{policy}` in domain `{domain}`: `tfps policy list` shows them")]
    NoPolicy { domain: String, policy: String },
    #[error("no subscriber `{0}`: `tfps subscriber list` shows them")]
    NoSubscriber(String),
    #[error("`{0}` exists already")]
    Exists(String),
    #[error("policy `{0}` is in use: give its domain and subscribers another one first")]
    PolicyInUse(String),
    #[error("the root domain stays: it serves calls of no other domain")]
    RootStays,
    #[error(
        "domain `{0}`: expected a host name or address without port or spaces, at most 253 characters"
    )]
    BadDomain(String),
    #[error("name `{0}`: expected 1 to 64 letters, digits, `-`, `_` or `.`")]
    BadName(String),
    #[error("user `{0}`: expected 1 to 128 printable characters without spaces or `/`")]
    BadUser(String),
    #[error("password: expected 8 to 128 printable ASCII characters without a space at either end")]
    BadPassword,
    #[error(
        "user `{0}`: has a colon, and digest authentication cannot carry one: give a password to a user without"
    )]
    ColonInUser(String),
    #[error("credentials: expected what `tfps policy export` wrote, or set a password anew")]
    BadCredentials,
    #[error("network `{0}`: expected an address or network such as 192.0.2.0/24 or 2001:db8::/32")]
    BadNetwork(String),
    #[error("number `{value}`: {source}")]
    BadNumber { value: String, source: NumberError },
    #[error("dial prefix `{0}`: expected 1 to 8 digits, `*` or `#`")]
    BadDialPrefix(String),
    #[error("user-agent pattern `{pattern}`: {source}")]
    BadPattern {
        pattern: String,
        source: regex::Error,
    },
    #[error("user-agent pattern: expected 1 to 1000 characters, and no control characters")]
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
    #[error(
        "country `{0}`: expected two letters of ISO 3166-1, or XG for satellite and global numbers"
    )]
    BadCountry(String),
    #[error("list entry `{0}`: a white list holds numbers and prefixes of one policy")]
    BadWhitelist(String),
    #[error("list entry `{0}`: an attack group holds networks of the system")]
    BadGroup(String),
    #[error("no such entry `{0}`: `tfps list show` shows them")]
    NoEntry(String),
    #[error("reason: expected 1 to 200 characters, and no control characters")]
    BadReason,
    #[error("source: expected 1 to 100 characters, and no control characters")]
    BadSource,
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
}
