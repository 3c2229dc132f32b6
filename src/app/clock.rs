//! The only place that reads the wall clock.

use crate::domain::Timestamp;

/// Now.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "everybody else gets the time as an argument"
)]
pub fn now() -> Timestamp {
    chrono::Utc::now().into()
}
