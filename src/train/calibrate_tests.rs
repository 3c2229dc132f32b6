use super::*;

/// The optimum by scipy (BFGS, then Nelder-Mead to 1e-13); scikit-learn's
/// `_sigmoid_calibration` gives the same to 1e-8.
#[test]
fn it_finds_the_optimum_scipy_finds() {
    let log_odds = [
        -6.0, -5.5, -5.0, -4.2, -4.0, -3.1, -2.0, -1.5, -1.0, -0.5, 0.0, 0.3, 0.8, 1.4, 2.0, 3.0,
    ];
    let fraud = [0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 1, 1, 0, 1, 1].map(|y| y == 1);
    let (slope, offset) = platt(&log_odds, &fraud);
    assert!((slope - 0.464_624_985_9).abs() < 1e-7, "{slope}");
    assert!((offset - 0.059_270_596_8).abs() < 1e-7, "{offset}");
}

#[test]
fn perfectly_separated_calls_do_not_run_away() {
    let log_odds: Vec<f64> = (-50..50).map(f64::from).collect();
    let fraud: Vec<bool> = log_odds.iter().map(|x| *x >= 0.0).collect();
    let (slope, offset) = platt(&log_odds, &fraud);
    assert!(slope.is_finite() && offset.is_finite() && slope > 0.0 && slope < 50.0);
}

#[test]
fn enormous_log_odds_do_not_overflow() {
    let (slope, offset) = platt(&[-1e6, -1e5, 1e5, 1e6], &[false, true, false, true]);
    assert!(slope.is_finite() && offset.is_finite());
}

#[test]
fn equal_scores_give_the_base_rate() {
    let fraud: Vec<bool> = (0..100).map(|i| i < 10).collect();
    let (slope, offset) = platt(&[2.0; 100], &fraud);
    let p = probability(slope * 2.0 + offset);
    assert!((p - 0.1).abs() < 0.02, "{p}");
}
