//! HTTP digest authentication as SIP uses it (RFC 7616, RFC 8760).

use crate::domain::Challenge;

/// Values of the `WWW-Authenticate` headers of a challenge, the strongest algorithm first.
#[must_use]
pub fn headers(challenge: &Challenge) -> Vec<String> {
    let Challenge {
        realm,
        nonce,
        stale,
    } = challenge;
    let stale = if *stale { ", stale=true" } else { "" };
    ["SHA-256", "MD5"]
        .iter()
        .map(|algorithm| {
            format!(
                "Digest realm=\"{realm}\", nonce=\"{nonce}\", qop=\"auth\", algorithm={algorithm}{stale}"
            )
        })
        .collect()
}
