//! ClickHouse: rows, insert, migrate, query.
//!
//! Always over HTTP with the official client, whether the engine is a cluster or the embedded
//! one. SQL lives in `sql/`; values travel as server-side parameters; every wait is bounded.
//!
//! An insert that returned is not believed: which rows of a batch are stored is asked
//! afterwards, by the place each came from ([`Store::present`]). An engine once took 500,000
//! rows, answered "done" and kept 2,570.

mod client;
pub mod embedded;
mod error;
mod insert;
mod judge;
mod migrate;
mod query;
mod row;
mod suggest;
mod verdicts;

pub use client::{Store, StoreSettings};
pub use error::{Meaning, StoreError};
pub use insert::{Placed, Present, Source};
pub use judge::{
    Found, History, JudgeError, Judged, MAX_JUDGED, MAX_SUGGESTED, Said, Settle, Sought,
    Suggestion, Word,
};
pub use migrate::MigrateError;
pub use row::CallRow;
pub use suggest::{Seen, Settlement};
pub use verdicts::{FeatureNamesError, VerdictEntry};
