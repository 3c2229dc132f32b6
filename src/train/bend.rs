//! A calibration that may bend: Platt's line, corrected where the calls of a stretch of the
//! score say otherwise.
//!
//! The calls are cut into stretches with a like number of frauds. In each, frauds and legitimate
//! calls are counted beside those the line promises; the ratio moves the stretch's knot up or
//! down, drawn in by a few calls of the line's own so that a handful of calls says little.
//! Knots that fall back are pooled (isotonic regression, Ayer and others 1955), the rest is
//! straight from knot to knot. It is taken only where it does better on later calls.

use super::calibrate::platt;
use super::metrics::{cross_entropy, n};
use super::{Dataset, split};
use crate::model::{Calibration, Curve};

/// Frauds of a stretch, at least.
const FRAUDS_A_KNOT: usize = 20;
/// Most knots.
const MOST_KNOTS: usize = 16;
/// Calls of the line's own in every count.
const OWN: f64 = 5.0;
/// Least slope between two knots, as a share of the line's: the order of calls must stay.
const LEAST_SLOPE: f64 = 0.05;
/// The share of the loss on later calls a bend must save.
const WORTHWHILE: f64 = 0.01;

/// The calibration of `rows`, whose log-odds and verdicts are given; `None`: no increasing
/// one is to be had.
pub(super) fn calibration(
    data: &Dataset,
    rows: &[usize],
    log_odds: &[f64],
    fraud: &[bool],
) -> Option<Calibration> {
    let line = line(log_odds, fraud)?;
    let (earlier, later) = split::validation(data, rows);
    let of = |at: &[usize]| -> (Vec<f64>, Vec<bool>) {
        at.iter().map(|i| (log_odds[*i], fraud[*i])).unzip()
    };
    let ((z, y), (later_z, later_y)) = (of(&earlier), of(&later));
    let loss = |calibration: &Calibration| loss(calibration, &later_z, &later_y);
    let better = bent(&z, &y)
        .zip(self::line(&z, &y))
        .is_some_and(|(bent, line)| loss(&bent) < loss(&line) * (1.0 - WORTHWHILE));
    let bent = if better { bent(log_odds, fraud) } else { None };
    Some(bent.unwrap_or(line))
}

fn line(log_odds: &[f64], fraud: &[bool]) -> Option<Calibration> {
    let (slope, offset) = platt(log_odds, fraud);
    let (slope, offset) = (narrow(slope), narrow(offset));
    let usable = slope > 0.0 && slope.is_finite() && offset.is_finite();
    usable.then_some(Calibration::Platt { slope, offset })
}

/// A stretch of the score, and where it is moved to.
struct Knot {
    from: f64,
    to: f64,
    weight: f64,
}

/// The bent calibration; `None` where the frauds do not make three knots.
fn bent(log_odds: &[f64], fraud: &[bool]) -> Option<Calibration> {
    let (slope, offset) = platt(log_odds, fraud);
    let frauds = fraud.iter().filter(|y| **y).count();
    let count = (frauds / FRAUDS_A_KNOT).min(MOST_KNOTS);
    if count < 3 || !(slope > 0.0 && slope.is_finite()) {
        return None;
    }
    let mut order: Vec<usize> = (0..log_odds.len()).collect();
    order.sort_by(|a, b| log_odds[*a].total_cmp(&log_odds[*b]));
    let (mut knots, mut here, mut seen) = (Vec::new(), Vec::new(), 0);
    for i in order {
        here.push(i);
        seen += usize::from(fraud[i]);
        if seen * count >= frauds * (knots.len() + 1) && knots.len() + 1 < count {
            knots.push(knot(&here, log_odds, fraud, (slope, offset)));
            here.clear();
        }
    }
    if !here.is_empty() {
        knots.push(knot(&here, log_odds, fraud, (slope, offset)));
    }
    rising(pooled(knots), slope * LEAST_SLOPE)
}

/// Where the calls of a stretch are on the mean, and what their verdicts say of the line there.
fn knot(calls: &[usize], log_odds: &[f64], fraud: &[bool], (slope, offset): (f64, f64)) -> Knot {
    let all = n(calls.len());
    let (mut from, mut frauds, mut promised, mut weight) = (0.0, 0.0, 0.0, 0.0);
    for i in calls {
        let p = 1.0 / (1.0 + (-(slope * log_odds[*i] + offset)).exp());
        // Undecided calls are where a calibration matters.
        let undecided = p * (1.0 - p) + 1e-9;
        from += undecided * log_odds[*i];
        weight += undecided;
        promised += p;
        frauds += f64::from(u8::from(fraud[*i]));
    }
    let ratio = |found: f64, promised: f64| ((found + OWN) / (promised + OWN)).ln();
    let from = from / weight;
    let moved = ratio(frauds, promised) - ratio(all - frauds, all - promised);
    Knot {
        from,
        to: slope * from + offset + moved,
        weight,
    }
}

/// Neighbours that fall back become one.
fn pooled(knots: Vec<Knot>) -> Vec<Knot> {
    let mut kept: Vec<Knot> = Vec::new();
    for knot in knots {
        kept.push(knot);
        while let [.., before, last] = kept.as_slice()
            && last.to <= before.to
        {
            let weight = before.weight + last.weight;
            let mean = |a: f64, b: f64| (a * before.weight + b * last.weight) / weight;
            let one = Knot {
                from: mean(before.from, last.from),
                to: mean(before.to, last.to),
                weight,
            };
            kept.truncate(kept.len() - 2);
            kept.push(one);
        }
    }
    kept
}

/// The knots as the file has them, each at least `least` above the one before per unit.
fn rising(knots: Vec<Knot>, least: f64) -> Option<Calibration> {
    let (mut from, mut to): (Vec<f32>, Vec<f32>) = (Vec::new(), Vec::new());
    for knot in knots {
        let (x, mut y) = (knot.from, knot.to);
        if let (Some(before_x), Some(before_y)) = (from.last(), to.last()) {
            let (before_x, before_y) = (f64::from(*before_x), f64::from(*before_y));
            y = y.max(before_y + least * (x - before_x));
            if narrow(x) <= narrow(before_x) || narrow(y) <= narrow(before_y) {
                continue;
            }
        }
        from.push(narrow(x));
        to.push(narrow(y));
    }
    let usable = from.len() >= 2 && from.iter().chain(&to).all(|x| x.is_finite());
    usable.then_some(Calibration::Piecewise { from, to })
}

/// Mean cross-entropy of calibrated log-odds.
fn loss(calibration: &Calibration, log_odds: &[f64], fraud: &[bool]) -> f64 {
    let curve = Curve::new(calibration);
    let bent: Vec<f64> = log_odds.iter().map(|z| curve.at(*z)).collect();
    cross_entropy(&bent, fraud)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "as the model file keeps it"
)]
fn narrow(x: f64) -> f32 {
    x as f32
}

#[cfg(test)]
#[path = "bend_tests.rs"]
mod tests;
