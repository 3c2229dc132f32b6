//! When something ends: a list entry, a token.

use super::AccountsError;
use crate::domain::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Until when something holds, to the second; read and written as RFC 3339.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, format = DateTime, example = "2030-01-01T00:00:00Z")]
pub struct Expiry(Timestamp);

impl Expiry {
    /// From seconds since the epoch, as stored.
    #[must_use]
    pub const fn from_secs(secs: i64) -> Self {
        Self(Timestamp::from_secs(secs))
    }

    /// The point in time.
    #[must_use]
    pub const fn at(self) -> Timestamp {
        self.0
    }
}

impl std::str::FromStr for Expiry {
    type Err = AccountsError;

    fn from_str(text: &str) -> Result<Self, AccountsError> {
        // Four digits of the year: what comes out must be readable again.
        let parsed = chrono::DateTime::parse_from_rfc3339(text)
            .ok()
            .map(|at| at.timestamp())
            .filter(|secs| (0..253_402_300_800).contains(secs));
        parsed
            .map(Self::from_secs)
            .ok_or_else(|| AccountsError::BadTime(text.to_owned()))
    }
}

impl TryFrom<String> for Expiry {
    type Error = AccountsError;

    fn try_from(text: String) -> Result<Self, AccountsError> {
        text.parse()
    }
}

impl From<Expiry> for String {
    fn from(expiry: Expiry) -> Self {
        let at = expiry.0.to_datetime();
        at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expiry_reads_what_it_writes() {
        let expiry: Expiry = "2030-01-01T01:00:00+01:00".parse().expect("a time");
        assert_eq!(String::from(expiry), "2030-01-01T00:00:00Z");
        let last: Expiry = "9999-12-31T23:59:59Z".parse().expect("a time");
        assert_eq!(String::from(last), "9999-12-31T23:59:59Z");
        for bad in [
            "",
            "tomorrow",
            "2030-01-01",
            "-2030-01-01T00:00:00Z",
            "99999-01-01T00:00:00Z",
        ] {
            bad.parse::<Expiry>().expect_err(bad);
        }
    }
}
