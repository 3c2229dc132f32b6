//! The configuration: each module's own settings, composed.
//!
//! Read from a TOML file (none needed), then from the environment: `TFPS_SECTION__KEY` goes before
//! the file. Unknown keys are refused. Checking needs no network.

use crate::domain::NeutralAnswer;
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
    /// Log lines.
    pub log: LogSettings,
}

/// `[prevention]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PreventionSettings {
    /// Address and UDP port. Loopback by default: a softswitch elsewhere must be trusted first.
    pub listen: SocketAddr,
    /// Answered INVITEs remembered for retransmissions, at most.
    pub max_transactions: usize,
}

/// `[detection]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DetectionSettings {
    /// Address and UDP port.
    pub listen: SocketAddr,
    /// Final answer to forked copies: "503", "487", "580", "599" or "silent".
    pub answer: NeutralAnswer,
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
    /// Tracks kept at most, about 70 bytes each; a caller has some fifteen.
    pub max_tracks: usize,
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
            max_transactions: TRANSACTIONS,
        }
    }
}

impl Default for DetectionSettings {
    fn default() -> Self {
        Self {
            listen: loopback(9091),
            answer: NeutralAnswer::default(),
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
    /// A key is unknown or its value not of its type.
    #[error("configuration key `{key}`: {message}")]
    Key {
        /// Dotted path of the key.
        key: String,
        /// The value and what was expected.
        message: String,
    },
    /// A value is of its type and out of range.
    #[error("configuration key `{key}`: {value} is out of range, expected {expected}")]
    Range {
        /// Dotted path of the key.
        key: &'static str,
        /// What was given.
        value: String,
        /// What would do.
        expected: &'static str,
    },
}

impl Settings {
    /// From a file, when one is given, and the environment.
    ///
    /// # Errors
    /// The first thing wrong, with its key.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let environment = Environment::with_prefix("TFPS")
            .prefix_separator("_")
            .separator("__")
            // Not parsed here: each value is read as its key's type, so that a password of digits
            // stays as it was written.
            .try_parsing(false)
            .source(Some(section_keys()));
        let mut builder = Config::builder();
        if let Some(path) = file {
            builder = builder.add_source(File::from(path).format(FileFormat::Toml));
        }
        let config = builder
            .add_source(environment)
            .build()
            .map_err(|error| ConfigError::Source(Box::new(error)))?;
        let settings: Self = serde_path_to_error::deserialize(config).map_err(|error| {
            let key = error.path().to_string();
            let message = error.into_inner().to_string();
            ConfigError::Key { key, message }
        })?;
        settings.check()
    }

    fn check(self) -> Result<Self, ConfigError> {
        let at_least = |key, value: u64, least: u64, expected| {
            if value >= least {
                Ok(())
            } else {
                Err(ConfigError::Range {
                    key,
                    value: value.to_string(),
                    expected,
                })
            }
        };
        at_least("spool.max_mib", self.spool.max_mib, 128, "at least 128")?;
        at_least(
            "features.max_tracks",
            self.features.max_tracks as u64,
            10_000,
            "at least 10000",
        )?;
        at_least(
            "embedded.sessions",
            self.embedded.sessions as u64,
            2,
            "at least 2",
        )?;
        let transactions = [
            (
                "prevention.max_transactions",
                self.prevention.max_transactions,
            ),
            (
                "detection.max_transactions",
                self.detection.max_transactions,
            ),
        ];
        for (key, value) in transactions {
            at_least(key, value as u64, 1_024, "at least 1024")?;
        }
        if !self.embedded.listen.ip().is_loopback() {
            return Err(ConfigError::Range {
                key: "embedded.listen",
                value: self.embedded.listen.to_string(),
                expected: "a loopback address, as the engine asks for no password",
            });
        }
        Ok(self)
    }
}

/// The environment's `TFPS_SECTION__KEY`; other variables that begin with `TFPS_` (such as
/// `TFPS_CACHE`) have no `__` and are not configuration.
fn section_keys() -> config::Map<String, String> {
    std::env::vars_os()
        .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(key, _)| key.starts_with("TFPS_") && key.contains("__"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn load(toml: &str) -> Result<Settings, ConfigError> {
        let mut file = tempfile::NamedTempFile::new().expect("file");
        file.write_all(toml.as_bytes()).expect("written");
        Settings::load(Some(file.path()))
    }

    #[test]
    fn nothing_is_needed() {
        let settings = load("").expect("loads");
        assert_eq!(settings.prevention.listen, loopback(9090));
        assert_eq!(settings.detection.answer, NeutralAnswer::ServiceUnavailable);
    }

    #[test]
    fn an_unknown_key_is_refused_in_every_section() {
        for section in [
            "prevention",
            "detection",
            "http",
            "store",
            "embedded",
            "spool",
            "features",
            "geo",
            "log",
        ] {
            let error = load(&format!("[{section}]\nnonsense = 1\n")).expect_err(section);
            assert!(error.to_string().contains("nonsense"), "{section}: {error}");
        }
        let error = load("[nonsense]\n").expect_err("section").to_string();
        assert!(error.contains("nonsense"), "{error}");
    }

    #[test]
    fn a_wrong_value_names_its_key() {
        for (toml, key) in [
            ("[prevention]\nlisten = \"nowhere\"\n", "prevention.listen"),
            ("[detection]\nanswer = \"200\"\n", "detection.answer"),
            ("[spool]\nmax_mib = \"much\"\n", "spool.max_mib"),
            ("[spool]\nmax_mib = 1\n", "spool.max_mib"),
            (
                "[embedded]\nlisten = \"192.0.2.1:8123\"\n",
                "embedded.listen",
            ),
        ] {
            let error = load(toml).expect_err(toml).to_string();
            assert!(error.contains(key), "{toml}: {error}");
        }
    }
}
