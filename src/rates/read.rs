//! Decks as files: the CSV layouts that carriers and billing programs hand out.
//!
//! A header names the columns, in any order and case; others are passed over. The separator is
//! the one the header has most of: `,` `;` `|` or a tab. A price may have a decimal comma. A
//! prefix may have a `+` or `00` before it and blanks in it. A line `# currency: EUR` before the
//! header names the currency; without it prices are taken to be euros.

use super::deck::{Deck, Rate};
use crate::domain::Number;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// Before the name of the currency, on a line of its own at the top.
pub(super) const CURRENCY: &str = "# currency: ";
/// Currency of a file that names none.
const EUROS: &str = "EUR";
/// Most rates of a deck: memory stays bounded, at 16 bytes each.
const MAX_RATES: usize = 4_000_000;
/// Largest price of a minute: none is higher, so what is was given in another unit.
const MAX_PRICE: f32 = 1_000.0;
/// Wrong rows told; the rest are counted.
const TOLD: usize = 20;
/// Names of the column of prefixes, in lower case.
const PREFIXES: &[&str] = &[
    "prefix",
    "prefixes",
    "code",
    "codes",
    "dialcode",
    "dial code",
    "dial_code",
    "dialprefix",
    "dial prefix",
    "destination code",
    "area code",
    "number",
];
/// Names of the column of prices, in lower case.
const PRICES: &[&str] = &[
    "price",
    "rate",
    "price per minute",
    "rate per minute",
    "price_per_minute",
    "rate_per_minute",
    "price per min",
    "rate per min",
    "price_per_min",
    "rate_per_min",
    "price/minute",
    "rate/minute",
    "price/min",
    "rate/min",
    "cost per minute",
    "cost per min",
    "per minute",
    "cost",
    "new rate",
    "tariff",
    "connect rate",
];
/// Names of the column of destinations' names, in lower case.
const NAMES: &[&str] = &[
    "name",
    "destination",
    "destination name",
    "description",
    "country",
    "prefix name",
];

/// Why a file is no deck.
#[derive(Debug, thiserror::Error)]
pub enum DeckError {
    /// Not even a header.
    #[error("the deck is empty: expected a header such as `prefix,price,name`")]
    Empty,
    /// The header has no such column.
    #[error(
        "line {line}: no column for {what} in the header `{header}`: expected one named {expected}"
    )]
    Column {
        /// Line of the header.
        line: u64,
        /// `the prefix` or `the price`.
        what: &'static str,
        /// As it stands there.
        header: String,
        /// Names that are understood.
        expected: String,
    },
    /// Rows that cannot be read.
    #[error("{}", told(rows, *more))]
    Rows {
        /// The first ones.
        rows: Vec<RowError>,
        /// How many others there are.
        more: usize,
    },
    /// A header and nothing else.
    #[error("the deck has a header and no rate")]
    NoRates,
    /// More than is kept.
    #[error("the deck has more than {MAX_RATES} rates")]
    TooMany,
}

/// A row that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct RowError {
    /// Line of the file, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The row has not the header's columns, or a quotation mark is not closed.
    #[error("the row cannot be read: expected the columns of the header")]
    Row,
    /// Not the beginning of an E.164 number.
    #[error("prefix `{0}`: expected 1 to 15 digits that begin with a calling code")]
    Prefix(String),
    /// Not a price.
    #[error("price `{0}`: expected a number from 0 to {MAX_PRICE}, such as 0.0123 or 0,0123")]
    Price(String),
    /// The same prefix stands above with another price.
    #[error("prefix `{prefix}` has another price on line {line}")]
    Twice {
        /// The prefix.
        prefix: Number,
        /// Where it stands first.
        line: u64,
    },
}

fn told(rows: &[RowError], more: usize) -> String {
    let mut lines: Vec<String> = rows.iter().map(RowError::to_string).collect();
    if more > 0 {
        lines.push(format!("and {more} more rows"));
    }
    lines.join("\n")
}

/// Where the columns are.
struct Columns {
    prefix: usize,
    price: usize,
    name: Option<usize>,
}

pub(super) fn read(bytes: &[u8]) -> Result<Deck, DeckError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let (currency, above, table) = preamble(bytes);
    let mut rows = csv::ReaderBuilder::new()
        .delimiter(separator(table))
        .has_headers(false)
        .flexible(true)
        .from_reader(table);
    let mut row = csv::ByteRecord::new();
    if !rows.read_byte_record(&mut row).unwrap_or(false) {
        return Err(DeckError::Empty);
    }
    let columns = columns(&row, above + 1)?;
    let mut taken = Taken::default();
    loop {
        match rows.read_byte_record(&mut row) {
            Ok(false) => return taken.finish(&currency),
            Ok(true) => {
                let line = above + row.position().map_or(0, csv::Position::line);
                taken.take(&row, &columns, line);
            }
            // Reading from memory, nothing else can be wrong.
            Err(_) => taken.wrong(above + rows.position().line(), Problem::Row),
        }
        if taken.rates.len() > MAX_RATES {
            return Err(DeckError::TooMany);
        }
    }
}

/// The currency, how many lines stand before the header, and the table from the header on.
fn preamble(bytes: &[u8]) -> (String, u64, &[u8]) {
    let (mut currency, mut above, mut rest) = (EUROS.to_owned(), 0, bytes);
    while let [b'#' | b'\r' | b'\n', ..] = rest {
        let end = rest.iter().position(|byte| *byte == b'\n');
        let (line, after) = rest.split_at(end.map_or(rest.len(), |end| end + 1));
        let line = String::from_utf8_lossy(line);
        if let Some(named) = line.trim().strip_prefix(CURRENCY.trim_end()) {
            named.trim().clone_into(&mut currency);
        }
        above += 1;
        rest = after;
    }
    (currency, above, rest)
}

/// The separator that the header has most of.
fn separator(table: &[u8]) -> u8 {
    let header = table
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let count = |wanted: u8| header.iter().filter(|byte| **byte == wanted).count();
    let most = [b'|', b'\t', b';', b',']
        .into_iter()
        .max_by_key(|b| count(*b));
    most.unwrap_or(b',')
}

fn columns(header: &csv::ByteRecord, line: u64) -> Result<Columns, DeckError> {
    let named = |known: &[&str]| {
        let is = |field: &[u8]| {
            let field = String::from_utf8_lossy(field).trim().to_lowercase();
            known.contains(&field.as_str())
        };
        header.iter().position(is)
    };
    let missing = |what, known: &[&str]| DeckError::Column {
        line,
        what,
        header: header
            .iter()
            .map(|field| String::from_utf8_lossy(field).trim().to_owned())
            .collect::<Vec<_>>()
            .join(", "),
        expected: known.join(", "),
    };
    Ok(Columns {
        prefix: named(PREFIXES).ok_or_else(|| missing("the prefix", PREFIXES))?,
        price: named(PRICES).ok_or_else(|| missing("the price", PRICES))?,
        name: named(NAMES),
    })
}

/// What was read so far.
#[derive(Default)]
struct Taken {
    rates: Vec<Rate>,
    /// Price and line of each prefix.
    seen: HashMap<Number, (f32, u64)>,
    names: HashMap<String, Arc<str>>,
    wrong: Vec<RowError>,
    more: usize,
}

impl Taken {
    fn take(&mut self, row: &csv::ByteRecord, columns: &Columns, line: u64) {
        if row.iter().all(|field| field.trim_ascii().is_empty()) {
            return;
        }
        let text = |at| row.get(at).map(|field| String::from_utf8_lossy(field));
        let (Some(prefix), Some(price)) = (text(columns.prefix), text(columns.price)) else {
            return self.wrong(line, Problem::Row);
        };
        let Some(prefix) = prefix_of(&prefix) else {
            return self.wrong(line, Problem::Prefix(shown(&prefix)));
        };
        let Some(price) = price_of(&price) else {
            return self.wrong(line, Problem::Price(shown(&price)));
        };
        match self.seen.insert(prefix, (price, line)) {
            Some((before, first)) if before.to_bits() != price.to_bits() => {
                let line_above = first;
                return self.wrong(
                    line,
                    Problem::Twice {
                        prefix,
                        line: line_above,
                    },
                );
            }
            Some(_) => return,
            None => {}
        }
        let name = columns.name.and_then(text).unwrap_or_default();
        let name = self.name(name.trim());
        self.rates.push(Rate {
            prefix,
            price,
            name,
        });
    }

    /// Each name once: a deck has thousands of prefixes of one network.
    fn name(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.names.get(name) {
            return Arc::clone(known);
        }
        let shared: Arc<str> = name.into();
        self.names.insert(name.to_owned(), Arc::clone(&shared));
        shared
    }

    fn wrong(&mut self, line: u64, problem: Problem) {
        if self.wrong.len() < TOLD {
            self.wrong.push(RowError { line, problem });
        } else {
            self.more += 1;
        }
    }

    fn finish(self, currency: &str) -> Result<Deck, DeckError> {
        if !self.wrong.is_empty() {
            return Err(DeckError::Rows {
                rows: self.wrong,
                more: self.more,
            });
        }
        if self.rates.is_empty() {
            return Err(DeckError::NoRates);
        }
        Ok(Deck::of(currency, self.rates))
    }
}

/// A field of a row as it is told: no longer than a line.
fn shown(field: &str) -> String {
    field.trim().chars().take(40).collect()
}

/// `44`, `+44`, `0044`, `44 20`.
fn prefix_of(field: &str) -> Option<Number> {
    let digits: String = field.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    let digits = digits.strip_prefix('+').unwrap_or(&digits);
    let digits = digits.strip_prefix("00").unwrap_or(digits);
    Number::parse(digits).ok()
}

/// `0.0123` or `0,0123`; a text with both is no price, as nobody knows which is which.
fn price_of(field: &str) -> Option<f32> {
    let field = field.trim();
    let plain = field
        .bytes()
        .all(|b| b.is_ascii_digit() || b == b'.' || b == b',');
    if !plain || field.matches([',', '.']).count() > 1 {
        return None;
    }
    let price: f32 = field.replace(',', ".").parse().ok()?;
    (0.0..=MAX_PRICE).contains(&price).then_some(price)
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.prefix, self.price)
    }
}

#[cfg(test)]
mod tests;
