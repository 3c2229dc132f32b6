//! The fit: linfa's logistic regression, its traps stepped over.
//!
//! linfa 0.8.1 models the probability of the *more frequent* class and stops silently at its
//! iteration limit; so the result is oriented by its labels and checked for finite numbers.

use super::metrics::{average_precision, n};
use super::scale::{Scaler, fit_scalers, standardise};
use super::{Dataset, TrainError, sample::Sample, split};
use linfa::traits::Fit;
use linfa_logistic::error::Error;
use linfa_logistic::{FittedLogisticRegression, LogisticRegression};
use ndarray::{Array1, Array2, Axis, Ix1};

/// L2 penalties tried, weakest first. linfa's loss is a sum over calls, as scikit-learn's
/// with `C = 1 / alpha`.
const ALPHAS: [f64; 4] = [0.1, 1.0, 10.0, 100.0];
/// The penalty where there is too little to choose by.
const DEFAULT_ALPHA: f64 = 10.0;
/// Frauds it takes to choose by, on either side.
const MIN_TO_CHOOSE: usize = 5;
/// A stronger penalty is preferred if it loses no more average precision than this.
const INDIFFERENT: f64 = 0.002;
const MAX_ITERATIONS: u64 = 500;
/// Gradients at which the fit may end, per call; the next is taken where one fails.
const TOLERANCES: [f64; 2] = [1e-7, 1e-5];
/// The same for more calls than [`MANY`]: chance alone makes a gradient several times as large.
const OF_MANY: [f64; 1] = [1e-4];
const MANY: usize = 20_000;
/// The same where only penalties are compared.
const ROUGHLY: [f64; 1] = [1e-4];
/// Calls by which penalties are compared, at most, on either side: five fits of as many calls as
/// the last one would cost five times as much and choose the same.
const ENOUGH_TO_CHOOSE: usize = 20_000;
/// The gradient, per call, above which a fit does not count as one.
const CONVERGED: f64 = 1e-3;

/// Weights over standardised features; larger log-odds mean fraud.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Logistic {
    pub weights: Vec<f64>,
    pub intercept: f64,
}

impl Logistic {
    /// Log-odds of one standardised row.
    pub(super) fn log_odds(&self, z: impl IntoIterator<Item = f64>) -> f64 {
        let sum: f64 = self.weights.iter().zip(z).map(|(w, z)| w * z).sum();
        self.intercept + sum
    }
}

/// What came of the training part.
#[derive(Clone, Debug)]
pub(super) struct Fitted {
    pub scalers: Vec<Scaler>,
    pub logistic: Logistic,
    pub alpha: f64,
}

impl Fitted {
    /// Log-odds of a call's features.
    pub(super) fn log_odds(&self, values: &[f32]) -> f64 {
        let each = self.scalers.iter().zip(values);
        self.logistic
            .log_odds(each.map(|(scaler, x)| scaler.apply(*x)))
    }
}

/// Standardises the sample, chooses the penalty by its last quarter, fits on all of it, and
/// corrects the intercept for the sampling.
pub(super) fn fit(data: &Dataset, sample: &Sample) -> Result<Fitted, TrainError> {
    let scalers = fit_scalers(data, &sample.rows);
    let z = standardise(data, &sample.rows, &scalers);
    let y: Vec<bool> = sample.rows.iter().map(|row| data.y[*row]).collect();
    let alpha = choose_alpha(data, &sample.rows, &z, &y)?;
    let mut logistic = fit_logistic(z, &y, alpha)?;
    logistic.intercept += sample.intercept_shift;
    Ok(Fitted {
        scalers,
        logistic,
        alpha,
    })
}

fn choose_alpha(
    data: &Dataset,
    rows: &[usize],
    z: &Array2<f64>,
    y: &[bool],
) -> Result<f64, TrainError> {
    let (earlier, later) = split::validation(data, rows);
    let earlier = super::evenly(&earlier, ENOUGH_TO_CHOOSE);
    let later = super::evenly(&later, ENOUGH_TO_CHOOSE);
    let labels = |at: &[usize]| -> Vec<bool> { at.iter().map(|i| y[*i]).collect() };
    let (y_earlier, y_later) = (labels(&earlier), labels(&later));
    if !(enough(&y_earlier) && enough(&y_later)) {
        return Ok(DEFAULT_ALPHA);
    }
    let z_later = z.select(Axis(0), &later);
    let mut best = (f64::NEG_INFINITY, DEFAULT_ALPHA);
    for alpha in ALPHAS {
        let fitted = fit_to(z.select(Axis(0), &earlier), &y_earlier, alpha, &ROUGHLY)?;
        let scores: Vec<f64> = z_later
            .rows()
            .into_iter()
            .map(|row| fitted.log_odds(row.iter().copied()))
            .collect();
        let precision = average_precision(&scores, &y_later).unwrap_or(0.0);
        if precision >= best.0 - INDIFFERENT {
            best = (precision.max(best.0), alpha);
        }
    }
    Ok(best.1)
}

fn enough(labels: &[bool]) -> bool {
    let fraud = labels.iter().filter(|y| **y).count();
    fraud >= MIN_TO_CHOOSE && labels.len() - fraud >= MIN_TO_CHOOSE
}

/// `z` is `rows x features`, standardised; `fraud` has both values.
pub(super) fn fit_logistic(
    z: Array2<f64>,
    fraud: &[bool],
    alpha: f64,
) -> Result<Logistic, TrainError> {
    let tolerances: &[f64] = match z.nrows() > MANY {
        true => &OF_MANY,
        false => &TOLERANCES,
    };
    fit_to(z, fraud, alpha, tolerances)
}

/// The same to given gradients, per call; the next where one fails.
fn fit_to(
    z: Array2<f64>,
    fraud: &[bool],
    alpha: f64,
    tolerances: &[f64],
) -> Result<Logistic, TrainError> {
    let records = linfa::Dataset::new(z, Array1::from(fraud.to_vec()));
    let fitted = fit_linfa(&records, alpha, tolerances)?;
    // linfa's "positive" class is the more frequent one, not `true`.
    let sign = if fitted.labels().pos.class { 1.0 } else { -1.0 };
    let logistic = Logistic {
        weights: fitted.params().iter().map(|w| sign * w).collect(),
        intercept: sign * fitted.intercept(),
    };
    // Also false where it is no number.
    if slope_left(&logistic, records.records(), fraud, alpha) <= CONVERGED {
        Ok(logistic)
    } else {
        Err(TrainError::Diverged)
    }
}

/// Near the optimum the line search may find nothing left to gain before the gradient is as
/// small as asked, and calls that an error; a coarser tolerance then ends before that.
fn fit_linfa(
    records: &linfa::Dataset<f64, bool, Ix1>,
    alpha: f64,
    tolerances: &[f64],
) -> Result<FittedLogisticRegression<f64, bool>, TrainError> {
    let attempt = |tolerance: f64| {
        LogisticRegression::default()
            .alpha(alpha)
            .max_iterations(MAX_ITERATIONS)
            .gradient_tolerance(tolerance * n(records.records().nrows()).max(1.0))
            .fit(records)
    };
    for tolerance in tolerances {
        match attempt(*tolerance) {
            Err(Error::ArgMinError(_)) => {}
            other => return Ok(other?),
        }
    }
    Ok(attempt(CONVERGED)?)
}

/// Largest component of the loss's gradient, per call: 0 at the optimum.
fn slope_left(logistic: &Logistic, z: &Array2<f64>, fraud: &[bool], alpha: f64) -> f64 {
    let residual: Array1<f64> = z
        .rows()
        .into_iter()
        .zip(fraud)
        .map(|(row, y)| {
            let p = 1.0 / (1.0 + (-logistic.log_odds(row.iter().copied())).exp());
            p - f64::from(u8::from(*y))
        })
        .collect();
    let gradient = z.t().dot(&residual);
    let penalised = gradient
        .iter()
        .zip(&logistic.weights)
        .map(|(g, w)| g + alpha * w);
    let largest = penalised
        .chain([residual.sum()])
        // Not `f64::max`, which would pass over what is no number.
        .fold(
            0.0,
            |most: f64, g| if g.abs() <= most { most } else { g.abs() },
        );
    largest / n(fraud.len().max(1))
}

#[cfg(test)]
#[path = "fit_tests.rs"]
mod tests;
