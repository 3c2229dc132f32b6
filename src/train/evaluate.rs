//! How good a model is: by call, by campaign, and beside plain thresholds.

use super::metrics::{
    OperatingPoint, ReliabilityBin, average_precision, brier, n, operating_point, reliability,
    roc_auc,
};
use super::{Dataset, TrainError};
use crate::domain::{FeatureSpec, FeatureVector};
use crate::model::{Model, Scored};
use rayon::prelude::*;
use serde::Serialize;
use std::collections::BTreeMap;

/// What a model does on some calls.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Evaluation {
    /// Calls.
    pub rows: usize,
    /// Of those, fraud.
    pub positives: usize,
    /// Area under the precision-recall steps; 0 without fraud.
    pub average_precision: f64,
    /// Area under the ROC curve; 0.5 unless both verdicts are there.
    pub roc_auc: f64,
    /// Mean squared error of the score as a probability.
    pub brier: f64,
    /// At no more than 0.1 % false positives; threshold chosen on these very calls.
    pub at_0_1_percent: Option<OperatingPoint>,
    /// At no more than 0.01 % false positives; threshold chosen on these very calls.
    pub at_0_01_percent: Option<OperatingPoint>,
    /// The threshold given: chosen elsewhere.
    pub threshold: f32,
    /// Share of the fraud above it.
    pub recall: f64,
    /// Share of the legitimate calls above it.
    pub false_positive_rate: f64,
    /// Predicted against observed.
    pub reliability: Vec<ReliabilityBin>,
    /// By campaign, at the threshold given.
    pub campaigns: CampaignMeasures,
}

/// What campaigns got through. A call leaks if it comes before its campaign's first call
/// above the threshold; of a campaign never found every call leaks.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct CampaignMeasures {
    /// Campaigns there were.
    pub campaigns: usize,
    /// Of those, with a call above the threshold.
    pub found: usize,
    /// Calls leaked per campaign, median (nearest rank).
    pub leaked_median: usize,
    /// Calls leaked per campaign, 95th percentile (nearest rank).
    pub leaked_p95: usize,
    /// Calls leaked in all.
    pub leaked: usize,
    /// Fraud calls that belong to a campaign.
    pub calls: usize,
}

/// Scores `rows` of `data` and measures, calling fraud what scores above `threshold`.
///
/// # Errors
/// [`TrainError::Model`] does not occur; a vector the model cannot score is
/// [`TrainError::FeatureCount`].
pub fn evaluate(
    model: &Model,
    data: &Dataset,
    rows: &[usize],
    threshold: f32,
) -> Result<Evaluation, TrainError> {
    let scores = score_rows(model, data, rows)?;
    let fraud: Vec<bool> = rows.iter().map(|row| data.y[*row]).collect();
    let above: Vec<bool> = scores.iter().map(|s| *s > threshold).collect();
    let (recall, false_positive_rate) = rates(&above, &fraud);
    Ok(Evaluation {
        rows: rows.len(),
        positives: fraud.iter().filter(|y| **y).count(),
        average_precision: average_precision(&scores, &fraud).unwrap_or(0.0),
        roc_auc: roc_auc(&scores, &fraud).unwrap_or(0.5),
        brier: brier(&scores, &fraud).unwrap_or(0.0),
        at_0_1_percent: operating_point(&scores, &fraud, 1e-3),
        at_0_01_percent: operating_point(&scores, &fraud, 1e-4),
        threshold,
        recall,
        false_positive_rate,
        reliability: reliability(&scores, &fraud),
        campaigns: by_campaign(data, rows, &above),
    })
}

/// The scores the service would have given.
pub(super) fn score_rows(
    model: &Model,
    data: &Dataset,
    rows: &[usize],
) -> Result<Vec<f32>, TrainError> {
    let scored = scored_rows(model, data, rows)?;
    Ok(scored.into_iter().map(|s| s.score).collect())
}

/// Every row as the service would score it.
pub(super) fn scored_rows(
    model: &Model,
    data: &Dataset,
    rows: &[usize],
) -> Result<Vec<Scored>, TrainError> {
    let each = rows
        .par_iter()
        .map_init(FeatureVector::default, |vector, row| {
            data.fill(*row, vector);
            model.score(vector).map_err(|_| TrainError::FeatureCount {
                row: *row,
                found: vector.values.len(),
                wanted: model.file().features.len(),
                version: model.file().features_version,
            })
        });
    each.collect()
}

/// Share of the fraud and of the legitimate calls that are flagged; 0 where there are none.
fn rates(above: &[bool], fraud: &[bool]) -> (f64, f64) {
    let share = |of: bool| {
        let all = fraud.iter().filter(|y| **y == of).count();
        let flagged = above
            .iter()
            .zip(fraud)
            .filter(|(a, y)| **a && **y == of)
            .count();
        n(flagged) / n(all.max(1))
    };
    (share(true), share(false))
}

/// `rows` in order of time; `above`: which of them were called fraud.
pub(super) fn by_campaign(data: &Dataset, rows: &[usize], above: &[bool]) -> CampaignMeasures {
    let mut each: BTreeMap<usize, (usize, usize, bool)> = BTreeMap::new();
    for (row, above) in rows.iter().zip(above) {
        let number = data.campaign.number(*row);
        if number == 0 || !data.y[*row] {
            continue;
        }
        let (calls, leaked, found) = each.entry(number).or_default();
        *calls += 1;
        *found |= above;
        *leaked += usize::from(!*found);
    }
    let mut leaked: Vec<usize> = each.values().map(|(_, leaked, _)| *leaked).collect();
    leaked.sort_unstable();
    CampaignMeasures {
        campaigns: each.len(),
        found: each.values().filter(|(.., found)| *found).count(),
        leaked_median: nearest_rank(&leaked, 50),
        leaked_p95: nearest_rank(&leaked, 95),
        leaked: leaked.iter().sum(),
        calls: each.values().map(|(calls, ..)| *calls).sum(),
    }
}

fn nearest_rank(sorted: &[usize], percent: usize) -> usize {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0)
}

/// Fixed limits on named features, as softswitches have them: alarm if any is exceeded.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Thresholds {
    /// Feature name and the largest value that is still fine, in the feature's unit.
    pub rules: Vec<(String, f32)>,
}

/// What fixed limits do on the same calls.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Baseline {
    /// The limits.
    pub thresholds: Thresholds,
    /// Share of the fraud that exceeds one.
    pub recall: f64,
    /// Share of the legitimate calls that do.
    pub false_positive_rate: f64,
    /// All limits multiplied by one factor, the smallest with no more than 0.1 % false
    /// positives; the point's threshold is the factor.
    pub scaled_to_0_1_percent: Option<OperatingPoint>,
    /// By campaign, at the limits as they are.
    pub campaigns: CampaignMeasures,
}

/// Measures fixed limits on `rows` of `data`.
///
/// # Errors
/// A limit on an unknown feature, or one that is not above 0.
pub fn evaluate_baseline(
    thresholds: &Thresholds,
    catalogue: &[FeatureSpec],
    data: &Dataset,
    rows: &[usize],
) -> Result<Baseline, TrainError> {
    let rules = resolve(thresholds, catalogue)?;
    // How far the worst feature is over its limit: above 1 is an alarm.
    let excess: Vec<f64> = rows
        .iter()
        .map(|row| {
            rules
                .iter()
                .map(|(feature, limit)| f64::from(data.x[[*row, *feature]]) / limit)
                .fold(0.0, f64::max)
        })
        .collect();
    let fraud: Vec<bool> = rows.iter().map(|row| data.y[*row]).collect();
    let above: Vec<bool> = excess.iter().map(|e| *e > 1.0).collect();
    let (recall, false_positive_rate) = rates(&above, &fraud);
    Ok(Baseline {
        thresholds: thresholds.clone(),
        recall,
        false_positive_rate,
        scaled_to_0_1_percent: operating_point(&excess, &fraud, 1e-3),
        campaigns: by_campaign(data, rows, &above),
    })
}

fn resolve(
    thresholds: &Thresholds,
    catalogue: &[FeatureSpec],
) -> Result<Vec<(usize, f64)>, TrainError> {
    thresholds
        .rules
        .iter()
        .map(|(name, limit)| {
            let feature = catalogue
                .iter()
                .position(|spec| spec.name == name)
                .ok_or_else(|| TrainError::UnknownFeature { name: name.clone() })?;
            if limit.is_finite() && *limit > 0.0 {
                Ok((feature, f64::from(*limit)))
            } else {
                Err(TrainError::BadLimit { name: name.clone() })
            }
        })
        .collect()
}

#[cfg(test)]
#[path = "evaluate_tests.rs"]
mod tests;
