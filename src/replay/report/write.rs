//! The report's tables as HTML, as Markdown; the campaigns as CSV.
//!
//! Names of callers and User-Agents come from the calls themselves, and so from whoever attacks:
//! every text is escaped for where it stands.

use super::Report;
use super::page::{campaigns, sections};
use std::fmt::Write as _;

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:80rem;padding:0 1rem;color:#222}\
    table{border-collapse:collapse;margin:.5rem 0 2rem}th,td{border-bottom:1px solid #ddd;padding:.25rem .75rem;\
    text-align:left;vertical-align:top}th{border-bottom:2px solid #888}p{max-width:45rem;color:#555}";

/// A page that needs nothing but itself: no script, no request.
#[must_use]
pub fn html(report: &Report) -> String {
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\
         <title>Calls of {}</title><style>{STYLE}</style></head><body>\n<h1>Calls of {}</h1>\n",
        escaped(&report.file),
        escaped(&report.file)
    );
    for section in sections(report) {
        let _ = writeln!(page, "<h2>{}</h2>", escaped(section.title));
        if !section.note.is_empty() {
            let _ = writeln!(page, "<p>{}</p>", escaped(&section.note));
        }
        page.push_str("<table>");
        if section.headings.iter().any(|heading| !heading.is_empty()) {
            page.push_str(&cells("th", section.headings.iter().copied()));
        }
        for row in &section.rows {
            page.push_str(&cells("td", row.iter().map(String::as_str)));
        }
        page.push_str("</table>\n");
    }
    page.push_str("</body></html>\n");
    page
}

fn cells<'a>(tag: &str, texts: impl Iterator<Item = &'a str>) -> String {
    let cells: String = texts
        .map(|text| format!("<{tag}>{}</{tag}>", escaped(text)))
        .collect();
    format!("<tr>{cells}</tr>\n")
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c if c.is_control() => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}

/// The same as Markdown.
#[must_use]
pub fn markdown(report: &Report) -> String {
    let mut text = format!("# Calls of {}\n", plain(&report.file));
    for section in sections(report) {
        let _ = write!(text, "\n## {}\n\n", section.title);
        if !section.note.is_empty() {
            let _ = write!(text, "{}\n\n", section.note);
        }
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        text.push_str(&line(section.headings.iter().map(|h| plain(h)).collect()));
        text.push_str(&line(
            section.headings.iter().map(|_| "---".to_owned()).collect(),
        ));
        for row in &section.rows {
            text.push_str(&line(row.iter().map(|cell| plain(cell)).collect()));
        }
    }
    text
}

/// Without anything that Markdown, or HTML within it, would take for itself.
fn plain(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '|' | '`' | '*' | '_' | '[' | ']' | '#' | '!' => {
                safe.push('\\');
                safe.push(c);
            }
            '<' => safe.push_str("&lt;"),
            '&' => safe.push_str("&amp;"),
            c if c.is_control() => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}

/// The campaigns as CSV for a spreadsheet: a text that one would run as a formula gets a quote
/// before it.
///
/// # Errors
/// Memory alone, which does not fail.
pub fn campaigns_csv(report: &Report) -> Result<String, csv::Error> {
    let section = campaigns(report);
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(&section.headings)?;
    for row in &section.rows {
        csv.write_record(row.iter().map(|cell| guarded(cell)))?;
    }
    let bytes = csv.into_inner().map_err(|error| error.into_error())?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn guarded(cell: &str) -> String {
    let cell: String = cell
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    match cell.trim_start().chars().next() {
        Some('=' | '+' | '-' | '@') if cell.parse::<f64>().is_err() => format!("'{cell}"),
        _ => cell,
    }
}
