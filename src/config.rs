//! The configuration: each module's own settings, composed.
//!
//! Read from a TOML file (none needed), then from the environment: `TFPS_SECTION__KEY` goes before
//! the file. Unknown keys are refused. Checking needs no network.

mod detection;
mod honeypot;
mod keys;
mod ports;
mod transport;

pub use detection::{DetectionSettings, NeutralPeer};
pub use honeypot::{HoneypotSettings, LearnedEvidence, LearnedMode, LearnedSettings};
pub use transport::{ConnectionSettings, TlsSettings};

use keys::KEYS;
pub(crate) use keys::expected;

use crate::digest::DigestSettings;
use crate::geo::GeoSettings;
use crate::store::StoreSettings;
use config::{Config, Environment, File, FileFormat};
use serde::Deserialize;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

/// Everything that can be configured.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// 9090: the redirect server for customers.
    pub prevention: PreventionSettings,
    /// 9091: forked copies of anybody's calls.
    pub detection: DetectionSettings,
    /// 5060: a listener that looks like a PBX.
    pub honeypot: HoneypotSettings,
    /// What is made of evidence.
    pub learned: LearnedSettings,
    /// Certificates of SIP over TLS.
    pub tls: TlsSettings,
    /// Bounds of what is connected over TCP and TLS.
    pub connections: ConnectionSettings,
    /// Who may ask by password.
    pub digest: DigestSettings,
    /// 8080: health, metrics and status.
    pub http: HttpSettings,
    /// ClickHouse: a server, or the embedded engine.
    pub store: StoreSettings,
    /// Where the embedded engine listens and which library it is.
    pub embedded: EmbeddedSettings,
    /// Between the answer and ClickHouse.
    pub spool: SpoolSettings,
    /// Memory of habits.
    pub features: FeatureSettings,
    /// Address to country.
    pub geo: GeoSettings,
    /// The watch over the model in force.
    pub models: ModelSettings,
    /// Log lines.
    pub log: LogSettings,
}

/// `[prevention]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PreventionSettings {
    /// Address, UDP and TCP port. Loopback by default: a softswitch elsewhere must be trusted
    /// first.
    pub listen: SocketAddr,
    /// Address and TCP port of TLS, served when `tls.certificate` is given.
    pub tls_listen: SocketAddr,
    /// Answered INVITEs remembered for retransmissions, at most.
    pub max_transactions: usize,
}

/// `[http]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HttpSettings {
    /// Address and TCP port of /healthz, /readyz, /metrics and the status page.
    pub listen: SocketAddr,
}

/// `[embedded]`: used when no `store.url` is set.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EmbeddedSettings {
    /// Loopback address and TCP port of ClickHouse's HTTP protocol.
    pub listen: SocketAddr,
    /// The library; absent: searched for where `make setup` puts it.
    pub libchdb: Option<PathBuf>,
    /// Statements that run at a time; more wait.
    pub sessions: usize,
}

/// `[spool]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SpoolSettings {
    /// All segments together, MiB; beyond it calls are answered and not kept, with an alarm.
    pub max_mib: u64,
    /// Milliseconds between fsyncs; 0: the system's own pace.
    pub sync_ms: u64,
}

/// `[features]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FeatureSettings {
    /// Tracks kept at most, about 90 bytes each; a caller has some fifty.
    pub max_tracks: usize,
}

/// `[models]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ModelSettings {
    /// Seconds between two looks at what judged calls turned out to be; 0: never.
    pub verdicts_secs: u64,
}

/// `[log]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogSettings {
    /// error, warn, info, debug or trace, or a filter such as `info,tfps::ship=debug`.
    pub level: String,
    /// One JSON object a line instead of text.
    pub json: bool,
}

const fn loopback(port: u16) -> SocketAddr {
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

/// Entries of the transaction table: at 32 s each, 4,096 calls/s.
const TRANSACTIONS: usize = 131_072;

impl Default for PreventionSettings {
    fn default() -> Self {
        Self {
            listen: loopback(9090),
            tls_listen: loopback(9093),
            max_transactions: TRANSACTIONS,
        }
    }
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            listen: loopback(8080),
        }
    }
}

impl Default for EmbeddedSettings {
    fn default() -> Self {
        Self {
            listen: loopback(8123),
            libchdb: None,
            sessions: 8,
        }
    }
}

impl Default for SpoolSettings {
    fn default() -> Self {
        Self {
            max_mib: 8 << 10,
            sync_ms: 1_000,
        }
    }
}

impl Default for FeatureSettings {
    fn default() -> Self {
        Self {
            max_tracks: 4_000_000,
        }
    }
}

impl Default for ModelSettings {
    fn default() -> Self {
        Self {
            verdicts_secs: 3_600,
        }
    }
}

impl Default for LogSettings {
    fn default() -> Self {
        Self {
            level: "info".into(),
            json: false,
        }
    }
}

/// A configuration that cannot be used: names the key, the value and what was expected.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is not there or is no TOML, or the environment is not readable.
    #[error("configuration: {0}")]
    Source(#[source] Box<config::ConfigError>),
    /// A section or key that there is not.
    #[error("configuration key `{key}`: {message}")]
    Unknown {
        /// Dotted path of where it stands.
        key: String,
        /// Its name, and those there are.
        message: String,
    },
    /// A value that does not do.
    #[error("configuration key `{key}`: `{value}` does not do: expected {expected}")]
    Value {
        /// Dotted path of the key.
        key: String,
        /// What was given.
        value: String,
        /// What would do.
        expected: &'static str,
    },
    /// Two listeners on one port.
    #[error(
        "configuration keys `{one}` and `{other}`: both listen on {address}: give one of them another port"
    )]
    SamePort {
        /// The first key.
        one: &'static str,
        /// The second.
        other: &'static str,
        /// Where the second listens.
        address: SocketAddr,
    },
    /// A variable that is nearly a key, and would be ignored.
    #[error("environment: `{found}` is no configuration key: expected `{meant}`")]
    Variable {
        /// The variable that is set.
        found: String,
        /// With two underscores between section and key.
        meant: String,
    },
}

impl Settings {
    /// From a file, when one is given, and the environment.
    ///
    /// # Errors
    /// The first thing wrong, with its key.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let variables = std::env::vars_os()
            .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)));
        Self::from_sources(file, variables)
    }

    fn from_sources(
        file: Option<&Path>,
        variables: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        // Values stay texts until their key says what they are: a password may be `0123`.
        let environment = Environment::with_prefix("TFPS")
            .prefix_separator("_")
            .separator("__")
            .try_parsing(false)
            .source(Some(section_keys(variables)?));
        let mut builder = Config::builder();
        if let Some(path) = file {
            builder = builder.add_source(File::from(path).format(FileFormat::Toml));
        }
        let config = builder
            .add_source(environment)
            .build()
            .map_err(|error| ConfigError::Source(Box::new(error)))?;
        let settings: Self = serde_path_to_error::deserialize(config.clone()).map_err(|error| {
            let key = error.path().to_string();
            match expected(&key) {
                Some(expected) => ConfigError::Value {
                    value: shown(&config, &key),
                    expected,
                    key,
                },
                None => ConfigError::Unknown {
                    key,
                    message: error.into_inner().to_string(),
                },
            }
        })?;
        settings.check()
    }

    fn check(self) -> Result<Self, ConfigError> {
        let url = self.store.url.as_deref().unwrap_or("http://embedded");
        let checks = [
            (
                "prevention.max_transactions",
                self.prevention.max_transactions >= 1_024,
                self.prevention.max_transactions.to_string(),
            ),
            (
                "detection.max_transactions",
                self.detection.max_transactions >= 1_024,
                self.detection.max_transactions.to_string(),
            ),
            (
                "digest.nonce_secs",
                (1..=86_400).contains(&self.digest.nonce_secs),
                self.digest.nonce_secs.to_string(),
            ),
            (
                "digest.max_nonces",
                self.digest.max_nonces >= 1_024,
                self.digest.max_nonces.to_string(),
            ),
            ("store.url", is_server(url), url.to_owned()),
            (
                "embedded.listen",
                self.embedded.listen.ip().is_loopback(),
                self.embedded.listen.to_string(),
            ),
            (
                "embedded.sessions",
                self.embedded.sessions >= 2,
                self.embedded.sessions.to_string(),
            ),
            (
                "spool.max_mib",
                self.spool.max_mib >= 128,
                self.spool.max_mib.to_string(),
            ),
            (
                "features.max_tracks",
                self.features.max_tracks >= 10_000,
                self.features.max_tracks.to_string(),
            ),
            (
                "models.verdicts_secs",
                self.models.verdicts_secs <= 604_800,
                self.models.verdicts_secs.to_string(),
            ),
            (
                "log.level",
                are_levels(&self.log.level),
                self.log.level.clone(),
            ),
        ];
        let checks = checks
            .into_iter()
            .chain(self.tls.checks())
            .chain(self.connections.checks())
            .chain(self.honeypot.checks())
            .map(|(key, good, value)| (key.to_owned(), good, value))
            .chain(self.detection.checks());
        match checks.into_iter().find(|(_, good, _)| !good) {
            None => ports::check(&self).map(|()| self),
            Some((key, _, value)) => Err(ConfigError::Value {
                value,
                expected: expected(&key).unwrap_or_default(),
                key,
            }),
        }
    }
}

/// Whether it is the address of a server this program can talk to. Not `https`: the client is
/// built without TLS, and such an address would only fail at the first call.
fn is_server(url: &str) -> bool {
    url.parse::<axum::http::Uri>().is_ok_and(|uri| {
        uri.scheme_str() == Some("http") && uri.host().is_some_and(|host| !host.is_empty())
    })
}

/// Whether each directive sets a level, everywhere or in this program. The filter itself takes
/// any other word for the name of a target, and would then say nothing at all, errors included.
fn are_levels(directives: &str) -> bool {
    let is_level = |text: &str| {
        ["error", "warn", "info", "debug", "trace", "off"]
            .iter()
            .any(|level| text.eq_ignore_ascii_case(level))
    };
    directives
        .split(',')
        .map(str::trim)
        .all(|directive| match directive.split_once('=') {
            None => is_level(directive),
            Some((target, level)) => {
                let own = target.strip_prefix("tfps");
                own.is_some_and(|rest| rest.is_empty() || rest.starts_with("::")) && is_level(level)
            }
        })
}

/// The value of a key as it was given; not a password.
fn shown(config: &Config, key: &str) -> String {
    if key == "store.password" {
        return "***".to_owned();
    }
    config
        .get::<config::Value>(key)
        .map(|value| value.kind.to_string())
        .unwrap_or_default()
}

/// The environment's `TFPS_SECTION__KEY`. Other variables that begin with `TFPS_` (such as
/// `TFPS_CACHE`, or what a container system sets for a service called `tfps-http`) are not
/// configuration, unless they are a key with one underscore too few: that is a slip.
fn section_keys(
    variables: impl Iterator<Item = (String, String)>,
) -> Result<config::Map<String, String>, ConfigError> {
    let mut found = config::Map::new();
    for (name, value) in variables.filter(|(name, _)| name.starts_with("TFPS_")) {
        if name.contains("__") {
            found.insert(name, value);
            continue;
        }
        let variable = |key: &str, between| {
            format!(
                "TFPS_{}",
                key.replacen('.', between, 1).to_ascii_uppercase()
            )
        };
        if let Some((key, _)) = KEYS.iter().find(|(key, _)| variable(key, "_") == name) {
            return Err(ConfigError::Variable {
                found: name,
                meant: variable(key, "__"),
            });
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
