//! One feature's best split of one node, found by linfa's decision tree.
//!
//! Newton's gain of a split is `G^2 / H` summed over its sides, less the node's own, where `G`
//! sums first derivatives and `H` second ones. linfa knows classes and minimises the weighted
//! Gini impurity `2 P N / W` over the sides; for two classes of weights `P` and `N`, `W = P + N`,
//! that is to maximise `(P - N)^2 / W`. So give each bin two rows, one per class, with weights
//! such that `P + N = H` and `P - N = k (G - H G_node / H_node)`; then linfa's choice is Newton's,
//! whatever `k` is. And as both classes weigh the same in the whole node, no split that
//! gains anything leaves the same class in the majority on both sides: linfa, which prunes such
//! splits, keeps it.
//!
//! It also steps around a trap of linfa's: among rows that share a value, a node finds the split
//! after them only if the last of them *in the whole data set* is its own. Here the data set
//! is the node.

use linfa::dataset::DatasetBase;
use linfa::traits::Fit;
use linfa_trees::DecisionTree;
use ndarray::{Array1, Array2};

/// Differences of the mean derivative between bins that count as none.
const FLAT: f64 = 1e-9;

/// The last bin of the left side; `None`: no split has a second derivative of `least` on both
/// sides and gains anything. `first` and `second`: sums of the derivatives by bin.
pub(super) fn best_split(first: &[f64], second: &[f64], least: f64) -> Option<usize> {
    let mean = first.iter().sum::<f64>() / second.iter().sum::<f64>();
    let filled: Vec<(usize, f64, f64)> = first
        .iter()
        .zip(second)
        .enumerate()
        .filter(|(_, (_, h))| **h > 0.0)
        .map(|(bin, (g, h))| (bin, g / h - mean, *h))
        .collect();
    let most = filled.iter().map(|(_, d, _)| d.abs()).fold(0.0, f64::max);
    if filled.len() < 2 || !most.is_finite() || most < FLAT {
        return None;
    }
    let (mut bins, mut classes, mut weights) = (Vec::new(), Vec::new(), Vec::new());
    for (bin, distance, h) in filled {
        for (class, lean) in [(true, distance / most), (false, -distance / most)] {
            #[expect(clippy::cast_possible_truncation, reason = "linfa's weights are f32")]
            let weight = (h * (1.0 + lean) / 2.0) as f32;
            if weight > 0.0 {
                bins.push(super::n(bin));
                classes.push(class);
                weights.push(weight);
            }
        }
    }
    let records = Array2::from_shape_vec((bins.len(), 1), bins).ok()?;
    let rows = DatasetBase::new(records, Array1::from(classes)).with_weights(weights.into());
    #[expect(clippy::cast_possible_truncation, reason = "linfa's weights are f32")]
    let least = least as f32;
    let tree = DecisionTree::params()
        .max_depth(Some(1))
        .min_weight_leaf(least)
        .min_impurity_decrease(f64::EPSILON)
        .fit(&rows)
        .ok()?;
    let root = tree.root_node();
    if root.is_leaf() {
        return None;
    }
    // Half way between two bins, or in the middle of empty ones.
    let (_, between, _) = root.split();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a bin's number"
    )]
    let left = between.floor() as usize;
    Some(left)
}

/// Newton's gain of splitting after bin `left`, leaves drawn in by `lambda`.
pub(super) fn gain(first: &[f64], second: &[f64], left: usize, lambda: f64) -> f64 {
    let worth = |g: f64, h: f64| g * g / (h + lambda);
    let sum = |of: &[f64]| of.iter().sum::<f64>();
    let (g, h) = (sum(first), sum(second));
    let (g_left, h_left) = (sum(&first[..=left]), sum(&second[..=left]));
    worth(g_left, h_left) + worth(g - g_left, h - h_left) - worth(g, h)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg64Mcg;

    /// Against every split there is, on histograms of all kinds: empty bins, mostly one
    /// class, one bin far out.
    #[test]
    fn linfa_s_choice_is_newton_s() {
        let mut random = Pcg64Mcg::seed_from_u64(5);
        let mut found = 0;
        for case in 0..300 {
            let bins = 2 + case % 60;
            let (mut first, mut second) = (vec![0.0; bins], vec![0.0; bins]);
            for bin in 0..bins {
                if random.random::<f64>() < 0.2 {
                    continue;
                }
                let rows = random.random::<f64>() * 50.0;
                second[bin] = 0.2 * rows;
                first[bin] =
                    rows * (random.random::<f64>() - if case % 2 == 0 { 0.5 } else { 0.05 });
            }
            let least = 3.0;
            let wide = |left: usize| {
                let h: f64 = second[..=left].iter().sum();
                h >= least && second.iter().sum::<f64>() - h >= least
            };
            let best = (0..bins - 1)
                .filter(|left| wide(*left))
                .map(|left| gain(&first, &second, left, 0.0))
                .fold(0.0, f64::max);
            match best_split(&first, &second, least) {
                Some(left) => {
                    found += 1;
                    assert!(wide(left), "{case}");
                    let reached = gain(&first, &second, left, 0.0);
                    assert!(reached > best * (1.0 - 1e-4), "{case}: {reached} of {best}");
                }
                None => assert!(best < 1e-3, "{case}: none, but {best} is to be had"),
            }
        }
        assert!(found > 200, "{found}");
    }

    #[test]
    fn nothing_to_gain_is_no_split() {
        assert_eq!(best_split(&[1.0, 2.0], &[1.0, 2.0], 0.1), None);
        assert_eq!(best_split(&[1.0, 0.0], &[1.0, 0.0], 0.1), None);
        assert_eq!(best_split(&[5.0, -5.0], &[1.0, 1.0], 2.0), None);
        assert_eq!(best_split(&[f64::NAN, 1.0], &[1.0, 1.0], 0.1), None);
        assert_eq!(best_split(&[5.0, -5.0], &[1.0, 1.0], 0.5), Some(0));
        assert_eq!(
            best_split(&[5.0, 0.0, 0.0, -5.0], &[1.0, 0.0, 0.0, 1.0], 0.5),
            Some(1)
        );
    }
}
