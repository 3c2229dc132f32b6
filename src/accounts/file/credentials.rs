//! Passwords of subscribers in a policy file. This version keeps none: none is exported, and a
//! file that brings one is refused, so that nobody thinks it was taken.

use super::{FileError, SubscriberSection, Wrong};
use crate::accounts::audit::Edit;
use crate::accounts::{AccountsError, DomainName, UserName};
use rusqlite::Connection;

/// The sealed password of a subscriber, as an opaque text.
pub(super) fn of(
    _db: &Connection,
    _domain: &str,
    _user: &str,
) -> Result<Option<String>, AccountsError> {
    Ok(None)
}

/// Gives a subscriber the password of the file.
pub(super) fn set(
    _edit: &Edit<'_>,
    _domain: &DomainName,
    _user: &UserName,
    wanted: &SubscriberSection,
) -> Result<(), AccountsError> {
    let field = match wanted {
        SubscriberSection {
            password: Some(_), ..
        } => "password",
        SubscriberSection {
            credentials: Some(_),
            ..
        } => "credentials",
        _ => return Ok(()),
    };
    let refused = AccountsError::from(FileError {
        line: None,
        place: None,
        what: Wrong::NoCredentials,
    });
    Err(refused.at(field))
}
