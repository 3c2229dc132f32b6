//! Above which score a call is refused, and above which novelty it alerts.

use super::metrics::{n, operating_point};
use crate::model::AlarmThresholds;

/// Calls that are more likely legitimate than not are never called fraud by default, even
/// where the calibration calls separate so well that the false positives would allow it.
const LOWEST_DEFAULT: f32 = 0.5;
/// The largest number below 1. A call is refused above a threshold and no score is above 1, so at 1
/// nothing ever was: one doubtful label, a legitimate call that scores like fraud, would do that.
const HIGHEST: f32 = 1.0 - f32::EPSILON / 2.0;
/// Share of legitimate calls that may be refused by default.
const ALLOWED: f64 = 1e-4;
/// How likely it may be that so few were refused by luck.
const LUCK: f64 = 0.1;
/// Share of the legitimate calls the tail is taken from, and the fewest of them.
const TAIL: (f64, usize) = (0.02, 10);

/// Thresholds by the scores of the calibration part.
pub(super) fn thresholds(scores: &[f32], log_odds: &[f64], fraud: &[bool]) -> AlarmThresholds {
    let at = |target| {
        let point = operating_point(scores, fraud, target);
        point.map_or(HIGHEST, |point| narrow(point.threshold).min(HIGHEST))
    };
    let legitimate = log_odds.iter().zip(fraud).filter(|(_, fraud)| !**fraud);
    let default = default_log_odds(legitimate.map(|(z, _)| *z).collect());
    AlarmThresholds {
        default: narrow(probability(default)).clamp(LOWEST_DEFAULT, HIGHEST),
        false_positives_0_1_percent: at(1e-3),
        false_positives_0_01_percent: at(ALLOWED),
    }
}

/// The log-odds above which at most [`ALLOWED`] of legitimate calls like these are.
///
/// Enough calls: as many of these are left above it as still rule out, but for a chance of
/// [`LUCK`], that the true share is larger (the Poisson bound). Too few for that (below
/// 23,000): never below the largest of them, and where their tail, taken as exponential,
/// leads to.
fn default_log_odds(mut legitimate: Vec<f64>) -> f64 {
    legitimate.sort_by(|a, b| b.total_cmp(a));
    let Some(largest) = legitimate.first().copied() else {
        return f64::INFINITY;
    };
    let expected = ALLOWED * n(legitimate.len());
    match most_above(expected) {
        Some(above) => legitimate.get(above).copied().unwrap_or(largest),
        None => tail_log_odds(&legitimate, expected).max(largest),
    }
}

/// The largest count that is at most [`LUCK`] likely, or any below it, where `expected` are
/// to be expected; `None`: even none at all is likelier.
fn most_above(expected: f64) -> Option<usize> {
    let mut term = (-expected).exp();
    let mut sum = term;
    let mut most = None;
    let mut count = 0;
    while sum <= LUCK {
        most = Some(count);
        count += 1;
        term *= expected / n(count);
        sum += term;
    }
    most
}

/// Where an exponential tail through the largest of `sorted` has `expected` calls above it.
fn tail_log_odds(sorted: &[f64], expected: f64) -> f64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a count"
    )]
    let count = ((n(sorted.len()) * TAIL.0) as usize).max(TAIL.1);
    let Some(from) = sorted.get(count) else {
        return f64::NEG_INFINITY;
    };
    let excess: f64 = sorted.iter().take(count).map(|z| z - from).sum();
    from + excess / n(count) * (n(count) / expected).ln()
}

/// The largest value that no more than one in a thousand of `scores` is above; 1 of none.
pub(super) fn novelty_alarm(mut scores: Vec<f32>) -> f32 {
    scores.sort_by(|a, b| b.total_cmp(a));
    scores.get(scores.len() / 1_000).copied().unwrap_or(1.0)
}

fn probability(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "as the model file keeps it"
)]
fn narrow(x: f64) -> f32 {
    x as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Quantiles of an exponential of mean 2, shifted: their tail is known.
    fn exponential(count: usize) -> Vec<f64> {
        let at = |i: usize| -9.0 - 2.0 * ((n(i) + 0.5) / n(count)).ln();
        (0..count).map(at).collect()
    }

    #[test]
    fn the_poisson_bound_leaves_a_margin() {
        // By Python: P(0; 2.3026) = .1; P(9; 15) = .0699, P(10; 15) = .1185; P(86; 100) =
        // .0861, P(87; 100) = .1038.
        assert_eq!(most_above(2.30), None);
        assert_eq!(most_above(2.31), Some(0));
        assert_eq!(most_above(15.0), Some(9));
        assert_eq!(most_above(100.0), Some(86));
    }

    #[test]
    fn enough_calls_are_counted_too_few_are_extrapolated() {
        let known = |count: usize| default_log_odds(exponential(count));
        // True log-odds with 1e-4 above: -9 - 2 ln 1e-4 = 9.42.
        let truth = -9.0 - 2.0 * ALLOWED.ln();
        let counted = known(150_000);
        assert!(counted > truth && counted < truth + 1.5, "{counted}");
        let extrapolated = known(5_000);
        assert!((extrapolated - truth).abs() < 1.0, "{extrapolated}");
        let few = exponential(5);
        assert!((default_log_odds(few.clone()) - few[0]).abs() < 1e-12);
        assert!(default_log_odds(Vec::new()).is_infinite());
    }

    #[test]
    fn the_default_is_never_below_one_half_and_always_below_one() {
        let fraud: Vec<bool> = (0..100).map(|i| i >= 50).collect();
        let log_odds: Vec<f64> = (0..100).map(|i| if i < 50 { -20.0 } else { 3.0 }).collect();
        let scores: Vec<f32> = log_odds.iter().map(|z| narrow(probability(*z))).collect();
        let low = thresholds(&scores, &log_odds, &fraud);
        assert!((low.default - 0.5).abs() < f32::EPSILON);
        let none = thresholds(&[0.9], &[2.0], &[true]);
        assert!(none.default < 1.0 && none.default > 0.999_999_9);
    }

    #[test]
    fn one_doubtful_label_does_not_switch_the_alarm_off() {
        // A legitimate call at the very top, as a fraud that was judged wrong is.
        let fraud: Vec<bool> = (0..100).map(|i| i >= 50).collect();
        let mut log_odds: Vec<f64> = (0..100)
            .map(|i| if i < 50 { -20.0 } else { 40.0 })
            .collect();
        log_odds[7] = 40.0;
        let scores: Vec<f32> = log_odds.iter().map(|z| narrow(probability(*z))).collect();
        let found = thresholds(&scores, &log_odds, &fraud);
        let above = |threshold: f32| scores.iter().filter(|s| **s > threshold).count();
        assert_eq!(above(found.default), 51, "{found:?}");
        for threshold in [
            found.false_positives_0_1_percent,
            found.false_positives_0_01_percent,
        ] {
            assert!(threshold < 1.0, "{found:?}");
        }
    }

    #[test]
    fn one_in_a_thousand_is_above_the_alarm() {
        let scores: Vec<f32> = (0..3_000_u16).map(|i| f32::from(i) / 3_000.0).collect();
        let alarm = novelty_alarm(scores.clone());
        assert_eq!(scores.iter().filter(|s| **s > alarm).count(), 3);
        assert!((novelty_alarm(Vec::new()) - 1.0).abs() < f32::EPSILON);
    }
}
