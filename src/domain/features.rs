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

/// What one feature is called, and how it is told to people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeatureSpec {
    /// Stable name, unique in the catalogue.
    pub name: &'static str,
    /// Reason tag; features that tell the same story share one.
    pub tag: &'static str,
    /// What it measures and in which unit, in an analyst's words.
    pub words: &'static str,
}
