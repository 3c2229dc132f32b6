//! `[tls]` and `[connections]`: what streams need that datagrams do not.

use serde::Deserialize;
use std::path::PathBuf;

/// `[tls]`: SIP over TLS for prevention, once certificate and key are given.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TlsSettings {
    /// PEM file: the server's certificate, then those between it and its authority.
    pub certificate: Option<PathBuf>,
    /// PEM file: its private key.
    pub key: Option<PathBuf>,
    /// PEM file: authorities. When given, a client must show a certificate of one of them.
    pub client_ca: Option<PathBuf>,
}

/// `[connections]`: bounds of each listener for TCP, TLS and HTTP.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConnectionSettings {
    /// Connections of one listener; a quarter is kept for trusted peers. Each takes a file
    /// descriptor, of which many systems grant 1,024 to a process.
    pub max: usize,
    /// Connections of one source address (of one /64 network of IPv6) that no domain trusts.
    pub max_per_source: usize,
    /// Seconds of silence between two messages.
    pub idle_secs: u64,
    /// Seconds from the first byte of a message to its last; also for a TLS handshake.
    pub message_secs: u64,
    /// Seconds for a peer to take its answers.
    pub write_secs: u64,
}

impl Default for ConnectionSettings {
    fn default() -> Self {
        Self {
            max: 256,
            max_per_source: 64,
            // Longer than the 120 s between two keep-alives of RFC 5626 section 4.4.1.
            idle_secs: 180,
            message_secs: 10,
            write_secs: 5,
        }
    }
}

/// A key, whether its value does, and the value.
pub(super) type Checked = (&'static str, bool, String);

impl TlsSettings {
    /// Whether the files that are given do together; they are read later.
    pub(super) fn checks(&self) -> [Checked; 2] {
        let shown = |path: &Option<PathBuf>| match path {
            Some(path) => path.display().to_string(),
            None => "(absent)".to_owned(),
        };
        let is_used = self.key.is_some() || self.client_ca.is_some();
        [
            (
                "tls.certificate",
                self.certificate.is_some() || !is_used,
                shown(&self.certificate),
            ),
            (
                "tls.key",
                self.key.is_some() || self.certificate.is_none(),
                shown(&self.key),
            ),
        ]
    }
}

impl ConnectionSettings {
    pub(super) fn checks(&self) -> [Checked; 5] {
        /// A day: more is no bound.
        const SECS: std::ops::RangeInclusive<u64> = 1..=86_400;
        let secs = |key, value| (key, SECS.contains(&value), value.to_string());
        [
            (
                "connections.max",
                (4..=1_000_000).contains(&self.max),
                self.max.to_string(),
            ),
            (
                "connections.max_per_source",
                (1..=1_000_000).contains(&self.max_per_source),
                self.max_per_source.to_string(),
            ),
            secs("connections.idle_secs", self.idle_secs),
            secs("connections.message_secs", self.message_secs),
            secs("connections.write_secs", self.write_secs),
        ]
    }
}
