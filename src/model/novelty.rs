//! How unlike the calls of the training a call is: the score of an isolation forest.
//!
//! Liu, Ting and Zhou, "Isolation Forest" (ICDM 2008) and "Isolation-based anomaly detection"
//! (TKDD 2012): what is rare and different is alone after few random splits. It alerts; it
//! never refuses a call.

use super::trees::{Forest, Tree};

/// Euler's constant.
const EULER: f64 = 0.577_215_664_901_532_9;

/// Mean length of an unsuccessful search in a binary tree of `n` values: what a leaf that
/// still holds `n` calls adds to its depth.
#[must_use]
pub fn mean_path(n: usize) -> f64 {
    let n = u32::try_from(n).map_or(f64::from(u32::MAX), f64::from);
    if n < 2.0 {
        0.0
    } else if n < 3.0 {
        1.0
    } else {
        2.0 * ((n - 1.0).ln() + EULER) - 2.0 * (n - 1.0) / n
    }
}

/// A forest whose leaves hold path lengths, ready to score.
#[derive(Clone, Debug)]
pub struct Isolation {
    forest: Forest,
    /// Path lengths per halving of the score: trees times the mean path.
    unit: f64,
}

impl Isolation {
    /// Of trees without a fault, each grown on `sample` calls.
    #[must_use]
    pub fn new(trees: &[Tree], sample: usize) -> Self {
        let count = u32::try_from(trees.len()).map_or(f64::from(u32::MAX), f64::from);
        Self {
            forest: Forest::new(trees),
            unit: count * mean_path(sample).max(1.0),
        }
    }

    /// `2^(-E[h(x)] / c(sample))`, within 0 to 1: towards 1 a call is alone, well below 0.5
    /// it is one of many. Not a probability.
    #[must_use]
    pub fn score(&self, values: &[f32]) -> f32 {
        let score = (-self.forest.sum(values) / self.unit.max(1.0)).exp2();
        #[expect(clippy::cast_possible_truncation, reason = "served as f32")]
        let score = score as f32;
        score
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// scikit-learn's `_average_path_length`.
    #[test]
    fn mean_paths_are_scikit_learn_s() {
        let known = [
            (0, 0.0),
            (1, 0.0),
            (2, 1.0),
            (5, 2.327_020_052_0),
            (256, 10.244_770_920_1),
        ];
        for (n, wanted) in known {
            assert!(
                (mean_path(n) - wanted).abs() < 1e-9,
                "{n}: {}",
                mean_path(n)
            );
        }
    }

    #[test]
    fn an_average_path_scores_one_half() {
        #[expect(clippy::cast_possible_truncation, reason = "a test")]
        let value = mean_path(256) as f32;
        let isolation = Isolation::new(&[Tree::leaf(value), Tree::leaf(value)], 256);
        assert!((isolation.score(&[]) - 0.5).abs() < 1e-6);
        let shorter = Isolation::new(&[Tree::leaf(value / 2.0)], 256);
        assert!((shorter.score(&[]) - 0.5_f32.sqrt()).abs() < 1e-6);
    }
}
