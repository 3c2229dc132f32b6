//! What can be listed.

use super::evidence::Keys;
use crate::domain::Number;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

/// Digits of a number within its block: blocks are handed out by the thousand.
const BLOCK: u32 = 3;
/// Fewest digits of a block: shorter ones would be whole areas.
const SHORTEST_BLOCK: u32 = 6;
/// Shortest user agent that may be listed, bytes: shorter ones say nothing.
const SHORTEST_AGENT: usize = 4;
/// Longest user agent that is looked at, bytes; its pattern must fit an entry of a list.
const LONGEST_AGENT: usize = 200;
const DAY: i64 = 86_400;

/// One thing evidence is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Subject {
    /// The address calls come from; of IPv6 its 64 bits of network, as who has one address there
    /// has them all. See [`Subject::host_of`].
    Address(IpNet),
    /// Its network: 24 bits of IPv4, 48 of IPv6.
    Network(IpNet),
    /// A called number.
    Number(Number),
    /// The thousand numbers it is one of, by what they begin with.
    Block(Number),
    /// A user agent, as sent.
    Agent(Arc<str>),
}

/// What kind of thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[expect(missing_docs, reason = "`Subject` says what each is")]
pub enum SubjectKind {
    Address,
    Network,
    Number,
    Block,
    Agent,
}

/// What it takes to be listed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Needs {
    /// Weight of all evidence together.
    pub weight: f32,
    /// Independent parties that say so.
    pub parties: usize,
    /// Different numbers of a block.
    pub numbers: usize,
}

impl SubjectKind {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Address,
        Self::Network,
        Self::Number,
        Self::Block,
        Self::Agent,
    ];

    /// In words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Network => "network",
            Self::Number => "number",
            Self::Block => "block",
            Self::Agent => "agent",
        }
    }

    /// Seconds an entry stands after its last evidence. Addresses change hands within days;
    /// numbers of fraud are used for weeks and blocks are given to others after.
    #[must_use]
    pub const fn lifetime_secs(self) -> i64 {
        match self {
            Self::Address | Self::Network => 7 * DAY,
            Self::Block => 14 * DAY,
            Self::Number | Self::Agent => 30 * DAY,
        }
    }

    /// An address may be listed by its own deeds at the honeypot; everything else takes parties
    /// that have nothing to do with each other.
    pub(super) const fn needs(self) -> Needs {
        let (weight, parties, numbers) = match self {
            Self::Address => (3.0, 1, 0),
            Self::Network => (4.0, 4, 0),
            Self::Number | Self::Agent => (3.0, 3, 0),
            Self::Block => (4.0, 3, 3),
        };
        Needs {
            weight,
            parties,
            numbers,
        }
    }
}

impl Subject {
    /// The address calls come from: itself, of IPv6 its network of 64 bits.
    #[must_use]
    pub fn host_of(address: IpAddr) -> Self {
        Self::Address(host(address))
    }

    /// The network of an address, as one party has it: 24 bits of IPv4, 48 of IPv6.
    #[must_use]
    pub fn network_of(address: IpAddr) -> Self {
        Self::Network(network(address))
    }

    /// The block of a number; `None`: the number is too short to have one.
    #[must_use]
    pub fn block_of(number: Number) -> Option<Self> {
        let digits = number.digits().checked_sub(BLOCK)?;
        let begin = (digits >= SHORTEST_BLOCK).then(|| number.prefix(digits))?;
        Number::from_u64(begin).map(Self::Block)
    }

    /// A user agent; `None`: one that says nothing, or is too long to list.
    #[must_use]
    pub fn agent(text: &str) -> Option<Self> {
        usable_agent(text).map(|text| Self::Agent(text.into()))
    }

    /// What kind it is.
    #[must_use]
    pub const fn kind(&self) -> SubjectKind {
        match self {
            Self::Address(_) => SubjectKind::Address,
            Self::Network(_) => SubjectKind::Network,
            Self::Number(_) => SubjectKind::Number,
            Self::Block(_) => SubjectKind::Block,
            Self::Agent(_) => SubjectKind::Agent,
        }
    }

    /// What it is remembered under.
    #[must_use]
    pub fn key(&self, keys: Keys) -> u64 {
        match self {
            Self::Address(host) => keys.hash("address", &octets(host.addr())),
            Self::Network(network) => keys.hash("network", &octets(network.addr())),
            Self::Number(number) => keys.hash("number", &number.as_u64().to_le_bytes()),
            Self::Block(block) => keys.hash("block", &block.as_u64().to_le_bytes()),
            Self::Agent(agent) => hash_of_agent(agent, keys),
        }
    }

    /// As it is written on a list. A user agent is a pattern that matches just it.
    #[must_use]
    pub fn value(&self) -> String {
        match self {
            Self::Address(network) | Self::Network(network) => network.to_string(),
            Self::Number(number) | Self::Block(number) => number.to_string(),
            Self::Agent(agent) => format!("^{}$", regex::escape(agent)),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(host) => match host.addr() {
                IpAddr::V4(address) => write!(f, "address {address}"),
                IpAddr::V6(_) => write!(f, "address {host}"),
            },
            Self::Network(network) => write!(f, "network {network}"),
            Self::Number(number) => write!(f, "number {number}"),
            Self::Block(block) => write!(f, "block {block}xxx"),
            Self::Agent(agent) => write!(f, "agent {agent}"),
        }
    }
}

/// What a user agent is remembered under, without making a subject of it.
pub(super) fn agent_key(text: &str, keys: Keys) -> Option<u64> {
    usable_agent(text).map(|text| hash_of_agent(text, keys))
}

fn usable_agent(text: &str) -> Option<&str> {
    let text = text.trim();
    let usable = (SHORTEST_AGENT..=LONGEST_AGENT).contains(&text.len())
        && text.chars().all(|c| !c.is_control());
    usable.then_some(text)
}

/// Of its first bytes, whatever the case of their letters, as patterns match.
fn hash_of_agent(text: &str, keys: Keys) -> u64 {
    let mut lower = [0; LONGEST_AGENT];
    let length = text.len().min(LONGEST_AGENT);
    lower[..length].copy_from_slice(&text.as_bytes()[..length]);
    lower[..length].make_ascii_lowercase();
    keys.hash("agent", &lower[..length])
}

/// The network one party is taken to have.
pub(super) fn network(address: IpAddr) -> IpNet {
    shortened(address, (24, 48))
}

/// An address, of IPv6 the network that one machine has.
pub(super) fn host(address: IpAddr) -> IpNet {
    shortened(address, (32, 64))
}

/// The network of so many bits of IPv4, or of IPv6.
fn shortened(address: IpAddr, (v4, v6): (u8, u8)) -> IpNet {
    let address = address.to_canonical();
    let length = if address.is_ipv4() { v4 } else { v6 };
    IpNet::new(address, length).map_or_else(|_| address.into(), |network| network.trunc())
}

/// An address as 16 bytes; an IPv4 address and the same mapped into IPv6 are one.
pub(super) fn octets(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}
