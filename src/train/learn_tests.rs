use super::*;
use crate::train::average_precision;
use crate::train::testing::{synthetic, xor};

fn options(learner: Learner) -> Options {
    let mut options = Options::new(crate::domain::Timestamp::from_secs(1_795_446_060));
    (options.learner, options.negatives_per_positive) = (learner, 4);
    options
}

fn all(data: &Dataset) -> Vec<usize> {
    (0..data.rows()).collect()
}

fn precision(learned: &Learned, fresh: &Dataset) -> f64 {
    average_precision(&learned.log_odds(fresh, &all(fresh)), &fresh.y).unwrap()
}

#[test]
fn trees_are_chosen_where_a_sum_of_features_cannot_tell() {
    let (data, fresh) = (xor(900, 21), xor(900, 22));
    let of = |learner| learn(&data, &all(&data), &[], &options(learner)).unwrap();
    let (auto, logistic) = (of(Learner::Auto), of(Learner::Logistic));
    assert_eq!(
        (auto.kind(), logistic.kind()),
        (Kind::Boosted, Kind::Logistic)
    );
    let (with, without) = (precision(&auto, &fresh), precision(&logistic, &fresh));
    assert!(with > 0.8 && without < 0.4, "{with} {without}");
}

#[test]
fn the_logistic_is_kept_where_trees_do_no_better() {
    let data = synthetic(3_000, 0.1, 23);
    let auto = learn(&data, &all(&data), &[], &options(Learner::Auto)).unwrap();
    assert_eq!(auto.kind(), Kind::Logistic);
}

#[test]
fn few_labels_grow_no_trees() {
    let mut data = xor(800, 24);
    let mut frauds = 0;
    for fraud in &mut data.y {
        frauds += usize::from(*fraud);
        *fraud &= frauds < FEWEST_FOR_TREES;
    }
    let auto = learn(&data, &all(&data), &[], &options(Learner::Auto)).unwrap();
    assert_eq!(auto.kind(), Kind::Logistic);
    let boosted = learn(&data, &all(&data), &[], &options(Learner::Boosted)).unwrap();
    assert_eq!(boosted.kind(), Kind::Boosted, "asked for, they are grown");
}

#[test]
fn boosted_alone_has_no_linear_part_and_combined_has_one() {
    let data = xor(900, 25);
    let of = |learner| learn(&data, &all(&data), &[], &options(learner)).unwrap();
    let weights = |learned: &Learned| learned.fitted.logistic.weights.iter().any(|w| *w != 0.0);
    assert!(!weights(&of(Learner::Boosted)) && weights(&of(Learner::Combined)));
}

#[test]
fn blended_says_the_mean_of_both() {
    let data = xor(900, 27);
    let of = |learner| learn(&data, &all(&data), &[], &options(learner)).unwrap();
    let (combined, alone) = (of(Learner::Combined), of(Learner::Boosted));
    let both = combined.clone().mean(alone.clone());
    let say = |learned: &Learned| learned.log_odds(&data, &all(&data));
    for ((one, other), mean) in say(&combined).iter().zip(say(&alone)).zip(say(&both)) {
        assert!((f64::midpoint(*one, other) - mean).abs() < 1e-4);
    }
    let blended = of(Learner::Blended);
    assert!(
        blended.rounds.iter().all(|rounds| *rounds > 0),
        "{:?}",
        blended.rounds
    );
}

#[test]
fn log_odds_are_those_of_all_calls_not_of_the_sample() {
    let data = synthetic(4_000, 0.04, 26);
    for learner in [Learner::Boosted, Learner::Combined, Learner::Blended] {
        let mut options = options(learner);
        options.negatives_per_positive = 1;
        let learned = learn(&data, &all(&data), &[], &options).unwrap();
        let log_odds = learned.log_odds(&data, &all(&data));
        let mean = log_odds
            .iter()
            .map(|z| 1.0 / (1.0 + (-z).exp()))
            .sum::<f64>()
            / 4_000.0;
        assert!((0.02..0.07).contains(&mean), "{learner}: {mean}");
    }
}

#[test]
fn names_lead_there_and_back() {
    for learner in Learner::ALL {
        assert_eq!(learner.to_string().parse(), Ok(learner));
        assert_eq!(serde_json::to_value(learner).unwrap(), learner.as_str());
    }
    let error = "forest".parse::<Learner>().unwrap_err().to_string();
    assert!(
        error.contains("`forest`") && error.contains("combined"),
        "{error}"
    );
}
