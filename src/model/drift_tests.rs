use super::*;
use crate::model::reference::{FEATURE_QUANTILES, SCORE_QUANTILES};

const CATALOGUE: &[FeatureSpec] = &[spec("a"), spec("b"), spec("c"), spec("d"), spec("e")];
const START: Timestamp = Timestamp::from_secs(1_790_000_000);

const fn spec(name: &'static str) -> FeatureSpec {
    FeatureSpec {
        name,
        tag: name,
        words: "for tests",
    }
}

/// Values 0 to 0.999, each feature alike.
fn reference() -> Reference {
    let mut values: Vec<f32> = (0..1_000u16).map(|i| f32::from(i) / 1_000.0).collect();
    Reference {
        rows: 1_000,
        score_rows: 1_000,
        features: vec![Bins::of(&mut values, &FEATURE_QUANTILES); CATALOGUE.len()],
        score: Bins::of(&mut values, &SCORE_QUANTILES),
    }
}

fn watched() -> (Arc<Counts>, Drift) {
    let counts = Arc::new(Counts::new("m", &reference()));
    let drift = Drift::new(Arc::clone(&counts), START);
    (counts, drift)
}

/// `calls` calls spread evenly over 0 to 1, then moved.
fn send(counts: &Counts, traffic: Traffic, calls: u16, moved: impl Fn(f32) -> (f32, f32)) {
    for i in 0..calls {
        let (value, score) = moved(f32::from(i) / f32::from(calls));
        counts.note(traffic, &[value; 5], score);
    }
}

#[test]
fn the_index_is_that_of_the_formula() {
    // By hand: (0.7 - 0.5) ln(0.7 / 0.5) + (0.3 - 0.5) ln(0.3 / 0.5).
    let by_hand = 0.2 * 1.4_f64.ln() - 0.2 * 0.6_f64.ln();
    assert!((stability(&[0.5, 0.5], &[70.0, 30.0]) - by_hand).abs() < 1e-12);
    assert!(stability(&[0.5, 0.5], &[30.0, 30.0]).abs() < 1e-12);
    // A share of 0 counts as one in ten thousand.
    let empty = stability(&[1.0, 0.0], &[50.0, 50.0]);
    let by_hand = -0.5 * 0.5_f64.ln() + (0.5 - 1e-4) * (0.5_f64 / 1e-4).ln();
    assert!((empty - by_hand).abs() < 1e-12);
}

#[test]
fn calls_as_in_training_raise_nothing_and_few_calls_say_nothing() {
    let (counts, mut drift) = watched();
    send(&counts, Traffic::Customers, 400, |x| (1.0 - x, 1.0 - x));
    let (report, turn) = drift.look(CATALOGUE, START.plus_secs(2));
    assert_eq!(report.customers.day.score, None, "400 calls are too few");
    assert_eq!(turn, None);
    send(&counts, Traffic::Customers, 900, |x| (x, x));
    let (report, turn) = drift.look(CATALOGUE, START.plus_secs(4));
    assert_eq!((report.alarm, turn), (false, None));
    assert!(report.customers.day.score < Some(0.02), "{report:?}");
    assert_eq!(report.customers.day.changed, 0);
    assert!((report.customers.hour.calls - 1_300.0).abs() < 2.0);
}

#[test]
fn a_changed_score_is_told_once_and_its_end_too() {
    let (counts, mut drift) = watched();
    let mut now = START;
    let mut look = |drift: &mut Drift| {
        now = now.plus_secs(2);
        drift.look(CATALOGUE, now)
    };
    send(&counts, Traffic::Customers, 800, |x| (x, 0.5 + x / 2.0));
    let (report, turn) = look(&mut drift);
    assert_eq!(turn, Some(Turn::Raised));
    assert!(report.alarm && report.customers.day.score > Some(CHANGED));
    assert_eq!(report.customers.day.changed, 0, "the features are as ever");
    for _ in 0..3 {
        send(&counts, Traffic::Customers, 100, |x| (x, 0.5 + x / 2.0));
        let (report, turn) = look(&mut drift);
        assert_eq!((report.alarm, turn), (true, None), "told once");
    }
    // Three days later what was is forgotten.
    now = now.plus_secs(3 * 86_400);
    send(&counts, Traffic::Customers, 900, |x| (x, x));
    let (report, turn) = drift.look(CATALOGUE, now);
    assert_eq!(
        (report.alarm, turn),
        (false, Some(Turn::Ended)),
        "{report:?}"
    );
}

#[test]
fn many_changed_features_are_an_alarm_and_are_named() {
    let (counts, mut drift) = watched();
    send(&counts, Traffic::Customers, 900, |x| (x * 0.3, x));
    let (report, turn) = drift.look(CATALOGUE, START.plus_secs(2));
    assert_eq!(turn, Some(Turn::Raised));
    let day = &report.customers.day;
    assert!(day.score < Some(0.1));
    assert_eq!((day.changed, day.features.len()), (5, 5));
    assert!(day.features[0].stability >= day.features[4].stability);
}

#[test]
fn the_free_stream_moves_nothing() {
    let (counts, mut drift) = watched();
    send(&counts, Traffic::Free, 900, |_| (9.0, 0.999));
    send(&counts, Traffic::Customers, 900, |x| (x, x));
    let (report, turn) = drift.look(CATALOGUE, START.plus_secs(2));
    assert_eq!((report.alarm, turn), (false, None));
    assert!(report.customers.day.score < Some(0.02));
    assert!((report.customers.day.calls - 900.0).abs() < 1.0);
    assert!((report.free.day.calls - 900.0).abs() < 1.0);
    assert!(report.free.day.score > Some(WILD), "shown all the same");
}

#[test]
fn a_flood_is_sampled_and_its_shares_are_kept() {
    let (counts, mut drift) = watched();
    send(&counts, Traffic::Customers, 60_000, |x| {
        let x = (x * 997.0).fract();
        (x, x)
    });
    let (report, _) = drift.look(CATALOGUE, START.plus_secs(2));
    let calls = report.customers.hour.calls;
    let sampled = f64::from(ALL_OF) + f64::from(60_000 - ALL_OF) / f64::from(ONE_IN);
    assert!((calls - sampled).abs() <= 2.0, "{calls} against {sampled}");
    assert!(report.customers.hour.score < Some(0.02), "{report:?}");
}

#[test]
fn a_reference_of_few_calls_is_none() {
    let mut few = reference();
    few.score_rows = 100;
    few.rows = 100;
    let counts = Arc::new(Counts::new("m", &few));
    let mut drift = Drift::new(Arc::clone(&counts), START);
    send(&counts, Traffic::Customers, 900, |_| (9.0, 1.0));
    let (report, turn) = drift.look(CATALOGUE, START.plus_secs(2));
    assert_eq!((report.customers.day.score, turn), (None, None));
    assert!(report.customers.day.features.is_empty());
}

#[test]
fn what_was_counted_before_the_first_look_is_not_lost() {
    let counts = Arc::new(Counts::new("m", &reference()));
    send(&counts, Traffic::Customers, 900, |x| (x, x));
    let mut drift = Drift::new(Arc::clone(&counts), START);
    let (report, _) = drift.look(CATALOGUE, START.plus_secs(2));
    assert!((report.customers.day.calls - 900.0).abs() < 1.0);
}
