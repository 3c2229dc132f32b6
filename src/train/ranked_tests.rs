//! Expected values worked out by hand.

use super::*;

const TARGETS: [f64; 2] = [0.0, 0.5];

/// Highest first: fraud 1, fraud 2, legitimate, fraud 1, legitimate.
const CLASSES: [usize; 5] = [1, 2, 0, 1, 0];
const SCORES: [f32; 5] = [0.9, 0.8, 0.7, 0.6, 0.5];

fn swept(weight: impl Fn(usize) -> usize) -> Vec<Swept> {
    Ranked::new(&SCORES).sweep(2, |at| CLASSES[at], weight, &TARGETS)
}

#[test]
fn each_class_is_measured_against_all_legitimate_calls() {
    let [all, first, second] = swept(|_| 1).try_into().expect("three");
    // Precisions 1/1, 2/2 and 3/4.
    assert_eq!(all.average_precision, Some((1.0 + 1.0 + 0.75) / 3.0));
    // 1/1, then 2 of class 1 with one legitimate call above: 2/3.
    assert_eq!(first.average_precision, Some(f64::midpoint(1.0, 2.0 / 3.0)));
    assert_eq!(second.average_precision, Some(1.0));
    // Of 2 x 2 pairs of class 1 three are won.
    assert_eq!(first.roc_auc, Some(0.75));
    assert_eq!((all.fraud, first.fraud, second.fraud), (3, 2, 1));
}

#[test]
fn targets_stop_at_the_same_score_for_every_class() {
    let [all, first, second] = swept(|_| 1).try_into().expect("three");
    let point = |swept: &Swept, at: usize| (swept.points[at].threshold, swept.points[at].recall);
    assert_eq!(point(&all, 0), (f64::from(0.7_f32), 2.0 / 3.0));
    assert_eq!(point(&first, 0), (f64::from(0.7_f32), 0.5));
    assert_eq!(point(&second, 0), (f64::from(0.7_f32), 1.0));
    // One of two legitimate calls may be called fraud.
    assert_eq!(point(&all, 1), (0.5, 1.0));
    assert_eq!(all.points[1].false_positives, 1);
    assert!(!all.points[0].resolved && all.points[1].resolved);
}

#[test]
fn a_weight_counts_like_so_many_copies() {
    let weights = [2, 0, 3, 1, 1];
    let copies: Vec<usize> = (0..5).flat_map(|at| vec![at; weights[at]]).collect();
    let scores: Vec<f32> = copies.iter().map(|at| SCORES[*at]).collect();
    let class = |at: usize| CLASSES[copies[at]];
    let copied = Ranked::new(&scores).sweep(2, class, |_| 1, &TARGETS);
    assert_eq!(swept(|at| weights[at]), copied);
    // Three legitimate calls stand above the last fraud: 2/2 twice, then 3/6.
    let expected = 2.0 / 3.0 + 1.0 / 3.0 * 0.5;
    assert!((copied[0].average_precision.expect("fraud") - expected).abs() < 1e-12);
}

#[test]
fn a_perfect_score_and_none_at_all() {
    let class = |at: usize| usize::from(at >= 90);
    let perfect: Vec<f64> = (0..100).map(|at| f64::from(u8::from(at >= 90))).collect();
    let swept = &Ranked::new(&perfect).sweep(1, class, |_| 1, &[1e-2])[0];
    assert_eq!(
        (swept.average_precision, swept.roc_auc),
        (Some(1.0), Some(1.0))
    );
    assert_eq!(swept.points[0].recall, 1.0);
    // All alike: the average precision is the share of fraud.
    let nothing = &Ranked::new(&[0.5_f32; 100]).sweep(1, class, |_| 1, &[1e-2])[0];
    assert_eq!(nothing.roc_auc, Some(0.5));
    assert!((nothing.average_precision.expect("fraud") - 0.1).abs() < 1e-12);
    assert_eq!(nothing.points[0].recall, 0.0);
}

#[test]
fn without_fraud_or_legitimate_calls_there_is_no_figure() {
    let swept = &Ranked::new(&[0.1_f32, 0.2]).sweep(1, |_| 0, |_| 1, &TARGETS)[0];
    assert_eq!((swept.average_precision, swept.roc_auc), (None, None));
    assert!(swept.points.is_empty());
    let swept = &Ranked::new(&[0.1_f32, 0.2]).sweep(1, |_| 1, |_| 1, &TARGETS)[0];
    assert_eq!((swept.average_precision, swept.roc_auc), (Some(1.0), None));
}
