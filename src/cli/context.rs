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
        self.tell_new_folder();
        Ok(DataDir::open(&self.data_dir)?)
    }

    /// The accounts, made on first use.
    pub(super) fn accounts(&self) -> anyhow::Result<Accounts> {
        self.tell_new_folder();
        Ok(Accounts::open(&self.data_dir, clock::now())?)
    }

    /// A mistyped folder should not pass for an installation.
    fn tell_new_folder(&self) {
        if !self.data_dir.exists() {
            let folder = std::path::absolute(&self.data_dir).unwrap_or_default();
            eprintln!("note: making a new data folder, {}", folder.display());
        }
    }

    /// The ClickHouse of the configuration; without one, that of the service running on the
    /// data folder.
    pub(super) async fn store(&self) -> anyhow::Result<Store> {
        let url = match &self.settings.store.url {
            Some(url) => url.clone(),
            // Never a guess: on the usual port may be the service of another data folder.
            None => {
                let found = DataDir::addresses(&self.data_dir).with_context(|| {
                    format!(
                        "no service runs on {}: start it (`tfps serve`), or give the --data-dir of \
                         one that runs, or set `store.url`",
                        self.data_dir.display()
                    )
                })?;
                found.store
            }
        };
        let store = Store::new(&url, &self.settings.store);
        store.ping().await.with_context(|| {
            format!("ClickHouse at {url} does not answer: start the service (`tfps serve`), or set `store.url`")
        })?;
        store.migrate().await?;
        Ok(store)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn without_a_service_on_the_folder_no_store_is_guessed() {
        let folder = tempfile::tempdir().expect("folder");
        let wrong = folder.path().join("wrong");
        let context = Context {
            settings: Settings::default(),
            config: None,
            data_dir: wrong.clone(),
        };
        let error = context.store().await.expect_err("nobody there").to_string();
        assert!(
            error.contains(&format!("no service runs on {}", wrong.display())),
            "{error}"
        );
        assert!(!wrong.exists(), "a wrong path must not become a folder");
    }
}
