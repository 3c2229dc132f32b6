//! The parent's side: starts the child, knows its address, starts it again when it dies.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::{Child, ChildStdin, Command},
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
};

use super::{
    EmbeddedError,
    child::{PATIENCE, READY, lock},
    locate,
};

/// Until a starting child must have printed its address.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// Until a child that was asked to end must have ended.
const END_WITHIN: Duration = Duration::from_secs(10);
/// How much longer than its statements' [`PATIENCE`] a child of a killed service may take.
const PREDECESSOR_MARGIN: Duration = Duration::from_secs(3);
/// Wait before the first restart, doubled at each failure.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest wait between restarts.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// A child that lived so long starts the pauses afresh.
const HEALTHY_AFTER: Duration = Duration::from_secs(30);

/// How to run the embedded ClickHouse.
#[derive(Debug, Clone)]
pub struct EmbeddedOptions {
    /// Data directory of the engine, for instance `<data-dir>/clickhouse`.
    pub path: PathBuf,
    /// `embedded.listen`; port 0: any, kept over restarts.
    pub listen: SocketAddr,
    /// `embedded.libchdb`; `None`: searched for.
    pub library: Option<PathBuf>,
    /// The program with the `embedded-clickhouse` subcommand; `None`: this one.
    pub executable: Option<PathBuf>,
    /// Requests that run at a time; more wait.
    pub sessions: usize,
}

/// The running embedded ClickHouse. Dropping it ends the child as well, without waiting for it.
#[derive(Debug)]
pub struct Embedded {
    address: SocketAddr,
    state: watch::Receiver<State>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

#[derive(Debug, Clone, Copy, Default)]
struct State {
    pid: Option<u32>,
    restarts: u64,
}

impl Embedded {
    /// Starts the child and waits until it answers.
    ///
    /// # Errors
    /// What kept the child from starting. A failure later is not an error here: the child is
    /// started again, and [`is_up`](Self::is_up) says so meanwhile.
    pub async fn start(mut options: EmbeddedOptions) -> Result<Self, EmbeddedError> {
        options.library = Some(locate::library(options.library.as_deref())?);
        wait_for_predecessor(&options.path).await?;
        let running = Running::start(&options).await?;
        let address = running.address;
        options.listen = address; // the same port after a restart
        let (report, state) = watch::channel(State {
            pid: running.child.id(),
            restarts: 0,
        });
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(supervise(options, running, report, stopped));
        Ok(Self {
            address,
            state,
            stop,
            task,
        })
    }

    /// Where it answers, for instance `http://127.0.0.1:8123`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Whether the child runs and answered since it was started.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.pid().is_some()
    }

    /// The child's process id while it is up.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.state.borrow().pid
    }

    /// How often the child was started again.
    #[must_use]
    pub fn restarts(&self) -> u64 {
        self.state.borrow().restarts
    }

    /// Ends the child: running statements get some seconds, then it is killed.
    pub async fn shutdown(self) {
        let Self { stop, task, .. } = self;
        drop(stop);
        if let Err(error) = task.await {
            tracing::warn!(%error, "the supervisor of the embedded ClickHouse failed");
        }
    }
}

/// The child of a service that was killed ends by itself, but lets its statements end first. Until
/// then it has the data directory and the port.
async fn wait_for_predecessor(path: &Path) -> Result<(), EmbeddedError> {
    let deadline = Instant::now() + PATIENCE + PREDECESSOR_MARGIN;
    let mut told = false;
    loop {
        match lock(path) {
            Ok(lock) => return lock.unlock().map_err(EmbeddedError::Runtime),
            Err(error @ EmbeddedError::DataInUse { .. }) if Instant::now() >= deadline => {
                return Err(error);
            }
            Err(EmbeddedError::DataInUse { .. }) => {}
            Err(error) => return Err(error),
        }
        if !std::mem::replace(&mut told, true) {
            tracing::info!("the embedded ClickHouse of the service before is still ending");
        }
        tokio::time::sleep(FIRST_PAUSE).await;
    }
}

/// Watches over the child until `stop` is dropped.
async fn supervise(
    options: EmbeddedOptions,
    mut running: Running,
    report: watch::Sender<State>,
    mut stop: oneshot::Receiver<()>,
) {
    let mut pause = FIRST_PAUSE;
    loop {
        let since = Instant::now();
        tokio::select! {
            _ = &mut stop => return running.end().await,
            status = running.child.wait() => {
                report.send_modify(|state| state.pid = None);
                tracing::error!(?status, "the embedded ClickHouse died; starting it again");
            }
        }
        let down = Instant::now();
        if since.elapsed() > HEALTHY_AFTER {
            pause = FIRST_PAUSE;
        }
        running = loop {
            tokio::select! {
                _ = &mut stop => return,
                () = tokio::time::sleep(pause) => {}
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
            tokio::select! {
                _ = &mut stop => return,
                started = Running::start(&options) => match started {
                    Ok(running) => break running,
                    Err(error) => tracing::error!(
                        error = &error as &dyn std::error::Error,
                        next_in_ms = pause.as_millis(),
                        "the embedded ClickHouse does not start"
                    ),
                }
            }
        };
        report.send_modify(|state| {
            state.pid = running.child.id();
            state.restarts += 1;
        });
        tracing::info!(
            down_ms = down.elapsed().as_millis(),
            "the embedded ClickHouse is back"
        );
    }
}

/// A child that answers.
struct Running {
    child: Child,
    /// The child ends when this is closed, and so when this process ends in whatever way.
    lifeline: Option<ChildStdin>,
    address: SocketAddr,
}

impl Running {
    async fn start(options: &EmbeddedOptions) -> Result<Self, EmbeddedError> {
        let executable = match &options.executable {
            Some(file) => file.clone(),
            None => std::env::current_exe().map_err(EmbeddedError::Runtime)?,
        };
        let mut command = Command::new(&executable);
        command
            .arg("embedded-clickhouse")
            .arg("--path")
            .arg(&options.path);
        command.arg("--listen").arg(options.listen.to_string());
        command.arg("--sessions").arg(options.sessions.to_string());
        command.arg("--end-with-stdin");
        if let Some(library) = &options.library {
            command.arg("--lib").arg(library);
        }
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.kill_on_drop(true);
        let mut child = command
            .spawn()
            .map_err(|source| EmbeddedError::Spawn { executable, source })?;
        let lifeline = child.stdin.take();
        let last_words = Arc::new(Mutex::new(String::new()));
        let told = child
            .stderr
            .take()
            .map(|errors| tokio::spawn(relay(errors, Arc::clone(&last_words))));
        let (ready, mut address) = mpsc::channel(1);
        if let Some(output) = child.stdout.take() {
            tokio::spawn(read_output(output, ready));
        }
        let address = tokio::select! {
            biased;
            Some(address) = address.recv() => address,
            status = child.wait() => {
                let status = status.map_err(EmbeddedError::Runtime)?;
                if let Some(told) = told {
                    // to have the last line; a grandchild could hold the pipe, so not for ever
                    let _read: Result<_, _> = tokio::time::timeout(Duration::from_secs(1), told).await;
                }
                let last_words = last_words.lock().unwrap_or_else(PoisonError::into_inner).clone();
                return Err(death(options, status, last_words));
            }
            () = tokio::time::sleep(READY_WITHIN) => {
                return Err(EmbeddedError::NotReady { seconds: READY_WITHIN.as_secs() });
            }
        };
        Ok(Self {
            child,
            lifeline,
            address,
        })
    }

    async fn end(mut self) {
        drop(self.lifeline.take());
        match tokio::time::timeout(END_WITHIN, self.child.wait()).await {
            Ok(status) => tracing::debug!(?status, "the embedded ClickHouse ended"),
            Err(_) => {
                tracing::warn!("the embedded ClickHouse does not end; killing it");
                if let Err(error) = self.child.kill().await {
                    tracing::warn!(%error, "the embedded ClickHouse cannot be killed");
                }
            }
        }
    }
}

/// What the child's exit code says, in the parent's terms.
fn death(options: &EmbeddedOptions, status: ExitStatus, last_words: String) -> EmbeddedError {
    match status.code().and_then(|code| u8::try_from(code).ok()) {
        Some(EmbeddedError::EXIT_PORT_IN_USE) => EmbeddedError::PortInUse {
            address: options.listen,
        },
        Some(EmbeddedError::EXIT_DATA_IN_USE) => EmbeddedError::DataInUse {
            path: options.path.clone(),
        },
        _ => EmbeddedError::ChildFailed { status, last_words },
    }
}

/// The child's standard error, line by line into the log.
async fn relay(errors: impl AsyncRead + Unpin, last_words: Arc<Mutex<String>>) {
    let mut lines = BufReader::new(errors).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if line.trim().is_empty() {
            continue;
        }
        tracing::info!(target: "tfps::embedded_clickhouse", "{line}");
        *last_words.lock().unwrap_or_else(PoisonError::into_inner) = line;
    }
}

/// The child's standard output: its address, once. Read on, so that it never blocks on a full pipe.
async fn read_output(output: impl AsyncRead + Unpin, ready: mpsc::Sender<SocketAddr>) {
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if let Some(address) = line
            .strip_prefix(READY)
            .and_then(|address| address.parse().ok())
        {
            // the receiver is gone when the start was given up
            let _told: Result<(), _> = ready.send(address).await;
        }
    }
}
