//! Numbers and prefixes of numbers, ten million of them if need be.
//!
//! Most entries stand in a sorted table that never changes; what was edited since stands in a
//! small overlay that is looked at first. An edit copies the overlay only, and when that has
//! grown, both become a new table: on the thread that edits, never on one that looks up.

use super::table::Table;
use super::{Entry, Timestamp};
use crate::domain::Number;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Changes an overlay holds at least before it is merged.
const OVERLAY: usize = 4_096;
/// A large table is merged anew only when a part of it of this size has changed.
const PART: usize = 64;
/// Above all whole numbers, which have 15 digits at most.
const PREFIX: u64 = 1 << 50;

/// What an entry lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Listed {
    /// One whole number.
    Number(Number),
    /// Every number that begins so.
    Prefix(Number),
}

impl Listed {
    /// Whole numbers first, then prefixes, each ascending.
    pub(super) const fn key(self) -> u64 {
        match self {
            Self::Number(number) => number.as_u64(),
            Self::Prefix(prefix) => PREFIX | prefix.as_u64(),
        }
    }

    /// The bit of a prefix's length; none for a whole number.
    pub(super) const fn length_bit(key: u64) -> u16 {
        match (key & PREFIX, (key & !PREFIX).checked_ilog10()) {
            (PREFIX, Some(digits)) => 1 << digits,
            _ => 0,
        }
    }
}

impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "number {number}"),
            Self::Prefix(prefix) => write!(f, "prefix {prefix}"),
        }
    }
}

/// Numbers and prefixes. A clone shares everything.
#[derive(Clone, Debug, Default)]
pub struct NumberList {
    table: Arc<Table>,
    /// By key; `None`: taken off.
    overlay: Arc<BTreeMap<u64, Option<Entry>>>,
    /// Lengths of prefixes that may be in use: bit n for n + 1 digits.
    lengths: u16,
    len: usize,
}

impl NumberList {
    pub(super) fn of(table: Table) -> Self {
        Self {
            lengths: table.lengths(),
            len: table.len(),
            table: Arc::new(table),
            overlay: Arc::default(),
        }
    }

    /// Lists one whole number.
    pub fn insert_number(&mut self, number: Number, entry: Entry) {
        self.apply([(Listed::Number(number), Some(entry))]);
    }

    /// Lists every number that begins so.
    pub fn insert_prefix(&mut self, prefix: Number, entry: Entry) {
        self.apply([(Listed::Prefix(prefix), Some(entry))]);
    }

    /// Lists things, and takes things off (`None`), in this order.
    pub fn apply(&mut self, changes: impl IntoIterator<Item = (Listed, Option<Entry>)>) {
        let mut changes = changes.into_iter().peekable();
        if changes.peek().is_none() {
            return;
        }
        let overlay = Arc::make_mut(&mut self.overlay);
        for (listed, entry) in changes {
            let key = listed.key();
            let in_table = self.table.contains(key);
            let listed_now = entry.is_some();
            if listed_now {
                self.lengths |= Listed::length_bit(key);
            }
            // What was never in the table needs no mark that it is gone.
            let before = if listed_now || in_table {
                overlay.insert(key, entry)
            } else {
                overlay.remove(&key)
            };
            let listed_before = before.map_or(in_table, |entry| entry.is_some());
            self.len = self.len + usize::from(listed_now) - usize::from(listed_before);
        }
        if overlay.len() > OVERLAY.max(self.table.len() / PART) {
            *self = Self::of(self.table.with(&self.overlay));
        }
    }

    /// The live entry that covers `number`: the number itself, else the longest prefix.
    #[must_use]
    pub fn find(&self, number: Number, now: Timestamp) -> Option<(Listed, Entry)> {
        let whole = std::iter::once(Listed::Number(number));
        whole.chain(self.prefixes(number)).find_map(|listed| {
            let entry = self.get(listed)?;
            entry.is_live(now).then_some((listed, entry))
        })
    }

    /// The prefixes of `number` that may be listed, longest first.
    fn prefixes(&self, number: Number) -> impl Iterator<Item = Listed> {
        let lengths = self.lengths;
        (1..=number.digits())
            .rev()
            .filter(move |digits| lengths & (1 << (digits - 1)) != 0)
            .filter_map(move |digits| Number::from_u64(number.prefix(digits)).map(Listed::Prefix))
    }

    /// The entry of exactly this, live or expired.
    #[must_use]
    pub fn get(&self, listed: Listed) -> Option<Entry> {
        let key = listed.key();
        if !self.overlay.is_empty()
            && let Some(changed) = self.overlay.get(&key)
        {
            return changed.clone();
        }
        self.table.get(key)
    }

    /// How many entries.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing is listed.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }
}
