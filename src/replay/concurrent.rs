//! How many calls a caller had up when he made another, counted from the calls themselves.

use super::Row;
use crate::domain::Timestamp;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;

/// Calls up at once, of all callers: so many ends are remembered.
const MOST: usize = 1_000_000;

/// Walks calls in order of their time and says of each how many its caller already had up.
///
/// Exact: a call is up from its start until its end, ringing included, and no longer at the very
/// moment of its end. Calls of which the file does not say how long they were count as none.
#[derive(Debug, Default)]
pub struct Concurrency {
    /// Ends of calls that are up.
    ends: BinaryHeap<Reverse<(Timestamp, Arc<str>)>>,
    up: HashMap<Arc<str>, u32>,
    uncounted: u64,
}

impl Concurrency {
    /// Before the first call.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Says it of the next call, unless the call says it itself.
    pub fn tell(&mut self, row: &mut Row) {
        let start = row.record.time;
        while let Some(Reverse((end, _))) = self.ends.peek()
            && *end <= start
        {
            if let Some(Reverse((_, caller))) = self.ends.pop() {
                self.ended(&caller);
            }
        }
        let caller = format!(
            "{}@{}",
            row.record.user,
            row.record.domain.to_ascii_lowercase()
        );
        let up = self.up.get(caller.as_str()).copied();
        // With ends that were not remembered a count would be too low.
        if row.record.calls.is_none() && self.uncounted == 0 {
            row.record.calls = Some(up.unwrap_or_default());
        }
        let Some(seconds) = row.up_s.or(row.record.duration_s).filter(|s| *s > 0) else {
            return;
        };
        if self.ends.len() >= MOST {
            self.uncounted += 1;
            return;
        }
        let caller: Arc<str> = match self.up.get_key_value(caller.as_str()) {
            Some((known, _)) => Arc::clone(known),
            None => caller.into(),
        };
        *self.up.entry(Arc::clone(&caller)).or_default() += 1;
        self.ends
            .push(Reverse((start.plus_secs(i64::from(seconds)), caller)));
    }

    /// Calls that were not counted because a million were up; from the first of them on nothing
    /// is said any more.
    #[must_use]
    pub const fn uncounted(&self) -> u64 {
        self.uncounted
    }

    fn ended(&mut self, caller: &Arc<str>) {
        if let Some(count) = self.up.get_mut(caller) {
            *count -= 1;
            if *count == 0 {
                self.up.remove(caller);
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::domain::{CallRecord, Column};
    use rand::{RngExt as _, SeedableRng};

    pub(in crate::replay) fn row(user: &str, secs: i64, up_s: Option<u32>, line: u64) -> Row {
        let record = CallRecord::from_fields(|column| match column {
            Column::Time => "2026-03-01T12:00:00Z",
            Column::User => user,
            Column::Domain => "a.example",
            Column::DialedNumber => "442079460123",
            Column::SourceIp => "192.0.2.1",
            _ => "",
        });
        let record = CallRecord {
            time: Timestamp::from_secs(secs),
            ..record.expect("a record")
        };
        Row {
            up_s,
            ..Row::of_table(record, line)
        }
    }

    #[test]
    fn the_count_is_that_of_looking_at_every_pair() {
        let mut dice = rand_pcg::Pcg64Mcg::seed_from_u64(1);
        let users = ["ann", "bob", "eve"];
        let mut rows: Vec<Row> = (0..600)
            .map(|line| {
                let user = users[dice.random_range(0..users.len())];
                let up = dice.random_range(0..300_u32);
                row(user, dice.random_range(0..3_600), Some(up), line)
            })
            .collect();
        rows.sort_by_key(|row| (row.record.time, row.line));
        let mut walk = Concurrency::new();
        let told: Vec<u32> = rows
            .iter()
            .map(|row| {
                let mut row = row.clone();
                walk.tell(&mut row);
                row.record.calls.expect("told")
            })
            .collect();
        for (at, row) in rows.iter().enumerate() {
            let is_up = |other: &&Row| {
                let end = other.record.time.plus_secs(other.up_s.unwrap_or(0).into());
                other.record.user == row.record.user && end > row.record.time
            };
            let expected = rows[..at].iter().filter(is_up).count();
            assert_eq!(told[at] as usize, expected, "row {at}");
        }
        assert!(told.iter().max() > Some(&10));
    }

    #[test]
    fn what_a_call_says_itself_stands_and_an_unknown_length_counts_as_none() {
        let mut walk = Concurrency::new();
        let mut first = row("ann", 0, None, 1);
        walk.tell(&mut first);
        let mut second = row("ann", 1, Some(60), 2);
        second.record.calls = Some(9);
        walk.tell(&mut second);
        let mut third = row("ann", 2, Some(60), 3);
        walk.tell(&mut third);
        let told = [first, second, third].map(|row| row.record.calls);
        assert_eq!(told, [Some(0), Some(9), Some(1)]);
        // At the very end of a call it is no longer up.
        let mut last = row("ann", 61, Some(60), 4);
        walk.tell(&mut last);
        assert_eq!(last.record.calls, Some(1));
    }
}
