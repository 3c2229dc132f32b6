//! What a training came to, for a terminal, for `--json`, and for the card.

use super::evaluate::{Baseline, Evaluation};
use super::metrics::{OperatingPoint, n};
use super::{Dataset, Learner, Split};
use crate::domain::FeatureSpec;
use crate::model::{AlarmThresholds, Forest, ModelFile, Training};
use serde::Serialize;
use std::fmt;

/// Everything worth knowing of a training.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Id of the model.
    pub id: String,
    /// Hash of its file.
    pub sha256: String,
    /// What was asked for.
    pub learner: Learner,
    /// Calls at honeypots the fit could draw from; no figure knows of them.
    pub honeypot: usize,
    /// Calls without a verdict that were left out.
    pub unlabelled: usize,
    /// How the data was split.
    pub parts: Parts,
    /// What it was trained on.
    pub training: Training,
    /// Scores above which a call is called fraud.
    pub thresholds: AlarmThresholds,
    /// Every feature's weight, the heaviest first.
    pub weights: Vec<Weight>,
    /// Measured on the held-out part.
    pub held_out: Evaluation,
    /// Fixed limits on the same calls.
    pub baseline: Option<Baseline>,
}

/// How the data was split.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Parts {
    /// Percent of the calls, in order of time: train, calibrate, held out.
    pub shares: [usize; 3],
    /// First call that may calibrate, RFC 3339.
    pub calibrate_from: String,
    /// First call that may be held out, RFC 3339.
    pub hold_out_from: String,
    /// Calls and frauds: train.
    pub train: (usize, usize),
    /// Calls and frauds: calibrate.
    pub calibrate: (usize, usize),
    /// Calls and frauds: held out.
    pub hold_out: (usize, usize),
}

impl Parts {
    pub(super) fn of(data: &Dataset, split: &Split) -> Self {
        let count = |rows: &[usize]| (rows.len(), data.positives(rows));
        Self {
            shares: split.shares,
            calibrate_from: split.calibrate_from.to_rfc3339(),
            hold_out_from: split.hold_out_from.to_rfc3339(),
            train: count(&split.train),
            calibrate: count(&split.calibrate),
            hold_out: count(&split.hold_out),
        }
    }
}

/// What one feature weighs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Weight {
    /// Its name.
    pub feature: String,
    /// The tag of the reason it gives.
    pub tag: String,
    /// In the linear part: log-odds per standard deviation, before calibration.
    pub weight: f32,
    /// In the trees: log-odds before calibration its splits add to or take from a fraud of the
    /// training, on average.
    pub in_trees: f32,
}

impl Weight {
    /// Of every feature, by its share in the scores of `frauds`, vectors of the training.
    pub(super) fn of(
        file: &ModelFile,
        catalogue: &[FeatureSpec],
        frauds: &[Vec<f32>],
    ) -> Vec<Self> {
        let mut sums = vec![0.0; catalogue.len()];
        let forest = Forest::new(&file.trees);
        for fraud in frauds {
            forest.walk(fraud, |step| sums[step.feature] += step.change);
        }
        let each = file.features.iter().zip(catalogue).zip(sums);
        let mut weights: Vec<Self> = each
            .map(|((term, spec), sum)| Self {
                feature: term.name.clone(),
                tag: spec.tag.to_owned(),
                weight: term.weight,
                #[expect(clippy::cast_possible_truncation, reason = "for people")]
                in_trees: (sum / n(frauds.len().max(1))) as f32,
            })
            .collect();
        weights.sort_by(|a, b| b.size().total_cmp(&a.size()));
        weights
    }

    /// What it is sorted by: both parts are log-odds.
    fn size(&self) -> f32 {
        self.weight.abs() + self.in_trees.abs()
    }
}

/// Weights a terminal shows.
const SHOWN: usize = 10;

pub(super) fn percent(share: f64) -> String {
    format!("{:.2} %", share * 100.0)
}

/// `63.10 %`, with a warning where the calls are too few for the target.
pub(super) fn recall_words(point: Option<OperatingPoint>) -> String {
    match point {
        None => "-".to_owned(),
        Some(p) if p.resolved => percent(p.recall),
        Some(p) => format!(
            "{} (at no false positive: too few legitimate calls)",
            percent(p.recall)
        ),
    }
}

/// Said where the default threshold finds nothing.
pub(super) const FINDS_NOTHING: &str = "no held-out fraud scores above the default threshold: a policy \
     without a threshold of its own would refuse none of them; look for wrong verdicts among the \
     legitimate calls that score highest";

/// Whether the default threshold finds nothing.
pub(super) fn finds_nothing(e: &Evaluation) -> bool {
    e.positives > 0 && e.recall <= 0.0
}

/// The figures of an evaluation, name and value, in the order they are shown.
pub(super) fn figures(e: &Evaluation) -> Vec<(String, String)> {
    let c = &e.campaigns;
    let line = |name: &str, value: String| (name.to_owned(), value);
    vec![
        line(
            "calls, of them fraud",
            format!("{}, {}", e.rows, e.positives),
        ),
        line("average precision", format!("{:.4}", e.average_precision)),
        line("ROC area", format!("{:.4}", e.roc_auc)),
        line(
            "recall at 0.1 % false positives",
            recall_words(e.at_0_1_percent),
        ),
        line(
            "recall at 0.01 % false positives",
            recall_words(e.at_0_01_percent),
        ),
        line("Brier score", format!("{:.6}", e.brier)),
        line("threshold", format!("{:.4}", e.threshold)),
        line("recall at the threshold", percent(e.recall)),
        line(
            "false positives at the threshold",
            percent(e.false_positive_rate),
        ),
        line("campaigns found", format!("{} of {}", c.found, c.campaigns)),
        line(
            "calls leaked per campaign",
            format!(
                "median {}, 95th percentile {}",
                c.leaked_median, c.leaked_p95
            ),
        ),
    ]
}

impl fmt::Display for Evaluation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in figures(self) {
            writeln!(f, "  {name:<34}{value}")?;
        }
        writeln!(f, "  score          calls      predicted  observed")?;
        for bin in &self.reliability {
            let range = format!("{:.3}-{:.3}", bin.from, bin.to);
            writeln!(
                f,
                "  {range:<13}{:>8}  {:>12.5}  {:>8.5}",
                bin.calls, bin.predicted, bin.observed
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for Baseline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |name: &str, value: String| format!("  {name:<34}{value}\n");
        f.write_str(&line("recall", percent(self.recall)))?;
        f.write_str(&line("false positives", percent(self.false_positive_rate)))?;
        f.write_str(&line(
            "recall scaled to 0.1 %",
            recall_words(self.scaled_to_0_1_percent),
        ))?;
        let c = &self.campaigns;
        f.write_str(&line(
            "campaigns found",
            format!("{} of {}", c.found, c.campaigns),
        ))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (t, p) = (&self.training, &self.parts);
        writeln!(f, "model {}", self.id)?;
        writeln!(
            f,
            "trained on {} judged calls, {} of them fraud, {} to {}",
            t.rows, t.positives, t.from, t.to
        )?;
        let parts = [
            ("train", p.train),
            ("calibrate", p.calibrate),
            ("held out", p.hold_out),
        ];
        for ((name, (calls, fraud)), share) in parts.iter().zip(p.shares) {
            writeln!(
                f,
                "  {name:<10}{calls:>9} calls  {fraud:>7} fraud  ({share} % of the time order)"
            )?;
        }
        if self.honeypot > 0 {
            writeln!(
                f,
                "  the fit alone was shown calls at honeypots, from {}",
                self.honeypot
            )?;
        }
        writeln!(f, "on held-out calls:")?;
        write!(f, "{}", self.held_out)?;
        if finds_nothing(&self.held_out) {
            writeln!(f, "warning: {FINDS_NOTHING}")?;
        }
        if let Some(baseline) = &self.baseline {
            writeln!(f, "fixed thresholds on the same calls:")?;
            write!(f, "{baseline}")?;
        }
        writeln!(
            f,
            "heaviest features (log-odds per standard deviation; by trees, for a fraud):"
        )?;
        for w in self.weights.iter().take(SHOWN) {
            writeln!(f, "  {:<34}{:+.3}  {:+.3}", w.feature, w.weight, w.in_trees)?;
        }
        Ok(())
    }
}
