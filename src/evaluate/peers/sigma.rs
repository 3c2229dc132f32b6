//! Mean plus two standard deviations of the account's own past: the rule of thumb of fraud
//! management by call records.
//!
//! Of every customer is kept what a usual hour and a usual day are: calls in an hour, and calls,
//! calls abroad and money committed in a day (a call's price per minute, since its length is not
//! known when it begins). A call's score is the largest distance of what was counted so far from
//! the mean of the closed hours and days, in standard deviations. Hours and days without calls
//! count: a quiet account is usual in its quiet.

use crate::domain::{Country, Timestamp};
use crate::evaluate::Calls;
use std::collections::HashMap;

/// Hours and days that must be closed before there is a usual one.
const ENOUGH: [f64; 2] = [48.0, 3.0];
/// Smallest deviation that is believed: a call, or a tenth of a currency unit per minute.
const FLOOR: [f64; 4] = [1.0, 1.0, 1.0, 0.1];
const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;

/// Count, sum and sum of squares of closed periods.
#[derive(Clone, Copy, Debug, Default)]
struct Past {
    periods: f64,
    sum: f64,
    squares: f64,
}

impl Past {
    fn close(&mut self, value: f64, then_empty: i64) {
        #[expect(clippy::cast_precision_loss, reason = "hours of some years")]
        let empty = then_empty as f64;
        self.periods += 1.0 + empty;
        self.sum += value;
        self.squares += value * value;
    }

    fn deviations(&self, value: f64, floor: f64, enough: f64) -> f64 {
        if self.periods < enough {
            return 0.0;
        }
        let mean = self.sum / self.periods;
        let variance = (self.squares / self.periods - mean * mean).max(0.0);
        (value - mean) / variance.sqrt().max(floor)
    }
}

/// What is known of a customer: by measure, the past and the period that is open.
#[derive(Debug)]
struct Habit {
    period: [i64; 4],
    open: [f64; 4],
    past: [Past; 4],
}

/// Length of the period of each measure.
const LENGTH: [i64; 4] = [HOUR, DAY, DAY, DAY];

/// Of each call the largest distance from the customer's usual, standard deviations.
#[must_use]
pub fn sigma(calls: &Calls) -> Vec<f64> {
    let mut homes: HashMap<usize, HashMap<Country, u32>> = HashMap::new();
    let mut habits: HashMap<usize, Habit> = HashMap::new();
    (0..calls.len())
        .map(|row| {
            let fact = &calls.facts[row];
            // Abroad is every country but the one this customer called most so far.
            let countries = homes.entry(fact.customer).or_default();
            let most = countries.values().copied().max().unwrap_or(0);
            let here = countries.entry(fact.country).or_default();
            let abroad = f64::from(u8::from(*here < most));
            *here += 1;
            let at = calls.data.at[row];
            let habit = habits
                .entry(fact.customer)
                .or_insert_with(|| Habit::new(at));
            habit.count(at, [1.0, 1.0, abroad, f64::from(fact.price)])
        })
        .collect()
}

impl Habit {
    fn new(at: Timestamp) -> Self {
        Self {
            period: LENGTH.map(|length| at.secs().div_euclid(length)),
            open: [0.0; 4],
            past: [Past::default(); 4],
        }
    }

    fn count(&mut self, at: Timestamp, adds: [f64; 4]) -> f64 {
        let mut worst = 0.0_f64;
        for measure in 0..LENGTH.len() {
            let period = at.secs().div_euclid(LENGTH[measure]);
            let passed = period - self.period[measure];
            if passed > 0 {
                self.past[measure].close(self.open[measure], passed - 1);
                self.open[measure] = 0.0;
                self.period[measure] = period;
            }
            self.open[measure] += adds[measure];
            let enough = ENOUGH[usize::from(measure > 0)];
            let value = self.open[measure];
            worst = worst.max(self.past[measure].deviations(value, FLOOR[measure], enough));
        }
        worst
    }
}
