//! Calls from files: read under the file's own time, never guessed at.
//!
//! ```text
//! our CSV        -> csv::Reader ----------------------------\
//! any other CSV  -> map::MapReader -> Sorter -> Concurrency -+-> Row -> Identities -> decide -> Importer
//! pcap, pcapng   -> capture::Calls -> Sorter -> Concurrency -/                             \-> report
//! ```
//! Our own layout is in time order; records of other programs are written when a call ends, so
//! they are sorted first. Every step has bounded memory.

pub mod capture;
mod concurrent;
pub mod csv;
mod file;
mod identity;
mod import;
pub mod map;
mod order;
pub mod report;
mod row;
mod score;
mod sort;
mod walk;

pub use concurrent::Concurrency;
pub use file::{FileHash, hash_file};
pub use identity::Identities;
pub use import::{ImportError, Imported, Importer, Learned, Origin};
pub use order::{Order, raw};
pub use row::{Message, Row};
pub use score::ScoredWriter;
pub use sort::{Sorted, Sorter};
pub use walk::{attempt_of, attempt_of_record, decide};
