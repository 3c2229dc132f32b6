//! SIPp plays Asterisk's dialogue. SIPp 3.6 knows MD5 alone, and looks at the first challenge
//! only: that it gets through shows that the default order serves such clients.

use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;

use super::{PASSWORD, counted_to_alice, service};
use crate::support::TestService;

fn sipp(service: &TestService, scenario: &str, user: &str, password: &str) {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sipp");
    let errors = service.folder().join("sipp-errors");
    let run = Command::new("sipp")
        .arg("-sf")
        .arg(data.join(scenario))
        .arg("-inf")
        .arg(data.join("numbers.csv"))
        // 50 calls, at most 10 at a time; a lost call ends the run instead of hanging it.
        .args(["-m", "50", "-r", "200", "-l", "10", "-i", "127.0.0.1"])
        .args(["-timeout", "20s", "-timeout_error", "-nostdin"])
        .args(["-au", user, "-ap", password, "-trace_err", "-error_file"])
        .arg(&errors)
        .arg(service.prevention().to_string())
        .current_dir(service.folder())
        .env("TERM", "dumb")
        .output();
    let output = match run {
        Ok(output) => output,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            panic!("sipp is not installed; `make setup` installs it")
        }
        Err(error) => panic!("sipp cannot be started: {error}"),
    };
    let errors = std::fs::read_to_string(errors).unwrap_or_default();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{scenario}: {}\n{errors}\n{stderr}",
        output.status
    );
}

#[test]
fn fifty_calls_get_through_with_the_password() {
    let service = service("digest_sipp", None);
    sipp(&service, "uac_digest.xml", "alice", PASSWORD);
    counted_to_alice(&service, 50);
    assert_eq!(
        service.metric("tfps_rejected_total", &["reason=\"unproven\""]),
        50
    );
}

#[test]
fn fifty_calls_are_forbidden_without_it() {
    let service = service("digest_sipp_forbidden", None);
    let scenario = "uac_digest_forbidden.xml";
    sipp(&service, scenario, "alice", "incorrect-horse");
    sipp(&service, scenario, "nobody", PASSWORD);
    assert_eq!(service.decided(), 0);
    let forbidden = |reason: &str| {
        let reason = format!("reason=\"{reason}\"");
        service.metric("tfps_rejected_total", &[&reason, "status=\"403\""])
    };
    // After ten, passwords are not even looked at but once in two seconds.
    let (wrong, unseen) = (forbidden("bad-credentials"), forbidden("too-many-guesses"));
    assert_eq!(wrong + unseen, 100);
    assert!((10..50).contains(&wrong), "{wrong}");
}
