//! The real service behind Kamailio. Where TFPS must be seen from inside, be silent or cross a
//! CANCEL, a scripted [`super::uas::Uas`] stands in its place.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::support::{TestService, eventually};

/// A number that TFPS refuses with R03; every other is approved.
pub const BLACKLISTED: &str = "5548987654321";

pub struct Tfps {
    service: TestService,
}

impl Tfps {
    pub async fn start() -> Self {
        Self::with_policy(&[])
    }

    /// With these options of `tfps policy set` for all calls.
    pub fn with_policy(options: &[&str]) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let database = format!("kamailio_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let service = TestService::prepare_on_shared(&database);
        let listed = ["list", "add", "black", "number", BLACKLISTED];
        service.tfps_ok(&[&listed[..], &["--reason", "test"]].concat());
        if !options.is_empty() {
            service.tfps_ok(&[&["policy", "set", "root", "default"], options].concat());
        }
        Self {
            service: service.started(),
        }
    }

    pub fn prevention(&self) -> SocketAddr {
        self.service.prevention()
    }

    pub fn detection(&self) -> SocketAddr {
        self.service.detection()
    }

    /// Waits until the calls it answered are rows, and asserts that they are `calls`, each once.
    pub fn recorded(&self, calls: u64) {
        // A forked copy may come to TFPS after the gateway's answer came to the caller.
        eventually("every call is decided", || {
            (self.service.decided() >= calls).then_some(())
        });
        self.service.wait_for_rows(calls);
        assert_eq!(self.service.decided(), calls);
    }

    /// TCP connections that were made to prevention.
    pub fn connections(&self) -> u64 {
        let labels = ["ingress=\"prevention\"", "transport=\"tcp\""];
        self.service
            .metric("tfps_connections_opened_total", &labels)
    }

    /// A column of the calls in the order in which they were decided.
    pub fn column(&self, expression: &str) -> Vec<String> {
        let sql = format!("SELECT {expression} FROM calls ORDER BY at, id");
        self.service.sql(&sql).lines().map(str::to_owned).collect()
    }
}
