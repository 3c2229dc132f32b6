//! Rows out to learners of other programs, their scores back in.
//!
//! What is handed out, into one folder:
//! - `rows.arrow`: one row per call that is learned from, calibrated on or judged by; a column
//!   per feature, `row` (its number), `fraud` (1, 0, and -1 for calls that judge: nobody is
//!   handed the answers) and for each fold `part_<fold>`: 0 not used, 1 train, 2 calibrate,
//!   3 judge, and `later_<fold>`: 1 for the last quarter of its training rows, attacks whole, to
//!   choose by and stop by, as our own learner does
//! - `other.arrow`: another operator's calls that judge, with features and `row`
//! - `manifest.json`: names of features and folds, a seed, and `rows_sha256`, a hash of all that is
//!   handed out
//!
//! What is expected back, in the same folder:
//! - `detectors.json`: `{"rows_sha256": "...", "detectors": {"name": {"probabilities": true,
//!   "about": "..."}, ...}}`; the hash is the manifest's, so that scores of other rows, which are
//!   known by their numbers only, are never taken for scores of these
//! - `scores-<fold>.csv`: `row` and a column per detector, for every row of parts 2 and 3
//! - `scores-other.csv`: the same for `other.arrow`, by the models of the fold `known`

use super::{Calls, Detector, EvaluateError, Fold, FoldScores};
use crate::features::CATALOGUE;
use crate::train::{validation, write_arrow};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What a detector says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Announced {
    /// Whether its scores are meant as probabilities of fraud.
    pub probabilities: bool,
    /// What it is, with the version.
    pub about: String,
}

/// Detectors of other programs by name.
pub type Announcements = BTreeMap<String, Announced>;

/// `detectors.json`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    rows_sha256: String,
    detectors: Announcements,
}

/// What a fold does with a row, as it stands in `part_<fold>`.
const TRAIN: i32 = 1;
const CALIBRATE: i32 = 2;
const JUDGE: i32 = 3;

#[derive(Serialize)]
struct Manifest<'a> {
    features: Vec<&'a str>,
    folds: Vec<&'a str>,
    seed: u64,
    other: bool,
    rows_sha256: String,
}

/// What is said of each row beside its features: a column each, and the rows it is of.
struct Marked {
    rows: Vec<usize>,
    columns: Vec<(String, Vec<i32>)>,
}

/// Writes everything a learner needs into `dir`, which is made if need be.
///
/// # Errors
/// A folder or file that cannot be written.
pub fn export(
    dir: &Path,
    calls: &Calls,
    folds: &[Fold],
    other: Option<(&Calls, &[usize])>,
    seed: u64,
) -> Result<(), EvaluateError> {
    std::fs::create_dir_all(dir).map_err(|source| file_error(dir, source))?;
    let names: Vec<&str> = CATALOGUE.iter().map(|feature| feature.name).collect();
    let Marked { rows, columns } = marked(calls, folds);
    let rows_sha256 = hash(calls, folds, other);
    arrow(&dir.join("rows.arrow"), calls, &names, &rows, columns)?;
    if let Some((other, rows)) = other {
        let columns = vec![("row".to_owned(), numbers(rows))];
        arrow(&dir.join("other.arrow"), other, &names, rows, columns)?;
    }
    let manifest = Manifest {
        features: names,
        folds: folds.iter().map(|fold| fold.name.as_str()).collect(),
        seed,
        other: other.is_some(),
        rows_sha256,
    };
    let path = dir.join("manifest.json");
    let file = File::create(&path).map_err(|source| file_error(&path, source))?;
    serde_json::to_writer_pretty(file, &manifest).map_err(|e| file_error(&path, e.into()))
}

/// The rows that some fold uses, with their marks.
fn marked(calls: &Calls, folds: &[Fold]) -> Marked {
    let mut parts: Vec<Vec<i32>> = Vec::new();
    for fold in folds {
        let mut part = vec![0; calls.len()];
        let split = &fold.split;
        let each = [
            (&split.train, TRAIN),
            (&split.calibrate, CALIBRATE),
            (&split.hold_out, JUDGE),
        ];
        for (rows, mark) in each {
            rows.iter().for_each(|row| part[*row] = mark);
        }
        parts.push(part);
    }
    let used = |row: &usize| parts.iter().any(|part| part[*row] != 0);
    let rows: Vec<usize> = (0..calls.len()).filter(used).collect();
    let judges = |row: usize| parts.iter().any(|part| part[row] == JUDGE);
    let fraud = |row: &usize| {
        if judges(*row) {
            -1
        } else {
            i32::from(calls.data.y[*row])
        }
    };
    let mut columns = vec![
        ("row".to_owned(), numbers(&rows)),
        ("fraud".to_owned(), rows.iter().map(fraud).collect()),
    ];
    for (fold, part) in folds.iter().zip(&parts) {
        let marks = rows.iter().map(|row| part[*row]).collect();
        columns.push((format!("part_{}", fold.name), marks));
        let mut later = vec![0; calls.len()];
        let train = &fold.split.train;
        let (_, positions) = validation(&calls.data, train);
        positions.iter().for_each(|at| later[train[*at]] = 1);
        let marks = rows.iter().map(|row| later[*row]).collect();
        columns.push((format!("later_{}", fold.name), marks));
    }
    Marked { rows, columns }
}

/// SHA-256 of everything that is handed out: features and marks, of the other operator too.
fn hash(calls: &Calls, folds: &[Fold], other: Option<(&Calls, &[usize])>) -> String {
    let mut hash = Sha256::new();
    let Marked { rows, columns } = marked(calls, folds);
    for (name, marks) in &columns {
        hash.update(name);
        marks
            .iter()
            .for_each(|mark| hash.update(mark.to_le_bytes()));
    }
    for feature in CATALOGUE {
        hash.update(feature.name);
    }
    let mut add = |calls: &Calls, rows: &[usize]| {
        for row in rows {
            hash.update((*row as u64).to_le_bytes());
            for value in calls.data.features(*row) {
                hash.update(value.to_le_bytes());
            }
        }
    };
    add(calls, &rows);
    if let Some((other, rows)) = other {
        add(other, rows);
    }
    let digest = hash.finalize();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn numbers(rows: &[usize]) -> Vec<i32> {
    // At most `train::MAX_ROWS`: fits.
    let number = |row: &usize| i32::try_from(*row).unwrap_or(i32::MAX);
    rows.iter().map(number).collect()
}

fn arrow(
    path: &Path,
    calls: &Calls,
    names: &[&str],
    rows: &[usize],
    columns: Vec<(String, Vec<i32>)>,
) -> Result<(), EvaluateError> {
    let file = File::create(path).map_err(|source| file_error(path, source))?;
    let written = write_arrow(&calls.data, names, rows, columns, BufWriter::new(file));
    written.map_err(|source| EvaluateError::Export {
        path: path.to_owned(),
        source,
    })
}

fn file_error(path: &Path, source: std::io::Error) -> EvaluateError {
    EvaluateError::File {
        path: path.to_owned(),
        source,
    }
}

/// Runs `command`, words divided by spaces, with the folder as its last argument. What it prints
/// goes to standard error.
///
/// # Errors
/// It cannot be started, or does not end well.
pub fn run(command: &str, dir: &Path) -> Result<(), EvaluateError> {
    let failed = |problem: String| EvaluateError::Command {
        command: command.to_owned(),
        problem,
    };
    let mut words = command.split_whitespace();
    let program = words.next().ok_or_else(|| failed("is empty".to_owned()))?;
    let status = Command::new(program)
        .args(words)
        .arg(dir)
        .stdin(std::process::Stdio::null())
        .stdout(std::io::stderr())
        .status()
        .map_err(|error| failed(format!("cannot be started: {error}")))?;
    if status.success() {
        Ok(())
    } else {
        Err(failed(format!(
            "failed ({status}); see what it printed above"
        )))
    }
}

/// Reads what came back, every row of it checked.
///
/// # Errors
/// A file that is missing or malformed, scores of other rows than these, a row too many or too
/// few, a score that is not finite.
pub fn import(
    dir: &Path,
    calls: &Calls,
    folds: &[Fold],
    other: Option<(&Calls, &[usize])>,
) -> Result<(Vec<Detector>, Announcements), EvaluateError> {
    let path = dir.join("detectors.json");
    let text = std::fs::read(&path).map_err(|source| file_error(&path, source))?;
    let answer: Answer = serde_json::from_slice(&text).map_err(|e| file_error(&path, e.into()))?;
    let rows_sha256 = hash(calls, folds, other);
    if answer.rows_sha256 != rows_sha256 {
        return Err(EvaluateError::OtherRows {
            path,
            found: answer.rows_sha256,
            expected: rows_sha256,
        });
    }
    let announced = answer.detectors;
    let names: Vec<&str> = announced.keys().map(String::as_str).collect();
    let mut detectors: Vec<Detector> = announced
        .iter()
        .map(|(name, said)| Detector {
            name: name.clone(),
            probabilities: said.probabilities,
            brings: None,
            as_published: false,
            folds: Vec::new(),
        })
        .collect();
    for fold in folds {
        let split = &fold.split;
        let path = dir.join(format!("scores-{}.csv", fold.name));
        let rows = [split.calibrate.as_slice(), &split.hold_out].concat();
        let each = read(&path, &names, &rows)?;
        let elsewhere = match other {
            Some((_, rows)) if !fold.holds_out() => {
                read(&dir.join("scores-other.csv"), &names, rows)?
            }
            _ => vec![Vec::new(); names.len()],
        };
        for ((detector, mut scores), other) in detectors.iter_mut().zip(each).zip(elsewhere) {
            let test = scores.split_off(split.calibrate.len());
            detector.folds.push(FoldScores {
                calibrate: scores,
                test,
                other,
            });
        }
    }
    Ok((detectors, announced))
}

/// The scores of `rows`, by detector.
fn read(path: &Path, names: &[&str], rows: &[usize]) -> Result<Vec<Vec<f64>>, EvaluateError> {
    let wrong = |line: u64, problem: String| EvaluateError::Scores {
        path: path.to_owned(),
        line,
        problem,
    };
    let csv_error = |source| EvaluateError::Csv {
        path: PathBuf::from(path),
        source,
    };
    let mut reader = csv::Reader::from_path(path).map_err(csv_error)?;
    let header: Vec<String> = reader
        .headers()
        .map_err(csv_error)?
        .iter()
        .map(str::to_owned)
        .collect();
    let column = |name: &str| {
        let found = header.iter().position(|column| column == name);
        found.ok_or_else(|| wrong(1, format!("column `{name}` is missing")))
    };
    let row_column = column("row")?;
    let columns: Vec<usize> = names.iter().map(|n| column(n)).collect::<Result<_, _>>()?;
    let places: HashMap<usize, usize> = rows.iter().copied().zip(0..).collect();
    let mut scores = vec![vec![f64::NAN; rows.len()]; names.len()];
    let mut filled = 0;
    for record in reader.records() {
        let record = record.map_err(csv_error)?;
        let line = record.position().map_or(0, csv::Position::line);
        let field = |at: usize| record.get(at).unwrap_or_default();
        let place = field(row_column)
            .parse()
            .ok()
            .and_then(|row: usize| places.get(&row));
        let place = *place.ok_or_else(|| {
            wrong(
                line,
                format!("row `{}` was not asked for", field(row_column)),
            )
        })?;
        for (of, at) in scores.iter_mut().zip(&columns) {
            let text = field(*at);
            let score = text.parse().ok().filter(|score: &f64| score.is_finite());
            let score = score.ok_or_else(|| {
                wrong(
                    line,
                    format!("column `{}`: `{text}` is no finite number", header[*at]),
                )
            })?;
            if !of[place].is_nan() {
                return Err(wrong(
                    line,
                    format!("row `{}` stands twice", field(row_column)),
                ));
            }
            of[place] = score;
        }
        filled += 1;
    }
    if filled == rows.len() {
        Ok(scores)
    } else {
        let problem = format!("{} rows where {} were asked for", filled, rows.len());
        Err(wrong(1, problem))
    }
}
