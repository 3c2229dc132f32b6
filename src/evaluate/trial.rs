//! One detector on one fold: the scores it gave, and what they come to under a draw.

use super::{Calls, Draw};
use crate::train::{
    LEGITIMATE, Ranked, ReliabilityBin, Score, Swept, expected_calibration_error, operating_point,
    reliability,
};
use std::collections::BTreeMap;

/// False positives that are allowed, as shares of the legitimate calls: the ones the operator
/// chooses between.
pub const TARGETS: [f64; 2] = [1e-4, 1e-3];

/// Scores of the calls that judge, made ready for measuring.
#[derive(Debug)]
pub struct Trial<'a> {
    calls: &'a Calls,
    rows: &'a [usize],
    scores: &'a [f64],
    ranked: Ranked,
    /// Families that attack here, numbers into `calls.families`.
    families: Vec<usize>,
    /// By family number: its class, from 1.
    classes: Vec<usize>,
    /// By target: above it a call is refused. Chosen on other calls.
    thresholds: [f64; 2],
    /// Sums of squared errors by customer (legitimate) and by campaign (fraud); `None`: the
    /// scores are no probabilities.
    errors: Option<Errors>,
    /// By target: positions of legitimate calls that are refused.
    hit: [Vec<usize>; 2],
    attacks: Vec<Attack>,
    legitimate: Vec<usize>,
}

/// Squared errors of a score as a probability.
#[derive(Debug)]
struct Errors {
    legitimate: Vec<(f64, usize)>,
    fraud: Vec<(f64, usize)>,
}

/// What an attack came to.
#[derive(Clone, Debug, Default)]
struct Attack {
    campaign: usize,
    class: usize,
    volume: bool,
    calls: usize,
    money: f64,
    blocked: [Blocked; 2],
}

/// What of an attack was stopped at one threshold.
#[derive(Clone, Copy, Debug)]
struct Blocked {
    calls: usize,
    money_through: f64,
    /// Calls up to and with the first that was refused; infinite: none was.
    first_call: f64,
    /// Seconds from the first call to the first that was refused.
    first_seconds: f64,
}

impl Default for Blocked {
    fn default() -> Self {
        Self {
            calls: 0,
            money_through: 0.0,
            first_call: f64::INFINITY,
            first_seconds: f64::INFINITY,
        }
    }
}

/// What one class of fraud, or all of it, comes to under a draw. Sums, so that folds add up.
#[derive(Clone, Debug)]
pub(super) struct Tally {
    pub swept: Swept,
    /// Sum of squared errors and calls; `None`: no probabilities.
    pub errors: Option<(f64, usize)>,
    pub blocked: [BlockedTally; 2],
}

/// The same, at one threshold.
#[derive(Clone, Debug, Default)]
pub(super) struct BlockedTally {
    pub fraud: usize,
    pub found: usize,
    pub legitimate: usize,
    pub hit: usize,
    pub customers_hit: usize,
    pub money: f64,
    pub through: f64,
    pub volume_money: f64,
    pub volume_through: f64,
    /// By attack: first call refused, seconds to it, how often it counts.
    pub first: Vec<(f64, f64, usize)>,
}

fn n(count: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts below 2^52")]
    let wide = count as f64;
    wide
}

/// Thresholds for [`TARGETS`] from calls that were not learned from: the lowest with no more
/// than that share of the legitimate calls above them.
pub(super) fn thresholds<S: Score>(scores: &[S], fraud: &[bool]) -> [f64; 2] {
    TARGETS.map(|target| {
        operating_point(scores, fraud, target).map_or(f64::INFINITY, |point| point.threshold)
    })
}

impl<'a> Trial<'a> {
    /// `scores` of `rows`, which are in order of time; `thresholds` are from elsewhere.
    #[must_use]
    pub fn new(
        calls: &'a Calls,
        rows: &'a [usize],
        scores: &'a [f64],
        thresholds: [f64; 2],
        probabilities: bool,
    ) -> Self {
        let mut families: Vec<usize> = rows.iter().filter_map(|row| calls.family(*row)).collect();
        families.sort_unstable();
        families.dedup();
        let mut classes = vec![LEGITIMATE; calls.families.len()];
        for (class, family) in (1..).zip(&families) {
            classes[*family] = class;
        }
        let refused = |target: usize| {
            let positions = 0..rows.len();
            let hit = |at: &usize| !calls.data.y[rows[*at]] && scores[*at] > thresholds[target];
            positions.filter(hit).collect()
        };
        let mut trial = Self {
            calls,
            rows,
            scores,
            ranked: Ranked::new(scores),
            families,
            classes,
            thresholds,
            errors: probabilities.then(|| Errors::of(calls, rows, scores)),
            hit: [refused(0), refused(1)],
            attacks: Vec::new(),
            legitimate: rows
                .iter()
                .copied()
                .filter(|row| !calls.data.y[*row])
                .collect(),
        };
        trial.attacks = trial.attacks();
        trial
    }

    /// Families that attack here, numbers into `calls.families`.
    #[must_use]
    pub fn families(&self) -> &[usize] {
        &self.families
    }

    /// Frauds of a family; `None`: all of them.
    pub(super) fn fraud_of(&self, family: Option<usize>) -> usize {
        let class = family.map(|family| self.classes[family]);
        let of = |attack: &&Attack| class.is_none_or(|class| class == attack.class);
        self.attacks
            .iter()
            .filter(of)
            .map(|attack| attack.calls)
            .sum()
    }

    /// Above these a call is refused, by target.
    #[must_use]
    pub const fn thresholds(&self) -> [f64; 2] {
        self.thresholds
    }

    fn attacks(&self) -> Vec<Attack> {
        let mut attacks: BTreeMap<usize, Attack> = BTreeMap::new();
        let mut begun = BTreeMap::new();
        for (row, score) in self.rows.iter().zip(self.scores) {
            let Some(family) = self.calls.family(*row) else {
                continue;
            };
            let campaign = self.calls.campaign(*row);
            let (at, cost) = (self.calls.data.at[*row], self.calls.facts[*row].cost());
            let first = *begun.entry(campaign).or_insert(at);
            let attack = attacks.entry(campaign).or_insert_with(|| Attack {
                campaign,
                class: self.classes[family],
                volume: self.calls.volume[campaign],
                ..Attack::default()
            });
            attack.calls += 1;
            attack.money += cost;
            for (blocked, threshold) in attack.blocked.iter_mut().zip(self.thresholds) {
                if *score <= threshold {
                    blocked.money_through += cost;
                } else {
                    blocked.calls += 1;
                    if blocked.first_call.is_infinite() {
                        blocked.first_call = n(attack.calls);
                        blocked.first_seconds = at.seconds_since(first);
                    }
                }
            }
        }
        attacks.into_values().collect()
    }

    /// How often the call at a position counts.
    fn weight(&self, position: usize, draw: &Draw) -> usize {
        let row = self.rows[position];
        let weight = match self.calls.campaign(row) {
            0 => draw.customers[self.calls.facts[row].customer],
            campaign => draw.campaigns[campaign],
        };
        weight as usize
    }

    /// Measures all fraud, then each family in the order of [`Trial::families`].
    pub(super) fn measure(&self, draw: &Draw) -> Vec<Tally> {
        let class = |position: usize| match self.calls.family(self.rows[position]) {
            None => LEGITIMATE,
            Some(family) => self.classes[family],
        };
        let weight = |position| self.weight(position, draw);
        let swept = self
            .ranked
            .sweep(self.families.len(), class, weight, &TARGETS);
        let both = [0, 1].map(|target| self.legitimate_hit(target, draw));
        let tally = |(class, swept)| Tally {
            swept,
            errors: self
                .errors
                .as_ref()
                .filter(|_| class == 0)
                .map(|e| e.sum(draw)),
            blocked: [0, 1].map(|target| self.blocked(class, target, draw, &both[target])),
        };
        swept.into_iter().enumerate().map(tally).collect()
    }

    /// Legitimate calls refused, and whose.
    fn legitimate_hit(&self, target: usize, draw: &Draw) -> BlockedTally {
        let count = |row: usize| draw.customers[self.calls.facts[row].customer] as usize;
        let mut customers = BTreeMap::new();
        let mut tally = BlockedTally {
            legitimate: self.legitimate.iter().map(|row| count(*row)).sum(),
            ..BlockedTally::default()
        };
        for position in &self.hit[target] {
            let row = self.rows[*position];
            tally.hit += count(row);
            customers.insert(self.calls.facts[row].customer, count(row));
        }
        tally.customers_hit = customers.values().sum();
        tally
    }

    fn blocked(
        &self,
        class: usize,
        target: usize,
        draw: &Draw,
        hit: &BlockedTally,
    ) -> BlockedTally {
        let mut tally = hit.clone();
        for attack in &self.attacks {
            let times = draw.campaigns[attack.campaign] as usize;
            if times == 0 || (class != 0 && class != attack.class) {
                continue;
            }
            let blocked = attack.blocked[target];
            tally.fraud += times * attack.calls;
            tally.found += times * blocked.calls;
            tally.money += n(times) * attack.money;
            tally.through += n(times) * blocked.money_through;
            if attack.volume {
                tally.volume_money += n(times) * attack.money;
                tally.volume_through += n(times) * blocked.money_through;
            }
            let first = (blocked.first_call, blocked.first_seconds, times);
            tally.first.push(first);
        }
        tally
    }

    /// Predicted against observed; `None`: the scores are no probabilities.
    pub(super) fn reliability(&self) -> Option<(Vec<ReliabilityBin>, f64)> {
        self.errors.as_ref()?;
        let fraud: Vec<bool> = self
            .rows
            .iter()
            .map(|row| self.calls.data.y[*row])
            .collect();
        let bins = reliability(self.scores, &fraud);
        let error = expected_calibration_error(&bins);
        Some((bins, error))
    }

    /// Legitimate calls of each surprise (0: everyday life), and how many were refused at each
    /// target.
    pub(super) fn surprises(&self) -> BTreeMap<usize, (usize, [usize; 2])> {
        let mut by: BTreeMap<usize, (usize, [usize; 2])> = BTreeMap::new();
        for row in &self.legitimate {
            by.entry(self.calls.facts[*row].surprise).or_default().0 += 1;
        }
        for (target, hit) in self.hit.iter().enumerate() {
            for position in hit {
                let surprise = self.calls.facts[self.rows[*position]].surprise;
                by.entry(surprise).or_default().1[target] += 1;
            }
        }
        by
    }
}

impl Errors {
    fn of(calls: &Calls, rows: &[usize], scores: &[f64]) -> Self {
        let mut errors = Self {
            legitimate: vec![(0.0, 0); calls.customers.len()],
            fraud: vec![(0.0, 0); calls.data.campaign.count()],
        };
        for (row, score) in rows.iter().zip(scores) {
            let fraud = calls.data.y[*row];
            let sum = if fraud {
                &mut errors.fraud[calls.campaign(*row)]
            } else {
                &mut errors.legitimate[calls.facts[*row].customer]
            };
            sum.0 += (score - f64::from(u8::from(fraud))).powi(2);
            sum.1 += 1;
        }
        errors
    }

    fn sum(&self, draw: &Draw) -> (f64, usize) {
        let legitimate = self.legitimate.iter().zip(&draw.customers);
        let fraud = self.fraud.iter().zip(&draw.campaigns);
        let mut all = (0.0, 0);
        for ((error, calls), times) in legitimate.chain(fraud) {
            all.0 += error * f64::from(*times);
            all.1 += calls * *times as usize;
        }
        all
    }
}
