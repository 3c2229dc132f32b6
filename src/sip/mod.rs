//! SIP over bytes: a message becomes a request, a request becomes a call or an answer.
//!
//! No sockets and no clock here: [`Endpoint`] is fed messages with their source and the time,
//! and hands back what to send where; [`Framer`] makes messages of a stream.
//! ```text
//! stream -> Framer -\
//! datagram -> Endpoint::receive (parse) -> Decide(Call) -> (the decision) -> Endpoint::complete -> bytes
//!                                               \-> Reply, Copy, Retransmission, Drop, Absorb
//! ```
//! What was checked against: RFC 3261 (SIP), RFC 3581 (`rport`), RFC 3966 (`tel:`), RFC 4475
//! (torture tests: `tests/torture`), RFC 5626 (keep-alives).
//!
//! # Why the reader and the writer are ours
//! `rsip` names the methods and is the independent reader that the tests hold every answer
//! against. Its own reader is not used on the way of a call: version 0.4 knows no compact header
//! names and no folded lines, refuses methods it does not know (they need a 405), takes a dot in
//! a user part for the end of it (`john.doe@itsp.example` is refused), insists on UTF-8 in
//! headers that must be copied byte for byte, copies every header into a `String`, and writes
//! `302 MovedTemporarily`.

mod address;
pub mod attempt;
mod copies;
mod endpoint;
mod frame;
mod honeypot;
mod identity;
pub mod message;
mod names;
mod reader;
mod reply;
pub mod respond;
mod rules;
mod signs;
mod text;
mod transaction;
mod uri;
mod via;

#[cfg(test)]
mod tests;

pub use endpoint::{Arrived, Call, Endpoint, Outcome, Pending};
pub use frame::{Broken, Frame, Framer};
pub use honeypot::{Persona, Probe};
pub use identity::Secret;
pub use message::{Envelope, MAX_MESSAGE, Malformed, Message, Request};
pub use reader::parse;
pub use reply::{Reply, parse_reply};
pub use respond::{Packet, Status};
pub use transaction::{Limits, TRANSACTION_LIFETIME_SECS};
pub use uri::{Scheme, Uri};
pub use via::Via;
