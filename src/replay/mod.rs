//! Calls from files: read under the file's own time, never guessed at.

pub mod csv;
