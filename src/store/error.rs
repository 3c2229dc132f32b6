//! What ClickHouse's errors mean.

use clickhouse::error::Error;

/// Why ClickHouse did not do as asked; see [`StoreError::meaning`] for what to do.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No connection, or it broke.
    #[error("ClickHouse cannot be reached: {0}")]
    Unreachable(#[source] Error),
    /// No answer in time; what was asked may still be done.
    #[error("ClickHouse did not answer in time")]
    Timeout,
    /// Too many parts, no memory, no disk, read-only, no keeper.
    #[error("ClickHouse cannot take more now: {0}")]
    Overloaded(#[source] Error),
    /// Table or column missing or of another type: run `tfps migrate`.
    #[error("the tables are not as this program needs them, `tfps migrate` may mend it: {0}")]
    Schema(#[source] Error),
    /// Wrong user, password or missing grant: an operator mends it.
    #[error("ClickHouse refuses the user or his password: {0}")]
    Access(#[source] Error),
    /// These rows will never be taken, whoever sends them.
    #[error("ClickHouse refuses the data: {0}")]
    Rejected(#[source] Error),
    /// Anything else it said.
    #[error("ClickHouse says: {0}")]
    Other(#[source] Error),
    /// More than was asked for to hold in memory.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
}

/// What to do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Passes by itself: the same again, later.
    Retry,
    /// An operator must act; the same again, seldom, and loudly.
    Operator,
    /// The data itself: never again as it is.
    Data,
}

impl StoreError {
    /// What to do about it.
    #[must_use]
    pub const fn meaning(&self) -> Meaning {
        match self {
            Self::Unreachable(_) | Self::Timeout | Self::Overloaded(_) => Meaning::Retry,
            Self::Schema(_) | Self::Access(_) | Self::Other(_) | Self::TooLarge(_) => {
                Meaning::Operator
            }
            Self::Rejected(_) => Meaning::Data,
        }
    }
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        match &error {
            Error::TimedOut => Self::Timeout,
            Error::Network(_) => Self::Unreachable(error),
            Error::SchemaMismatch(_) | Error::InvalidColumnsHeader(_) | Error::NotEnoughData => {
                Self::Schema(error)
            }
            // Said by the serialiser of a row, before anything is sent.
            Error::InvalidTagEncoding(_)
            | Error::SequenceMustHaveLength
            | Error::VariantDiscriminatorIsOutOfBound(_)
            | Error::Custom(_) => Self::Rejected(error),
            Error::BadResponse(text) => {
                let kind = Kind::of(code(text), text);
                kind.wrap(error)
            }
            _ => Self::Other(error),
        }
    }
}

enum Kind {
    Timeout,
    Unreachable,
    Overloaded,
    Schema,
    Access,
    Rejected,
    Other,
}

impl Kind {
    /// By number (`ErrorCodes.cpp` of ClickHouse).
    fn of(code: Option<u32>, text: &str) -> Self {
        let Some(code) = code else {
            return Self::without_code(text);
        };
        match code {
            // TIMEOUT_EXCEEDED, SOCKET_TIMEOUT
            159 | 209 => Self::Timeout,
            // NETWORK_ERROR, ALL_CONNECTION_TRIES_FAILED, ATTEMPT_TO_READ_AFTER_EOF,
            // CANNOT_READ_ALL_DATA: what a connection cut in mid-insert looks like
            210 | 279 | 32 | 33 => Self::Unreachable,
            // A batch over too many months is mended by sending fewer rows at once.
            252 if text.contains("INSERT block") => Self::Rejected,
            // TOO_MANY_PARTS, TOO_MANY_SIMULTANEOUS_QUERIES, MEMORY_LIMIT_EXCEEDED, READONLY,
            // TABLE_IS_READ_ONLY, NOT_ENOUGH_SPACE, CANNOT_WRITE_TO_FILE_DESCRIPTOR,
            // UNKNOWN_STATUS_OF_INSERT, TOO_FEW_LIVE_REPLICAS, NO_ZOOKEEPER, KEEPER_EXCEPTION,
            // QUERY_WAS_CANCELLED, SERVER_OVERLOADED, ABORTED
            252 | 202 | 241 | 164 | 242 | 243 | 75 | 319 | 285 | 225 | 999 | 394 | 745 | 236 => {
                Self::Overloaded
            }
            // UNKNOWN_TABLE, UNKNOWN_DATABASE, NO_SUCH_COLUMN_IN_TABLE, UNKNOWN_IDENTIFIER,
            // TYPE_MISMATCH, THERE_IS_NO_COLUMN, UNKNOWN_SETTING
            60 | 81 | 16 | 47 | 53 | 8 | 115 => Self::Schema,
            // UNKNOWN_USER, WRONG_PASSWORD, REQUIRED_PASSWORD, ACCESS_DENIED,
            // AUTHENTICATION_FAILED, DATABASE_ACCESS_DENIED
            192 | 193 | 194 | 497 | 516 | 291 => Self::Access,
            // CANNOT_PARSE_TEXT, CANNOT_PARSE_INPUT_ASSERTION_FAILED, INCORRECT_DATA,
            // TOO_LARGE_STRING_SIZE, TOO_LARGE_ARRAY_SIZE, CANNOT_CONVERT_TYPE,
            // CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN, VIOLATED_CONSTRAINT, UNKNOWN_ELEMENT_OF_ENUM
            6 | 27 | 117 | 131 | 128 | 70 | 349 | 469 | 691 => Self::Rejected,
            _ => Self::Other,
        }
    }

    /// A proxy's answer, or the embedded engine's when the engine is away.
    fn without_code(text: &str) -> Self {
        match text.get(..3) {
            Some("502" | "503" | "504") => Self::Unreachable,
            Some("429") => Self::Overloaded,
            Some("401" | "403") => Self::Access,
            _ => Self::Other,
        }
    }

    fn wrap(self, error: Error) -> StoreError {
        match self {
            Self::Timeout => StoreError::Timeout,
            Self::Unreachable => StoreError::Unreachable(error),
            Self::Overloaded => StoreError::Overloaded(error),
            Self::Schema => StoreError::Schema(error),
            Self::Access => StoreError::Access(error),
            Self::Rejected => StoreError::Rejected(error),
            Self::Other => StoreError::Other(error),
        }
    }
}

/// The number in `Code: 60. DB::Exception: ...`.
fn code(text: &str) -> Option<u32> {
    let (_, rest) = text.split_once("Code: ")?;
    let digits = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    rest[..digits].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meaning(text: &str) -> Meaning {
        StoreError::from(Error::BadResponse(text.into())).meaning()
    }

    #[test]
    fn by_number() {
        let cases = [
            (252, Meaning::Retry),
            (241, Meaning::Retry),
            (243, Meaning::Retry),
            (242, Meaning::Retry),
            (159, Meaning::Retry),
            (33, Meaning::Retry),
            (60, Meaning::Operator),
            (53, Meaning::Operator),
            (516, Meaning::Operator),
            (12345, Meaning::Operator),
            (6, Meaning::Data),
            (691, Meaning::Data),
        ];
        for (code, expected) in cases {
            assert_eq!(
                meaning(&format!("Code: {code}. DB::Exception: words (X)")),
                expected,
                "{code}"
            );
        }
    }

    #[test]
    fn by_words_where_the_number_is_not_enough() {
        let months =
            "Code: 252. DB::Exception: Too many partitions for single INSERT block (more than 100)";
        assert_eq!(meaning(months), Meaning::Data);
        assert_eq!(meaning("503 Service Unavailable"), Meaning::Retry);
        assert_eq!(meaning("403 Forbidden"), Meaning::Operator);
        assert_eq!(meaning("an HTML page"), Meaning::Operator);
    }

    #[test]
    fn the_clients_own_errors() {
        let meaning = |error: Error| StoreError::from(error).meaning();
        assert_eq!(meaning(Error::TimedOut), Meaning::Retry);
        assert_eq!(
            meaning(Error::SchemaMismatch("x".into())),
            Meaning::Operator
        );
        assert_eq!(meaning(Error::Custom("x".into())), Meaning::Data);
    }
}
