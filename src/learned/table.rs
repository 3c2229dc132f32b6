//! The candidates, at most so many.
//!
//! When there is no room, of a few that are looked at the lightest goes; of equally light ones
//! that of who holds most. And nobody may hold more than his share: so a flood of new names pushes
//! out itself, and never what has weight.

use super::candidate::{Candidate, Said};
use super::{Keys, Party, Subject, WitnessKind};
use crate::domain::{Prehashed, Timestamp};
use std::collections::HashMap;
use std::hash::BuildHasherDefault;

/// Neighbours an eviction looks at.
const SAMPLE: usize = 16;
/// The part of the table one party may fill with what it was first to name.
const PARTY_SHARE: usize = 16;
/// The part of the table that may be named first by doors anybody may knock at.
const OPEN_SHARE: usize = 4;

type ByHash<T> = HashMap<u64, T, BuildHasherDefault<Prehashed>>;

/// Candidates by the key of their subject.
#[derive(Debug)]
pub(super) struct Candidates {
    keys: Keys,
    capacity: usize,
    slots: Vec<Candidate>,
    index: ByHash<usize>,
    /// How many each party was first to name.
    held: ByHash<usize>,
    open: usize,
    hand: usize,
    /// Candidates that made room, and names that found none.
    pub evicted: u64,
    pub refused: u64,
}

impl Candidates {
    /// An empty table for `capacity` candidates, at least 64.
    pub fn new(capacity: usize, keys: Keys) -> Self {
        Self {
            keys,
            capacity: capacity.max(64),
            slots: Vec::new(),
            index: HashMap::default(),
            held: HashMap::default(),
            open: 0,
            hand: 0,
            evicted: 0,
            refused: 0,
        }
    }

    /// Adds what is said of a subject.
    pub fn hear(&mut self, subject: Subject, said: &Said) {
        let key = subject.key(self.keys);
        if let Some(&at) = self.index.get(&key) {
            let slot = &mut self.slots[at];
            slot.hear(said);
            if slot.open && !said.kind.is_open() {
                slot.open = false;
                self.open -= 1;
            }
            return;
        }
        // Nobody need be remembered of whom only good is said.
        if said.innocent {
            return;
        }
        let share_met = self.held_by(said.by) >= self.capacity / PARTY_SHARE;
        let open_met = said.kind.is_open() && self.open >= self.capacity / OPEN_SHARE;
        if share_met || open_met {
            self.refused += 1;
            return;
        }
        self.insert(key, Candidate::new(subject, said), said.at);
    }

    /// A party takes back its word of a kind about a subject.
    pub fn forget(&mut self, subject: &Subject, kind: WitnessKind, by: Party) {
        if let Some(&at) = self.index.get(&subject.key(self.keys)) {
            self.slots[at].forget(kind, by);
        }
    }

    /// Puts one back that was saved.
    pub fn restore(&mut self, candidate: Candidate) {
        let key = candidate.subject.key(self.keys);
        if !self.index.contains_key(&key) && self.slots.len() < self.capacity {
            self.push(key, candidate);
        }
    }

    /// Forgets what has ended by now.
    pub fn expire(&mut self, now: Timestamp) {
        let mut at = 0;
        while at < self.slots.len() {
            match self.slots[at].ends() <= now.secs() {
                true => self.remove(at),
                false => at += 1,
            }
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &Candidate> {
        self.slots.iter()
    }

    pub fn len(&self) -> usize {
        self.slots.len()
    }

    #[cfg(test)]
    pub fn get(&self, subject: &Subject) -> Option<&Candidate> {
        let at = self.index.get(&subject.key(self.keys))?;
        self.slots.get(*at)
    }

    fn held_by(&self, party: Party) -> usize {
        self.held.get(&party.0).copied().unwrap_or_default()
    }

    fn insert(&mut self, key: u64, candidate: Candidate, now: Timestamp) {
        if self.slots.len() >= self.capacity {
            let victim = self.victim(now);
            // What is lighter than all that are looked at does not come in.
            if self.slots[victim].sum(now).weight > candidate.sum(now).weight {
                self.refused += 1;
                return;
            }
            self.remove(victim);
            self.evicted += 1;
        }
        self.push(key, candidate);
    }

    fn push(&mut self, key: u64, candidate: Candidate) {
        self.index.insert(key, self.slots.len());
        *self.held.entry(candidate.owner.0).or_default() += 1;
        self.open += usize::from(candidate.open);
        self.slots.push(candidate);
    }

    fn remove(&mut self, at: usize) {
        let gone = self.slots.swap_remove(at);
        self.index.remove(&gone.subject.key(self.keys));
        self.open -= usize::from(gone.open);
        if let Some(held) = self.held.get_mut(&gone.owner.0) {
            *held -= 1;
            if *held == 0 {
                self.held.remove(&gone.owner.0);
            }
        }
        if let Some(moved) = self.slots.get(at) {
            self.index.insert(moved.subject.key(self.keys), at);
        }
    }

    fn victim(&mut self, now: Timestamp) -> usize {
        let len = self.slots.len();
        let start = self.hand;
        self.hand = (start + SAMPLE) % len;
        let lightness = |at: usize| {
            let slot = &self.slots[at];
            (slot.sum(now).weight, self.held_by(slot.owner), slot.last)
        };
        (start..start + SAMPLE)
            .map(|at| at % len)
            .min_by(|&a, &b| {
                let (a, b) = (lightness(a), lightness(b));
                let by_weight = a.0.total_cmp(&b.0);
                by_weight.then(b.1.cmp(&a.1)).then(a.2.cmp(&b.2))
            })
            .unwrap_or(start % len)
    }
}
