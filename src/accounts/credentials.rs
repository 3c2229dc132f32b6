//! Passwords: what digest needs of them, sealed.
//!
//! Kept of a password are its two hashes ([`Ha1`]) and nothing else, encrypted with
//! ChaCha20-Poly1305 under a key that is not in the database but derived from the data folder's
//! `secret` file. So a stolen database gives away no password, and nothing that a challenge
//! could be answered with. User and domain are sealed in: a line that is copied to another
//! subscriber opens nothing.
//!
//! The price: with another `secret` (lost, or a database restored without it) the passwords
//! cannot be opened and must be set anew. And since the realm is hashed in, a domain of
//! another name is another domain: its subscribers need passwords of their own.

use super::audit::Edit;
use super::edit::subscribers;
use super::{Accounts, AccountsError, Subscriber, UserName, plans};
use crate::digest::Ha1;
use crate::domain::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use rusqlite::{Connection, OptionalExtension as _, params};
use std::collections::HashMap;

/// Form of the sealed text: one digit and a colon before it.
const VERSION: &str = "1:";
/// Bytes of the nonce of the seal.
const NONCE: usize = 12;
/// Nonce, two hashes, authenticity code.
const SEALED: usize = NONCE + 16 + 32 + 16;
/// Letters and digits that cannot be taken for one another: 32 of them, 5 bits each.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// Letters of a generated password: 120 bits.
const GENERATED: usize = 24;

/// A password that may be set: 8 to 128 printable ASCII characters, no space at either end.
///
/// ASCII only, because clients differ in how they encode anything else, and a password
/// that works from one telephone and not from the next is worse than a refused one.
#[derive(Clone)]
pub struct Password(String);

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(..)")
    }
}

impl Password {
    /// Checks a text.
    ///
    /// # Errors
    /// It is too short, too long, or holds other characters. The message does not show it.
    pub fn parse(text: &str) -> Result<Self, AccountsError> {
        let printable = text.bytes().all(|b| matches!(b, b' '..=b'~'));
        if !(8..=128).contains(&text.len()) || !printable || text.trim() != text {
            return Err(AccountsError::BadPassword);
        }
        Ok(Self(text.to_owned()))
    }

    /// A new one from random bytes.
    #[must_use]
    pub fn generate(random: [u8; GENERATED]) -> Self {
        let letter = |byte: u8| char::from(LETTERS[usize::from(byte) % LETTERS.len()]);
        Self(random.into_iter().map(letter).collect())
    }

    /// The text, to be shown once.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// The hashes of one subscriber's password, as they stand in the database.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed([u8; SEALED]);

impl std::fmt::Debug for Sealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealed(..)")
    }
}

impl std::fmt::Display for Sealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{VERSION}{}", STANDARD_NO_PAD.encode(self.0))
    }
}

impl std::str::FromStr for Sealed {
    type Err = AccountsError;

    fn from_str(text: &str) -> Result<Self, AccountsError> {
        let bytes = text
            .strip_prefix(VERSION)
            .and_then(|text| STANDARD_NO_PAD.decode(text).ok());
        bytes
            .and_then(|bytes| bytes.try_into().ok())
            .map(Self)
            .ok_or(AccountsError::BadCredentials)
    }
}

#[cfg(test)]
thread_local! {
    /// Seals this thread opened, or tried to: the work that a judged password costs.
    pub static OPENED: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
}

/// Seals and opens.
#[derive(Clone)]
pub struct Vault {
    cipher: ChaCha20Poly1305,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault(..)")
    }
}

impl Vault {
    /// Under a key that is used for nothing else.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Self {
            cipher: ChaCha20Poly1305::new(&Key::from(key)),
        }
    }

    /// Seals the hashes of a password for one subscriber. `nonce` must be new each time:
    /// random.
    ///
    /// # Errors
    /// Never: the cipher takes what is so short.
    pub fn seal(
        &self,
        user: &str,
        domain: &str,
        password: &Password,
        nonce: [u8; NONCE],
    ) -> Result<Sealed, AccountsError> {
        let ha1 = Ha1::of(user, domain, &password.0);
        let mut plain = [0; 48];
        plain[..16].copy_from_slice(&ha1.md5);
        plain[16..].copy_from_slice(&ha1.sha256);
        let aad = &owner(user, domain);
        let payload = Payload { msg: &plain, aad };
        let sealed = self.cipher.encrypt(&Nonce::from(nonce), payload);
        let mut bytes = [0; SEALED];
        bytes[..NONCE].copy_from_slice(&nonce);
        match sealed {
            Ok(sealed) if sealed.len() == SEALED - NONCE => bytes[NONCE..].copy_from_slice(&sealed),
            _ => return Err(AccountsError::BadCredentials),
        }
        Ok(Sealed(bytes))
    }

    /// The hashes; `None`: sealed under another key or for somebody else.
    #[must_use]
    pub fn open(&self, user: &str, domain: &str, sealed: &Sealed) -> Option<Ha1> {
        #[cfg(test)]
        OPENED.set(OPENED.get() + 1);
        let (nonce, sealed) = sealed.0.split_first_chunk::<NONCE>()?;
        let aad = &owner(user, domain);
        let payload = Payload { msg: sealed, aad };
        let plain = self.cipher.decrypt(&Nonce::from(*nonce), payload).ok()?;
        let (md5, sha256) = plain.split_first_chunk::<16>()?;
        Some(Ha1 {
            md5: *md5,
            sha256: sha256.try_into().ok()?,
        })
    }
}

/// Whom a seal is for. Neither part holds a NUL.
fn owner(user: &str, domain: &str) -> Vec<u8> {
    format!("tfps password\0{user}\0{domain}").into_bytes()
}

impl Accounts {
    /// Adds a subscriber, with a policy (`None`: his domain's default as it is now) and perhaps
    /// a password. Returns the policy's name.
    ///
    /// # Errors
    /// There is one by this name, no such domain or policy, or a user that is none.
    pub fn add_subscriber(
        &mut self,
        user: &str,
        domain: &str,
        policy: Option<&str>,
        password: Option<(&Password, &Vault)>,
        now: Timestamp,
    ) -> Result<String, AccountsError> {
        let domain = domain.to_ascii_lowercase();
        let user: UserName = user.parse()?;
        let sealed = password
            .map(|(password, vault)| seal(vault, user.as_str(), &domain, password))
            .transpose()?;
        self.transact(now, |edit| {
            let policy = match policy {
                Some(policy) => policy.to_owned(),
                None => default_policy(edit, &domain)?,
            };
            if exists(edit, &domain, user.as_str())? {
                return Err(AccountsError::SubscriberExists(format!("{user}@{domain}")));
            }
            plans::within_seats(edit, &domain, || {
                subscribers::set(edit, Subscriber::User(user.as_str()), &domain, &policy).map(drop)
            })
            .map_err(|error| error.at_seats("policy"))?;
            if sealed.is_some() {
                write_password(edit, user.as_str(), &domain, sealed.as_deref())?;
            }
            Ok(policy)
        })
    }

    /// Gives a subscriber a password, or (`None`) takes it away: he cannot prove then who he is.
    ///
    /// # Errors
    /// No such subscriber, or his name holds a colon, which digest cannot carry.
    pub fn set_password(
        &mut self,
        user: &str,
        domain: &str,
        password: Option<(&Password, &Vault)>,
        now: Timestamp,
    ) -> Result<(), AccountsError> {
        let domain = domain.to_ascii_lowercase();
        let sealed = password
            .map(|(password, vault)| seal(vault, user, &domain, password))
            .transpose()?;
        self.transact(now, |edit| {
            write_password(edit, user, &domain, sealed.as_deref())
        })
    }

    /// Subscribers whose password cannot be opened: it was sealed under the secret of another
    /// data folder, or is damaged. They need a new one.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn unusable_passwords(&self, vault: &Vault) -> Result<Vec<String>, AccountsError> {
        let mut statement = self.connection.prepare(
            "SELECT user, domain, credentials FROM subscriber
             WHERE credentials IS NOT NULL ORDER BY domain, user",
        )?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let mut unusable = Vec::new();
        for row in rows {
            let (user, domain, sealed): (String, String, String) = row?;
            let opened = sealed
                .parse()
                .ok()
                .and_then(|sealed| vault.open(&user, &domain, &sealed));
            if opened.is_none() {
                unusable.push(format!("{user}@{domain}"));
            }
        }
        Ok(unusable)
    }
}

/// Stores what is sealed of a password, or (`None`) that there is none. The log tells no more than
/// that.
pub(super) fn write_password(
    edit: &Edit<'_>,
    user: &str,
    domain: &str,
    sealed: Option<&str>,
) -> Result<(), AccountsError> {
    let changed = edit.execute(
        "UPDATE subscriber SET credentials = ?3 WHERE domain = ?1 AND user = ?2",
        params![domain, user, sealed],
    )?;
    let subject = format!("{user}@{domain}");
    let action = match (changed, sealed) {
        (0, _) => return Err(AccountsError::NoSubscriber(subject)),
        (_, Some(_)) => "subscriber password",
        (_, None) => "subscriber password remove",
    };
    edit.log(action, &subject, None)
}

/// What is stored of a subscriber's password.
pub(super) fn stored_password(
    db: &Connection,
    domain: &str,
    user: &str,
) -> Result<Option<String>, AccountsError> {
    let found = db
        .prepare_cached("SELECT credentials FROM subscriber WHERE domain = ?1 AND user = ?2")?
        .query_row([domain, user], |row| row.get(0))
        .optional()?;
    Ok(found.flatten())
}

/// Whether a subscriber can prove who he is.
pub(super) fn has_password(
    db: &Connection,
    domain: &str,
    user: &str,
) -> Result<bool, AccountsError> {
    stored_password(db, domain, user).map(|stored| stored.is_some())
}

fn exists(db: &Connection, domain: &str, user: &str) -> Result<bool, AccountsError> {
    Ok(db
        .prepare_cached("SELECT 1 FROM subscriber WHERE domain = ?1 AND user = ?2")?
        .exists([domain, user])?)
}

/// The sealed passwords of a domain, by user. One that is damaged is left out: its subscriber
/// cannot prove who he is, and nobody else is kept from it.
pub(super) fn passwords_of(
    accounts: &Accounts,
    domain: &str,
) -> Result<HashMap<String, Sealed>, AccountsError> {
    let mut statement = accounts.connection.prepare(
        "SELECT user, credentials FROM subscriber WHERE domain = ?1 AND credentials IS NOT NULL",
    )?;
    let rows = statement.query_map([domain], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut passwords = HashMap::new();
    for row in rows {
        let (user, sealed): (String, String) = row?;
        if let Ok(sealed) = sealed.parse() {
            passwords.insert(user, sealed);
        }
    }
    Ok(passwords)
}

/// The text that is stored. Users with a colon cannot be told from their realm by a digest.
pub(super) fn seal(
    vault: &Vault,
    user: &str,
    domain: &str,
    password: &Password,
) -> Result<String, AccountsError> {
    if user.contains(':') {
        return Err(AccountsError::ColonInUser(user.to_owned()));
    }
    let sealed = vault.seal(user, domain, password, rand::random())?;
    Ok(sealed.to_string())
}

fn default_policy(tx: &Connection, domain: &str) -> Result<String, AccountsError> {
    let found = tx.query_row(
        "SELECT default_policy FROM domain WHERE name = ?1",
        [domain],
        |row| row.get(0),
    );
    found
        .optional()?
        .ok_or_else(|| AccountsError::NoDomain(domain.to_owned()))
}
