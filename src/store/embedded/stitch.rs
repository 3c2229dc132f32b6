//! Joins the pieces of a streamed result into one document.
//!
//! The library formats every piece as a document of its own: with `RowBinaryWithNamesAndTypes` each
//! begins with the header again, with `ArrowStream` each has schema and end mark. A client expects
//! one. Formats that cannot be joined exactly are not streamed at all.

use bytes::Bytes;

use super::exception::Exception;

/// How the pieces of one format become one document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Join {
    /// Rows or blocks that know nothing of each other.
    Append,
    /// So many header lines, with `true` when a quoted name may contain a line end.
    HeaderLines(usize, bool),
    /// `RowBinaryWithNames` (1 string per column) and `...AndTypes` (2).
    HeaderStrings(u64),
    /// Arrow IPC stream: a schema message in front, an end mark behind.
    Arrow,
}

/// The Arrow IPC end-of-stream mark.
const ARROW_END: [u8; 8] = [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];

impl Join {
    /// `None`: the whole result must be formatted in one go.
    #[must_use]
    pub fn of(format: &str) -> Option<Self> {
        Some(match format {
            "RowBinary" | "Native" | "CSV" | "TSV" | "TabSeparated" | "TSVRaw"
            | "TabSeparatedRaw" | "TSKV" | "JSONEachRow" | "JSONLines" | "NDJSON"
            | "JSONCompactEachRow" | "JSONStringsEachRow" | "LineAsString" | "RawBLOB"
            | "MsgPack" | "Null" => Self::Append,
            "RowBinaryWithNames" => Self::HeaderStrings(1),
            "RowBinaryWithNamesAndTypes" => Self::HeaderStrings(2),
            "CSVWithNames" => Self::HeaderLines(1, true),
            "CSVWithNamesAndTypes" => Self::HeaderLines(2, true),
            "TSVWithNames" | "TabSeparatedWithNames" | "JSONCompactEachRowWithNames" => {
                Self::HeaderLines(1, false)
            }
            "TSVWithNamesAndTypes"
            | "TabSeparatedWithNamesAndTypes"
            | "JSONCompactEachRowWithNamesAndTypes" => Self::HeaderLines(2, false),
            "ArrowStream" => Self::Arrow,
            _ => return None,
        })
    }

    /// Length of the header in front of `piece`.
    fn header(self, piece: &[u8]) -> Option<usize> {
        match self {
            Self::Append => Some(0),
            Self::HeaderLines(lines, quotes) => {
                let (mut left, mut quoted) = (lines, false);
                for (at, b) in piece.iter().enumerate() {
                    quoted ^= quotes && *b == b'"';
                    if *b == b'\n' && !quoted {
                        left -= 1;
                        if left == 0 {
                            return Some(at + 1);
                        }
                    }
                }
                None
            }
            Self::HeaderStrings(per_column) => {
                let (columns, mut at) = varint(piece, 0)?;
                for _ in 0..columns.checked_mul(per_column)? {
                    let (length, start) = varint(piece, at)?;
                    at = start.checked_add(usize::try_from(length).ok()?)?;
                }
                (at <= piece.len()).then_some(at)
            }
            Self::Arrow => {
                // continuation mark, metadata length, metadata; a schema has no body
                let length = piece.strip_prefix(&ARROW_END[..4])?.first_chunk::<4>()?;
                let end = usize::try_from(u32::from_le_bytes(*length))
                    .ok()?
                    .checked_add(8)?;
                (end <= piece.len()).then_some(end)
            }
        }
    }
}

/// LEB128 at `at`: the value and the offset behind it.
fn varint(bytes: &[u8], mut at: usize) -> Option<(u64, usize)> {
    let mut value = 0_u64;
    for shift in (0..63).step_by(7) {
        let byte = *bytes.get(at)?;
        at += 1;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some((value, at));
        }
    }
    None
}

/// Joins pieces, in order.
pub struct Stitcher {
    join: Join,
    header: Option<Bytes>,
}

impl Stitcher {
    /// For a format that [`Join::of`] knows.
    #[must_use]
    pub fn new(join: Join) -> Self {
        Self { join, header: None }
    }

    /// What of the next `piece` belongs into the document.
    ///
    /// # Errors
    /// The piece does not begin as the first one did: never guessed, the result is broken off.
    pub fn push(&mut self, piece: Bytes) -> Result<Bytes, Exception> {
        if self.join == Join::Append {
            return Ok(piece);
        }
        let broken = || {
            Exception::new(
                Exception::UNKNOWN,
                "The engine's pieces of this result do not fit together: ask for another FORMAT",
            )
        };
        let body = match self.join {
            Join::Arrow => piece
                .len()
                .checked_sub(8)
                .filter(|at| piece[*at..] == ARROW_END)
                .map(|at| piece.slice(..at))
                .ok_or_else(broken)?,
            _ => piece,
        };
        match &self.header {
            None => {
                let length = self.join.header(&body).ok_or_else(broken)?;
                self.header = Some(body.slice(..length));
                Ok(body)
            }
            Some(header) if body.starts_with(header) => Ok(body.slice(header.len()..)),
            Some(_) => Err(broken()),
        }
    }

    /// What closes the document.
    #[must_use]
    pub fn end(self) -> Bytes {
        match (self.join, self.header) {
            (Join::Arrow, Some(_)) => Bytes::from_static(&ARROW_END),
            _ => Bytes::new(),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn join(format: &str, pieces: &[&'static [u8]]) -> Vec<u8> {
        let mut stitcher = Stitcher::new(Join::of(format).unwrap());
        let mut whole = Vec::new();
        for piece in pieces {
            whole.extend_from_slice(&stitcher.push(Bytes::from_static(piece)).unwrap());
        }
        whole.extend_from_slice(&stitcher.end());
        whole
    }

    #[test]
    fn headers_appear_once() {
        assert_eq!(
            join("CSVWithNames", &[b"\"a\nb\"\n1\n", b"\"a\nb\"\n2\n"]),
            b"\"a\nb\"\n1\n2\n"
        );
        assert_eq!(
            join(
                "TSVWithNamesAndTypes",
                &[b"a\nUInt8\n1\n", b"a\nUInt8\n2\n"]
            ),
            b"a\nUInt8\n1\n2\n"
        );
        assert_eq!(
            join(
                "RowBinaryWithNamesAndTypes",
                &[b"\x01\x01a\x05UInt8\x07", b"\x01\x01a\x05UInt8\x08"]
            ),
            b"\x01\x01a\x05UInt8\x07\x08"
        );
        assert_eq!(
            join(
                "ArrowStream",
                &[
                    b"\xff\xff\xff\xff\x02\0\0\0scONE\xff\xff\xff\xff\0\0\0\0",
                    b"\xff\xff\xff\xff\x02\0\0\0scTWO\xff\xff\xff\xff\0\0\0\0",
                ]
            ),
            b"\xff\xff\xff\xff\x02\0\0\0scONETWO\xff\xff\xff\xff\0\0\0\0"
        );
    }

    #[test]
    fn a_piece_that_does_not_fit_is_an_error() {
        let mut stitcher = Stitcher::new(Join::of("CSVWithNames").unwrap());
        stitcher.push(Bytes::from_static(b"a\n1\n")).unwrap();
        assert!(stitcher.push(Bytes::from_static(b"b\n1\n")).is_err());
    }
}
