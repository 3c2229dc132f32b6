//! Figures of merit over resampled calls: each resample gives every group of calls a weight, how
//! often it was drawn, and one pass over calls in the order of their scores measures it.

use super::Dataset;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use rayon::prelude::*;
use std::collections::HashMap;

/// Figures in the order of [`super::compare`]'s table: recall at 0.1 % and at 0.01 % false
/// positives, average precision, recall and false positives at the model's own threshold, calls
/// leaked per attack.
pub(super) type Measured = [f64; 6];

/// Resamples taken: as many as these passes over calls allow, within the bounds.
const PASSES: usize = 200_000_000;
const MOST: usize = 1_000;
const FEWEST: usize = 200;

/// Calls that are drawn together: the frauds of an attack, the legitimate calls of an account's
/// day.
#[derive(Debug)]
pub(super) struct Groups {
    /// Of each row, in the order of the rows.
    of: Vec<u32>,
    /// The first so many groups are attacks.
    attacks: u32,
    all: u32,
}

impl Groups {
    /// Groups of `rows`. A fraud of no campaign is an attack of its own.
    pub(super) fn of(data: &Dataset, rows: &[usize]) -> Self {
        let mut attacks: HashMap<(usize, usize), u32> = HashMap::new();
        let mut days: HashMap<(usize, i64), u32> = HashMap::new();
        let next = |len: usize| u32::try_from(len).unwrap_or(u32::MAX);
        let mut of: Vec<(bool, u32)> = Vec::with_capacity(rows.len());
        for row in rows {
            let fraud = data.y[*row];
            let group = if fraud {
                let key = match data.campaign.number(*row) {
                    0 => (0, *row),
                    campaign => (campaign, 0),
                };
                let fresh = next(attacks.len());
                *attacks.entry(key).or_insert(fresh)
            } else {
                let day = data.at[*row].secs().div_euclid(86_400);
                let fresh = next(days.len());
                *days
                    .entry((data.account.number(*row), day))
                    .or_insert(fresh)
            };
            of.push((fraud, group));
        }
        let first_day = next(attacks.len());
        let number = |(fraud, group): (bool, u32)| if fraud { group } else { first_day + group };
        Self {
            of: of.into_iter().map(number).collect(),
            attacks: first_day,
            all: first_day + next(days.len()),
        }
    }

    /// How many attacks there are.
    pub(super) fn attacks(&self) -> usize {
        self.attacks as usize
    }
}

/// A model's scores of the calls, in the order in which a threshold passes them.
#[derive(Debug)]
pub(super) struct Ranked {
    /// Calls by falling score: group, and whether the next call has another score.
    order: Vec<(u32, bool)>,
    /// Groups below this are attacks: their calls are frauds, all others are not.
    attacks: u32,
    /// By group: calls, and those above the model's own threshold.
    above: Vec<(u32, u32)>,
    /// Of each attack: calls before its first one above the threshold.
    leaked: Vec<u32>,
}

impl Ranked {
    /// `scores` of `rows`, which stand in order of time.
    pub(super) fn new(
        data: &Dataset,
        rows: &[usize],
        groups: &Groups,
        scores: Vec<f32>,
        threshold: f32,
    ) -> Self {
        let mut above = vec![(0, 0); groups.all as usize];
        let mut leaked = vec![0; groups.attacks()];
        for ((row, group), score) in rows.iter().zip(&groups.of).zip(&scores) {
            let (calls, flagged) = &mut above[*group as usize];
            *calls += 1;
            *flagged += u32::from(*score > threshold);
            if data.y[*row] && *flagged == 0 {
                leaked[*group as usize] += 1;
            }
        }
        let mut by_score: Vec<usize> = (0..rows.len()).collect();
        by_score.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
        let ends = |place: usize| {
            let next = by_score.get(place + 1);
            next.is_none_or(|next| scores[*next] < scores[by_score[place]])
        };
        let order = by_score.iter().enumerate();
        Self {
            order: order
                .map(|(place, call)| (groups.of[*call], ends(place)))
                .collect(),
            attacks: groups.attacks,
            above,
            leaked,
        }
    }

    /// The figures where each group counts as often as `weights` says.
    pub(super) fn measure(&self, weights: &[u32]) -> Measured {
        let (frauds, legitimate) = self.totals(weights);
        let (allowed, allowed_few) = (allowed(legitimate, 1e-3), allowed(legitimate, 1e-4));
        let (mut found, mut flagged) = (0_u64, 0_u64);
        let (mut step_found, mut step_flagged) = (0_u64, 0_u64);
        let (mut recall, mut recall_few, mut area) = (0, 0, 0.0);
        for (group, ends) in &self.order {
            let weight = u64::from(weights[*group as usize]);
            if *group < self.attacks {
                step_found += weight;
            } else {
                step_flagged += weight;
            }
            if !*ends {
                continue;
            }
            found += step_found;
            flagged += step_flagged;
            if step_found > 0 {
                area += w(step_found) / w(frauds) * (w(found) / w(found + flagged));
            }
            if flagged <= allowed {
                recall = found;
            }
            if flagged <= allowed_few {
                recall_few = found;
            }
            (step_found, step_flagged) = (0, 0);
        }
        let (own_recall, own_false) = self.at_own_threshold(weights, frauds, legitimate);
        let share = |found: u64| w(found) / w(frauds.max(1));
        [
            share(recall),
            share(recall_few),
            area,
            own_recall,
            own_false,
            self.leaked_per_attack(weights),
        ]
    }

    fn totals(&self, weights: &[u32]) -> (u64, u64) {
        let calls = |groups: std::ops::Range<usize>| -> u64 {
            groups
                .map(|g| u64::from(weights[g]) * u64::from(self.above[g].0))
                .sum()
        };
        let attacks = self.attacks as usize;
        (calls(0..attacks), calls(attacks..self.above.len()))
    }

    fn at_own_threshold(&self, weights: &[u32], frauds: u64, legitimate: u64) -> (f64, f64) {
        let flagged = |groups: std::ops::Range<usize>| -> u64 {
            groups
                .map(|g| u64::from(weights[g]) * u64::from(self.above[g].1))
                .sum()
        };
        let attacks = self.attacks as usize;
        (
            w(flagged(0..attacks)) / w(frauds.max(1)),
            w(flagged(attacks..self.above.len())) / w(legitimate.max(1)),
        )
    }

    fn leaked_per_attack(&self, weights: &[u32]) -> f64 {
        let attacks = weights.iter().zip(&self.leaked);
        let (mut leaked, mut drawn) = (0, 0);
        for (weight, calls) in attacks {
            leaked += u64::from(*weight) * u64::from(*calls);
            drawn += u64::from(*weight);
        }
        w(leaked) / w(drawn.max(1))
    }
}

/// Legitimate calls that may be flagged; the share of a count is meant, so 0.001 * 3000 is 3.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a count"
)]
fn allowed(legitimate: u64, share: f64) -> u64 {
    (share * w(legitimate) + 1e-9).floor() as u64
}

#[expect(clippy::cast_precision_loss, reason = "counts below 2^52")]
fn w(count: u64) -> f64 {
    count as f64
}

/// How often each group counts, resample by resample.
#[derive(Debug)]
pub(super) struct Draws {
    attacks: u32,
    all: u32,
    count: u32,
    seed: u64,
}

impl Draws {
    /// Over groups of so many rows; more rows, fewer resamples, within bounds.
    pub(super) fn new(groups: &Groups, rows: usize, seed: u64) -> Self {
        let count = (PASSES / (2 * rows.max(1))).clamp(FEWEST, MOST);
        Self {
            attacks: groups.attacks,
            all: groups.all,
            count: u32::try_from(count).unwrap_or(u32::MAX),
            seed,
        }
    }

    /// How many resamples there are.
    pub(super) const fn count(&self) -> u32 {
        self.count
    }

    /// Each group once: the calls as they are.
    pub(super) fn all(&self) -> Vec<u32> {
        vec![1; self.all as usize]
    }

    /// The figures of one model less those of the other, over the same resamples. Attacks and
    /// account-days are drawn apart, each as many as there are, so no resample is without either.
    pub(super) fn differences(&self, new: &Ranked, old: &Ranked) -> Vec<Measured> {
        let each = (0..self.count).into_par_iter().map(|number| {
            let weights = self.draw(number);
            let (new, old) = (new.measure(&weights), old.measure(&weights));
            std::array::from_fn(|at| new[at] - old[at])
        });
        each.collect()
    }

    fn draw(&self, number: u32) -> Vec<u32> {
        let stream = self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ u64::from(number);
        let mut random = Pcg64Mcg::seed_from_u64(stream);
        let mut weights = vec![0; self.all as usize];
        for _ in 0..self.attacks {
            weights[random.random_range(0..self.attacks) as usize] += 1;
        }
        for _ in self.attacks..self.all {
            weights[random.random_range(self.attacks..self.all) as usize] += 1;
        }
        weights
    }
}
