//! What a spool can hold.

use crate::domain::{
    CallAttempt, CallEvent, CheckOutcome, Code, Country, Decision, Destination, FeatureVector,
    Ingress, Reason, Signs, Timestamp, Used,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use uuid::Uuid;

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
    /// 3: the message's signs, the destination's price, and the novelty.
    const SCHEMA: u16 = 3;

    fn decode(schema: u16, bytes: &[u8]) -> Result<Self, DecodeError> {
        match schema {
            Self::SCHEMA => whole(bytes),
            2 => whole::<CallEvent2>(bytes).map(Self::from),
            1 => whole::<CallEvent1>(bytes).map(|old| Self::from(CallEvent2::from(old))),
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
    attempt: CallAttempt2,
    account: String,
    policy: String,
    destination: Destination,
    origin: Country,
    features: FeatureVector,
    decision: Decision2,
    latency_us: u32,
}

/// A call as schema 2 wrote it.
#[derive(Deserialize)]
struct CallEvent2 {
    at: Timestamp,
    attempt: CallAttempt2,
    account: String,
    subscriber: String,
    policy: String,
    used: Option<Used>,
    destination: Destination,
    origin: Country,
    features: FeatureVector,
    decision: Decision2,
    latency_us: u32,
}

/// Before signs.
#[derive(Deserialize)]
struct CallAttempt2 {
    id: Uuid,
    ingress: Ingress,
    call_id: String,
    peer: IpAddr,
    source_ip: IpAddr,
    user: String,
    domain: String,
    policy_user: Option<(String, String)>,
    dialed: String,
    user_agent: String,
    concurrent: Option<u32>,
}

/// Before the novelty.
#[derive(Deserialize)]
struct Decision2 {
    code: Code,
    whitelisted: bool,
    checks: Vec<CheckOutcome>,
    score: Option<f32>,
    model: String,
    reasons: Vec<Reason>,
}

impl From<CallAttempt2> for CallAttempt {
    fn from(old: CallAttempt2) -> Self {
        Self {
            id: old.id,
            ingress: old.ingress,
            call_id: old.call_id,
            peer: old.peer,
            source_ip: old.source_ip,
            user: old.user,
            domain: old.domain,
            policy_user: old.policy_user,
            dialed: old.dialed,
            user_agent: old.user_agent,
            concurrent: old.concurrent,
            signs: Signs::NONE,
        }
    }
}

impl From<Decision2> for Decision {
    fn from(old: Decision2) -> Self {
        Self {
            code: old.code,
            whitelisted: old.whitelisted,
            checks: old.checks,
            score: old.score,
            model: old.model,
            reasons: old.reasons,
            novelty: None,
        }
    }
}

impl From<CallEvent2> for CallEvent {
    fn from(old: CallEvent2) -> Self {
        Self {
            at: old.at,
            attempt: old.attempt.into(),
            account: old.account,
            subscriber: old.subscriber,
            policy: old.policy,
            used: old.used,
            destination: old.destination,
            origin: old.origin,
            features: old.features,
            decision: old.decision.into(),
            price: None,
            latency_us: old.latency_us,
        }
    }
}

impl From<CallEvent1> for CallEvent2 {
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
