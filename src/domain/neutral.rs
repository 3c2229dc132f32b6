//! The final answers that leave a forked call alone, and who gets which.

use ipnet::IpNet;
use std::cmp::Reverse;
use std::net::IpAddr;
use std::sync::Arc;

/// A final answer to a forked copy, by how few codes of the real gateway it hides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub enum NeutralAnswer {
    /// 503 Service Unavailable, without Retry-After.
    #[default]
    #[serde(rename = "503")]
    ServiceUnavailable,
    /// 487 Request Terminated.
    #[serde(rename = "487")]
    RequestTerminated,
    /// 580 Precondition Failure.
    #[serde(rename = "580")]
    PreconditionFailure,
    /// 599.
    #[serde(rename = "599")]
    Unspecified,
    /// No answer at all: for raw mirrors.
    #[serde(rename = "silent")]
    Silent,
}

impl NeutralAnswer {
    /// As configured.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ServiceUnavailable => "503",
            Self::RequestTerminated => "487",
            Self::PreconditionFailure => "580",
            Self::Unspecified => "599",
            Self::Silent => "silent",
        }
    }
}

/// What forked copies are answered with, by the address they come from.
#[derive(Clone, Debug, Default)]
pub struct NeutralAnswers {
    default: NeutralAnswer,
    /// The smallest networks first.
    peers: Arc<[(IpNet, NeutralAnswer)]>,
}

impl NeutralAnswers {
    /// One for everybody, and others for networks; the smallest that holds an address counts.
    /// They are looked through one by one: networks of a configuration are few.
    #[must_use]
    pub fn new(
        default: NeutralAnswer,
        peers: impl IntoIterator<Item = (IpNet, NeutralAnswer)>,
    ) -> Self {
        let mut peers: Vec<_> = peers.into_iter().collect();
        peers.sort_by_key(|(network, _)| Reverse(network.prefix_len()));
        let peers = peers.into();
        Self { default, peers }
    }

    /// That of the peer with this address; an IPv4 address mapped into IPv6 counts as IPv4.
    #[must_use]
    pub fn of(&self, peer: IpAddr) -> NeutralAnswer {
        let peer = peer.to_canonical();
        let mut peers = self.peers.iter();
        let own = peers.find(|(network, _)| network.contains(&peer));
        own.map_or(self.default, |(_, answer)| *answer)
    }
}

impl From<NeutralAnswer> for NeutralAnswers {
    fn from(default: NeutralAnswer) -> Self {
        Self::new(default, [])
    }
}

/// As a text or, since most of them look like one, as a number.
impl<'de> serde::Deserialize<'de> for NeutralAnswer {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NeutralAnswerVisitor)
    }
}

struct NeutralAnswerVisitor;

impl serde::de::Visitor<'_> for NeutralAnswerVisitor {
    type Value = NeutralAnswer;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("503, 487, 580, 599 or \"silent\"")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<NeutralAnswer, E> {
        Ok(match text {
            "503" => NeutralAnswer::ServiceUnavailable,
            "487" => NeutralAnswer::RequestTerminated,
            "580" => NeutralAnswer::PreconditionFailure,
            "599" => NeutralAnswer::Unspecified,
            "silent" => NeutralAnswer::Silent,
            _ => return Err(E::invalid_value(serde::de::Unexpected::Str(text), &self)),
        })
    }

    fn visit_u64<E: serde::de::Error>(self, code: u64) -> Result<NeutralAnswer, E> {
        self.visit_str(&code.to_string())
    }

    fn visit_i64<E: serde::de::Error>(self, code: i64) -> Result<NeutralAnswer, E> {
        self.visit_str(&code.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_network_counts() {
        use NeutralAnswer::{RequestTerminated, ServiceUnavailable, Silent, Unspecified};
        let network = |text: &str| text.parse().expect("a network");
        let answers = NeutralAnswers::new(
            ServiceUnavailable,
            [
                (network("10.0.0.0/8"), RequestTerminated),
                (network("10.1.2.3/32"), Silent),
                (network("10.1.0.0/16"), ServiceUnavailable),
                (network("2001:db8::/32"), Unspecified),
            ],
        );
        for (peer, answer) in [
            ("192.0.2.1", ServiceUnavailable),
            ("10.9.9.9", RequestTerminated),
            ("10.1.2.4", ServiceUnavailable),
            ("10.1.2.3", Silent),
            ("::ffff:10.1.2.3", Silent),
            ("2001:db8::7", Unspecified),
            ("::", ServiceUnavailable),
        ] {
            let found = answers.of(peer.parse().expect("an address"));
            assert_eq!(found, answer, "{peer}");
        }
    }
}
