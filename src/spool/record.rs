//! What a spool can hold.

use crate::domain::CallEvent;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A value with a name and a version of its written form.
///
/// Postcard does not describe itself: when a field is added, removed or moved, [`Self::SCHEMA`]
/// must grow and [`Self::decode`] learn the form before, because segments outlive an upgrade.
pub trait Record: Serialize + DeserializeOwned + Send + 'static {
    /// Four letters in every segment's header, so that no kind is read as another.
    const KIND: [u8; 4];
    /// Version of the written form.
    const SCHEMA: u16;

    /// Reads a record written under `schema`.
    ///
    /// # Errors
    /// The schema is not known, or the bytes are no record of it.
    fn decode(schema: u16, bytes: &[u8]) -> Result<Self, DecodeError> {
        if schema != Self::SCHEMA {
            return Err(DecodeError::Schema {
                found: schema,
                known: Self::SCHEMA,
            });
        }
        match postcard::take_from_bytes(bytes)? {
            (record, []) => Ok(record),
            (_, rest) => Err(DecodeError::Trailing(rest.len())),
        }
    }
}

/// Why bytes with a good checksum are no record.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Written by a program of another version.
    #[error("written under schema {found}, this program knows {known}")]
    Schema {
        /// The segment's.
        found: u16,
        /// The program's.
        known: u16,
    },
    /// No value of the type.
    #[error("not a record")]
    Malformed(#[from] postcard::Error),
    /// A value, and then more.
    #[error("{0} bytes behind the record")]
    Trailing(usize),
}

impl Record for CallEvent {
    const KIND: [u8; 4] = *b"call";
    const SCHEMA: u16 = 1;
}
