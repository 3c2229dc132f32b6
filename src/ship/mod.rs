//! Spool to ClickHouse: batch, retry by meaning, quarantine.
//!
//! ```text
//! next batch ── named on disk ── insert under its token ── look: is each record there? ── commit
//!      ^                              │ failed: the same batch again, later, same token     │
//!      └──────────────────────────────┴─────────────────────────────────────────────────────┘
//! ```
//! Each record is stored exactly once, by three means, each enough in its own case:
//! - the spool offers the same bytes under the same token until they are settled, and the
//!   engine drops what it has under that token ([`crate::spool`], invariant 6);
//! - a batch that may be stored already (restart, time-out) is looked for before it is sent;
//! - which records arrived is looked at afterwards, by their places; "OK" is not believed.
//!
//! ClickHouse may be down at the start, for days, or for good: the spool keeps what waits, and
//! nothing here is on the way of a call. It runs on a thread of its own ([`on_own_thread`]),
//! because it reads files and waits for the disk.

mod pace;
mod shipper;
mod sink;

#[cfg(test)]
mod tests;

pub use pace::{Pace, RealPace};
pub use shipper::{ShipOptions, Shipper, Step, on_own_thread};
pub use sink::{PrepareError, Sink};
