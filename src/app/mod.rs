//! Configuration -> bound sockets -> running service -> drained. The only place where the paths
//! meet.

pub mod clock;
mod data_dir;
mod engine;
mod handler;
mod status;
mod storage;
mod watch;
mod web;
mod windows;

pub use data_dir::{DataDir, DataDirError};
pub use engine::{EngineError, offline, shipped_model};
pub use windows::{ImportedWindows, WindowsFileError};

use crate::api::{self, Calls};
use crate::config::Settings;
use crate::decide::Engine;
use crate::domain::{CallEvent, Ingress, Timestamp};
use crate::numbering;
use crate::server::BindError;
use crate::server::udp::{UdpConfig, UdpServer};
use crate::sip::{Limits, TRANSACTION_LIFETIME_SECS};
use crate::spool::{self, SpoolError, SpoolOptions};
use crate::store::embedded::EmbeddedError;
use crate::telemetry::Telemetry;
use handler::Handler;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use storage::Storage;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use windows::Keeper;

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
    Bind(#[from] BindError),
    #[error(
        "cannot listen on tcp {address}: {source}; free that address or set `http.listen` to another"
    )]
    BindHttp {
        address: SocketAddr,
        source: std::io::Error,
    },
    #[error(
        "cannot listen on tcp {address}: {source}; free that address or set `detection.listen` to another"
    )]
    BindWeb {
        address: SocketAddr,
        source: std::io::Error,
    },
    #[error(transparent)]
    Spool(#[from] SpoolError),
    #[error(transparent)]
    Embedded(#[from] EmbeddedError),
    #[error("the {0} ended by itself: this is a defect, its message stands above")]
    TaskEnded(&'static str),
}

/// Ports tried where the system picks one that must be free for UDP and TCP.
const PORT_PICKS: u32 = 32;

/// Where a running service listens.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Addresses {
    /// SIP over UDP, prevention.
    pub prevention: SocketAddr,
    /// SIP over UDP, detection.
    pub detection: SocketAddr,
    /// HTTP: health, metrics, status.
    pub http: SocketAddr,
    /// ClickHouse.
    pub store: String,
}

/// A service that has bound its sockets and answers calls.
pub struct Service {
    addresses: Addresses,
    keeper: Arc<Keeper>,
    data_dir: Arc<DataDir>,
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
    pub async fn start(settings: &Settings, data_dir: DataDir) -> Result<Self, AppError> {
        let telemetry = Arc::new(Telemetry::new());
        let data_dir = Arc::new(data_dir);
        let engine = Arc::new(engine::open(settings, &data_dir, &telemetry)?);
        let (spool, reader) = spool::open::<CallEvent>(
            &data_dir.spool(),
            spool_options(settings),
            Arc::clone(&telemetry),
        )?;
        let mut prevention = bind(settings, &data_dir, Ingress::Prevention, &telemetry)?;
        let (mut detection, web) = bind_detection(settings, &data_dir, &telemetry).await?;
        let http = bind_http(settings.http.listen).await?;
        let http_address = http.local_addr().unwrap_or(settings.http.listen);

        let (keeper, saved_at) =
            Keeper::restore(Arc::clone(&engine), Arc::clone(&data_dir), clock::now());
        let keeper = Arc::new(keeper);
        recall(&spool, &engine, saved_at, &mut prevention, &mut detection)?;

        let (sip, background) = (CancellationToken::new(), CancellationToken::new());
        let (prevention_address, detection_address) =
            (prevention.local_addr(), detection.local_addr());
        let handler = Arc::new(Handler::new(
            Arc::clone(&engine),
            Mutex::new(spool),
            Arc::clone(&telemetry),
        ));
        let mut tasks = JoinSet::new();
        // From here on calls are answered; ClickHouse may take its time.
        for (server, name) in [
            (prevention, "prevention listener"),
            (detection, "detection listener"),
        ] {
            let (handler, sip) = (Arc::clone(&handler), sip.clone());
            tasks.spawn(async move {
                server.run(handler, sip).await;
                name
            });
        }
        std::thread::spawn(numbering::warm_up);

        let storage = Storage::start(settings, &data_dir, reader, &telemetry).await?;
        let addresses = Addresses {
            prevention: prevention_address,
            detection: detection_address,
            http: http_address,
            store: storage.url().to_owned(),
        };
        data_dir.note_addresses(&addresses)?;
        let calls: Arc<dyn Calls> = handler;
        let web = web::serve(web, api::web::router(Arc::clone(&calls)), sip.clone());
        tasks.spawn(web);
        let status = status::Status {
            addresses: addresses.clone(),
            engine: Arc::clone(&engine),
            telemetry: Arc::clone(&telemetry),
            started: clock::now(),
        };
        let decisions = api::decisions::router(calls);
        tasks.spawn(status::serve(http, status, decisions, background.clone()));
        watch::spawn_all(
            &mut tasks,
            &engine,
            &data_dir,
            &keeper,
            &telemetry,
            &background,
        );
        Ok(Self {
            addresses,
            keeper,
            data_dir,
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
        while self.tasks.join_next().await.is_some() {}
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

fn bind(
    settings: &Settings,
    data_dir: &DataDir,
    ingress: Ingress,
    telemetry: &Arc<Telemetry>,
) -> Result<UdpServer, BindError> {
    let (address, entries, key) = match ingress {
        Ingress::Detection => {
            let own = &settings.detection;
            (own.listen, own.max_transactions, "detection.listen")
        }
        _ => {
            let own = &settings.prevention;
            (own.listen, own.max_transactions, "prevention.listen")
        }
    };
    let config = UdpConfig {
        address,
        key: key.to_owned(),
        ingress,
        secret: data_dir.sip_secret(),
        limits: Limits {
            entries,
            bytes: entries.saturating_mul(1_024),
        },
    };
    UdpServer::bind(&config, Arc::clone(telemetry))
}

/// UDP and TCP on the same port. Where the system picks one for UDP, it may be taken for TCP:
/// then it picks again.
async fn bind_detection(
    settings: &Settings,
    data_dir: &DataDir,
    telemetry: &Arc<Telemetry>,
) -> Result<(UdpServer, TcpListener), AppError> {
    let mut picks = if settings.detection.listen.port() == 0 {
        PORT_PICKS
    } else {
        1
    };
    loop {
        picks -= 1;
        let server = bind(settings, data_dir, Ingress::Detection, telemetry)?;
        let address = server.local_addr();
        match TcpListener::bind(address).await {
            Ok(listener) => return Ok((server, listener)),
            Err(source) if picks == 0 => return Err(AppError::BindWeb { address, source }),
            Err(_) => {}
        }
    }
}

async fn bind_http(address: SocketAddr) -> Result<TcpListener, AppError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| AppError::BindHttp { address, source })
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
/// again, and the windows get the calls that were not yet saved with them.
fn recall(
    spool: &spool::Spool<CallEvent>,
    engine: &Engine,
    saved_at: Timestamp,
    prevention: &mut UdpServer,
    detection: &mut UdpServer,
) -> Result<(), AppError> {
    let now = clock::now();
    let reach = now
        .plus_secs(-2 * TRANSACTION_LIFETIME_SECS)
        .min(saved_at.plus_secs(-1));
    let oldest_transaction = now.plus_secs(-TRANSACTION_LIFETIME_SECS);
    for event in spool.recent(reach, |event: &CallEvent| event.at)? {
        engine.remember(&event);
        let server = match event.attempt.ingress {
            Ingress::Prevention => &mut *prevention,
            Ingress::Detection => &mut *detection,
            _ => continue,
        };
        if event.at >= oldest_transaction
            && let Some(answer) = engine.answer_again(&event)
        {
            server.recover(event.attempt.id, answer, event.at);
        }
    }
    Ok(())
}
