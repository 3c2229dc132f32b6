//! The ports of SIP with all their transports.

use super::{Addresses, AppError, DataDir};
use crate::config::{self, ConfigError, Settings};
use crate::domain::Ingress;
use crate::server::http::HttpConnection;
use crate::server::tcp::{TcpConfig, TcpServer};
use crate::server::tls::{Certificates, Role, TlsError, TlsFiles};
use crate::server::udp::UdpServer;
use crate::server::{BindError, CallHandler, ConnectionLimits, Door};
use crate::sip::Limits;
use crate::telemetry::Telemetry;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Ports the system may choose before one is free for both UDP and TCP.
const ATTEMPTS: usize = 64;

/// What a process is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Everything that is configured.
    Service,
    /// The honeypot alone, with what keeps its calls.
    Honeypot,
}

/// Everything SIP comes in by, bound and not yet answering.
pub(super) struct Doors {
    pub(super) prevention: Option<Pair>,
    prevention_tls: Option<TcpServer>,
    pub(super) detection: Option<Pair>,
    pub(super) honeypot: Option<Pair>,
    /// What TLS is served with.
    pub(super) certificates: Option<Arc<Certificates>>,
}

/// A door with UDP and TCP on one port number.
pub(super) struct Pair {
    pub(super) door: Arc<Door>,
    udp: UdpServer,
    tcp: TcpServer,
}

/// Entries of the honeypot's transaction table: at 32 s each, 512 calls/s.
const HONEYPOT_TRANSACTIONS: usize = 16_384;

impl Doors {
    /// Binds all sockets for a purpose.
    pub(super) fn bind(
        settings: &Settings,
        purpose: Purpose,
        data_dir: &DataDir,
        telemetry: &Arc<Telemetry>,
    ) -> Result<Self, AppError> {
        let door = |ingress, entries: usize| {
            let limits = Limits {
                entries,
                bytes: entries.saturating_mul(1_024),
            };
            let telemetry = Arc::clone(telemetry);
            Door::new(ingress, data_dir.sip_secret(), limits, telemetry)
        };
        let limits = connection_limits(settings);
        let honeypot = (purpose == Purpose::Honeypot || settings.honeypot.enabled)
            .then(|| {
                let own = &settings.honeypot;
                let door = door(Ingress::Honeypot, HONEYPOT_TRANSACTIONS);
                let door = door.with_honeypot(own.persona());
                Pair::bind(own.listen, "honeypot.listen", limits, door)
            })
            .transpose()?;
        if purpose == Purpose::Honeypot {
            return Ok(Self {
                prevention: None,
                prevention_tls: None,
                detection: None,
                honeypot,
                certificates: None,
            });
        }
        let certificates = tls_files(settings)
            .map(|files| Certificates::load(files).map(Arc::new))
            .transpose()
            .map_err(|error| unusable(&error))?;
        let own = &settings.prevention;
        let prevention = door(Ingress::Prevention, own.max_transactions);
        let prevention = Pair::bind(own.listen, "prevention.listen", limits, prevention)?;
        let prevention_tls = certificates
            .clone()
            .map(|certificates| {
                let config = TcpConfig {
                    address: own.tls_listen,
                    key: "prevention.tls_listen",
                    limits,
                    certificates: Some(certificates),
                };
                TcpServer::bind(config, Arc::clone(&prevention.door))
            })
            .transpose()?;
        let own = &settings.detection;
        let detection = door(Ingress::Detection, own.max_transactions);
        let detection = detection.with_neutral(own.answers());
        let detection = Pair::bind(own.listen, "detection.listen", limits, detection)?;
        Ok(Self {
            prevention: Some(prevention),
            prevention_tls,
            detection: Some(detection),
            honeypot,
            certificates,
        })
    }

    /// Where they are; `http` and `store` are those of others.
    pub(super) fn addresses(&self, http: SocketAddr, store: String) -> Addresses {
        let of = |pair: &Option<Pair>| pair.as_ref().map(|pair| pair.udp.local_addr());
        Addresses {
            prevention: of(&self.prevention),
            prevention_tls: self.prevention_tls.as_ref().map(TcpServer::local_addr),
            detection: of(&self.detection),
            honeypot: of(&self.honeypot),
            http,
            store,
        }
    }

    /// Begins to answer; connections to detection that speak HTTP are `web`'s.
    pub(super) fn open<H: CallHandler>(
        self,
        tasks: &mut JoinSet<&'static str>,
        handler: &Arc<H>,
        web: Arc<dyn HttpConnection>,
        shutdown: &CancellationToken,
    ) {
        let parts = |pair: Option<Pair>| pair.map(|pair| (pair.udp, pair.tcp)).unzip();
        let (prevention_udp, prevention_tcp) = parts(self.prevention);
        let (detection_udp, detection_tcp) = parts(self.detection);
        let (honeypot_udp, honeypot_tcp) = parts(self.honeypot);
        let detection_tcp: Option<TcpServer> = detection_tcp;
        for (server, name) in [
            (prevention_udp, "prevention listener (udp)"),
            (detection_udp, "detection listener (udp)"),
            (honeypot_udp, "honeypot listener (udp)"),
        ] {
            let Some(server): Option<UdpServer> = server else {
                continue;
            };
            let (handler, shutdown) = (Arc::clone(handler), shutdown.clone());
            tasks.spawn(async move {
                server.run(handler, shutdown).await;
                name
            });
        }
        for (server, name) in [
            (prevention_tcp, "prevention listener (tcp)"),
            (self.prevention_tls, "prevention listener (tls)"),
            (
                detection_tcp.map(|tcp| tcp.with_http(web)),
                "detection listener (tcp)",
            ),
            (honeypot_tcp, "honeypot listener (tcp)"),
        ] {
            let Some(server) = server else { continue };
            let (handler, shutdown) = (Arc::clone(handler), shutdown.clone());
            tasks.spawn(async move {
                server.run(handler, shutdown).await;
                name
            });
        }
    }
}

impl Pair {
    /// Port 0: the system chooses one for UDP; when it is not free for TCP, another.
    fn bind(
        address: SocketAddr,
        key: &str,
        limits: ConnectionLimits,
        door: Door,
    ) -> Result<Self, BindError> {
        let door = Arc::new(door);
        let mut attempts = 0;
        loop {
            attempts += 1;
            let udp = UdpServer::bind(address, key, Arc::clone(&door))?;
            let config = TcpConfig {
                address: udp.local_addr(),
                key,
                limits,
                certificates: None,
            };
            match TcpServer::bind(config, Arc::clone(&door)) {
                Err(error)
                    if address.port() == 0
                        && attempts < ATTEMPTS
                        && error.source.kind() == ErrorKind::AddrInUse => {}
                tcp => {
                    let tcp = tcp?;
                    return Ok(Self { door, udp, tcp });
                }
            }
        }
    }
}

/// Bounds of each listener's connections.
pub(super) fn connection_limits(settings: &Settings) -> ConnectionLimits {
    let own = &settings.connections;
    ConnectionLimits {
        max: own.max,
        max_per_source: own.max_per_source,
        idle: Duration::from_secs(own.idle_secs),
        message: Duration::from_secs(own.message_secs),
        write: Duration::from_secs(own.write_secs),
    }
}

fn tls_files(settings: &Settings) -> Option<TlsFiles> {
    let own = &settings.tls;
    Some(TlsFiles {
        certificate: own.certificate.clone()?,
        key: own.key.clone()?,
        client_ca: own.client_ca.clone(),
    })
}

/// Reads the certificates that are configured, and puts nothing in force; whether there are any.
///
/// # Errors
/// The key of the file that cannot be used.
pub fn check_certificates(settings: &Settings) -> Result<bool, ConfigError> {
    match tls_files(settings).map(Certificates::load) {
        None => Ok(false),
        Some(Ok(_)) => Ok(true),
        Some(Err(error)) => Err(unusable(&error)),
    }
}

fn unusable(error: &TlsError) -> ConfigError {
    let key = match error.culprit().0 {
        Role::Certificate => "tls.certificate",
        Role::Key => "tls.key",
        Role::ClientCa => "tls.client_ca",
    };
    ConfigError::Value {
        key: key.to_owned(),
        value: error.to_string(),
        expected: config::expected(key).unwrap_or_default(),
    }
}
