//! Which calls are learned from, which calibrate, and which judge.
//!
//! Time goes one way: first habits are formed, then the model learns, then it is calibrated,
//! then it is judged. An attack belongs to the part in which it begins; what it goes on to do
//! after that part has ended is in no part, for whoever trains on that evening does not know it
//! yet. Only the attacks that judge are whole. And some attacks are kept from learning altogether: a *fold* holds out a group of related families, so that
//! its figures are of attacks the model has never seen the like of.

use super::families::group_of;
use super::{Calls, EvaluateError};
use crate::domain::Timestamp;
use crate::train::Split;
use std::collections::BTreeSet;

/// Shares of the time the calls span; what is left judges.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shares {
    /// Forms habits, and is in no figure.
    pub warm_up: f64,
    /// Is learned from.
    pub train: f64,
    /// Calibrates, and thresholds are chosen on it.
    pub calibrate: f64,
}

impl Default for Shares {
    /// Of eight weeks: one, four, one, and two to judge.
    fn default() -> Self {
        Self {
            warm_up: 0.125,
            train: 0.5,
            calibrate: 0.125,
        }
    }
}

/// Rows by part, each in order of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts {
    /// Learned from.
    pub train: Vec<usize>,
    /// Calibrated on.
    pub calibrate: Vec<usize>,
    /// Judged by.
    pub test: Vec<usize>,
    /// When each of the three begins, and the last call's time.
    pub times: [Timestamp; 4],
}

impl Parts {
    /// Divides the span from the first to the last call.
    #[must_use]
    pub fn of(calls: &Calls, shares: Shares) -> Self {
        let at = &calls.data.at;
        let first = at.first().copied().unwrap_or_default();
        let last = at.last().copied().unwrap_or_default();
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            reason = "microseconds of some years"
        )]
        let after = |share: f64| Timestamp(first.0 + ((last.0 - first.0) as f64 * share) as i64);
        let times = [
            after(shares.warm_up),
            after(shares.warm_up + shares.train),
            after(shares.warm_up + shares.train + shares.calibrate),
            last,
        ];
        Self::at(calls, times)
    }

    /// Divides at given times: training, calibration and judging begin, the last call.
    #[must_use]
    pub fn at(calls: &Calls, times: [Timestamp; 4]) -> Self {
        let mut begins = vec![Timestamp(i64::MAX); calls.data.campaign.count()];
        for row in (0..calls.len()).rev() {
            begins[calls.campaign(row)] = calls.data.at[row];
        }
        let mut parts = Self {
            train: Vec::new(),
            calibrate: Vec::new(),
            test: Vec::new(),
            times,
        };
        let [train, calibrate, test, _] = times;
        for row in 0..calls.len() {
            let at = calls.data.at[row];
            let begin = match calls.campaign(row) {
                0 => at,
                campaign => begins[campaign],
            };
            if begin >= test {
                parts.test.push(row);
            } else if (calibrate..test).contains(&begin) && at < test {
                parts.calibrate.push(row);
            } else if (train..calibrate).contains(&begin) && at < calibrate {
                parts.train.push(row);
            }
        }
        parts
    }
}

/// One model's worth of learning and judging.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fold {
    /// `known`, or the group that is held out.
    pub name: String,
    /// Rows to learn from, to calibrate on, and to judge by.
    pub split: Split,
}

impl Fold {
    /// The fold whose model knows all families.
    pub const KNOWN: &'static str = "known";

    /// Whether a group is held out.
    #[must_use]
    pub fn holds_out(&self) -> bool {
        self.name != Self::KNOWN
    }
}

/// The fold that knows every family, then one per group of families that attacks in the last
/// part: learned and calibrated without it, judged by its attacks among all legitimate calls.
///
/// # Errors
/// A part without fraud or without legitimate calls.
pub fn folds(calls: &Calls, parts: &Parts) -> Result<Vec<Fold>, EvaluateError> {
    let group = |row: usize| {
        let family = calls.family(row)?;
        Some(group_of(&calls.families[family]))
    };
    let groups: BTreeSet<&str> = parts.test.iter().filter_map(|row| group(*row)).collect();
    let mut folds = vec![fold(calls, parts, Fold::KNOWN, |_| true, |_| true)?];
    for held_out in groups {
        let others = |row: usize| group(row) != Some(held_out);
        let its_own = |row: usize| group(row).is_none_or(|group| group == held_out);
        match fold(calls, parts, held_out, others, its_own) {
            Ok(fold) => folds.push(fold),
            // Nothing is left to learn from: the only group there is cannot be held out.
            Err(EvaluateError::OneSided { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(folds)
}

fn fold(
    calls: &Calls,
    parts: &Parts,
    name: &str,
    learned: impl Fn(usize) -> bool,
    judged: impl Fn(usize) -> bool,
) -> Result<Fold, EvaluateError> {
    let keep = |rows: &[usize], wanted: &dyn Fn(usize) -> bool| -> Vec<usize> {
        rows.iter().copied().filter(|row| wanted(*row)).collect()
    };
    let [_, calibrate_from, hold_out_from, _] = parts.times;
    let split = Split {
        train: keep(&parts.train, &learned),
        calibrate: keep(&parts.calibrate, &learned),
        hold_out: keep(&parts.test, &judged),
        calibrate_from,
        hold_out_from,
        shares: percents(parts),
    };
    let each = [
        ("the training part", &split.train),
        ("the calibration part", &split.calibrate),
        ("the later test part", &split.hold_out),
    ];
    for (part, rows) in each {
        let fraud = calls.data.positives(rows);
        if fraud == 0 || fraud == rows.len() {
            return Err(EvaluateError::OneSided {
                part,
                fraud,
                legitimate: rows.len() - fraud,
            });
        }
    }
    Ok(Fold {
        name: name.to_owned(),
        split,
    })
}

/// Shares of the calls of the three parts.
fn percents(parts: &Parts) -> [usize; 3] {
    let sizes = [parts.train.len(), parts.calibrate.len(), parts.test.len()];
    let all = sizes.iter().sum::<usize>().max(1);
    sizes.map(|size| (size * 100 + all / 2) / all)
}
