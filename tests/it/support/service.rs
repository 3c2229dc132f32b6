//! The real service in a process of its own, and its command line.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;

use serde::Deserialize;
use tempfile::TempDir;

use super::{
    DEADLINE, Reply, TFPS, children_of, engine, eventually, http, is_alive, run_folder, signal,
};

/// The listen keys in the environment, all on a port of the system's choice.
const LISTEN: [&str; 6] = [
    "TFPS_PREVENTION__LISTEN",
    "TFPS_PREVENTION__TLS_LISTEN",
    "TFPS_DETECTION__LISTEN",
    "TFPS_HONEYPOT__LISTEN",
    "TFPS_HTTP__LISTEN",
    "TFPS_EMBEDDED__LISTEN",
];

/// Where a service listens, as it notes it for the other commands.
#[derive(Clone, Debug, Deserialize)]
pub struct Addresses {
    /// Not of a honeypot alone, as `detection`.
    pub prevention: Option<SocketAddr>,
    pub prevention_tls: Option<SocketAddr>,
    pub detection: Option<SocketAddr>,
    /// Where there is one.
    pub honeypot: Option<SocketAddr>,
    pub http: SocketAddr,
    /// ClickHouse's URL.
    pub store: String,
}

/// A command that has ended.
#[derive(Debug)]
pub struct Finished {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// A service and its data folder. Dropped, also by a panic, it leaves no process and no file.
pub struct TestService {
    /// Before the folder, so that it ends before the folder goes.
    process: Option<Process>,
    folder: TempDir,
    environment: Vec<(String, String)>,
    database: String,
    /// The command that it is.
    serving: &'static str,
    addresses: Option<Addresses>,
}

/// Killed when dropped, with the engine it started.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let children = children_of(self.0.id());
        let _ = self.0.kill();
        let _ = self.0.wait();
        for child in children.into_iter().filter(|&pid| is_alive(pid)) {
            let _ = Command::new("kill")
                .args(["-KILL", &child.to_string()])
                .stderr(Stdio::null())
                .status();
        }
    }
}

impl TestService {
    /// Runs, with an engine of its own.
    pub fn start() -> Self {
        Self::prepare().started()
    }

    /// Runs, with `database` on the engine that the tests share.
    pub fn start_on_shared(database: &str) -> Self {
        Self::prepare_on_shared(database).started()
    }

    /// As [`start`](Self::start), but does not run yet.
    pub fn prepare() -> Self {
        let listen = LISTEN.map(|key| (key.to_owned(), "127.0.0.1:0".to_owned()));
        Self {
            process: None,
            folder: tempfile::tempdir_in(run_folder()).expect("a folder"),
            environment: listen.to_vec(),
            database: "tfps".to_owned(),
            serving: "serve",
            addresses: None,
        }
    }

    /// As [`start_on_shared`](Self::start_on_shared), but does not run yet.
    pub fn prepare_on_shared(database: &str) -> Self {
        let mut service = Self::prepare()
            .with("TFPS_STORE__URL", engine::url())
            .with("TFPS_STORE__DATABASE", database);
        service.database = database.to_owned();
        service
    }

    /// With a honeypot beside the rest.
    pub fn with_honeypot(self) -> Self {
        self.with("TFPS_HONEYPOT__ENABLED", "true")
    }

    /// As a honeypot alone.
    pub fn honeypot_only(mut self) -> Self {
        self.serving = "honeypot";
        self
    }

    /// Sets a key of the environment, for the service and for its commands.
    pub fn with(mut self, key: &str, value: &str) -> Self {
        self.environment.retain(|(known, _)| known != key);
        self.environment.push((key.to_owned(), value.to_owned()));
        self
    }

    /// With accounts as a first start makes them: by an edit that changes nothing.
    pub fn with_accounts(self) -> Self {
        self.tfps_ok(&["domain", "trust", "root", "127.0.0.0/8"]);
        self
    }

    /// Starts it and waits until it is ready.
    pub fn started(mut self) -> Self {
        self.start_again();
        self
    }

    /// Starts it, after an end on the same ports as before, and waits until it is ready.
    ///
    /// While it was down, a client of another test may have been given one of its ports by the
    /// system: then it is started again until that client has ended.
    pub fn start_again(&mut self) {
        let addresses = eventually("the service starts", || self.try_start());
        let again = |address: Option<SocketAddr>| {
            address.map_or_else(|| "127.0.0.1:0".to_owned(), |known| known.to_string())
        };
        for (key, address) in LISTEN.iter().zip([
            again(addresses.prevention),
            again(addresses.prevention_tls),
            again(addresses.detection),
            again(addresses.honeypot),
            addresses.http.to_string(),
            addresses.store.trim_start_matches("http://").to_owned(),
        ]) {
            if let Some(known) = self.environment.iter_mut().find(|(known, _)| known == key) {
                known.1 = address;
            }
        }
        self.addresses = Some(addresses);
    }

    /// `None`: one of its ports is taken.
    fn try_start(&mut self) -> Option<Addresses> {
        let errors = File::options()
            .create(true)
            .append(true)
            .open(self.log_path())
            .expect("a log file");
        let child = self
            .command(&[self.serving])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(errors)
            .spawn()
            .expect("the program starts");
        let process = self.process.insert(Process(child));
        let noted = self.folder.path().join("data/addresses.json");
        eventually("the service is ready", || {
            let ended = process.0.try_wait().expect("a child");
            if let Some(status) = ended {
                let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
                let last = log.lines().last().unwrap_or_default();
                assert!(
                    last.contains("Address already in use"),
                    "the service ended ({status}); if libchdb is missing, `make setup` installs it:\n{log}"
                );
                return Some(None);
            }
            let noted = serde_json::from_slice::<Addresses>(&fs::read(&noted).ok()?).ok()?;
            let reply = http::get(noted.http, "/readyz")?;
            (reply.status == 200).then_some(Some(noted))
        })
    }

    /// `kill -9`. Its engine ends by itself.
    pub fn kill(&mut self) {
        let Some(mut process) = self.process.take() else {
            panic!("it does not run");
        };
        signal(process.0.id(), "-KILL");
        let _ = process.0.wait().expect("ends");
        // It is gone; the engine is left to end by itself.
        std::mem::forget(process);
    }

    /// SIGTERM, and waits for the end.
    pub fn terminate(&mut self) -> ExitStatus {
        let mut process = self.process.take().expect("it runs");
        signal(process.0.id(), "-TERM");
        eventually("the service ends", || {
            process.0.try_wait().expect("a child")
        })
    }

    pub fn pid(&self) -> u32 {
        self.process.as_ref().expect("it runs").0.id()
    }

    /// Process ids of the engine: one, or none while it is started again.
    pub fn engine_pids(&self) -> Vec<u32> {
        children_of(self.pid())
    }

    pub fn addresses(&self) -> &Addresses {
        self.addresses.as_ref().expect("it was started")
    }

    pub fn prevention(&self) -> SocketAddr {
        self.addresses().prevention.expect("prevention is served")
    }

    /// Where a certificate is configured.
    pub fn prevention_tls(&self) -> SocketAddr {
        self.addresses().prevention_tls.expect("TLS is served")
    }

    pub fn detection(&self) -> SocketAddr {
        self.addresses().detection.expect("detection is served")
    }

    /// Where one is configured.
    pub fn honeypot(&self) -> SocketAddr {
        self.addresses().honeypot.expect("a honeypot is served")
    }

    /// The `--data-dir`.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The folder around the data folder, for files of the test, and nobody else's.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What it has said so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// A command on its data folder, not yet run.
    pub fn command(&self, arguments: &[impl AsRef<OsStr>]) -> Command {
        let mut command = Command::new(TFPS);
        // Nothing of the developer's own settings.
        for (key, _) in std::env::vars_os() {
            let ours = key.to_str().is_some_and(|key| {
                key.starts_with("TFPS_") && !["TFPS_CACHE", "TFPS_EMBEDDED__LIBCHDB"].contains(&key)
            });
            if ours {
                command.env_remove(key);
            }
        }
        command
            .envs(self.environment.iter().map(|(key, value)| (key, value)))
            .env("TFPS_DATA_DIR", self.data())
            .current_dir(self.folder.path())
            .args(arguments);
        command
    }

    /// Runs a command on its data folder to its end.
    pub fn tfps(&self, arguments: &[impl AsRef<OsStr>]) -> Finished {
        finish(self.command(arguments))
    }

    /// As [`tfps`](Self::tfps); what it printed, or a panic when it failed.
    pub fn tfps_ok(&self, arguments: &[impl AsRef<OsStr>]) -> String {
        let finished = self.tfps(arguments);
        let shown: Vec<_> = arguments.iter().map(|a| a.as_ref().to_owned()).collect();
        assert_eq!(finished.code, Some(0), "tfps {shown:?}: {finished:#?}");
        finished.stdout
    }

    /// GET on the web port.
    pub fn get(&self, path: &str) -> Reply {
        http::get(self.addresses().http, path).expect("the web port answers")
    }

    /// The sum of a metric's samples whose labels hold all of `labels`.
    pub fn metric(&self, name: &str, labels: &[&str]) -> u64 {
        let text = self.get("/metrics").body;
        text.lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.rsplit_once(' '))
            .filter(|(key, _)| key.split('{').next() == Some(name))
            .filter(|(key, _)| labels.iter().all(|label| key.contains(label)))
            .map(|(_, value)| value.parse::<f64>().expect("a number") as u64)
            .sum()
    }

    /// INVITEs decided since it was started.
    pub fn decided(&self) -> u64 {
        self.metric("tfps_calls_total", &[])
    }

    /// Runs SQL in its database; the answer in ClickHouse's TSV.
    pub fn sql(&self, sql: &str) -> String {
        let reply = self.try_sql(sql).expect("ClickHouse answers");
        assert_eq!(reply.status, 200, "{sql}: {}", reply.body);
        reply.body.trim_end().to_owned()
    }

    /// As [`sql`](Self::sql), also while ClickHouse is down or has no tables yet.
    pub fn try_sql(&self, sql: &str) -> Option<Reply> {
        let (address, path) = self.sql_address();
        http::post(address, &path, sql)
    }

    /// Asks, and does not wait for the answer.
    pub fn sql_meanwhile(&self, sql: &'static str) -> JoinHandle<Option<Reply>> {
        let (address, path) = self.sql_address();
        std::thread::spawn(move || http::post(address, &path, sql))
    }

    fn sql_address(&self) -> (SocketAddr, String) {
        let address = self.addresses().store.trim_start_matches("http://");
        let path = format!("/?database={}", self.database);
        (address.parse().expect("an address"), path)
    }

    /// Runs SQL whose answer is one number; `None` while there is none.
    pub fn number(&self, sql: &str) -> Option<u64> {
        let reply = self.try_sql(sql).filter(|reply| reply.status == 200)?;
        reply.body.trim().parse().ok()
    }

    /// Waits until `tfps.calls` has so many rows, and asserts that no call is there twice.
    pub fn wait_for_rows(&self, rows: u64) {
        eventually(&format!("{rows} rows in calls"), || {
            let count = self.number("SELECT count() FROM calls")?;
            assert!(count <= rows, "{count} rows for {rows} calls");
            (count == rows).then_some(())
        });
        let counts = self.sql("SELECT count(), uniqExact(id), uniqExact(call_id) FROM calls");
        assert_eq!(counts, format!("{rows}\t{rows}\t{rows}"));
    }
}

impl Drop for TestService {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the service's log:\n{}", self.log());
        }
    }
}

/// Runs to the end; one that does not end is killed and fails the test.
fn finish(mut command: Command) -> Finished {
    let (out, errors) = (
        tempfile::NamedTempFile::new_in(run_folder()).expect("a file"),
        tempfile::NamedTempFile::new_in(run_folder()).expect("a file"),
    );
    let child = command
        .stdin(Stdio::null())
        .stdout(out.reopen().expect("a file"))
        .stderr(errors.reopen().expect("a file"))
        .spawn()
        .expect("the program starts");
    let mut process = Process(child);
    let read = |file: &tempfile::NamedTempFile| {
        String::from_utf8_lossy(&fs::read(file.path()).unwrap_or_default()).into_owned()
    };
    let start = std::time::Instant::now();
    loop {
        if let Some(status) = process.0.try_wait().expect("a child") {
            return Finished {
                code: status.code(),
                stdout: read(&out),
                stderr: read(&errors),
            };
        }
        assert!(
            start.elapsed() < 2 * DEADLINE,
            "{command:?} does not end; it said: {}",
            read(&errors)
        );
        std::thread::park_timeout(super::LOOK_AGAIN);
    }
}
