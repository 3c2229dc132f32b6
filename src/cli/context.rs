//! What every command begins with: configuration, log lines, the data folder.

use crate::accounts::Accounts;
use crate::app::{DataDir, clock};
use crate::config::Settings;
use crate::store::Store;
use anyhow::Context as _;
use std::io::IsTerminal;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tracing_subscriber::EnvFilter;

/// How long a service on this folder may take to accept a connection.
const PATIENCE: Duration = Duration::from_millis(500);

/// What a command does with the data folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Only looks: a folder that is not there stays so.
    Reading,
    /// Changes something: the folder is made on first use.
    Editing,
}

impl Access {
    pub(super) const fn reading_if(reads: bool) -> Self {
        if reads { Self::Reading } else { Self::Editing }
    }
}

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

    /// The accounts; made on first use, unless they are only to be read.
    pub(super) fn accounts(&self, access: Access) -> anyhow::Result<Accounts> {
        match access {
            Access::Reading => self.require(&self.data_dir.join("accounts.sqlite"))?,
            Access::Editing => self.tell_new_folder(),
        }
        Ok(Accounts::open(&self.data_dir, clock::now())?)
    }

    /// The data folder of an installation that is there.
    pub(super) fn existing_data_dir(&self) -> anyhow::Result<DataDir> {
        self.require(&self.data_dir)?;
        Ok(DataDir::open(&self.data_dir)?)
    }

    /// Fails, and makes nothing, where nothing was ever made.
    fn require(&self, path: &Path) -> anyhow::Result<()> {
        anyhow::ensure!(
            path.exists(),
            "no data folder of tfps at {}: give the --data-dir of one, or make it with `tfps serve`",
            self.data_dir.display()
        );
        Ok(())
    }

    /// What an edit came to: in force where a service runs on the folder.
    pub(super) fn told_done(&self) -> String {
        match self.is_served() {
            true => "done; a running service has it in force within a second".to_owned(),
            false => format!("done; no service runs on {} now", self.data_dir.display()),
        }
    }

    /// Whether a service listens where one on this folder noted that it does: the note of one
    /// that was killed stays.
    fn is_served(&self) -> bool {
        DataDir::addresses(&self.data_dir)
            .is_some_and(|at| TcpStream::connect_timeout(&at.http, PATIENCE).is_ok())
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
                        "no service runs on {}: start it (`tfps serve`; one that was started just now may \
                         need a moment more), or give the --data-dir of one that runs, or set \
                         `store.url`",
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

    fn context(data_dir: PathBuf) -> Context {
        Context {
            settings: Settings::default(),
            config: None,
            data_dir,
        }
    }

    #[test]
    fn reading_makes_no_folder_and_editing_does() {
        let folder = tempfile::tempdir().expect("folder");
        let data = folder.path().join("data");
        let context = context(data.clone());
        let error = context.accounts(Access::Reading).expect_err("none");
        assert!(error.to_string().contains(&data.display().to_string()));
        context.existing_data_dir().expect_err("none");
        assert!(!data.exists());
        context.accounts(Access::Editing).expect("made");
        context.accounts(Access::Reading).expect("there");
        context.existing_data_dir().expect("there");
    }

    #[test]
    fn in_force_only_where_a_service_answers() {
        let folder = tempfile::tempdir().expect("folder");
        let context = context(folder.path().to_owned());
        assert!(context.told_done().contains("no service runs on"));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("bound");
        let at = listener.local_addr().expect("an address");
        let addresses = serde_json::json!({"prevention": at, "detection": at, "http": at,
            "store": "http://127.0.0.1:1"});
        std::fs::write(folder.path().join("addresses.json"), addresses.to_string())
            .expect("written");
        assert!(context.told_done().contains("in force within a second"));
        drop(listener);
        assert!(context.told_done().contains("no service runs on"));
    }
}
