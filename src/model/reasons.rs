//! Why a call scored as it did.
//!
//! Base and contributions add up to the log-odds that were served, so the reasons are exact:
//! - the base is what an average legitimate call of the training gets;
//! - a feature of the linear part contributes its distance from the average legitimate call
//!   times its weight;
//! - on the way through a tree each split contributes the change of the tree's mean over the
//!   legitimate calls that came this way; the changes lead from the root's mean to the leaf
//!   (Saabas 2014, "Interpreting random forests", over legitimate calls);
//! - a calibration that bends stretches all contributions of a call alike, by its mean slope
//!   between the base and the call.

use super::check::MAX_FEATURES;
use super::{Model, ScoreError, Scored};
use crate::domain::{FeatureVector, Reason};

/// Log-odds a tag must add to be called a reason: below it the odds change by under 5 %.
const SMALLEST_REASON: f64 = 0.05;

/// A score with its reasons.
#[derive(Clone, Debug, PartialEq)]
pub struct Explained {
    /// The score.
    pub scored: Scored,
    /// What raised it most, largest first.
    pub reasons: Vec<Reason>,
    /// How unlike the calls of the training it is, 0 to 1; `None`: the model cannot say.
    pub novelty: Option<f32>,
}

/// The whole sum behind a score, by tag.
#[derive(Clone, Debug, PartialEq)]
pub struct Contributions {
    /// Log-odds of the average legitimate call.
    pub base: f64,
    /// What each tag adds to or takes from it, in the catalogue's order.
    pub by_tag: Vec<(&'static str, f64)>,
}

/// Sums by tag, before calibration.
struct Sums {
    total: [f64; MAX_FEATURES],
    /// Of what raised the score: how much because a value was large, less how much because it
    /// was small.
    upward: [f64; MAX_FEATURES],
}

impl Model {
    /// Scores a call and names up to `top` tags that raised the score, largest first.
    /// Features that share a tag are summed. A tag that raised the score by being *smaller*
    /// than for the average legitimate call says so: `low-usual-country`.
    ///
    /// # Errors
    /// As [`Model::score`].
    pub fn explain(&self, vector: &FeatureVector, top: usize) -> Result<Explained, ScoreError> {
        self.check_vector(vector)?;
        let (raw, sums) = self.sums(&vector.values);
        let slope = self.curve.slope_between(self.base(), raw);
        let mut raised: Vec<(usize, f64)> = sums
            .total
            .iter()
            .take(self.tags.len())
            .map(|sum| sum * slope)
            .enumerate()
            .filter(|(_, sum)| *sum >= SMALLEST_REASON)
            .collect();
        raised.sort_by(|a, b| b.1.total_cmp(&a.1));
        raised.truncate(top);
        let reasons = raised.into_iter().map(|(tag, sum)| Reason {
            tag: self.reason_tag(tag, sums.upward[tag]),
            #[expect(clippy::cast_possible_truncation, reason = "log-odds for people")]
            contribution: sum as f32,
        });
        Ok(Explained {
            scored: self.scored(raw),
            reasons: reasons.collect(),
            novelty: self.novelty_of(&vector.values),
        })
    }

    /// Every tag's contribution; with the base they add up to the log-odds.
    ///
    /// # Errors
    /// As [`Model::score`].
    pub fn contributions(&self, vector: &FeatureVector) -> Result<Contributions, ScoreError> {
        self.check_vector(vector)?;
        let base = self.base();
        let (raw, sums) = self.sums(&vector.values);
        let slope = self.curve.slope_between(base, raw);
        Ok(Contributions {
            base: self.curve.at(base),
            by_tag: self
                .tags
                .iter()
                .zip(sums.total)
                .map(|(tag, sum)| (*tag, sum * slope))
                .collect(),
        })
    }

    /// Log-odds of the average legitimate call, before calibration.
    fn base(&self) -> f64 {
        self.at_baseline + self.forest.roots()
    }

    /// The log-odds before calibration, as [`Model::raw`] has them, and what they are made of.
    fn sums(&self, values: &[f32]) -> (f64, Sums) {
        let mut sums = Sums {
            total: [0.0; MAX_FEATURES],
            upward: [0.0; MAX_FEATURES],
        };
        let linear = self.terms.iter().map(|term| {
            let change = term.contribution(values);
            sums.add(self.tag_of[term.feature], change, term.weight > 0.0);
            change
        });
        let linear: f64 = linear.sum();
        let trees = self.forest.walk(values, |step| {
            sums.add(self.tag_of[step.feature], step.change, step.right);
        });
        (self.at_baseline + linear + trees, sums)
    }

    /// The tag as it stands in a reason.
    fn reason_tag(&self, tag: usize, upward: f64) -> String {
        let name = self.tags[tag];
        if upward < 0.0 {
            format!("low-{name}")
        } else {
            name.to_owned()
        }
    }
}

impl Sums {
    /// `large`: where it raises the score it does so because the value is large.
    fn add(&mut self, tag: usize, change: f64, large: bool) {
        self.total[tag] += change;
        if change > 0.0 {
            self.upward[tag] += if large { change } else { -change };
        }
    }
}
