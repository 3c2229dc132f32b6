//! What every command begins with: configuration, log lines, the data folder.

use crate::accounts::Accounts;
use crate::app::{DataDir, clock};
use crate::config::Settings;
use crate::store::Store;
use anyhow::Context as _;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use tracing_subscriber::EnvFilter;

/// Configuration and data folder of one run.
pub(super) struct Context {
    pub(super) settings: Settings,
    pub(super) config: Option<PathBuf>,
    pub(super) data_dir: PathBuf,
}

impl Context {
    pub(super) fn load(config: Option<&Path>, data_dir: PathBuf) -> anyhow::Result<Self> {
        let settings = Settings::load(config)?;
        let filter = EnvFilter::try_new(&settings.log.level).map_err(|_| {
            crate::config::ConfigError::Value {
                key: "log.level".to_owned(),
                value: settings.log.level.clone(),
                expected: "error, warn, info, debug, trace, or a filter such as info,tfps::ship=debug",
            }
        })?;
        let lines = tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(std::io::stderr)
            .with_ansi(std::io::stderr().is_terminal());
        if settings.log.json {
            lines.json().init();
        } else {
            lines.with_target(false).init();
        }
        Ok(Self {
            settings,
            config: config.map(Path::to_owned),
            data_dir,
        })
    }

    /// The data folder, made on first use.
    pub(super) fn data_dir(&self) -> anyhow::Result<DataDir> {
        Ok(DataDir::open(&self.data_dir)?)
    }

    /// The accounts, made on first use.
    pub(super) fn accounts(&self) -> anyhow::Result<Accounts> {
        Ok(Accounts::open(&self.data_dir, clock::now())?)
    }

    /// The ClickHouse of the configuration; without one, that of the service running on the
    /// data folder.
    pub(super) async fn store(&self) -> anyhow::Result<Store> {
        let url = match &self.settings.store.url {
            Some(url) => url.clone(),
            None => self.data_dir()?.addresses().map_or_else(
                || format!("http://{}", self.settings.embedded.listen),
                |a| a.store,
            ),
        };
        let store = Store::new(&url, &self.settings.store);
        store.ping().await.with_context(|| {
            format!("ClickHouse at {url} does not answer: start the service (`tfps serve`), or set `store.url`")
        })?;
        store.migrate().await?;
        Ok(store)
    }
}
