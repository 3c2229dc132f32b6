//! `[honeypot]`: a listener that looks like a PBX; `[learned]`: what is made of its hits.

use super::loopback;
use crate::sip::Persona;
use serde::Deserialize;
use std::net::SocketAddr;

/// `[honeypot]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HoneypotSettings {
    /// Whether `tfps serve` has one.
    pub enabled: bool,
    /// Address, UDP and TCP port.
    pub listen: SocketAddr,
    /// Which PBX it claims to be: the Server header.
    pub server: String,
    /// The realm of its challenges.
    pub realm: String,
    /// Requests of one source that are answered in a second; others are not heard.
    pub per_second: u32,
}

/// `[learned]`
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LearnedSettings {
    /// What becomes of findings.
    pub mode: LearnedMode,
    /// Whose evidence lists by itself.
    pub evidence: LearnedEvidence,
}

/// What becomes of what there is enough evidence against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LearnedMode {
    /// Nothing is learned.
    Off,
    /// Everything is proposed, nothing listed.
    Audit,
    /// What may be is listed.
    #[default]
    Enforce,
}

/// Whose evidence is enough without a person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LearnedEvidence {
    /// The honeypot's alone: what needs other evidence is proposed.
    #[default]
    Honeypot,
    /// All of it together.
    All,
}

impl Default for HoneypotSettings {
    fn default() -> Self {
        Self {
            enabled: false,
            listen: loopback(5060),
            server: "FPBX-16.0.40.7(18.20.2)".into(),
            realm: "asterisk".into(),
            per_second: 20,
        }
    }
}

impl HoneypotSettings {
    /// Who it claims to be.
    #[must_use]
    pub fn persona(&self) -> Persona {
        Persona {
            server: self.server.clone(),
            realm: self.realm.clone(),
            per_second: self.per_second,
        }
    }

    pub(super) fn checks(&self) -> [(&'static str, bool, String); 3] {
        // They stand in headers, the realm in a quoted string.
        let is_plain = |text: &str| {
            (1..=64).contains(&text.len())
                && text
                    .bytes()
                    .all(|b| matches!(b, b' '..=b'~') && b != b'"' && b != b'\\')
        };
        [
            (
                "honeypot.server",
                is_plain(&self.server),
                self.server.clone(),
            ),
            ("honeypot.realm", is_plain(&self.realm), self.realm.clone()),
            (
                "honeypot.per_second",
                (1..=10_000).contains(&self.per_second),
                self.per_second.to_string(),
            ),
        ]
    }
}
