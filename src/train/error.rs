//! Why there is no model, and what to do about it.

use super::Part;
use crate::domain::Verdict;
use crate::model::ModelError;
use std::path::PathBuf;

/// How many labels of a kind a part has, and how many it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LabelCount {
    /// Which part of the data.
    pub part: Part,
    /// Which verdict.
    pub verdict: Verdict,
    /// How many there are.
    pub have: usize,
    /// How many it takes.
    pub need: usize,
}

/// A training that did not come to a model.
#[derive(Debug, thiserror::Error)]
#[expect(
    missing_docs,
    reason = "each message says what the variant and its fields mean"
)]
pub enum TrainError {
    #[error("the rows from ClickHouse cannot be read: {0}; ask with FORMAT ArrowStream")]
    Arrow(#[from] polars::error::PolarsError),
    #[error("column `{name}` is missing or is not {expected}; use sql/train/dataset.sql")]
    Column {
        name: &'static str,
        expected: &'static str,
    },
    #[error(
        "row {row} has features version {found}, training needs {wanted}; ask for that version only"
    )]
    FeaturesVersion { row: usize, found: i64, wanted: u16 },
    #[error(
        "row {row} has {found} features, version {version} has {wanted}; such rows were not written by this program, leave them out"
    )]
    FeatureCount {
        row: usize,
        found: usize,
        wanted: usize,
        version: u16,
    },
    #[error("row {row}, feature `{feature}` is not finite; leave the row out")]
    NotFinite { row: usize, feature: &'static str },
    #[error("row {row} has the verdict `{verdict}`: expected `fraud`, `legitimate` or nothing")]
    Verdict { row: usize, verdict: String },
    #[error("more than {limit} rows; narrow the window or set a lower limit")]
    TooManyRows { limit: usize },
    #[error(
        "{} of the calls has {} with the verdict `{}`, {} are needed; judge calls with `tfps verdict`, \
         bring in judged ones with `tfps import`, or widen the window",
        .0.part.words(), .0.have, .0.verdict.as_str(), .0.need
    )]
    TooFewLabels(LabelCount),
    #[error(
        "no campaign of the family `{family}` is in the data; name the part of a campaign before its `/`"
    )]
    UnknownFamily { family: String },
    #[error("there is no feature `{name}`; see the names in the catalogue")]
    UnknownFeature { name: String },
    #[error("the limit of `{name}` must be finite and above 0")]
    BadLimit { name: String },
    #[error("another training is at work in {dir}: wait until it has ended", dir = .dir.display())]
    AtWork { dir: PathBuf },
    #[error("option `{name}` must be {expected}")]
    BadOption {
        name: &'static str,
        expected: &'static str,
    },
    #[error("the fit failed: {0}; look for features that are constant or broken")]
    Fit(#[from] linfa_logistic::error::Error),
    #[error(
        "the fit did not come to finite numbers; look for features that are constant or broken"
    )]
    Diverged,
    #[error(
        "what was learned does not hold on later calls: fraud there scores no higher than legitimate calls; more labels, or labels of the same kind of fraud, are needed"
    )]
    NothingLearned,
    #[error("no isolation forest: {0}")]
    Novelty(#[from] super::IsolationError),
    #[error(transparent)]
    Model(#[from] ModelError),
}
