//! A call as a row of a file: the one layout that is simulated, imported and scored.

use super::{Timestamp, Verdict};
use chrono::{DateTime, SecondsFormat};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::net::IpAddr;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallRecord {
    /// When the call was attempted.
    pub time: Timestamp,
    /// The caller's domain.
    pub domain: String,
    /// The caller within the domain (ANI).
    pub user: String,
    /// The dialled string as sent, dial prefix and all.
    pub dialed_number: String,
    /// Address of the caller's own device.
    pub source_ip: IpAddr,
    /// User-Agent of the caller's device; empty: none sent.
    pub user_agent: String,
    /// Calls this caller already has up, not counting this one; `None`: unknown.
    pub calls: Option<u32>,
    /// What it turned out to be; `None`: unknown. A label, never a feature.
    pub verdict: Option<Verdict>,
    /// Groups the calls of one attack; empty: none. A label, never a feature.
    pub campaign: String,
    /// SIP Call-ID.
    pub call_id: Option<String>,
    /// Seconds of talk; 0 when nobody answered.
    pub duration_s: Option<u32>,
    /// Whether the called party answered.
    pub answered: Option<bool>,
}

/// A column of the layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(usize)]
#[expect(
    missing_docs,
    reason = "the fields of `CallRecord` say what each means"
)]
pub enum Column {
    Time,
    Domain,
    User,
    DialedNumber,
    SourceIp,
    UserAgent,
    Calls,
    Verdict,
    Campaign,
    CallId,
    DurationS,
    Answered,
}

impl Column {
    /// All of them, in the order in which they are written.
    pub const ALL: [Self; 12] = [
        Self::Time,
        Self::Domain,
        Self::User,
        Self::DialedNumber,
        Self::SourceIp,
        Self::UserAgent,
        Self::Calls,
        Self::Verdict,
        Self::Campaign,
        Self::CallId,
        Self::DurationS,
        Self::Answered,
    ];

    /// As it stands in the header.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Domain => "domain",
            Self::User => "user",
            Self::DialedNumber => "dialed_number",
            Self::SourceIp => "source_ip",
            Self::UserAgent => "user_agent",
            Self::Calls => "calls",
            Self::Verdict => "verdict",
            Self::Campaign => "campaign",
            Self::CallId => "call_id",
            Self::DurationS => "duration_s",
            Self::Answered => "answered",
        }
    }

    /// Whether a header without it is refused.
    #[must_use]
    pub const fn is_required(self) -> bool {
        !matches!(self, Self::CallId | Self::DurationS | Self::Answered)
    }

    /// Position in arrays indexed by column.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The column of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|column| column.name() == name)
    }
}

impl std::fmt::Display for Column {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// A value that does not fit its column. The value itself is not repeated: it may be a
/// phone number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("column `{column}`: {reason}")]
pub struct FieldError {
    /// Which column.
    pub column: Column,
    /// What was expected there.
    pub reason: FieldProblem,
}

/// What is wrong with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldProblem {
    /// A value that must be there is not.
    #[error("is empty")]
    Empty,
    /// Not a time.
    #[error("expected an RFC 3339 time from 1990 on, such as 2026-03-01T09:30:00Z")]
    NotATime,
    /// Not an address.
    #[error("expected an IPv4 or IPv6 address")]
    NotAnAddress,
    /// Not a count.
    #[error("expected a whole number from 0 to 4294967295, or nothing")]
    NotACount,
    /// Not a verdict.
    #[error("expected `fraud`, `legitimate` or nothing")]
    NotAVerdict,
    /// Not a truth value.
    #[error("expected `true`, `false` or nothing")]
    NotABool,
    /// A line break or NUL would break a row in two, and a SIP header as well.
    #[error("contains a line break or NUL")]
    ControlCharacter,
}

impl CallRecord {
    /// From the values of a row. `field` gives the text of a column, empty where the file has
    /// no such column. Surrounding blanks are ignored except in `user_agent`.
    ///
    /// # Errors
    /// The first column whose value does not fit.
    pub fn from_fields<'a>(field: impl Fn(Column) -> &'a str) -> Result<Self, FieldError> {
        let text = |column| text(column, field(column).trim());
        let count = |column| {
            optional(column, field(column), FieldProblem::NotACount, |t| {
                t.parse().ok()
            })
        };
        Ok(Self {
            time: required(
                Column::Time,
                field(Column::Time),
                FieldProblem::NotATime,
                |t| {
                    DateTime::parse_from_rfc3339(t)
                        .ok()
                        .map(|time| Timestamp::from(time.to_utc()))
                        // A date before SIP is a clock that was never set, or an empty cell.
                        .filter(|time| *time >= Timestamp::EARLIEST_CALL)
                },
            )?,
            domain: nonempty(Column::Domain, text(Column::Domain)?)?,
            user: nonempty(Column::User, text(Column::User)?)?,
            dialed_number: nonempty(Column::DialedNumber, text(Column::DialedNumber)?)?,
            source_ip: required(
                Column::SourceIp,
                field(Column::SourceIp),
                FieldProblem::NotAnAddress,
                |t| t.parse().ok(),
            )?,
            user_agent: self::text(Column::UserAgent, field(Column::UserAgent))?,
            calls: count(Column::Calls)?,
            verdict: optional(
                Column::Verdict,
                field(Column::Verdict),
                FieldProblem::NotAVerdict,
                parse_verdict,
            )?,
            campaign: text(Column::Campaign)?,
            call_id: Some(text(Column::CallId)?).filter(|id| !id.is_empty()),
            duration_s: count(Column::DurationS)?,
            answered: optional(
                Column::Answered,
                field(Column::Answered),
                FieldProblem::NotABool,
                |t| t.parse().ok(),
            )?,
        })
    }

    /// The text of one column; empty for what is unknown.
    #[must_use]
    pub fn field(&self, column: Column) -> Cow<'_, str> {
        fn of(value: Option<impl ToString>) -> Cow<'static, str> {
            value.map_or(Cow::Borrowed(""), |value| Cow::Owned(value.to_string()))
        }
        match column {
            Column::Time => Cow::Owned(rfc3339(self.time)),
            Column::Domain => Cow::Borrowed(&self.domain),
            Column::User => Cow::Borrowed(&self.user),
            Column::DialedNumber => Cow::Borrowed(&self.dialed_number),
            Column::SourceIp => Cow::Owned(self.source_ip.to_string()),
            Column::UserAgent => Cow::Borrowed(&self.user_agent),
            Column::Calls => of(self.calls),
            Column::Verdict => Cow::Borrowed(self.verdict.map_or("", Verdict::as_str)),
            Column::Campaign => Cow::Borrowed(&self.campaign),
            Column::CallId => Cow::Borrowed(self.call_id.as_deref().unwrap_or_default()),
            Column::DurationS => of(self.duration_s),
            Column::Answered => of(self.answered),
        }
    }
}

fn parse_verdict(text: &str) -> Option<Verdict> {
    [Verdict::Fraud, Verdict::Legitimate]
        .into_iter()
        .find(|verdict| verdict.as_str() == text)
}

/// Milliseconds where they say it all, else microseconds: nothing is lost on the way to a file.
fn rfc3339(time: Timestamp) -> String {
    if time.0 % 1_000 == 0 {
        time.to_rfc3339()
    } else {
        time.to_datetime()
            .to_rfc3339_opts(SecondsFormat::Micros, true)
    }
}

fn text(column: Column, value: &str) -> Result<String, FieldError> {
    if value.contains(['\r', '\n', '\0']) {
        let reason = FieldProblem::ControlCharacter;
        return Err(FieldError { column, reason });
    }
    Ok(value.to_owned())
}

fn nonempty(column: Column, value: String) -> Result<String, FieldError> {
    if value.is_empty() {
        let reason = FieldProblem::Empty;
        return Err(FieldError { column, reason });
    }
    Ok(value)
}

fn required<T>(
    column: Column,
    value: &str,
    reason: FieldProblem,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<T, FieldError> {
    match value.trim() {
        "" => Err(FieldError {
            column,
            reason: FieldProblem::Empty,
        }),
        value => parse(value).ok_or(FieldError { column, reason }),
    }
}

fn optional<T>(
    column: Column,
    value: &str,
    reason: FieldProblem,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, FieldError> {
    match value.trim() {
        "" => Ok(None),
        value => parse(value).map(Some).ok_or(FieldError { column, reason }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good(column: Column) -> &'static str {
        match column {
            Column::Time => "2026-03-01T10:30:00.250+01:00",
            Column::Domain => "itsp.example",
            Column::User => "alice",
            Column::DialedNumber => "0044207946000",
            Column::SourceIp => "198.51.100.7",
            Column::Verdict => "fraud",
            Column::Calls => "3",
            _ => "",
        }
    }

    #[test]
    fn values_become_what_they_are_and_back() {
        let record = CallRecord::from_fields(good).expect("fits");
        assert_eq!(record.field(Column::Time), "2026-03-01T09:30:00.250Z");
        assert_eq!(record.calls, Some(3));
        assert_eq!(record.verdict, Some(Verdict::Fraud));
        assert_eq!((record.call_id.as_deref(), record.answered), (None, None));
        let fields = Column::ALL.map(|column| record.field(column));
        let again = CallRecord::from_fields(|column| &fields[column.index()]).expect("fits");
        assert_eq!(again, record);
    }

    #[test]
    fn every_column_says_what_it_expected() {
        let cases = [
            (Column::Time, "yesterday", FieldProblem::NotATime),
            (Column::Time, "1969-12-31T23:59:59Z", FieldProblem::NotATime),
            (Column::Time, "", FieldProblem::Empty),
            (Column::Domain, " ", FieldProblem::Empty),
            (Column::User, "", FieldProblem::Empty),
            (Column::User, "a\r\nVia: x", FieldProblem::ControlCharacter),
            (Column::SourceIp, "198.51.100", FieldProblem::NotAnAddress),
            (Column::Calls, "-1", FieldProblem::NotACount),
            (Column::DurationS, "1.5", FieldProblem::NotACount),
            (Column::Verdict, "maybe", FieldProblem::NotAVerdict),
            (Column::Answered, "yes", FieldProblem::NotABool),
        ];
        for (bad, value, reason) in cases {
            let field = |column| if column == bad { value } else { good(column) };
            let error = CallRecord::from_fields(field).expect_err("does not fit");
            assert_eq!((error.column, error.reason), (bad, reason));
        }
    }

    #[test]
    fn positions_are_those_of_the_list() {
        for (at, column) in Column::ALL.into_iter().enumerate() {
            assert_eq!(column.index(), at);
            assert_eq!(Column::parse(column.name()), Some(column));
        }
    }
}
