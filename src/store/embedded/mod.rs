//! ClickHouse without a server: the engine as a library, in a child process of this program,
//! speaking ClickHouse's HTTP protocol on loopback.
//!
//! The rest of the program sees a URL and the `clickhouse` crate, the same as with a server or a
//! cluster. A crash of the engine ends the child only; the [`supervisor`] starts it again.
//!
//! ```text
//! parent   Embedded::start -> child process -> url()
//! child    http: Request -> Statement -> Engine (one session per request) -> ffi -> libchdb.so
//!                        <- Tags, Stitcher <-
//! ```

use std::{io, net::SocketAddr, path::PathBuf, process::ExitStatus};

mod answer;
pub mod child;
mod engine;
pub mod exception;
pub mod ffi;
mod http;
pub mod locate;
mod request;
mod statement;
mod stitch;
pub mod supervisor;

pub use child::{ChildOptions, run};
pub use supervisor::{Embedded, EmbeddedOptions};

/// Why the embedded engine does not run, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// No library was found.
    #[error(
        "libchdb.so, the embedded ClickHouse, is not at {}: run `make setup`, or set embedded.libchdb to the file, or set store.url to use a ClickHouse server",
        list(searched)
    )]
    LibraryMissing {
        /// The places looked at.
        searched: Vec<PathBuf>,
    },
    /// The file is no library, or one without the functions in use.
    #[error(
        "{} cannot be used as the embedded ClickHouse: run `make setup` for the version that was tested ({version})",
        file.display(),
        version = locate::VERSION
    )]
    LibraryUnusable {
        /// The file.
        file: PathBuf,
        /// What the loader says.
        source: libloading::Error,
    },
    /// The engine does not open its data.
    #[error(
        "the embedded ClickHouse refuses to open {}: see its messages above; if the data is damaged, restore the directory from a backup",
        path.display()
    )]
    EngineRefused {
        /// Its data directory.
        path: PathBuf,
    },
    /// The engine opened its data and fails at the first query.
    #[error("the embedded ClickHouse on {} does not answer queries", path.display())]
    EngineBroken {
        /// Its data directory.
        path: PathBuf,
        /// Its exception.
        source: exception::Exception,
    },
    /// Another process has the data directory.
    #[error(
        "{} is in use by another embedded ClickHouse: stop the other tfps, or choose another --data-dir",
        path.display()
    )]
    DataInUse {
        /// The directory.
        path: PathBuf,
    },
    /// The data directory cannot be written.
    #[error("the directory {} cannot be used: make it writable, or choose another --data-dir", path.display())]
    DataUnusable {
        /// The directory.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The port is taken.
    #[error(
        "port {} of {} is in use: stop the other program (another ClickHouse?), set embedded.listen to a free port, or set store.url to use that server",
        address.port(),
        address.ip()
    )]
    PortInUse {
        /// The address of `embedded.listen`.
        address: SocketAddr,
    },
    /// The address cannot be listened on for another reason.
    #[error("cannot listen on {address}: check embedded.listen")]
    Bind {
        /// The address of `embedded.listen`.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The engine asks for no password, so it listens on loopback only.
    #[error(
        "{address} is not a loopback address: set embedded.listen to one, for instance 127.0.0.1:8123"
    )]
    NotLoopback {
        /// The address of `embedded.listen`.
        address: SocketAddr,
    },
    /// The child process cannot be started.
    #[error("cannot start {} as the embedded ClickHouse's process", executable.display())]
    Spawn {
        /// The program.
        executable: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The child ended before it was ready, for a reason that its exit code does not tell.
    #[error(
        "the embedded ClickHouse ended before it was ready ({status}); its last words: {last_words}"
    )]
    ChildFailed {
        /// How it ended.
        status: ExitStatus,
        /// The last line of its standard error.
        last_words: String,
    },
    /// The child neither became ready nor ended.
    #[error("the embedded ClickHouse was not ready after {seconds} s: see its messages above")]
    NotReady {
        /// How long it was given.
        seconds: u64,
    },
    /// Threads, signals or pipes are not to be had.
    #[error("the embedded ClickHouse's process cannot set itself up")]
    Runtime(#[source] io::Error),
}

impl EmbeddedError {
    const EXIT_PORT_IN_USE: u8 = 71;
    const EXIT_LIBRARY: u8 = 72;
    const EXIT_DATA_IN_USE: u8 = 75;

    /// With what the child exits, so that its parent can say the same (sysexits.h: EX_OSERR,
    /// EX_OSFILE, EX_TEMPFAIL, else EX_SOFTWARE).
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::PortInUse { .. } => Self::EXIT_PORT_IN_USE,
            Self::LibraryMissing { .. } | Self::LibraryUnusable { .. } => Self::EXIT_LIBRARY,
            Self::DataInUse { .. } => Self::EXIT_DATA_IN_USE,
            _ => 70,
        }
    }
}

fn list(files: &[PathBuf]) -> String {
    files
        .iter()
        .map(|file| file.display().to_string())
        .collect::<Vec<_>>()
        .join(", ")
}
