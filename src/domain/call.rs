//! A call that asks whether it may go on.

use super::Signs;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use uuid::Uuid;

/// Which door the call came in by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Ingress {
    /// 9090: a customer waits for the answer.
    Prevention,
    /// 9091: a forked copy; the answer must change nothing.
    Detection,
    /// The web service.
    Web,
    /// The honeypot listener.
    Honeypot,
    /// A file of calls, under the file's own time.
    Import,
}

impl Ingress {
    /// As stored in ClickHouse.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Prevention => "prevention",
            Self::Detection => "detection",
            Self::Web => "web",
            Self::Honeypot => "honeypot",
            Self::Import => "import",
        }
    }

    /// Whether the decision is only recorded, never acted upon.
    #[must_use]
    pub const fn is_shadow(self) -> bool {
        matches!(self, Self::Detection | Self::Honeypot | Self::Import)
    }

    /// Whether an approved call uses up quota.
    ///
    /// A forked copy does not: the call it is a copy of may be counted already, and looking must
    /// change nothing that blocks. A file of calls does, in the counters of the process that reads
    /// it, which nobody else shares: so it shows what the policy would have refused.
    #[must_use]
    pub const fn uses_quota(self) -> bool {
        matches!(self, Self::Prevention | Self::Web | Self::Import)
    }
}

/// One INVITE, as the edges hand it to `decide`: every default applied, nothing optional
/// that must be present.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CallAttempt {
    /// Identity of the row. From SIP: a keyed hash of the transaction, so that a retransmission
    /// has the same; from a file: a hash of what the row says.
    pub id: Uuid,
    /// The door it came in by.
    pub ingress: Ingress,
    /// SIP Call-ID, or the file's `call_id`; may be empty.
    pub call_id: String,
    /// Address of the peer that asks: the packet's source, or `source_ip` of a file.
    pub peer: IpAddr,
    /// Address of the customer's own device (`P-Received`, else the peer).
    pub source_ip: IpAddr,
    /// User part of From, or the file's `user`: the caller, ANI.
    pub user: String,
    /// Host part of From, lower case, without port.
    pub domain: String,
    /// `X-TFPS: user@domain`: whose policy applies, when the peer says so.
    pub policy_user: Option<(String, String)>,
    /// The dialled string as sent (user part of the Request-URI, unescaped).
    pub dialed: String,
    /// User-Agent of the customer's device (`P-UA`, else the message's); empty: none sent.
    pub user_agent: String,
    /// Calls this customer has up now (`P-Calls`); `None`: unknown.
    pub concurrent: Option<u32>,
    /// What the message itself looks like; none for calls that came as no SIP message.
    pub signs: Signs,
}

/// A call as the edges hand it in: what is asked, and what the peer shows of who he is.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// The call.
    pub attempt: CallAttempt,
    /// Answer to a digest challenge; `None`: none was sent. Never stored.
    pub proof: Option<Proof>,
    /// The domain for which a token of the REST API speaks that came along; nothing else is
    /// asked for then. `None`: none did.
    pub vouched: Option<String>,
}

/// Digest credentials as they came (RFC 8760, RFC 7616); nothing about them is checked yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Proof {
    /// Method of the request they came with: `INVITE`, `GET`.
    pub method: &'static str,
    /// Values of its Authorization headers; one that names our nonce is meant.
    pub authorization: Vec<String>,
}

impl From<CallAttempt> for Asked {
    /// A call without credentials.
    fn from(attempt: CallAttempt) -> Self {
        Self {
            attempt,
            proof: None,
            vouched: None,
        }
    }
}
