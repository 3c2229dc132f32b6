//! `[detection]`: forked copies of anybody's calls.

use super::{TRANSACTIONS, loopback};
use crate::domain::{NeutralAnswer, NeutralAnswers, parse_network};
use ipnet::IpNet;
use serde::{Deserialize, Deserializer};
use std::collections::HashSet;
use std::net::SocketAddr;

/// `[detection]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DetectionSettings {
    /// Address, UDP and TCP port.
    pub listen: SocketAddr,
    /// Final answer to forked copies: 503, 487, 580, 599 or "silent".
    pub answer: NeutralAnswer,
    /// Who is answered otherwise.
    pub peers: Vec<NeutralPeer>,
    /// Answered INVITEs remembered for retransmissions, at most.
    pub max_transactions: usize,
}

/// `[[detection.peers]]`: an answer for those who send from a network. The smallest network that
/// holds the packet's source counts.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NeutralPeer {
    /// A network, or an address as the network of just it; host bits are cleared.
    #[serde(deserialize_with = "network")]
    pub network: IpNet,
    /// As `detection.answer`.
    pub answer: NeutralAnswer,
}

impl Default for DetectionSettings {
    fn default() -> Self {
        Self {
            listen: loopback(9091),
            answer: NeutralAnswer::default(),
            peers: Vec::new(),
            max_transactions: TRANSACTIONS,
        }
    }
}

impl DetectionSettings {
    /// Who is answered what.
    #[must_use]
    pub fn answers(&self) -> NeutralAnswers {
        let peers = self.peers.iter().map(|peer| (peer.network, peer.answer));
        NeutralAnswers::new(self.answer, peers)
    }

    /// Whether each network stands once: one of two answers would be passed over in silence.
    pub(super) fn checks(&self) -> Vec<(String, bool, String)> {
        let mut seen = HashSet::new();
        let peers = self.peers.iter().enumerate();
        peers
            .map(|(at, peer)| {
                let key = format!("detection.peers[{at}].network");
                (key, seen.insert(peer.network), peer.network.to_string())
            })
            .collect()
    }
}

fn network<'de, D: Deserializer<'de>>(deserializer: D) -> Result<IpNet, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_network(&text).ok_or_else(|| serde::de::Error::custom("no network"))
}
