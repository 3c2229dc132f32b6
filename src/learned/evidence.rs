//! What is told to the learned lists, and what of a call it is made from.

use super::subject::{agent_key, host, network, octets};
use super::{Subject, WitnessKind};
use crate::domain::{
    CallEvent, Check, Ingress, Number, NumberClass, Outcome, Sign, Timestamp, Verdict,
};
use siphasher::sip::SipHasher24;
use std::hash::Hasher;
use std::net::IpAddr;

/// Highest score of a call that is ordinary life.
const ORDINARY_SCORE: f32 = 0.3;

/// Makes the hashes of subjects and parties unguessable, so that nobody can choose values that
/// fall together.
#[derive(Clone, Copy)]
pub struct Keys([u8; 16]);

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys(..)")
    }
}

impl Keys {
    /// From 16 random bytes.
    #[must_use]
    pub const fn new(key: [u8; 16]) -> Self {
        Self(key)
    }

    /// Keyed hash of a value of some kind.
    pub(super) fn hash(self, kind: &str, value: &[u8]) -> u64 {
        let mut hasher = SipHasher24::new_with_key(&self.0);
        hasher.write_usize(kind.len());
        hasher.write(kind.as_bytes());
        hasher.write(value);
        hasher.finish()
    }
}

/// Somebody independent of all others, as a keyed hash.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub struct Party(pub u64);

impl Party {
    /// The account a customer's calls are admitted to, by its name: lower case.
    #[must_use]
    pub fn account(name: &str, keys: Keys) -> Self {
        Self(keys.hash("account", name.as_bytes()))
    }

    /// The network a packet came from. Its addresses are one party: who has one has them all.
    #[must_use]
    pub fn network(address: IpAddr, keys: Keys) -> Self {
        Self(keys.hash("party", &octets(network(address).addr())))
    }

    /// One address, where its network is what is spoken of; of IPv6 a network of 64 bits.
    pub(super) fn address(address: IpAddr, keys: Keys) -> Self {
        Self(keys.hash("host", &octets(host(address).addr())))
    }

    /// A person.
    #[must_use]
    pub fn person(name: &str, keys: Keys) -> Self {
        Self(keys.hash("person", name.as_bytes()))
    }
}

/// Something was said against, or for, what a call shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Accusation {
    /// How it is known.
    pub kind: WitnessKind,
    /// By whom.
    pub by: Party,
    /// Whether it speaks for: the call was an ordinary one.
    pub innocent: bool,
    /// Whether it was no call but a probe.
    pub probe: bool,
    /// Where the call came from, if that is spoken of.
    pub address: Option<IpAddr>,
    /// The number that was called, if that is spoken of.
    pub number: Option<Number>,
    /// The caller's user agent, if that is spoken of; else empty.
    pub agent: String,
    /// When it happened.
    pub at: Timestamp,
}

/// A paying customer's call that nothing spoke against, as hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrdinaryCall {
    /// The account.
    pub tenant: Party,
    /// Who in it called.
    pub caller: u64,
    /// Keys of what the call shows: address, network, number, block and user agent.
    pub subjects: [Option<u64>; 5],
    /// Whether the packet came from that address itself; else a header names it.
    pub direct: bool,
    /// When.
    pub at: Timestamp,
}

/// What is told.
#[derive(Clone, Debug, PartialEq)]
pub enum Evidence {
    /// Against something, or for it.
    Accusation(Box<Accusation>),
    /// Whoever said so no longer says anything, for or against.
    Withdrawal(Box<Accusation>),
    /// Ordinary life.
    Ordinary(OrdinaryCall),
}

/// A call that was judged later on, as far as it is spoken of.
#[derive(Clone, Debug, PartialEq)]
pub struct Call<'a> {
    /// Domain it was counted to; empty: a free call.
    pub account: &'a str,
    /// The caller's own address.
    pub source_ip: IpAddr,
    /// The number that was called.
    pub number: Option<Number>,
}

impl Evidence {
    /// What a decided call is evidence of; `None`: of nothing.
    #[must_use]
    pub fn of_event(event: &CallEvent, keys: Keys) -> Option<Self> {
        match event.attempt.ingress {
            Ingress::Honeypot => {
                let attempt = &event.attempt;
                let accusation = Accusation::at_honeypot(
                    attempt.peer,
                    &attempt.user_agent,
                    !attempt.signs.has(Sign::SourceNotShown),
                    event.at,
                    keys,
                );
                Some(Self::from(Accusation {
                    number: listable(event),
                    ..accusation
                }))
            }
            Ingress::Prevention | Ingress::Web if is_accused(event) => {
                Some(Self::from(Accusation {
                    kind: WitnessKind::Refusal,
                    by: Party::account(&event.account, keys),
                    innocent: false,
                    probe: false,
                    address: Some(event.attempt.source_ip),
                    number: listable(event),
                    agent: String::new(),
                    at: event.at,
                }))
            }
            Ingress::Prevention | Ingress::Web if is_ordinary(event) => {
                Some(Self::Ordinary(ordinary(event, keys)))
            }
            Ingress::Detection if is_accused(event) => Some(Self::from(Accusation {
                kind: WitnessKind::Free,
                // Whatever domain it names: that can be made up.
                by: Party::network(event.attempt.peer, keys),
                innocent: false,
                probe: false,
                address: None,
                number: listable(event),
                agent: String::new(),
                at: event.at,
            })),
            // A file may be anybody's, and old.
            _ => None,
        }
    }

    /// A request at the honeypot that was no call.
    #[must_use]
    pub fn of_probe(source: IpAddr, agent: &str, proven: bool, at: Timestamp, keys: Keys) -> Self {
        let accusation = Accusation::at_honeypot(source, agent, proven, at, keys);
        Self::from(Accusation {
            probe: true,
            ..accusation
        })
    }

    /// A verdict on a call: an analyst's by his name, a customer's by the account that the call
    /// was counted to; without a verdict, that he no longer says anything of it. `None`: on a call
    /// of nobody's, who is no party.
    #[must_use]
    pub fn of_verdict(
        verdict: Option<Verdict>,
        analyst: Option<&str>,
        call: &Call<'_>,
        at: Timestamp,
        keys: Keys,
    ) -> Option<Self> {
        let (kind, by) = match analyst {
            Some(name) => (WitnessKind::Analyst, Party::person(name, keys)),
            None if call.account.is_empty() => return None,
            None => (WitnessKind::Customer, Party::account(call.account, keys)),
        };
        let said = Box::new(Accusation {
            kind,
            by,
            innocent: verdict == Some(Verdict::Legitimate),
            probe: false,
            address: Some(call.source_ip),
            number: call.number,
            agent: String::new(),
            at,
        });
        Some(match verdict {
            Some(_) => Self::Accusation(said),
            None => Self::Withdrawal(said),
        })
    }
}

impl From<Accusation> for Evidence {
    fn from(accusation: Accusation) -> Self {
        Self::Accusation(Box::new(accusation))
    }
}

impl Accusation {
    fn at_honeypot(source: IpAddr, agent: &str, proven: bool, at: Timestamp, keys: Keys) -> Self {
        Self {
            kind: match proven {
                true => WitnessKind::Honeypot,
                false => WitnessKind::Unproven,
            },
            by: Party::network(source, keys),
            innocent: false,
            probe: false,
            address: Some(source.to_canonical()),
            number: None,
            agent: agent.to_owned(),
            at,
        }
    }

    /// What it speaks of, and as whose word.
    pub(super) fn subjects(&self, keys: Keys) -> Vec<(Subject, Party)> {
        let mut subjects = Vec::with_capacity(5);
        if let Some(address) = self.address {
            subjects.push((Subject::host_of(address), self.by));
            // Of a network its addresses are the witnesses, and only by what they did themselves.
            if matches!(self.kind, WitnessKind::Honeypot | WitnessKind::Unproven) {
                let host = Party::address(address, keys);
                subjects.push((Subject::network_of(address), host));
            }
        }
        if let Some(number) = self.number {
            subjects.push((Subject::Number(number), self.by));
            subjects.extend(Subject::block_of(number).map(|block| (block, self.by)));
        }
        subjects.extend(Subject::agent(&self.agent).map(|agent| (agent, self.by)));
        subjects
    }
}

/// The number of a call, where it is one that a plan has: others are no number of anybody's.
fn listable(event: &CallEvent) -> Option<Number> {
    let placed = &event.destination;
    let real = placed.exists() && placed.class != NumberClass::NotInPlan;
    placed.number.filter(|_| real)
}

fn said(event: &CallEvent, check: Check) -> bool {
    let against = |outcome| matches!(outcome, Outcome::Refuse | Outcome::Audit);
    let mut checks = event.decision.checks.iter();
    checks.any(|one| one.check == check && against(one.outcome))
}

/// Whether the customer's own blacklist or the score speaks against a call. The system's lists do
/// not count: they would keep themselves alive.
fn is_accused(event: &CallEvent) -> bool {
    (said(event, Check::R14) || said(event, Check::R15)) && !is_listed(event)
}

fn is_listed(event: &CallEvent) -> bool {
    [Check::R01, Check::R02, Check::R03, Check::R12]
        .into_iter()
        .any(|check| said(event, check))
}

/// Whether a paying customer's call is ordinary life: approved, listed nowhere, and of a low
/// score.
fn is_ordinary(event: &CallEvent) -> bool {
    let low = event
        .decision
        .score
        .is_none_or(|score| score < ORDINARY_SCORE);
    event.decision.code.is_approved() && low && !is_listed(event) && !said(event, Check::R15)
}

fn ordinary(event: &CallEvent, keys: Keys) -> OrdinaryCall {
    let attempt = &event.attempt;
    let key = |subject: Subject| subject.key(keys);
    let number = event.destination.number;
    let (source, peer) = (attempt.source_ip.to_canonical(), attempt.peer);
    OrdinaryCall {
        tenant: Party::account(&event.account, keys),
        caller: keys.hash("caller", attempt.user.as_bytes()),
        subjects: [
            Some(key(Subject::host_of(source))),
            Some(key(Subject::network_of(source))),
            number.map(|number| key(Subject::Number(number))),
            number.and_then(Subject::block_of).map(key),
            agent_key(&attempt.user_agent, keys),
        ],
        direct: source == peer.to_canonical(),
        at: event.at,
    }
}
