//! Gradient boosting whose splits are found by linfa's decision trees.
//!
//! Friedman 2001, "Greedy function approximation"; with Newton leaves as in Chen and Guestrin
//! 2016 (XGBoost), binned features and leaf-wise growth as in Ke et al. 2017 (LightGBM), rows
//! and features drawn per tree as in Friedman 2002. linfa's tree learner knows classes only; `split`
//! says why its Gini is Newton's gain all the same.
//!
//! Each round grows several trees side by side on samples of their own and takes their mean:
//! as many threads have work, and the step is steadier. The same seed gives the same trees on
//! any number of threads.

mod bins;
mod grow;
mod split;

pub(super) use bins::Binned;

use super::Dataset;
use super::metrics::{cross_entropy, n};
use crate::model::{Forest, Tree};
use grow::{Gradients, grow};
use rand::SeedableRng;
use rand::seq::index;
use rand_pcg::Pcg64Mcg;
use rayon::prelude::*;

/// How trees are boosted.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Params {
    /// Most rounds.
    pub rounds: usize,
    /// Trees grown side by side in a round.
    pub trees_per_round: usize,
    /// Share of a round's step that is taken.
    pub rate: f64,
    /// Splits between root and leaf, at most.
    pub depth: usize,
    /// Leaves of a tree, at most.
    pub leaves: usize,
    /// Least second derivative a leaf must have: about four calls that are undecided.
    pub least_hessian: f64,
    /// Added to a leaf's second derivative: draws its value in.
    pub lambda: f64,
    /// Share of the rows a tree sees.
    pub row_share: f64,
    /// Share of the features a tree sees.
    pub feature_share: f64,
    /// Rounds without a better validation before it ends.
    pub patience: usize,
    /// Seed of the draws.
    pub seed: u64,
    /// By feature: whether the trees may only rise along it; of features beyond its end: no.
    pub rising: Vec<bool>,
}

impl Params {
    pub(super) const fn new(seed: u64) -> Self {
        Self {
            rounds: 160,
            trees_per_round: 2,
            rate: 0.15,
            depth: 8,
            leaves: 31,
            least_hessian: 1.0,
            lambda: 1.0,
            row_share: 0.7,
            feature_share: 0.5,
            patience: 15,
            seed,
            rising: Vec::new(),
        }
    }
}

impl Params {
    /// Whether the trees may only rise along a feature.
    fn is_rising(&self, feature: usize) -> bool {
        self.rising.get(feature).copied().unwrap_or(false)
    }
}

/// Rows of a data set with the log-odds the trees begin from.
pub(super) struct Table<'a> {
    pub data: &'a Dataset,
    pub rows: Vec<usize>,
    pub fraud: Vec<bool>,
    /// One per row.
    pub start: Vec<f64>,
}

impl<'a> Table<'a> {
    pub(super) fn new(data: &'a Dataset, rows: &[usize], start: Vec<f64>) -> Self {
        Self {
            data,
            rows: rows.to_vec(),
            fraud: rows.iter().map(|row| data.y[*row]).collect(),
            start,
        }
    }

    /// What `trees` say of each row, added to `log_odds`.
    fn add(&self, trees: &[Tree], log_odds: &mut [f64]) {
        let forest = Forest::new(trees);
        let each = log_odds.par_iter_mut().zip(&self.rows);
        each.for_each(|(log_odds, row)| *log_odds += forest.sum(&values(self.data, *row)));
    }

    /// Mean cross-entropy.
    fn loss(&self, log_odds: &[f64]) -> f64 {
        cross_entropy(log_odds, &self.fraud)
    }
}

/// A row's features side by side.
pub(super) fn values(data: &Dataset, row: usize) -> std::borrow::Cow<'_, [f32]> {
    let view = data.features(row);
    match view.to_slice() {
        Some(slice) => slice.into(),
        None => view.to_vec().into(),
    }
}

/// Trees whose leaves, added to the start, predict the verdicts of `train`. With `later` it
/// ends where those are predicted no better, and gives the trees up to the best round.
pub(super) fn boost(train: &Table<'_>, later: Option<&Table<'_>>, params: &Params) -> Vec<Tree> {
    let binned = Binned::new(train.data, &train.rows, &train.fraud);
    let mut log_odds = train.start.clone();
    let mut ahead = later.map(|table| (table, table.start.clone()));
    let mut trees: Vec<Tree> = Vec::new();
    let mut best = (ahead.as_ref().map(|(t, z)| t.loss(z)), 0);
    for round in 0..params.rounds {
        let gradients = Gradients::of(&log_odds, &train.fraud);
        let grown: Vec<Tree> = (0..params.trees_per_round)
            .into_par_iter()
            .map(|place| one_tree(&binned, &gradients, params, round, place))
            .collect();
        if grown.iter().all(|tree| tree.nodes() == 1) {
            break;
        }
        train.add(&grown, &mut log_odds);
        if let Some((table, log_odds)) = &mut ahead {
            table.add(&grown, log_odds);
            let loss = table.loss(log_odds);
            if best.0.is_none_or(|least| loss < least) {
                best = (Some(loss), round + 1);
            }
        } else {
            best.1 = round + 1;
        }
        trees.extend(grown);
        if round + 1 >= best.1 + params.patience {
            break;
        }
    }
    trees.truncate(best.1 * params.trees_per_round);
    trees
}

fn one_tree(
    binned: &Binned,
    gradients: &Gradients,
    params: &Params,
    round: usize,
    place: usize,
) -> Tree {
    let number = (round * params.trees_per_round + place) as u64;
    let mut random = Pcg64Mcg::seed_from_u64(params.seed.wrapping_mul(1_000_003) ^ number);
    let mut draw = |of: usize, share: f64| {
        let mut drawn = index::sample(&mut random, of, part(of, share)).into_vec();
        drawn.sort_unstable();
        drawn
    };
    let rows = draw(binned.rows(), params.row_share);
    let features = draw(binned.features(), params.feature_share);
    grow(binned, gradients, rows, &features, params)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a count"
)]
fn part(of: usize, share: f64) -> usize {
    ((n(of) * share).ceil() as usize).clamp(1.min(of), of)
}

/// Sets every inner node to the mean of its leaves over `rows`; nodes no row comes to, to the
/// mean of their children. So a reason counts from what the average of `rows` gets.
pub(super) fn set_means(trees: &mut [Tree], data: &Dataset, rows: &[usize]) {
    trees.par_iter_mut().for_each(|tree| {
        let mut visits = vec![0_u32; tree.nodes()];
        for row in rows {
            let values = values(data, *row);
            let mut node = 0;
            visits[node] += 1;
            while tree.left[node] != 0 {
                let right = values[usize::from(tree.feature[node])] >= tree.threshold[node];
                node = tree.left[node] as usize + usize::from(right);
                visits[node] += 1;
            }
        }
        // Children stand after their parent.
        for node in (0..tree.nodes()).rev() {
            let left = tree.left[node] as usize;
            if left == 0 {
                continue;
            }
            let (low, high) = (f64::from(tree.value[left]), f64::from(tree.value[left + 1]));
            let share = match visits[node] {
                0 => 0.5,
                all => f64::from(visits[left]) / f64::from(all),
            };
            #[expect(
                clippy::cast_possible_truncation,
                reason = "as the model file keeps it"
            )]
            let mean = (share * low + (1.0 - share) * high) as f32;
            tree.value[node] = mean;
        }
    });
}

#[cfg(test)]
mod tests;
