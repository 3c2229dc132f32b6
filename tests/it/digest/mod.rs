//! Who may ask: digest authentication against clients that others wrote (SIPp, baresip, curl)
//! and against bytes that no client would send.
//!
//! Every service here trusts nobody on loopback, so whoever asks from there is challenged.

mod baresip;
mod forged;
mod passwords;
mod sipp;
mod web;

use std::io::Write;
use std::process::{Output, Stdio};

use crate::support::{TestService, eventually};

/// alice's, and anybody's who is given one. No spaces: SIPp reads it up to the first.
const PASSWORD: &str = "correct-horse-battery";
const LONDON: &str = "442071838750";

/// A running service with itsp.example, whom only 127.0.0.9 is trusted for, and its subscriber
/// alice. `algorithms`: what it offers, else the default.
fn service(database: &str, algorithms: Option<&str>) -> TestService {
    let mut service = TestService::prepare_on_shared(database);
    if let Some(algorithms) = algorithms {
        service = service.with("TFPS_DIGEST__ALGORITHMS", algorithms);
    }
    service.tfps_ok(&["domain", "add", "itsp.example", "--trust", "127.0.0.9"]);
    service.tfps_ok(&["domain", "untrust", "root", "127.0.0.0/8"]);
    let add = [
        "subscriber",
        "add",
        "alice@itsp.example",
        "--password-stdin",
    ];
    let added = with_input(&service, &add, &format!("{PASSWORD}\n"));
    assert!(added.status.success(), "{added:?}");
    service.started()
}

/// Runs a command with something on its standard input.
fn with_input(service: &TestService, arguments: &[&str], input: &str) -> Output {
    let mut child = service
        .command(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    // A command that refuses its arguments does not read.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    child.wait_with_output().expect("it ends")
}

/// Waits until so many calls are stored, each once. Those of the web service have no Call-ID.
fn stored(service: &TestService, calls: u64) {
    eventually(&format!("{calls} rows in calls"), || {
        let rows = service.number("SELECT count() FROM calls")?;
        assert!(rows <= calls, "{rows} rows for {calls} calls");
        (rows == calls).then_some(())
    });
    assert_eq!(
        service.sql("SELECT uniqExact(id) FROM calls"),
        calls.to_string()
    );
}

/// Asserts that all calls so far were decided as alice's.
fn counted_to_alice(service: &TestService, calls: u64) {
    assert_eq!(service.decided(), calls);
    stored(service, calls);
    let who = service.sql("SELECT DISTINCT subscriber, account, policy FROM calls");
    assert_eq!(who, "alice\titsp.example\tdefault");
}
