//! Counts on disk: a header, pieces of rows, and an end, each with its checksum.
//!
//! ```text
//! magic 8 | { length u32 | crc32c u32 | block (postcard) }*
//! ```
//! Lengths are bytes, little-endian. A file that is damaged anywhere, or cut off, is refused
//! whole: half of the counts would let others call again.

use super::{Pair, Slot};
use crate::domain::Timestamp;
use serde::{Deserialize, Serialize};
use std::io::{self, Read, Write};

/// The last digit is the version of the form.
const MAGIC: [u8; 8] = *b"TFPSuse2";
/// No block is larger, bytes.
const MAX_BLOCK: u32 = 1 << 20;

/// Some rows, as they are copied out and restored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Piece {
    /// Of subscribers.
    Subscribers(Vec<(u64, Slot)>),
    /// Of callers and numbers.
    Pairs(Vec<(u64, Pair)>),
}

#[derive(Debug, Serialize, Deserialize)]
enum Block {
    Begin { key_check: u64, saved_at: Timestamp },
    Rows(Piece),
    End,
}

/// Why saved counts could not be used.
#[derive(Debug, thiserror::Error)]
pub enum UsageStateError {
    /// The file cannot be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Torn, altered, or something else altogether.
    #[error("the saved counts are damaged: {0}")]
    Damaged(&'static str),
    /// Written under another data directory's secret.
    #[error("the saved counts were written under another secret key")]
    OtherKey,
}

/// Writes every piece that `pieces` hands on. `saved_at` is when copying began: calls after it
/// may be missing.
///
/// # Errors
/// The writer's.
pub fn write_state(
    out: &mut impl Write,
    key_check: u64,
    saved_at: Timestamp,
    pieces: impl FnOnce(&mut dyn FnMut(Piece)),
) -> Result<(), UsageStateError> {
    out.write_all(&MAGIC)?;
    write_block(
        out,
        &Block::Begin {
            key_check,
            saved_at,
        },
    )?;
    let mut result = Ok(());
    pieces(&mut |piece| {
        if result.is_ok() {
            result = write_block(out, &Block::Rows(piece));
        }
    });
    result?;
    write_block(out, &Block::End)
}

/// Reads a whole file; the pieces, and when they were saved.
///
/// # Errors
/// Damaged, or of another key.
pub fn read_state(
    input: &mut impl Read,
    key_check: u64,
) -> Result<(Timestamp, Vec<Piece>), UsageStateError> {
    let mut magic = [0; 8];
    read_exact(input, &mut magic)?;
    if magic != MAGIC {
        return Err(UsageStateError::Damaged("not a file of counts"));
    }
    let Block::Begin {
        key_check: found,
        saved_at,
    } = read_block(input)?
    else {
        return Err(UsageStateError::Damaged("the header is missing"));
    };
    if found != key_check {
        return Err(UsageStateError::OtherKey);
    }
    let mut pieces = Vec::new();
    loop {
        match read_block(input)? {
            Block::Rows(piece) => pieces.push(piece),
            Block::Begin { .. } => return Err(UsageStateError::Damaged("a second header")),
            Block::End => break,
        }
    }
    match input.read(&mut [0])? {
        0 => Ok((saved_at, pieces)),
        _ => Err(UsageStateError::Damaged("something stands behind the end")),
    }
}

fn write_block(out: &mut impl Write, block: &Block) -> Result<(), UsageStateError> {
    let bytes =
        postcard::to_stdvec(block).map_err(|_| UsageStateError::Damaged("cannot be encoded"))?;
    let length = u32::try_from(bytes.len()).map_err(|_| UsageStateError::Damaged("too large"))?;
    out.write_all(&length.to_le_bytes())?;
    out.write_all(&crc32c::crc32c(&bytes).to_le_bytes())?;
    Ok(out.write_all(&bytes)?)
}

fn read_block(input: &mut impl Read) -> Result<Block, UsageStateError> {
    let (mut length, mut crc) = ([0; 4], [0; 4]);
    read_exact(input, &mut length)?;
    read_exact(input, &mut crc)?;
    let length = u32::from_le_bytes(length);
    if length > MAX_BLOCK {
        return Err(UsageStateError::Damaged("a length is out of range"));
    }
    let mut bytes = vec![0; length as usize];
    read_exact(input, &mut bytes)?;
    if crc32c::crc32c(&bytes) != u32::from_le_bytes(crc) {
        return Err(UsageStateError::Damaged("a checksum does not match"));
    }
    postcard::from_bytes(&bytes).map_err(|_| UsageStateError::Damaged("a block cannot be decoded"))
}

fn read_exact(input: &mut impl Read, bytes: &mut [u8]) -> Result<(), UsageStateError> {
    input.read_exact(bytes).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => UsageStateError::Damaged("ends in the middle"),
        _ => error.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAVED: Timestamp = Timestamp::from_secs(1_760_000_000);

    fn pieces() -> Vec<Piece> {
        let mut pair = Pair::default();
        let limit = crate::domain::SameNumber {
            calls: 3,
            seconds: 60,
        };
        pair.count(1, SAVED, limit);
        let mut slot = Slot::default();
        let _used = slot.count(739_000, crate::domain::Hours::Off, 0);
        vec![
            Piece::Subscribers(vec![(1, slot), (u64::MAX, Slot::default())]),
            Piece::Pairs(vec![(7, pair)]),
        ]
    }

    fn written() -> Vec<u8> {
        let mut bytes = Vec::new();
        write_state(&mut bytes, 42, SAVED, |take| {
            pieces().into_iter().for_each(take);
        })
        .expect("written");
        bytes
    }

    #[test]
    fn what_was_written_is_read() {
        let read = read_state(&mut written().as_slice(), 42).expect("read");
        assert_eq!(read, (SAVED, pieces()));
        assert!(matches!(
            read_state(&mut written().as_slice(), 43),
            Err(UsageStateError::OtherKey)
        ));
    }

    #[test]
    fn every_changed_byte_every_cut_and_every_addition_is_refused() {
        let good = written();
        for at in 0..good.len() {
            for bit in 0..8 {
                let mut bad = good.clone();
                bad[at] ^= 1 << bit;
                read_state(&mut bad.as_slice(), 42).expect_err("changed");
            }
            read_state(&mut &good[..at], 42).expect_err("cut");
        }
        let longer = [good.as_slice(), &[0]].concat();
        read_state(&mut longer.as_slice(), 42).expect_err("longer");
    }
}
