//! Lists of numbers, prefixes, networks and user agents, made for looking up.
//!
//! Look-ups cost one hash probe per prefix length in use (at most 15 for numbers, 33 + 129 for
//! networks), whatever the number of entries.

use super::{Number, Timestamp};
use ipnet::IpNet;
use regex::{RegexSet, RegexSetBuilder};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

/// Largest compiled size of all user-agent patterns of one list, bytes.
const AGENT_PATTERNS_SIZE: usize = 8 << 20;

/// Why something is on a list, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// In the words of whoever listed it.
    pub reason: Arc<str>,
    /// From then on the entry does not count.
    pub expires: Option<Timestamp>,
}

impl Entry {
    /// An entry that stays.
    #[must_use]
    pub fn lasting(reason: &str) -> Self {
        Self {
            reason: reason.into(),
            expires: None,
        }
    }

    fn is_live(&self, now: Timestamp) -> bool {
        self.expires.is_none_or(|until| now < until)
    }
}

/// Numbers and prefixes of numbers.
#[derive(Clone, Debug, Default)]
pub struct NumberList {
    exact: HashMap<u64, Entry>,
    prefixes: HashMap<u64, Entry>,
    /// Prefix lengths in use, longest first.
    lengths: Vec<u32>,
}

impl NumberList {
    /// Lists one whole number.
    pub fn insert_number(&mut self, number: Number, entry: Entry) {
        self.exact.insert(number.as_u64(), entry);
    }

    /// Lists every number that begins so.
    pub fn insert_prefix(&mut self, prefix: Number, entry: Entry) {
        self.prefixes.insert(prefix.as_u64(), entry);
        if let Err(at) = self.lengths.binary_search_by(|l| prefix.digits().cmp(l)) {
            self.lengths.insert(at, prefix.digits());
        }
    }

    /// The live entry that covers `number`: the number itself, else the longest prefix.
    #[must_use]
    pub fn find(&self, number: Number, now: Timestamp) -> Option<&Entry> {
        let exact = self.exact.get(&number.as_u64()).into_iter();
        let by_prefix = self
            .lengths
            .iter()
            .filter(|&&length| length <= number.digits())
            .filter_map(|&length| self.prefixes.get(&number.prefix(length)));
        exact.chain(by_prefix).find(|entry| entry.is_live(now))
    }

    /// How many entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.exact.len() + self.prefixes.len()
    }

    /// Whether nothing is listed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Networks, IPv4 and IPv6.
#[derive(Clone, Debug, Default)]
pub struct NetworkList {
    networks: HashMap<IpNet, Entry>,
    v4_lengths: Vec<u8>,
    v6_lengths: Vec<u8>,
}

impl NetworkList {
    /// Lists a network; host bits are ignored.
    pub fn insert(&mut self, network: IpNet, entry: Entry) {
        let network = network.trunc();
        let lengths = match network {
            IpNet::V4(_) => &mut self.v4_lengths,
            IpNet::V6(_) => &mut self.v6_lengths,
        };
        if let Err(at) = lengths.binary_search_by(|l| network.prefix_len().cmp(l)) {
            lengths.insert(at, network.prefix_len());
        }
        self.networks.insert(network, entry);
    }

    /// The live entry of the smallest network that holds `address`. An IPv4 address
    /// mapped into IPv6 counts as IPv4.
    #[must_use]
    pub fn find(&self, address: IpAddr, now: Timestamp) -> Option<(IpNet, &Entry)> {
        let address = address.to_canonical();
        let lengths = match address {
            IpAddr::V4(_) => &self.v4_lengths,
            IpAddr::V6(_) => &self.v6_lengths,
        };
        lengths.iter().find_map(|&length| {
            let network = IpNet::new(address, length).ok()?.trunc();
            let entry = self.networks.get(&network)?;
            entry.is_live(now).then_some((network, entry))
        })
    }

    /// How many entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.networks.len()
    }

    /// Whether nothing is listed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.networks.is_empty()
    }
}

/// User-agent patterns: regular expressions without look-around, so matching is linear in the
/// agent's length whatever the pattern.
#[derive(Clone, Debug, Default)]
pub struct AgentList {
    set: Option<RegexSet>,
    entries: Vec<Entry>,
}

impl AgentList {
    /// Compiles the patterns, case-insensitive.
    ///
    /// # Errors
    /// The first pattern that is no regular expression, or all of them together too large.
    pub fn new(patterns: Vec<(String, Entry)>) -> Result<Self, regex::Error> {
        if patterns.is_empty() {
            return Ok(Self::default());
        }
        let (texts, entries): (Vec<_>, Vec<_>) = patterns.into_iter().unzip();
        let set = RegexSetBuilder::new(texts)
            .case_insensitive(true)
            .size_limit(AGENT_PATTERNS_SIZE)
            .build()?;
        Ok(Self {
            set: Some(set),
            entries,
        })
    }

    /// The first live pattern that matches, and its entry.
    #[must_use]
    pub fn find(&self, agent: &str, now: Timestamp) -> Option<(&str, &Entry)> {
        let set = self.set.as_ref()?;
        set.matches(agent)
            .into_iter()
            .map(|at| (set.patterns()[at].as_str(), &self.entries[at]))
            .find(|(_, entry)| entry.is_live(now))
    }

    /// How many patterns.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing is listed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// Everything one list can hold.
#[derive(Clone, Debug, Default)]
pub struct AccessList {
    /// Numbers and prefixes.
    pub numbers: NumberList,
    /// Source networks.
    pub networks: NetworkList,
    /// User agents.
    pub agents: AgentList,
}

/// The lists that hold for every policy that has the checks on.
#[derive(Clone, Debug, Default)]
pub struct SystemLists {
    /// R03 numbers, R02 networks, R01 user agents.
    pub black: AccessList,
    /// R12: networks of known attack groups; the entry's reason names the group.
    pub attack_groups: NetworkList,
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_000);

    fn number(digits: &str) -> Number {
        Number::parse(digits).expect("a number")
    }

    #[test]
    fn the_number_itself_then_the_longest_prefix() {
        let mut list = NumberList::default();
        list.insert_prefix(number("44"), Entry::lasting("country"));
        list.insert_prefix(number("4470"), Entry::lasting("range"));
        list.insert_number(number("447012345678"), Entry::lasting("exact"));
        let why = |digits| list.find(number(digits), NOW).map(|e| &*e.reason);
        assert_eq!(why("447012345678"), Some("exact"));
        assert_eq!(why("447012345679"), Some("range"));
        assert_eq!(why("442012345678"), Some("country"));
        assert_eq!(why("4"), None);
        assert_eq!(why("34911222333"), None);
    }

    #[test]
    fn an_expired_entry_uncovers_what_is_below_it() {
        let mut list = NumberList::default();
        list.insert_prefix(number("44"), Entry::lasting("country"));
        let expired = Entry {
            reason: "range".into(),
            expires: Some(NOW),
        };
        list.insert_prefix(number("4470"), expired);
        let just_before = Timestamp(NOW.0 - 1);
        let n = number("447012345678");
        assert_eq!(&*list.find(n, just_before).expect("live").reason, "range");
        assert_eq!(&*list.find(n, NOW).expect("live").reason, "country");
    }

    #[test]
    fn networks_by_longest_prefix_and_mapped_addresses() {
        let mut list = NetworkList::default();
        list.insert("10.0.0.0/8".parse().expect("net"), Entry::lasting("wide"));
        list.insert(
            "10.1.2.3/24".parse().expect("net"),
            Entry::lasting("narrow"),
        );
        list.insert("2001:db8::/32".parse().expect("net"), Entry::lasting("six"));
        let why = |a: &str| {
            list.find(a.parse().expect("address"), NOW)
                .map(|(_, e)| &*e.reason)
        };
        assert_eq!(why("10.1.2.200"), Some("narrow"));
        assert_eq!(why("10.9.9.9"), Some("wide"));
        assert_eq!(why("::ffff:10.9.9.9"), Some("wide"));
        assert_eq!(why("2001:db8::1"), Some("six"));
        assert_eq!(why("2001:db9::1"), None);
    }

    #[test]
    fn agents_ignore_case_and_bad_patterns_are_refused() {
        let list = AgentList::new(vec![("^sipvicious".into(), Entry::lasting("tool"))]);
        let list = list.expect("compiles");
        assert!(list.find("SIPVicious 0.3", NOW).is_some());
        assert!(list.find("my sipvicious", NOW).is_none());
        assert!(AgentList::new(vec![("(".into(), Entry::lasting(""))]).is_err());
    }
}
