//! The configuration: each module's own settings, composed.
//!
//! Read from a TOML file (none needed), then from the environment: `TFPS_SECTION__KEY` goes before
//! the file. Unknown keys are refused. Checking needs no network.

mod detection;
mod ports;
mod transport;

pub use detection::{DetectionSettings, NeutralPeer};
pub use transport::{ConnectionSettings, TlsSettings};

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

/// Every key, and what it takes.
const KEYS: [(&str, &str); 35] = [
    (
        "prevention.listen",
        "an address, UDP and TCP port, e.g. 127.0.0.1:9090",
    ),
    (
        "prevention.tls_listen",
        "an address and TCP port, e.g. 127.0.0.1:9093",
    ),
    ("prevention.max_transactions", "a number, at least 1024"),
    (
        "detection.listen",
        "an address, UDP and TCP port, e.g. 127.0.0.1:9091",
    ),
    ("detection.answer", "503, 487, 580, 599 or silent"),
    (
        "detection.peers",
        "tables [[detection.peers]], each with network and answer; in a file only",
    ),
    (
        "detection.peers[].network",
        "a network or an address that stands in no other of these tables, e.g. 192.0.2.0/24",
    ),
    ("detection.peers[].answer", "503, 487, 580, 599 or silent"),
    ("detection.max_transactions", "a number, at least 1024"),
    ("digest.nonce_secs", "a number of seconds, 1 to 86400"),
    (
        "digest.algorithms",
        "SHA-256, MD5 or both, the preferred first",
    ),
    ("digest.max_nonces", "a number, at least 1024"),
    (
        "tls.certificate",
        "the path of a PEM file with the server's certificate, as tls.key has its key",
    ),
    (
        "tls.key",
        "the path of a PEM file with the private key of tls.certificate",
    ),
    (
        "tls.client_ca",
        "the path of a PEM file with certificates of authorities",
    ),
    ("connections.max", "a number, 4 to 1000000"),
    ("connections.max_per_source", "a number, 1 to 1000000"),
    ("connections.idle_secs", "seconds, 1 to 86400"),
    ("connections.message_secs", "seconds, 1 to 86400"),
    ("connections.write_secs", "seconds, 1 to 86400"),
    (
        "http.listen",
        "an address and TCP port, e.g. 127.0.0.1:8080",
    ),
    ("store.url", "http://HOST:PORT, e.g. http://10.0.0.5:8123"),
    ("store.user", "a text"),
    ("store.password", "a text"),
    ("store.database", "a text"),
    (
        "embedded.listen",
        "a loopback address and TCP port, e.g. 127.0.0.1:8123, as the engine asks for no password",
    ),
    ("embedded.libchdb", "the path of libchdb.so"),
    ("embedded.sessions", "a number, at least 2"),
    ("spool.max_mib", "a number, at least 128"),
    ("spool.sync_ms", "a number, at least 0"),
    ("features.max_tracks", "a number, at least 10000"),
    ("geo.enabled", "true or false"),
    ("geo.database", "the path of a MaxMind DB file"),
    (
        "log.level",
        "error, warn, info, debug, trace or off, or a list such as info,tfps::ship=debug",
    ),
    ("log.json", "true or false"),
];

/// What a key takes; `None`: there is no such key. Of a list of tables, whichever of them:
/// `detection.peers[0].answer`.
pub(crate) fn expected(key: &str) -> Option<&'static str> {
    let general = match (key.find('['), key.find(']')) {
        (Some(from), Some(to)) if from < to => format!("{}[]{}", &key[..from], &key[to + 1..]),
        _ => key.to_owned(),
    };
    let known = KEYS.iter().find(|(known, _)| *known == general);
    known.map(|(_, expected)| *expected)
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
                "log.level",
                are_levels(&self.log.level),
                self.log.level.clone(),
            ),
        ];
        let checks = checks
            .into_iter()
            .chain(self.tls.checks())
            .chain(self.connections.checks())
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
mod tests {
    use super::*;
    use crate::domain::NeutralAnswer;
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
            "tls",
            "connections",
            "digest",
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

    fn from_environment(variables: &[(&str, &str)]) -> Result<Settings, ConfigError> {
        let owned = |&(key, value): &(&str, &str)| (key.to_owned(), value.to_owned());
        Settings::from_sources(None, variables.iter().map(owned))
    }

    #[test]
    fn a_wrong_value_is_told_with_its_key_and_what_was_expected() {
        for (section, line, value) in [
            ("prevention", "listen", "nowhere"),
            ("prevention", "max_transactions", "7"),
            ("detection", "answer", "200"),
            ("detection", "answer", "true"),
            ("digest", "nonce_secs", "0"),
            ("digest", "nonce_secs", "86401"),
            ("digest", "algorithms", "SHA-1"),
            ("digest", "algorithms", ""),
            ("digest", "algorithms", "MD5,md5"),
            ("digest", "max_nonces", "1023"),
            ("store", "url", "nonsense"),
            ("store", "url", "ftp://10.0.0.5"),
            ("store", "url", "http://"),
            ("embedded", "listen", "192.0.2.1:8123"),
            ("prevention", "tls_listen", "9093"),
            ("connections", "max", "3"),
            ("connections", "max_per_source", "0"),
            ("connections", "idle_secs", "forever"),
            ("connections", "message_secs", "0"),
            ("connections", "write_secs", "86401"),
            ("spool", "max_mib", "much"),
            ("spool", "max_mib", "1"),
            ("geo", "enabled", "perhaps"),
            ("log", "level", "warning"),
            ("log", "level", "verbose"),
            ("log", "level", "info,"),
            ("log", "level", "info,ship=debug"),
            ("log", "level", "info,tfps::ship=loud"),
        ] {
            let key = format!("{section}.{line}");
            let text = load(&format!("[{section}]\n{line} = \"{value}\"\n"))
                .expect_err(&key)
                .to_string();
            let variable = format!("TFPS_{section}__{line}").to_uppercase();
            let from_environment = from_environment(&[(&variable, value)])
                .expect_err(&key)
                .to_string();
            assert_eq!(text, from_environment);
            let expected = expected(&key).expect("a key");
            for part in [&format!("`{key}`"), &format!("`{value}`"), expected] {
                assert!(text.contains(part), "{part}: {text}");
            }
        }
    }

    #[test]
    fn values_of_the_environment_are_what_their_keys_say() {
        let settings = from_environment(&[
            ("TFPS_STORE__PASSWORD", "0123"),
            ("TFPS_STORE__USER", "true"),
            ("TFPS_STORE__URL", "http://[2001:db8::1]:8123"),
            ("TFPS_DETECTION__ANSWER", "487"),
            ("TFPS_SPOOL__MAX_MIB", "256"),
            ("TFPS_LOG__JSON", "true"),
            ("TFPS_LOG__LEVEL", "WARN,tfps::ship=debug"),
            ("TFPS_EMBEDDED__LIBCHDB", "7"),
            ("TFPS_CACHE", "anywhere"),
            ("TFPS_HTTP_PORT_8080_TCP", "tcp://10.0.0.1:8080"),
        ])
        .expect("loads");
        assert_eq!(settings.store.password, "0123");
        assert_eq!(settings.store.user, "true");
        assert_eq!(settings.detection.answer, NeutralAnswer::RequestTerminated);
        assert_eq!(settings.spool.max_mib, 256);
        assert!(settings.log.json);
        assert_eq!(settings.embedded.libchdb, Some("7".into()));
    }

    #[test]
    fn certificate_and_key_are_given_together() {
        for (toml, key) in [
            ("certificate = \"c.pem\"", "`tls.key`: `(absent)`"),
            ("key = \"k.pem\"", "`tls.certificate`: `(absent)`"),
            ("client_ca = \"ca.pem\"", "`tls.certificate`: `(absent)`"),
        ] {
            let error = load(&format!("[tls]\n{toml}\n")).expect_err(toml);
            assert!(error.to_string().contains(key), "{error}");
        }
        load("[tls]\ncertificate = \"c.pem\"\nkey = \"k.pem\"\n").expect("both");
    }

    #[test]
    fn the_answer_may_be_a_number() {
        for (toml, answer) in [
            ("487", NeutralAnswer::RequestTerminated),
            ("\"599\"", NeutralAnswer::Unspecified),
            ("\"silent\"", NeutralAnswer::Silent),
        ] {
            let settings = load(&format!("[detection]\nanswer = {toml}\n")).expect(toml);
            assert_eq!(settings.detection.answer, answer);
        }
    }

    #[test]
    fn each_peer_of_detection_may_have_its_answer() {
        let toml = "[detection]\nanswer = 599\n\
                    [[detection.peers]]\nnetwork = \"192.0.2.7/24\"\nanswer = \"silent\"\n\
                    [[detection.peers]]\nnetwork = \"::ffff:192.0.2.9\"\nanswer = 487\n";
        let settings = load(toml).expect("loads");
        let answers = settings.detection.answers();
        for (peer, answer) in [
            ("192.0.2.8", NeutralAnswer::Silent),
            ("192.0.2.9", NeutralAnswer::RequestTerminated),
            ("192.0.3.1", NeutralAnswer::Unspecified),
        ] {
            assert_eq!(answers.of(peer.parse().expect("address")), answer, "{peer}");
        }
        let mut file = tempfile::NamedTempFile::new().expect("file");
        file.write_all(toml.as_bytes()).expect("written");
        let variable = ("TFPS_DETECTION__ANSWER".to_owned(), "580".to_owned());
        let settings = Settings::from_sources(Some(file.path()), std::iter::once(variable));
        let detection = settings.expect("loads").detection;
        assert_eq!(detection.answer, NeutralAnswer::PreconditionFailure);
        assert_eq!(detection.peers.len(), 2, "the peers stay the file's");
    }

    #[test]
    fn a_wrong_peer_of_detection_is_told_with_its_place() {
        let good = "[[detection.peers]]\nnetwork = \"10.0.0.0/8\"\nanswer = 487\n";
        for (wrong, parts) in [
            (
                "network = \"10.0.0.0/8\"\nanswer = 200",
                ["`detection.peers[1].answer`: `200`", "503, 487"],
            ),
            (
                "network = \"nowhere\"\nanswer = 487",
                ["`detection.peers[1].network`: `nowhere`", "192.0.2.0/24"],
            ),
            (
                "network = \"10.9.0.0/8\"\nanswer = 487",
                ["`detection.peers[1].network`: `10.0.0.0/8`", "no other"],
            ),
            ("answer = 487", ["`detection.peers[1]`", "network"]),
            (
                "network = \"11.0.0.0/8\"\nanswer = 487\nport = 1",
                ["`detection.peers[1].port`", "unknown field"],
            ),
        ] {
            let error = load(&format!("{good}[[detection.peers]]\n{wrong}\n"));
            let error = error.expect_err(wrong).to_string();
            for part in parts {
                assert!(error.contains(part), "{part}: {error}");
            }
        }
        let error = from_environment(&[("TFPS_DETECTION__PEERS", "10.0.0.0/8")]);
        let error = error.expect_err("a text").to_string();
        assert!(error.contains("`detection.peers`: `10.0.0.0/8`"), "{error}");
    }

    #[test]
    fn algorithms_are_a_list_or_a_text() {
        use crate::domain::DigestAlgorithm::{Md5, Sha256};
        for (toml, algorithms) in [
            ("[\"MD5\"]", &[Md5][..]),
            ("[\"MD5\", \"sha-256\"]", &[Md5, Sha256]),
            ("\"SHA-256, MD5\"", &[Sha256, Md5]),
        ] {
            let settings = load(&format!("[digest]\nalgorithms = {toml}\n")).expect(toml);
            assert_eq!(settings.digest.algorithms.0, algorithms);
        }
        let settings = from_environment(&[("TFPS_DIGEST__ALGORITHMS", "MD5")]).expect("loads");
        assert_eq!(settings.digest.algorithms.0, [Md5]);
    }

    #[test]
    fn one_underscore_too_few_is_not_ignored() {
        let error = from_environment(&[("TFPS_STORE_URL", "http://10.0.0.5:8123")])
            .expect_err("a slip")
            .to_string();
        assert!(error.contains("TFPS_STORE__URL"), "{error}");
    }

    #[test]
    fn the_page_of_the_configuration_has_every_key_and_no_other() {
        let page = include_str!("../docs/configuration.md");
        let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
        let mut told: Vec<_> = rows
            .map(|row| {
                let (key, rest) = row.split_once("` | ").expect("a key");
                let (default, meaning) = rest.split_once(" | ").expect("a default");
                assert!(!default.is_empty() && meaning.len() > 10, "{key}");
                key
            })
            .collect();
        told.sort_unstable();
        let mut keys = KEYS.map(|(key, _)| key);
        keys.sort_unstable();
        assert_eq!(told, keys);
    }

    #[test]
    fn the_table_of_keys_has_them_all() {
        for section in [
            "prevention",
            "detection",
            "tls",
            "connections",
            "digest",
            "http",
            "store",
            "embedded",
            "spool",
            "features",
            "geo",
            "log",
        ] {
            let error = load(&format!("[{section}]\nnonsense = 1\n")).expect_err(section);
            let error = error.to_string();
            // "unknown field `nonsense`, expected one of `a`, `b`" or "expected `a`".
            let (_, listed) = error.split_once("expected ").expect("the keys there are");
            let listed = listed.split(" for key").next().unwrap_or_default();
            for key in listed.split('`').skip(1).step_by(2) {
                let key = format!("{section}.{key}");
                assert!(expected(&key).is_some(), "{key} is not in the table");
            }
        }
    }
}
