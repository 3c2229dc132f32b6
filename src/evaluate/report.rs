//! What an evaluation came to, for programs; `render` is for people.

use super::exchange::Announcements;
use super::{Estimate, Figures};
use crate::train::ReliabilityBin;
use serde::Serialize;
use std::collections::BTreeMap;

/// Under which conditions a detector is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Column {
    /// Later weeks; every family was learned from.
    Known,
    /// Later weeks; the family and its relatives were kept from learning.
    HeldOut,
    /// Another operator: other subscribers, other attackers; every family was learned from.
    AnotherOperator,
}

impl Column {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 3] = [Self::HeldOut, Self::Known, Self::AnotherOperator];

    /// As in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Known => "known",
            Self::HeldOut => "held_out",
            Self::AnotherOperator => "another_operator",
        }
    }

    /// As a heading.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Known => "known families, later weeks",
            Self::HeldOut => "held-out families, later weeks",
            Self::AnotherOperator => "another operator",
        }
    }
}

/// Legitimate calls of an innocent surprise, or of everyday life (the empty name), per fold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Surprise {
    /// Legitimate calls.
    pub calls: f64,
    /// Of those refused at the threshold for 1 in 10,000.
    pub hit_one_in_10_000: f64,
    /// Of those refused at the threshold for 1 in 1,000.
    pub hit_one_in_1_000: f64,
}

/// A line of the reliability table.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Reliability {
    /// Scores from here ...
    pub from: f64,
    /// ... to here.
    pub to: f64,
    /// Calls with such a score.
    pub calls: usize,
    /// Their mean score.
    pub predicted: f64,
    /// The share of them that was fraud.
    pub observed: f64,
}

impl Reliability {
    /// Bins of several folds as one table: a call counts alike in whichever fold it is.
    pub(super) fn pooled<'a>(bins: impl Iterator<Item = &'a ReliabilityBin>) -> Vec<Self> {
        let mut lines: Vec<Self> = Vec::new();
        for bin in bins {
            match lines.iter_mut().find(|line| line.to >= bin.to) {
                Some(line) if line.to <= bin.to => line.add(bin),
                _ => {
                    lines.push(Self {
                        from: bin.from,
                        to: bin.to,
                        calls: bin.calls,
                        predicted: bin.predicted,
                        observed: bin.observed,
                    });
                    lines.sort_by(|a, b| a.to.total_cmp(&b.to));
                }
            }
        }
        lines
    }

    #[expect(clippy::cast_precision_loss, reason = "counts below 2^52")]
    fn add(&mut self, bin: &ReliabilityBin) {
        self.calls += bin.calls;
        let share = bin.calls as f64 / self.calls.max(1) as f64;
        self.predicted += (bin.predicted - self.predicted) * share;
        self.observed += (bin.observed - self.observed) * share;
    }
}

/// A detector under one column's conditions.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ColumnReport {
    /// All families together.
    pub overall: Figures,
    /// By family.
    pub families: BTreeMap<String, Figures>,
    /// Legitimate calls refused, by surprise.
    pub surprises: BTreeMap<String, Surprise>,
    /// Mean distance of predicted and observed, the mean over the folds; `None`: no probabilities.
    pub calibration_error: Option<f64>,
    /// Predicted against observed, the calls of all folds pooled.
    pub reliability: Vec<Reliability>,
    /// Thresholds by fold, of `one_in_10_000` and of `one_in_1_000`: chosen for that on the
    /// calibration part; of `tfps` the model file's default and its point for 1 in 1,000, of
    /// `tfps-novelty` twice its alarm, of `...-as-published` twice what is published.
    pub thresholds: BTreeMap<String, [f64; 2]>,
    /// Average precision of ours less this detector's, paired; of ours itself nothing.
    pub ours_less_this: Option<Estimate>,
}

/// A detector.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DetectorReport {
    /// Short stable name.
    pub name: String,
    /// Whether its scores are meant as probabilities.
    pub probabilities: bool,
    /// By column.
    pub columns: BTreeMap<Column, ColumnReport>,
}

/// Rows and attacks of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PartReport {
    /// Calls.
    pub calls: usize,
    /// Of those, fraud.
    pub fraud: usize,
    /// Attacks begun in it.
    pub attacks: usize,
}

/// What the figures are of.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DataReport {
    /// Where the calls come from, in words.
    pub source: String,
    /// First and last call, RFC 3339.
    pub from: String,
    /// Last call, RFC 3339.
    pub to: String,
    /// Version of the features.
    pub features_version: u16,
    /// How many features.
    pub features: usize,
    /// Calls walked through, warm-up included.
    pub calls: usize,
    /// Calls at honeypots, which teach habits and are in no figure.
    pub honeypot: usize,
    /// Calls without a price: their money is not counted.
    pub unpriced: usize,
    /// Learned from, calibrated on, judged by.
    pub parts: BTreeMap<&'static str, PartReport>,
    /// Another operator's calls that judge.
    pub another_operator: Option<PartReport>,
}

/// The whole of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Id of the model that knows every family.
    pub model: String,
    /// Hash of its file.
    pub sha256: String,
    /// Its kind, in a word.
    pub kind: String,
    /// What the figures are of.
    pub data: DataReport,
    /// Draws behind each interval.
    pub bootstrap: usize,
    /// Seed of everything drawn.
    pub seed: u64,
    /// Ours first.
    pub detectors: Vec<DetectorReport>,
    /// What detectors of other programs say of themselves.
    pub peers: Announcements,
}

/// Every figure as CSV: detector, column, family (empty: all), threshold, figure, value, low, high.
///
/// # Errors
/// None in practice: it is written into memory.
pub fn figures_csv(report: &Report) -> Result<String, csv::Error> {
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record([
        "detector",
        "column",
        "family",
        "threshold",
        "figure",
        "value",
        "low",
        "high",
    ])?;
    for detector in &report.detectors {
        for (column, found) in &detector.columns {
            let all = std::iter::once(("", &found.overall));
            let each = found.families.iter().map(|(name, f)| (name.as_str(), f));
            for (family, figures) in all.chain(each) {
                let kinds = [
                    ("", &figures.ranking),
                    ("one_in_10_000", &figures.one_in_10_000),
                    ("one_in_1_000", &figures.one_in_1_000),
                ];
                for (threshold, estimates) in kinds {
                    for (figure, e) in estimates {
                        let text = |x: Option<f64>| x.map_or(String::new(), |x| x.to_string());
                        let [value, low, high] = [e.value, e.low, e.high].map(text);
                        let column = column.name();
                        let name = detector.name.as_str();
                        out.write_record([
                            name, column, family, threshold, figure, &value, &low, &high,
                        ])?;
                    }
                }
            }
        }
    }
    let bytes = out
        .into_inner()
        .map_err(|e| csv::Error::from(e.into_error()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_of_folds_are_pooled_by_their_calls() {
        let bin = |from, to, calls, predicted, observed| ReliabilityBin {
            from,
            to,
            calls,
            predicted,
            observed,
        };
        let one = [bin(0.0, 0.5, 3, 0.1, 0.0), bin(0.9, 1.0, 2, 0.95, 1.0)];
        let other = [bin(0.0, 0.5, 1, 0.3, 1.0), bin(0.5, 0.9, 4, 0.6, 0.5)];
        let lines = Reliability::pooled(one.iter().chain(&other));
        let froms: Vec<f64> = lines.iter().map(|line| line.from).collect();
        assert_eq!(froms, [0.0, 0.5, 0.9]);
        let first = lines[0];
        assert_eq!(first.calls, 4);
        // (3 x 0.1 + 0.3) / 4 and 1 / 4.
        assert!((first.predicted - 0.15).abs() < 1e-12);
        assert!((first.observed - 0.25).abs() < 1e-12);
        assert_eq!((lines[1].calls, lines[2].calls), (4, 2));
    }
}
