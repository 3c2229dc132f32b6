//! Files of our own layout, and what of any file is set aside.

use crate::cli::aside::{Aside, rejected_of};
use crate::cli::draft::check_apart;
use crate::cli::progress;
use crate::decide::Engine;
use crate::replay::csv::{BadRow, Reader, RowError};
use crate::replay::{Identities, Order, Row, decide};
use anyhow::Context as _;
use indicatif::ProgressBar;
use std::fmt::Display;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

/// Rows between two movements of the bar.
pub(super) const STEP: u64 = 1_024;

/// What to do with rows that were set aside.
const ADVICE: &str = "correct them there or in the file and import that in the same way: what is \
                      stored already is not stored again";

/// Before anything is done or written: each file of calls has a good header, and nothing that
/// is read would be written over.
pub(in crate::cli) fn check_files(
    file: &Path,
    warm: Option<&Path>,
    rejected: Option<&Path>,
    out: Option<&Path>,
) -> anyhow::Result<()> {
    let aside = rejected.map_or_else(|| rejected_of(file), Path::to_owned);
    let warm_aside = warm.map(rejected_of);
    let inputs: Vec<&Path> = std::iter::once(file).chain(warm).collect();
    let outputs: Vec<&Path> = std::iter::once(aside.as_path())
        .chain(out)
        // The same history may be walked through twice.
        .chain(warm_aside.as_deref().filter(|other| *other != aside))
        .collect();
    check_apart(&inputs, &outputs)?;
    for path in inputs {
        let opened = File::open(path).with_context(|| path.display().to_string())?;
        Reader::new(BufReader::new(opened)).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

/// Walks the windows through a history.
pub(in crate::cli) fn warm_up(engine: &Engine, history: &Path) -> anyhow::Result<()> {
    let mut identities = Identities::new();
    let mut rows = Rows::open(history, "warming up", None, Order::new(None))?;
    while let Some(row) = rows.next()? {
        let _walked = decide(engine, &row, identities.id(&row.record));
    }
    rows.finish()?;
    Ok(())
}

/// What of a file is of no use: told, and set aside.
pub(super) struct Unreadable {
    path: PathBuf,
    aside: Aside,
}

impl Unreadable {
    pub(super) fn new(path: &Path, rejected: Option<PathBuf>) -> Self {
        Self {
            path: path.to_owned(),
            aside: Aside::new(rejected.unwrap_or_else(|| rejected_of(path))),
        }
    }

    /// The file has packets, not lines.
    pub(super) fn of_packets(&mut self) {
        self.aside.call_them("packet");
    }

    /// How the file is written, as the rows that are set aside then are.
    pub(super) fn like(&mut self, header: Option<&str>, delimiter: u8) {
        self.aside.like(header, delimiter);
    }

    pub(super) fn take(
        &mut self,
        bar: &ProgressBar,
        line: u64,
        problem: &dyn Display,
        raw: &str,
    ) -> anyhow::Result<()> {
        self.aside.take(bar, line, problem, raw)
    }

    pub(super) fn finish(self) -> anyhow::Result<u64> {
        self.aside.finish(&self.path, ADVICE)
    }
}

/// Good rows of a file one by one; bad ones are told and set aside.
pub(in crate::cli) struct Rows {
    reader: Reader<BufReader<File>>,
    bar: ProgressBar,
    unreadable: Unreadable,
    read: u64,
    order: Order,
}

impl Rows {
    pub(in crate::cli) fn open(
        path: &Path,
        what: &'static str,
        rejected: Option<PathBuf>,
        order: Order,
    ) -> anyhow::Result<Self> {
        let file = File::open(path).with_context(|| path.display().to_string())?;
        let bar = progress::bytes(file.metadata()?.len(), what);
        let reader =
            Reader::new(BufReader::new(file)).with_context(|| path.display().to_string())?;
        let mut unreadable = Unreadable::new(path, rejected);
        unreadable.like(Some(reader.header()), b',');
        Ok(Self {
            reader,
            bar,
            unreadable,
            read: 0,
            order,
        })
    }

    /// The next good row.
    pub(in crate::cli) fn next(&mut self) -> anyhow::Result<Option<Row>> {
        loop {
            self.read += 1;
            if self.read.is_multiple_of(STEP) {
                self.bar.set_position(self.reader.bytes());
            }
            match self.reader.next() {
                None => return Ok(None),
                Some(Ok(record)) => {
                    let line = self.reader.line();
                    match self.order.check(&record) {
                        Ok(()) => return Ok(Some(Row::of_table(record, line))),
                        Err(problem) => self.set_aside(&BadRow {
                            line,
                            problem,
                            raw: self.reader.raw(),
                        })?,
                    }
                }
                Some(Err(RowError::Bad(row))) => self.set_aside(&row)?,
                Some(Err(error)) => {
                    return Err(error).with_context(|| self.unreadable.path.display().to_string());
                }
            }
        }
    }

    fn set_aside(&mut self, row: &BadRow) -> anyhow::Result<()> {
        self.unreadable
            .take(&self.bar, row.line, &row.problem, &row.raw)
    }

    /// How many rows were set aside.
    pub(in crate::cli) fn finish(self) -> anyhow::Result<u64> {
        self.bar.finish_and_clear();
        self.unreadable.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str =
        "time,domain,user,dialed_number,source_ip,user_agent,calls,verdict,campaign\n";

    #[test]
    fn bad_rows_are_set_aside_as_csv() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("calls.csv");
        std::fs::write(&path, format!("{HEADER}a,\"b\nsoon,d,u,1,192.0.2.1,a,,,\n"))
            .expect("written");
        let mut rows = Rows::open(&path, "reading", None, Order::new(None)).expect("opened");
        assert!(rows.next().expect("read").is_none());
        assert_eq!(rows.finish().expect("finished"), 2);
        let aside = std::fs::read_to_string(rejected_of(&path)).expect("there");
        let lines: Vec<&str> = aside.lines().collect();
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[0], format!("line,problem,{}", HEADER.trim_end()));
        assert!(lines[1].starts_with("2,\"") && lines[1].ends_with("\",a,\"b"));
        assert!(lines[2].starts_with("3,\"") && lines[2].ends_with("\",soon,d,u,1,192.0.2.1,a,,,"));
    }

    #[test]
    fn what_was_set_aside_is_read_once_it_is_corrected() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("calls.csv");
        std::fs::write(&path, format!("{HEADER}a,\"b\nsoon,d,u,1,192.0.2.1,a,,,\n"))
            .expect("written");
        let read = |path: &Path| {
            let mut rows = Rows::open(path, "reading", None, Order::new(None)).expect("opened");
            let row = rows.next().expect("read");
            (row, rows.finish().expect("finished"))
        };
        assert!(matches!(read(&path), (None, 2)));
        let rejected = rejected_of(&path);
        let aside = std::fs::read_to_string(&rejected).expect("there");
        let corrected = aside.replace(",soon,d,u,1,", ",2026-01-01T00:00:00Z,d,u,442079460123,");
        std::fs::write(&rejected, corrected).expect("written");
        let (row, bad) = read(&rejected);
        assert_eq!(bad, 1, "the other one is as bad as before");
        assert_eq!(row.expect("a row").record.user, "u");
        let again = std::fs::read_to_string(rejected_of(&rejected)).expect("there");
        assert!(again.ends_with("\",a,\"b\n"), "{again}");
    }

    #[test]
    fn what_is_read_is_not_written_over() {
        let folder = tempfile::tempdir().expect("folder");
        let at = |name: &str| folder.path().join(name);
        for name in ["calls.csv", "history.csv"] {
            std::fs::write(at(name), HEADER).expect("written");
        }
        let (calls, history) = (at("calls.csv"), at("history.csv"));
        let check = |rejected: Option<&Path>, out: Option<&Path>| {
            check_files(&calls, Some(&history), rejected, out)
        };
        check(None, Some(&at("out.csv"))).expect("fine");
        check(None, Some(&calls)).expect_err("the input");
        check(None, Some(&history)).expect_err("the history");
        check(Some(&calls), None).expect_err("the input");
        check(None, Some(&rejected_of(&calls))).expect_err("twice");
        std::fs::write(&history, "no header\n").expect("written");
        check(None, None).expect_err("a header that is none");
    }
}
