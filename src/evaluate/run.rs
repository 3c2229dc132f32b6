//! From walked calls to a report, step by step.

use super::detect::{Says, as_served, score_folds, train_folds};
use super::exchange::{self, Announcements};
use super::figures::{Measured, difference, measure};
use super::report::{DataReport, PartReport, Reliability, Surprise};
use super::{
    Calls, Column, ColumnReport, Detector, DetectorReport, Draw, EvaluateError, Fold, Parts,
    Report, Shares, Trial, folds, peers,
};
use crate::features::{CATALOGUE, VERSION};
use crate::train::{Learner, Options, Trained};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Deviations from the mean at which the rule of thumb raises an alarm.
const TWO_SIGMA: f64 = 2.0;
/// Just under 1: a count that reaches its limit is critical.
const AT_THE_LIMIT: f64 = 1.0 - 1e-9;
/// What our own detector is called.
const OURS: &str = "tfps";
/// Our novelty score, which alerts and never blocks.
const NOVELTY: &str = "tfps-novelty";
/// The simplest learner of ours, for comparison.
const LOGISTIC: &str = "tfps-logistic";

/// How to evaluate. The same calls and settings give the same report.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the calls come from, in words, for the report.
    pub source: String,
    /// How time is divided.
    pub shares: Shares,
    /// Of another operator's calls: the share of the time that only forms habits.
    pub other_warm_up: f64,
    /// Draws behind each interval.
    pub bootstrap: usize,
    /// Seed of everything drawn.
    pub seed: u64,
    /// How models are trained.
    pub options: Options,
    /// Whether a plain logistic regression is measured beside.
    pub logistic_too: bool,
    /// Folder in which rows are handed out and scores come back, and the command that scores
    /// them; without a command the scores must be there already. `None`: no such detectors.
    pub exchange: Option<(PathBuf, Option<String>)>,
}

/// What an evaluation came to.
#[derive(Debug)]
pub struct Evaluated {
    /// The figures.
    pub report: Report,
    /// The model that knows every family: the one that is published.
    pub trained: Trained,
}

/// Trains a model per fold, lets every detector score, and measures. `tell` is told what is
/// being done.
///
/// # Errors
/// Too few calls of a kind, a model that cannot be trained, a detector of another program that
/// does not deliver.
pub fn evaluate(
    calls: &Calls,
    other: Option<&Calls>,
    settings: &Settings,
    tell: &(dyn Fn(&str) + Sync),
) -> Result<Evaluated, EvaluateError> {
    let parts = Parts::of(calls, settings.shares);
    let folds = folds(calls, &parts)?;
    let other_rows = other.map(|other| other_test(other, settings.other_warm_up));
    let elsewhere = other.zip(other_rows.as_deref());
    tell("training a model per fold");
    let mut trained = train_folds(calls, &folds, &settings.options, tell)?;
    tell("scoring");
    let scored = |name, says, trained: &[Trained]| {
        score_folds(name, says, trained, calls, &folds, elsewhere)
    };
    let served = |name, says| {
        let scored = scored(name, says, &trained);
        scored.map(|detector| as_served(detector, says, &trained))
    };
    let mut detectors = vec![served(OURS, Says::Risk)?];
    if trained.iter().all(|t| t.model.novelty_alarm().is_some()) {
        detectors.push(served(NOVELTY, Says::Novelty)?);
    }
    if settings.logistic_too {
        tell("training a logistic regression per fold");
        let options = Options {
            learner: Learner::Logistic,
            ..settings.options.clone()
        };
        let plain = train_folds(calls, &folds, &options, tell)?;
        detectors.push(scored(LOGISTIC, Says::Risk, &plain)?);
    }
    detectors.extend(own_peers(calls, &folds, elsewhere));
    let mut announced = Announcements::new();
    if let Some((dir, command)) = &settings.exchange {
        if let Some(command) = command {
            tell("handing the rows to other learners");
            exchange::export(dir, calls, &folds, elsewhere, settings.seed)?;
            tell("other learners at work");
            exchange::run(command, dir)?;
        }
        let (others, said) = exchange::import(dir, calls, &folds, elsewhere)?;
        detectors.extend(others);
        announced = said;
    }
    tell("measuring");
    let bench = Bench::new(calls, &folds, elsewhere, settings);
    let detectors = bench.measure(&detectors);
    let known = trained.swap_remove(0);
    let file = known.model.file();
    let report = Report {
        model: known.model.id().to_owned(),
        sha256: known.model.sha256().to_owned(),
        kind: file.kind.as_str().to_owned(),
        data: data_report(calls, &parts, elsewhere, settings),
        bootstrap: settings.bootstrap,
        seed: settings.seed,
        detectors,
        peers: announced,
    };
    Ok(Evaluated {
        report,
        trained: known,
    })
}

/// Rows of another operator that judge: all after the warm-up.
fn other_test(other: &Calls, warm_up: f64) -> Vec<usize> {
    let shares = Shares {
        warm_up,
        train: 0.0,
        calibrate: 0.0,
    };
    Parts::of(other, shares).test
}

/// Limits and deviations, scaled to the same false positives and as published.
fn own_peers(
    calls: &Calls,
    folds: &[Fold],
    elsewhere: Option<(&Calls, &[usize])>,
) -> Vec<Detector> {
    let both = |name: &str, score: fn(&Calls) -> Vec<f64>, published: f64| {
        let all = score(calls);
        let other = elsewhere.map_or(Vec::new(), |(other, rows)| {
            let all = score(other);
            rows.iter().map(|row| all[*row]).collect()
        });
        let scaled = Detector::fixed(name, &all, folds, &other);
        let published = scaled.as_published(published);
        [scaled, published]
    };
    let [limits, sigma] = peers::NAMES;
    let limits = both(limits, peers::limits, AT_THE_LIMIT);
    let sigma = both(sigma, peers::sigma, TWO_SIGMA);
    limits.into_iter().chain(sigma).collect()
}

/// What all detectors are measured on: the same rows, the same draws.
struct Bench<'a> {
    calls: &'a Calls,
    folds: &'a [Fold],
    elsewhere: Option<(&'a Calls, &'a [usize])>,
    /// By fold.
    draws: Vec<Vec<Draw>>,
    other_draws: Vec<Draw>,
}

impl<'a> Bench<'a> {
    fn new(
        calls: &'a Calls,
        folds: &'a [Fold],
        elsewhere: Option<(&'a Calls, &'a [usize])>,
        settings: &Settings,
    ) -> Self {
        let (count, seed) = (settings.bootstrap, settings.seed);
        let draws = |fold: &Fold| Draw::several(calls, &fold.split.hold_out, count, seed);
        Self {
            calls,
            folds,
            elsewhere,
            draws: folds.iter().map(draws).collect(),
            other_draws: elsewhere.map_or(Vec::new(), |(other, rows)| {
                Draw::several(other, rows, count, seed)
            }),
        }
    }

    /// Every detector by every column; the first one is ours.
    fn measure(&self, detectors: &[Detector]) -> Vec<DetectorReport> {
        let mut ours: BTreeMap<Column, Measured> = BTreeMap::new();
        let mut reports = Vec::new();
        for (nth, detector) in detectors.iter().enumerate() {
            let mut columns = BTreeMap::new();
            for column in Column::ALL {
                let Some((mut report, measured)) = self.column(detector, column) else {
                    continue;
                };
                if nth == 0 {
                    ours.insert(column, measured);
                } else if let Some(ours) = ours.get(&column).filter(|_| !detector.as_published) {
                    report.ours_less_this = Some(difference(ours, &measured));
                }
                columns.insert(column, report);
            }
            reports.push(DetectorReport {
                name: detector.name.clone(),
                probabilities: detector.probabilities,
                columns,
            });
        }
        reports
    }

    fn column(&self, detector: &Detector, column: Column) -> Option<(ColumnReport, Measured)> {
        match column {
            Column::AnotherOperator => self.another_operator(detector),
            Column::Known | Column::HeldOut => self.later_weeks(detector, column),
        }
    }

    /// A trial per group of families: of the model that holds it out, or of the one that knows
    /// all. Both are judged by the same rows and averaged alike, so the columns compare.
    fn later_weeks(&self, detector: &Detector, column: Column) -> Option<(ColumnReport, Measured)> {
        let held_out: Vec<usize> = (1..self.folds.len()).collect();
        let by = |fold: usize| if column == Column::Known { 0 } else { fold };
        let judging = match column {
            // Nothing can be held out: all of it at once.
            Column::Known if held_out.is_empty() => vec![0],
            _ => held_out,
        };
        if judging.is_empty() {
            return None;
        }
        let scores: Vec<Vec<f64>> = judging
            .iter()
            .map(|fold| self.scores_of(detector, by(*fold), *fold))
            .collect();
        let trials: Vec<_> = judging
            .iter()
            .zip(&scores)
            .map(|(fold, scores)| {
                let rows = &self.folds[*fold].split.hold_out;
                let thresholds = detector.thresholds(self.calls, self.folds, by(*fold));
                Trial::new(self.calls, rows, scores, thresholds, detector.probabilities)
            })
            .collect();
        let draws: Vec<Vec<Draw>> = judging.iter().map(|f| self.draws[*f].clone()).collect();
        let measured = measure(&trials, &Draw::all(self.calls), &draws);
        let names = judging.iter().map(|fold| self.folds[*fold].name.clone());
        let report = report_of(self.calls, &trials, &measured, names.collect());
        Some((report, measured))
    }

    /// The scores that the model of one fold gives to the rows that judge another. Fold 0 has
    /// all of them.
    fn scores_of(&self, detector: &Detector, model: usize, judging: usize) -> Vec<f64> {
        let scores = &detector.folds[model].test;
        if model == judging {
            return scores.clone();
        }
        let places = &self.folds[model].split.hold_out;
        let rows = self.folds[judging].split.hold_out.iter();
        rows.filter_map(|row| places.binary_search(row).ok())
            .map(|place| scores[place])
            .collect()
    }

    fn another_operator(&self, detector: &Detector) -> Option<(ColumnReport, Measured)> {
        let (other, rows) = self.elsewhere?;
        let scores = &detector.folds[0].other;
        let thresholds = detector.thresholds(self.calls, self.folds, 0);
        let trial = Trial::new(other, rows, scores, thresholds, detector.probabilities);
        let trials = [trial];
        let draws = [self.other_draws.clone()];
        let measured = measure(&trials, &Draw::all(other), &draws);
        let names = vec![self.folds[0].name.clone()];
        let report = report_of(other, &trials, &measured, names);
        Some((report, measured))
    }
}

fn report_of(
    calls: &Calls,
    trials: &[Trial<'_>],
    measured: &Measured,
    folds: Vec<String>,
) -> ColumnReport {
    let by_family = measured.by_family.iter();
    let errors: Vec<_> = trials.iter().filter_map(Trial::reliability).collect();
    let mean = |values: &[f64]| values.iter().sum::<f64>() / wide(values.len());
    let each: Vec<f64> = errors.iter().map(|(_, error)| *error).collect();
    ColumnReport {
        overall: measured.overall.clone(),
        families: by_family
            .map(|(family, figures)| (calls.families[*family].clone(), figures.clone()))
            .collect(),
        surprises: surprises(calls, trials),
        calibration_error: (!each.is_empty()).then(|| mean(&each)),
        reliability: Reliability::pooled(errors.iter().flat_map(|(bins, _)| bins)),
        thresholds: folds
            .into_iter()
            .zip(trials.iter().map(Trial::thresholds))
            .collect(),
        ours_less_this: None,
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts below 2^52")]
fn wide(count: usize) -> f64 {
    count as f64
}

/// Per fold: every fold has the same legitimate calls.
fn surprises(calls: &Calls, trials: &[Trial<'_>]) -> BTreeMap<String, Surprise> {
    let mut by: BTreeMap<String, Surprise> = BTreeMap::new();
    let share = 1.0 / wide(trials.len());
    for trial in trials {
        for (surprise, (count, hit)) in trial.surprises() {
            let line = by.entry(calls.surprises[surprise].clone()).or_default();
            line.calls += wide(count) * share;
            line.hit_one_in_10_000 += wide(hit[0]) * share;
            line.hit_one_in_1_000 += wide(hit[1]) * share;
        }
    }
    by
}

fn part_report(calls: &Calls, rows: &[usize]) -> PartReport {
    let attacks: BTreeSet<usize> = rows.iter().map(|row| calls.campaign(*row)).collect();
    PartReport {
        calls: rows.len(),
        fraud: calls.data.positives(rows),
        attacks: attacks.iter().filter(|campaign| **campaign != 0).count(),
    }
}

fn data_report(
    calls: &Calls,
    parts: &Parts,
    elsewhere: Option<(&Calls, &[usize])>,
    settings: &Settings,
) -> DataReport {
    let time = |at: Option<&crate::domain::Timestamp>| at.copied().unwrap_or_default().to_rfc3339();
    DataReport {
        source: settings.source.clone(),
        from: time(calls.data.at.first()),
        to: time(calls.data.at.last()),
        features_version: VERSION,
        features: CATALOGUE.len(),
        calls: calls.len(),
        honeypot: calls.honeypot,
        unpriced: calls.facts.iter().filter(|fact| fact.price <= 0.0).count(),
        parts: [
            ("train", part_report(calls, &parts.train)),
            ("calibrate", part_report(calls, &parts.calibrate)),
            ("test", part_report(calls, &parts.test)),
        ]
        .into(),
        another_operator: elsewhere.map(|(other, rows)| part_report(other, rows)),
    }
}
