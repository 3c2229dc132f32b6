//! Calls on the wire: each record becomes an INVITE over UDP, answered, acknowledged, counted.
//!
//! One socket and one task, whatever the number of calls. A call is sent again after T1, 3 T1,
//! 7 T1, ... (RFC 3261, section 17.1.1.2, timer A) until it is answered or given up (timer B),
//! so a server that is restarted meanwhile still gets it.

mod engine;
mod latency;
mod request;
mod response;
#[cfg(test)]
mod tests;

pub use latency::Latency;

use crate::domain::{CallRecord, Verdict};
use serde::Serialize;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

/// How to send.
#[derive(Clone, Debug)]
pub struct SendOptions {
    /// Calls sent and not yet answered, at most: with no `rate` the next call waits only for
    /// this (closed loop).
    pub outstanding: usize,
    /// Calls per second, at most.
    pub rate: Option<f64>,
    /// Stands in branches and tags: a run with the same id repeats the same transactions, which
    /// a server takes for retransmissions. Letters and digits.
    pub run_id: String,
    /// Until the first retransmission; each further one waits twice as long.
    pub t1: Duration,
    /// Until a call counts as unanswered.
    pub give_up: Duration,
    /// Whether the report keeps every call's result: memory grows with the calls.
    pub per_call: bool,
}

impl SendOptions {
    /// Closed loop, 64 outstanding, the timers of RFC 3261 (T1 500 ms, B 32 s).
    #[must_use]
    pub fn new(run_id: &str) -> Self {
        Self {
            outstanding: 64,
            rate: None,
            run_id: run_id.to_owned(),
            t1: Duration::from_millis(500),
            give_up: Duration::from_secs(32),
            per_call: false,
        }
    }

    fn check(&self) -> Result<(), SendError> {
        if self.outstanding == 0 {
            return Err(SendError::Outstanding);
        }
        if self
            .rate
            .is_some_and(|rate| !(rate > 0.0 && rate.is_finite()))
        {
            return Err(SendError::Rate);
        }
        if self.t1.is_zero() || self.give_up < self.t1 {
            return Err(SendError::Timers);
        }
        let is_good = |byte: u8| byte.is_ascii_alphanumeric();
        if self.run_id.is_empty() || !self.run_id.bytes().all(is_good) {
            return Err(SendError::RunId);
        }
        Ok(())
    }
}

/// Calls that could not be sent.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// No call could ever be sent.
    #[error("no call may be outstanding: allow at least 1")]
    Outstanding,
    /// No call could ever be sent.
    #[error("the rate is not above 0: give calls per second")]
    Rate,
    /// Nothing could be waited for.
    #[error("T1 must be above 0 and no longer than the time after which calls are given up")]
    Timers,
    /// It stands in SIP headers.
    #[error("the run id must be one or more letters and digits")]
    RunId,
    /// No local port.
    #[error("no UDP socket towards {target}")]
    Socket {
        /// Where to.
        target: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The socket broke; an unreachable server is no error, its calls are sent again.
    #[error("the UDP socket failed")]
    Broken(#[source] std::io::Error),
}

/// What became of one call.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CallResult {
    /// Call-ID as sent.
    pub call_id: String,
    /// Final status; `None`: given up.
    pub status: Option<u16>,
    /// Code of the Contact, where there is one.
    pub code: Option<String>,
    /// Number of the Contact; without one, the dialled string.
    pub number: String,
    /// `P-TFPS-Score`.
    pub score: Option<f64>,
    /// `P-TFPS-Reason`.
    pub reasons: String,
    /// First transmission to final response, microseconds.
    pub latency_us: Option<u64>,
    /// The caller.
    pub user: String,
    /// The caller's domain.
    pub domain: String,
    /// As in the record.
    pub verdict: Option<Verdict>,
    /// As in the record.
    pub campaign: String,
}

/// What became of all calls.
#[derive(Clone, Debug, Default, Serialize)]
pub struct SendReport {
    /// Calls sent.
    pub sent: u64,
    /// Calls with a final response.
    pub answered: u64,
    /// Calls given up.
    pub unanswered: u64,
    /// INVITEs sent again.
    pub retransmissions: u64,
    /// Times the host said that nobody listens (ICMP); those calls were sent again.
    pub port_unreachable: u64,
    /// Calls by final status.
    pub by_status: BTreeMap<u16, u64>,
    /// Calls by the Contact's code.
    pub by_code: BTreeMap<String, u64>,
    /// Of the answered calls.
    pub latency: Latency,
    /// First call to last answer, seconds.
    pub elapsed_s: f64,
    /// Every call, in the order of its answer, when asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_call: Option<Vec<CallResult>>,
}

/// Sends the calls and waits for all answers.
///
/// # Errors
/// Options that make no sense, or a socket that fails. An unreachable server is no error.
pub async fn send(
    calls: impl Iterator<Item = CallRecord>,
    target: SocketAddr,
    options: &SendOptions,
) -> Result<SendReport, SendError> {
    let mut results = options.per_call.then(Vec::new);
    let mut report = send_each(calls, target, options, |result| {
        if let Some(results) = &mut results {
            results.push(result);
        }
    })
    .await?;
    report.per_call = results;
    Ok(report)
}

/// As [`send`], but every result is handed on as it comes and none is kept.
///
/// # Errors
/// As [`send`].
pub async fn send_each(
    calls: impl Iterator<Item = CallRecord>,
    target: SocketAddr,
    options: &SendOptions,
    on_result: impl FnMut(CallResult),
) -> Result<SendReport, SendError> {
    options.check()?;
    engine::Engine::new(calls, target, options, on_result)
        .await?
        .run()
        .await
}
