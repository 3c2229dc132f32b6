//! One training from data set to model, step by step.

use super::evaluate::evaluate_baseline;
use super::isolation::IsolationForestParams;
use super::learn::{Learned, learn};
use super::reference::reference;
use super::report::{Parts, Report, Weight};
use super::rising::rising;
use super::scale::CLIP;
use super::{
    Dataset, Learner, Split, Thresholds, TrainError, alarm, bend, evaluate, evenly, split,
};
use crate::domain::{FeatureSpec, Timestamp};
use crate::model::{
    AlarmThresholds, Calibration, FORMAT, Kind, Metrics, Model, ModelFile, Novelty, Term, Training,
};
use linfa::traits::Fit;
use ndarray::Axis;
use sha2::{Digest, Sha256};

/// Legitimate calls the isolation forest is grown on and its alarm is taken from.
const ENOUGH_FOR_NOVELTY: usize = 50_000;
/// Frauds the report's weights are taken over.
const FRAUDS_WEIGHED: usize = 2_000;
/// Probe vectors of a file.
const PROBES: usize = 32;

/// How to train. Time and seed are arguments: the same ones give the same file.
#[derive(Clone, Debug)]
pub struct Options {
    /// When the training runs; goes into the id.
    pub created: Timestamp,
    /// What is fitted.
    pub learner: Learner,
    /// Seed of every draw.
    pub seed: u64,
    /// Legitimate calls drawn per fraud for the logistic regression; trees see five times as
    /// many.
    pub negatives_per_positive: usize,
    /// Most calls of one campaign the fit sees.
    pub campaign_cap: usize,
    /// Largest share of the fit's calls from one account, 0 to 1; relaxed to an even split
    /// where there are too few accounts.
    pub account_share: f64,
    /// Campaign family to hold out, e.g. `hacked-pbx` for `hacked-pbx/1`, `hacked-pbx/2`.
    pub hold_out_family: Option<String>,
    /// Fixed limits to measure beside the model.
    pub baseline: Option<Thresholds>,
}

impl Options {
    /// The usual ones.
    #[must_use]
    pub fn new(created: Timestamp) -> Self {
        Self {
            created,
            learner: Learner::Auto,
            seed: 1,
            negatives_per_positive: 20,
            campaign_cap: 1_000,
            account_share: 0.5,
            hold_out_family: None,
            baseline: None,
        }
    }

    fn check(&self) -> Result<(), TrainError> {
        let bad = |name, expected| Err(TrainError::BadOption { name, expected });
        if !(1..=1_000).contains(&self.negatives_per_positive) {
            return bad("negatives_per_positive", "1 to 1000");
        }
        if self.campaign_cap == 0 {
            return bad("campaign_cap", "1 or more");
        }
        if !(0.01..=1.0).contains(&self.account_share) {
            return bad("account_share", "0.01 to 1");
        }
        Ok(())
    }
}

/// A model that can be published, and how it did.
#[derive(Debug)]
pub struct Trained {
    /// Verified as if read from its file.
    pub model: Model,
    /// For people and for `--json`.
    pub report: Report,
}

/// Trains on `data`: split by time, fit on the first part, calibrate on the second, measure
/// on the last.
///
/// # Errors
/// Too few labels, a fit that comes to nothing, a bad option.
pub fn train(
    data: &Dataset,
    catalogue: &[FeatureSpec],
    version: u16,
    options: &Options,
) -> Result<Trained, TrainError> {
    options.check()?;
    let parts = split(data, options.hold_out_family.as_deref())?;
    train_on(data, parts, catalogue, version, options)
}

/// Trains on parts chosen elsewhere: fit on the first, calibrate on the second, measure on the
/// last.
///
/// # Errors
/// A fit that comes to nothing, a bad option.
pub fn train_on(
    data: &Dataset,
    parts: Split,
    catalogue: &[FeatureSpec],
    version: u16,
    options: &Options,
) -> Result<Trained, TrainError> {
    options.check()?;
    // Of before the other parts: attacks on them ring at honeypots as well.
    let honeypot = data.honeypot_before(parts.calibrate_from);
    let rising = rising(catalogue);
    let fitted_on = [&parts.train[..], &honeypot].concat();
    let learned = learn(data, &fitted_on, &rising, options)?;
    let mut file = draft(data, catalogue, version, options, &parts);
    file.kind = learned.kind();
    file.training.fitted_rows = learned.seen.0 as u64;
    file.training.fitted_positives = learned.seen.1 as u64;
    file.training.alpha = learned.fitted.alpha;
    file.features = terms(data, &parts, &learned, catalogue);
    file.intercept = narrow(learned.fitted.logistic.intercept);
    file.trees.clone_from(&learned.trees);
    let fraud: Vec<bool> = parts.calibrate.iter().map(|row| data.y[*row]).collect();
    // Of the calibration part, never of the held-out one.
    let log_odds = learned.log_odds(data, &parts.calibrate);
    file.calibration = bend::calibration(data, &parts.calibrate, &log_odds, &fraud)
        .ok_or(TrainError::NothingLearned)?;
    file.novelty = Some(novelty(data, &parts, options)?);
    let probes = probe_vectors(data, &parts, catalogue.len());
    // The scorer itself chooses the thresholds and is measured: what is served counts.
    let scorer = Model::with_probes(file.clone(), &probes, catalogue, version)?;
    let scored = super::evaluate::scored_rows(&scorer, data, &parts.calibrate)?;
    let scores: Vec<f32> = scored.iter().map(|s| s.score).collect();
    let log_odds: Vec<f64> = scored.iter().map(|s| s.log_odds).collect();
    file.thresholds = alarm::thresholds(&scores, &log_odds, &fraud);
    file.reference = Some(reference(&scorer, data, &parts)?);
    let held_out = evaluate(&scorer, data, &parts.hold_out, file.thresholds.default)?;
    let baseline = options
        .baseline
        .as_ref()
        .map(|limits| evaluate_baseline(limits, catalogue, data, &parts.hold_out))
        .transpose()?;
    file.metrics = metrics(&held_out);
    file.id = id_of(&file, options.created)?;
    let model = Model::with_probes(file, &probes, catalogue, version)?;
    let report = Report {
        id: model.id().to_owned(),
        sha256: model.sha256().to_owned(),
        learner: options.learner,
        honeypot: honeypot.len(),
        unlabelled: data.unlabelled,
        parts: Parts::of(data, &parts),
        training: model.file().training.clone(),
        thresholds: model.file().thresholds,
        weights: Weight::of(model.file(), catalogue, &frauds_of(data, &parts.train)),
        held_out,
        baseline,
    };
    Ok(Trained { model, report })
}

/// A file's content with everything that is known before the fit.
fn draft(
    data: &Dataset,
    catalogue: &[FeatureSpec],
    version: u16,
    options: &Options,
    parts: &Split,
) -> ModelFile {
    debug_assert_eq!(
        data.x.ncols(),
        catalogue.len(),
        "the builder checked each row"
    );
    let at = |row: Option<&Timestamp>| row.copied().unwrap_or_default().to_rfc3339();
    let all: Vec<usize> = (0..data.rows()).collect();
    ModelFile {
        format: FORMAT,
        id: "draft".to_owned(),
        created: options.created.to_rfc3339(),
        kind: Kind::Logistic,
        features_version: version,
        features: Vec::new(),
        intercept: 0.0,
        trees: Vec::new(),
        novelty: None,
        calibration: Calibration::Platt {
            slope: 1.0,
            offset: 0.0,
        },
        thresholds: AlarmThresholds {
            default: 1.0,
            false_positives_0_1_percent: 1.0,
            false_positives_0_01_percent: 1.0,
        },
        training: Training {
            from: at(data.at.first()),
            to: at(data.at[..data.rows()].last()),
            hold_out_from: parts.hold_out_from.to_rfc3339(),
            rows: data.rows() as u64,
            positives: data.positives(&all) as u64,
            train_rows: parts.train.len() as u64,
            train_positives: data.positives(&parts.train) as u64,
            fitted_rows: 0,
            fitted_positives: 0,
            calibrate_rows: parts.calibrate.len() as u64,
            calibrate_positives: data.positives(&parts.calibrate) as u64,
            hold_out_family: options.hold_out_family.clone().unwrap_or_default(),
            alpha: 0.0,
            seed: options.seed,
        },
        metrics: Metrics::default(),
        reference: None,
        probes: Vec::new(),
    }
}

fn terms(data: &Dataset, parts: &Split, learned: &Learned, catalogue: &[FeatureSpec]) -> Vec<Term> {
    let fitted = &learned.fitted;
    let legitimate = legitimate(data, &parts.train);
    let mean_of = |feature: usize| {
        let scaler = &fitted.scalers[feature];
        let sum: f64 = legitimate
            .iter()
            .map(|row| scaler.apply(data.x[[*row, feature]]))
            .sum();
        sum / super::metrics::n(legitimate.len().max(1))
    };
    let each = fitted.scalers.iter().zip(&fitted.logistic.weights);
    each.zip(catalogue)
        .enumerate()
        .map(|(feature, ((scaler, weight), spec))| Term {
            name: spec.name.to_owned(),
            transform: scaler.transform,
            mean: scaler.mean,
            scale: scaler.scale,
            clip: CLIP,
            weight: narrow(*weight),
            baseline: narrow(mean_of(feature)),
        })
        .collect()
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "as the model file keeps it"
)]
fn narrow(x: f64) -> f32 {
    x as f32
}

fn legitimate(data: &Dataset, rows: &[usize]) -> Vec<usize> {
    rows.iter().copied().filter(|row| !data.y[*row]).collect()
}

/// An isolation forest over legitimate calls of the training part.
fn novelty(data: &Dataset, parts: &Split, options: &Options) -> Result<Novelty, TrainError> {
    let rows = evenly(&legitimate(data, &parts.train), ENOUGH_FOR_NOVELTY);
    let calls = linfa::DatasetBase::from(data.x.select(Axis(0), &rows));
    let params = IsolationForestParams::new().seed(options.seed);
    let forest = params.fit(&calls)?;
    let scores = linfa::traits::Predict::predict(&forest, &calls.records);
    Ok(Novelty {
        sample: u32::try_from(forest.sample()).unwrap_or(u32::MAX),
        alarm: alarm::novelty_alarm(scores.to_vec()),
        trees: forest.trees().to_vec(),
    })
}

/// Some frauds of the training, evenly spread.
fn frauds_of(data: &Dataset, rows: &[usize]) -> Vec<Vec<f32>> {
    let frauds: Vec<usize> = rows.iter().copied().filter(|row| data.y[*row]).collect();
    let some = evenly(&frauds, FRAUDS_WEIGHED).into_iter();
    some.map(|row| data.features(row).to_vec()).collect()
}

/// Calls of the training part, half of them fraud, and the two corners no call is near.
fn probe_vectors(data: &Dataset, parts: &Split, width: usize) -> Vec<Vec<f32>> {
    let (fraud, legitimate): (Vec<usize>, Vec<usize>) =
        parts.train.iter().partition(|row| data.y[**row]);
    let spread = |rows: &[usize]| -> Vec<Vec<f32>> {
        let count = PROBES / 2 - 1;
        (0..count)
            .filter_map(|i| rows.get(i * rows.len() / count))
            .map(|row| data.features(*row).to_vec())
            .collect()
    };
    let corners = vec![vec![0.0; width], vec![1e6; width]];
    [spread(&fraud), spread(&legitimate), corners].concat()
}

/// Rounded, so that the file reads well; the report has all digits.
fn metrics(e: &super::Evaluation) -> Metrics {
    let round = |x: f64| (x * 1e6).round() / 1e6;
    let recall = |point: Option<super::OperatingPoint>| round(point.map_or(0.0, |p| p.recall));
    let c = &e.campaigns;
    Metrics {
        rows: e.rows as u64,
        positives: e.positives as u64,
        average_precision: round(e.average_precision),
        roc_auc: round(e.roc_auc),
        recall_0_1_percent: recall(e.at_0_1_percent),
        recall_0_01_percent: recall(e.at_0_01_percent),
        brier: round(e.brier),
        recall_at_default: round(e.recall),
        false_positives_at_default: round(e.false_positive_rate),
        campaigns: c.campaigns as u64,
        campaigns_found: c.found as u64,
        leaked_median: super::metrics::n(c.leaked_median),
        leaked_p95: super::metrics::n(c.leaked_p95),
    }
}

/// `2026-11-23T1501-logistic-1a2b3c`: the minute of the training, the kind, and the first
/// digits of the content's hash.
fn id_of(file: &ModelFile, created: Timestamp) -> Result<String, TrainError> {
    let content = serde_json::to_vec(file).map_err(crate::model::ModelError::from)?;
    let hash = Sha256::digest(&content);
    let minute = created.to_datetime().format("%Y-%m-%dT%H%M");
    let kind = file.kind.as_str();
    Ok(format!(
        "{minute}-{kind}-{:02x}{:02x}{:02x}",
        hash[0], hash[1], hash[2]
    ))
}

#[cfg(test)]
#[path = "run_tests.rs"]
mod tests;
