//! The scores a detector gives, by fold.

use super::trial::thresholds;
use super::{Calls, EvaluateError, Fold};
use crate::domain::{FeatureVector, Timestamp};
use crate::features::{CATALOGUE, VERSION};
use crate::model::Model;
use crate::train::{Dataset, Learner, Options, TrainError, Trained, train_on};
use rayon::prelude::*;

/// Rows scored by one thread at a time.
const CHUNK: usize = 8_192;

/// Something that scores calls, and the scores it gave.
#[derive(Clone, Debug)]
pub struct Detector {
    /// Short stable name.
    pub name: String,
    /// Whether its scores are meant as probabilities of fraud.
    pub probabilities: bool,
    /// Thresholds it brings along, by fold: those of its model's file, or those its authors
    /// publish; none: they are chosen on the calibration part.
    pub brings: Option<Vec<[f64; 2]>>,
    /// Whether its scores are another detector's, judged by what its authors publish.
    pub as_published: bool,
    /// In the order of the folds.
    pub folds: Vec<FoldScores>,
}

/// Scores of one fold; higher is more suspicious.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FoldScores {
    /// Of the rows that calibrate.
    pub calibrate: Vec<f64>,
    /// Of the rows that judge.
    pub test: Vec<f64>,
    /// Of another operator's calls that judge; empty where a group is held out.
    pub other: Vec<f64>,
}

impl Detector {
    /// The thresholds of a fold: those it brings along, or from its calibration part.
    #[must_use]
    pub fn thresholds(&self, calls: &Calls, folds: &[Fold], fold: usize) -> [f64; 2] {
        if let Some(thresholds) = self.brings.as_ref().and_then(|each| each.get(fold)) {
            return *thresholds;
        }
        let rows = &folds[fold].split.calibrate;
        let fraud: Vec<bool> = rows.iter().map(|row| calls.data.y[*row]).collect();
        thresholds(&self.folds[fold].calibrate, &fraud)
    }

    /// One that learns nothing: a score for every call, whatever the fold.
    #[must_use]
    pub fn fixed(name: &str, all: &[f64], folds: &[Fold], other: &[f64]) -> Self {
        let of = |fold: &Fold| FoldScores {
            calibrate: pick(all, &fold.split.calibrate),
            test: pick(all, &fold.split.hold_out),
            other: if fold.holds_out() {
                Vec::new()
            } else {
                other.to_owned()
            },
        };
        Self {
            name: name.to_owned(),
            probabilities: false,
            brings: None,
            as_published: false,
            folds: folds.iter().map(of).collect(),
        }
    }

    /// The same scores, judged by a threshold of their own.
    #[must_use]
    pub fn as_published(&self, threshold: f64) -> Self {
        Self {
            name: format!("{}-as-published", self.name),
            brings: Some(vec![[threshold; 2]; self.folds.len()]),
            as_published: true,
            ..self.clone()
        }
    }
}

fn pick(all: &[f64], rows: &[usize]) -> Vec<f64> {
    rows.iter().map(|row| all[*row]).collect()
}

/// Learners of ours, each with the options that choose it; `created` is written into models.
pub(super) fn learners(created: Timestamp) -> Vec<(&'static str, Options)> {
    let of = |learner: Learner| Options {
        learner,
        ..Options::new(created)
    };
    let each = Learner::ALL.into_iter().filter(|l| *l != Learner::Auto);
    each.map(|learner| (learner.as_str(), of(learner)))
        .collect()
}

/// A model per fold. `options`: of all; the held-out group is written into the model. `tell` is
/// told of each that is done.
///
/// # Errors
/// A fold whose model cannot be trained.
pub(super) fn train_folds(
    calls: &Calls,
    folds: &[Fold],
    options: &Options,
    tell: &(dyn Fn(&str) + Sync),
) -> Result<Vec<Trained>, EvaluateError> {
    let train = |fold: &Fold| {
        let options = Options {
            hold_out_family: fold.holds_out().then(|| fold.name.clone()),
            ..options.clone()
        };
        train_on(
            &calls.data,
            fold.split.clone(),
            CATALOGUE,
            VERSION,
            &options,
        )
        .map_err(|source| EvaluateError::Train {
            fold: fold.name.clone(),
            source,
        })
    };
    let told = |fold: &Fold| {
        let trained = train(fold)?;
        tell(&format!("fold {}: trained", fold.name));
        Ok(trained)
    };
    folds.par_iter().map(told).collect()
}

/// What of a model is a detector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Says {
    /// The probability of fraud, as served.
    Risk,
    /// How unlike the calls of the training a call is.
    Novelty,
}

impl Says {
    fn of(self, model: &Model, vector: &FeatureVector) -> Option<f64> {
        match self {
            Self::Risk => model
                .score(vector)
                .ok()
                .map(|scored| f64::from(scored.score)),
            Self::Novelty => model.novelty(vector).ok().flatten().map(f64::from),
        }
    }

    /// The thresholds in the model's file, which are what the service acts by: the strict one is
    /// the default of R15. The novelty has one alarm only.
    fn served(self, model: &Model) -> [f64; 2] {
        let file = &model.file().thresholds;
        match self {
            Self::Risk => [file.default, file.false_positives_0_1_percent].map(f64::from),
            Self::Novelty => [f64::from(model.novelty_alarm().unwrap_or(1.0)); 2],
        }
    }
}

/// The model's scores of every fold. `other`: rows of another operator's calls.
pub(super) fn score_folds(
    name: &str,
    says: Says,
    trained: &[Trained],
    calls: &Calls,
    folds: &[Fold],
    other: Option<(&Calls, &[usize])>,
) -> Result<Detector, EvaluateError> {
    let each = folds.iter().zip(trained).map(|(fold, trained)| {
        let score =
            |data: &Dataset, rows: &[usize]| score((&trained.model, says), data, rows, &fold.name);
        Ok(FoldScores {
            calibrate: score(&calls.data, &fold.split.calibrate)?,
            test: score(&calls.data, &fold.split.hold_out)?,
            other: match other {
                Some((other, rows)) if !fold.holds_out() => score(&other.data, rows)?,
                _ => Vec::new(),
            },
        })
    });
    Ok(Detector {
        name: name.to_owned(),
        probabilities: says == Says::Risk,
        brings: None,
        as_published: false,
        folds: each.collect::<Result<_, EvaluateError>>()?,
    })
}

/// The same scores, judged by the thresholds in the models' files.
pub(super) fn as_served(detector: Detector, says: Says, trained: &[Trained]) -> Detector {
    let each = trained.iter().map(|trained| says.served(&trained.model));
    Detector {
        brings: Some(each.collect()),
        ..detector
    }
}

fn score(
    (model, says): (&Model, Says),
    data: &Dataset,
    rows: &[usize],
    fold: &str,
) -> Result<Vec<f64>, EvaluateError> {
    let chunks = rows.par_chunks(CHUNK).map(|rows| {
        let mut vector = FeatureVector::default();
        let score = |row: &usize| {
            data.fill(*row, &mut vector);
            says.of(model, &vector).ok_or_else(|| EvaluateError::Train {
                fold: fold.to_owned(),
                source: TrainError::FeatureCount {
                    row: *row,
                    found: vector.values.len(),
                    wanted: CATALOGUE.len(),
                    version: VERSION,
                },
            })
        };
        rows.iter().map(score).collect::<Result<Vec<f64>, _>>()
    });
    Ok(chunks.collect::<Result<Vec<_>, _>>()?.concat())
}
