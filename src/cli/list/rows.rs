//! A file of list entries, row by row: CSV, a header in any order, one line a row.

use crate::replay::csv::{Advance, Lines, RowProblem, Values};
use std::io::Read;

/// A column of the layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(super) enum Column {
    Value,
    Kind,
    Reason,
    Source,
    Expires,
}

impl Column {
    const ALL: [Self; 5] = [
        Self::Value,
        Self::Kind,
        Self::Reason,
        Self::Source,
        Self::Expires,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::Kind => "kind",
            Self::Reason => "reason",
            Self::Source => "source",
            Self::Expires => "expires",
        }
    }
}

/// A header that does not describe entries.
#[derive(Debug, thiserror::Error)]
pub(super) enum HeaderError {
    #[error("the file could not be read")]
    Io(#[from] std::io::Error),
    #[error("the file is empty: expected a header with the column `value`")]
    Empty,
    #[error("the header is no CSV row: {0}")]
    Malformed(RowProblem),
    #[error(
        "unknown column `{0}`: expected `value`, and where wanted `kind`, `reason`, `source`, `expires`"
    )]
    Unknown(String),
    #[error("column `{0}` stands in the header twice: remove one")]
    Duplicate(&'static str),
    #[error("column `value` is missing: the first line of the file must be a header with it")]
    NoValue,
}

/// Rows of a file.
pub(super) struct ListRows<R> {
    lines: Lines<R>,
    header: String,
    places: [Option<usize>; Column::ALL.len()],
    width: usize,
    values: Values,
}

/// The values of one row.
pub(super) struct Fields<'a> {
    line: &'a str,
    values: &'a Values,
    places: &'a [Option<usize>],
}

impl<R: Read> ListRows<R> {
    /// Reads the header.
    pub(super) fn new(source: R) -> Result<Self, HeaderError> {
        let mut lines = Lines::new(source);
        loop {
            match lines.advance()? {
                Advance::End => return Err(HeaderError::Empty),
                Advance::TooLong => return Err(HeaderError::Malformed(RowProblem::TooLong)),
                Advance::Line if lines.current().is_empty() => {}
                Advance::Line => break,
            }
        }
        let header = text(lines.current()).map_err(HeaderError::Malformed)?;
        let header = header.trim_start_matches('\u{feff}');
        let mut values = Values::default();
        values.split(header).map_err(HeaderError::Malformed)?;
        let mut places = [None; Column::ALL.len()];
        for (at, name) in values.iter(header).enumerate() {
            let name = name.trim();
            let column = Column::ALL.into_iter().find(|column| column.name() == name);
            let column =
                column.ok_or_else(|| HeaderError::Unknown(name.chars().take(80).collect()))?;
            if places[column as usize].replace(at).is_some() {
                return Err(HeaderError::Duplicate(column.name()));
            }
        }
        if places[Column::Value as usize].is_none() {
            return Err(HeaderError::NoValue);
        }
        Ok(Self {
            header: header.to_owned(),
            lines,
            places,
            width: values.len(),
            values,
        })
    }

    /// Whether the file has a column.
    pub(super) fn has(&self, column: Column) -> bool {
        self.places[column as usize].is_some()
    }

    /// The header as it stands in the file.
    pub(super) fn header(&self) -> &str {
        &self.header
    }

    /// Bytes consumed so far.
    pub(super) const fn bytes(&self) -> u64 {
        self.lines.bytes()
    }

    /// Number of the row's line.
    pub(super) const fn line(&self) -> u64 {
        self.lines.number()
    }

    /// The row as read, for a file of bad ones.
    pub(super) fn raw(&self) -> String {
        String::from_utf8_lossy(self.lines.current()).into_owned()
    }

    /// The next row, or what is wrong with it; `None` at the end.
    pub(super) fn next(&mut self) -> std::io::Result<Option<Result<Fields<'_>, RowProblem>>> {
        loop {
            match self.lines.advance()? {
                Advance::End => return Ok(None),
                Advance::TooLong => return Ok(Some(Err(RowProblem::TooLong))),
                Advance::Line if self.lines.current().is_empty() => {}
                Advance::Line => return Ok(Some(self.cut())),
            }
        }
    }

    fn cut(&mut self) -> Result<Fields<'_>, RowProblem> {
        let line = text(self.lines.current())?;
        self.values.split(line)?;
        if self.values.len() != self.width {
            return Err(RowProblem::ColumnCount {
                expected: self.width,
                found: self.values.len(),
            });
        }
        Ok(Fields {
            line,
            values: &self.values,
            places: &self.places,
        })
    }
}

impl Fields<'_> {
    /// A value as it stands there; `None` where the file has no such column.
    pub(super) fn get(&self, column: Column) -> Option<&str> {
        self.places[column as usize].map(|at| self.values.get(self.line, at))
    }

    /// A value without the blanks around it; `None` where it is empty too.
    pub(super) fn given(&self, column: Column) -> Option<&str> {
        self.get(column)
            .map(str::trim)
            .filter(|text| !text.is_empty())
    }
}

fn text(line: &[u8]) -> Result<&str, RowProblem> {
    std::str::from_utf8(line).map_err(|_| RowProblem::NotUtf8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Result<ListRows<&[u8]>, HeaderError> {
        ListRows::new(text.as_bytes())
    }

    #[test]
    fn a_header_in_any_order_and_rows_with_their_lines() {
        let mut rows = rows("\u{feff}reason, value\r\n\r\nwhy, 4420\nx\n\"a, b\",9").expect("read");
        assert!(rows.has(Column::Reason) && !rows.has(Column::Kind));
        let row = rows.next().expect("read").expect("a row").expect("fine");
        assert_eq!(row.get(Column::Value), Some(" 4420"));
        assert_eq!(row.given(Column::Value), Some("4420"));
        assert_eq!(row.given(Column::Kind), None);
        assert_eq!(rows.line(), 3);
        let short = rows.next().expect("read").expect("a row").err();
        let (expected, found) = (2, 1);
        assert_eq!(short, Some(RowProblem::ColumnCount { expected, found }));
        assert_eq!((rows.line(), rows.raw().as_str()), (4, "x"));
        let row = rows.next().expect("read").expect("a row").expect("fine");
        assert_eq!(row.given(Column::Reason), Some("a, b"));
        assert!(rows.next().expect("read").is_none());
    }

    #[test]
    fn a_header_that_is_none_is_refused() {
        for (text, said) in [
            ("", "empty"),
            ("\n\n", "empty"),
            ("kind,reason\n", "`value` is missing"),
            ("value,number\n", "`number`"),
            ("value,value\n", "twice"),
            ("value,\"\n", "quotation"),
            ("4420\n", "`4420`"),
        ] {
            let error = rows(text).err().expect(text).to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}
