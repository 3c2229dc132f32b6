//! Networks as people write them.

use ipnet::{IpNet, Ipv4Net};
use std::net::IpAddr;

/// A network, or an address as the network of just it; host bits are cleared. One of IPv4
/// addresses that are mapped into IPv6 (`::ffff:192.0.2.0/120`) is the IPv4 network: that is how
/// sources of packets are compared. `None`: neither.
#[must_use]
pub fn parse_network(text: &str) -> Option<IpNet> {
    let network = text.parse::<IpNet>();
    let network = network.or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    network.ok().map(|network| unmapped(network.trunc()))
}

fn unmapped(network: IpNet) -> IpNet {
    let IpNet::V6(net) = network else {
        return network;
    };
    let length = net.prefix_len().checked_sub(96);
    let mapped = net.addr().to_ipv4_mapped();
    mapped
        .zip(length)
        .and_then(|(address, length)| Ipv4Net::new(address, length).ok())
        .map_or(network, IpNet::V4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_form_for_each_network() {
        for (text, network) in [
            ("192.0.2.9", Some("192.0.2.9/32")),
            ("192.0.2.9/24", Some("192.0.2.0/24")),
            ("2001:db8::9/32", Some("2001:db8::/32")),
            ("::ffff:192.0.2.9/120", Some("192.0.2.0/24")),
            ("::ffff:192.0.2.9", Some("192.0.2.9/32")),
            ("::/0", Some("::/0")),
            ("192.0.2.0/33", None),
            ("here", None),
            ("", None),
        ] {
            let parsed = parse_network(text).map(|network| network.to_string());
            assert_eq!(parsed.as_deref(), network, "{text}");
        }
    }
}
