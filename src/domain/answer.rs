//! What the peer is told, before it is put into SIP or HTTP.

use super::{Code, NeutralAnswer};
use std::sync::Arc;

/// The answer to a checked INVITE.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// 302 with `Contact: <sip:CODEnumber@host>`.
    Redirect {
        /// The decision.
        code: Code,
        /// The number as normalised, or the dialled string when it is none.
        number: String,
        /// Host part of the Contact: the caller's domain.
        host: String,
        /// `P-TFPS-Score` and `P-TFPS-Reason`, for plans that see them.
        score: Option<ScoreHeaders>,
    },
    /// Decline mode: 503 lets the softswitch go on to its next gateway, 603 refuses.
    Decline(Code),
    /// Detection: a final answer that leaves the forked call alone.
    Neutral(NeutralAnswer),
    /// 401: a domain we serve, from an address it does not trust; prove who you are.
    Challenge(Challenge),
    /// 503 with Retry-After: more calls per second than the plan has. Not checked, not stored.
    Busy {
        /// Seconds.
        retry_after: u32,
    },
    /// 403, with nothing about why: nobody we serve.
    Forbidden,
}

impl Answer {
    /// The decision it tells; `None`: it tells none.
    #[must_use]
    pub const fn decision(&self) -> Option<Code> {
        match self {
            Self::Redirect { code, .. } | Self::Decline(code) => Some(*code),
            Self::Neutral(_) | Self::Challenge(_) | Self::Busy { .. } | Self::Forbidden => None,
        }
    }
}

/// A digest challenge (RFC 7616 section 3.3), before it is put into headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// The domain that is asked for.
    pub realm: String,
    /// Ours to recognise: needs no memory, and expires.
    pub nonce: String,
    /// The credentials were right but for an expired or used nonce: ask nobody for a password.
    pub stale: bool,
    /// What is offered, the preferred first.
    pub algorithms: Arc<[DigestAlgorithm]>,
}

/// A hash of digest authentication (RFC 7616 section 6.1, RFC 8760).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DigestAlgorithm {
    /// SHA-256.
    Sha256,
    /// MD5: what every client has.
    Md5,
}

impl DigestAlgorithm {
    /// As it stands on the wire and in the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "SHA-256",
            Self::Md5 => "MD5",
        }
    }
}

impl std::str::FromStr for DigestAlgorithm {
    type Err = UnknownAlgorithm;

    fn from_str(text: &str) -> Result<Self, UnknownAlgorithm> {
        [Self::Sha256, Self::Md5]
            .into_iter()
            .find(|algorithm| algorithm.as_str().eq_ignore_ascii_case(text))
            .ok_or(UnknownAlgorithm)
    }
}

/// An algorithm that is none of SHA-256 and MD5.
#[derive(Debug, thiserror::Error)]
#[error("expected SHA-256 or MD5")]
pub struct UnknownAlgorithm;

/// What the score headers say.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoreHeaders {
    /// Probability of fraud, 0 to 1.
    pub score: f32,
    /// Tags of the contributions that raised it, comma-separated; may be empty.
    pub reasons: String,
}
