//! The isolation forest, on linfa's traits: checked parameters, `fit`, `predict`.
//!
//! Liu, Ting and Zhou, "Isolation Forest" (ICDM 2008): each tree takes a sample of the rows and
//! splits it by a random feature at a random value until every row is alone; what is rare and
//! different is alone early. linfa has none, so this one is ours. Rows of `f32` or `f64`, no
//! labels; the same seed grows the same forest on any number of threads.
//!
//! ```
//! use linfa::traits::{Fit, Predict};
//! use tfps::train::IsolationForestParams;
//!
//! let rows = ndarray::array![[0.1_f32], [0.2], [0.15], [0.12], [0.18], [9.0]];
//! let forest = IsolationForestParams::new()
//!     .trees(50)
//!     .sample(256)
//!     .seed(7)
//!     .fit(&linfa::DatasetBase::from(rows.clone()))?;
//! let scores = forest.predict(&rows);
//! assert!(scores[5] > 0.6 && scores[0] < 0.5);
//! # Ok::<(), tfps::train::IsolationError>(())
//! ```

use crate::model::{Isolation, Tree, mean_path};
use linfa::dataset::DatasetBase;
use linfa::traits::{Fit, PredictInplace};
use linfa::{Float, ParamGuard};
use ndarray::{Array1, ArrayBase, ArrayView1, Data, Ix2};
use rand::seq::index;
use rand::{Rng, RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use rayon::prelude::*;

/// Most rows one tree is grown on; with it no tree is deeper than the model file allows.
const MAX_SAMPLE: usize = 1 << 16;
const MAX_TREES: usize = 1_000;
/// Spreads one seed over the trees (2^64 divided by the golden ratio).
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// Why no forest was grown.
#[derive(Debug, thiserror::Error)]
#[expect(
    missing_docs,
    reason = "each message says what the variant and its fields mean"
)]
pub enum IsolationError {
    #[error("parameter `{name}` is {found}: must be {expected}")]
    Parameter {
        name: &'static str,
        found: usize,
        expected: &'static str,
    },
    #[error("a table of {rows} rows and {columns} columns: it takes 2 rows and 1 column at least")]
    TooSmall { rows: usize, columns: usize },
    #[error("row {row}, column {column} is not finite; leave the row out")]
    NotFinite { row: usize, column: usize },
    #[error(transparent)]
    Linfa(#[from] linfa::Error),
}

/// Parameters before they are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IsolationForestParams(IsolationForestValidParams);

/// Parameters a forest can be grown with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IsolationForestValidParams {
    trees: usize,
    sample: usize,
    seed: u64,
}

impl IsolationForestParams {
    /// The paper's: 100 trees on 256 rows each; seed 1.
    #[must_use]
    #[expect(
        clippy::new_without_default,
        reason = "as linfa's own parameters begin"
    )]
    pub const fn new() -> Self {
        Self(IsolationForestValidParams {
            trees: 100,
            sample: 256,
            seed: 1,
        })
    }

    /// How many trees, 1 to 1000.
    #[must_use]
    pub const fn trees(mut self, trees: usize) -> Self {
        self.0.trees = trees;
        self
    }

    /// Rows one tree is grown on, 2 to 65536; all where there are fewer.
    #[must_use]
    pub const fn sample(mut self, sample: usize) -> Self {
        self.0.sample = sample;
        self
    }

    /// Seed of the samples and the splits.
    #[must_use]
    pub const fn seed(mut self, seed: u64) -> Self {
        self.0.seed = seed;
        self
    }
}

impl ParamGuard for IsolationForestParams {
    type Checked = IsolationForestValidParams;
    type Error = IsolationError;

    fn check_ref(&self) -> Result<&Self::Checked, Self::Error> {
        let bad = |name, found, expected| {
            Err(IsolationError::Parameter {
                name,
                found,
                expected,
            })
        };
        if !(1..=MAX_TREES).contains(&self.0.trees) {
            return bad("trees", self.0.trees, "1 to 1000");
        }
        if !(2..=MAX_SAMPLE).contains(&self.0.sample) {
            return bad("sample", self.0.sample, "2 to 65536");
        }
        Ok(&self.0)
    }

    fn check(self) -> Result<Self::Checked, Self::Error> {
        self.check_ref().copied()
    }
}

/// A fitted forest.
#[derive(Clone, Debug)]
pub struct IsolationForest {
    trees: Vec<Tree>,
    sample: usize,
    scorer: Isolation,
}

impl IsolationForest {
    /// The trees; a leaf's value is the path length of a row that ends there.
    #[must_use]
    pub fn trees(&self) -> &[Tree] {
        &self.trees
    }

    /// Rows each tree was grown on.
    #[must_use]
    pub const fn sample(&self) -> usize {
        self.sample
    }

    /// Score of one row, within 0 to 1; towards 1 it is alone.
    #[must_use]
    pub fn score(&self, row: &[f32]) -> f32 {
        self.scorer.score(row)
    }
}

impl<F: Float, D: Data<Elem = F>, T> Fit<ArrayBase<D, Ix2>, T, IsolationError>
    for IsolationForestValidParams
where
    ArrayBase<D, Ix2>: Sync,
{
    type Object = IsolationForest;

    fn fit(
        &self,
        dataset: &DatasetBase<ArrayBase<D, Ix2>, T>,
    ) -> Result<Self::Object, IsolationError> {
        let rows = &dataset.records;
        check_rows(rows)?;
        let sample = self.sample.min(rows.nrows());
        let trees: Vec<Tree> = (0..self.trees as u64)
            .into_par_iter()
            .map(|tree| {
                let seed = self.seed.wrapping_add((tree + 1).wrapping_mul(SPREAD));
                let mut random = Pcg64Mcg::seed_from_u64(seed);
                let drawn = index::sample(&mut random, rows.nrows(), sample);
                let drawn: Vec<Vec<f32>> = drawn.iter().map(|i| narrow(rows.row(i))).collect();
                grow(&drawn, &mut random)
            })
            .collect();
        Ok(IsolationForest {
            scorer: Isolation::new(&trees, sample),
            trees,
            sample,
        })
    }
}

impl<F: Float, D: Data<Elem = F>> PredictInplace<ArrayBase<D, Ix2>, Array1<f32>>
    for IsolationForest
{
    fn predict_inplace(&self, x: &ArrayBase<D, Ix2>, y: &mut Array1<f32>) {
        for (row, score) in x.rows().into_iter().zip(y.iter_mut()) {
            *score = self.score(&narrow(row));
        }
    }

    fn default_target(&self, x: &ArrayBase<D, Ix2>) -> Array1<f32> {
        Array1::zeros(x.nrows())
    }
}

fn check_rows<F: Float>(rows: &ArrayBase<impl Data<Elem = F>, Ix2>) -> Result<(), IsolationError> {
    if rows.nrows() < 2 || rows.ncols() == 0 {
        return Err(IsolationError::TooSmall {
            rows: rows.nrows(),
            columns: rows.ncols(),
        });
    }
    let broken = |x: &F| !x.to_f32().is_some_and(f32::is_finite);
    match rows.indexed_iter().find(|(_, x)| broken(x)) {
        Some(((row, column), _)) => Err(IsolationError::NotFinite { row, column }),
        None => Ok(()),
    }
}

fn narrow<F: Float>(row: ArrayView1<'_, F>) -> Vec<f32> {
    row.iter().map(|x| x.to_f32().unwrap_or(0.0)).collect()
}

/// One tree on `rows`, of depth `log2` of their number, rounded up, at most: deeper down it
/// only tells the ordinary from the ordinary.
fn grow(rows: &[Vec<f32>], random: &mut impl Rng) -> Tree {
    let limit = rows.len().next_power_of_two().ilog2();
    let mut tree = Tree::leaf(path(0, rows.len()));
    let mut open = vec![(0, 0, (0..rows.len()).collect::<Vec<usize>>())];
    while let Some((node, depth, mut here)) = open.pop() {
        if depth == limit || here.len() < 2 {
            continue;
        }
        let Some((feature, threshold)) = random_split(rows, &here, random) else {
            continue;
        };
        let right: Vec<usize> = here
            .extract_if(.., |row| rows[*row][usize::from(feature)] >= threshold)
            .collect();
        let values = [path(depth + 1, here.len()), path(depth + 1, right.len())];
        let left = tree.split(node, feature, threshold, values);
        open.push((left + 1, depth + 1, right));
        open.push((left, depth + 1, here));
    }
    tree
}

/// Expected path length of a row that comes to a node at `depth` with `size` rows, to the
/// thousandth: it keeps the model file small and changes no order that means anything.
#[expect(
    clippy::cast_possible_truncation,
    reason = "as the model file keeps it"
)]
fn path(depth: u32, size: usize) -> f32 {
    let length = f64::from(depth) + mean_path(size);
    ((length * 1e3).round() / 1e3) as f32
}

/// A random feature among those that differ here, and a random value above its smallest and
/// at most its largest; `None`: all rows are equal.
fn random_split(rows: &[Vec<f32>], here: &[usize], random: &mut impl Rng) -> Option<(u16, f32)> {
    let width = rows.first()?.len();
    let order = index::sample(random, width, width);
    for feature in order {
        let values = here.iter().map(|row| rows[*row][feature]);
        let (low, high) = values.fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), x| {
            (low.min(x), high.max(x))
        });
        if low < high {
            let share: f64 = random.random();
            let at = f64::from(low) + share * (f64::from(high) - f64::from(low));
            #[expect(clippy::cast_possible_truncation, reason = "thresholds are f32")]
            let at = at as f32;
            let threshold = if at <= low { high } else { at };
            return Some((u16::try_from(feature).ok()?, threshold));
        }
    }
    None
}

#[cfg(test)]
#[path = "isolation_tests.rs"]
mod tests;
