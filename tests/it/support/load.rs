//! Thousands of calls: `tfps simulate --send`, in a process of its own.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Stdio};

use serde::Deserialize;

use super::{TestService, eventually};

/// A sender at work.
pub struct Load {
    child: Child,
    results: PathBuf,
    summary: PathBuf,
    errors: PathBuf,
}

/// What it did.
#[derive(Debug, Deserialize)]
pub struct Sent {
    pub sent: u64,
    pub answered: u64,
    pub unanswered: u64,
    pub retransmissions: u64,
    pub by_status: BTreeMap<u16, u64>,
    pub by_code: BTreeMap<String, u64>,
    pub elapsed_s: f64,
    /// Call-ID and code of every answered call.
    #[serde(skip)]
    pub calls: Vec<(String, String)>,
}

impl Load {
    /// Sends `calls` made-up calls as fast as they are taken.
    pub fn start(service: &TestService, target: SocketAddr, calls: u64) -> Self {
        Self::start_with(service, target, calls, &["--days", "60", "--seed", "7"])
    }

    /// As [`start`](Self::start), with options that say which calls.
    pub fn start_with(
        service: &TestService,
        target: SocketAddr,
        calls: u64,
        options: &[&str],
    ) -> Self {
        let [results, summary, errors] = ["results.csv", "summary.json", "errors"].map(|name| {
            service
                .folder()
                .join(format!("{calls}-{}-{name}", target.port()))
        });
        let (target, limit) = (target.to_string(), calls.to_string());
        let child = service
            .command(&["simulate", "--json"])
            .args(options)
            .args(["--send", &target, "--limit", &limit, "--results"])
            .arg(&results)
            .stdin(Stdio::null())
            .stdout(File::create(&summary).expect("a file"))
            .stderr(File::create(&errors).expect("a file"))
            .spawn()
            .expect("the program starts");
        Self {
            child,
            results,
            summary,
            errors,
        }
    }

    /// Waits for the end; every call must have an answer.
    pub fn finish(mut self) -> Sent {
        let status = eventually("the sender ends", || {
            self.child.try_wait().expect("a child")
        });
        let errors = fs::read_to_string(&self.errors).unwrap_or_default();
        assert!(status.success(), "{status}: {errors}");
        #[derive(Deserialize)]
        struct Summary {
            send: Sent,
        }
        let summary = fs::read(&self.summary).expect("a summary");
        let mut sent = serde_json::from_slice::<Summary>(&summary)
            .expect("a summary")
            .send;
        assert_eq!((sent.answered, sent.unanswered), (sent.sent, 0));
        let mut reader = csv::Reader::from_path(&self.results).expect("results");
        let rows = reader.records().map(|row| row.expect("a row"));
        sent.calls = rows
            .map(|row| (row[0].to_owned(), row[2].to_owned()))
            .collect();
        assert_eq!(sent.calls.len() as u64, sent.answered);
        sent
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
