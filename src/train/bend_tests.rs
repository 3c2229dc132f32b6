use super::*;
use crate::train::testing::synthetic;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// Scores whose true log-odds are `truth` of them, and verdicts drawn by those.
fn drawn(count: usize, seed: u64, truth: impl Fn(f64) -> f64) -> (Vec<f64>, Vec<bool>) {
    let mut random = Pcg64Mcg::seed_from_u64(seed);
    let each = (0..count).map(|_| {
        let z = random.random::<f64>() * 16.0 - 10.0;
        let p = 1.0 / (1.0 + (-truth(z)).exp());
        (z, random.random::<f64>() < p)
    });
    each.unzip()
}

/// Steep below, flat above: what boosting does that is too sure of itself.
fn knee(z: f64) -> f64 {
    if z < 0.0 { z - 1.0 } else { 0.15 * z - 1.0 }
}

fn of(z: &[f64], y: &[bool]) -> Calibration {
    // Of no campaign: only their time counts.
    let data = synthetic(z.len(), 0.0, 1);
    let rows: Vec<usize> = (0..z.len()).collect();
    calibration(&data, &rows, z, y).unwrap()
}

#[test]
fn a_knee_is_followed_and_a_line_is_left_a_line() {
    let (z, y) = drawn(20_000, 1, knee);
    let bent = of(&z, &y);
    assert!(matches!(bent, Calibration::Piecewise { .. }), "{bent:?}");
    let (fresh, verdicts) = drawn(20_000, 2, knee);
    let line = line(&z, &y).unwrap();
    assert!(loss(&bent, &fresh, &verdicts) < 0.99 * loss(&line, &fresh, &verdicts));
    let bent = Curve::new(&bent);
    // Below, where frauds are few, the first two knots lead on.
    for z in [-1.0, 2.0, 5.0] {
        assert!((bent.at(z) - knee(z)).abs() < 0.35, "{z}: {}", bent.at(z));
    }
    let (z, y) = drawn(20_000, 3, |z| 0.8 * z - 1.0);
    assert!(matches!(of(&z, &y), Calibration::Platt { .. }));
}

#[test]
fn few_frauds_bend_nothing() {
    let (z, y) = drawn(300, 4, |z| z - 5.0);
    assert!(y.iter().filter(|y| **y).count() < 3 * FRAUDS_A_KNOT);
    assert_eq!(bent(&z, &y), None);
}

#[test]
fn knots_never_fall_back() {
    // More fraud in the middle than above it.
    let (z, y) = drawn(8_000, 5, |z| {
        if (-1.0..2.0).contains(&z) {
            1.0
        } else if z > 0.0 {
            0.0
        } else {
            -4.0
        }
    });
    let (slope, _) = platt(&z, &y);
    assert!(slope > 0.0, "the frauds make the line rise");
    let Some(Calibration::Piecewise { from, to }) = bent(&z, &y) else {
        panic!("three knots or more");
    };
    assert!(from.is_sorted_by(|a, b| a < b) && to.is_sorted_by(|a, b| a < b));
}

#[test]
fn scores_of_no_use_have_no_calibration() {
    let (z, y) = drawn(4_000, 6, |z| -z);
    let data = synthetic(z.len(), 0.0, 1);
    let rows: Vec<usize> = (0..z.len()).collect();
    assert_eq!(calibration(&data, &rows, &z, &y), None);
}
