//! Rows of another program's file, as calls.

use super::MapProblem;
use super::columns::{Columns, Fields, Taken};
use super::file::{MapError, MapFile, Seconds};
use super::times::TimeZone;
use crate::domain::{CallRecord, Column, Timestamp};
use crate::replay::Row;
use crate::replay::csv::{Advance, BadRow, Lines, RowError, RowProblem, Values};
use std::io::Read;

/// Rows that are no calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Left(pub u64);

/// Reads calls by a map.
#[derive(Debug)]
pub struct MapReader<R> {
    lines: Lines<R>,
    /// As it stands in the file; `None`: it has none.
    header: Option<String>,
    map: MapFile,
    fields: Fields,
    /// Columns of the header; `None`: rows may have any number.
    width: Option<usize>,
    values: Values,
    left: Left,
    stopped: bool,
}

impl<R: Read> MapReader<R> {
    /// Reads the header, where the file has one.
    ///
    /// # Errors
    /// A column of the map is not in the file.
    pub fn new(source: R, map: MapFile) -> Result<Self, MapError> {
        let mut lines = Lines::divided_by(source, delimiter(&map));
        let mut values = Values::divided_by(delimiter(&map));
        let header = match map.header {
            true => Some(header(&mut lines, &mut values)?),
            false => None,
        };
        let (header, names) = header.unzip();
        let width = names.as_ref().map(Vec::len);
        let fields = Fields::of(&map, &Columns(names)).map_err(|error| {
            let other = header.as_deref().filter(|_| width == Some(1));
            let found = other.and_then(|line| other_delimiter(line, map.delimiter));
            match (error, found) {
                (MapError::NoColumn { .. }, Some(found)) => MapError::Delimiter {
                    expected: delimiter_words(map.delimiter),
                    found: delimiter_words(found),
                    key: found.escape_default().to_string(),
                },
                (error, _) => error,
            }
        })?;
        Ok(Self {
            lines,
            header,
            map,
            fields,
            width,
            values,
            left: Left::default(),
            stopped: false,
        })
    }

    /// The header as it stands in the file; `None`: the file has none.
    pub fn header(&self) -> Option<&str> {
        self.header.as_deref()
    }

    /// What divides its values.
    pub fn delimiter(&self) -> u8 {
        delimiter(&self.map)
    }

    /// The row given last as it stands in the file. It holds phone numbers: not for a log.
    pub fn raw(&self) -> String {
        String::from_utf8_lossy(self.lines.current()).into_owned()
    }

    /// Bytes of the file consumed so far: for a progress bar.
    pub const fn bytes(&self) -> u64 {
        self.lines.bytes()
    }

    /// Whether the file itself says how many calls were up.
    pub const fn tells_calls(&self) -> bool {
        !self.fields.calls.is_empty()
    }

    /// Whether it says how long calls were: without that nobody knows how many were up.
    pub const fn tells_lengths(&self) -> bool {
        let fields = &self.fields;
        !(fields.duration.is_empty() && fields.up.is_empty() && fields.end.is_empty())
    }

    /// Rows so far that are no calls.
    pub const fn left(&self) -> Left {
        self.left
    }

    /// `None`: the row is no call.
    fn parse(&self, values: &mut Values) -> Result<Option<Row>, RowProblem> {
        let line = std::str::from_utf8(self.lines.current()).map_err(|_| RowProblem::NotUtf8)?;
        let line = line.trim_start_matches('\u{feff}');
        values.split(line)?;
        if let Some(expected) = self.width.filter(|width| *width != values.len()) {
            return Err(RowProblem::ColumnCount {
                expected,
                found: values.len(),
            });
        }
        let cells = Cells {
            line,
            values,
            empty: &self.map.empty,
        };
        if !self.fields.only.iter().all(|only| cells.fits(only)) {
            return Ok(None);
        }
        self.row(&cells).map(Some)
    }

    fn row(&self, cells: &Cells<'_>) -> Result<Row, RowProblem> {
        let fields = &self.fields;
        let constant = &self.map.constant;
        let time = self.time("time", cells, &fields.time)?;
        let time = time.ok_or(MapProblem::Missing("time"))?;
        let needed = |name: &'static str, taken: &[Taken]| {
            cells.first(taken).ok_or(MapProblem::Missing(name))
        };
        let or = |taken: &[Taken], constant: &Option<String>| {
            let found = cells.first(taken).map(str::to_owned);
            found.or_else(|| constant.clone()).unwrap_or_default()
        };
        let mut texts: [String; Column::ALL.len()] = Default::default();
        let mut put = |column: Column, text: String| texts[column.index()] = text;
        // Only to be looked at: the time itself is known better than this text says.
        put(Column::Time, time.to_rfc3339());
        put(Column::User, needed("user", &fields.user)?.to_owned());
        let dialed = needed("dialed_number", &fields.dialed_number)?;
        put(Column::DialedNumber, dialed.to_owned());
        put(Column::Domain, or(&fields.domain, &constant.domain));
        put(Column::SourceIp, or(&fields.source_ip, &constant.source_ip));
        put(
            Column::UserAgent,
            or(&fields.user_agent, &constant.user_agent),
        );
        put(Column::Calls, or(&fields.calls, &None));
        put(Column::CallId, or(&fields.call_id, &None));
        put(
            Column::Verdict,
            or(&fields.verdict, &None).to_ascii_lowercase(),
        );
        put(Column::Campaign, or(&fields.campaign, &None));
        let record = CallRecord::from_fields(|column| &texts[column.index()])?;
        let duration = self.map.duration.as_ref();
        let up_s = self.up(cells, time)?;
        let record = CallRecord {
            time,
            duration_s: seconds("duration", cells, &fields.duration, duration)?,
            answered: fields.answered.as_ref().map(|taken| cells.fits(taken)),
            ..record
        };
        Ok(Row {
            up_s: up_s.or(record.duration_s),
            ..Row::of_table(record, self.lines.number())
        })
    }

    fn time(
        &self,
        name: &'static str,
        cells: &Cells<'_>,
        taken: &[Taken],
    ) -> Result<Option<Timestamp>, MapProblem> {
        let Some(text) = cells.first(taken) else {
            return Ok(None);
        };
        let time = &self.map.time;
        let zone: Option<TimeZone> = time.zone;
        time.format.read(name, text, zone, time.twice).map(Some)
    }

    /// Seconds from start to end: as they stand, or from the end.
    fn up(&self, cells: &Cells<'_>, start: Timestamp) -> Result<Option<u32>, MapProblem> {
        let up = self.map.up.as_ref();
        if let Some(up) = seconds("up", cells, &self.fields.up, up)? {
            return Ok(Some(up));
        }
        let Some(end) = self.time("end", cells, &self.fields.end)? else {
            return Ok(None);
        };
        let micros = end.0 - start.0;
        if micros < 0 {
            return Err(MapProblem::EndsBefore);
        }
        let seconds = (micros + Timestamp::SECOND - 1) / Timestamp::SECOND;
        Ok(Some(u32::try_from(seconds).unwrap_or(u32::MAX)))
    }

    fn bad(&self, problem: RowProblem) -> RowError {
        RowError::Bad(BadRow {
            line: self.lines.number(),
            problem,
            raw: self.raw(),
        })
    }
}

impl<R: Read> Iterator for MapReader<R> {
    type Item = Result<Row, RowError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.stopped {
            return None;
        }
        loop {
            match self.lines.advance() {
                Ok(Advance::End) => return None,
                Ok(Advance::Line) if self.lines.current().is_empty() => {}
                Ok(Advance::Line) if self.lines.is_aside_header() => {}
                Ok(Advance::Line) => {
                    let other = Values::divided_by(delimiter(&self.map));
                    let mut values = std::mem::replace(&mut self.values, other);
                    let row = self.parse(&mut values);
                    self.values = values;
                    match row {
                        Ok(Some(row)) => return Some(Ok(row)),
                        Ok(None) => self.left.0 += 1,
                        Err(problem) => return Some(Err(self.bad(problem))),
                    }
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

/// The values of one row.
struct Cells<'a> {
    line: &'a str,
    values: &'a Values,
    empty: &'a [String],
}

impl<'a> Cells<'a> {
    /// A column's text; empty where the row is too short or the text means nothing.
    fn text(&self, at: usize) -> &'a str {
        if at >= self.values.len() {
            return "";
        }
        let text = self.values.get(self.line, at).trim();
        match self.empty.iter().any(|empty| empty == text) {
            true => "",
            false => text,
        }
    }

    fn fits(&self, taken: &Taken) -> bool {
        let text = self.text(taken.at);
        taken.pattern.as_ref().is_none_or(|p| p.is_match(text))
    }

    fn first(&self, taken: &[Taken]) -> Option<&'a str> {
        let value = |taken: &Taken| {
            let text = self.text(taken.at);
            let value = match &taken.pattern {
                None => text,
                Some(pattern) => {
                    let found = pattern.captures(text)?;
                    found.get(1).or_else(|| found.get(0))?.as_str().trim()
                }
            };
            (!value.is_empty()).then_some(value)
        };
        taken.iter().find_map(value)
    }
}

fn seconds(
    name: &'static str,
    cells: &Cells<'_>,
    taken: &[Taken],
    how: Option<&Seconds>,
) -> Result<Option<u32>, MapProblem> {
    let Some(text) = cells.first(taken) else {
        return Ok(None);
    };
    let wrong = || MapProblem::Seconds(name);
    let number: f64 = text.parse().map_err(|_| wrong())?;
    let number = match how.is_some_and(|how| how.milliseconds) {
        true => number / 1_000.0,
        false => number,
    };
    let rounded = number.round();
    if number.is_sign_negative() || !(0.0..=f64::from(u32::MAX)).contains(&rounded) {
        return Err(wrong());
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "within the range of u32, as just seen"
    )]
    Ok(Some(rounded as u32))
}

fn delimiter(map: &MapFile) -> u8 {
    // Checked to be ASCII when the map was read.
    u8::try_from(map.delimiter).unwrap_or(b',')
}

/// What a header of one column seems to be divided by instead.
fn other_delimiter(header: &str, expected: char) -> Option<char> {
    let count = |wanted: char| header.matches(wanted).count();
    let others = [',', ';', '\t', '|'].into_iter();
    let most = others.filter(|other| *other != expected);
    most.max_by_key(|other| count(*other))
        .filter(|other| count(*other) > 0)
}

fn delimiter_words(delimiter: char) -> String {
    match delimiter {
        ',' => "commas".to_owned(),
        ';' => "semicolons".to_owned(),
        '\t' => "tabs".to_owned(),
        other => format!("`{other}`"),
    }
}

/// The header, and the names in it.
fn header<R: Read>(
    lines: &mut Lines<R>,
    values: &mut Values,
) -> Result<(String, Vec<String>), MapError> {
    loop {
        match lines.advance()? {
            Advance::End => return Err(MapError::Empty),
            Advance::TooLong => return Err(MapError::Header(RowProblem::TooLong)),
            Advance::Line if lines.current().is_empty() => {}
            Advance::Line => break,
        }
    }
    let line = std::str::from_utf8(lines.current()).map_err(|_| RowProblem::NotUtf8)?;
    let line = line.trim_start_matches('\u{feff}');
    values.split(line)?;
    let names = values.iter(line).map(|name| name.trim().to_owned());
    Ok((line.to_owned(), names.collect()))
}
