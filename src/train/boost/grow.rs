//! One tree: the leaf whose split gains most is split next.

use super::bins::{Binned, MAX_BINS};
use super::split::{best_split, gain};
use super::{Params, n};
use crate::model::Tree;
use rayon::prelude::*;

/// First and second derivatives of the loss by row: how far the probability is from the
/// verdict, and how undecided it is.
pub(super) struct Gradients {
    first: Vec<f64>,
    second: Vec<f64>,
}

impl Gradients {
    pub(super) fn of(log_odds: &[f64], fraud: &[bool]) -> Self {
        let each = log_odds.iter().zip(fraud).map(|(z, fraud)| {
            let p = 1.0 / (1.0 + (-z).exp());
            (f64::from(u8::from(*fraud)) - p, (p * (1.0 - p)).max(1e-12))
        });
        let (first, second) = each.unzip();
        Self { first, second }
    }

    /// Sums over `rows`.
    fn sums(&self, rows: &[usize]) -> (f64, f64) {
        let each = rows.iter().map(|row| (self.first[*row], self.second[*row]));
        each.fold((0.0, 0.0), |(g, h), (first, second)| {
            (g + first, h + second)
        })
    }
}

/// A leaf that may be split.
struct Open {
    node: usize,
    depth: usize,
    rows: Vec<usize>,
    best: Option<Candidate>,
    bounds: Bounds,
}

/// Between what a leaf's value must lie, lest a tree falls along a feature that may only rise.
#[derive(Clone, Copy)]
struct Bounds {
    low: f32,
    high: f32,
}

impl Bounds {
    const NONE: Self = Self {
        low: f32::NEG_INFINITY,
        high: f32::INFINITY,
    };

    /// Those of the two sides of a split along a rising feature: neither may pass the middle.
    fn parted(self, [left, right]: [f32; 2]) -> [Self; 2] {
        let middle = f32::midpoint(left, right);
        let left = Self {
            high: middle,
            ..self
        };
        let right = Self {
            low: middle,
            ..self
        };
        [left, right]
    }
}

#[derive(Clone, Copy)]
struct Candidate {
    gain: f64,
    feature: usize,
    /// Last bin of the left side.
    bin: usize,
}

/// Grows a tree on `rows` by `features`; its leaves hold Newton's steps, shortened by the rate.
pub(super) fn grow(
    binned: &Binned,
    gradients: &Gradients,
    rows: Vec<usize>,
    features: &[usize],
    params: &Params,
) -> Tree {
    let step = |rows: &[usize], bounds: Bounds| {
        leaf_value(gradients.sums(rows), params).clamp(bounds.low, bounds.high)
    };
    let open = |node, depth, rows: Vec<usize>, bounds| Open {
        best: (depth < params.depth)
            .then(|| best_of(binned, gradients, &rows, features, params))
            .flatten(),
        node,
        depth,
        rows,
        bounds,
    };
    let mut tree = Tree::leaf(step(&rows, Bounds::NONE));
    let mut leaves = vec![open(0, 0, rows, Bounds::NONE)];
    while leaves.len() < params.leaves {
        let gains = leaves.iter().map(|leaf| leaf.best.map_or(0.0, |b| b.gain));
        let Some(at) = first_largest(gains) else {
            break;
        };
        let mut leaf = leaves.swap_remove(at);
        let Some(Candidate { feature, bin, .. }) = leaf.best else {
            break;
        };
        let column = binned.column(feature);
        let right: Vec<usize> = leaf
            .rows
            .extract_if(.., |row| usize::from(column[*row]) > bin)
            .collect();
        let mut bounds = [leaf.bounds; 2];
        let mut values = [step(&leaf.rows, bounds[0]), step(&right, bounds[1])];
        if params.is_rising(feature) {
            bounds = leaf.bounds.parted(values);
            values = [step(&leaf.rows, bounds[0]), step(&right, bounds[1])];
        }
        let threshold = binned.threshold(feature, bin);
        // A catalogue has at most 256 features.
        let position = u16::try_from(feature).unwrap_or(u16::MAX);
        let left = tree.split(leaf.node, position, threshold, values);
        leaves.push(open(left, leaf.depth + 1, leaf.rows, bounds[0]));
        leaves.push(open(left + 1, leaf.depth + 1, right, bounds[1]));
    }
    tree
}

/// Position of the largest above 0, the first of equals.
fn first_largest(gains: impl Iterator<Item = f64>) -> Option<usize> {
    let above = gains.enumerate().filter(|(_, gain)| *gain > 0.0);
    let largest = above.reduce(|a, b| if b.1 > a.1 { b } else { a });
    largest.map(|(at, _)| at)
}

/// The best split of any of the features, the first of equals.
fn best_of(
    binned: &Binned,
    gradients: &Gradients,
    rows: &[usize],
    features: &[usize],
    params: &Params,
) -> Option<Candidate> {
    let (_, hessian) = gradients.sums(rows);
    if hessian < 2.0 * params.least_hessian {
        return None;
    }
    let each = features.par_iter().map(|feature| {
        let (first, second) = histogram(binned.column(*feature), gradients, rows);
        let bin = best_split(&first, &second, params.least_hessian)?;
        if params.is_rising(*feature) && falls(&first, &second, bin, params.lambda) {
            return None;
        }
        Some(Candidate {
            gain: gain(&first, &second, bin, params.lambda),
            feature: *feature,
            bin,
        })
    });
    let found: Vec<Option<Candidate>> = each.collect();
    let better = |a: Candidate, b: Candidate| if b.gain > a.gain { b } else { a };
    found.into_iter().flatten().reduce(better)
}

/// Whether the right side of a split would be stepped to below the left one.
fn falls(first: &[f64], second: &[f64], bin: usize, lambda: f64) -> bool {
    let step = |side: std::ops::Range<usize>| {
        let sum = |of: &[f64]| of[side.clone()].iter().sum::<f64>();
        sum(first) / (sum(second) + lambda)
    };
    step(bin + 1..first.len()) < step(0..bin + 1)
}

fn histogram(
    column: &[u8],
    gradients: &Gradients,
    rows: &[usize],
) -> ([f64; MAX_BINS], [f64; MAX_BINS]) {
    let (mut first, mut second) = ([0.0; MAX_BINS], [0.0; MAX_BINS]);
    for row in rows {
        let bin = usize::from(column[*row]);
        first[bin] += gradients.first[*row];
        second[bin] += gradients.second[*row];
    }
    (first, second)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "as the model file keeps it"
)]
fn leaf_value((first, second): (f64, f64), params: &Params) -> f32 {
    let step = first / (second + params.lambda);
    (params.rate * step / n(params.trees_per_round)) as f32
}
