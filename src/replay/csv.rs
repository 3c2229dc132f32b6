//! The CSV layout of calls, read and written in constant memory.
//!
//! A row is a line: no value of the layout can hold a line break, so a stray quotation mark
//! spoils one row and not all that follow. Otherwise RFC 4180, UTF-8, a header in any order.

mod rows;

pub use rows::{ASIDE, Advance, Lines, MAX_ROW_BYTES, Values};

use crate::domain::{CallRecord, Column, FieldError};
use std::io::{Read, Write};

/// A header that does not describe calls.
#[derive(Debug, thiserror::Error)]
pub enum HeaderError {
    /// The file could not be read.
    #[error("the header could not be read")]
    Io(#[from] std::io::Error),
    /// Nothing in the file.
    #[error(
        "the file is empty: expected a header with the columns {}",
        required_columns()
    )]
    Empty,
    /// The header is not a well-formed row.
    #[error("the header is no CSV row: {0}")]
    Malformed(RowProblem),
    /// A column that has no place in the layout.
    #[error("unknown column `{0}`: remove it; the layout has the columns {columns}", columns = all_columns())]
    UnknownColumn(String),
    /// The same column twice.
    #[error("column `{0}` stands in the header twice: remove one")]
    Duplicate(Column),
    /// A column that must be there is not.
    #[error("column `{0}` is missing: the header must have {columns}", columns = required_columns())]
    Missing(Column),
}

/// Why the next row cannot be given.
#[derive(Debug, thiserror::Error)]
pub enum RowError {
    /// This row is of no use; set it aside and go on with the next.
    #[error(transparent)]
    Bad(#[from] BadRow),
    /// The file cannot be read further; the iterator ends after this.
    #[error("reading stopped at line {line}")]
    Io {
        /// The line that could not be read, counted from 1.
        line: u64,
        /// What the system said.
        source: std::io::Error,
    },
}

/// A row to be set aside.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct BadRow {
    /// Line in the file, counted from 1; the header is usually line 1.
    pub line: u64,
    /// What is wrong with it.
    pub problem: RowProblem,
    /// The row as read, without its line ending, bytes that are not UTF-8 replaced; empty when
    /// it was too long to keep. It holds phone numbers: for a file of rejects, not for a log.
    pub raw: String,
}

/// What is wrong with a row.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RowProblem {
    /// A value does not fit its column.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// More or fewer values than the header has.
    #[error("has {found} values where the header has {expected} columns")]
    ColumnCount {
        /// Columns of the header.
        expected: usize,
        /// Values of this row.
        found: usize,
    },
    /// Longer than [`MAX_ROW_BYTES`].
    #[error("is longer than {MAX_ROW_BYTES} bytes")]
    TooLong,
    /// Not UTF-8.
    #[error("is not UTF-8")]
    NotUtf8,
    /// A quotation mark that is never closed, or stands in an unquoted value.
    #[error("a quotation mark is out of place: quote the whole value and double the marks in it")]
    Quotes,
    /// Before a row above it.
    #[error("is {seconds} s before a row above it: sort the file by time")]
    OutOfOrder {
        /// By how much.
        seconds: u64,
    },
    /// A value that a map of columns cannot make out.
    #[error(transparent)]
    Map(#[from] super::map::MapProblem),
    /// Later than now.
    #[error("lies in the future: check the time zone of the file")]
    Future,
}

fn names(wanted: impl Fn(Column) -> bool) -> String {
    let names: Vec<_> = Column::ALL
        .into_iter()
        .filter(|column| wanted(*column))
        .map(Column::name)
        .collect();
    names.join(", ")
}

fn all_columns() -> String {
    names(|_| true)
}

fn required_columns() -> String {
    names(Column::is_required)
}

/// Reads calls one by one.
#[derive(Debug)]
pub struct Reader<R> {
    lines: Lines<R>,
    /// As it stands in the file.
    header: String,
    /// For each column of the layout, where it stands in this file.
    places: [Option<usize>; Column::ALL.len()],
    width: usize,
    /// Kept only so that its buffers are used again.
    values: Values,
    /// Set after an I/O error.
    stopped: bool,
}

impl<R: Read> Reader<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// Names the column that is missing, unknown or there twice.
    pub fn new(source: R) -> Result<Self, HeaderError> {
        let mut lines = Lines::new(source);
        let header = loop {
            match lines.advance()? {
                Advance::End => return Err(HeaderError::Empty),
                Advance::TooLong => return Err(HeaderError::Malformed(RowProblem::TooLong)),
                Advance::Line if lines.current().is_empty() => {}
                Advance::Line => break lines.current(),
            }
        };
        let header =
            std::str::from_utf8(header).map_err(|_| HeaderError::Malformed(RowProblem::NotUtf8))?;
        let header = header.trim_start_matches('\u{feff}');
        let mut values = Values::default();
        values.split(header).map_err(HeaderError::Malformed)?;
        let mut places = [None; Column::ALL.len()];
        for (at, name) in values.iter(header).enumerate() {
            let name = name.trim();
            let column = Column::parse(name)
                .ok_or_else(|| HeaderError::UnknownColumn(name.chars().take(80).collect()))?;
            if places[column.index()].replace(at).is_some() {
                return Err(HeaderError::Duplicate(column));
            }
        }
        let missing = |column: &Column| column.is_required() && places[column.index()].is_none();
        if let Some(column) = Column::ALL.into_iter().find(missing) {
            return Err(HeaderError::Missing(column));
        }
        let width = values.len();
        Ok(Self {
            header: header.to_owned(),
            lines,
            places,
            width,
            values,
            stopped: false,
        })
    }

    /// The header as it stands in the file.
    pub fn header(&self) -> &str {
        &self.header
    }

    /// The row given last as it stands in the file. It holds phone numbers: not for a log.
    pub fn raw(&self) -> String {
        String::from_utf8_lossy(self.lines.current()).into_owned()
    }

    /// Line of the row given last, counted from 1.
    pub const fn line(&self) -> u64 {
        self.lines.number()
    }

    /// Bytes of the file consumed so far: for a progress bar.
    pub const fn bytes(&self) -> u64 {
        self.lines.bytes()
    }

    fn parse(&self, values: &mut Values) -> Result<CallRecord, RowProblem> {
        let line = std::str::from_utf8(self.lines.current()).map_err(|_| RowProblem::NotUtf8)?;
        values.split(line)?;
        if values.len() != self.width {
            return Err(RowProblem::ColumnCount {
                expected: self.width,
                found: values.len(),
            });
        }
        let record = CallRecord::from_fields(|column| {
            self.places[column.index()].map_or("", |at| values.get(line, at))
        })?;
        Ok(record)
    }

    fn bad(&self, problem: RowProblem) -> RowError {
        RowError::Bad(BadRow {
            line: self.lines.number(),
            problem,
            raw: self.raw(),
        })
    }
}

impl<R: Read> Iterator for Reader<R> {
    type Item = Result<CallRecord, RowError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.stopped {
            return None;
        }
        loop {
            match self.lines.advance() {
                Ok(Advance::End) => return None,
                Ok(Advance::Line) if self.lines.current().is_empty() => {}
                Ok(Advance::Line) => {
                    let mut values = std::mem::take(&mut self.values);
                    let row = self.parse(&mut values).map_err(|problem| self.bad(problem));
                    self.values = values;
                    return Some(row);
                }
                Ok(Advance::TooLong) => return Some(Err(self.bad(RowProblem::TooLong))),
                Err(source) => {
                    self.stopped = true;
                    let line = self.lines.number();
                    return Some(Err(RowError::Io { line, source }));
                }
            }
        }
    }
}

/// Writes calls, all columns, the header first.
#[derive(Debug)]
pub struct Writer<W: Write> {
    inner: csv::Writer<W>,
}

impl<W: Write> Writer<W> {
    /// Writes the header.
    ///
    /// # Errors
    /// The destination does not take it.
    pub fn new(destination: W) -> Result<Self, csv::Error> {
        let mut inner = csv::Writer::from_writer(destination);
        inner.write_record(Column::ALL.map(Column::name))?;
        Ok(Self { inner })
    }

    /// Writes one call.
    ///
    /// # Errors
    /// The destination does not take it.
    pub fn write(&mut self, record: &CallRecord) -> Result<(), csv::Error> {
        for column in Column::ALL {
            self.inner.write_field(record.field(column).as_bytes())?;
        }
        self.inner.write_record(None::<&[u8]>)
    }

    /// Writes out what is buffered.
    ///
    /// # Errors
    /// The destination does not take it.
    pub fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests;
