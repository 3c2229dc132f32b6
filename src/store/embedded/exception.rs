//! What the engine says when it refuses: its text, its code, and the HTTP status of it.

use axum::http::StatusCode;

/// An exception of the engine, worded as ClickHouse words it:
/// `Code: 60. DB::Exception: Table tfps.x does not exist. (UNKNOWN_TABLE)`.
/// Clients tell what happened by that text, so refusals of our own are worded the same.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Exception {
    code: u32,
    message: String,
}

impl Exception {
    /// `BAD_ARGUMENTS`
    pub const BAD_ARGUMENTS: u32 = 36;
    /// `NOT_IMPLEMENTED`
    pub const NOT_IMPLEMENTED: u32 = 48;
    /// `SYNTAX_ERROR`
    pub const SYNTAX_ERROR: u32 = 62;
    /// `TIMEOUT_EXCEEDED`
    pub const TIMEOUT_EXCEEDED: u32 = 159;
    /// `TOO_MANY_SIMULTANEOUS_QUERIES`
    pub const TOO_MANY_QUERIES: u32 = 202;
    /// `NETWORK_ERROR`
    pub const NETWORK_ERROR: u32 = 210;
    /// `QUERY_IS_TOO_LARGE`
    pub const QUERY_TOO_LARGE: u32 = 223;
    /// `INCORRECT_DATA`
    pub const INCORRECT_DATA: u32 = 117;
    /// `ACCESS_DENIED`
    pub const ACCESS_DENIED: u32 = 497;
    /// `UNKNOWN_EXCEPTION`
    pub const UNKNOWN: u32 = 1002;

    /// A refusal of our own.
    #[must_use]
    pub fn new(code: u32, what: &str) -> Self {
        let name = match code {
            Self::BAD_ARGUMENTS => "BAD_ARGUMENTS",
            Self::NOT_IMPLEMENTED => "NOT_IMPLEMENTED",
            Self::SYNTAX_ERROR => "SYNTAX_ERROR",
            Self::TIMEOUT_EXCEEDED => "TIMEOUT_EXCEEDED",
            Self::TOO_MANY_QUERIES => "TOO_MANY_SIMULTANEOUS_QUERIES",
            Self::NETWORK_ERROR => "NETWORK_ERROR",
            Self::QUERY_TOO_LARGE => "QUERY_IS_TOO_LARGE",
            Self::INCORRECT_DATA => "INCORRECT_DATA",
            Self::ACCESS_DENIED => "ACCESS_DENIED",
            _ => "UNKNOWN_EXCEPTION",
        };
        Self {
            code,
            message: format!("Code: {code}. DB::Exception: {what}. ({name})"),
        }
    }

    /// The engine's own text. One without a code gets [`Self::UNKNOWN`], so that a client which
    /// looks for `Code:` still finds one.
    #[must_use]
    pub fn parse(message: String) -> Self {
        let code = message.split_once("Code: ").and_then(|(_, rest)| {
            let digits = rest
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(rest.len());
            rest[..digits].parse().ok()
        });
        match code {
            Some(code) => Self { code, message },
            None => Self::new(Self::UNKNOWN, message.trim_end_matches('.')),
        }
    }

    /// The library returned neither a result nor an error.
    #[must_use]
    pub fn no_answer() -> Self {
        Self::new(Self::UNKNOWN, "The engine gave no answer")
    }

    /// ClickHouse's number for the kind of exception.
    #[must_use]
    pub fn code(&self) -> u32 {
        self.code
    }

    /// The status with which ClickHouse answers this code (`exceptionCodeToHTTPStatus` there).
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self.code {
            // what cannot be parsed, and arguments that do not fit
            6 | 25 | 26 | 27 | 36 | 38 | 41 | 42 | 43 | 44 | 52 | 53 | 62 | 69 | 70 | 72 | 117
            | 130 | 131 | 386 | 456 | 457 => StatusCode::BAD_REQUEST,
            192 | 193 | 497 | 516 => StatusCode::FORBIDDEN,
            // what does not exist: function, identifier, type, engine, table, aggregate, format,
            // kind of query, database, setting, role
            16 | 46 | 47 | 50 | 56 | 60 | 63 | 73 | 78 | 81 | 115 | 336 | 511 => {
                StatusCode::NOT_FOUND
            }
            159 => StatusCode::REQUEST_TIMEOUT,
            223 => StatusCode::PAYLOAD_TOO_LARGE,
            48 => StatusCode::NOT_IMPLEMENTED,
            202 => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_read_from_the_engines_text() {
        let text = "Code: 60. DB::Exception: Table t does not exist. (UNKNOWN_TABLE)";
        let exception = Exception::parse(text.to_owned());
        assert_eq!(exception.code(), 60);
        assert_eq!(exception.status(), StatusCode::NOT_FOUND);
        assert_eq!(exception.to_string(), text);
    }

    #[test]
    fn a_text_without_code_gets_one() {
        let exception = Exception::parse("Invalid or closed connection".to_owned());
        assert_eq!(
            exception.to_string(),
            "Code: 1002. DB::Exception: Invalid or closed connection. (UNKNOWN_EXCEPTION)"
        );
    }
}
