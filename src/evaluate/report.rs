//! What an evaluation came to, for programs and for people.

use super::exchange::Announcements;
use super::{Estimate, Figures};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write;

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
    /// Predicted against observed, of the first fold.
    pub reliability: Vec<Reliability>,
    /// Thresholds by fold: 1 in 10,000 and 1 in 1,000, chosen on the calibration part.
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

/// A figure of a detector in a column.
fn figure(figures: &Figures, name: &str) -> Option<Estimate> {
    figures
        .ranking
        .get(name)
        .or_else(|| figures.one_in_10_000.get(name))
        .copied()
}

/// `63.1 [55.0, 70.2]`, percent.
fn percent(estimate: Option<Estimate>, digits: usize) -> String {
    scaled(estimate, 100.0, digits)
}

fn scaled(estimate: Option<Estimate>, by: f64, digits: usize) -> String {
    let word = |value: f64| {
        if value.is_infinite() {
            "never".to_owned()
        } else {
            format!("{:.digits$}", value * by)
        }
    };
    match estimate {
        Some(Estimate {
            value: Some(value),
            low: Some(low),
            high: Some(high),
        }) => format!("{} [{}, {}]", word(value), word(low), word(high)),
        Some(Estimate {
            value: Some(value), ..
        }) => word(value),
        _ => "-".to_owned(),
    }
}

const DETECTOR_HEAD: [&str; 11] = [
    "detector",
    "AP",
    "recall at 0.1 % FP, %",
    "recall at 0.01 % FP, %",
    "Brier x 1000",
    "ECE, %",
    "FP refused per 10,000",
    "recall, %",
    "money leaked, %",
    "of volume attacks, %",
    "first block: call, median and p95",
];

fn detector_row(name: &str, column: &ColumnReport) -> Vec<String> {
    let of = |name| figure(&column.overall, name);
    let error = column
        .calibration_error
        .filter(|_| of("brier").is_some_and(|e| e.value.is_some()));
    let p95 = of("first_block_call_p95").map(|e| Estimate {
        low: None,
        high: None,
        ..e
    });
    let median = scaled(of("first_block_call_median"), 1.0, 0);
    vec![
        name.to_owned(),
        scaled(of("average_precision"), 1.0, 4),
        percent(of("recall_at_0_1_percent"), 1),
        percent(of("recall_at_0_01_percent"), 1),
        scaled(of("brier"), 1_000.0, 3),
        error.map_or("-".to_owned(), |error| format!("{:.3}", error * 100.0)),
        scaled(of("false_positive_rate"), 10_000.0, 2),
        percent(of("recall"), 1),
        percent(of("money_leaked"), 2),
        percent(of("volume_money_leaked"), 2),
        format!("{median}; {}", scaled(p95, 1.0, 0)),
    ]
}

const FAMILY_HEAD: [&str; 9] = [
    "family",
    "attacks",
    "calls",
    "AP",
    "recall at 0.1 % FP, %",
    "recall at 0.01 % FP, %",
    "money leaked, %",
    "first block: call median; p95",
    "seconds median; p95",
];

fn family_row(name: &str, figures: &Figures) -> Vec<String> {
    let of = |name| figure(figures, name);
    let bare = |name| {
        scaled(
            of(name).map(|e| Estimate {
                low: None,
                high: None,
                ..e
            }),
            1.0,
            0,
        )
    };
    let never = bare("attacks_never_blocked");
    vec![
        name.to_owned(),
        format!("{} ({never} never blocked)", bare("attacks")),
        figures.fraud.to_string(),
        scaled(of("average_precision"), 1.0, 4),
        percent(of("recall_at_0_1_percent"), 1),
        percent(of("recall_at_0_01_percent"), 1),
        percent(of("money_leaked"), 2),
        format!(
            "{}; {}",
            bare("first_block_call_median"),
            bare("first_block_call_p95")
        ),
        format!(
            "{}; {}",
            bare("first_block_seconds_median"),
            bare("first_block_seconds_p95")
        ),
    ]
}

/// A table as Markdown; it reads well on a terminal too.
fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let mut text = String::new();
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].len());
        cells.chain([head[column].len()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let mut line = |cells: &mut dyn Iterator<Item = &str>| {
        for (cell, width) in cells.zip(&widths) {
            // Writing to a String cannot fail.
            let _ = write!(text, "| {cell:<width$} ");
        }
        text.push_str("|\n");
    };
    line(&mut head.iter().copied());
    let rules: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
    line(&mut rules.iter().map(String::as_str));
    for row in rows {
        line(&mut row.iter().map(String::as_str));
    }
    text
}

/// The tables as Markdown: every detector by column, then ours by family and by surprise.
#[must_use]
pub fn render(report: &Report) -> String {
    let mut text = String::new();
    for column in Column::ALL {
        let of = |detector: &DetectorReport| {
            let column = detector.columns.get(&column)?;
            Some(detector_row(&detector.name, column))
        };
        let rows: Vec<Vec<String>> = report.detectors.iter().filter_map(of).collect();
        if !rows.is_empty() {
            let _ = writeln!(text, "### Detectors: {}\n", column.words());
            let _ = writeln!(text, "{}", table(&DETECTOR_HEAD, &rows));
        }
    }
    let Some(ours) = report.detectors.first() else {
        return text;
    };
    for column in Column::ALL {
        if let Some(found) = ours.columns.get(&column) {
            let rows = found.families.iter().map(|(name, f)| family_row(name, f));
            let rows: Vec<_> = rows.collect();
            let _ = writeln!(text, "### {} by family: {}\n", ours.name, column.words());
            let _ = writeln!(text, "{}", table(&FAMILY_HEAD, &rows));
        }
    }
    for column in Column::ALL {
        if let Some(found) = ours.columns.get(&column) {
            let _ = writeln!(
                text,
                "### Legitimate calls refused by {}: {}\n",
                ours.name,
                column.words()
            );
            let _ = writeln!(text, "{}", surprises(found));
        }
    }
    text.push_str(&differences(report));
    text
}

fn surprises(column: &ColumnReport) -> String {
    let mut rows: Vec<Vec<String>> = column
        .surprises
        .iter()
        .map(|(name, s)| {
            let name = if name.is_empty() {
                "everyday life"
            } else {
                name
            };
            vec![
                name.to_owned(),
                format!("{:.0}", s.calls),
                format!("{:.1}", s.hit_one_in_10_000),
                format!("{:.1}", s.hit_one_in_1_000),
            ]
        })
        .collect();
    let whole = |figures: &BTreeMap<&'static str, Estimate>| {
        let bare = |name: &str| figures.get(name).and_then(|e| e.value).unwrap_or(0.0);
        (bare("legitimate_calls_hit"), bare("customers_hit"))
    };
    let (strict, loose) = (
        whole(&column.overall.one_in_10_000),
        whole(&column.overall.one_in_1_000),
    );
    rows.push(vec![
        "customers hit, all".to_owned(),
        "-".to_owned(),
        format!("{:.1}", strict.1),
        format!("{:.1}", loose.1),
    ]);
    table(
        &[
            "what it was",
            "legitimate calls",
            "refused at 1 in 10,000",
            "refused at 1 in 1,000",
        ],
        &rows,
    )
}

/// Ours against each other detector, by paired draws.
fn differences(report: &Report) -> String {
    let mut rows = Vec::new();
    for detector in report.detectors.iter().skip(1) {
        for column in Column::ALL {
            let found = detector.columns.get(&column);
            if let Some(difference) = found.and_then(|c| c.ours_less_this) {
                rows.push(vec![
                    detector.name.clone(),
                    column.words().to_owned(),
                    scaled(Some(difference), 1.0, 4),
                ]);
            }
        }
    }
    if rows.is_empty() {
        return String::new();
    }
    let head = ["detector", "where", "our average precision less its own"];
    format!("### Paired differences\n\n{}", table(&head, &rows))
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
