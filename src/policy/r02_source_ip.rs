//! R02: the customer's device has an address on the system's blacklist.

use super::{Context, Rule};

pub(super) struct SourceIp;

impl Rule for SourceIp {
    fn refuses(&self, c: &Context<'_>) -> Option<String> {
        let (network, entry) = c.system.black.networks.find(c.attempt.source_ip, c.now)?;
        Some(format!("source in {network}: {}", entry.reason))
    }
}
