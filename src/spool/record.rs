//! What a spool can hold.

use crate::domain::{
    CallAttempt, CallEvent, Country, Decision, Destination, FeatureVector, Timestamp,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

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
        whole(bytes)
    }
}

fn whole<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    match postcard::take_from_bytes(bytes)? {
        (record, []) => Ok(record),
        (_, rest) => Err(DecodeError::Trailing(rest.len())),
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
    /// 2: the subscriber beside the account, and what the call used up.
    const SCHEMA: u16 = 2;

    fn decode(schema: u16, bytes: &[u8]) -> Result<Self, DecodeError> {
        match schema {
            Self::SCHEMA => whole(bytes),
            1 => whole::<CallEvent1>(bytes).map(Self::from),
            found => Err(DecodeError::Schema {
                found,
                known: Self::SCHEMA,
            }),
        }
    }
}

/// A call as schema 1 wrote it.
#[derive(Deserialize)]
struct CallEvent1 {
    at: Timestamp,
    attempt: CallAttempt,
    account: String,
    policy: String,
    destination: Destination,
    origin: Country,
    features: FeatureVector,
    decision: Decision,
    latency_us: u32,
}

impl From<CallEvent1> for CallEvent {
    fn from(old: CallEvent1) -> Self {
        Self {
            at: old.at,
            attempt: old.attempt,
            account: old.account,
            subscriber: String::new(),
            policy: old.policy,
            used: None,
            destination: old.destination,
            origin: old.origin,
            features: old.features,
            decision: old.decision,
            latency_us: old.latency_us,
        }
    }
}
