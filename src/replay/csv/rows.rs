//! Rows of a CSV file, one line each, cut into their values.

use super::RowProblem;
use std::io::{BufRead, BufReader, Read};

/// Longest row, bytes. Real ones have some 150.
pub const MAX_ROW_BYTES: usize = 16 * 1024;

/// Columns before those of the file that rows were set aside from: where they stood, and why.
pub const ASIDE: [&str; 2] = ["line", "problem"];

/// Lines of bounded length. Of a file of rows set aside, whose first columns are [`ASIDE`], they
/// are the lines as they stood in the file they come from: corrected, they are read like any other.
#[derive(Debug)]
pub struct Lines<R> {
    source: BufReader<R>,
    delimiter: u8,
    current: Vec<u8>,
    number: u64,
    bytes: u64,
    /// Line of the header of a file of rows set aside; 0: it is none.
    aside: u64,
    begun: bool,
}

/// What [`Lines::advance`] came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advance {
    /// A line, now the current one.
    Line,
    /// A line of more than [`MAX_ROW_BYTES`], which was skipped.
    TooLong,
    /// No more lines.
    End,
}

impl<R: Read> Lines<R> {
    /// Before the first line, of values divided by commas.
    pub fn new(source: R) -> Self {
        Self::divided_by(source, b',')
    }

    /// Before the first line, of values divided by a character of ASCII.
    pub fn divided_by(source: R, delimiter: u8) -> Self {
        Self {
            source: BufReader::with_capacity(64 * 1024, source),
            delimiter,
            current: Vec::new(),
            number: 0,
            bytes: 0,
            aside: 0,
            begun: false,
        }
    }

    /// Whether the current line is the header of a file of rows set aside, which is there even
    /// where the file that they come from has none.
    pub const fn is_aside_header(&self) -> bool {
        self.aside > 0 && self.aside == self.number
    }

    /// The line without its ending.
    pub fn current(&self) -> &[u8] {
        &self.current
    }

    /// Number of the line, counted from 1.
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// Bytes consumed so far: for a progress bar.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Reads a line; what is over the bound is skipped without being kept.
    ///
    /// # Errors
    /// The source cannot be read.
    pub fn advance(&mut self) -> std::io::Result<Advance> {
        self.current.clear();
        self.number += 1;
        let mut too_long = false;
        let mut any = false;
        loop {
            let buffer = match self.source.fill_buf() {
                Ok(buffer) => buffer,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if buffer.is_empty() && !any {
                return Ok(Advance::End);
            }
            any = true;
            let end = buffer.iter().position(|&byte| byte == b'\n');
            let content = &buffer[..end.unwrap_or(buffer.len())];
            if self.current.len() + content.len() > MAX_ROW_BYTES {
                too_long = true;
                self.current.clear();
            } else if !too_long {
                self.current.extend_from_slice(content);
            }
            let at_end = end.is_some() || buffer.is_empty();
            let consumed = end.map_or(buffer.len(), |at| at + 1);
            self.source.consume(consumed);
            self.bytes += consumed as u64;
            if at_end {
                break;
            }
        }
        if self.current.last() == Some(&b'\r') {
            self.current.pop();
        }
        if too_long {
            return Ok(Advance::TooLong);
        }
        self.pass_over_aside();
        Ok(Advance::Line)
    }

    /// Leaves of a row that was set aside what stood in its file.
    fn pass_over_aside(&mut self) {
        if !self.begun && !self.current.is_empty() {
            self.begun = true;
            let line = self.current.strip_prefix(BOM).unwrap_or(&self.current);
            let begins = ASIDE.iter().try_fold(line, |rest, name| {
                let rest = rest.strip_prefix(name.as_bytes())?;
                rest.strip_prefix(&[self.delimiter])
            });
            if begins.is_some() {
                self.aside = self.number;
                let bom = self.current.len() - line.len();
                self.current.drain(..bom);
            }
        }
        // A row of which nothing is left stays as it is, to be told as a bad one.
        if self.aside > 0
            && let Some(cut) = after_values(&self.current, self.delimiter, ASIDE.len())
            && cut < self.current.len()
        {
            self.current.drain(..cut);
        }
    }
}

const BOM: &[u8] = b"\xef\xbb\xbf";

/// Where the value after so many begins; `None`: there are not so many.
fn after_values(line: &[u8], delimiter: u8, values: usize) -> Option<usize> {
    let mut passed = 0;
    let mut quoted = false;
    for (at, byte) in line.iter().enumerate() {
        match *byte {
            b'"' => quoted = !quoted,
            byte if byte == delimiter && !quoted => {
                passed += 1;
                if passed == values {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
    }
    None
}

/// The values of one line. Most lines have no quotation mark and are cut at the commas; the
/// others go through the `csv` crate.
#[derive(Debug)]
pub struct Values {
    /// Ends of the values of an unquoted line.
    ends: Vec<usize>,
    quoted: Option<csv::StringRecord>,
    delimiter: u8,
}

impl Default for Values {
    fn default() -> Self {
        Self::divided_by(b',')
    }
}

impl Values {
    /// Of lines whose values are divided by a character of ASCII.
    #[must_use]
    pub const fn divided_by(delimiter: u8) -> Self {
        Self {
            ends: Vec::new(),
            quoted: None,
            delimiter,
        }
    }

    /// Cuts a line into its values.
    ///
    /// # Errors
    /// A quotation mark is out of place.
    pub fn split(&mut self, line: &str) -> Result<(), RowProblem> {
        self.ends.clear();
        self.quoted = None;
        if line.contains('"') {
            self.quoted = Some(split_quoted(line, self.delimiter)?);
            return Ok(());
        }
        let ends = line.match_indices(char::from(self.delimiter));
        self.ends.extend(ends.map(|(at, _)| at));
        self.ends.push(line.len());
        Ok(())
    }

    /// How many values the line has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.quoted
            .as_ref()
            .map_or(self.ends.len(), csv::StringRecord::len)
    }

    /// Whether no line was cut yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value at a place of the line that was cut.
    #[must_use]
    pub fn get<'a>(&'a self, line: &'a str, at: usize) -> &'a str {
        if let Some(quoted) = &self.quoted {
            return quoted.get(at).unwrap_or_default();
        }
        let start = match at {
            0 => 0,
            _ => self.ends[at - 1] + 1,
        };
        &line[start..self.ends[at]]
    }

    /// All of them.
    pub fn iter<'a>(&'a self, line: &'a str) -> impl Iterator<Item = &'a str> {
        (0..self.len()).map(move |at| self.get(line, at))
    }
}

fn split_quoted(line: &str, delimiter: u8) -> Result<csv::StringRecord, RowProblem> {
    if !quotes_are_well_placed(line, delimiter) {
        return Err(RowProblem::Quotes);
    }
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .delimiter(delimiter)
        .buffer_capacity(line.len())
        .from_reader(line.as_bytes());
    let mut record = csv::StringRecord::new();
    match reader.read_record(&mut record) {
        Ok(true) => Ok(record),
        Ok(false) | Err(_) => Err(RowProblem::Quotes),
    }
}

/// RFC 4180, section 2: a quoted value begins and ends with a mark, marks inside are doubled,
/// an unquoted value has none. The `csv` crate forgives all of that and would guess.
fn quotes_are_well_placed(line: &str, delimiter: u8) -> bool {
    #[derive(PartialEq)]
    enum At {
        Start,
        Plain,
        Quoted,
        Closed,
    }
    let mut at = At::Start;
    for byte in line.bytes() {
        at = match (at, byte) {
            (At::Quoted, b'"') => At::Closed,
            (At::Quoted, _) => At::Quoted,
            (At::Start | At::Closed, b'"') => At::Quoted,
            (_, byte) if byte == delimiter => At::Start,
            (At::Closed, _) | (At::Plain, b'"') => return false,
            (At::Start | At::Plain, _) => At::Plain,
        };
    }
    at != At::Quoted
}
