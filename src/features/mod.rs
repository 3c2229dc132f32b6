//! Call -> the numbers it is scored by, and the bounded memory they come from.
//!
//! One computation serves live calls, imports and replays; the vector it gives is stored with the
//! call and is what training reads. So serving and training cannot differ.
//!
//! The memory is one table of [`Track`]s, all alike: when something was first and last seen, and
//! how often, as decayed counts over several windows. *What* is tracked is only a key: a caller, a
//! caller's pair with a country, a number prefix, a tenant ... A novelty is the age of a pair, a
//! rate is a decayed count, a number of distinct things is the count of pairs not seen lately.

mod catalogue;
mod compute;
mod context;
mod entities;
mod state;
mod table;
mod track;
mod windows;

pub use catalogue::{CATALOGUE, COUNT, Feature, VERSION};
pub use context::{Context, Near};
pub use state::{StateError, StateHeader, read_state, write_state};
pub use table::{Saved, TrackTable};
pub use track::{Track, WINDOWS};
pub use windows::Windows;
