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
    /// In the order of `ranked`: the class of a call, and whose it is: a customer's, or after all of
    /// them a campaign's.
    placed: Vec<(u32, u32)>,
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
    /// By target: customers with refused calls, and how many.
    customers_hit: [Vec<(usize, usize)>; 2],
    attacks: Vec<Attack>,
    /// Customers with legitimate calls, and how many.
    customers: Vec<(usize, usize)>,
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
        let by_customer = |rows: &mut dyn Iterator<Item = usize>| -> Vec<(usize, usize)> {
            let mut counts = BTreeMap::new();
            for row in rows {
                *counts.entry(calls.facts[row].customer).or_default() += 1;
            }
            counts.into_iter().collect()
        };
        let hit: [Vec<usize>; 2] = [refused(0), refused(1)];
        let customers_hit = [0, 1].map(|target: usize| {
            let positions = hit[target].iter();
            by_customer(&mut positions.map(|at| rows[*at]))
        });
        let ranked = Ranked::new(scores);
        let placed = |position: &u32| {
            let row = rows[*position as usize];
            let (class, owner) = match calls.family(row) {
                None => (LEGITIMATE, calls.facts[row].customer),
                Some(family) => (classes[family], calls.customers.len() + calls.campaign(row)),
            };
            // Fewer than there are calls, which fit.
            let narrow = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
            (narrow(class), narrow(owner))
        };
        let legitimate = rows.iter().copied().filter(|row| !calls.data.y[*row]);
        let mut trial = Self {
            calls,
            rows,
            scores,
            placed: ranked.order().iter().map(placed).collect(),
            ranked,
            families,
            classes,
            thresholds,
            errors: probabilities.then(|| Errors::of(calls, rows, scores)),
            hit,
            customers_hit,
            attacks: Vec::new(),
            customers: by_customer(&mut { legitimate }),
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

    /// Measures all fraud, then each family in the order of [`Trial::families`].
    pub(super) fn measure(&self, draw: &Draw) -> Vec<Tally> {
        let weights = [&draw.customers[..], &draw.campaigns[..]].concat();
        let at = |place: usize| {
            let (class, owner) = self.placed[place];
            (class as usize, weights[owner as usize] as usize)
        };
        let swept = self.ranked.sweep_places(self.families.len(), at, &TARGETS);
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
        let times = |customer: usize| draw.customers[customer] as usize;
        let calls = |of: &[(usize, usize)]| -> usize {
            of.iter().map(|(customer, n)| times(*customer) * n).sum()
        };
        let hit = &self.customers_hit[target];
        BlockedTally {
            legitimate: calls(&self.customers),
            hit: calls(hit),
            customers_hit: hit.iter().map(|(customer, _)| times(*customer)).sum(),
            ..BlockedTally::default()
        }
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
        for row in self.rows.iter().filter(|row| !self.calls.data.y[**row]) {
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
