//! Bounded tables by key, in parts that are locked apart and copied out a little at a time.

use crate::domain::{Prehashed, Timestamp};
use parking_lot::{FairMutex, FairMutexGuard};
use std::collections::HashMap;
use std::hash::BuildHasherDefault;

/// Parts of a table: two calls seldom want the same, and growing one moves little.
const SHARDS: usize = 64;
/// Rows copied while calls wait, at most. The locks are fair: calls go first after each piece.
const PIECE: usize = 256;
/// How many neighbours an eviction looks at: of them goes what is over, else the least recently
/// used.
const SAMPLE: usize = 16;

/// What a table keeps under a key.
pub(super) trait Row: Clone + Default {
    /// Whether it says nothing any more at that time, so that forgetting it changes nothing.
    fn is_over(&self, now: Timestamp) -> bool;
}

/// How full a table is, and what its bound has cost so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Rows kept now.
    pub rows: usize,
    /// Rows that made room for others.
    pub evicted: u64,
    /// Those of them that still mattered: calls that were counted and are no longer.
    pub forgotten: u64,
}

impl std::ops::Add for Sizes {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            rows: self.rows + other.rows,
            evicted: self.evicted + other.evicted,
            forgotten: self.forgotten + other.forgotten,
        }
    }
}

/// A table in parts.
#[derive(Debug)]
pub(super) struct Shards<T>([FairMutex<Table<T>>; SHARDS]);

impl<T: Row> Shards<T> {
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

    /// Puts rows in the place of what is there under their keys. They came out of a table of this
    /// size, so none has to make room.
    pub(super) fn restore(&self, rows: Vec<(u64, T)>) {
        for (key, value) in rows {
            *self.lock(key).entry(key, Timestamp::default()) = value;
        }
    }

    /// Of all parts together.
    pub(super) fn sizes(&self) -> Sizes {
        let parts = self.0.iter().map(|part| part.lock().sizes());
        parts.fold(Sizes::default(), |all, part| all + part)
    }
}

/// Rows by key, at most `capacity` of them.
///
/// Rows are dense, so that they can be copied out in pieces, and evicting costs the same whatever
/// the size: of `SAMPLE` rows after a moving hand, one that is over makes room, else the one
/// least recently used.
#[derive(Debug)]
pub(super) struct Table<T> {
    index: HashMap<u64, u32, BuildHasherDefault<Prehashed>>,
    rows: Vec<Kept<T>>,
    capacity: usize,
    hand: usize,
    /// Grows with every use: recency that no clock can disturb.
    uses: u64,
    evicted: u64,
    forgotten: u64,
}

#[derive(Debug)]
struct Kept<T> {
    key: u64,
    used: u64,
    value: T,
}

impl<T: Row> Table<T> {
    fn new(capacity: usize) -> Self {
        Self {
            index: HashMap::default(),
            rows: Vec::new(),
            capacity: capacity.clamp(1, u32::MAX as usize),
            hand: 0,
            uses: 0,
            evicted: 0,
            forgotten: 0,
        }
    }

    /// What is known under a key, which is used by that.
    pub(super) fn touch(&mut self, key: u64) -> Option<&T> {
        self.uses += 1;
        let at = *self.index.get(&key)?;
        let row = self.rows.get_mut(at as usize)?;
        row.used = self.uses;
        Some(&row.value)
    }

    /// What is known under a key.
    pub(super) fn get(&self, key: u64) -> Option<&T> {
        let at = *self.index.get(&key)?;
        self.rows.get(at as usize).map(|row| &row.value)
    }

    /// What is under a key, made if it is not there. Something may make room for it, best what
    /// is over `now`.
    pub(super) fn entry(&mut self, key: u64, now: Timestamp) -> &mut T {
        self.uses += 1;
        let at = match self.index.get(&key) {
            Some(&at) => at as usize,
            None => self.make(key, now),
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

    const fn sizes(&self) -> Sizes {
        Sizes {
            rows: self.rows.len(),
            evicted: self.evicted,
            forgotten: self.forgotten,
        }
    }

    fn piece(&self, from: usize) -> Vec<(u64, T)> {
        let rows = self.rows.iter().skip(from).take(PIECE);
        rows.map(|row| (row.key, row.value.clone())).collect()
    }

    fn make(&mut self, key: u64, now: Timestamp) -> usize {
        let row = Kept {
            key,
            used: 0,
            value: T::default(),
        };
        let at = if self.rows.len() < self.capacity {
            self.rows.push(row);
            self.rows.len() - 1
        } else {
            let at = self.victim(now);
            let victim = std::mem::replace(&mut self.rows[at], row);
            self.index.remove(&victim.key);
            self.evicted += 1;
            self.forgotten += u64::from(!victim.value.is_over(now));
            at
        };
        #[expect(
            clippy::cast_possible_truncation,
            reason = "capacity is clamped to u32"
        )]
        self.index.insert(key, at as u32);
        at
    }

    fn victim(&mut self, now: Timestamp) -> usize {
        let length = self.rows.len();
        let start = self.hand;
        self.hand = (start + SAMPLE) % length;
        (start..start + SAMPLE)
            .map(|at| at % length)
            .min_by_key(|&at| {
                let row = &self.rows[at];
                (!row.value.is_over(now), row.used)
            })
            .unwrap_or(start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_760_000_000);

    /// A count, and since when it is over.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    struct Count(u64, Option<Timestamp>);

    impl Row for Count {
        fn is_over(&self, now: Timestamp) -> bool {
            self.1.is_some_and(|over| now >= over)
        }
    }

    const fn key(n: u64) -> u64 {
        n.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1 << 63
    }

    #[test]
    fn never_more_than_its_capacity_and_the_busy_stay() {
        let mut table = Table::<Count>::new(1_000);
        for round in 0..50_000 {
            table.entry(key(round), NOW).0 += 1;
            table.entry(round % 10, NOW).0 += 1;
        }
        assert_eq!(table.index.len(), 1_000);
        let evicted = 50_000 - 990;
        assert_eq!(
            table.sizes(),
            Sizes {
                rows: 1_000,
                evicted,
                forgotten: evicted
            }
        );
        let counts: Vec<_> = (0..10).map(|key| table.get(key).map(|c| c.0)).collect();
        assert_eq!(counts, [Some(5_000); 10]);
    }

    #[test]
    fn looking_is_using() {
        let mut table = Table::<Count>::new(1_000);
        table.entry(0, NOW).0 = 7;
        for round in 1..50_000 {
            assert_eq!(table.touch(0), Some(&Count(7, None)), "{round}");
            let _made = table.entry(key(round), NOW);
        }
        assert_eq!(table.touch(1), None);
        assert_eq!(table.sizes().rows, 1_000, "nothing is made by looking");
    }

    /// Every second row is over: while one of them is in the sample, no other has to go.
    #[test]
    fn what_is_over_goes_first() {
        let mut table = Table::<Count>::new(1_000);
        for n in 0..1_000 {
            let over = (n % 2 == 1).then_some(NOW);
            *table.entry(key(n), NOW) = Count(n, over);
        }
        for n in 1_000..1_250 {
            table.entry(key(n), NOW.plus_secs(1)).0 = n;
        }
        assert_eq!((table.evicted, table.forgotten), (250, 0));
        let kept = (0..1_000).filter(|n| n % 2 == 0);
        assert!(kept.into_iter().all(|n| table.get(key(n)).is_some()));
        // Before its time nothing is over.
        let _made = table.entry(key(5_000), NOW.plus_secs(-1));
        assert_eq!((table.evicted, table.forgotten), (251, 1));
    }

    #[test]
    fn all_rows_are_copied_once_and_can_be_restored() {
        let (one, other) = (Shards::<Count>::new(100_000), Shards::new(100_000));
        for n in 0..50_000 {
            one.lock(key(n)).entry(key(n), NOW).0 = n;
        }
        let mut pieces = 0;
        one.copy(|rows| {
            assert!(rows.len() <= PIECE);
            pieces += 1;
            other.restore(rows);
        });
        assert!(pieces >= 50_000 / PIECE);
        let whole = Sizes {
            rows: 50_000,
            ..Sizes::default()
        };
        assert_eq!(other.sizes(), whole);
        assert!((0..50_000).all(|n| other.lock(key(n)).get(key(n)) == Some(&Count(n, None))));
    }
}
