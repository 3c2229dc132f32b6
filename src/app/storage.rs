//! The cold side: ClickHouse, embedded or not, and the shipper that fills it.
//!
//! What an operator must mend (a missing library, a taken port) ends the start. What may pass (the
//! engine of a process that is still ending, slow disks) is tried again while calls are answered.

use super::{AppError, DataDir, clock};
use crate::config::Settings;
use crate::domain::{CallEvent, Timestamp};
use crate::ship::{RealPace, ShipOptions, Shipper, on_own_thread};
use crate::spool::SpoolReader;
use crate::store::Store;
use crate::store::embedded::{Embedded, EmbeddedError, EmbeddedOptions};
use crate::telemetry::Telemetry;
use rand::SeedableRng;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How long the shipper may go on after the last call was answered.
const DRAIN: Duration = Duration::from_secs(10);
/// Between two tries to start the engine.
const AGAIN: Duration = Duration::from_secs(2);

/// ClickHouse and the shipper, until told to end.
#[derive(Debug)]
pub(super) struct Storage {
    task: JoinHandle<()>,
    shutdown: CancellationToken,
    url: String,
}

impl Storage {
    /// Starts the embedded engine, when no server is configured, and the shipper.
    ///
    /// # Errors
    /// What an operator must mend first.
    pub(super) async fn start(
        settings: &Settings,
        data_dir: &DataDir,
        reader: SpoolReader<CallEvent>,
        telemetry: &Arc<Telemetry>,
    ) -> Result<Self, AppError> {
        let shutdown = CancellationToken::new();
        let parts = Parts {
            settings: settings.clone(),
            options: EmbeddedOptions {
                path: data_dir.clickhouse(),
                listen: settings.embedded.listen,
                library: settings.embedded.libchdb.clone(),
                executable: None,
                sessions: settings.embedded.sessions,
            },
            telemetry: Arc::clone(telemetry),
            shutdown: shutdown.clone(),
        };
        let (first, url) = match &settings.store.url {
            Some(url) => (Engine::Server, url.clone()),
            None => match Embedded::start(parts.options.clone()).await {
                Ok(embedded) => {
                    let url = embedded.url();
                    (Engine::Embedded(embedded), url)
                }
                Err(error) if passes(&error) && settings.embedded.listen.port() != 0 => {
                    told(&error);
                    (
                        Engine::NotYet,
                        format!("http://{}", settings.embedded.listen),
                    )
                }
                Err(error) => return Err(error.into()),
            },
        };
        let task = tokio::spawn(parts.run(first, url.clone(), reader));
        Ok(Self {
            task,
            shutdown,
            url,
        })
    }

    /// Where ClickHouse answers, or will.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Ships what is left, as far as ClickHouse takes it within ten seconds, and ends the engine.
    pub(super) async fn end(self) {
        self.shutdown.cancel();
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the storage task failed; what it left is in the spool");
        }
    }
}

enum Engine {
    Server,
    Embedded(Embedded),
    NotYet,
}

struct Parts {
    settings: Settings,
    options: EmbeddedOptions,
    telemetry: Arc<Telemetry>,
    shutdown: CancellationToken,
}

impl Parts {
    async fn run(self, engine: Engine, url: String, reader: SpoolReader<CallEvent>) {
        let embedded = match engine {
            Engine::Server => None,
            Engine::Embedded(embedded) => Some(embedded),
            Engine::NotYet => match self.try_again().await {
                Some(embedded) => Some(embedded),
                None => return,
            },
        };
        let (store, telemetry) = (self.settings.store.clone(), Arc::clone(&self.telemetry));
        let make = move || {
            let rng = rand_pcg::Pcg64Mcg::seed_from_u64(rand::random());
            Shipper::new(
                reader,
                Store::new(&url, &store),
                RealPace::new(clock::now as fn() -> Timestamp, rng),
                ShipOptions::default(),
                telemetry,
            )
        };
        match on_own_thread(make, self.shutdown.clone(), DRAIN) {
            Ok(thread) => {
                self.shutdown.cancelled().await;
                // A panic there was logged by its own thread; what it left is in the spool.
                let _ended = tokio::task::spawn_blocking(move || thread.join().is_ok()).await;
            }
            Err(error) => {
                tracing::error!(%error, "no thread for the shipper: calls stay in the spool");
            }
        }
        if let Some(embedded) = embedded {
            embedded.shutdown().await;
        }
    }

    /// Until the engine runs; `None`: the service ends first.
    async fn try_again(&self) -> Option<Embedded> {
        loop {
            tokio::select! {
                () = tokio::time::sleep(AGAIN) => {}
                () = self.shutdown.cancelled() => return None,
            }
            match Embedded::start(self.options.clone()).await {
                Ok(embedded) => return Some(embedded),
                Err(error) => told(&error),
            }
        }
    }
}

fn told(error: &EmbeddedError) {
    tracing::error!(%error, "ClickHouse is not up: calls are answered and wait in the spool");
}

/// Whether trying again can help.
const fn passes(error: &EmbeddedError) -> bool {
    use EmbeddedError as E;
    !matches!(
        error,
        E::LibraryMissing { .. }
            | E::LibraryUnusable { .. }
            | E::DataUnusable { .. }
            | E::PortInUse { .. }
            | E::Bind { .. }
            | E::NotLoopback { .. }
            | E::Spawn { .. }
    )
}
