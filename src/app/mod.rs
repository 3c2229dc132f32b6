//! Configuration -> bound sockets -> running service -> drained. The only place where the paths
//! meet.

pub mod clock;
mod data_dir;
mod doors;
mod engine;
mod handler;
mod learning;
mod rates;
mod status;
mod storage;
mod usage;
mod watch;
mod web;
mod windows;

pub use data_dir::{DataDir, DataDirError};
pub use doors::{Purpose, check_certificates};
pub use engine::{EngineError, offline, shipped_model};
pub use rates::{RatesError, RatesFileError, deck_in_force, read_deck};
pub use windows::{ImportedWindows, WindowsFileError};

use crate::accounts::{Accounts, AccountsError, Actor};
use crate::api::{self, After, Calls, Desk};
use crate::config::{ConfigError, Settings};
use crate::decide::Engine;
use crate::domain::{Answer, CallEvent, Ingress, NeutralAnswer, Timestamp};
use crate::numbering;
use crate::server::web::WebServer;
use crate::server::{BindError, CallHandler as _};
use crate::sip::TRANSACTION_LIFETIME_SECS;
use crate::spool::{self, SpoolError, SpoolOptions};
use crate::store::Store;
use crate::store::embedded::EmbeddedError;
use crate::telemetry::Telemetry;
use doors::Doors;
use handler::Handler;
use learning::{Learner, Verdicts};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use storage::Storage;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use web::Web;
use windows::Keeper;

/// Longest time for all parts to answer what has come in and end: more than each takes by its own
/// bounds. What they knew is saved then in any case.
const DRAIN: Duration = Duration::from_secs(20);

/// Why the service did not start, or ended by itself.
#[derive(Debug, thiserror::Error)]
#[expect(
    missing_docs,
    reason = "each message says what it means and what to do"
)]
pub enum AppError {
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Accounts(#[from] AccountsError),
    #[error(transparent)]
    Bind(#[from] BindError),
    #[error(transparent)]
    Spool(#[from] SpoolError),
    #[error(transparent)]
    Embedded(#[from] EmbeddedError),
    #[error("the {0} ended by itself: this is a defect, its message stands above")]
    TaskEnded(&'static str),
}

/// Where a running service listens.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Addresses {
    /// SIP over UDP and TCP, prevention; `None`: this is a honeypot alone.
    pub prevention: Option<SocketAddr>,
    /// SIP over TLS, prevention; `None`: no certificate is configured.
    #[serde(default)]
    pub prevention_tls: Option<SocketAddr>,
    /// SIP over UDP and TCP, and the web service, detection; `None`: this is a honeypot alone.
    pub detection: Option<SocketAddr>,
    /// SIP over UDP and TCP, the honeypot; `None`: there is none.
    #[serde(default)]
    pub honeypot: Option<SocketAddr>,
    /// HTTP: health, metrics, status, REST API.
    pub http: SocketAddr,
    /// ClickHouse.
    pub store: String,
}

/// A service that has bound its sockets and answers calls.
pub struct Service {
    addresses: Addresses,
    keeper: Arc<Keeper>,
    data_dir: Arc<DataDir>,
    learner: Option<Arc<parking_lot::Mutex<Learner>>>,
    tasks: JoinSet<&'static str>,
    sip: CancellationToken,
    background: CancellationToken,
    storage: Storage,
}

impl Service {
    /// Opens everything under `data_dir`, binds every socket, then begins to answer.
    ///
    /// # Errors
    /// Whatever an operator must mend before the service can run; nothing is left running.
    pub async fn start(
        settings: &Settings,
        purpose: Purpose,
        data_dir: DataDir,
    ) -> Result<Self, AppError> {
        let telemetry = Arc::new(Telemetry::new());
        let data_dir = Arc::new(data_dir);
        data_dir.check_accounts()?;
        let engine = Arc::new(engine::open(settings, &data_dir, &telemetry)?);
        first_token(&data_dir)?;
        let (spool, reader) = spool::open::<CallEvent>(
            &data_dir.spool(),
            spool_options(settings),
            Arc::clone(&telemetry),
        )?;
        let doors = Doors::bind(settings, purpose, &data_dir, &telemetry)?;
        let http = WebServer::bind(
            settings.http.listen,
            "http.listen",
            doors::connection_limits(settings),
            Arc::clone(&telemetry),
        )?;

        let (keeper, saved_at) =
            Keeper::restore(Arc::clone(&engine), Arc::clone(&data_dir), clock::now());
        let keeper = Arc::new(keeper);
        recall(&spool, &engine, saved_at, &doors)?;

        let (sip, background) = (CancellationToken::new(), CancellationToken::new());
        let learning = learning::open(settings.learned, &engine, &data_dir, &telemetry);
        let (witness, learner) = learning.unzip();
        let handler = Handler::new(
            Arc::clone(&engine),
            Mutex::new(spool),
            Arc::clone(&telemetry),
        );
        let handler = Arc::new(handler.with_witness(witness));
        let mut tasks = JoinSet::new();
        // From here on calls are answered; ClickHouse may take its time.
        let addresses = doors.addresses(http.local_addr(), String::new());
        let certificates = doors.certificates.clone();
        let calls: Arc<dyn Calls> = handler.clone();
        let web = api::web::router(Arc::clone(&calls));
        let web = Arc::new(Web::new(web, After::Close));
        doors.open(&mut tasks, &handler, web, &sip);
        std::thread::spawn(numbering::warm_up);

        let storage = Storage::start(settings, &data_dir, reader, &telemetry).await?;
        let addresses = Addresses {
            store: storage.url().to_owned(),
            ..addresses
        };
        data_dir.note_addresses(&addresses)?;
        let status = status::Status {
            addresses: addresses.clone(),
            engine: Arc::clone(&engine),
            telemetry: Arc::clone(&telemetry),
            started: clock::now(),
        };
        let book = Arc::new(Store::new(storage.url(), &settings.store));
        let desk = Desk::new(data_dir.path(), data_dir.vault(), calls, book, clock::now);
        let rest = api::router(desk);
        let site = Web::new(status::router(status).merge(rest), After::Stay);
        serve_site(&mut tasks, http, site, &handler, &background);
        watch::spawn_all(
            &mut tasks,
            &engine,
            &data_dir,
            &keeper,
            &telemetry,
            &background,
        );
        watch::verdicts::spawn(
            &mut tasks,
            &engine,
            settings,
            &addresses.store,
            &telemetry,
            &background,
        );
        let learner = learner.map(|learner| {
            let verdicts = Verdicts::of(storage.url(), settings);
            let learner = Arc::new(parking_lot::Mutex::new(learner.asking(verdicts)));
            watch::spawn_learner(&mut tasks, &learner, &background);
            learner
        });
        if let Some(certificates) = certificates {
            watch::spawn_certificates(&mut tasks, certificates, &telemetry, &background);
        }
        Ok(Self {
            addresses,
            keeper,
            data_dir,
            learner,
            tasks,
            sip,
            background,
            storage,
        })
    }

    /// Where it listens.
    #[must_use]
    pub const fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// Runs until `shutdown`, then drains: calls that came in are answered, what was answered is
    /// shipped as far as ClickHouse takes it within ten seconds, the rest stays in the spool.
    ///
    /// # Errors
    /// A part of the service ended by itself.
    pub async fn run(mut self, shutdown: CancellationToken) -> Result<(), AppError> {
        let ended = tokio::select! {
            () = shutdown.cancelled() => None,
            ended = self.tasks.join_next() => Some(ended),
        };
        tracing::info!("draining");
        self.sip.cancel();
        self.background.cancel();
        let ends = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(DRAIN, ends).await.is_err() {
            let parts = self.tasks.len();
            tracing::error!(parts, "parts of the service do not end in time: cut off");
            self.tasks.abort_all();
        }
        if let Some(learner) = &self.learner {
            learner.lock().finish();
        }
        self.keeper.save(clock::now());
        self.storage.end().await;
        self.data_dir.forget_addresses();
        match ended {
            None => Ok(()),
            Some(Some(Ok(name))) => Err(AppError::TaskEnded(name)),
            Some(_) => Err(AppError::TaskEnded("service")),
        }
    }
}

/// On a first start, the token with which the operator uses the REST API at once.
fn first_token(data_dir: &DataDir) -> Result<(), AppError> {
    let mut accounts = Accounts::open(data_dir.path(), clock::now())?;
    accounts.act_as(Actor::Program);
    accounts.first_token(clock::now(), |token| {
        data_dir.keep_api_token(token).map_err(AppError::from)
    })?;
    Ok(())
}

/// Serves 8080.
fn serve_site(
    tasks: &mut JoinSet<&'static str>,
    server: WebServer,
    site: Web,
    handler: &Arc<Handler>,
    shutdown: &CancellationToken,
) {
    let (handler, shutdown) = (Arc::clone(handler), shutdown.clone());
    tasks.spawn(async move {
        let trusts = move |peer| handler.trusts(peer);
        server.run(Arc::new(site), trusts, shutdown).await;
        "web listener"
    });
}

fn spool_options(settings: &Settings) -> SpoolOptions {
    let sync = settings.spool.sync_ms;
    SpoolOptions {
        max_bytes: settings.spool.max_mib << 20,
        sync_every: (sync > 0).then(|| Duration::from_millis(sync)),
        ..SpoolOptions::new(rand::random())
    }
}

/// What the last process decided in its last seconds: retransmissions get the same answer
/// again, and windows and counts of use get the calls that were not yet saved with them.
fn recall(
    spool: &spool::Spool<CallEvent>,
    engine: &Engine,
    saved_at: Timestamp,
    doors: &Doors,
) -> Result<(), AppError> {
    let now = clock::now();
    let reach = now
        .plus_secs(-2 * TRANSACTION_LIFETIME_SECS)
        .min(saved_at.plus_secs(-1));
    let oldest_transaction = now.plus_secs(-TRANSACTION_LIFETIME_SECS);
    for event in spool.recent(reach, |event: &CallEvent| event.at)? {
        engine.remember(&event);
        let door = match event.attempt.ingress {
            Ingress::Prevention => &doors.prevention,
            Ingress::Detection => &doors.detection,
            Ingress::Honeypot => &doors.honeypot,
            _ => continue,
        };
        let Some(door) = door.as_ref().map(|pair| &pair.door) else {
            continue;
        };
        if event.at < oldest_transaction {
            continue;
        }
        // What the honeypot said is not kept; its call must all the same not be another one.
        let answer = match event.attempt.ingress {
            Ingress::Honeypot => Some(Answer::Neutral(NeutralAnswer::Silent)),
            _ => engine.answer_again(&event),
        };
        if let Some(answer) = answer {
            door.recover(event.attempt.id, answer, event.at);
        }
    }
    Ok(())
}
