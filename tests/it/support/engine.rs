//! One embedded ClickHouse for all tests that want no engine of their own.

use std::io::{BufRead, BufReader};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::OnceLock;

use super::{TFPS, run_folder};

struct Shared {
    url: String,
    /// The engine ends when this pipe is closed, and so with this process, however it ends.
    _lifeline: ChildStdin,
}

/// Where it answers, for instance `http://127.0.0.1:40123`. A test takes a database of its own.
pub async fn clickhouse() -> String {
    url().to_owned()
}

/// As [`clickhouse`].
pub fn url() -> &'static str {
    static SHARED: OnceLock<Shared> = OnceLock::new();
    &SHARED.get_or_init(start).url
}

#[expect(
    clippy::zombie_processes,
    reason = "it ends with this process, which is when nobody is left to wait for it"
)]
fn start() -> Shared {
    let mut child = Command::new(TFPS)
        .args(["embedded-clickhouse", "--end-with-stdin"])
        .args(["--listen", "127.0.0.1:0", "--sessions", "8", "--path"])
        .arg(run_folder().join("shared-engine"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let lifeline = child.stdin.take().expect("a pipe");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let errors = child.stderr.take().expect("a pipe");
    let address = lines.find_map(|line| {
        let line = line.ok()?;
        Some(
            line.strip_prefix("embedded clickhouse listening on ")?
                .to_owned(),
        )
    });
    let Some(address) = address else {
        let errors: Vec<_> = BufReader::new(errors)
            .lines()
            .map_while(Result::ok)
            .collect();
        panic!(
            "no embedded ClickHouse; `make setup` installs libchdb:\n{}",
            errors.join("\n")
        );
    };
    // Read on, so that it never blocks on a full pipe.
    std::thread::spawn(move || BufReader::new(errors).lines().map_while(Result::ok).count());
    std::thread::spawn(move || lines.map_while(Result::ok).count());
    Shared {
        url: format!("http://{address}"),
        _lifeline: lifeline,
    }
}
