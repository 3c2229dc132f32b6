//! The largest rows of a table that could have any number of them.

use serde::Serialize;
use std::collections::HashMap;

/// Rows kept; when there are twice as many the smaller half goes.
const KEPT: usize = 20_000;

/// Calls, what they were long and what they cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Tally {
    /// How many.
    pub calls: u64,
    /// Minutes of talk, of those whose length is known.
    pub minutes: f64,
    /// What they cost, of those whose length and price are known; in the currency of the rates.
    pub cost: f64,
}

impl Tally {
    /// One call.
    #[must_use]
    pub fn of(duration_s: Option<u32>, price: Option<f32>) -> Self {
        let minutes = f64::from(duration_s.unwrap_or_default()) / 60.0;
        Self {
            calls: 1,
            minutes,
            cost: minutes * f64::from(price.unwrap_or_default()),
        }
    }

    pub(super) fn add(&mut self, other: Self) {
        self.calls += other.calls;
        self.minutes += other.minutes;
        self.cost += other.cost;
    }

    /// What comes first: money before minutes before calls, each far above the next.
    pub(super) fn weight(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "an order, no count")]
        let calls = self.calls as f64;
        self.cost * 1e6 + self.minutes + calls * 1e-6
    }
}

/// Sums by name.
#[derive(Debug, Default)]
pub(super) struct Top {
    sums: HashMap<String, Tally>,
    dropped: bool,
}

impl Top {
    pub(super) fn add(&mut self, name: &str, tally: Tally) {
        if let Some(sum) = self.sums.get_mut(name) {
            return sum.add(tally);
        }
        if self.sums.len() >= 2 * KEPT {
            let mut weights: Vec<f64> = self.sums.values().map(Tally::weight).collect();
            let (_, least, _) = weights.select_nth_unstable_by(KEPT, f64::total_cmp);
            let least = *least;
            self.sums.retain(|_, sum| sum.weight() > least);
            self.dropped = true;
        }
        self.sums.insert(name.to_owned(), tally);
    }

    /// Whether rows were dropped: what came of them before is in no sum.
    pub(super) const fn is_approximate(&self) -> bool {
        self.dropped
    }

    /// The largest, the first first.
    pub(super) fn first(self, most: usize) -> Vec<(String, Tally)> {
        let mut all: Vec<_> = self.sums.into_iter().collect();
        all.sort_by(|a, b| {
            b.1.weight()
                .total_cmp(&a.1.weight())
                .then_with(|| a.0.cmp(&b.0))
        });
        all.truncate(most);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_before_minutes_before_calls_and_small_rows_go() {
        let mut top = Top::default();
        for _ in 0..9 {
            top.add("many", Tally::of(None, None));
        }
        top.add("long", Tally::of(Some(600), None));
        top.add("dear", Tally::of(Some(60), Some(2.5)));
        for row in 0..(2 * KEPT + 10) {
            top.add(&format!("small {row}"), Tally::of(None, None));
        }
        assert!(top.is_approximate());
        assert!(top.sums.len() <= 2 * KEPT);
        let first = top.first(3);
        let names: Vec<&str> = first.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["dear", "long", "many"]);
        assert_eq!((first[0].1.minutes, first[0].1.cost), (1.0, 2.5));
        assert_eq!(first[2].1.calls, 9);
    }
}
