//! What the accounts refuse, as a problem: the status says whose fault it is.

use super::Problem;
use crate::accounts::{AccountsError, Fault, shortened};
use axum::http::StatusCode;

/// Longest text of an error, characters: it shows the value, and a value may be huge.
const DETAIL: usize = 600;

impl From<AccountsError> for Problem {
    fn from(error: AccountsError) -> Self {
        let status = match error.fault() {
            Fault::Value => StatusCode::BAD_REQUEST,
            Fault::Missing => StatusCode::NOT_FOUND,
            Fault::Conflict => StatusCode::CONFLICT,
            Fault::Stale => StatusCode::PRECONDITION_FAILED,
            Fault::Ours => {
                tracing::error!(%error, "a request on the accounts failed");
                let detail = "the accounts cannot be read or written: the service's log says why";
                return Self::new(StatusCode::INTERNAL_SERVER_ERROR, detail);
            }
        };
        let field = error.field();
        let problem = Self::new(status, shortened(&error.to_string(), DETAIL));
        match field {
            None => problem,
            Some(field) => problem.in_field(field),
        }
    }
}

/// A value that does not do, with its field.
pub(super) fn wrong(field: &str, value: &str, expected: &str) -> Problem {
    let value = shortened(value, 60);
    let detail = format!("{field}: `{value}` does not do: expected {expected}");
    Problem::new(StatusCode::BAD_REQUEST, detail).in_field(field)
}

/// Not allowed; nothing about why.
pub(super) fn forbidden() -> Problem {
    Problem::new(StatusCode::FORBIDDEN, "forbidden")
}
