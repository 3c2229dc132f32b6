//! The one folder everything is written under.

use super::Addresses;
use crate::accounts::{Vault, private_folder};
use crate::sip::Secret;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Bytes of the secret file: two keys of 16.
const SECRET_LEN: usize = 32;
/// Where the service listens.
const ADDRESSES: &str = "addresses.json";
/// The operator's first token.
const API_TOKEN: &str = "api-token";

/// The folder, made on first use, and the secret kept in it.
///
/// ```text
/// accounts.sqlite   domains, policies, lists
/// secret            keys of the hashes of transactions and habits, of passwords and nonces
/// api-token         the operator's token of the REST API, made on a first start
/// spool/            calls answered and not yet in ClickHouse
/// state/            habits, counts of use and what was learned; state/imports/: habits of imported files, to be
///                   joined
/// rates.csv         the operator's rate deck, if he has one
/// models/           trained models and which is in force
/// clickhouse/       the embedded engine
/// addresses.json    where the service listens, for the other commands
/// ```
#[derive(Clone, Debug)]
pub struct DataDir {
    path: PathBuf,
    secret: [u8; SECRET_LEN],
}

/// Why the folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// Something in it cannot be made or read.
    #[error("data directory: {path}: {source}; give another one with --data-dir")]
    Io {
        /// The folder or file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The secret is not what was written.
    #[error(
        "data directory: {0} has not 32 bytes: restore it, or remove it (habits are then learned anew, and every subscriber needs a new password)"
    )]
    Secret(PathBuf),
    /// A service ran here, and its accounts are gone: going on would approve what they refuse.
    #[error(
        "data directory: {0} is missing or empty, and a service ran here before: restore it, or remove `api-token` beside it to begin with new accounts"
    )]
    AccountsGone(PathBuf),
}

impl DataDir {
    /// Whether the accounts are there if they must be: once a service has run here.
    ///
    /// # Errors
    /// [`DataDirError::AccountsGone`].
    pub(super) fn check_accounts(&self) -> Result<(), DataDirError> {
        let accounts = self.path.join("accounts.sqlite");
        let there = accounts.metadata().is_ok_and(|file| file.len() > 0);
        if there || !self.path.join(API_TOKEN).exists() {
            return Ok(());
        }
        Err(DataDirError::AccountsGone(accounts))
    }

    /// Opens the folder, or makes it with a new secret.
    ///
    /// # Errors
    /// It cannot be made, read or written.
    pub fn open(path: &Path) -> Result<Self, DataDirError> {
        // Absolute: the embedded engine mistakes a relative path for one below its own folder.
        let path = &std::path::absolute(path).map_err(|source| DataDirError::Io {
            path: path.to_owned(),
            source,
        })?;
        private_folder(path).map_err(|source| DataDirError::Io {
            path: path.to_owned(),
            source,
        })?;
        for folder in ["state/imports", "models"] {
            let folder = path.join(folder);
            std::fs::create_dir_all(&folder).map_err(|source| DataDirError::Io {
                path: folder,
                source,
            })?;
        }
        Ok(Self {
            secret: secret_of(&path.join("secret"))?,
            path: path.to_owned(),
        })
    }

    /// The folder itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Answered calls that are not yet in ClickHouse.
    #[must_use]
    pub fn spool(&self) -> PathBuf {
        self.path.join("spool")
    }

    /// Saved habits.
    #[must_use]
    pub fn windows(&self) -> PathBuf {
        self.path.join("state/windows")
    }

    /// Saved counts of use.
    #[must_use]
    pub fn usage(&self) -> PathBuf {
        self.path.join("state/usage")
    }

    /// Counts that were set to nothing since they were saved.
    #[must_use]
    pub fn usage_resets(&self) -> PathBuf {
        self.path.join("state/usage-resets")
    }

    /// Saved evidence and ordinary life.
    #[must_use]
    pub fn learned(&self) -> PathBuf {
        self.path.join("state/learned")
    }

    /// Habits of imported files, waiting to be joined.
    #[must_use]
    pub fn imports(&self) -> PathBuf {
        self.path.join("state/imports")
    }

    /// The operator's rate deck.
    #[must_use]
    pub fn rates(&self) -> PathBuf {
        self.path.join("rates.csv")
    }

    /// Trained models.
    #[must_use]
    pub fn models(&self) -> PathBuf {
        self.path.join("models")
    }

    /// The embedded engine's.
    #[must_use]
    pub fn clickhouse(&self) -> PathBuf {
        self.path.join("clickhouse")
    }

    /// Where the service that runs on the folder `path` listens; `None` when none runs. Makes
    /// nothing: a wrong path must not become a folder.
    #[must_use]
    pub fn addresses(path: &Path) -> Option<Addresses> {
        let text = std::fs::read(path.join(ADDRESSES)).ok()?;
        serde_json::from_slice(&text).ok()
    }

    /// Notes where the service listens, for the other commands; they see all of it or nothing.
    pub(super) fn note_addresses(&self, addresses: &Addresses) -> Result<(), DataDirError> {
        let path = self.path.join(ADDRESSES);
        let draft = self.path.join(format!("{ADDRESSES}.draft"));
        let text = serde_json::json!(addresses).to_string();
        std::fs::write(&draft, text)
            .and_then(|()| std::fs::rename(&draft, &path))
            .map_err(|source| DataDirError::Io { path, source })
    }

    /// Takes the note away when the service ends: somebody else may listen there next.
    pub(super) fn forget_addresses(&self) {
        if let Err(error) = std::fs::remove_file(self.path.join(ADDRESSES)) {
            tracing::warn!(%error, "{ADDRESSES} not removed");
        }
    }

    /// Puts the operator's first token where he finds it, for his eyes only.
    pub(super) fn keep_api_token(&self, token: &str) -> Result<(), DataDirError> {
        let path = self.path.join(API_TOKEN);
        let draft = self.path.join(format!("{API_TOKEN}.draft"));
        // One that a start left that was killed.
        drop(std::fs::remove_file(&draft));
        write_private(&draft, format!("{token}\n").as_bytes())
            .and_then(|()| std::fs::rename(&draft, &path))
            .map_err(|source| DataDirError::Io { path, source })
    }

    /// Key of the hashes of SIP transactions.
    #[must_use]
    pub fn sip_secret(&self) -> Secret {
        Secret::new(half(&self.secret[..16]))
    }

    /// Key of the hashes in the windows.
    #[must_use]
    pub fn windows_key(&self) -> [u8; 16] {
        half(&self.secret[16..])
    }

    /// Key of the hashes in what was learned.
    #[must_use]
    pub fn learned_key(&self) -> [u8; 16] {
        half(&self.derived(b"evidence of learned lists")[..16])
    }

    /// What opens the passwords of subscribers.
    #[must_use]
    pub fn vault(&self) -> Vault {
        Vault::new(self.derived(b"passwords of subscribers"))
    }

    /// Key of the nonces of digest challenges.
    #[must_use]
    pub fn nonce_key(&self) -> [u8; 32] {
        self.derived(b"nonces of digest challenges")
    }

    /// A key for one use: the same in every process, and of no help in guessing another.
    fn derived(&self, purpose: &[u8]) -> [u8; 32] {
        // As HMAC takes it: filled up with zeros to a block of the hash (RFC 2104).
        let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
        block[..SECRET_LEN].copy_from_slice(&self.secret);
        let mut mac = Hmac::<Sha256>::new(&block);
        mac.update(purpose);
        mac.finalize().into_bytes().into()
    }
}

fn half(bytes: &[u8]) -> [u8; 16] {
    let mut key = [0; 16];
    key.copy_from_slice(bytes);
    key
}

/// Reads the secret, or writes a new one: to a file of its own first, which is then linked into
/// place, so that of two processes that start at once both end with the same.
fn secret_of(path: &Path) -> Result<[u8; SECRET_LEN], DataDirError> {
    let failed = |source| DataDirError::Io {
        path: path.to_owned(),
        source,
    };
    if !path.exists() {
        let draft = path.with_extension(format!("{:016x}", rand::random::<u64>()));
        let fresh: [u8; SECRET_LEN] = rand::random();
        write_private(&draft, &fresh).map_err(failed)?;
        let linked = std::fs::hard_link(&draft, path);
        std::fs::remove_file(&draft).map_err(failed)?;
        match linked {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(failed(error));
            }
            _ => {}
        }
    }
    let bytes = std::fs::read(path).map_err(failed)?;
    bytes
        .try_into()
        .map_err(|_| DataDirError::Secret(path.to_owned()))
}

fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = std::fs::OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_folder_is_for_its_owner_only() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("var/data");
        DataDir::open(&path).expect("made");
        DataDir::open(&path).expect("opened again");
        let mode = path.metadata().expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }

    #[test]
    fn addresses_are_there_as_long_as_the_service_is() {
        let folder = tempfile::tempdir().expect("folder");
        let data = DataDir::open(folder.path()).expect("made");
        assert!(DataDir::addresses(folder.path()).is_none());
        let any = "127.0.0.1:1".parse().expect("address");
        let addresses = Addresses {
            prevention: Some(any),
            prevention_tls: None,
            detection: Some(any),
            honeypot: None,
            http: any,
            store: "http://127.0.0.1:2".into(),
        };
        data.note_addresses(&addresses).expect("noted");
        let noted = DataDir::addresses(folder.path()).expect("noted");
        assert_eq!(noted.store, addresses.store);
        data.forget_addresses();
        assert!(DataDir::addresses(folder.path()).is_none());
    }

    #[test]
    fn accounts_may_be_missing_at_a_first_start_only() {
        let folder = tempfile::tempdir().expect("folder");
        let data = DataDir::open(folder.path()).expect("made");
        data.check_accounts().expect("nobody was here");
        data.keep_api_token("token").expect("kept");
        let gone = data.check_accounts().expect_err("gone").to_string();
        assert!(gone.contains("accounts.sqlite"), "{gone}");
        let accounts = folder.path().join("accounts.sqlite");
        std::fs::write(&accounts, "").expect("written");
        data.check_accounts().expect_err("empty");
        std::fs::write(&accounts, "SQLite").expect("written");
        data.check_accounts().expect("there");
    }

    #[test]
    fn the_secret_stays_and_is_private() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("folder");
        let first = DataDir::open(folder.path()).expect("made");
        let again = DataDir::open(folder.path()).expect("opened");
        assert_eq!(first.secret, again.secret);
        let mode = std::fs::metadata(folder.path().join("secret"))
            .expect("there")
            .permissions();
        assert_eq!(mode.mode() & 0o777, 0o600);
        std::fs::write(folder.path().join("secret"), b"short").expect("written");
        assert!(matches!(
            DataDir::open(folder.path()),
            Err(DataDirError::Secret(_))
        ));
    }
}
