//! What commands print: a table for people, JSON for programs.

use super::Done;
use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;
use std::io::{self, Write};

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
    line(&table.to_string())?;
    Ok(Done::All)
}

/// Prints a value as JSON.
pub(super) fn json<T: Serialize + ?Sized>(value: &T) -> anyhow::Result<Done> {
    line(&serde_json::to_string_pretty(value)?)?;
    Ok(Done::All)
}

/// Prints a line of result.
pub(super) fn line(text: &str) -> io::Result<()> {
    let mut out = Stdout;
    writeln!(out, "{text}")?;
    out.flush()
}

/// Standard output, whose reader may have seen enough.
pub(super) struct Stdout;

/// The reader of standard output is gone (`tfps list show | head`): no failure.
#[derive(Debug, thiserror::Error)]
#[error("standard output is closed")]
struct Closed;

fn closed(error: io::Error) -> io::Error {
    match error.kind() {
        // A kind of its own: a connection to ClickHouse that breaks is a failure.
        io::ErrorKind::BrokenPipe => io::Error::other(Closed),
        _ => error,
    }
}

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        io::stdout().write(bytes).map_err(closed)
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stdout().flush().map_err(closed)
    }
}

/// Whether a command ended only because nobody reads on.
pub(super) fn nobody_reads(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| {
            let io = cause.downcast_ref::<io::Error>();
            // What is inside a csv error does not stand in its chain.
            io.or_else(|| match cause.downcast_ref::<csv::Error>()?.kind() {
                csv::ErrorKind::Io(io) => Some(io),
                _ => None,
            })
        })
        .filter_map(io::Error::get_ref)
        .any(|inner| inner.is::<Closed>())
}

/// Says that a listing was cut: by so many, or by more than were counted.
pub(super) fn tell_more(more: u64, at_least: bool) {
    match (more, at_least) {
        (0, _) => {}
        (more, true) => eprintln!("... and at least {more} more; --limit shows more"),
        (more, false) => eprintln!("... and {more} more; --limit shows more"),
    }
}

/// An edit was made.
pub(super) const fn changed() -> anyhow::Result<Done> {
    Ok(Done::Edited)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_closed_standard_output_ends_quietly() {
        let broken = || io::Error::from(io::ErrorKind::BrokenPipe);
        assert!(nobody_reads(&closed(broken()).into()));
        let wrapped = anyhow::Error::from(csv::Error::from(closed(broken()))).context("-");
        assert!(nobody_reads(&wrapped));
        assert!(!nobody_reads(&broken().into()));
        assert!(!nobody_reads(&anyhow::anyhow!("else")));
    }
}
