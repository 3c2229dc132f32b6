//! One connection pool to one ClickHouse.

use super::StoreError;
use clickhouse::{Client, Compression};
use serde::Deserialize;
use std::time::Duration;

/// Longest wait for a part of an insert to leave.
pub(super) const SEND_TIMEOUT: Duration = Duration::from_secs(15);
/// Longest wait for ClickHouse to have written an insert.
pub(super) const END_TIMEOUT: Duration = Duration::from_secs(60);
/// Longest wait for a statement that is no report: a ping, a migration, a look at one batch.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(60);
/// Longest wait for a report or a training set.
pub(super) const QUERY_TIMEOUT: Duration = Duration::from_secs(600);

/// `[store]` of the configuration.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StoreSettings {
    /// HTTP address of a ClickHouse server, e.g. `http://10.0.0.5:8123`; absent: embedded.
    pub url: Option<String>,
    /// User name; empty: the server's default user.
    pub user: String,
    /// Password; empty: none.
    pub password: String,
    /// Database, created when it is not there.
    pub database: String,
}

impl Default for StoreSettings {
    fn default() -> Self {
        Self {
            url: None,
            user: String::new(),
            password: String::new(),
            database: "tfps".into(),
        }
    }
}

/// Says everything but the password.
impl std::fmt::Debug for StoreSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoreSettings")
            .field("url", &self.url)
            .field("user", &self.user)
            .field("database", &self.database)
            .finish_non_exhaustive()
    }
}

/// A ClickHouse to write to and read from. Clones share the connections.
///
/// Connections live on the runtime that first used them: a thread with a runtime of its own
/// (the shipper's) makes its own `Store`.
#[derive(Clone, Debug)]
pub struct Store {
    pub(super) client: Client,
    /// Without a database, to create the one named in `database`.
    pub(super) server: Client,
    pub(super) database: String,
}

impl Store {
    /// A client for the server at `url`; nothing is sent yet.
    #[must_use]
    pub fn new(url: &str, settings: &StoreSettings) -> Self {
        let mut server = Client::default()
            .with_url(url)
            .with_product_info("tfps", env!("CARGO_PKG_VERSION"));
        if !settings.user.is_empty() {
            server = server.with_user(&settings.user);
        }
        if !settings.password.is_empty() {
            server = server.with_password(&settings.password);
        }
        if is_local(url) {
            server = server.with_compression(Compression::None);
        }
        Self {
            client: server.clone().with_database(&settings.database),
            server,
            database: settings.database.clone(),
        }
    }

    /// Whether ClickHouse answers.
    ///
    /// # Errors
    /// It does not, or not in time.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let one = self.server.query_raw("SELECT 1").fetch_one::<u8>();
        bounded(one).await.map(drop)
    }
}

/// Whether compression would only cost time: the other end is this machine (the embedded
/// engine also refuses it).
fn is_local(url: &str) -> bool {
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest);
    ["127.", "localhost", "[::1]"]
        .iter()
        .any(|local| authority.starts_with(local))
}

/// Waits for a statement, but not for ever.
pub(super) async fn bounded<T>(
    statement: impl Future<Output = clickhouse::error::Result<T>>,
) -> Result<T, StoreError> {
    within(STATEMENT_TIMEOUT, statement).await
}

pub(super) async fn within<T>(
    limit: Duration,
    statement: impl Future<Output = clickhouse::error::Result<T>>,
) -> Result<T, StoreError> {
    match tokio::time::timeout(limit, statement).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(StoreError::Timeout),
    }
}
