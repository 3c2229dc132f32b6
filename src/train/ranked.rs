//! Scores put in order once, to be measured many times: for each kind of fraud, and under the
//! weights of a bootstrap.
//!
//! Equal scores are one step, so no figure depends on the order in which ties stand. Every
//! figure of merit that goes by order (average precision, ROC area, operating points) is
//! computed here and nowhere else.

use super::metrics::{OperatingPoint, Score, n};
use std::cmp::Ordering;

/// The number of the legitimate calls' class; frauds have classes from 1 on.
pub const LEGITIMATE: usize = 0;

/// Positions of scores, the highest first.
#[derive(Clone, Debug)]
pub struct Ranked {
    /// Positions in the order of the scores.
    order: Vec<u32>,
    /// Where each run of equal scores ends in `order`, and its score.
    steps: Vec<(u32, f64)>,
}

/// What one class of fraud comes to against all the legitimate calls.
#[derive(Clone, Debug, PartialEq)]
pub struct Swept {
    /// Frauds of the class, by weight.
    pub fraud: usize,
    /// Area under the precision-recall steps; `None` without fraud.
    pub average_precision: Option<f64>,
    /// Area under the ROC curve, ties counted half; `None` unless both verdicts are there.
    pub roc_auc: Option<f64>,
    /// One per target; empty unless both verdicts are there.
    pub points: Vec<OperatingPoint>,
}

/// A class while its steps are walked through.
#[derive(Clone, Default)]
struct Tally {
    all: usize,
    here: usize,
    found: usize,
    area: f64,
    wins: f64,
    /// Found when each target was reached.
    at: Vec<usize>,
}

impl Ranked {
    /// Puts scores in order. At most `u32::MAX` of them; more are left out.
    #[must_use]
    pub fn new<S: Score>(scores: &[S]) -> Self {
        let count = u32::try_from(scores.len()).unwrap_or(u32::MAX);
        let wide = |position: u32| scores[position as usize].wide();
        let mut order: Vec<u32> = (0..count).collect();
        order.sort_by(|a, b| wide(*b).total_cmp(&wide(*a)));
        let mut steps: Vec<(u32, f64)> = Vec::new();
        for (end, position) in (1_u32..).zip(&order) {
            let score = wide(*position);
            match steps.last_mut() {
                // By value, so that 0 and -0 are one score.
                Some(step) if step.1.partial_cmp(&score) == Some(Ordering::Equal) => step.0 = end,
                _ => steps.push((end, score)),
            }
        }
        Self { order, steps }
    }

    /// Measures every class of fraud against the legitimate calls, in one walk.
    ///
    /// `class`: of the call at a position, [`LEGITIMATE`] or 1 to `classes`. `weight`: how often
    /// it counts (0: not at all). The first result is of all fraud together, then one per class.
    #[must_use]
    pub fn sweep(
        &self,
        classes: usize,
        class: impl Fn(usize) -> usize,
        weight: impl Fn(usize) -> usize,
        targets: &[f64],
    ) -> Vec<Swept> {
        let at = |place: usize| {
            let position = self.order[place] as usize;
            (class(position), weight(position))
        };
        self.sweep_places(classes, at, targets)
    }

    /// Positions in the order of their scores, the highest first.
    #[must_use]
    pub fn order(&self) -> &[u32] {
        &self.order
    }

    /// The same, class and weight asked for by place in [`Ranked::order`]: one after the other, so
    /// who has them side by side is much quicker.
    #[must_use]
    pub fn sweep_places(
        &self,
        classes: usize,
        at: impl Fn(usize) -> (usize, usize),
        targets: &[f64],
    ) -> Vec<Swept> {
        let mut legitimate = 0;
        let empty = Tally {
            at: vec![0; targets.len()],
            ..Tally::default()
        };
        let mut tallies = vec![empty; classes + 1];
        for place in 0..self.order.len() {
            match at(place) {
                (LEGITIMATE, weight) => legitimate += weight,
                (class, weight) => {
                    tallies[0].all += weight;
                    tallies[class].all += weight;
                }
            }
        }
        let mut marks = Marks::new(targets, legitimate);
        let (mut passed, mut from) = (0, 0);
        for (end, score) in &self.steps {
            let (mut here, mut has_fraud) = (0, false);
            for place in from..*end as usize {
                match at(place) {
                    (LEGITIMATE, weight) => here += weight,
                    (class, weight) => {
                        has_fraud = true;
                        tallies[0].here += weight;
                        tallies[class].here += weight;
                    }
                }
            }
            from = *end as usize;
            marks.stop(passed, here, *score, &mut tallies);
            if has_fraud {
                for tally in &mut tallies {
                    tally.step(passed, here, legitimate);
                }
            }
            passed += here;
        }
        marks.stop_all(passed, &mut tallies);
        let swept = |tally| marks.swept(tally, legitimate);
        tallies.into_iter().map(swept).collect()
    }
}

impl Tally {
    /// Goes past a step with `legitimate` calls, `before` above it, of `all` of them.
    fn step(&mut self, before: usize, legitimate: usize, all: usize) {
        if self.here > 0 {
            let below = n(all - before - legitimate);
            self.wins += n(self.here) * (below + n(legitimate) / 2.0);
            self.found += self.here;
            let flagged = n(self.found + before + legitimate);
            self.area += n(self.here) / n(self.all) * (n(self.found) / flagged);
            self.here = 0;
        }
    }
}

/// Where the false positives of each target are used up.
struct Marks {
    targets: Vec<Mark>,
}

struct Mark {
    target: f64,
    allowed: usize,
    /// Legitimate calls above, and the score that is no longer above.
    stopped: Option<(usize, f64)>,
}

impl Marks {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a count"
    )]
    fn new(targets: &[f64], legitimate: usize) -> Self {
        let mark = |target: &f64| Mark {
            target: *target,
            // 0.001 * 3000 is 3, not 2.9999999999999996: the share of a count is meant.
            allowed: (*target * n(legitimate) + 1e-9).floor() as usize,
            stopped: None,
        };
        Self {
            targets: targets.iter().map(mark).collect(),
        }
    }

    /// Before a step with `here` legitimate calls is passed.
    fn stop(&mut self, passed: usize, here: usize, score: f64, tallies: &mut [Tally]) {
        for (index, mark) in self.targets.iter_mut().enumerate() {
            if mark.stopped.is_none() && passed + here > mark.allowed {
                mark.stopped = Some((passed, score));
                for tally in tallies.iter_mut() {
                    tally.at[index] = tally.found;
                }
            }
        }
    }

    /// After the last step: what was never used up takes everything.
    fn stop_all(&mut self, passed: usize, tallies: &mut [Tally]) {
        for (index, mark) in self.targets.iter_mut().enumerate() {
            if mark.stopped.is_none() {
                mark.stopped = Some((passed, f64::NEG_INFINITY));
                for tally in tallies.iter_mut() {
                    tally.at[index] = tally.found;
                }
            }
        }
    }

    fn swept(&self, tally: Tally, legitimate: usize) -> Swept {
        let both = tally.all > 0 && legitimate > 0;
        let points = self
            .targets
            .iter()
            .zip(&tally.at)
            .filter_map(|(mark, found)| {
                let (false_positives, threshold) = mark.stopped?;
                Some(OperatingPoint {
                    target: mark.target,
                    threshold,
                    false_positives,
                    false_positive_rate: n(false_positives) / n(legitimate),
                    recall: n(*found) / n(tally.all),
                    resolved: mark.allowed > 0,
                })
            });
        let points = if both { points.collect() } else { Vec::new() };
        Swept {
            fraud: tally.all,
            average_precision: (tally.all > 0).then_some(tally.area),
            roc_auc: both.then(|| tally.wins / (n(tally.all) * n(legitimate))),
            points,
        }
    }
}

#[cfg(test)]
#[path = "ranked_tests.rs"]
mod tests;
