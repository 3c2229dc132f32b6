//! Limits in the manner of the `fraud_detection` module of OpenSIPS.
//!
//! The module counts, for each user and each destination prefix with a rule: calls of the last
//! minute, calls since the rule's interval or the day began, calls up now, and calls in a row to
//! the same number; and compares each with a critical limit (its documentation, OpenSIPS 2.1 to
//! 3.1, and its author's answers on the users' list, 2016 to 2018). The limits here are those of
//! the example profile of its tutorial, with its four intervals of the week. The length of a call
//! is only known when the money is gone: that fifth limit is left out.
//!
//! Rules are made per destination country, as operators make them, and none for the country
//! that most calls of a tenant go to: limits of five calls a minute at home would stop every
//! office. That is in the module's favour.

use crate::domain::{Country, Timestamp};
use crate::evaluate::Calls;
use chrono::{Datelike, Timelike, Weekday};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};

/// Critical limits of one interval of the week: calls a minute, calls, calls up, calls in a row.
type Critical = [f64; 4];

/// Saturday and Sunday.
const WEEKEND: Critical = [5.0, 40.0, 5.0, 30.0];
/// Monday to Friday, 0 to 9 h, 9 to 17 h, 17 to 24 h.
const WEEKDAY: [Critical; 3] = [
    [4.0, 20.0, 4.0, 15.0],
    [5.0, 35.0, 5.0, 20.0],
    [5.0, 35.0, 5.0, 26.0],
];

/// What is remembered of a user and a country.
#[derive(Debug, Default)]
struct Stats {
    minute: VecDeque<Timestamp>,
    /// The interval that is counted: day and number within it.
    interval: (i32, u32, usize),
    calls: u32,
    ends: BinaryHeap<Reverse<Timestamp>>,
    last_number: u64,
    in_a_row: u32,
}

/// How far the worst count of each call is over its limit: from 1 on the module calls it critical.
#[must_use]
pub fn limits(calls: &Calls) -> Vec<f64> {
    let home = homes(calls);
    let mut stats: HashMap<(usize, Country), Stats> = HashMap::new();
    (0..calls.len())
        .map(|row| {
            let fact = &calls.facts[row];
            if home.get(&calls.data.account.number(row)) == Some(&fact.country) {
                return 0.0;
            }
            let stats = stats.entry((fact.customer, fact.country)).or_default();
            stats.count(calls.data.at[row], fact.number, fact.talk_s)
        })
        .collect()
}

/// The country most calls of each tenant go to.
fn homes(calls: &Calls) -> HashMap<usize, Country> {
    let mut counts: HashMap<(usize, Country), usize> = HashMap::new();
    for row in 0..calls.len() {
        let key = (calls.data.account.number(row), calls.facts[row].country);
        *counts.entry(key).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    // The largest last; of equals the first by name.
    counts.sort_by_key(|((_, country), count)| (*count, Reverse(*country)));
    counts.into_iter().map(|(key, _)| key).collect()
}

impl Stats {
    /// Counts a call and says how far over the limits it is.
    fn count(&mut self, at: Timestamp, number: u64, talk_s: u32) -> f64 {
        let (interval, critical) = interval(at);
        if self.interval != interval {
            self.interval = interval;
            self.calls = 0;
        }
        self.calls += 1;
        self.minute.push_back(at);
        while self
            .minute
            .front()
            .is_some_and(|first| at.seconds_since(*first) >= 60.0)
        {
            self.minute.pop_front();
        }
        while self.ends.peek().is_some_and(|end| end.0 <= at) {
            self.ends.pop();
        }
        self.ends.push(Reverse(at.plus_secs(i64::from(talk_s))));
        self.in_a_row = if self.last_number == number {
            self.in_a_row + 1
        } else {
            1
        };
        self.last_number = number;
        #[expect(clippy::cast_precision_loss, reason = "calls of a day")]
        let counts = [
            self.minute.len() as f64,
            f64::from(self.calls),
            self.ends.len() as f64,
            f64::from(self.in_a_row),
        ];
        let over = counts
            .iter()
            .zip(critical)
            .map(|(count, limit)| count / limit);
        over.fold(0.0, f64::max)
    }
}

/// The interval of the week, and its limits.
fn interval(at: Timestamp) -> ((i32, u32, usize), Critical) {
    let time = at.to_datetime();
    let weekend = matches!(time.weekday(), Weekday::Sat | Weekday::Sun);
    let part = match time.hour() {
        _ if weekend => 0,
        0..9 => 0,
        9..17 => 1,
        _ => 2,
    };
    let critical = if weekend { WEEKEND } else { WEEKDAY[part] };
    ((time.year(), time.ordinal(), part), critical)
}
