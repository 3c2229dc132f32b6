//! Whether live calls still look like those the model was trained on.
//!
//! The hot path adds calls to histograms over the bins of the model's [`Reference`]: a few
//! relaxed atomic additions, and of more than a thousand between two looks only one in
//! sixteen. A watcher takes the counts out every few seconds, lets older ones fade, and holds
//! them against the reference by the population stability index
//! (Siddiqi 2006, "Credit Risk Scorecards"): `sum((p - r) * ln(p / r))` over the bins; by its rule
//! of thumb up to 0.1 is no change, and above 0.25 is a change to look into.
//!
//! Calls of customers and copies that strangers send are counted apart, and only the former can
//! raise the alarm: whoever floods the free port moves nothing.

use super::reference::{Bins, Reference};
use crate::domain::{FeatureSpec, Timestamp};
use serde::Serialize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use utoipa::ToSchema;

/// Calls between two looks that are all counted.
const ALL_OF: u32 = 1_000;
/// Of further ones, one in so many.
const ONE_IN: u32 = 16;
/// Shares below this count as this: the index is infinite where a share is 0.
const SMALLEST_SHARE: f64 = 1e-4;
/// Calls, live and in the reference, below which an index would be noise.
pub const ENOUGH: f64 = 500.0;
/// An index above this is a change.
pub const CHANGED: f64 = 0.25;
/// An alarm ends when the index is below this again.
const CALM: f64 = 0.2;
/// So many changed features are an alarm, even while the score stays.
pub const FEATURES: usize = 5;
/// The score of the last hour alone is an alarm above this. Higher than [`CHANGED`], as an hour
/// at night is not like a week and need not be.
pub const WILD: f64 = 1.0;
/// And ends below this.
const TAMED: f64 = 0.5;
/// Features that a report names.
const NAMED: usize = 10;
/// Time in which a count fades to 1/e, seconds.
const HOUR: f64 = 3_600.0;
const DAY: f64 = 86_400.0;

/// Whose calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Traffic {
    /// Of those we serve: asked about, or forked by a peer they trust.
    Customers,
    /// Copies that strangers send to the free port.
    Free,
}

/// Calls since the last look, by bin. Written to by the hot path.
#[derive(Debug)]
pub struct Counts {
    model: String,
    reference: Reference,
    /// Where each feature's bins begin in `Tally::bins`; the score's come last.
    offsets: Box<[usize]>,
    customers: Tally,
    free: Tally,
}

#[derive(Debug)]
struct Tally {
    seen: AtomicU32,
    bins: Box<[AtomicU32]>,
}

impl Counts {
    /// Empty, over the bins of a model's reference.
    #[must_use]
    pub fn new(model: &str, reference: &Reference) -> Self {
        let mut total = 0;
        let histograms = reference.features.iter().chain([&reference.score]);
        let offsets = histograms.map(|bins| {
            let begin = total;
            total += bins.shares.len();
            begin
        });
        let offsets = offsets.collect();
        let tally = || Tally {
            seen: AtomicU32::new(0),
            bins: (0..total).map(|_| AtomicU32::new(0)).collect(),
        };
        Self {
            model: model.to_owned(),
            reference: reference.clone(),
            offsets,
            customers: tally(),
            free: tally(),
        }
    }

    /// Counts a call that was scored: what it was scored by, and its score.
    pub fn note(&self, traffic: Traffic, values: &[f32], score: f32) {
        let tally = match traffic {
            Traffic::Customers => &self.customers,
            Traffic::Free => &self.free,
        };
        let seen = tally.seen.fetch_add(1, Relaxed);
        if seen >= ALL_OF && !seen.is_multiple_of(ONE_IN) {
            return;
        }
        let add = |bins: &Bins, offset: usize, x: f32| {
            tally.bins[offset + bins.find(x)].fetch_add(1, Relaxed);
        };
        let Some((score_offset, offsets)) = self.offsets.split_last() else {
            return;
        };
        for ((bins, offset), x) in self.reference.features.iter().zip(offsets).zip(values) {
            add(bins, *offset, *x);
        }
        add(&self.reference.score, *score_offset, score);
    }
}

impl Tally {
    fn take(&self) -> Vec<u32> {
        self.seen.store(0, Relaxed);
        self.bins.iter().map(|bin| bin.swap(0, Relaxed)).collect()
    }
}

/// The memory behind the reports, of one model in force.
#[derive(Debug)]
pub struct Drift {
    counts: Arc<Counts>,
    at: Timestamp,
    customers: [Fading; 2],
    free: [Fading; 2],
    alarm: bool,
}

/// Counts that fade.
#[derive(Debug)]
struct Fading {
    seconds: f64,
    bins: Vec<f64>,
}

/// The alarm began or ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It began.
    Raised,
    /// It ended.
    Ended,
}

impl Drift {
    /// Of a model that has just gone into force; what was counted since is kept.
    #[must_use]
    pub fn new(counts: Arc<Counts>, now: Timestamp) -> Self {
        let bins = counts.customers.bins.len();
        let fading = |seconds| Fading {
            seconds,
            bins: vec![0.0; bins],
        };
        Self {
            counts,
            at: now,
            customers: [fading(HOUR), fading(DAY)],
            free: [fading(HOUR), fading(DAY)],
            alarm: false,
        }
    }

    /// Whether it watches these very counts.
    #[must_use]
    pub fn is_of(&self, counts: &Arc<Counts>) -> bool {
        Arc::ptr_eq(&self.counts, counts)
    }

    /// Takes out what was counted since the last look, and says how it compares.
    pub fn look(
        &mut self,
        catalogue: &[FeatureSpec],
        now: Timestamp,
    ) -> (DriftReport, Option<Turn>) {
        let passed = now.seconds_since(self.at).max(0.0);
        self.at = now;
        let both = [
            (&self.counts.customers, &mut self.customers),
            (&self.counts.free, &mut self.free),
        ];
        for (tally, windows) in both {
            let fresh = tally.take();
            windows.iter_mut().for_each(|w| w.add(&fresh, passed));
        }
        let stream = |[hour, day]: &[Fading; 2]| TrafficDrift {
            hour: self.shift(hour, catalogue),
            day: self.shift(day, catalogue),
        };
        let mut report = DriftReport {
            model: self.counts.model.clone(),
            alarm: false,
            customers: stream(&self.customers),
            free: stream(&self.free),
        };
        let was = self.alarm;
        self.alarm = report.customers.is_alarming(was);
        report.alarm = self.alarm;
        let turn = match (was, self.alarm) {
            (false, true) => Some(Turn::Raised),
            (true, false) => Some(Turn::Ended),
            _ => None,
        };
        (report, turn)
    }

    fn shift(&self, window: &Fading, catalogue: &[FeatureSpec]) -> WindowDrift {
        let reference = &self.counts.reference;
        let live = |at: usize, bins: &Bins| {
            let from = self.counts.offsets[at];
            window.bins[from..from + bins.shares.len()].to_vec()
        };
        let last = reference.features.len();
        let score = live(last, &reference.score);
        let calls: f64 = score.iter().sum();
        let enough = |rows: u64| calls >= ENOUGH && enough_rows(rows);
        let mut features = Vec::new();
        if enough(reference.rows) {
            for (at, (bins, spec)) in reference.features.iter().zip(catalogue).enumerate() {
                let stability = stability(&bins.shares, &live(at, bins));
                features.push(FeatureDrift {
                    feature: spec.name,
                    stability,
                });
            }
            features.sort_by(|a, b| b.stability.total_cmp(&a.stability));
        }
        let above = |limit: f64| features.iter().filter(|f| f.stability > limit).count();
        WindowDrift {
            calls,
            score: enough(reference.score_rows).then(|| stability(&reference.score.shares, &score)),
            changed: above(CHANGED),
            not_calm: above(CALM),
            features: features.into_iter().take(NAMED).collect(),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts below 2^52")]
fn enough_rows(rows: u64) -> bool {
    rows as f64 >= ENOUGH
}

impl Fading {
    fn add(&mut self, fresh: &[u32], passed: f64) {
        let fade = (-passed / self.seconds).exp();
        for (bin, fresh) in self.bins.iter_mut().zip(fresh) {
            *bin = *bin * fade + f64::from(*fresh);
        }
    }
}

/// The population stability index of live counts against shares.
#[must_use]
pub fn stability(shares: &[f32], counts: &[f64]) -> f64 {
    let all: f64 = counts.iter().sum();
    let terms = shares.iter().zip(counts).map(|(share, count)| {
        let reference = f64::from(*share).max(SMALLEST_SHARE);
        let live = (count / all.max(1.0)).max(SMALLEST_SHARE);
        (live - reference) * (live / reference).ln()
    });
    terms.sum()
}

/// How live calls compare with those of the training.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct DriftReport {
    /// Id of the model whose training they are held against.
    #[schema(example = "2026-11-23T1501-logistic-1a2b3c")]
    pub model: String,
    /// Whether customers' calls have changed so much that the score is in doubt.
    pub alarm: bool,
    /// Calls of those we serve.
    pub customers: TrafficDrift,
    /// Copies that strangers send: shown, and never an alarm.
    pub free: TrafficDrift,
}

/// One stream of calls over two windows.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct TrafficDrift {
    /// The last hour, older calls fading.
    pub hour: WindowDrift,
    /// The last day.
    pub day: WindowDrift,
}

/// How far a window's calls are from the reference.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct WindowDrift {
    /// Calls in the window, faded ones as parts.
    pub calls: f64,
    /// Population stability index of the score; absent: too few calls to tell.
    pub score: Option<f64>,
    /// Features whose index is above 0.25.
    #[schema(example = 2)]
    pub changed: usize,
    /// For the end of an alarm.
    #[serde(skip)]
    not_calm: usize,
    /// The most changed features.
    pub features: Vec<FeatureDrift>,
}

/// How far a feature is from the reference.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
pub struct FeatureDrift {
    /// Its name in the catalogue.
    #[schema(example = "country_new_user")]
    pub feature: &'static str,
    /// Population stability index.
    pub stability: f64,
}

impl TrafficDrift {
    /// Whether there is an alarm, given whether there was one: it begins above one bound and
    /// ends below a lower one, so that it is told once.
    fn is_alarming(&self, was: bool) -> bool {
        let (changed, wild) = if was { (CALM, TAMED) } else { (CHANGED, WILD) };
        let features = if was {
            self.day.not_calm
        } else {
            self.day.changed
        };
        let above = |score: Option<f64>, bound: f64| score.is_some_and(|score| score > bound);
        above(self.day.score, changed) || above(self.hour.score, wild) || features >= FEATURES
    }
}

#[cfg(test)]
#[path = "drift_tests.rs"]
mod tests;
