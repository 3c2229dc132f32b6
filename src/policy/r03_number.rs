//! R03: the called number, or its prefix, is on the system's blacklist.

use super::{Context, Rule};

pub(super) struct CalledNumber;

impl Rule for CalledNumber {
    fn refuses(&self, c: &Context<'_>) -> Option<String> {
        let (by, entry) = c.system.black.numbers.find(c.destination.number?, c.now)?;
        Some(format!("{by} listed: {}", entry.reason))
    }
}
