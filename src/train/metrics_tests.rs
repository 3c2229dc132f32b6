//! Expected values by scikit-learn 1.x: `average_precision_score`, `roc_auc_score`,
//! `brier_score_loss`, `roc_curve`.

use super::*;

const SCORES: [f32; 20] = [
    0.9, 0.8, 0.8, 0.8, 0.7, 0.6, 0.6, 0.5, 0.4, 0.4, 0.4, 0.3, 0.2, 0.1, 0.1, 0.0, 0.0, 0.0, 0.0,
    0.0,
];
const LABELS: [u8; 20] = [1, 1, 0, 1, 0, 1, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0];

fn labels() -> Vec<bool> {
    LABELS.iter().map(|y| *y == 1).collect()
}

fn close(a: Option<f64>, b: f64) {
    assert!((a.unwrap() - b).abs() < 1e-7, "{a:?} {b}");
}

#[test]
fn they_agree_with_scikit_learn() {
    close(
        average_precision(&SCORES, &labels()),
        0.610_853_432_282_003_6,
    );
    close(roc_auc(&SCORES, &labels()), 0.692_307_692_307_692_3);
    close(brier(&SCORES, &labels()), 0.231);
}

#[test]
fn ties_at_zero_count_half() {
    let scores = [vec![0.0_f32; 90], vec![0.5; 5], vec![1.0; 5]].concat();
    let mut fraud = vec![false; 90];
    (fraud[0], fraud[30], fraud[60]) = (true, true, true);
    fraud.extend([false, true, false, true, false]);
    fraud.extend([true, true, true, false, true]);
    close(average_precision(&scores, &fraud), 0.518_888_888_888_889);
    close(roc_auc(&scores, &fraud), 0.817_460_317_460_317_4);
    let negative_zeros: Vec<f32> = scores
        .iter()
        .map(|s| if *s == 0.0 { -0.0 } else { *s })
        .collect();
    let mixed: Vec<f32> = (0..100)
        .map(|i| {
            if i % 2 == 0 {
                scores[i]
            } else {
                negative_zeros[i]
            }
        })
        .collect();
    close(roc_auc(&mixed, &fraud), 0.817_460_317_460_317_4);
    let all_zero = [0.0_f32; 100];
    close(roc_auc(&all_zero, &fraud), 0.5);
    close(average_precision(&all_zero, &fraud), 0.09);
}

#[test]
fn the_order_of_ties_does_not_matter() {
    let (mut scores, mut fraud) = (SCORES.to_vec(), labels());
    scores.reverse();
    fraud.reverse();
    assert_eq!(
        average_precision(&scores, &fraud),
        average_precision(&SCORES, &labels())
    );
    assert_eq!(
        operating_point(&scores, &fraud, 0.2),
        operating_point(&SCORES, &labels(), 0.2)
    );
}

#[test]
fn a_threshold_keeps_its_promise_and_ties_stay_on_one_side() {
    // scikit-learn's roc_curve: (fpr, tpr) = (1/13, 3/7) at 0.8, (2/13, 3/7) at 0.7,
    // (3/13, 4/7) at 0.6, (4/13, 4/7) at 0.5, (6/13, 5/7) at 0.4.
    let at = |target: f64| operating_point(&SCORES, &labels(), target).unwrap();
    let none = at(0.0);
    assert!((none.recall - 1.0 / 7.0).abs() < 1e-12 && none.false_positives == 0 && !none.resolved);
    let one = at(1.0 / 13.0);
    assert!((one.recall - 3.0 / 7.0).abs() < 1e-12 && one.false_positives == 1);
    assert!((one.threshold - f64::from(0.7_f32)).abs() < 1e-12);
    let five = at(5.0 / 13.0);
    assert_eq!(
        five.false_positives, 4,
        "two legitimate calls tie at 0.4: neither or both"
    );
    for thousandth in 0..1_000 {
        let target = f64::from(thousandth) / 1_000.0;
        let point = at(target);
        let above = |of: bool| {
            let both = SCORES.iter().zip(labels());
            n(both
                .filter(|(s, y)| f64::from(**s) > point.threshold && *y == of)
                .count())
        };
        assert!(point.false_positive_rate <= target + 1e-12);
        assert!((above(false) / 13.0 - point.false_positive_rate).abs() < 1e-12);
        assert!((above(true) / 7.0 - point.recall).abs() < 1e-12);
    }
}

#[test]
fn all_calls_tied_means_nothing_is_found() {
    let point = operating_point(&[0.0_f32; 20], &labels(), 0.1).unwrap();
    assert!(point.recall == 0.0 && point.false_positives == 0 && point.threshold == 0.0);
}

#[test]
fn without_both_verdicts_there_is_no_figure() {
    assert_eq!(average_precision(&[0.5_f32], &[false]), None);
    assert_eq!(roc_auc(&[0.5_f32], &[true]), None);
    assert_eq!(operating_point(&[0.5_f32], &[true], 0.1), None);
    assert_eq!(brier::<f32>(&[], &[]), None);
}

#[test]
fn reliability_counts_every_call_once() {
    let bins = reliability(&SCORES, &labels());
    assert_eq!(bins.iter().map(|b| b.calls).sum::<usize>(), 20);
    assert_eq!(
        reliability(&[1.0_f32, 0.95, 0.0], &[true, true, false])[1].calls,
        2
    );
    let low = bins[0];
    assert!(low.calls == 5 && (low.observed - 0.2).abs() < 1e-12 && low.predicted == 0.0);
}
