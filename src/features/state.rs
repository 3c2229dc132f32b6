//! Windows on disk: a header, then pieces of tracks, each with its checksum.
//!
//! ```text
//! magic 8 | length u32 | crc32c u32 | header (postcard) | { length u32 | crc32c u32 | tracks }*
//! ```
//! Lengths are bytes, little-endian. A file that is damaged anywhere is refused whole.

use super::table::Saved;
use super::{VERSION, WINDOWS};
use crate::domain::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io::{self, Read, Write};

const MAGIC: [u8; 8] = *b"TFPSwin1";
/// No piece is larger, bytes.
const MAX_PIECE: u32 = 16 << 20;

/// What a file of windows says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateHeader {
    /// `features::VERSION` of the program that wrote it.
    pub version: u16,
    /// How many windows a track has.
    pub windows: u8,
    /// Distinguishes keys of the hashes without telling them.
    pub key_check: u64,
    /// When copying began: events after this may be missing.
    pub saved_at: Timestamp,
    /// Imports whose tracks are in here, newest last.
    pub absorbed: Vec<String>,
}

impl StateHeader {
    /// For a file written by this program.
    #[must_use]
    pub fn new(key_check: u64, saved_at: Timestamp, absorbed: Vec<String>) -> Self {
        Self {
            version: VERSION,
            #[expect(clippy::cast_possible_truncation, reason = "eight")]
            windows: WINDOWS.len() as u8,
            key_check,
            saved_at,
            absorbed,
        }
    }
}

impl StateHeader {
    /// Reads only the header of a file of windows.
    ///
    /// # Errors
    /// No file of windows, or damaged.
    pub fn peek(input: &mut impl Read) -> Result<Self, StateError> {
        let mut magic = [0; 8];
        input
            .read_exact(&mut magic)
            .map_err(|_| StateError::Damaged("too short"))?;
        if magic != MAGIC {
            return Err(StateError::Damaged("not a file of windows"));
        }
        read_block(input)?.ok_or(StateError::Damaged("the header is missing"))
    }
}

/// Why saved windows could not be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The file cannot be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Torn, altered, or something else altogether.
    #[error("the saved windows are damaged: {0}")]
    Damaged(&'static str),
    /// Features changed their meaning since.
    #[error("the saved windows belong to features version {found}, this program has {VERSION}")]
    OtherVersion {
        /// The file's.
        found: u16,
    },
    /// Written under another data directory's secret.
    #[error("the saved windows were written under another secret key")]
    OtherKey,
}

/// Writes a header and then every piece that `pieces` hands on.
///
/// # Errors
/// The writer's.
pub fn write_state(
    out: &mut impl Write,
    header: &StateHeader,
    pieces: impl FnOnce(&mut dyn FnMut(Vec<Saved>)),
) -> Result<(), StateError> {
    out.write_all(&MAGIC)?;
    write_block(out, header)?;
    let mut result = Ok(());
    pieces(&mut |piece| {
        if result.is_ok() {
            result = write_block(out, &piece);
        }
    });
    result
}

/// Reads a file of windows piece by piece; `take` gets them as they come.
///
/// # Errors
/// Damaged, of another version, or of another key. Pieces before the damage have been taken:
/// take into something that can be dropped.
pub fn read_state(
    input: &mut impl Read,
    key_check: u64,
    mut take: impl FnMut(Vec<Saved>),
) -> Result<StateHeader, StateError> {
    let header = StateHeader::peek(input)?;
    if header.version != VERSION || usize::from(header.windows) != WINDOWS.len() {
        return Err(StateError::OtherVersion {
            found: header.version,
        });
    }
    if header.key_check != key_check {
        return Err(StateError::OtherKey);
    }
    while let Some(piece) = read_block(input)? {
        take(piece);
    }
    Ok(header)
}

fn write_block(out: &mut impl Write, value: &impl Serialize) -> Result<(), StateError> {
    let bytes = postcard::to_stdvec(value).map_err(|_| StateError::Damaged("cannot be encoded"))?;
    let length = u32::try_from(bytes.len()).map_err(|_| StateError::Damaged("too large"))?;
    out.write_all(&length.to_le_bytes())?;
    out.write_all(&crc32c::crc32c(&bytes).to_le_bytes())?;
    out.write_all(&bytes)?;
    Ok(())
}

fn read_block<T: DeserializeOwned>(input: &mut impl Read) -> Result<Option<T>, StateError> {
    let mut frame = [0; 8];
    let mut have = 0;
    while have < frame.len() {
        match input.read(&mut frame[have..])? {
            0 if have == 0 => return Ok(None),
            0 => return Err(StateError::Damaged("ends in the middle")),
            n => have += n,
        }
    }
    let [a, b, c, d, e, f, g, h] = frame;
    let (length, crc) = (
        u32::from_le_bytes([a, b, c, d]),
        u32::from_le_bytes([e, f, g, h]),
    );
    if length > MAX_PIECE {
        return Err(StateError::Damaged("a length is out of range"));
    }
    let mut bytes = vec![0; length as usize];
    input
        .read_exact(&mut bytes)
        .map_err(|_| StateError::Damaged("ends in the middle"))?;
    if crc32c::crc32c(&bytes) != crc {
        return Err(StateError::Damaged("a checksum does not match"));
    }
    postcard::from_bytes(&bytes)
        .map(Some)
        .map_err(|_| StateError::Damaged("a piece cannot be decoded"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::Track;

    fn written() -> Vec<u8> {
        let header = StateHeader::new(42, Timestamp::from_secs(5), vec!["a".into()]);
        let mut bytes = Vec::new();
        write_state(&mut bytes, &header, |take| {
            for key in 0..3 {
                take(vec![Saved(key, Track::new(Timestamp::from_secs(1), 1.0))]);
            }
        })
        .expect("written");
        bytes
    }

    #[test]
    fn what_was_written_is_read() {
        let mut tracks = Vec::new();
        let header = read_state(&mut written().as_slice(), 42, |piece| tracks.extend(piece));
        assert_eq!(header.expect("read").absorbed, ["a"]);
        assert_eq!(tracks.len(), 3);
    }

    #[test]
    fn every_changed_byte_and_every_cut_but_a_whole_piece_is_refused() {
        let good = written();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 0x10;
            read_state(&mut bad.as_slice(), 42, |_| ()).expect_err("changed");
        }
        let whole = (0..good.len())
            .filter(|&end| read_state(&mut &good[..end], 42, |_| ()).is_ok())
            .count();
        assert_eq!(whole, 3, "only cuts between pieces read");
        assert!(matches!(
            read_state(&mut good.as_slice(), 43, |_| ()),
            Err(StateError::OtherKey)
        ));
    }
}
