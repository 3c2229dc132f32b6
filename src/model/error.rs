//! Why a model is refused, and what to do about it.

use std::path::PathBuf;

/// A model file, or the pointer to the one in force, that is not used.
///
/// The model in force stays in force: a refusal never leaves the service without one.
#[derive(Debug, thiserror::Error)]
#[expect(
    missing_docs,
    reason = "each message says what the variant and its fields mean"
)]
pub enum ModelError {
    #[error("cannot read {path}: {source}; check that it exists and may be read")]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("cannot write {path}: {source}; check the folder's permissions and free space")]
    Write {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("larger than {limit} bytes: not a model file of this program")]
    TooLarge { limit: u64 },
    #[error(
        "does not end in a sha256 as `tfps train` writes it: cut short or edited; copy it again or train anew"
    )]
    NotSealed,
    #[error(
        "changed since it was written: its sha256 says {stated}, its content is {actual}; copy it again or train anew"
    )]
    Changed { stated: String, actual: String },
    #[error("not understood: {0}; it was written by another program or version, train anew")]
    Json(#[from] serde_json::Error),
    #[error("is of format {found}, this version reads up to {known}; train anew or update tfps")]
    UnknownFormat { found: u32, known: u32 },
    #[error(
        "was trained on features version {found}, this version of the program computes {wanted}: train anew with `tfps train`, on calls that this version has scored or imported"
    )]
    FeaturesVersion { found: u16, wanted: u16 },
    #[error("has {found} features, this version computes {wanted}; train anew")]
    FeatureCount { found: usize, wanted: usize },
    #[error("feature {position} is `{found}`, this version computes `{wanted}` there; train anew")]
    FeatureName {
        position: usize,
        found: String,
        wanted: &'static str,
    },
    #[error("`{field}` must be {expected}; train anew")]
    Invalid {
        field: &'static str,
        expected: &'static str,
    },
    #[error("tree {tree} of the {part} must have {expected}; train anew")]
    Tree {
        part: &'static str,
        tree: usize,
        expected: &'static str,
    },
    #[error(
        "probe {index} scores {got}, the file promises {expected}: this program would score differently from the one that trained it; train anew"
    )]
    Probe {
        index: usize,
        expected: f32,
        got: f32,
    },
    #[error(
        "`{id}` is no model id: 1 to 80 letters, digits, `-`, `_` or `.`, beginning with a letter or digit"
    )]
    BadId { id: String },
    #[error("the file {path} holds the model `{id}`: rename the file back")]
    IdMismatch { path: PathBuf, id: String },
    #[error(
        "the pointer names sha256 {wanted} but `{id}` has {found}: promote it again if the new content is wanted"
    )]
    NotThePromoted {
        id: String,
        wanted: String,
        found: String,
    },
    #[error("pointer {path} not understood: {source}; promote a model to write it anew")]
    Pointer {
        path: PathBuf,
        source: serde_json::Error,
    },
    #[error("nothing to roll back to: no model was promoted before; promote one by its id")]
    NoHistory,
}

/// A vector that cannot be scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[expect(
    missing_docs,
    reason = "each message says what the variant and its fields mean"
)]
pub enum ScoreError {
    #[error(
        "vector of features version {found}, the model needs {wanted}: load a model of this version"
    )]
    Version { found: u16, wanted: u16 },
    #[error("vector of {found} features, the model needs {wanted}: load a model of this version")]
    Length { found: usize, wanted: usize },
    #[error("feature {position} is not finite: mend its computation")]
    NotFinite { position: usize },
}
