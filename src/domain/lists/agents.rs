//! User-agent patterns, matched together.

use super::Entry;
use crate::domain::Timestamp;
use regex::{RegexSet, RegexSetBuilder};
use std::sync::Arc;

/// Largest compiled size of all user-agent patterns of one list, bytes.
const AGENT_PATTERNS_SIZE: usize = 8 << 20;

/// User-agent patterns: regular expressions without look-around, so matching is linear in the
/// agent's length whatever the pattern.
#[derive(Clone, Debug, Default)]
pub struct AgentList {
    set: Option<RegexSet>,
    entries: Arc<[Entry]>,
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
            entries: entries.into(),
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
