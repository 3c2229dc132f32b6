//! The program from outside: the real binary, the real ClickHouse, real SIP peers.
//!
//! Nothing here sleeps for a time that is hoped to be enough: what must happen is waited for
//! with a deadline. Every service and engine listens on ports of the system's choice and writes
//! into a folder of its own, so all of it runs in parallel.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests fail as tests do"
)]

mod api;
mod digest;
mod embedded;
mod evaluate;
mod import;
mod integrations;
mod kamailio;
mod layers;
mod leakage;
mod poisoning;
mod service;
mod store_engine;
mod support;
mod ten_million;
mod verdicts;
