//! A challenge as header values.

use crate::domain::Challenge;

/// Values of the `WWW-Authenticate` headers of a challenge, one per algorithm, the preferred
/// first (RFC 8760 section 2.3).
#[must_use]
pub fn headers(challenge: &Challenge) -> Vec<String> {
    let Challenge {
        realm,
        nonce,
        stale,
        algorithms,
    } = challenge;
    let realm = quoted(realm);
    let stale = if *stale { ", stale=true" } else { "" };
    let value = |algorithm: &str| {
        format!(
            "Digest realm=\"{realm}\", nonce=\"{nonce}\", qop=\"auth\", algorithm={algorithm}{stale}"
        )
    };
    algorithms.iter().map(|a| value(a.as_str())).collect()
}

/// The inside of a quoted string (RFC 3261 section 25.1). Domains hold neither quotation marks
/// nor backslashes; should one ever, it must not end the string.
fn quoted(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control() && !matches!(c, '"' | '\\'))
        .collect()
}
