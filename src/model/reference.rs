//! What calls looked like when the model was trained: shares by bin, one histogram a feature and
//! one of the score. [`super::drift`] holds live calls against it.

use super::ModelError;
use serde::{Deserialize, Serialize};

/// Edges of a histogram, at most: a bound for files, not an aim.
const MAX_EDGES: usize = 64;
/// How far shares may be from adding up to 1, as each is rounded.
const ROUNDING: f32 = 1e-3;

/// Quantiles of the legitimate calls at which a feature's bins end: tenths.
pub const FEATURE_QUANTILES: [f64; 9] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];
/// Those of the score, with the tail in which decisions are made.
pub const SCORE_QUANTILES: [f64; 11] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.99, 0.999];

/// The legitimate calls of a training, by bin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    /// Calls behind the features' shares: legitimate ones the model was fitted on.
    pub rows: u64,
    /// Calls behind the score's: legitimate ones the calibration was taken from, as the fit has
    /// not seen those.
    pub score_rows: u64,
    /// One histogram a feature, in the order of the vector.
    pub features: Vec<Bins>,
    /// The score's.
    pub score: Bins,
}

/// A histogram: bin `i` holds what is at most `edges[i]` and above the edge before; the last one
/// what is above all edges.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bins {
    /// Where bins end, ascending.
    pub edges: Vec<f32>,
    /// Share of the calls in each bin, one more than edges.
    pub shares: Vec<f32>,
}

impl Bins {
    /// Bins that end at the quantiles of `values` (finite; sorted by this call), each distinct
    /// value once: a feature that is nearly always 0 has two bins, at 0 and above.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "ranks and counts below 2^52; shares of f32"
    )]
    pub fn of(values: &mut [f32], quantiles: &[f64]) -> Self {
        values.sort_by(f32::total_cmp);
        let rank = |q: f64| ((values.len() as f64 * q).ceil() as usize).max(1) - 1;
        let mut edges: Vec<f32> = quantiles
            .iter()
            .filter_map(|q| values.get(rank(*q)).copied())
            .collect();
        edges.dedup();
        let mut below = 0;
        let mut shares: Vec<f32> = edges
            .iter()
            .map(|edge| {
                let upto = values.partition_point(|x| x <= edge);
                let inside = upto - below;
                below = upto;
                (inside as f64 / values.len() as f64) as f32
            })
            .collect();
        shares.push(((values.len() - below) as f64 / values.len().max(1) as f64) as f32);
        Self { edges, shares }
    }

    /// The bin of a value.
    #[must_use]
    pub fn find(&self, x: f32) -> usize {
        self.edges.partition_point(|edge| *edge < x)
    }

    fn is_sound(&self) -> bool {
        let ascending = self.edges.windows(2).all(|pair| pair[0] < pair[1]);
        let finite = self.edges.iter().all(|edge| edge.is_finite());
        let shares = self.shares.iter().all(|s| (0.0..=1.0).contains(s));
        let sum: f32 = self.shares.iter().sum();
        ascending
            && finite
            && shares
            && self.shares.len() == self.edges.len() + 1
            && self.edges.len() <= MAX_EDGES
            && (sum - 1.0).abs() <= ROUNDING
    }
}

impl Reference {
    /// Whether it can be held against vectors of so many features.
    pub(super) fn check(&self, features: usize) -> Result<(), ModelError> {
        let sound = self.features.len() == features
            && self
                .features
                .iter()
                .chain([&self.score])
                .all(Bins::is_sound);
        if sound {
            return Ok(());
        }
        Err(ModelError::Invalid {
            field: "reference",
            expected: "one histogram a feature and one of the score: ascending edges, shares that add up to 1",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_hold_tenths_and_each_value_falls_into_its_own() {
        let mut values: Vec<f32> = (1..=100u8).rev().map(f32::from).collect();
        let bins = Bins::of(&mut values, &FEATURE_QUANTILES);
        assert_eq!(bins.edges, [10., 20., 30., 40., 50., 60., 70., 80., 90.]);
        assert!(bins.shares.iter().all(|share| (share - 0.1).abs() < 1e-6));
        assert!(bins.is_sound());
        let cases = [
            (-5.0, 0),
            (10.0, 0),
            (10.5, 1),
            (90.0, 8),
            (91.0, 9),
            (1e9, 9),
        ];
        for (x, bin) in cases {
            assert_eq!(bins.find(x), bin, "{x}");
        }
    }

    #[test]
    fn a_feature_that_is_nearly_always_0_has_two_bins() {
        let mut values = vec![0.0; 990];
        values.extend([1.0; 10]);
        let bins = Bins::of(&mut values, &FEATURE_QUANTILES);
        assert_eq!((bins.edges.len(), bins.shares.len()), (1, 2));
        assert!((bins.shares[1] - 0.01).abs() < 1e-6);
        let constant = Bins::of(&mut [42.0; 5], &FEATURE_QUANTILES);
        assert_eq!((constant.find(42.0), constant.find(43.0)), (0, 1));
        assert!(constant.is_sound());
    }

    #[test]
    fn what_is_no_histogram_is_refused() {
        let good = Bins::of(&mut [1.0, 2.0, 3.0], &FEATURE_QUANTILES);
        let reference = |bins: &Bins| Reference {
            rows: 3,
            score_rows: 3,
            features: vec![good.clone()],
            score: bins.clone(),
        };
        reference(&good).check(1).expect("sound");
        reference(&good).check(2).expect_err("of one feature");
        let mut descending = good.clone();
        descending.edges.reverse();
        let mut too_much = good.clone();
        too_much.shares[0] = 0.9;
        let mut short = good.clone();
        short.shares.pop();
        let mut odd = good.clone();
        odd.edges[0] = f32::NAN;
        for bins in [descending, too_much, short, odd] {
            reference(&bins).check(1).expect_err("not sound");
        }
    }
}
