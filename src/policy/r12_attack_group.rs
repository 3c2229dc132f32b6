//! R12: the source belongs to a known attack group, a named list of networks.

use super::{Context, Rule};

pub(super) struct AttackGroup;

impl Rule for AttackGroup {
    fn refuses(&self, c: &Context<'_>) -> Option<String> {
        let (network, entry) = c.system.attack_groups.find(c.attempt.source_ip, c.now)?;
        Some(format!("source in {network} of {}", entry.reason))
    }
}
