//! Figures with their intervals, from one trial or from one per fold.

use super::bootstrap::quantile;
use super::trial::{BlockedTally, Tally};
use super::{Draw, Trial};
use rayon::prelude::*;
use serde::Serialize;
use std::collections::BTreeMap;

pub use super::trial::TARGETS;

/// Figures of the order of the scores; the thresholds of the recalls are chosen on the very
/// calls that judge, so that detectors are compared at the same false positives.
pub const RANKING: [&str; 4] = [
    "recall_at_0_01_percent",
    "recall_at_0_1_percent",
    "average_precision",
    "brier",
];

/// Figures of a threshold that was chosen before the calls that judge: what an operator gets.
pub const BLOCKING: [&str; 12] = [
    "recall",
    "false_positive_rate",
    "money_leaked",
    "volume_money_leaked",
    "first_block_call_median",
    "first_block_call_p95",
    "first_block_seconds_median",
    "first_block_seconds_p95",
    "attacks",
    "attacks_never_blocked",
    "legitimate_calls_hit",
    "customers_hit",
];

const RECALL_STRICT: usize = 0;
const RECALL: usize = 1;
const AVERAGE_PRECISION: usize = 2;
const BRIER: usize = 3;

/// A figure and its 95 % interval. A first block that never comes is infinite; JSON knows no
/// infinity, so it stands there as `null`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// The figure.
    pub value: Option<f64>,
    /// 2.5 % of the draws lie below.
    pub low: Option<f64>,
    /// 2.5 % of the draws lie above.
    pub high: Option<f64>,
}

/// What a detector comes to on some kind of fraud.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figures {
    /// Frauds that judge.
    pub fraud: usize,
    /// [`RANKING`].
    pub ranking: BTreeMap<&'static str, Estimate>,
    /// [`BLOCKING`], at the threshold for 1 legitimate call in 10,000; of our model the one that
    /// is served by default, which keeps a margin to that.
    pub one_in_10_000: BTreeMap<&'static str, Estimate>,
    /// [`BLOCKING`], at the threshold for 1 legitimate call in 1,000.
    pub one_in_1_000: BTreeMap<&'static str, Estimate>,
}

/// All values of one class under one draw: [`RANKING`], then [`BLOCKING`] by target.
type Values = Vec<Option<f64>>;

/// Figures of a detector, and of each draw the average precision, for paired differences.
pub(super) struct Measured {
    /// Of all fraud.
    pub overall: Figures,
    /// By number of the family.
    pub by_family: BTreeMap<usize, Figures>,
    /// Average precision of all fraud under each draw.
    pub average_precisions: Vec<Option<f64>>,
}

/// Measures the trials of a detector under every draw. `draws[k]` are those of trial `k`, as
/// many for each.
pub(super) fn measure(trials: &[Trial<'_>], all: &Draw, draws: &[Vec<Draw>]) -> Measured {
    let point = values(trials, &vec![all; trials.len()]);
    let count = draws.iter().map(Vec::len).min().unwrap_or(0);
    let replicates: Vec<_> = (0..count)
        .into_par_iter()
        .map(|nth| {
            let each: Vec<&Draw> = draws.iter().map(|draws| &draws[nth]).collect();
            values(trials, &each)
        })
        .collect();
    let fraud = |class: Option<usize>| {
        let calls = trials.iter().map(|trial| trial.fraud_of(class));
        calls.sum()
    };
    let figures = |class: Option<usize>| {
        let of = |values: &BTreeMap<Option<usize>, Values>| values.get(&class).cloned();
        let drawn: Vec<Values> = replicates.iter().filter_map(of).collect();
        Figures::of(fraud(class), &of(&point).unwrap_or_default(), &drawn)
    };
    let families = point.keys().copied().flatten();
    Measured {
        overall: figures(None),
        by_family: families.map(|f| (f, figures(Some(f)))).collect(),
        average_precisions: replicates
            .iter()
            .map(|values| values.get(&None)?.get(AVERAGE_PRECISION).copied()?)
            .collect(),
    }
}

/// The values of all fraud (`None`) and of each family, over all trials.
fn values(trials: &[Trial<'_>], draws: &[&Draw]) -> BTreeMap<Option<usize>, Values> {
    let mut by: BTreeMap<Option<usize>, Vec<Tally>> = BTreeMap::new();
    for (trial, draw) in trials.iter().zip(draws) {
        let names = trial.families().iter().map(|family| Some(*family));
        let names = std::iter::once(None).chain(names);
        for (name, tally) in names.zip(trial.measure(draw)) {
            by.entry(name).or_default().push(tally);
        }
    }
    let joined = by.into_iter().map(|(name, tallies)| (name, join(&tallies)));
    joined.collect()
}

#[expect(clippy::cast_precision_loss, reason = "counts below 2^52")]
fn n(count: usize) -> f64 {
    count as f64
}

fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

/// One trial's tallies, or several folds': what is counted adds up; average precision and false
/// positives, which belong to a whole ranking, are averaged.
fn join(tallies: &[Tally]) -> Values {
    let mut values = vec![None; RANKING.len()];
    let recall = |target: usize| {
        let found = |tally: &Tally| {
            let point = tally.swept.points.get(target);
            point.map_or(0.0, |point| point.recall * n(tally.swept.fraud))
        };
        let fraud: usize = tallies.iter().map(|tally| tally.swept.fraud).sum();
        ratio(tallies.iter().map(found).sum(), n(fraud))
    };
    values[RECALL_STRICT] = recall(0);
    values[RECALL] = recall(1);
    let precisions: Vec<f64> = tallies
        .iter()
        .filter_map(|tally| tally.swept.average_precision)
        .collect();
    values[AVERAGE_PRECISION] = ratio(precisions.iter().sum(), n(precisions.len()));
    let errors = tallies.iter().filter_map(|tally| tally.errors);
    let (error, calls) = errors.fold((0.0, 0), |sum, e| (sum.0 + e.0, sum.1 + e.1));
    values[BRIER] = ratio(error, n(calls));
    for target in 0..TARGETS.len() {
        let blocked: Vec<&BlockedTally> = tallies.iter().map(|t| &t.blocked[target]).collect();
        values.extend(blocking(&blocked));
    }
    values
}

fn blocking(folds: &[&BlockedTally]) -> [Option<f64>; BLOCKING.len()] {
    let count = |of: &dyn Fn(&BlockedTally) -> usize| n(folds.iter().map(|f| of(f)).sum());
    let money = |of: &dyn Fn(&BlockedTally) -> f64| folds.iter().map(|f| of(f)).sum::<f64>();
    let per_fold = |sum: f64| ratio(sum, n(folds.len()));
    let attacks = || folds.iter().flat_map(|fold| fold.first.iter().copied());
    let all: usize = attacks().map(|(.., times)| times).sum();
    let never: usize = attacks()
        .filter(|(call, ..)| call.is_infinite())
        .map(|(.., times)| times)
        .sum();
    let mut calls: Vec<(f64, usize)> = attacks().map(|(call, _, times)| (call, times)).collect();
    let mut seconds: Vec<(f64, usize)> = attacks().map(|(_, s, times)| (s, times)).collect();
    [
        ratio(count(&|f| f.found), count(&|f| f.fraud)),
        ratio(count(&|f| f.hit), count(&|f| f.legitimate)),
        ratio(money(&|f| f.through), money(&|f| f.money)),
        ratio(money(&|f| f.volume_through), money(&|f| f.volume_money)),
        rank(&mut calls, 0.5),
        rank(&mut calls, 0.95),
        rank(&mut seconds, 0.5),
        rank(&mut seconds, 0.95),
        Some(n(all)),
        Some(n(never)),
        per_fold(count(&|f| f.hit)),
        per_fold(count(&|f| f.customers_hit)),
    ]
}

/// The nearest-rank quantile of values that count several times.
fn rank(values: &mut [(f64, usize)], share: f64) -> Option<f64> {
    values.sort_by(|a, b| a.0.total_cmp(&b.0));
    let all: usize = values.iter().map(|(_, times)| times).sum();
    let mut passed = 0;
    let reached = values.iter().find(|(_, times)| {
        passed += times;
        n(passed) >= share * n(all)
    });
    reached.map(|(value, _)| *value)
}

impl Figures {
    fn of(fraud: usize, point: &[Option<f64>], drawn: &[Values]) -> Self {
        let estimate = |at: usize| {
            let mut values: Vec<f64> = drawn.iter().filter_map(|values| values[at]).collect();
            Estimate {
                value: point.get(at).copied().flatten(),
                low: quantile(&mut values, 0.025),
                high: quantile(&mut values, 0.975),
            }
        };
        let named = |names: &'static [&'static str], from: usize| {
            let each = names.iter().enumerate();
            each.map(|(at, name)| (*name, estimate(from + at)))
                .collect()
        };
        Self {
            fraud,
            ranking: named(&RANKING, 0),
            one_in_10_000: named(&BLOCKING, RANKING.len()),
            one_in_1_000: named(&BLOCKING, RANKING.len() + BLOCKING.len()),
        }
    }
}

/// The difference of two detectors' average precisions, with the interval of paired draws.
pub(super) fn difference(ours: &Measured, theirs: &Measured) -> Estimate {
    let value = |m: &Measured| m.overall.ranking[RANKING[AVERAGE_PRECISION]].value;
    let pairs = ours
        .average_precisions
        .iter()
        .zip(&theirs.average_precisions);
    let mut drawn: Vec<f64> = pairs.filter_map(|(a, b)| Some((*a)? - (*b)?)).collect();
    Estimate {
        value: value(ours).zip(value(theirs)).map(|(a, b)| a - b),
        low: quantile(&mut drawn, 0.025),
        high: quantile(&mut drawn, 0.975),
    }
}
