//! Records as frames: length, checksum, payload.

use super::{Record, SpoolError};
use std::marker::PhantomData;

/// Bytes before a payload: length and checksum.
pub(super) const PREFIX: usize = 8;

/// Largest payload, bytes. A SIP message is at most 64 KiB; what is kept of it is less.
pub const MAX_RECORD: usize = 1 << 20;

/// Records encoded and ready to append: made outside the writer's lock, and reusable.
#[derive(Debug)]
pub struct Frames<T> {
    pub(super) bytes: Vec<u8>,
    /// End of each frame in `bytes`.
    pub(super) ends: Vec<usize>,
    record: PhantomData<fn(T)>,
}

impl<T> Default for Frames<T> {
    fn default() -> Self {
        Self {
            bytes: Vec::new(),
            ends: Vec::new(),
            record: PhantomData,
        }
    }
}

impl<T: Record> Frames<T> {
    /// Adds one record; when it cannot be added, the others stay as they are.
    ///
    /// # Errors
    /// [`SpoolError::TooLarge`], [`SpoolError::Encode`].
    pub fn push(&mut self, record: &T) -> Result<(), SpoolError> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[0; PREFIX]);
        let encoded = postcard::to_io(record, &mut self.bytes).map(drop);
        let length = self.bytes.len() - start - PREFIX;
        let refused = match encoded {
            Err(error) => Some(SpoolError::Encode(error)),
            Ok(()) if length > MAX_RECORD => Some(SpoolError::TooLarge(length)),
            Ok(()) => None,
        };
        if let Some(error) = refused {
            self.bytes.truncate(start);
            return Err(error);
        }
        #[expect(clippy::cast_possible_truncation, reason = "at most MAX_RECORD")]
        let length = (length as u32).to_le_bytes();
        let crc = checksum(length, &self.bytes[start + PREFIX..]).to_le_bytes();
        self.bytes[start..start + 4].copy_from_slice(&length);
        self.bytes[start + 4..start + PREFIX].copy_from_slice(&crc);
        self.ends.push(self.bytes.len());
        Ok(())
    }

    /// Forgets the records, keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    /// How many records.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is nothing to append.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }
}

/// What stands at one place of a segment.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Parsed<'a> {
    /// A whole frame; `size` includes the prefix.
    Whole { payload: &'a [u8], size: usize },
    /// The bytes end before the frame does.
    Partial,
    /// The checksum or the length is wrong; `size` if the length can be believed.
    Damaged { size: Option<usize> },
}

/// Reads the frame `bytes` begin with.
pub(super) fn parse(bytes: &[u8]) -> Parsed<'_> {
    let Some((prefix, rest)) = bytes.split_first_chunk::<PREFIX>() else {
        return Parsed::Partial;
    };
    let [l0, l1, l2, l3, c0, c1, c2, c3] = *prefix;
    let length = [l0, l1, l2, l3];
    let crc = u32::from_le_bytes([c0, c1, c2, c3]);
    let size = u32::from_le_bytes(length) as usize;
    if size == 0 || size > MAX_RECORD {
        return Parsed::Damaged { size: None };
    }
    let Some(payload) = rest.get(..size) else {
        return Parsed::Partial;
    };
    let size = size + PREFIX;
    if checksum(length, payload) == crc {
        Parsed::Whole { payload, size }
    } else {
        Parsed::Damaged { size: Some(size) }
    }
}

fn checksum(length: [u8; 4], payload: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&length), payload)
}
