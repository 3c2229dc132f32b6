//! Which learner, and its fit on the training part.
//!
//! A regularised logistic regression is the safe learner and all there is to have from few
//! labels. With more of them trees on top of it win: they know combinations, and the logistic
//! carries what is simple into regions no training call lies in. Whether they are worth it is
//! decided by the later part of the training part, campaigns whole. Trees alone, beginning from
//! the base rate, do as well on the kinds of fraud they know; of others some are found better by the
//! one and some by the other, which no later part of the training shows. So both are grown and their
//! log-odds averaged: still one sum, of which each part is told.

use super::boost::{Params, Table, boost, set_means, values};
use super::calibrate::platt;
use super::fit::{self, Fitted};
use super::metrics::cross_entropy;
use super::{Dataset, Options, TrainError, sample, split};
use crate::model::{Forest, Kind, Tree};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Frauds of the training part below which no trees are grown: they would learn them by heart.
const FEWEST_FOR_TREES: usize = 100;
/// Frauds it takes on either side of the validation to choose by.
const FEWEST_TO_CHOOSE: usize = 20;
/// Rounds where there is nothing to validate by.
const ROUNDS_UNSEEN: usize = 40;
/// Legitimate calls that trees see for each the logistic sees: they are cheap to bin, and one
/// false alarm in 10,000 cannot be learned from a few thousand.
const MORE_FOR_TREES: usize = 5;
/// Share of the simpler learner's loss that a further one must save.
const WORTHWHILE: f64 = 0.02;

/// Calls the logistic sees, about: a hundred weights are known well enough from them.
const ENOUGH_FOR_LOGISTIC: usize = 80_000;

/// What is fitted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Learner {
    /// Logistic or blended, whichever does better on the later part of the training part; the
    /// logistic where labels are few.
    #[default]
    Auto,
    /// Logistic regression over standardised features.
    Logistic,
    /// Boosted trees from the base rate.
    Boosted,
    /// Boosted trees on top of the logistic regression.
    Combined,
    /// The mean of the two, which err on different calls.
    Blended,
}

impl Learner {
    /// All, in the order of the help text.
    pub const ALL: [Self; 5] = [
        Self::Auto,
        Self::Logistic,
        Self::Boosted,
        Self::Combined,
        Self::Blended,
    ];

    /// As on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Logistic => "logistic",
            Self::Boosted => "boosted",
            Self::Combined => "combined",
            Self::Blended => "blended",
        }
    }
}

impl fmt::Display for Learner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// No such learner.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no learner `{0}`: must be auto, logistic, boosted, combined or blended")]
pub struct UnknownLearner(String);

impl FromStr for Learner {
    type Err = UnknownLearner;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|l| l.as_str() == text);
        found.ok_or_else(|| UnknownLearner(text.to_owned()))
    }
}

/// What came of the training part.
#[derive(Clone, Debug)]
pub(super) struct Learned {
    /// The linear part; its weights are 0 where there is none.
    pub fitted: Fitted,
    pub trees: Vec<Tree>,
    /// Rounds of boosting; of blended ones those of both.
    rounds: [usize; 2],
    /// Calls the fit saw, and the frauds among them.
    pub seen: (usize, usize),
}

impl Learned {
    pub(super) fn kind(&self) -> Kind {
        if self.trees.is_empty() {
            Kind::Logistic
        } else {
            Kind::Boosted
        }
    }

    /// Log-odds of each row before calibration.
    pub(super) fn log_odds(&self, data: &Dataset, rows: &[usize]) -> Vec<f64> {
        let forest = Forest::new(&self.trees);
        let each = rows.par_iter().map(|row| {
            let values = values(data, *row);
            self.fitted.log_odds(&values) + forest.sum(&values)
        });
        each.collect()
    }
}

/// Fits what the options ask for on the training part. `rising`: by feature, whether the trees may
/// only rise along it. Calls at honeypots among its rows are shown to the fit, and decide nothing
/// else.
pub(super) fn learn(
    data: &Dataset,
    train: &[usize],
    rising: &[bool],
    options: &Options,
) -> Result<Learned, TrainError> {
    let trial = Trial {
        data,
        rising,
        options,
    };
    let judged = |row: &usize| !data.is_honeypot(*row);
    let frauds = train
        .iter()
        .filter(|row| judged(row) && data.y[**row])
        .count();
    let learner = match options.learner {
        Learner::Auto if frauds < FEWEST_FOR_TREES => Learner::Logistic,
        learner => learner,
    };
    let mut learned = match learner {
        Learner::Logistic => trial.logistic(train)?,
        learner => trial.trees(train, learner)?,
    };
    let legitimate: Vec<usize> = train.iter().copied().filter(|row| !data.y[*row]).collect();
    let some = super::evenly(&legitimate, super::ENOUGH_FOR_MEANS);
    set_means(&mut learned.trees, data, &some);
    Ok(learned)
}

impl Learned {
    /// Whose log-odds are the mean of both.
    fn mean(mut self, mut other: Self) -> Self {
        let half = |trees: &mut [Tree]| {
            let values = trees.iter_mut().flat_map(|tree| tree.value.iter_mut());
            values.for_each(|value| *value /= 2.0);
        };
        half(&mut self.trees);
        half(&mut other.trees);
        let (own, its) = (&mut self.fitted.logistic, &other.fitted.logistic);
        for (weight, its) in own.weights.iter_mut().zip(&its.weights) {
            *weight = f64::midpoint(*weight, *its);
        }
        own.intercept = f64::midpoint(own.intercept, its.intercept);
        self.trees.append(&mut other.trees);
        self.rounds = [self.rounds[0], other.rounds[0]];
        self
    }
}

struct Trial<'a> {
    data: &'a Dataset,
    rising: &'a [bool],
    options: &'a Options,
}

impl Trial<'_> {
    fn logistic(&self, rows: &[usize]) -> Result<Learned, TrainError> {
        let frauds = self.data.positives(rows).max(1);
        let per_fraud =
            (ENOUGH_FOR_LOGISTIC / frauds).clamp(1, self.options.negatives_per_positive);
        let drawn = sample::draw(self.data, rows, per_fraud, self.options);
        Ok(Learned {
            fitted: fit::fit(self.data, &drawn)?,
            trees: Vec::new(),
            rounds: [0; 2],
            seen: (drawn.rows.len(), self.data.positives(&drawn.rows)),
        })
    }

    /// Tries on the earlier calls, chooses by the later ones, fits on all.
    fn trees(&self, train: &[usize], learner: Learner) -> Result<Learned, TrainError> {
        let (honeypot, judged): (Vec<usize>, Vec<usize>) =
            train.iter().partition(|row| self.data.is_honeypot(**row));
        let (earlier, later) = split::validation(self.data, &judged);
        let rows = |at: Vec<usize>| at.into_iter().map(|i| judged[i]).collect::<Vec<_>>();
        let (mut earlier, later) = (rows(earlier), rows(later));
        let few = |rows: &[usize]| {
            let fraud = self.data.positives(rows);
            fraud.min(rows.len() - fraud) < FEWEST_TO_CHOOSE
        };
        if few(&earlier) || few(&later) {
            let linear = self.logistic(train)?;
            return Ok(match learner {
                Learner::Auto => linear,
                learner => self.grown(train, linear, learner, Until::Rounds([ROUNDS_UNSEEN; 2])),
            });
        }
        let begin = self.data.at[later[0]];
        earlier.extend(honeypot.iter().filter(|row| self.data.at[**row] < begin));
        let later = self.draw_for_trees(&later).rows;
        let verdicts: Vec<bool> = later.iter().map(|row| self.data.y[*row]).collect();
        let linear = self.logistic(&earlier)?;
        let mut best: Option<(f64, Learner, [usize; 2])> = None;
        for learner in candidates(learner) {
            let tried = match learner {
                Learner::Logistic => linear.clone(),
                learner => self.grown(&earlier, linear.clone(), *learner, Until::Worse(&later)),
            };
            let scores = tried.log_odds(self.data, &later);
            let loss = refined_loss(&scores, &verdicts);
            if best.is_none_or(|(least, ..)| loss < least * (1.0 - WORTHWHILE)) {
                best = Some((loss, *learner, tried.rounds));
            }
        }
        let linear = self.logistic(train)?;
        Ok(match best {
            Some((_, learner, rounds)) if rounds != [0; 2] => {
                self.grown(train, linear, learner, Until::Rounds(rounds))
            }
            _ => linear,
        })
    }

    /// Trees, and what they begin from.
    fn grown(
        &self,
        rows: &[usize],
        linear: Learned,
        learner: Learner,
        until: Until<'_>,
    ) -> Learned {
        let params = |member: u64| Params {
            rising: self.rising.to_vec(),
            ..Params::new(self.options.seed.wrapping_add(member))
        };
        if learner != Learner::Blended {
            return self.boosted(rows, linear, learner, until, params(0));
        }
        // The mean of two forests is as steady as the mean of two trees in each round.
        let params = |member| Params {
            trees_per_round: 1,
            ..params(member)
        };
        let other = until.of_second();
        let base = linear.clone();
        let (combined, alone) = rayon::join(
            || self.boosted(rows, linear, Learner::Combined, until, params(0)),
            || self.boosted(rows, base, Learner::Boosted, other, params(1)),
        );
        combined.mean(alone)
    }

    fn boosted(
        &self,
        rows: &[usize],
        mut base: Learned,
        learner: Learner,
        until: Until<'_>,
        mut params: Params,
    ) -> Learned {
        let drawn = self.draw_for_trees(rows);
        if learner != Learner::Combined {
            base.fitted.logistic.weights.fill(0.0);
            base.fitted.logistic.intercept = drawn.odds(self.data) + drawn.intercept_shift;
        }
        let start = |rows: &[usize]| -> Vec<f64> {
            let each = base.log_odds(self.data, rows).into_iter();
            each.map(|z| z - drawn.intercept_shift).collect()
        };
        let table = Table::new(self.data, &drawn.rows, start(&drawn.rows));
        let later = match until {
            Until::Rounds([rounds, _]) => {
                params.rounds = rounds;
                None
            }
            Until::Worse(rows) => Some(Table::new(self.data, rows, start(rows))),
        };
        let trees = boost(&table, later.as_ref(), &params);
        Learned {
            rounds: [trees.len() / params.trees_per_round, 0],
            trees,
            seen: (drawn.rows.len(), self.data.positives(&drawn.rows)),
            ..base
        }
    }

    fn draw_for_trees(&self, rows: &[usize]) -> sample::Sample {
        let per_fraud = self.options.negatives_per_positive * MORE_FOR_TREES;
        sample::draw(self.data, rows, per_fraud, self.options)
    }
}

/// Mean cross-entropy once scale and offset are mended, as the calibration will: what is left
/// is how well calls are told apart. Unlike average precision it still tells two learners
/// apart that both put every fraud first.
fn refined_loss(log_odds: &[f64], fraud: &[bool]) -> f64 {
    let (slope, offset) = platt(log_odds, fraud);
    let mended: Vec<f64> = log_odds.iter().map(|z| slope * z + offset).collect();
    cross_entropy(&mended, fraud)
}

/// When boosting ends.
#[derive(Clone, Copy)]
enum Until<'a> {
    /// After so many rounds; of blended ones each after its own.
    Rounds([usize; 2]),
    /// When these later calls are predicted no better.
    Worse(&'a [usize]),
}

impl Until<'_> {
    /// When the second of two ends.
    const fn of_second(self) -> Self {
        match self {
            Self::Rounds([_, second]) => Self::Rounds([second, 0]),
            worse @ Self::Worse(_) => worse,
        }
    }
}

/// What is tried, the simplest first.
const fn candidates(learner: Learner) -> &'static [Learner] {
    match learner {
        Learner::Auto => &[Learner::Logistic, Learner::Blended],
        Learner::Logistic => &[Learner::Logistic],
        Learner::Boosted => &[Learner::Boosted],
        Learner::Combined => &[Learner::Combined],
        Learner::Blended => &[Learner::Blended],
    }
}

#[cfg(test)]
#[path = "learn_tests.rs"]
mod tests;
