//! A report as Markdown tables, for the terminal and for the card.

use super::{Column, ColumnReport, DetectorReport, Estimate, Figures, Report};
use std::collections::BTreeMap;
use std::fmt::Write;

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
            "refused as served",
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
