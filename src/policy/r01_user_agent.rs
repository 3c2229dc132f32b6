//! R01: the user agent is on the system's blacklist.

use super::{Context, Rule};

pub(super) struct UserAgent;

impl Rule for UserAgent {
    fn refuses(&self, c: &Context<'_>) -> Option<String> {
        let (pattern, entry) = c.system.black.agents.find(&c.attempt.user_agent, c.now)?;
        Some(format!("user agent matches {pattern}: {}", entry.reason))
    }
}
