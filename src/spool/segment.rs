//! Segment files: names, headers, order.

use super::error::io_error;
use super::{Record, SpoolError};
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

const MAGIC: [u8; 8] = *b"TFPSSPL\x01";
const FORMAT: u16 = 1;

/// Length of a segment's header: where its first frame begins.
pub(super) const HEADER: u64 = 32;

/// Which segment. Ordered by sequence, identified for ever by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SegmentKey {
    /// Place in the order of writing.
    pub sequence: u32,
    /// Never used twice.
    pub id: u64,
}

impl std::fmt::Display for SegmentKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:010}-{:016x}", self.sequence, self.id)
    }
}

impl SegmentKey {
    /// The segment after `sequence`, its id drawn from the seed (one step of splitmix64, a
    /// bijection: one seed never gives an id twice).
    pub(super) const fn next(sequence: u32, seed: u64) -> Self {
        let sequence = sequence + 1;
        let mut z = seed.wrapping_add((sequence as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Self {
            sequence,
            id: z ^ (z >> 31),
        }
    }

    pub(super) fn path(self, dir: &Path) -> PathBuf {
        dir.join(format!("{self}.seg"))
    }

    fn parse(name: &str) -> Option<Self> {
        let (sequence, id) = name.strip_suffix(".seg")?.split_once('-')?;
        let key = Self {
            sequence: sequence.parse().ok()?,
            id: u64::from_str_radix(id, 16).ok()?,
        };
        (format!("{key}.seg") == name).then_some(key)
    }

    /// The header this segment begins with when it holds records of type `T`.
    pub(super) fn header<T: Record>(self) -> [u8; HEADER as usize] {
        let mut header = [0; HEADER as usize];
        header[..8].copy_from_slice(&MAGIC);
        header[8..10].copy_from_slice(&FORMAT.to_le_bytes());
        header[10..12].copy_from_slice(&T::SCHEMA.to_le_bytes());
        header[12..16].copy_from_slice(&T::KIND);
        header[16..20].copy_from_slice(&self.sequence.to_le_bytes());
        header[20..28].copy_from_slice(&self.id.to_le_bytes());
        let crc = crc32c::crc32c(&header[..28]);
        header[28..].copy_from_slice(&crc.to_le_bytes());
        header
    }
}

/// Why a whole segment is unreadable.
#[derive(Debug, thiserror::Error)]
pub(super) enum HeaderError {
    #[error("its header is cut short")]
    Short,
    #[error("its header is damaged")]
    Damaged,
    #[error("it has format {0}, this program knows {FORMAT}")]
    Format(u16),
    #[error("it holds records of another kind")]
    Kind,
    #[error("its header names another segment")]
    Name,
    #[error("it cannot be read: {0}")]
    Io(#[from] io::Error),
}

/// Checks a segment's header and returns the schema of its records.
pub(super) fn read_schema<T: Record>(file: &File, key: SegmentKey) -> Result<u16, HeaderError> {
    let mut header = [0; HEADER as usize];
    match file.read_exact_at(&mut header, 0) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            return Err(HeaderError::Short);
        }
        read => read?,
    }
    let crc = crc32c::crc32c(&header[..28]).to_le_bytes();
    if header[..8] != MAGIC || header[28..] != crc {
        return Err(HeaderError::Damaged);
    }
    let format = u16::from_le_bytes([header[8], header[9]]);
    let schema = u16::from_le_bytes([header[10], header[11]]);
    if format != FORMAT {
        return Err(HeaderError::Format(format));
    }
    if header[12..16] != T::KIND {
        return Err(HeaderError::Kind);
    }
    if header[16..20] != key.sequence.to_le_bytes() || header[20..28] != key.id.to_le_bytes() {
        return Err(HeaderError::Name);
    }
    Ok(schema)
}

/// A segment as the directory shows it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listed {
    pub key: SegmentKey,
    pub bytes: u64,
    pub modified: SystemTime,
}

/// All segments of a directory, in order.
pub(super) fn list(dir: &Path) -> Result<Vec<Listed>, SpoolError> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).map_err(io_error("list", dir))? {
        let entry = entry.map_err(io_error("list", dir))?;
        let Some(key) = entry.file_name().to_str().and_then(SegmentKey::parse) else {
            continue;
        };
        let meta = match entry.metadata() {
            // Deleted since it was listed: shipped.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            meta => meta.map_err(io_error("look at", entry.path()))?,
        };
        let modified = meta.modified().map_err(io_error("look at", entry.path()))?;
        found.push(Listed {
            key,
            bytes: meta.len(),
            modified,
        });
    }
    found.sort_by_key(|listed| listed.key);
    Ok(found)
}

/// Makes creations, renames and deletions in a directory last.
pub(super) fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}
