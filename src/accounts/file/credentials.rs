//! Passwords of subscribers in a policy file: sealed as they are stored, which is of use only with
//! the secret of the same data folder, or new ones in the clear, which no export ever writes.

use super::{FileError, SubscriberSection, Wrong};
use crate::accounts::audit::Edit;
use crate::accounts::credentials::{seal, stored_password, write_password};
use crate::accounts::{AccountsError, DomainName, Password, Sealed, UserName, Vault};
use crate::digest::Ha1;
use rusqlite::Connection;

/// The sealed password of a subscriber, as an opaque text.
pub(super) fn of(
    db: &Connection,
    domain: &str,
    user: &str,
) -> Result<Option<String>, AccountsError> {
    stored_password(db, domain, user)
}

/// Gives a subscriber the password of the file, or takes away what the file does not have.
pub(super) fn set(
    edit: &Edit<'_>,
    vault: &Vault,
    domain: &DomainName,
    user: &UserName,
    wanted: &SubscriberSection,
) -> Result<(), AccountsError> {
    let (domain, user) = (domain.as_str(), user.as_str());
    let stored = stored_password(edit, domain, user)?;
    let sealed = match (&wanted.password, &wanted.credentials) {
        (None, None) => None,
        (Some(_), Some(_)) => return Err(wrong(Wrong::TwoPasswords).at("password")),
        (Some(password), None) => {
            let password = Password::parse(password).map_err(|error| error.at("password"))?;
            let ha1 = Ha1::of(user, domain, password.reveal());
            match &stored {
                Some(stored) if opens(vault, domain, user, stored) == Some(ha1) => {
                    Some(stored.clone())
                }
                _ => Some(seal(vault, user, domain, &password)?),
            }
        }
        (None, Some(sealed)) if Some(sealed) == stored.as_ref() => stored.clone(),
        (None, Some(sealed)) => {
            sealed
                .parse::<Sealed>()
                .map_err(|error| error.at("credentials"))?;
            if opens(vault, domain, user, sealed).is_none() {
                return Err(wrong(Wrong::OtherSecret).at("credentials"));
            }
            Some(sealed.clone())
        }
    };
    match sealed == stored {
        true => Ok(()),
        false => write_password(edit, user, domain, sealed.as_deref()),
    }
}

fn opens(vault: &Vault, domain: &str, user: &str, sealed: &str) -> Option<Ha1> {
    vault.open(user, domain, &sealed.parse().ok()?)
}

fn wrong(what: Wrong) -> AccountsError {
    FileError {
        line: None,
        place: None,
        what,
    }
    .into()
}
