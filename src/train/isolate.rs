//! The isolation forest on a data set as a whole, as its published figures are measured.

use super::{Dataset, IsolationError, IsolationForestParams};
use linfa::dataset::DatasetBase;
use linfa::traits::Fit;

/// Fits a forest of the paper's size on all rows, their labels unseen, and scores each of them:
/// within 0 to 1, towards 1 it is alone.
///
/// # Errors
/// Fewer than two rows, or no columns.
pub fn isolate(data: &Dataset, seed: u64) -> Result<Vec<f64>, IsolationError> {
    let forest = IsolationForestParams::new()
        .seed(seed)
        .fit(&DatasetBase::from(data.x.view()))?;
    let score = |row: ndarray::ArrayView1<'_, f32>| f64::from(forest.score(&row.to_vec()));
    Ok(data.x.rows().into_iter().map(score).collect())
}
