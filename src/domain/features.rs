//! The numbers a call is scored by.

use serde::{Deserialize, Serialize};

/// Features of one call as served, in the order of `features::CATALOGUE`.
///
/// The vector that was scored is the vector that is stored and trained on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FeatureVector {
    /// `features::VERSION` at the time; a model is used only with its own version.
    pub version: u16,
    /// One finite value per feature.
    pub values: Vec<f32>,
}
