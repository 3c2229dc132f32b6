//! `--report`, and what an import says at its end.

use super::ImportArgs;
use crate::cli::draft::Draft;
use crate::cli::output;
use crate::decide::Engine;
use crate::replay::Imported;
use crate::replay::report::{Report, Thresholds, campaigns_csv, html, markdown, sections};
use anyhow::{Context as _, bail};
use comfy_table::{ContentArrangement, Table, presets};
use std::io::Write as _;
use std::path::Path;

/// Those of the model in force.
pub(super) fn thresholds(engine: &Engine) -> Option<Thresholds> {
    let model = engine.model().current();
    let model = model.as_ref()?;
    let thresholds = model.file().thresholds;
    Some(Thresholds {
        model: model.id().to_owned(),
        default: thresholds.default,
        one_in_thousand: thresholds.false_positives_0_1_percent,
        one_in_ten_thousand: thresholds.false_positives_0_01_percent,
    })
}

/// Before anything is done: the report can be written as the file's name asks.
pub(super) fn check_ending(path: &Path) -> anyhow::Result<()> {
    match ending(path) {
        "html" | "md" | "json" | "csv" => Ok(()),
        _ => bail!(
            "--report={}: expected a name that ends with .html, .md, .json or .csv",
            path.display()
        ),
    }
}

fn ending(path: &Path) -> &str {
    path.extension()
        .and_then(std::ffi::OsStr::to_str)
        .unwrap_or_default()
}

/// Says what was done, and what the calls come to.
pub(super) fn tell(
    done: Option<Imported>,
    set_aside: u64,
    report: Option<&Report>,
    args: &ImportArgs,
) -> anyhow::Result<()> {
    let out = args.report.as_ref().and_then(Option::as_deref);
    if let (Some(path), Some(report)) = (out, report) {
        write(path, report)?;
    }
    let shown = report.filter(|_| out.is_none());
    if args.format.json {
        let mut said = serde_json::json!({"imported": done, "set_aside": set_aside});
        if let Some(report) = report {
            said["report"] = serde_json::to_value(report)?;
        }
        output::json(&said)?;
        return Ok(());
    }
    if let Some(done) = done {
        output::line(&format!(
            "{} calls in ClickHouse ({} were there before), {} with a verdict, {} would have been refused",
            done.calls, done.already, done.verdicts, done.refused
        ))?;
    } else if report.is_none() {
        output::line(match set_aside {
            0 => "every row was read; nothing was stored",
            _ => "the other rows were read; nothing was stored",
        })?;
    }
    if let Some(path) = out {
        output::line(&format!("the report is in {}", path.display()))?;
    }
    shown.map_or(Ok(()), print)
}

fn write(path: &Path, report: &Report) -> anyhow::Result<()> {
    let text = match ending(path) {
        "html" => html(report),
        "md" => markdown(report),
        "csv" => campaigns_csv(report)?,
        _ => serde_json::to_string_pretty(report)?,
    };
    let mut draft = Draft::create(path)?;
    draft.write_all(text.as_bytes())?;
    draft.finish().with_context(|| path.display().to_string())
}

fn print(report: &Report) -> anyhow::Result<()> {
    for section in sections(report) {
        output::line(&format!("\n{}", section.title))?;
        if !section.note.is_empty() {
            output::line(&section.note)?;
        }
        let mut table = Table::new();
        table
            .load_style(presets::UTF8_HORIZONTAL_ONLY)
            .set_content_arrangement(ContentArrangement::Dynamic);
        if section.headings.iter().any(|heading| !heading.is_empty()) {
            table.set_header(section.headings.iter().copied());
        }
        for row in &section.rows {
            // What is on the wire may hold what a terminal obeys.
            table.add_row(
                row.iter()
                    .map(|cell| cell.replace(char::is_control, "\u{fffd}")),
            );
        }
        output::line(&table.to_string())?;
    }
    Ok(())
}
