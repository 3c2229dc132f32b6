//! The child process: the engine, its lock, its listener, and the ways to end.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Read, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use axum::serve::ListenerExt;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::oneshot,
};

use super::{EmbeddedError, engine::Engine, ffi::Library, http, locate};

/// What the child prints on standard output, before its address, when it answers requests.
pub const READY: &str = "embedded clickhouse listening on ";
/// How long running statements may take to end on shutdown.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// How to run the engine.
#[derive(Debug, Clone)]
pub struct ChildOptions {
    /// Data directory; created when missing; for one process at a time.
    pub path: PathBuf,
    /// Loopback address to listen on; port 0: any.
    pub listen: SocketAddr,
    /// `libchdb.so`; `None`: searched for, see [`locate::library`].
    pub library: Option<PathBuf>,
    /// Requests that run at a time; more wait.
    pub sessions: usize,
    /// End when standard input ends: it is a pipe whose other end the parent holds, so the child
    /// ends with the parent however that one dies.
    pub end_with_stdin: bool,
}

/// Runs the engine until SIGTERM, SIGINT or the parent's end. The process should exit afterwards,
/// with [`EmbeddedError::exit_code`] on an error: the parent reads the cause from it.
///
/// # Errors
/// What kept it from starting.
pub fn run(options: ChildOptions) -> Result<(), EmbeddedError> {
    if !options.listen.ip().is_loopback() {
        return Err(EmbeddedError::NotLoopback {
            address: options.listen,
        });
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(EmbeddedError::Runtime)?;
    let outcome = runtime.block_on(serve(options));
    // statements that are still running would block for ever; the process's end stops them
    runtime.shutdown_timeout(Duration::from_millis(100));
    outcome
}

async fn serve(options: ChildOptions) -> Result<(), EmbeddedError> {
    // cheap refusals first, the engine last
    let address = options.listen;
    let listener = TcpListener::bind(address)
        .await
        .map_err(|source| match source.kind() {
            io::ErrorKind::AddrInUse => EmbeddedError::PortInUse { address },
            _ => EmbeddedError::Bind { address, source },
        })?;
    let bound = listener
        .local_addr()
        .map_err(|source| EmbeddedError::Bind { address, source })?;
    let file = match options.library {
        Some(file) => file,
        None => locate::library(None)?,
    };
    let _lock = lock(&options.path)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(EmbeddedError::Runtime)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(EmbeddedError::Runtime)?;

    let (path, sessions) = (options.path, options.sessions.max(1));
    let opening = tokio::task::spawn_blocking(move || {
        Engine::open(Library::load(&file)?, &path.join("engine"), sessions)
    });
    let engine = Arc::new(
        opening
            .await
            .map_err(|e| EmbeddedError::Runtime(e.into()))??,
    );
    tracing::info!(address = %bound, version = %engine.version, "embedded ClickHouse is up");
    // nobody may be reading; the address is in the log line above as well
    let _printed: io::Result<()> = writeln!(io::stdout(), "{READY}{bound}");

    let (stop, stopped) = oneshot::channel::<()>();
    // without it small answers wait 40 ms for the client's delayed acknowledgement
    let listener = listener.tap_io(|connection| {
        if let Err(error) = connection.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY was refused");
        }
    });
    let serving = axum::serve(listener, http::router(Arc::clone(&engine)))
        .with_graceful_shutdown(async move { drop(stopped.await) });
    let serving = tokio::spawn(serving.into_future());
    let supervised = options.end_with_stdin;
    let mut parent = stdin_end(supervised);
    let reason = tokio::select! {
        // Ctrl-C reaches the whole terminal, and an init system may signal the whole group: the
        // parent still needs its store to drain into, and ends it by the end of its input
        _ = terminate.recv(), if !supervised => "SIGTERM",
        _ = interrupt.recv(), if !supervised => "SIGINT",
        _ = &mut parent, if supervised => "end of the parent",
    };
    drop(stop);
    let clean = engine.close(sessions, PATIENCE).await;
    serving.abort();
    if clean {
        tracing::info!(reason, "embedded ClickHouse is down");
    } else {
        // No damage: tables are safe against any end of the process.
        tracing::info!(
            reason,
            "embedded ClickHouse is down; running statements were cut off"
        );
    }
    Ok(())
}

/// Resolves when standard input ends. Waits in a thread of its own: a blocked read of standard
/// input cannot be cancelled, and must not keep the runtime from ending.
fn stdin_end(watch: bool) -> oneshot::Receiver<()> {
    let (sender, receiver) = oneshot::channel();
    if watch {
        std::thread::spawn(move || {
            let mut ignored = [0_u8; 64];
            while !matches!(io::stdin().read(&mut ignored), Ok(0) | Err(_)) {}
            drop(sender);
        });
    }
    receiver
}

/// One process per data directory. The lock goes with the process, however it ends; the library
/// itself would let two engines write into the same tables.
pub(super) fn lock(path: &Path) -> Result<File, EmbeddedError> {
    let unusable = |source| EmbeddedError::DataUnusable {
        path: path.to_owned(),
        source,
    };
    fs::create_dir_all(path).map_err(unusable)?;
    let file = File::create(path.join("lock")).map_err(unusable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(EmbeddedError::DataInUse {
            path: path.to_owned(),
        }),
        Err(TryLockError::Error(source)) => Err(unusable(source)),
    }
}
