//! From labelled calls to a model file.
//!
//! ```text
//! ArrowStream bytes -> Dataset -> Split -> fit -> calibrate -> evaluate -> publish
//!                      dataset    split    fit    calibrate    evaluate    publish
//! ```
//! The features are those that were served and stored; nothing is computed anew, so serving
//! and training cannot differ. linfa fits and is used in `fit` only; polars reads the bytes
//! and is used in `dataset` only. [`compare()`] holds a new model beside the one in force. Only explicit verdicts are labels: a free call that nobody
//! judged is no example of a legitimate one.

mod alarm;
mod arrow;
mod bend;
mod boost;
mod calibrate;
mod compare;
mod dataset;
mod error;
mod evaluate;
mod fit;
mod isolate;
mod isolation;
mod learn;
mod lock;
mod metrics;
mod publish;
mod ranked;
mod reference;
mod report;
mod resample;
mod rising;
mod run;
mod sample;
mod scale;
mod split;
#[cfg(test)]
mod testing;

pub use arrow::write_arrow;
pub use calibrate::platt;
pub use compare::{Rival, compare};
pub use dataset::{Dataset, DatasetBuilder, Groups, LabelledCall, MAX_ROWS};
pub use error::{LabelCount, TrainError};
pub use evaluate::{
    Baseline, CampaignMeasures, Evaluation, Thresholds, evaluate, evaluate_baseline,
};
pub use isolate::isolate;
pub use isolation::{
    IsolationError, IsolationForest, IsolationForestParams, IsolationForestValidParams,
};
pub use learn::{Learner, UnknownLearner};
pub use lock::TrainingLock;
pub use metrics::{
    OperatingPoint, ReliabilityBin, Score, average_precision, brier, expected_calibration_error,
    operating_point, reliability, roc_auc,
};
pub use publish::{Published, card, publish};
pub use ranked::{LEGITIMATE, Ranked, Swept};
pub use report::Report;
pub use run::{Options, Trained, train, train_on};
pub use split::{Part, Split, split, validation};

/// The query whose result [`Dataset::from_arrow`] reads. Parameters: `features_version`
/// (UInt16), `from` and `to` (DateTime64(6)), `limit` (UInt64).
pub const DATASET_SQL: &str = include_str!("../../sql/train/dataset.sql");

/// The query for [`Dataset::add_honeypot`]; parameters and columns as of [`DATASET_SQL`].
pub const HONEYPOT_SQL: &str = include_str!("../../sql/train/honeypot.sql");

/// Legitimate calls the means of the trees' nodes are taken over.
const ENOUGH_FOR_MEANS: usize = 200_000;

/// At most `count` of the rows, evenly spread over them.
fn evenly(rows: &[usize], count: usize) -> Vec<usize> {
    let kept = count.min(rows.len());
    (0..kept).map(|i| rows[i * rows.len() / kept]).collect()
}
