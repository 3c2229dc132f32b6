//! The sorted arrays that hold most of a list of numbers: 12 bytes an entry, 16 once something
//! in the list expires.
//!
//! A look-up first finds its block among the first keys of all blocks, which fit the processor's
//! cache, then the key within the block: two or three reads from memory where a plain binary
//! search of ten million keys takes a dozen.

use super::numbers::{Listed, NumberList};
use super::{Entry, Timestamp};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Keys of one block: 512 bytes, eight cache lines.
const BLOCK: usize = 64;
/// An expiry that never comes. Times after the year 2106 do not fit and count as this.
const NEVER: u32 = u32::MAX;

/// What many entries have in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Note {
    reason: Arc<str>,
    source: Arc<str>,
}

/// A reason and source known to a [`NumberListBuilder`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoteId(u32);

/// Keys in ascending order, and what is said of each.
#[derive(Debug, Default)]
pub(super) struct Table {
    keys: Vec<u64>,
    /// The first key of each block.
    firsts: Vec<u64>,
    /// Positions in `texts`.
    notes: Vec<u32>,
    /// Seconds since the epoch; empty when nothing expires.
    expires: Vec<u32>,
    texts: Vec<Note>,
    lengths: u16,
}

impl Table {
    pub(super) fn get(&self, key: u64) -> Option<Entry> {
        let at = self.position(key)?;
        let note = self.texts.get(*self.notes.get(at)? as usize)?;
        Some(Entry {
            reason: Arc::clone(&note.reason),
            source: Arc::clone(&note.source),
            expires: self.expires_at(at),
        })
    }

    pub(super) fn contains(&self, key: u64) -> bool {
        self.position(key).is_some()
    }

    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// Lengths of prefixes in use, as bits.
    pub(super) fn lengths(&self) -> u16 {
        self.lengths
    }

    fn position(&self, key: u64) -> Option<usize> {
        let block = self.firsts.partition_point(|&first| first <= key);
        let start = block.checked_sub(1)? * BLOCK;
        let keys = &self.keys[start..];
        let keys = &keys[..keys.len().min(BLOCK)];
        keys.binary_search(&key).ok().map(|at| start + at)
    }

    fn expires_at(&self, at: usize) -> Option<Timestamp> {
        let seconds = self.expires.get(at).copied().unwrap_or(NEVER);
        (seconds != NEVER).then(|| Timestamp::from_secs(seconds.into()))
    }

    /// This table with some entries changed (`None`: taken off).
    pub(super) fn with(&self, changes: &BTreeMap<u64, Option<Entry>>) -> Self {
        let mut merged = NumberListBuilder::with_capacity(self.len() + changes.len());
        let mut changes = changes.iter().peekable();
        // What a note of this table is in the other; notes nobody uses any more stay behind.
        let mut notes: Vec<Option<NoteId>> = vec![None; self.texts.len()];
        for (at, &key) in self.keys.iter().enumerate() {
            while let Some((&changed, entry)) = changes.next_if(|&(&changed, _)| changed < key) {
                merged.push_entry(changed, entry.as_ref());
            }
            if let Some((_, entry)) = changes.next_if(|&(&changed, _)| changed == key) {
                merged.push_entry(key, entry.as_ref());
                continue;
            }
            let old = self.notes[at] as usize;
            let note = *notes[old].get_or_insert_with(|| merged.intern(&self.texts[old]));
            merged.push_key(key, note, self.expires_at(at));
        }
        for (&key, entry) in changes {
            merged.push_entry(key, entry.as_ref());
        }
        merged.into_table()
    }
}

/// Fills a [`NumberList`] from entries in ascending order, as a database gives them.
#[derive(Debug, Default)]
pub struct NumberListBuilder {
    table: Table,
    known: HashMap<Note, NoteId>,
    /// Entries that came out of order.
    late: Vec<(Listed, Entry)>,
}

impl NumberListBuilder {
    fn with_capacity(entries: usize) -> Self {
        let mut builder = Self::default();
        builder.table.keys.reserve_exact(entries);
        builder.table.notes.reserve_exact(entries);
        builder
    }

    /// Makes a reason and source known, once for all entries that have them.
    pub fn note(&mut self, reason: &Arc<str>, source: &Arc<str>) -> NoteId {
        self.intern(&Note {
            reason: Arc::clone(reason),
            source: Arc::clone(source),
        })
    }

    fn intern(&mut self, note: &Note) -> NoteId {
        if let Some(&known) = self.known.get(note) {
            return known;
        }
        // No list has more entries than numbers of 32 bits.
        let id = NoteId(u32::try_from(self.table.texts.len()).unwrap_or(u32::MAX));
        self.table.texts.push(note.clone());
        self.known.insert(note.clone(), id);
        id
    }

    /// Lists something. All whole numbers come before all prefixes, each in ascending order; what
    /// comes out of order is listed too, at a higher cost. `expires` counts in whole seconds.
    pub fn push(&mut self, listed: Listed, note: NoteId, expires: Option<Timestamp>) {
        let key = listed.key();
        if self.table.keys.last().is_none_or(|&last| last < key) {
            self.push_key(key, note, expires);
        } else if let Some(text) = self.table.texts.get(note.0 as usize) {
            let entry = Entry {
                reason: Arc::clone(&text.reason),
                source: Arc::clone(&text.source),
                expires,
            };
            self.late.push((listed, entry));
        }
    }

    fn push_entry(&mut self, key: u64, entry: Option<&Entry>) {
        if let Some(entry) = entry {
            let note = self.note(&entry.reason, &entry.source);
            self.push_key(key, note, entry.expires);
        }
    }

    fn push_key(&mut self, key: u64, note: NoteId, expires: Option<Timestamp>) {
        let table = &mut self.table;
        if table.keys.len().is_multiple_of(BLOCK) {
            table.firsts.push(key);
        }
        let expires = expires.map_or(NEVER, whole_seconds);
        if expires != NEVER && table.expires.is_empty() {
            table.expires.reserve(table.keys.capacity());
            table.expires.resize(table.keys.len(), NEVER);
        }
        table.keys.push(key);
        table.notes.push(note.0);
        if !table.expires.is_empty() || expires != NEVER {
            table.expires.push(expires);
        }
        table.lengths |= Listed::length_bit(key);
    }

    /// The list.
    #[must_use]
    pub fn finish(mut self) -> NumberList {
        let late = std::mem::take(&mut self.late);
        let mut list = NumberList::of(self.into_table());
        list.apply(
            late.into_iter()
                .map(|(listed, entry)| (listed, Some(entry))),
        );
        list
    }

    fn into_table(self) -> Table {
        let mut table = self.table;
        table.keys.shrink_to_fit();
        table.firsts.shrink_to_fit();
        table.notes.shrink_to_fit();
        table.expires.shrink_to_fit();
        table
    }
}

/// Seconds since the epoch: 0 for all that is past, [`NEVER`] for what does not fit.
fn whole_seconds(at: Timestamp) -> u32 {
    u32::try_from(at.secs().max(0)).unwrap_or(NEVER)
}
