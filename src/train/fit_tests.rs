use super::*;
use crate::train::testing::{SCALES, synthetic};
use crate::train::{Options, sample};

fn wave(i: usize, step: f64) -> f64 {
    (super::super::metrics::n(i) * step).sin()
}

/// 200 calls by formula, so that scikit-learn can be given the same.
fn by_formula() -> (Array2<f64>, Vec<bool>) {
    let x = |i: usize| {
        let second = (super::super::metrics::n(i) * 78.233).cos() * 1.5;
        [wave(i, 12.9898) * 2.0, second]
    };
    let z = Array2::from_shape_fn((200, 2), |(i, j)| x(i)[j]);
    let y = (0..200)
        .map(|i| 1.2 * x(i)[0] - 0.7 * x(i)[1] + 2.0 * wave(i, 37.719) > 2.0)
        .collect();
    (z, y)
}

/// scikit-learn: `LogisticRegression(C=1/alpha, tol=1e-14, solver="newton-cholesky")`.
#[test]
fn the_fit_is_scikit_learn_s() {
    let (z, y) = by_formula();
    let expected = [
        (1.0, [1.903_354_195_6, -1.054_596_525_7], -1.848_383_242_8),
        (10.0, [1.263_863_419_9, -0.616_730_235_6], -1.298_301_045_4),
    ];
    for (alpha, weights, intercept) in expected {
        let fitted = fit_logistic(z.clone(), &y, alpha).unwrap();
        for (found, wanted) in fitted.weights.iter().zip(weights) {
            assert!((found - wanted).abs() < 1e-5, "{alpha}: {fitted:?}");
        }
        assert!(
            (fitted.intercept - intercept).abs() < 1e-5,
            "{alpha}: {fitted:?}"
        );
    }
}

/// linfa's own class order depends on which verdict is more frequent and which comes first.
#[test]
fn larger_log_odds_mean_fraud_whichever_verdict_is_more_frequent() {
    for frauds in [20, 50, 80] {
        for fraud_first in [true, false] {
            let y: Vec<bool> = (0..100)
                .map(|i| (i < frauds) == fraud_first || i >= 200)
                .collect();
            let z = Array2::from_shape_fn((100, 1), |(i, _)| if y[i] { 1.0 } else { -1.0 });
            let fitted = fit_logistic(z, &y, 1.0).unwrap();
            assert!(
                fitted.weights[0] > 0.5,
                "{frauds} {fraud_first}: {fitted:?}"
            );
            assert!(fitted.log_odds([1.0]) > fitted.log_odds([-1.0]));
        }
    }
}

#[test]
fn scaling_rescues_features_of_any_scale() {
    let data = synthetic(8_000, 0.05, 11);
    let rows: Vec<usize> = (0..data.rows()).collect();
    let drawn = sample::draw(&data, &rows, 20, &Options::new(data.at[0]));
    let fitted = fit(&data, &drawn).unwrap();
    let per_unit: Vec<f64> = fitted
        .logistic
        .weights
        .iter()
        .zip(&fitted.scalers)
        .zip(SCALES)
        .map(|((w, s), scale)| w / f64::from(s.scale) * f64::from(scale))
        .collect();
    // The penalty draws all of them in alike; the calibration stretches them again.
    for (found, truth) in per_unit.iter().zip([1.0, 0.75, 0.5, -0.5]) {
        assert!((found / per_unit[0] - truth).abs() < 0.1, "{per_unit:?}");
    }
    let (noise, constant) = (fitted.logistic.weights[4], fitted.logistic.weights[5]);
    assert!(noise.abs() < 0.15 && constant.abs() < 1e-6);
}

#[test]
fn drawing_is_seeded_capped_and_corrected() {
    let data = synthetic(6_000, 0.02, 5);
    let rows: Vec<usize> = (0..data.rows()).collect();
    let mut options = Options::new(data.at[0]);
    let drawn = sample::draw(&data, &rows, 5, &options);
    assert_eq!(drawn.rows, sample::draw(&data, &rows, 5, &options).rows);
    let frauds = data.positives(&rows);
    assert_eq!(data.positives(&drawn.rows), frauds);
    assert_eq!(drawn.rows.len(), frauds * 6);
    let kept = super::super::metrics::n(frauds * 5) / super::super::metrics::n(6_000 - frauds);
    assert!((drawn.intercept_shift - kept.ln()).abs() < 1e-12);
    options.campaign_cap = 3;
    let capped = sample::draw(&data, &rows, 5, &options);
    let campaigns = data.campaign.count() - 1;
    assert!(data.positives(&capped.rows) <= 3 * campaigns);
    options.seed = 2;
    assert_ne!(sample::draw(&data, &rows, 5, &options).rows, capped.rows);
}

#[test]
fn one_value_of_labels_or_a_broken_feature_is_an_error_not_a_panic() {
    let z = Array2::zeros((10, 1));
    assert!(matches!(
        fit_logistic(z, &[true; 10], 1.0),
        Err(TrainError::Fit(_))
    ));
    let nan = Array2::from_elem((4, 1), f64::NAN);
    assert!(fit_logistic(nan, &[true, false, true, false], 1.0).is_err());
}

#[test]
fn an_unfinished_fit_is_known_by_its_gradient() {
    let (z, y) = by_formula();
    let fitted = fit_logistic(z.clone(), &y, 1.0).unwrap();
    assert!(slope_left(&fitted, &z, &y, 1.0) < 1e-6);
    let unfinished = Logistic {
        weights: vec![0.5, 0.5],
        intercept: 0.0,
    };
    assert!(slope_left(&unfinished, &z, &y, 1.0) > CONVERGED);
    let broken = Logistic {
        weights: vec![f64::NAN, 0.5],
        intercept: 0.0,
    };
    assert!(!slope_left(&broken, &z, &y, 1.0).is_finite());
}

#[test]
fn copies_of_a_feature_and_separable_calls_still_converge() {
    let y: Vec<bool> = (0..400).map(|i| i % 7 == 0).collect();
    let z = Array2::from_shape_fn((400, 6), |(i, j)| {
        let signal = if y[i] { 8.0 } else { -0.5 };
        if j < 3 {
            signal
        } else {
            wave(i, 1.0 + super::super::metrics::n(j))
        }
    });
    for alpha in ALPHAS {
        let fitted = fit_logistic(z.clone(), &y, alpha).unwrap();
        assert!((fitted.weights[0] - fitted.weights[1]).abs() < 1e-3);
    }
}

#[test]
fn calls_at_honeypots_are_no_more_than_judged_frauds_and_no_base_rate() {
    let mut data = synthetic(6_000, 0.02, 5);
    let judged: Vec<usize> = (0..data.rows()).collect();
    data.add_honeypot(&synthetic(3_000, 0.9, 6)).unwrap();
    let honeypot = data.honeypot_before(crate::domain::Timestamp(i64::MAX));
    assert!(honeypot.len() > 2_000);
    let options = Options::new(data.at[0]);
    let drawn = sample::draw(&data, &[&judged[..], &honeypot].concat(), 5, &options);
    let frauds = data.positives(&judged);
    let shown = drawn.rows.iter().filter(|row| data.is_honeypot(**row));
    assert_eq!(shown.count(), frauds);
    assert!(drawn.rows.is_sorted_by_key(|row| data.at[*row]));
    // Twice the frauds and ten times the legitimate calls were drawn, of all judged ones.
    let n = super::super::metrics::n;
    let all = n(frauds) / n(6_000 - frauds);
    assert!((drawn.intercept_shift - (all * 5.0).ln()).abs() < 1e-12);
}
