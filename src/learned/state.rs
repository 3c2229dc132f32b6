//! What was learned, on disk.
//!
//! ```text
//! magic 8 | key check u64 | length u64 | crc32c u32 | state (postcard)
//! ```
//! Little-endian. A file that is damaged anywhere is refused whole.

use super::memory::Saved;
use super::{Keys, Learned};
use std::io::{self, Read, Write};

const MAGIC: [u8; 8] = *b"TFPSlrn2";
/// No file is larger, bytes: more than all tables hold when they are full.
const MAX: u64 = 512 << 20;

/// Why what was saved could not be used.
#[derive(Debug, thiserror::Error)]
pub enum LearnedStateError {
    /// The file cannot be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Torn, altered, or something else altogether.
    #[error("what was learned is damaged: {0}; it is learned anew")]
    Damaged(&'static str),
    /// Written under another data directory's secret.
    #[error("what was learned was written under another secret key; it is learned anew")]
    OtherKey,
}

fn key_check(keys: Keys) -> u64 {
    keys.hash("key check", &[])
}

/// Writes all that was learned.
///
/// # Errors
/// The writer's.
pub fn write_state(out: &mut impl Write, learned: &Learned) -> Result<(), LearnedStateError> {
    let bytes = postcard::to_stdvec(&learned.saved())
        .map_err(|_| LearnedStateError::Damaged("cannot be encoded"))?;
    out.write_all(&MAGIC)?;
    out.write_all(&key_check(learned.keys()).to_le_bytes())?;
    out.write_all(&(bytes.len() as u64).to_le_bytes())?;
    out.write_all(&crc32c::crc32c(&bytes).to_le_bytes())?;
    out.write_all(&bytes)?;
    Ok(())
}

/// Puts back what was saved.
///
/// # Errors
/// Damaged, or written under another key; nothing is put back then.
pub fn read_state(input: &mut impl Read, learned: &mut Learned) -> Result<(), LearnedStateError> {
    let mut head = [0; 28];
    input
        .read_exact(&mut head)
        .map_err(|_| LearnedStateError::Damaged("too short"))?;
    let number = |at: usize| {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&head[at..at + 8]);
        u64::from_le_bytes(bytes)
    };
    if head[..8] != MAGIC {
        return Err(LearnedStateError::Damaged("not a file of learned lists"));
    }
    if number(8) != key_check(learned.keys()) {
        return Err(LearnedStateError::OtherKey);
    }
    let length = number(16);
    if length > MAX {
        return Err(LearnedStateError::Damaged("the length is out of range"));
    }
    let mut bytes = Vec::new();
    input.take(length + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 != length {
        return Err(LearnedStateError::Damaged("it has another length"));
    }
    if crc32c::crc32c(&bytes).to_le_bytes() != head[24..28] {
        return Err(LearnedStateError::Damaged("the checksum does not match"));
    }
    let saved: Saved = postcard::from_bytes(&bytes)
        .map_err(|_| LearnedStateError::Damaged("it cannot be decoded"))?;
    learned.restore(saved);
    Ok(())
}
