//! Rows of a file with what the pipeline says of them appended.

use crate::domain::{CallEvent, CallRecord, Column};
use std::io::Write;

/// Columns that `tfps score` appends.
const APPENDED: [&str; 4] = ["code", "score", "reasons", "model"];

/// Writes scored rows as CSV.
pub struct ScoredWriter<W: Write> {
    csv: csv::Writer<W>,
}

impl<W: Write> ScoredWriter<W> {
    /// Writes the header.
    ///
    /// # Errors
    /// The destination's.
    pub fn new(destination: W) -> Result<Self, csv::Error> {
        let mut csv = csv::Writer::from_writer(destination);
        csv.write_record(Column::ALL.iter().map(|c| c.name()).chain(APPENDED))?;
        Ok(Self { csv })
    }

    /// Writes a row and its decision. A text that a spreadsheet would run as a formula gets no
    /// quote put before it: the columns of the file come out as they went in.
    ///
    /// # Errors
    /// The destination's.
    pub fn write(&mut self, record: &CallRecord, event: &CallEvent) -> Result<(), csv::Error> {
        let decision = &event.decision;
        let score = decision
            .score
            .map_or_else(String::new, |s| format!("{s:.6}"));
        let reasons: Vec<&str> = decision.reasons.iter().map(|r| r.tag.as_str()).collect();
        let reasons = reasons.join(" ");
        for column in Column::ALL {
            self.csv.write_field(record.field(column).as_ref())?;
        }
        let appended = [decision.code.as_str(), &score, &reasons, &decision.model];
        for field in appended {
            self.csv.write_field(field)?;
        }
        self.csv.write_record(None::<&[u8]>)
    }

    /// Hands everything to the destination, and the destination back.
    ///
    /// # Errors
    /// The destination's.
    pub fn finish(self) -> std::io::Result<W> {
        self.csv
            .into_inner()
            .map_err(csv::IntoInnerError::into_error)
    }
}
