//! Rows of a file that cannot be read: told, and set aside in a file of their own, which can be
//! corrected and read by the same command: the rows as they stand, behind two columns that are
//! passed over.

use super::draft::Draft;
use crate::replay::csv::ASIDE;
use anyhow::Context as _;
use indicatif::ProgressBar;
use std::fmt::Display;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Bad rows told one by one; of more only the number.
const TOLD: u64 = 10;

/// Bad rows of one file: `line`, `problem`, and the row as it stands there.
pub(super) struct Aside {
    rejected: PathBuf,
    /// Made for the first of them.
    writer: Option<Draft>,
    bad: u64,
    /// The file's header, and what divides its values.
    header: String,
    delimiter: char,
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
            header: "row".to_owned(),
            delimiter: ',',
            place: ASIDE[0],
        }
    }

    /// How the file is written that the rows come from; `None`: it has no header.
    pub(super) fn like(&mut self, header: Option<&str>, delimiter: u8) {
        header.unwrap_or("row").clone_into(&mut self.header);
        self.delimiter = char::from(delimiter);
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
        let d = self.delimiter;
        let writer = match &mut self.writer {
            Some(writer) => writer,
            None => {
                let mut writer = Draft::create(&self.rejected)?;
                writeln!(writer, "{}{d}{}{d}{}", self.place, ASIDE[1], self.header)?;
                self.writer.insert(writer)
            }
        };
        // Quoted always, so that no delimiter in it counts; a row is a line.
        let problem = problem.to_string().replace(char::is_control, " ");
        writeln!(
            writer,
            "{line}{d}\"{}\"{d}{raw}",
            problem.replace('"', "\"\"")
        )?;
        Ok(())
    }

    /// How many they were. `advice` says what to do with them.
    pub(super) fn finish(self, path: &Path, advice: &str) -> anyhow::Result<u64> {
        if let Some(draft) = self.writer {
            draft
                .finish()
                .with_context(|| self.rejected.display().to_string())?;
            eprintln!(
                "{} {} of {} could not be read and are set aside in {}; {advice}",
                self.bad,
                if self.place == ASIDE[0] {
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
