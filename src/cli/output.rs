//! What commands print: a table for people, JSON for programs.
#![expect(clippy::print_stdout, reason = "printing is what this is for")]

use super::Done;
use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

/// `--json`, wherever something is listed.
#[derive(clap::Args, Clone, Copy, Debug)]
pub(super) struct Format {
    /// Print JSON.
    #[arg(long)]
    pub(super) json: bool,
}

/// Prints rows under their headings, or the values as a JSON array.
pub(super) fn list<T: Serialize>(
    format: Format,
    headings: &[&str],
    values: &[T],
    row: impl Fn(&T) -> Vec<String>,
) -> anyhow::Result<Done> {
    if format.json {
        return json(values);
    }
    if values.is_empty() {
        eprintln!("none");
        return Ok(Done::All);
    }
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_HORIZONTAL_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(headings.iter().copied());
    for value in values {
        table.add_row(row(value));
    }
    println!("{table}");
    Ok(Done::All)
}

/// Prints a value as JSON.
pub(super) fn json<T: Serialize + ?Sized>(value: &T) -> anyhow::Result<Done> {
    println!("{}", serde_json::to_string_pretty(value)?);
    Ok(Done::All)
}

/// Prints a line of result.
pub(super) fn line(text: &str) {
    println!("{text}");
}

/// Prints an error with its causes on one line.
pub(super) fn error(error: &anyhow::Error) {
    let mut text = error.to_string();
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        if !text.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    eprintln!("error: {text}");
}
