//! What the tests share: a running service, a ClickHouse, an HTTP client, a SIP peer.

mod api;
mod engine;
pub mod http;
mod load;
mod message;
mod phone;
mod service;

pub use api::Api;
pub use engine::clickhouse;
pub use http::Reply;
pub use http::get;
pub use load::{Load, Sent};
pub use message::Message;
pub use phone::{Phone, StreamPhone, code_of, connect};
pub use service::{Finished, TestService};

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// Longest wait for anything: enough for a loaded machine with two cores.
pub const DEADLINE: Duration = Duration::from_secs(60);
/// Between two looks at what only another process can tell.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// The program under test.
pub const TFPS: &str = env!("CARGO_BIN_EXE_tfps");

/// Waits until `look` finds something; panics with `what` when it never does.
pub fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(
            start.elapsed() < DEADLINE,
            "within {DEADLINE:?} not seen: {what}"
        );
        std::thread::park_timeout(LOOK_AGAIN);
    }
}

/// Sends a signal, as `kill -KILL` does.
pub fn signal(pid: u32, signal: &str) {
    let sent = Command::new("kill")
        .args([signal, &pid.to_string()])
        .status()
        .expect("kill runs");
    assert!(sent.success(), "kill {signal} {pid}");
}

/// Whether a process is there and has not ended.
pub fn is_alive(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

/// Processes that `pid` started and that still run.
pub fn children_of(pid: u32) -> Vec<u32> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task"));
    let children = tasks.into_iter().flatten().flatten().filter_map(|task| {
        let text = std::fs::read_to_string(task.path().join("children")).ok()?;
        let ids = text
            .split_whitespace()
            .filter_map(|id| id.parse::<u32>().ok());
        Some(ids.collect::<Vec<_>>())
    });
    children.flatten().filter(|&id| is_alive(id)).collect()
}

/// Everything of this run is in one folder by its process id. What is shared outlives the last
/// test and cannot be cleared away by it, so the next run does.
pub fn run_folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let parent = Path::new(env!("CARGO_TARGET_TMPDIR"));
        for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let owner = name.to_str().and_then(|name| name.strip_prefix("run-"));
            if let Some(Ok(owner)) = owner.map(str::parse)
                && !is_alive(owner)
            {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
        let folder = parent.join(format!("run-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder");
        folder
    })
}
