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

/// One feature of the catalogue: what stands at its position in a [`FeatureVector`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeatureSpec {
    /// Stable name; a model is used only with exactly the names it was trained on.
    pub name: &'static str,
    /// Tag of the reason it gives, e.g. `burst-1m`; several features may share one.
    pub tag: &'static str,
    /// What it measures and in which unit, for people.
    pub words: &'static str,
}
