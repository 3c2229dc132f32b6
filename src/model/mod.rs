//! The model: a file that is used whole or refused whole, the scorer over it, and the slot
//! the running service reads it from.
//!
//! - [`ModelFile`]: what stands in `models/<id>.json`, sealed by a SHA-256 over its bytes
//! - [`Model`]: a verified file, flattened for the hot path: score, reasons
//! - [`ModelSlot`]: the model in force, swapped atomically, the last good one kept
//! - [`promotion`]: which file of a folder is in force, and the way back
//!
//! No model is a state, not an error: the slot is then empty and calls carry no score.
//! Fitting is not done here: see `train`.

mod atomic;
mod check;
mod curve;
mod error;
mod file;
mod layout;
mod novelty;
pub mod promotion;
mod reasons;
mod score;
mod seal;
mod slot;
#[cfg(test)]
pub(crate) mod testing;
mod trees;

pub use atomic::write_atomic;
pub use curve::Curve;
pub use error::{ModelError, ScoreError};
pub use file::{
    AlarmThresholds, Calibration, FORMAT, Kind, MAX_BYTES, Metrics, ModelFile, Novelty, Probe,
    Term, Training, Transform,
};
pub use novelty::{Isolation, mean_path};
pub use reasons::{Contributions, Explained};
pub use score::{Model, Scored};
pub use slot::{ModelSlot, Swapped};
pub use trees::{Forest, MAX_DEPTH, MAX_NODES, Step, Tree};

#[cfg(test)]
mod file_tests;
#[cfg(test)]
mod naive_tests;
#[cfg(test)]
mod tree_tests;
