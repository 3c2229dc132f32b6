//! R14: the number, its prefix, the source or the user agent is on the policy's own blacklist.

use super::{Context, Rule};

pub(super) struct OwnBlacklist;

impl Rule for OwnBlacklist {
    fn refuses(&self, c: &Context<'_>) -> Option<String> {
        let own = &c.policy.blacklist;
        let number = c
            .destination
            .number
            .and_then(|number| own.numbers.find(number, c.now))
            .map(|(by, entry)| format!("{by} listed: {}", entry.reason));
        let network = || {
            let (network, entry) = own.networks.find(c.attempt.source_ip, c.now)?;
            Some(format!("source in {network}: {}", entry.reason))
        };
        let agent = || {
            let (pattern, entry) = own.agents.find(&c.attempt.user_agent, c.now)?;
            Some(format!("user agent matches {pattern}: {}", entry.reason))
        };
        number.or_else(network).or_else(agent)
    }
}
