//! Calls from files: read under the file's own time, never guessed at.

pub mod csv;
mod file;
mod import;
mod order;
mod score;
mod walk;

pub use file::{FileHash, hash_file};
pub use import::{ImportError, Imported, Importer};
pub use order::{Order, raw};
pub use score::ScoredWriter;
pub use walk::{attempt_of, decide};
