//! What the legitimate calls of a training looked like, for the watch over drift.

use super::evaluate::score_rows;
use super::{Dataset, Split, TrainError};
use crate::model::Model;
use crate::model::reference::{Bins, FEATURE_QUANTILES, Reference, SCORE_QUANTILES};

/// Calls that make a histogram, about, spread evenly over the part: more would not change it.
const ROWS: usize = 200_000;

/// Histograms of the features over the training part and of the score over the calibration part:
/// a fit scores the calls it was made of better than any others.
pub(super) fn reference(
    scorer: &Model,
    data: &Dataset,
    parts: &Split,
) -> Result<Reference, TrainError> {
    let legitimate = |rows: &[usize]| -> Vec<usize> {
        let found = rows.iter().copied().filter(|row| !data.y[*row]);
        let found: Vec<usize> = found.collect();
        found
            .iter()
            .copied()
            .step_by(1 + found.len() / ROWS)
            .collect()
    };
    let (fitted, calibrated) = (legitimate(&parts.train), legitimate(&parts.calibrate));
    let mut column = Vec::with_capacity(fitted.len());
    let features = (0..data.x.ncols()).map(|feature| {
        column.clear();
        column.extend(fitted.iter().map(|row| data.x[[*row, feature]]));
        Bins::of(&mut column, &FEATURE_QUANTILES)
    });
    Ok(Reference {
        rows: fitted.len() as u64,
        score_rows: calibrated.len() as u64,
        features: features.collect(),
        score: Bins::of(
            &mut score_rows(scorer, data, &calibrated)?,
            &SCORE_QUANTILES,
        ),
    })
}
