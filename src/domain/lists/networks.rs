//! Networks by longest prefix.

use super::Entry;
use crate::domain::Timestamp;
use ipnet::IpNet;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

/// Networks, IPv4 and IPv6. A look-up costs one hash probe per prefix length in use (at most 33
/// and 129), whatever the number of entries.
#[derive(Clone, Debug, Default)]
pub struct NetworkList(Arc<Networks>);

#[derive(Clone, Debug, Default)]
struct Networks {
    entries: HashMap<IpNet, Entry>,
    /// Lengths in use, longest first.
    v4_lengths: Vec<u8>,
    v6_lengths: Vec<u8>,
}

impl NetworkList {
    /// Lists a network; host bits are ignored.
    pub fn insert(&mut self, network: IpNet, entry: Entry) {
        let network = network.trunc();
        let own = Arc::make_mut(&mut self.0);
        let lengths = match network {
            IpNet::V4(_) => &mut own.v4_lengths,
            IpNet::V6(_) => &mut own.v6_lengths,
        };
        if let Err(at) = lengths.binary_search_by(|l| network.prefix_len().cmp(l)) {
            lengths.insert(at, network.prefix_len());
        }
        own.entries.insert(network, entry);
    }

    /// The live entry of the smallest network that holds `address`. An IPv4 address
    /// mapped into IPv6 counts as IPv4.
    #[must_use]
    pub fn find(&self, address: IpAddr, now: Timestamp) -> Option<(IpNet, &Entry)> {
        let address = address.to_canonical();
        let lengths = match address {
            IpAddr::V4(_) => &self.0.v4_lengths,
            IpAddr::V6(_) => &self.0.v6_lengths,
        };
        lengths.iter().find_map(|&length| {
            let network = IpNet::new(address, length).ok()?.trunc();
            let entry = self.0.entries.get(&network)?;
            entry.is_live(now).then_some((network, entry))
        })
    }

    /// How many entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.entries.len()
    }

    /// Whether nothing is listed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
