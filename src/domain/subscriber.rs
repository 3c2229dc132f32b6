//! Whose call it is.

use super::Policy;
use std::net::IpAddr;
use std::sync::Arc;

/// Who asks, and the policy that applies to him.
#[derive(Clone, Debug)]
pub struct Subscriber {
    /// Served domain; empty for a free call of nobody's.
    pub account: Arc<str>,
    /// Who in it: the subscriber's user, the mapped caller number, or the domain's default
    /// user, to whom everybody else's calls are counted.
    pub name: Arc<str>,
    /// For a free call the peer's address: habits are kept apart by it, so that nobody writes
    /// into somebody else's by claiming his name.
    pub scope: Option<IpAddr>,
    /// Dial prefixes of the domain, longest first, stripped before the number is read.
    pub dial_prefixes: Arc<[String]>,
    /// The policy.
    pub policy: Arc<Policy>,
}
