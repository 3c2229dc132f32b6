//! From what a link carries to IP.

use super::Broken;
use etherparse::{IpNumber, IpSlice, Ipv6ExtensionSlice};
use pcap_parser::Linktype;
use std::net::IpAddr;

/// Protocol number of UDP.
pub(super) const UDP: u8 = 17;
/// Protocol number of TCP.
pub(super) const TCP: u8 = 6;

/// Tags of virtual networks looked through.
const TAGS: usize = 4;

/// An IP packet, whole or a fragment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ip<'a> {
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    pub(super) protocol: u8,
    pub(super) fragment: Option<Fragment>,
    pub(super) payload: &'a [u8],
}

/// Where a fragment belongs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fragment {
    pub(super) id: u32,
    pub(super) offset: etherparse::IpFragOffset,
    pub(super) more: bool,
}

/// The IP packet in a captured one; `None`: something else (ARP and the like), or neither UDP
/// nor TCP.
pub(super) fn ip(link: Linktype, data: &[u8]) -> Result<Option<Ip<'_>>, Broken> {
    let carried = match link {
        Linktype::ETHERNET => ether(data, 12)?,
        // <https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL.html>: 16 bytes, protocol last.
        Linktype::LINUX_SLL => ether(data, 14)?,
        // <https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL2.html>: 20 bytes, protocol first.
        Linktype(276) => match (data.get(..2), data.get(20..)) {
            (Some([high, low]), Some(rest)) => ether_type(u16::from_be_bytes([*high, *low]), rest)?,
            _ => return Err(Broken::Cut),
        },
        // An address family in the order of bytes of the capturing machine.
        Linktype::NULL | Linktype::LOOP => data.get(4..).map(Some).ok_or(Broken::Cut)?,
        // Raw IP; 12 and 14 are what some systems call it.
        Linktype(12 | 14 | 101 | 228 | 229) => Some(data),
        _ => return Err(Broken::Link),
    };
    match carried {
        None => Ok(None),
        Some(bytes) => parse(bytes),
    }
}

/// What stands behind an EtherType at a place, if it is IP.
fn ether(data: &[u8], at: usize) -> Result<Option<&[u8]>, Broken> {
    match (data.get(at..at + 2), data.get(at + 2..)) {
        (Some([high, low]), Some(rest)) => ether_type(u16::from_be_bytes([*high, *low]), rest),
        _ => Err(Broken::Cut),
    }
}

fn ether_type(mut kind: u16, mut rest: &[u8]) -> Result<Option<&[u8]>, Broken> {
    for _ in 0..=TAGS {
        match kind {
            0x0800 | 0x86dd => return Ok(Some(rest)),
            // IEEE 802.1Q and 802.1ad.
            0x8100 | 0x88a8 | 0x9100 => match (rest.get(2..4), rest.get(4..)) {
                (Some([high, low]), Some(after)) => {
                    kind = u16::from_be_bytes([*high, *low]);
                    rest = after;
                }
                _ => return Err(Broken::Cut),
            },
            _ => return Ok(None),
        }
    }
    Ok(None)
}

fn parse(bytes: &[u8]) -> Result<Option<Ip<'_>>, Broken> {
    let ip = IpSlice::from_slice(bytes).map_err(|_| Broken::Cut)?;
    let payload = ip.payload();
    if !matches!(payload.ip_number, IpNumber::UDP | IpNumber::TCP) {
        return Ok(None);
    }
    let fragment = match &ip {
        IpSlice::Ipv4(v4) => payload.fragmented.then(|| Fragment {
            id: u32::from(v4.header().identification()),
            offset: v4.header().fragments_offset(),
            more: v4.header().more_fragments(),
        }),
        IpSlice::Ipv6(v6) => {
            v6.extensions()
                .clone()
                .into_iter()
                .find_map(|extension| match extension {
                    Ipv6ExtensionSlice::Fragment(header) if header.is_fragmenting_payload() => {
                        Some(Fragment {
                            id: header.identification(),
                            offset: header.fragment_offset(),
                            more: header.more_fragments(),
                        })
                    }
                    _ => None,
                })
        }
    };
    Ok(Some(Ip {
        source: ip.source_addr(),
        destination: ip.destination_addr(),
        protocol: payload.ip_number.0,
        fragment,
        payload: payload.payload,
    }))
}
