//! Standardising: how each feature is brought to mean 0 and deviation 1 before the fit.
//!
//! Without it a feature of scale 1e-6 is lost to the penalty, and one of scale 1e6 rules it.

use super::Dataset;
use crate::model::Transform;
use ndarray::Array2;

/// Standardised values are kept within this many standard deviations.
pub(super) const CLIP: f32 = 8.0;
/// Share of the values at each end that have no say in mean and deviation: one absurd value
/// must not flatten its feature.
const TAIL: f64 = 0.0005;
/// Skewness above which the logarithm is tried.
const SKEWED: f64 = 2.0;

/// One feature's standardisation. Rounded to `f32`, as the model file keeps it, before the
/// fit sees any value: the scorer computes exactly what was fitted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scaler {
    pub transform: Transform,
    pub mean: f32,
    pub scale: f32,
}

impl Scaler {
    /// The standardised, clipped value.
    pub(super) fn apply(&self, x: f32) -> f64 {
        let clip = f64::from(CLIP);
        let z = (self.transform.apply(f64::from(x)) - f64::from(self.mean)) / f64::from(self.scale);
        z.clamp(-clip, clip)
    }
}

/// Fits one scaler per feature on `rows`.
pub(super) fn fit_scalers(data: &Dataset, rows: &[usize]) -> Vec<Scaler> {
    (0..data.x.ncols())
        .map(|feature| {
            let mut column: Vec<f64> = rows
                .iter()
                .map(|row| f64::from(data.x[[*row, feature]]))
                .collect();
            column.sort_by(f64::total_cmp);
            fit_scaler(&column)
        })
        .collect()
}

/// `sorted` ascending; transforms are monotone, so it stays sorted under them.
fn fit_scaler(sorted: &[f64]) -> Scaler {
    let plain = Moments::of_middle(sorted);
    let logged: Vec<f64> = sorted
        .iter()
        .map(|x| Transform::SignedLog.apply(*x))
        .collect();
    let tamed = Moments::of_middle(&logged);
    let take_log =
        plain.skewness.abs() > SKEWED && tamed.skewness.abs() < plain.skewness.abs() / 2.0;
    let (transform, moments) = if take_log {
        (Transform::SignedLog, tamed)
    } else {
        (Transform::Identity, plain)
    };
    #[expect(
        clippy::cast_possible_truncation,
        reason = "as the model file keeps it"
    )]
    let (mean, scale) = (moments.mean as f32, moments.deviation as f32);
    Scaler {
        transform,
        mean: if mean.is_finite() { mean } else { 0.0 },
        // A constant feature: any scale does, its weight will be 0.
        scale: if scale.is_normal() { scale } else { 1.0 },
    }
}

struct Moments {
    mean: f64,
    deviation: f64,
    skewness: f64,
}

impl Moments {
    /// Of the values with both tails drawn in; of all where that leaves a constant (a rare
    /// flag).
    fn of_middle(sorted: &[f64]) -> Self {
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a count below 2^52"
        )]
        let cut = (sorted.len() as f64 * TAIL).ceil() as usize;
        let (Some(low), Some(high)) = (
            sorted.get(cut.min(sorted.len() / 2)),
            sorted.get(sorted.len().saturating_sub(cut + 1).max(sorted.len() / 2)),
        ) else {
            return Self::of(&[0.0], 0.0, 0.0);
        };
        if low < high {
            Self::of(sorted, *low, *high)
        } else {
            Self::of(sorted, f64::NEG_INFINITY, f64::INFINITY)
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a count below 2^52")]
    fn of(values: &[f64], low: f64, high: f64) -> Self {
        let n = values.len() as f64;
        let kept = || values.iter().map(|x| x.clamp(low, high));
        let mean = kept().sum::<f64>() / n;
        let moment = |power: i32| kept().map(|x| (x - mean).powi(power)).sum::<f64>() / n;
        let deviation = moment(2).sqrt();
        let skewness = if deviation > 0.0 {
            moment(3) / deviation.powi(3)
        } else {
            0.0
        };
        Self {
            mean,
            deviation,
            skewness,
        }
    }
}

/// Standardised values of `rows`, `rows x features`.
pub(super) fn standardise(data: &Dataset, rows: &[usize], scalers: &[Scaler]) -> Array2<f64> {
    Array2::from_shape_fn((rows.len(), scalers.len()), |(i, j)| {
        scalers[j].apply(data.x[[rows[i], j]])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_absurd_value_does_not_flatten_a_feature() {
        let mut values: Vec<f64> = (0..10_000).map(|i| f64::from(i % 100)).collect();
        values.push(1e30);
        values.sort_by(f64::total_cmp);
        let scaler = fit_scaler(&values);
        assert!(
            (scaler.mean - 49.5).abs() < 0.5 && (scaler.scale - 28.9).abs() < 0.5,
            "{scaler:?}"
        );
        assert!((scaler.apply(1e30) - 8.0).abs() < f64::EPSILON);
    }

    #[test]
    fn tiny_and_constant_and_rare_features_have_usable_scales() {
        let tiny: Vec<f64> = (0..1_000).map(|i| f64::from(i) * 1e-9).collect();
        let scaler = fit_scaler(&tiny);
        assert!((scaler.apply(999e-9) - 1.73).abs() < 0.01, "{scaler:?}");
        let constant = fit_scaler(&[3.0; 50]);
        assert!((constant.scale - 1.0).abs() < f32::EPSILON);
        let mut rare = vec![0.0; 10_000];
        rare.push(1.0);
        assert!(fit_scaler(&rare).apply(1.0) > 7.9);
        let empty = fit_scaler(&[]);
        assert!((empty.scale - 1.0).abs() < f32::EPSILON);
    }

    #[test]
    fn heavy_tails_get_the_logarithm() {
        let heavy: Vec<f64> = (0..1_000).map(|i| (f64::from(i) / 100.0).exp()).collect();
        assert_eq!(fit_scaler(&heavy).transform, Transform::SignedLog);
        let even: Vec<f64> = (0..1_000).map(f64::from).collect();
        assert_eq!(fit_scaler(&even).transform, Transform::Identity);
    }
}
