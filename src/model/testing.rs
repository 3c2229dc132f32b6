//! A small model for tests, by hand.

use super::{
    AlarmThresholds, Calibration, FORMAT, Kind, Metrics, Model, ModelFile, Novelty, Term, Training,
    Transform, Tree,
};
use crate::domain::FeatureSpec;

pub(crate) const VERSION: u16 = 7;

pub(crate) const CATALOGUE: &[FeatureSpec] = &[
    spec("calls_1m", "burst-1m"),
    spec("calls_1h", "burst-1m"),
    spec("new_country", "new-country"),
    spec("night", "night"),
];

const fn spec(name: &'static str, tag: &'static str) -> FeatureSpec {
    FeatureSpec {
        name,
        tag,
        words: "for tests",
    }
}

fn term(name: &str, transform: Transform, numbers: [f32; 4]) -> Term {
    let [mean, scale, weight, baseline] = numbers;
    Term {
        name: name.to_owned(),
        transform,
        mean,
        scale,
        clip: 8.0,
        weight,
        baseline,
    }
}

/// Content with ugly decimals and no probes.
pub(crate) fn file(id: &str) -> ModelFile {
    ModelFile {
        format: FORMAT,
        id: id.to_owned(),
        created: "2026-11-23T15:01:00.000Z".to_owned(),
        kind: Kind::Logistic,
        features_version: VERSION,
        features: vec![
            term(
                "calls_1m",
                Transform::SignedLog,
                [0.1, 0.3, 0.700_000_05, -0.2],
            ),
            term(
                "calls_1h",
                Transform::Identity,
                [3.3, 1.0e-6, 0.1, 0.012_345_679],
            ),
            term("new_country", Transform::Identity, [0.01, 0.1, 1.3, -0.1]),
            term("night", Transform::Identity, [0.25, 0.433_012_7, -0.4, 0.0]),
        ],
        intercept: -4.2,
        trees: Vec::new(),
        novelty: None,
        calibration: Calibration::Platt {
            slope: 0.9,
            offset: -0.3,
        },
        thresholds: AlarmThresholds {
            default: 0.8,
            false_positives_0_1_percent: 0.8,
            false_positives_0_01_percent: 0.97,
        },
        training: Training {
            from: "2026-10-01T00:00:00.000Z".to_owned(),
            to: "2026-10-29T00:00:00.000Z".to_owned(),
            hold_out_from: String::new(),
            rows: 1_000,
            positives: 30,
            train_rows: 600,
            train_positives: 18,
            fitted_rows: 300,
            fitted_positives: 18,
            calibrate_rows: 150,
            calibrate_positives: 6,
            hold_out_family: String::new(),
            alpha: 1.0,
            seed: 1,
        },
        metrics: Metrics {
            rows: 250,
            positives: 6,
            average_precision: 0.7,
            roc_auc: 0.98,
            recall_0_1_percent: 0.5,
            recall_0_01_percent: 0.5,
            brier: 0.004,
            recall_at_default: 0.5,
            false_positives_at_default: 0.0,
            campaigns: 2,
            campaigns_found: 1,
            leaked_median: 1.0,
            leaked_p95: 3.0,
        },
        reference: None,
        probes: Vec::new(),
    }
}

/// The same with three trees, a calibration that bends, and an isolation forest.
pub(crate) fn boosted_file(id: &str) -> ModelFile {
    let mut first = Tree::leaf(-0.31);
    let left = first.split(0, 0, 2.5, [-0.7, 0.85]);
    first.split(left, 3, 0.35, [-0.9, -0.123_456_7]);
    first.split(left + 1, 2, 0.5, [0.4, 1.9]);
    let mut second = Tree::leaf(0.05);
    let left = second.split(0, 2, 0.5, [0.2, -0.6]);
    second.split(left, 0, 10.0, [0.1, 1.1]);
    let mut isolation = Tree::leaf(4.0);
    isolation.split(0, 0, 12.0, [4.5, 1.0]);
    ModelFile {
        kind: Kind::Boosted,
        trees: vec![first, second, Tree::leaf(0.01)],
        calibration: Calibration::Piecewise {
            from: vec![-6.0, -2.0, 1.0],
            to: vec![-9.0, -4.0, 2.5],
        },
        novelty: Some(Novelty {
            sample: 256,
            alarm: 0.6,
            trees: vec![isolation, Tree::leaf(3.0)],
        }),
        ..file(id)
    }
}

/// A model of any catalogue for which every call is harmless and as novel as can be: it is
/// alone before anything is asked.
pub(crate) fn all_is_novel(catalogue: &[FeatureSpec], version: u16, alarm: f32) -> Model {
    let terms = catalogue.iter().map(|spec| {
        let numbers = [0.0, 1.0, 0.0, 0.0];
        term(spec.name, Transform::Identity, numbers)
    });
    let file = ModelFile {
        features_version: version,
        features: terms.collect(),
        novelty: Some(Novelty {
            sample: 256,
            alarm,
            trees: vec![Tree::leaf(0.0)],
        }),
        ..file("novel")
    };
    let vectors = vec![vec![0.0; catalogue.len()]; 16];
    Model::with_probes(file, &vectors, catalogue, version).unwrap()
}

pub(crate) fn vectors() -> Vec<Vec<f32>> {
    (0..16u8)
        .map(|i| {
            let i = f32::from(i);
            vec![i * 1.7, 3.3 + i * 1e-6, f32::from(i > 8.0), 0.1 * i]
        })
        .collect()
}

/// A verified model over [`CATALOGUE`]; `weight` of the first feature tells models apart.
pub(crate) fn model(id: &str, weight: f32) -> Model {
    let mut file = file(id);
    file.features[0].weight = weight;
    Model::with_probes(file, &vectors(), CATALOGUE, VERSION).unwrap()
}
