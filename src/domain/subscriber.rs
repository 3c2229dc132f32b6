//! Whose call it is.

use super::Policy;
use std::sync::Arc;

/// Who asks, and the policy that applies to him.
#[derive(Clone, Debug)]
pub struct Subscriber {
    /// Served domain; empty for a free call of nobody's.
    pub domain: Arc<str>,
    /// Identity within which windows and habits are kept. For a trusted peer `user@domain`;
    /// for a free call it includes the peer's address, so that nobody can
    /// write into somebody else's habits by claiming his name.
    pub key: u64,
    /// Like `key`, for the whole tenant.
    pub tenant: u64,
    /// The policy.
    pub policy: Arc<Policy>,
}
