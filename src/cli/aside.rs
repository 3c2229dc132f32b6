//! Rows of a file that cannot be read: told, and set aside in a file of their own.

use super::draft::Draft;
use anyhow::Context as _;
use indicatif::ProgressBar;
use std::fmt::Display;
use std::path::{Path, PathBuf};

/// Bad rows told one by one; of more only the number.
const TOLD: u64 = 10;

/// Bad rows of one file, written as CSV: `line`, `problem`, `row`.
pub(super) struct Aside {
    rejected: PathBuf,
    /// Made for the first of them.
    writer: Option<csv::Writer<Draft>>,
    bad: u64,
    /// What a place in the file is called.
    place: &'static str,
}

/// Where they go when nothing else is said.
pub(super) fn rejected_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".rejected.csv");
    name.into()
}

impl Aside {
    pub(super) fn new(rejected: PathBuf) -> Self {
        Self {
            rejected,
            writer: None,
            bad: 0,
            place: "line",
        }
    }

    /// Its places are no lines.
    pub(super) const fn call_them(&mut self, place: &'static str) {
        self.place = place;
    }

    /// Sets a row aside.
    pub(super) fn take(
        &mut self,
        bar: &ProgressBar,
        line: u64,
        problem: &dyn Display,
        raw: &str,
    ) -> anyhow::Result<()> {
        self.bad += 1;
        if self.bad <= TOLD {
            bar.suspend(|| eprintln!("{} {line}: {problem}", self.place));
        }
        let writer = match &mut self.writer {
            Some(writer) => writer,
            None => {
                let mut writer = csv::Writer::from_writer(Draft::create(&self.rejected)?);
                writer.write_record([self.place, "problem", "row"])?;
                self.writer.insert(writer)
            }
        };
        writer.write_record([&line.to_string(), &problem.to_string(), raw])?;
        Ok(())
    }

    /// How many they were. `advice` says what to do with them.
    pub(super) fn finish(self, path: &Path, advice: &str) -> anyhow::Result<u64> {
        if let Some(writer) = self.writer {
            let draft = writer
                .into_inner()
                .map_err(csv::IntoInnerError::into_error)?;
            draft
                .finish()
                .with_context(|| self.rejected.display().to_string())?;
            eprintln!(
                "{} {} of {} could not be read and are set aside in {}; {advice}",
                self.bad,
                if self.place == "line" {
                    "rows"
                } else {
                    "packets"
                },
                path.display(),
                self.rejected.display()
            );
        }
        Ok(self.bad)
    }
}
