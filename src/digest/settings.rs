//! `[digest]` of the configuration.

use crate::domain::DigestAlgorithm;
use serde::Deserialize;

/// `[digest]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DigestSettings {
    /// Seconds until the nonce of a challenge is stale.
    pub nonce_secs: u32,
    /// Algorithms offered, the preferred first; clients take the first they know. MD5 comes first
    /// unless told otherwise, as many look at nothing else: see [the room](super).
    pub algorithms: Algorithms,
    /// Nonces whose counts are remembered, at most, some 50 bytes each. With more in use, the
    /// oldest are stale before their time.
    pub max_nonces: usize,
}

/// One or more algorithms, each once: a list, or a text with commas as the environment has it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "ListOrText")]
pub struct Algorithms(pub Vec<DigestAlgorithm>);

#[derive(Deserialize)]
#[serde(untagged)]
enum ListOrText {
    List(Vec<String>),
    Text(String),
}

impl TryFrom<ListOrText> for Algorithms {
    type Error = &'static str;

    fn try_from(given: ListOrText) -> Result<Self, &'static str> {
        const EXPECTED: &str = "expected SHA-256, MD5 or both, each once";
        let names = match given {
            ListOrText::List(names) => names,
            ListOrText::Text(text) => text.split(',').map(|n| n.trim().to_owned()).collect(),
        };
        let mut algorithms = Vec::new();
        for name in names {
            let algorithm = name.parse().map_err(|_| EXPECTED)?;
            if algorithms.contains(&algorithm) {
                return Err(EXPECTED);
            }
            algorithms.push(algorithm);
        }
        if algorithms.is_empty() {
            return Err(EXPECTED);
        }
        Ok(Self(algorithms))
    }
}

impl Default for DigestSettings {
    fn default() -> Self {
        Self {
            nonce_secs: 300,
            algorithms: Algorithms(vec![DigestAlgorithm::Md5, DigestAlgorithm::Sha256]),
            max_nonces: 262_144,
        }
    }
}
