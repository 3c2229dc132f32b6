//! Bounded tables by key, in parts that are locked apart and copied out a little at a time.

use parking_lot::{FairMutex, FairMutexGuard};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Parts of a table: two calls seldom want the same, and growing one moves little.
const SHARDS: usize = 64;
/// Rows copied while calls wait, at most. The locks are fair: calls go first after each piece.
const PIECE: usize = 256;
/// How many neighbours an eviction looks at; the least recently used of them goes.
const SAMPLE: usize = 16;

/// Keys are already keyed hashes; hashing them again would gain nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Identity(u64);

impl Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }
    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}

/// A table in parts.
#[derive(Debug)]
pub(super) struct Shards<T>([FairMutex<Table<T>>; SHARDS]);

impl<T: Clone + Default> Shards<T> {
    /// For `capacity` rows in all.
    pub(super) fn new(capacity: usize) -> Self {
        Self(std::array::from_fn(|_| {
            FairMutex::new(Table::new(capacity / SHARDS))
        }))
    }

    /// The part a key is in. Bits from the middle: the table itself tells keys apart by the
    /// lowest and highest.
    pub(super) fn lock(&self, key: u64) -> FairMutexGuard<'_, Table<T>> {
        self.0[(key >> 32) as usize % SHARDS].lock()
    }

    /// Does something with every part, one after the other.
    pub(super) fn each(&self, mut act: impl FnMut(&mut Table<T>)) {
        self.0.iter().for_each(|part| act(&mut part.lock()));
    }

    /// Hands out every row, in pieces.
    pub(super) fn copy(&self, mut take: impl FnMut(Vec<(u64, T)>)) {
        for part in &self.0 {
            let mut from = 0;
            loop {
                let piece = part.lock().piece(from);
                if piece.is_empty() {
                    break;
                }
                from += piece.len();
                take(piece);
            }
        }
    }

    /// Puts rows in the place of what is there under their keys.
    pub(super) fn restore(&self, rows: Vec<(u64, T)>) {
        for (key, value) in rows {
            *self.lock(key).entry(key) = value;
        }
    }

    /// Rows kept now, and how many made room so far.
    pub(super) fn sizes(&self) -> (usize, u64) {
        let parts = self.0.iter().map(|part| {
            let part = part.lock();
            (part.rows.len(), part.evictions)
        });
        parts.fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1))
    }
}

/// Rows by key, at most `capacity` of them.
///
/// Rows are dense, so that they can be copied out in pieces, and evicting costs the same whatever
/// the size: of `SAMPLE` rows after a moving hand, the one least recently used makes room.
#[derive(Debug)]
pub(super) struct Table<T> {
    index: HashMap<u64, u32, BuildHasherDefault<Identity>>,
    rows: Vec<Row<T>>,
    capacity: usize,
    hand: usize,
    /// Grows with every use: recency that no clock can disturb.
    uses: u64,
    evictions: u64,
}

#[derive(Debug)]
struct Row<T> {
    key: u64,
    used: u64,
    value: T,
}

impl<T: Clone + Default> Table<T> {
    fn new(capacity: usize) -> Self {
        Self {
            index: HashMap::default(),
            rows: Vec::new(),
            capacity: capacity.clamp(1, u32::MAX as usize),
            hand: 0,
            uses: 0,
            evictions: 0,
        }
    }

    /// What is known under a key.
    pub(super) fn get(&self, key: u64) -> Option<&T> {
        let at = *self.index.get(&key)?;
        self.rows.get(at as usize).map(|row| &row.value)
    }

    /// What is under a key, made if it is not there.
    pub(super) fn entry(&mut self, key: u64) -> &mut T {
        self.uses += 1;
        let at = match self.index.get(&key) {
            Some(&at) => at as usize,
            None => self.make(key),
        };
        let row = &mut self.rows[at];
        row.used = self.uses;
        &mut row.value
    }

    /// Changes every row.
    pub(super) fn each(&mut self, change: impl FnMut(&mut T)) {
        self.rows
            .iter_mut()
            .map(|row| &mut row.value)
            .for_each(change);
    }

    fn piece(&self, from: usize) -> Vec<(u64, T)> {
        let rows = self.rows.iter().skip(from).take(PIECE);
        rows.map(|row| (row.key, row.value.clone())).collect()
    }

    fn make(&mut self, key: u64) -> usize {
        let row = Row {
            key,
            used: 0,
            value: T::default(),
        };
        let at = if self.rows.len() < self.capacity {
            self.rows.push(row);
            self.rows.len() - 1
        } else {
            let at = self.victim();
            self.index.remove(&self.rows[at].key);
            self.rows[at] = row;
            self.evictions += 1;
            at
        };
        #[expect(
            clippy::cast_possible_truncation,
            reason = "capacity is clamped to u32"
        )]
        self.index.insert(key, at as u32);
        at
    }

    fn victim(&mut self) -> usize {
        let length = self.rows.len();
        let start = self.hand;
        self.hand = (start + SAMPLE) % length;
        (start..start + SAMPLE)
            .map(|at| at % length)
            .min_by_key(|&at| self.rows[at].used)
            .unwrap_or(start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_more_than_its_capacity_and_the_busy_stay() {
        let mut table = Table::<u32>::new(1_000);
        for round in 0..50_000u64 {
            *table.entry(round.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1 << 63) += 1;
            *table.entry(round % 10) += 1;
        }
        assert_eq!(table.rows.len(), 1_000);
        assert_eq!(table.index.len(), 1_000);
        assert_eq!(table.evictions, 50_000 - 990);
        let counts: Vec<_> = (0..10).map(|key| table.get(key).copied()).collect();
        assert_eq!(counts, [Some(5_000); 10]);
    }

    #[test]
    fn all_rows_are_copied_once_and_can_be_restored() {
        let key = |n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let (one, other) = (Shards::<u64>::new(100_000), Shards::new(100_000));
        for n in 0..50_000 {
            *one.lock(key(n)).entry(key(n)) = n;
        }
        let mut pieces = 0;
        one.copy(|rows| {
            assert!(rows.len() <= PIECE);
            pieces += 1;
            other.restore(rows);
        });
        assert!(pieces >= 50_000 / PIECE);
        assert_eq!(other.sizes(), (50_000, 0));
        assert!((0..50_000).all(|n| other.lock(key(n)).get(key(n)) == Some(&n)));
    }
}
