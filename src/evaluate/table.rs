//! Any table of numbers with a label: the learners on data whose results are published.
//!
//! Supervised learners are judged on the three tenths of a stratified split that they neither
//! learned from nor were calibrated on, several times; the isolation forest is fitted on and
//! judged by the whole table without its label, as its published figures are.

use super::EvaluateError;
use crate::domain::{FeatureSpec, FeatureVector, Timestamp, Verdict};
use crate::train::{
    Dataset, DatasetBuilder, LabelledCall, Options, Split, average_precision, isolate, roc_auc,
    train_on,
};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_pcg::Pcg64Mcg;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;

/// Columns of a table, at most: as many as a model has features.
const MAX_COLUMNS: usize = 256;
/// There is one version of a table.
const VERSION: u16 = 1;
/// Learned from and calibrated on, of ten rows.
const TENTHS: [usize; 2] = [6, 1];

/// A mean over the repeats, and its standard deviation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// Mean.
    pub mean: f64,
    /// Standard deviation of a repeat.
    pub deviation: f64,
}

/// What a learner comes to on a table.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct TableFigures {
    /// Area under the ROC curve.
    pub roc_auc: Spread,
    /// Average precision.
    pub average_precision: Spread,
    /// How often it was repeated.
    pub repeats: usize,
}

/// What the learners come to on a table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TableReport {
    /// Rows.
    pub rows: usize,
    /// Of those, labelled 1.
    pub positives: usize,
    /// Columns beside the label.
    pub columns: usize,
    /// By learner.
    pub learners: BTreeMap<String, TableFigures>,
}

/// Reads a CSV whose columns are numbers and whose label is 0 or 1.
///
/// # Errors
/// What is wrong, with its line and column.
pub fn read_table(
    path: &Path,
    label: &str,
) -> Result<(Dataset, &'static [FeatureSpec]), EvaluateError> {
    let csv_error = |source| EvaluateError::Csv {
        path: path.to_owned(),
        source,
    };
    let wrong = |problem: String| EvaluateError::Table {
        path: path.to_owned(),
        problem,
    };
    let mut reader = csv::Reader::from_path(path).map_err(csv_error)?;
    let header = reader.headers().map_err(csv_error)?.clone();
    let label_at = header
        .iter()
        .position(|name| name == label)
        .ok_or_else(|| EvaluateError::NoColumn {
            path: path.to_owned(),
            column: label.to_owned(),
            found: header.iter().collect::<Vec<_>>().join(", "),
        })?;
    if !(2..=MAX_COLUMNS + 1).contains(&header.len()) {
        let problem = format!(
            "{} columns: expected 2 to {}",
            header.len(),
            MAX_COLUMNS + 1
        );
        return Err(wrong(problem));
    }
    let names = header.iter().enumerate().filter(|(at, _)| *at != label_at);
    let catalogue = catalogue(names.map(|(_, name)| name));
    let mut builder = DatasetBuilder::new(catalogue, VERSION);
    let mut values = Vec::new();
    for (row, record) in (0_i64..).zip(reader.records()) {
        let record = record.map_err(csv_error)?;
        let line = record.position().map_or(0, csv::Position::line);
        let bad = |at: usize, expected| EvaluateError::Value {
            path: path.to_owned(),
            line,
            column: header.get(at).unwrap_or_default().to_owned(),
            value: record.get(at).unwrap_or_default().to_owned(),
            expected,
        };
        values.clear();
        let mut verdict = None;
        for (at, text) in record.iter().enumerate() {
            let number: Option<f32> = text.trim().parse().ok().filter(|x: &f32| x.is_finite());
            if at == label_at {
                verdict = Some(match number {
                    Some(0.0) => Verdict::Legitimate,
                    Some(1.0) => Verdict::Fraud,
                    _ => return Err(bad(at, "no label: expected 0 or 1")),
                });
            } else {
                values.push(number.ok_or_else(|| bad(at, "no finite number"))?);
            }
        }
        let call = LabelledCall {
            // The order of the rows is all the time there is.
            at: Timestamp::from_secs(row),
            account: "",
            campaign: "",
            verdict,
            features: &values,
        };
        builder.push(&call).map_err(EvaluateError::Call)?;
    }
    let data = builder.finish();
    let all: Vec<usize> = (0..data.rows()).collect();
    let positives = data.positives(&all);
    if positives.min(data.rows() - positives) < 10 {
        return Err(wrong(format!(
            "{positives} of {} rows are labelled 1: at least 10 of each label are needed",
            data.rows()
        )));
    }
    Ok((data, catalogue))
}

/// Features named as the columns are. Names of features live as long as the program, as the
/// catalogue's do: a run reads one table, so what is kept is a header.
fn catalogue<'a>(names: impl Iterator<Item = &'a str>) -> &'static [FeatureSpec] {
    let spec = |name: &str| {
        let name: &'static str = String::leak(name.to_owned());
        FeatureSpec {
            name,
            tag: name,
            words: "a column of a table",
        }
    };
    Vec::leak(names.map(spec).collect())
}

/// Judges the learners, `repeats` times each.
///
/// # Errors
/// A learner that comes to nothing.
pub fn evaluate_table(
    data: &Dataset,
    catalogue: &'static [FeatureSpec],
    repeats: usize,
    seed: u64,
    tell: &dyn Fn(&'static str),
) -> Result<TableReport, EvaluateError> {
    let mut learners = BTreeMap::new();
    for (name, options) in super::detect::learners(Timestamp::from_secs(0)) {
        tell(name);
        let once = |repeat: u64| supervised(data, catalogue, &options, seed.wrapping_add(repeat));
        learners.insert(name.to_owned(), repeated(repeats, once)?);
    }
    tell("isolation-forest");
    let once = |repeat: u64| isolated(data, seed.wrapping_add(repeat));
    learners.insert("isolation-forest".to_owned(), repeated(repeats, once)?);
    let all: Vec<usize> = (0..data.rows()).collect();
    Ok(TableReport {
        rows: data.rows(),
        positives: data.positives(&all),
        columns: catalogue.len(),
        learners,
    })
}

/// Area and precision of one repeat.
type Once = (f64, f64);

fn repeated(
    repeats: usize,
    once: impl Fn(u64) -> Result<Once, EvaluateError>,
) -> Result<TableFigures, EvaluateError> {
    let mut all = Vec::new();
    for repeat in 0..repeats as u64 {
        all.push(once(repeat)?);
    }
    Ok(TableFigures {
        roc_auc: spread(all.iter().map(|once| once.0)),
        average_precision: spread(all.iter().map(|once| once.1)),
        repeats,
    })
}

#[expect(clippy::cast_precision_loss, reason = "a few repeats")]
fn spread(values: impl Iterator<Item = f64>) -> Spread {
    let values: Vec<f64> = values.collect();
    let count = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    Spread {
        mean,
        deviation: (squares / (count - 1.0).max(1.0)).sqrt(),
    }
}

fn judged(scores: &[f64], data: &Dataset, rows: &[usize]) -> Once {
    let fraud: Vec<bool> = rows.iter().map(|row| data.y[*row]).collect();
    (
        roc_auc(scores, &fraud).unwrap_or(0.5),
        average_precision(scores, &fraud).unwrap_or(0.0),
    )
}

fn supervised(
    data: &Dataset,
    catalogue: &'static [FeatureSpec],
    options: &Options,
    seed: u64,
) -> Result<Once, EvaluateError> {
    let split = stratified(data, seed);
    let rows = split.hold_out.clone();
    let options = Options {
        seed,
        ..options.clone()
    };
    let failed = |source| EvaluateError::Train {
        fold: format!("seed {seed}"),
        source,
    };
    let trained = train_on(data, split, catalogue, VERSION, &options).map_err(failed)?;
    let mut vector = FeatureVector::default();
    let scores: Vec<f64> = rows
        .iter()
        .map(|row| {
            data.fill(*row, &mut vector);
            // Of the same version and length, and finite, as the table was read.
            trained
                .model
                .score(&vector)
                .map_or(f64::NAN, |s| s.log_odds)
        })
        .collect();
    Ok(judged(&scores, data, &rows))
}

/// Fitted on the whole table and judged by it; the label is seen by the judge only.
fn isolated(data: &Dataset, seed: u64) -> Result<Once, EvaluateError> {
    let all: Vec<usize> = (0..data.rows()).collect();
    let scores = isolate(data, seed).map_err(EvaluateError::Isolation)?;
    Ok(judged(&scores, data, &all))
}

/// Six tenths, one tenth and three tenths of each label, drawn at random.
fn stratified(data: &Dataset, seed: u64) -> Split {
    let mut random = Pcg64Mcg::seed_from_u64(seed);
    let mut parts = [Vec::new(), Vec::new(), Vec::new()];
    for label in [true, false] {
        let mut rows: Vec<usize> = (0..data.rows())
            .filter(|row| data.y[*row] == label)
            .collect();
        rows.shuffle(&mut random);
        let ends = [
            rows.len() * TENTHS[0] / 10,
            rows.len() * (TENTHS[0] + TENTHS[1]) / 10,
        ];
        parts[0].extend_from_slice(&rows[..ends[0]]);
        parts[1].extend_from_slice(&rows[ends[0]..ends[1]]);
        parts[2].extend_from_slice(&rows[ends[1]..]);
    }
    // In order of time, as parts are.
    for part in &mut parts {
        part.sort_unstable();
    }
    let [train, calibrate, hold_out] = parts;
    Split {
        train,
        calibrate,
        hold_out,
        calibrate_from: Timestamp::default(),
        hold_out_from: Timestamp::default(),
        shares: [60, 10, 30],
    }
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
