//! SIPp, somebody else's SIP, plays the peers: 50 calls of each scenario in `tests/data/sipp`.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::Path;

use tokio::process::Command;

use super::harness::{Kamailio, Mode, Setup};
use super::tfps::Tfps;
use super::uas::{Script, Uas};

/// As [`sipp_over`], over UDP.
async fn sipp(scenario: &str, target: SocketAddr) {
    sipp_over("u1", scenario, target).await;
}

/// Runs the scenario against `target` over one of SIPp's transports; panics with SIPp's own account of it unless every
/// call went as written.
async fn sipp_over(transport: &str, scenario: &str, target: SocketAddr) {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sipp");
    let dir = tempfile::tempdir().unwrap();
    let errors = dir.path().join("errors.log");
    let run = Command::new("sipp")
        .arg("-sf")
        .arg(data.join(scenario))
        .arg("-inf")
        .arg(data.join("numbers.csv"))
        // 50 calls, at most 10 at a time; a lost call ends the run instead of hanging it.
        .args([
            "-t",
            transport,
            // Otherwise it insists on 50,000 being allowed.
            "-max_socket",
            "20",
            "-i",
            "127.0.0.1",
            "-m",
            "50",
            "-r",
            "200",
            "-l",
            "10",
            "-timeout",
            "8s",
            "-timeout_error",
            "-nostdin",
        ])
        .args(["-trace_err", "-error_file"])
        .arg(&errors)
        .arg(target.to_string())
        .current_dir(dir.path())
        .env("TERM", "dumb")
        .kill_on_drop(true)
        .output()
        .await;
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

#[tokio::test]
async fn fifty_calls_of_a_customer_pass_prevention() {
    let tfps = Tfps::start().await;
    let gateway = Uas::start(|_| Script::Answer).await;
    let kamailio = Kamailio::start(Setup {
        prevention: tfps.prevention(),
        detection: tfps.detection(),
        gateway: gateway.addr,
        mode: Mode::Prevention,
        account: None,
    });
    sipp("uac_call.xml", kamailio.addr).await;
    assert_eq!(
        (
            gateway.wait_for("ACK", 50).await.len(),
            gateway.seen("BYE").len()
        ),
        (50, 50)
    );
    tfps.recorded(50);
}

#[tokio::test]
async fn prevention_approves_fifty_calls() {
    let tfps = Tfps::start().await;
    sipp("uac_invite_302.xml", tfps.prevention()).await;
    tfps.recorded(50);
}

#[tokio::test]
async fn detection_takes_fifty_calls() {
    let tfps = Tfps::start().await;
    sipp("uac_detection.xml", tfps.detection()).await;
    tfps.recorded(50);
}

/// All calls on one connection, and each on its own; the SIPp of Debian speaks no TLS.
#[tokio::test]
async fn prevention_approves_fifty_calls_over_tcp() {
    for transport in ["t1", "tn"] {
        let tfps = Tfps::start().await;
        sipp_over(transport, "uac_invite_302.xml", tfps.prevention()).await;
        tfps.recorded(50);
    }
}

#[tokio::test]
async fn detection_takes_fifty_calls_over_tcp() {
    let tfps = Tfps::start().await;
    sipp_over("t1", "uac_detection.xml", tfps.detection()).await;
    tfps.recorded(50);
}
