//! The score and its reasons once more, from the file's JSON alone.
//!
//! Nothing of the scorer is used here: numbers are read out of the JSON, trees are walked by
//! recursion, formulas stand as they are in the file's description.

use super::testing::{CATALOGUE, VERSION, boosted_file, file, vectors};
use super::{Model, ModelFile};
use crate::domain::FeatureVector;
use serde_json::Value;
use std::collections::BTreeMap;

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

/// The JSON has shortest decimals of `f32`: what is compared with an `f32` must be read as one.
fn single(value: &Value) -> f32 {
    value.to_string().parse().unwrap()
}

fn weighed(term: &Value, z: f64) -> f64 {
    f64::from(single(&term["weight"])) * z
}

fn standardised(term: &Value, x: f32) -> f64 {
    let x = f64::from(x);
    let transformed = match term["transform"].as_str().unwrap() {
        "identity" => x,
        "signed-log" if x < 0.0 => -(1.0 - x).ln(),
        "signed-log" => (1.0 + x).ln(),
        other => panic!("{other}"),
    };
    let z = (transformed - f64::from(single(&term["mean"]))) / f64::from(single(&term["scale"]));
    let clip = f64::from(single(&term["clip"]));
    if z > clip {
        clip
    } else if z < -clip {
        -clip
    } else {
        z
    }
}

/// Value of the leaf; what each feature changed on the way goes into `changes`.
fn leaf(tree: &Value, node: usize, values: &[f32], changes: &mut [f64]) -> f64 {
    let here = f64::from(single(&tree["value"][node]));
    let left = tree["left"][node].as_u64().unwrap();
    if left == 0 {
        return here;
    }
    let feature = usize::try_from(tree["feature"][node].as_u64().unwrap()).unwrap();
    let below = values[feature] < single(&tree["threshold"][node]);
    let child = usize::try_from(left).unwrap() + usize::from(!below);
    changes[feature] += f64::from(single(&tree["value"][child])) - here;
    leaf(tree, child, values, changes)
}

fn calibrated(calibration: &Value, z: f64) -> f64 {
    if calibration["method"] == "platt" {
        return f64::from(single(&calibration["slope"])) * z
            + f64::from(single(&calibration["offset"]));
    }
    let knots = |name: &str| -> Vec<f64> {
        let list = calibration[name].as_array().unwrap();
        list.iter().map(|x| f64::from(single(x))).collect()
    };
    let (from, to) = (knots("from"), knots("to"));
    // The last piece whose knot is at or below, the first one before all.
    let pieces = from.iter().take(from.len() - 1);
    let piece = pieces.skip(1).filter(|knot| **knot <= z).count();
    let share = (z - from[piece]) / (from[piece + 1] - from[piece]);
    to[piece] + share * (to[piece + 1] - to[piece])
}

struct Naive {
    score: f64,
    base: f64,
    log_odds: f64,
    by_tag: BTreeMap<&'static str, f64>,
    novelty: Option<f64>,
}

fn naive(model: &Value, values: &[f32]) -> Naive {
    let mut changes = vec![0.0; CATALOGUE.len()];
    let (mut base, mut total) = (f64::from(single(&model["intercept"])), 0.0);
    total += base;
    for (i, term) in model["features"].as_array().unwrap().iter().enumerate() {
        let baseline = f64::from(single(&term["baseline"]));
        let z = standardised(term, values[i]);
        base += weighed(term, baseline);
        total += weighed(term, z);
        changes[i] += weighed(term, z) - weighed(term, baseline);
    }
    for tree in model["trees"].as_array().unwrap_or(&Vec::new()) {
        base += f64::from(single(&tree["value"][0]));
        total += leaf(tree, 0, values, &mut changes);
    }
    let (from, to) = (
        calibrated(&model["calibration"], base),
        calibrated(&model["calibration"], total),
    );
    let mut by_tag = BTreeMap::new();
    for (spec, change) in CATALOGUE.iter().zip(&changes) {
        let stretched = if total == base {
            0.0
        } else {
            change * (to - from) / (total - base)
        };
        *by_tag.entry(spec.tag).or_insert(0.0) += stretched;
    }
    let novelty = model.get("novelty").map(|novelty| {
        let sample = number(&novelty["sample"]);
        let usual =
            2.0 * ((sample - 1.0).ln() + 0.577_215_664_901_532_9) - 2.0 * (sample - 1.0) / sample;
        let trees = novelty["trees"].as_array().unwrap();
        let walk = |tree| leaf(tree, 0, values, &mut [0.0; 4]);
        let count = f64::from(u32::try_from(trees.len()).unwrap());
        2.0_f64.powf(-trees.iter().map(walk).sum::<f64>() / count / usual)
    });
    Naive {
        score: 1.0 / (1.0 + (-to).exp()),
        base: from,
        log_odds: to,
        by_tag,
        novelty,
    }
}

/// Corners, thresholds to the bit, and a lattice in between.
fn many() -> Vec<Vec<f32>> {
    let mut all = vectors();
    let just_below = |x: f32| f32::from_bits(x.to_bits() - 1);
    for first in [
        -3.0,
        0.0,
        just_below(2.5),
        2.5,
        9.9,
        10.0,
        just_below(12.0),
        12.0,
        1e6,
    ] {
        for flag in [0.0, just_below(0.5), 0.5, 1.0] {
            for night in [-1.0, just_below(0.35), 0.35, 1.0] {
                all.push(vec![first, 3.3 + flag * 1e-6, flag, night]);
            }
        }
    }
    all
}

fn agrees(content: ModelFile) {
    let model = Model::with_probes(content, &vectors(), CATALOGUE, VERSION).unwrap();
    let (bytes, _) = model.file().to_bytes().unwrap();
    let json: Value = serde_json::from_slice(&bytes).unwrap();
    for values in many() {
        let wanted = naive(&json, &values);
        let vector = FeatureVector {
            version: VERSION,
            values: values.clone(),
        };
        let scored = model.score(&vector).unwrap();
        assert!(
            (scored.log_odds - wanted.log_odds).abs() < 1e-9,
            "{values:?}"
        );
        assert!(
            (f64::from(scored.score) - wanted.score).abs() < 1e-7,
            "{values:?}"
        );
        let parts = model.contributions(&vector).unwrap();
        assert!((parts.base - wanted.base).abs() < 1e-9, "{values:?}");
        let sum: f64 = parts.base + parts.by_tag.iter().map(|(_, c)| c).sum::<f64>();
        assert!((sum - scored.log_odds).abs() < 1e-9, "{values:?}");
        for (tag, found) in &parts.by_tag {
            assert!(
                (found - wanted.by_tag[tag]).abs() < 1e-8,
                "{values:?} {tag}"
            );
        }
        let explained = model.explain(&vector, 8).unwrap();
        assert_eq!(explained.scored, scored);
        for reason in &explained.reasons {
            let tag = reason.tag.trim_start_matches("low-");
            let contribution = f64::from(reason.contribution);
            assert!(
                (contribution - wanted.by_tag[tag]).abs() < 1e-5,
                "{values:?}"
            );
        }
        let raising = wanted.by_tag.values().filter(|c| **c >= 0.050_001).count();
        assert!(explained.reasons.len() >= raising, "{values:?}");
        let novelty = model.novelty(&vector).unwrap();
        assert_eq!(novelty, explained.novelty);
        match (novelty, wanted.novelty) {
            (Some(a), Some(b)) => assert!((f64::from(a) - b).abs() < 1e-6, "{values:?}"),
            (a, b) => assert!(a.is_none() && b.is_none(), "{values:?}"),
        }
    }
}

#[test]
fn a_logistic_scores_as_its_json_says() {
    agrees(file("a"));
}

#[test]
fn boosted_trees_score_as_their_json_says() {
    agrees(boosted_file("a"));
    let mut alone = boosted_file("b");
    for term in &mut alone.features {
        term.weight = 0.0;
    }
    agrees(alone);
}
