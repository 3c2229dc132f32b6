//! Whose call it is.

use super::credentials::Sealed;
use super::snapshot::{Domain, Snapshot};
use crate::domain::{CallAttempt, Ingress, Number, Subscriber};
use ipnet::IpNet;
use std::net::IpAddr;
use std::sync::Arc;

/// Who a call is from, by the address that asks.
#[derive(Debug)]
pub enum Identity {
    /// The peer is trusted: a customer's call.
    Customer(Subscriber),
    /// The peer is not trusted: nobody we serve, unless he proves to be a user of the
    /// [`Realm`] he names. On the free port he is looked at all the same, as this subscriber,
    /// whose policy is the root domain's.
    Stranger(Subscriber),
}

/// The domain a call names, where it is served: what a stranger may prove to belong to.
#[derive(Clone, Copy, Debug)]
pub struct Realm<'a>(&'a Domain);

impl Snapshot {
    /// Whose call it is, and which policy applies, going by the address that asks.
    ///
    /// The whole rule, with what `decide` adds:
    /// 1. *Named* are the user and domain of `X-TFPS`, else those of From; on the web service
    ///    `from_user` and `domain`. The root domain is named by its name, like any other.
    /// 2. A file of calls is imported by the operator, who speaks for every domain; a token of
    ///    the REST API speaks for the domain that goes with it
    ///    ([`speaking_for`](Self::speaking_for)).
    /// 3. Is the peer's address (an IPv4 address mapped into IPv6 is that IPv4 address) trusted
    ///    by any domain? Then the named domain applies if the peer is trusted by it, or by the
    ///    root domain, which speaks for all; any other name, served or not, falls to the domain
    ///    whose network holds the peer most closely (at the same length a customer's before the
    ///    root's). Trusted peers are never asked for a password, and what they send of one is
    ///    not looked at.
    /// 4. Else, on the free port, the call is a stranger's, whatever it names; on the honeypot every
    ///    call is, also one from a trusted peer.
    /// 5. Else the named domain must be served, and the call carry proof of being one of its
    ///    users ([`realm`](Self::realm)). A domain that is not served is refused at once, and
    ///    never falls to another. Is the user the domain's default user, he speaks for the whole
    ///    domain, as a trusted peer of it does: that is how a PBX asks that proves who it is and
    ///    has many telephones. Any other user speaks for himself: his call it is, under his
    ///    policy, whoever is named in From or X-TFPS.
    ///
    /// Within the domain, for who speaks for it: the subscriber who is named, with his policy; else
    /// the caller number (From user) that is mapped to a policy; else the domain's default user,
    /// with a policy of his own if he is a subscriber, and the domain's default otherwise.
    #[must_use]
    pub fn identify(&self, attempt: &CallAttempt) -> Identity {
        let (user, named) = named(attempt);
        let peer = attempt.peer.to_canonical();
        let mut trusting = self.trusting(peer).peekable();
        let imported = (attempt.ingress == Ingress::Import).then_some(&self.root);
        // Whoever knocks at the honeypot is nobody's customer there, wherever he knocks from.
        let trusted = trusting
            .peek()
            .filter(|_| attempt.ingress != Ingress::Honeypot);
        let Some(first) = imported.or_else(|| trusted.copied()) else {
            return Identity::Stranger(Subscriber {
                account: "".into(),
                scope: Some(peer),
                ..self.root.everybody()
            });
        };
        let domain = self
            .domains
            .get(named)
            .filter(|named| {
                imported.is_some() || trusting.any(|d| d.is_root || d.name == named.name)
            })
            .unwrap_or(first);
        Identity::Customer(domain.subscriber(user, &attempt.user))
    }

    /// Whose call it is within a domain that the asker speaks for, whatever his address; `None`:
    /// it is not served.
    #[must_use]
    pub fn speaking_for(&self, domain: &str, attempt: &CallAttempt) -> Option<Subscriber> {
        let (user, _) = named(attempt);
        Some(self.domains.get(domain)?.subscriber(user, &attempt.user))
    }

    /// The domain a call names, if it is served.
    #[must_use]
    pub fn realm(&self, attempt: &CallAttempt) -> Option<Realm<'_>> {
        let (_, domain) = named(attempt);
        self.domains.get(domain).map(|domain| Realm(domain))
    }

    /// The domain that is meant by callers who name none: the one that trusts their address, else
    /// the root's.
    #[must_use]
    pub fn domain_of_peer(&self, peer: IpAddr) -> &str {
        let first = self.trusting(peer.to_canonical()).next();
        &first.unwrap_or(&self.root).name
    }

    /// Somebody who was identified before, as he is now: for calls of the past. An empty account
    /// is a stranger's.
    #[must_use]
    pub fn again(&self, account: &str, name: &str) -> Option<Subscriber> {
        match account {
            "" => Some(self.root.everybody()),
            account => Some(self.domains.get(account)?.subscriber(name, name)),
        }
    }

    /// Somebody by the name that calls are counted under: a subscriber's user, a mapped caller
    /// number, or the domain's default user; `None`: nobody is counted under it.
    #[must_use]
    pub fn counted_as(&self, domain: &str, name: &str) -> Option<Subscriber> {
        let found = self.domains.get(domain)?.subscriber(name, name);
        (&*found.name == name).then_some(found)
    }

    /// Whether a domain trusts this address.
    #[must_use]
    pub fn trusts(&self, peer: IpAddr) -> bool {
        self.trusting(peer.to_canonical()).next().is_some()
    }

    /// Whether a domain trusts any address of this network.
    #[must_use]
    pub fn trusts_any_of(&self, network: IpNet) -> bool {
        let overlaps = |own: &IpNet| own.contains(&network) || network.contains(own);
        self.peers.iter().any(|(own, _)| overlaps(own))
    }

    fn trusting(&self, peer: IpAddr) -> impl Iterator<Item = &Arc<Domain>> {
        self.peers
            .iter()
            .filter(move |(net, _)| net.contains(&peer))
            .map(|(_, domain)| domain)
    }
}

impl<'a> Realm<'a> {
    /// The domain, as it stands in a challenge.
    #[must_use]
    pub fn name(self) -> &'a str {
        &self.0.name
    }

    /// What is known of a user's password; `None`: there is no such user, or he has none.
    #[must_use]
    pub fn password(self, user: &str) -> Option<&'a Sealed> {
        self.0.passwords.get(user)
    }

    /// Whose call it is that a user makes who has proved who he is; `None`: there is no such user.
    /// The default user speaks for the domain; any other for himself alone, and a mapped caller
    /// number or the default user does not stand in for him.
    #[must_use]
    pub fn subscriber(self, user: &str, attempt: &CallAttempt) -> Option<Subscriber> {
        let own = self.0.named(user)?;
        if *user != *self.0.default_user {
            return Some(own);
        }
        let (meant, _) = named(attempt);
        Some(self.0.subscriber(meant, &attempt.user))
    }
}

fn named(attempt: &CallAttempt) -> (&str, &str) {
    match &attempt.policy_user {
        Some((user, domain)) => (user, domain),
        None => (&attempt.user, &attempt.domain),
    }
}

/// The caller number of a From user: E.164, whatever exit code stands before it.
fn caller_number(user: &str) -> Option<Number> {
    let digits = ["+", "00", "011"]
        .iter()
        .find_map(|exit| user.strip_prefix(exit))
        .unwrap_or(user);
    Number::parse(digits).ok()
}

impl Domain {
    /// Whose call it is: the subscriber's, the mapped caller number's, else the default user's.
    fn subscriber(&self, user: &str, caller: &str) -> Subscriber {
        if let Some(subscriber) = self.named(user) {
            return subscriber;
        }
        let everybody = self.everybody();
        let mapped =
            caller_number(caller).and_then(|number| Some((number, self.callers.get(&number)?)));
        match mapped {
            Some((number, policy)) => Subscriber {
                name: number.to_string().into(),
                policy: Arc::clone(policy),
                ..everybody
            },
            None => everybody,
        }
    }

    /// The subscriber by this name.
    fn named(&self, user: &str) -> Option<Subscriber> {
        let policy = self.subscribers.get(user)?;
        Some(Subscriber {
            account: Arc::clone(&self.name),
            name: user.into(),
            scope: None,
            dial_prefixes: Arc::clone(&self.dial_prefixes),
            policy: Arc::clone(policy),
        })
    }

    fn everybody(&self) -> Subscriber {
        let own = self.subscribers.get(&*self.default_user);
        Subscriber {
            account: Arc::clone(&self.name),
            name: Arc::clone(&self.default_user),
            scope: None,
            dial_prefixes: Arc::clone(&self.dial_prefixes),
            policy: Arc::clone(own.unwrap_or(&self.default_policy)),
        }
    }
}
