//! The SQLite file: opened, brought to the schema, watched for changes.

use super::{AccountsError, Actor, DEFAULT_POLICY, PolicyRules, ROOT_DOMAIN, audit};
use crate::domain::{Plan, Timestamp};
use rusqlite::{Connection, TransactionBehavior, params};
use std::path::Path;
use std::time::Duration;

/// What brings the file from one version to the next; `PRAGMA user_version` counts those that are
/// applied. A released step is never edited: add the next.
const STEPS: &[&str] = &[
    include_str!("schema/0001_initial.sql"),
    include_str!("schema/0002_lists.sql"),
    include_str!("schema/0003_credentials.sql"),
    include_str!("schema/0004_plans_tokens.sql"),
    include_str!("schema/0005_country_risk.sql"),
    include_str!("schema/0006_learned.sql"),
];
/// Steps this program knows.
const KNOWN: usize = STEPS.len();
/// How long an edit waits for another one to finish; the longest is the end of an import of ten
/// million numbers.
const BUSY: Duration = Duration::from_secs(60);
/// What the log of edits not yet folded into the file is cut down to, bytes.
const LOG_SIZE: i64 = 64 << 20;

/// One connection to the accounts. Any number of processes may hold one.
#[derive(Debug)]
pub struct Accounts {
    pub(super) connection: Connection,
    pub(super) actor: Actor,
}

impl Accounts {
    /// Opens `<data_dir>/accounts.sqlite`; on a first start creates it with the root domain, its
    /// default policy and loopback as its trusted peers.
    ///
    /// # Errors
    /// The file cannot be opened, is damaged, or was written by a newer program.
    pub fn open(data_dir: &Path, now: Timestamp) -> Result<Self, AccountsError> {
        private_folder(data_dir).map_err(|source| AccountsError::Folder {
            path: data_dir.to_owned(),
            source,
        })?;
        let connection = Connection::open(data_dir.join("accounts.sqlite"))?;
        Self::prepare(connection, now)
    }

    /// Accounts in memory, as on a first start.
    ///
    /// # Errors
    /// Only if SQLite itself fails.
    pub fn in_memory(now: Timestamp) -> Result<Self, AccountsError> {
        Self::prepare(Connection::open_in_memory()?, now)
    }

    fn of(connection: Connection) -> Self {
        Self {
            connection,
            actor: Actor::default(),
        }
    }

    fn prepare(mut connection: Connection, now: Timestamp) -> Result<Self, AccountsError> {
        connection.busy_timeout(BUSY)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", "ON")?;
        connection.pragma_update(None, "journal_size_limit", LOG_SIZE)?;
        // Without a lock, which a long import may hold: nothing is to be done as a rule.
        if schema(&connection)? == KNOWN {
            return Ok(Self::of(connection));
        }
        // Immediate: of two first starts at once, the second waits and finds the work done.
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let found = schema(&tx)?;
        let missing = STEPS.get(found..).ok_or(AccountsError::NewerSchema {
            found,
            known: KNOWN,
        })?;
        for step in missing {
            tx.execute_batch(step)?;
        }
        if found == 0 {
            create_root(&tx, now)?;
        }
        tx.pragma_update(None, "user_version", KNOWN.cast_signed())?;
        tx.commit()?;
        Ok(Self::of(connection))
    }

    /// Changes whenever another connection has committed an edit.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn data_version(&self) -> Result<i64, AccountsError> {
        Ok(self
            .connection
            .pragma_query_value(None, "data_version", |row| row.get(0))?)
    }
}

/// Makes a data folder, for its owner only: what is in it names people. One that is there stays
/// as its owner made it.
///
/// # Errors
/// It is not there and cannot be made.
pub fn private_folder(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)?;
    }
    let made = std::fs::DirBuilder::new().mode(0o700).create(path);
    match made {
        Err(_) if path.is_dir() => Ok(()),
        made => made,
    }
}

/// How many steps of the schema are applied.
fn schema(c: &Connection) -> Result<usize, AccountsError> {
    let version: i64 = c.pragma_query_value(None, "user_version", |row| row.get(0))?;
    // A negative one is nobody's that is known.
    Ok(usize::try_from(version).unwrap_or(usize::MAX))
}

fn create_root(tx: &Connection, now: Timestamp) -> Result<(), AccountsError> {
    let rules = PolicyRules {
        // The root domain's user is the operator himself.
        plan: Plan::Itsp,
        ..PolicyRules::initial()
    };
    let json = serde_json::to_string(&rules).map_err(|source| AccountsError::BadRules {
        policy: DEFAULT_POLICY.to_owned(),
        source,
    })?;
    tx.execute(
        "INSERT INTO domain (name, is_root, default_policy) VALUES (?1, 1, ?2)",
        params![ROOT_DOMAIN, DEFAULT_POLICY],
    )?;
    tx.execute(
        "INSERT INTO policy (domain, name, rules) VALUES (?1, ?2, ?3)",
        params![ROOT_DOMAIN, DEFAULT_POLICY, json],
    )?;
    for network in ["127.0.0.0/8", "::1/128"] {
        tx.execute(
            "INSERT INTO trusted_peer (domain, network) VALUES (?1, ?2)",
            params![ROOT_DOMAIN, network],
        )?;
    }
    audit::enter(tx, now, &Actor::Program, "first start", ROOT_DOMAIN, None)?;
    Ok(())
}
