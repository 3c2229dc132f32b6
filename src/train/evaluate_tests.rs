use super::*;
use crate::domain::{Timestamp, Verdict};
use crate::train::testing::{CATALOGUE, START, VERSION};
use crate::train::{DatasetBuilder, LabelledCall};

/// (campaign, fraud, strong, lowers) a second apart.
fn data(calls: &[(&str, bool, f32, f32)]) -> Dataset {
    let mut builder = DatasetBuilder::new(CATALOGUE, VERSION);
    let mut at: Timestamp = START;
    for (campaign, fraud, strong, lowers) in calls {
        at = at.plus_secs(1);
        let verdict = if *fraud {
            Verdict::Fraud
        } else {
            Verdict::Legitimate
        };
        builder
            .push(&LabelledCall {
                at,
                account: "a",
                campaign,
                verdict: Some(verdict),
                features: &[*strong, 0.0, 0.0, *lowers, 0.0, 0.0],
            })
            .unwrap();
    }
    builder.finish()
}

#[test]
fn calls_leak_until_the_first_one_found() {
    let calls = data(&[
        ("a/1", true, 0.0, 0.0),
        ("b/1", true, 0.0, 0.0),
        ("a/1", true, 0.0, 0.0),
        ("", false, 0.0, 0.0),
        ("a/1", true, 0.0, 0.0),
        ("b/1", true, 0.0, 0.0),
        ("c/1", true, 0.0, 0.0),
        ("a/1", true, 0.0, 0.0),
    ]);
    let rows: Vec<usize> = (0..8).collect();
    // a/1: two leak, the third is found, the fourth does not count. b/1: never. c/1: at once.
    let above = [false, false, false, true, true, false, true, false];
    let measures = by_campaign(&calls, &rows, &above);
    let expected = CampaignMeasures {
        campaigns: 3,
        found: 2,
        leaked_median: 2,
        leaked_p95: 2,
        leaked: 4,
        calls: 7,
    };
    assert_eq!(measures, expected);
}

#[test]
fn the_median_and_the_percentile_are_nearest_ranks() {
    assert_eq!(nearest_rank(&[], 50), 0);
    assert_eq!(nearest_rank(&[7], 95), 7);
    assert_eq!(nearest_rank(&[1, 2, 3, 4], 50), 2);
    let hundred: Vec<usize> = (1..=100).collect();
    assert_eq!(nearest_rank(&hundred, 95), 95);
}

#[test]
fn fixed_limits_alarm_when_any_is_exceeded_and_can_be_scaled() {
    let mut calls: Vec<(&str, bool, f32, f32)> = vec![("", false, 1.0, 1.0); 1_000];
    calls.extend([("", false, 11.0, 0.0), ("", false, 10.0, 5.0)]);
    calls.extend([
        ("a/1", true, 12.0, 0.0),
        ("a/1", true, 0.0, 50.0),
        ("a/1", true, 2.0, 2.0),
    ]);
    let data = data(&calls);
    let rows: Vec<usize> = (0..data.rows()).collect();
    let limits = Thresholds {
        rules: vec![("strong".to_owned(), 10.0), ("lowers".to_owned(), 20.0)],
    };
    let measured = evaluate_baseline(&limits, CATALOGUE, &data, &rows).unwrap();
    assert!((measured.recall - 2.0 / 3.0).abs() < 1e-12);
    assert!(
        (measured.false_positive_rate - 1.0 / 1_002.0).abs() < 1e-12,
        "10 is not above 10"
    );
    let scaled = measured.scaled_to_0_1_percent.unwrap();
    assert!((scaled.threshold - 1.0).abs() < 1e-9 && scaled.false_positives == 1);
    assert_eq!(measured.campaigns.found, 1);
    for (name, limit, unknown) in [
        ("loud", 1.0, true),
        ("strong", 0.0, false),
        ("strong", f32::NAN, false),
    ] {
        let bad = Thresholds {
            rules: vec![(name.to_owned(), limit)],
        };
        let error = evaluate_baseline(&bad, CATALOGUE, &data, &rows).unwrap_err();
        assert_eq!(
            matches!(error, TrainError::UnknownFeature { .. }),
            unknown,
            "{error}"
        );
    }
}
