//! Figures of merit from scores and labels, every call counted once; what goes by the order of
//! the scores is computed in [`super::ranked`].
//!
//! Our own, because linfa has no average precision and its ROC area is wrong where scores
//! tie at 0; checked against scikit-learn.

use super::ranked::{Ranked, Swept};
use serde::Serialize;

/// A score of either width.
pub trait Score: Copy {
    /// As the wider one.
    fn wide(self) -> f64;
}

impl Score for f32 {
    fn wide(self) -> f64 {
        f64::from(self)
    }
}

impl Score for f64 {
    fn wide(self) -> f64 {
        self
    }
}

/// Count as a number to divide by.
#[expect(clippy::cast_precision_loss, reason = "counts below 2^52")]
pub(super) fn n(count: usize) -> f64 {
    count as f64
}

/// All figures of one kind of fraud, every call counted once.
fn swept<S: Score>(scores: &[S], fraud: &[bool], targets: &[f64]) -> Swept {
    let class = |position: usize| usize::from(fraud[position]);
    let mut swept = Ranked::new(scores).sweep(1, class, |_| 1, targets);
    swept.swap_remove(0)
}

/// Mean cross-entropy of log-odds, natural logarithm; 0 without calls.
pub(super) fn cross_entropy(log_odds: &[f64], fraud: &[bool]) -> f64 {
    let each = log_odds.iter().zip(fraud).map(|(z, fraud)| {
        let towards = if *fraud { -z } else { *z };
        towards.max(0.0) + (-towards.abs()).exp().ln_1p()
    });
    each.sum::<f64>() / n(fraud.len().max(1))
}

/// Area under the precision-recall steps: the sum of precision times the recall gained, as
/// scikit-learn's `average_precision_score`. `None` without any fraud.
#[must_use]
pub fn average_precision<S: Score>(scores: &[S], fraud: &[bool]) -> Option<f64> {
    swept(scores, fraud, &[]).average_precision
}

/// Chance that a fraud scores above a legitimate call, ties counted half (Mann-Whitney).
/// `None` unless both are there.
#[must_use]
pub fn roc_auc<S: Score>(scores: &[S], fraud: &[bool]) -> Option<f64> {
    swept(scores, fraud, &[]).roc_auc
}

/// What a threshold does; a call is called fraud when its score is *above* it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct OperatingPoint {
    /// Largest share of legitimate calls that may be called fraud.
    pub target: f64,
    /// The threshold.
    pub threshold: f64,
    /// Legitimate calls above it.
    pub false_positives: usize,
    /// Their share of the legitimate calls; never more than `target`.
    pub false_positive_rate: f64,
    /// Share of the frauds above it.
    pub recall: f64,
    /// Whether there are enough legitimate calls for `target` to allow even one: with
    /// fewer the recall is that at no false positive at all.
    pub resolved: bool,
}

/// The lowest threshold with no more than `target` of the legitimate calls above it.
///
/// It is a score of a legitimate call: the first, from the top, that may not be called
/// fraud. Everything that ties with it stays below too. `None` unless both verdicts are there.
#[must_use]
pub fn operating_point<S: Score>(
    scores: &[S],
    fraud: &[bool],
    target: f64,
) -> Option<OperatingPoint> {
    swept(scores, fraud, &[target]).points.pop()
}

/// Mean squared error of the score as a probability; `None` without any call.
#[must_use]
pub fn brier<S: Score>(scores: &[S], fraud: &[bool]) -> Option<f64> {
    let sum: f64 = scores
        .iter()
        .zip(fraud)
        .map(|(s, y)| (s.wide() - f64::from(u8::from(*y))).powi(2))
        .sum();
    (!scores.is_empty()).then(|| sum / n(scores.len()))
}

/// One line of the reliability table.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ReliabilityBin {
    /// Scores from here (included) ...
    pub from: f64,
    /// ... to here (excluded; 1 is included).
    pub to: f64,
    /// Calls with such a score.
    pub calls: usize,
    /// Their mean score.
    pub predicted: f64,
    /// The share of them that was fraud. Calibrated: equal to `predicted`.
    pub observed: f64,
}

/// Bounds of the bins: fraud is rare, so most calls are near 0.
const BINS: [f64; 10] = [0.0, 0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0];

/// Predicted against observed, by score; bins without calls are left out.
#[must_use]
pub fn reliability<S: Score>(scores: &[S], fraud: &[bool]) -> Vec<ReliabilityBin> {
    let bins = BINS.iter().zip(&BINS[1..]);
    bins.filter_map(|(from, to)| {
        let inside = |s: f64| s >= *from && (s < *to || (s <= 1.0 && *to >= 1.0));
        let (mut calls, mut sum, mut positives) = (0, 0.0, 0);
        for (score, y) in scores.iter().map(|s| s.wide()).zip(fraud) {
            if inside(score) {
                calls += 1;
                sum += score;
                positives += usize::from(*y);
            }
        }
        (calls > 0).then(|| ReliabilityBin {
            from: *from,
            to: *to,
            calls,
            predicted: sum / n(calls),
            observed: n(positives) / n(calls),
        })
    })
    .collect()
}

/// How far predicted and observed shares lie apart, the mean over all calls (Naeini, Cooper and
/// Hauskrecht 2015, with these bins); 0 without calls.
#[must_use]
pub fn expected_calibration_error(bins: &[ReliabilityBin]) -> f64 {
    let calls: usize = bins.iter().map(|bin| bin.calls).sum();
    let apart = |bin: &ReliabilityBin| n(bin.calls) * (bin.predicted - bin.observed).abs();
    bins.iter().map(apart).sum::<f64>() / n(calls.max(1))
}

#[cfg(test)]
#[path = "metrics_tests.rs"]
mod tests;
