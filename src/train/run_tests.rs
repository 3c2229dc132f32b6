use super::*;
use crate::domain::FeatureVector;
use crate::train::testing::{BEST_AUC, CATALOGUE, VERSION, synthetic, truth};
use crate::train::{card, publish};
use std::sync::OnceLock;

const CREATED: Timestamp = Timestamp::from_secs(1_795_446_060);

/// One training for all tests: 40,000 calls, 1 % fraud.
fn trained() -> &'static (Dataset, Trained) {
    static ONCE: OnceLock<(Dataset, Trained)> = OnceLock::new();
    ONCE.get_or_init(|| {
        let data = synthetic(40_000, 0.01, 42);
        let trained = train(&data, CATALOGUE, VERSION, &options()).unwrap();
        (data, trained)
    })
}

fn options() -> Options {
    let mut options = Options::new(CREATED);
    options.baseline = Some(Thresholds {
        rules: vec![("strong".to_owned(), 3.0)],
    });
    options
}

fn score(model: &Model, data: &Dataset, row: usize) -> f64 {
    let mut vector = FeatureVector::default();
    data.fill(row, &mut vector);
    f64::from(model.score(&vector).unwrap().score)
}

#[test]
fn it_finds_the_known_answer_on_calls_it_has_not_seen() {
    let (_, trained) = trained();
    let e = &trained.report.held_out;
    assert!(e.roc_auc > BEST_AUC - 0.015, "{e:#?}");
    assert!(e.average_precision > 0.5, "{e:#?}");
    assert!(e.at_0_1_percent.unwrap().resolved);
    let baseline = trained.report.baseline.as_ref().unwrap();
    let recall = |p: Option<crate::train::OperatingPoint>| p.unwrap().recall;
    assert!(recall(e.at_0_1_percent) > recall(baseline.scaled_to_0_1_percent));
}

#[test]
fn scores_are_the_true_probabilities_in_spite_of_undersampling() {
    let (_, trained) = trained();
    let fresh = synthetic(20_000, 0.01, 77);
    let (mut error, mut sum) = (0.0, 0.0);
    for row in 0..fresh.rows() {
        let p = score(&trained.model, &fresh, row);
        error += (p - truth(&fresh.features(row).to_vec(), 0.01)).abs();
        sum += p;
    }
    let (mean_error, mean) = (error / 20_000.0, sum / 20_000.0);
    assert!(mean_error < 0.004, "mean error {mean_error}");
    assert!((0.007..0.013).contains(&mean), "mean score {mean}");
}

#[test]
fn fraud_scores_high_whichever_verdict_is_more_frequent() {
    for prior in [0.1, 0.9] {
        let data = synthetic(3_000, prior, 8);
        let mut options = Options::new(CREATED);
        options.negatives_per_positive = 1;
        let trained = train(&data, CATALOGUE, VERSION, &options).unwrap();
        assert!(trained.report.held_out.roc_auc > 0.95, "prior {prior}");
    }
}

#[test]
fn the_same_calls_and_seed_give_the_same_file() {
    let data = synthetic(4_000, 0.05, 9);
    let bytes = |seed| {
        let mut options = Options::new(CREATED);
        (options.seed, options.negatives_per_positive) = (seed, 5);
        let trained = train(&data, CATALOGUE, VERSION, &options).unwrap();
        trained.model.file().to_bytes().unwrap().0
    };
    let first = bytes(1);
    assert_eq!(first, bytes(1));
    assert_ne!(first, bytes(2));
}

#[test]
fn published_it_can_be_loaded_promoted_and_scores_the_same() {
    let (data, trained) = trained();
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("models");
    let published = publish(trained, &folder).unwrap();
    let loaded = Model::load(&published.model, CATALOGUE, VERSION).unwrap();
    assert_eq!(loaded.sha256(), published.sha256);
    let mut vector = FeatureVector::default();
    for row in (0..data.rows()).step_by(97) {
        data.fill(row, &mut vector);
        let (a, b) = (
            trained.model.score(&vector).unwrap(),
            loaded.score(&vector).unwrap(),
        );
        assert_eq!(a.log_odds.to_bits(), b.log_odds.to_bits());
    }
    let id = trained.model.id();
    assert!(
        id.starts_with("2026-11-23T1501-logistic-") && id.len() == 31,
        "{id}"
    );
    crate::model::promotion::promote(&folder, id, CREATED, CATALOGUE, VERSION).unwrap();
}

#[test]
fn every_changed_byte_of_a_published_file_is_refused() {
    let (_, trained) = trained();
    let good = trained.model.file().to_bytes().unwrap().0;
    for at in (0..good.len())
        .step_by(101)
        .chain(good.len() - 80..good.len())
    {
        let mut bad = good.clone();
        bad[at] ^= 1;
        assert!(
            Model::from_bytes(&bad, CATALOGUE, VERSION).is_err(),
            "byte {at}"
        );
    }
}

#[test]
fn the_card_and_the_file_have_the_report_s_figures() {
    let (_, trained) = trained();
    let (e, m) = (&trained.report.held_out, trained.model.file().metrics);
    assert!((m.average_precision - e.average_precision).abs() < 1e-6);
    assert!((m.roc_auc - e.roc_auc).abs() < 1e-6);
    assert!((m.recall_0_1_percent - e.at_0_1_percent.unwrap().recall).abs() < 1e-6);
    assert_eq!(m.campaigns_found, e.campaigns.found as u64);
    let card = card(trained);
    for line in [
        format!("| average precision | {:.4} |", m.average_precision),
        format!("| ROC area | {:.4} |", m.roc_auc),
        format!("| Brier score | {:.6} |", m.brier),
        format!(
            "| recall at the threshold | {:.2} % |",
            m.recall_at_default * 100.0
        ),
        format!(
            "| campaigns found | {} of {} |",
            m.campaigns_found, m.campaigns
        ),
        format!("# Model {}", trained.model.id()),
    ] {
        assert!(card.contains(&line), "{line} is not in\n{card}");
    }
    assert!(trained.report.to_string().contains(trained.model.id()));
    let json = serde_json::to_value(&trained.report).unwrap();
    assert!(json["held_out"]["average_precision"].is_number());
}

#[test]
fn held_out_calls_have_no_say_in_the_model() {
    let data = synthetic(4_000, 0.05, 10);
    let parts = split(&data, None).unwrap();
    let mut other = data.clone();
    for row in &parts.hold_out {
        other.x.row_mut(*row).mapv_inplace(|x| -x * 3.0);
    }
    let fit = |data: &Dataset| {
        let trained = train(data, CATALOGUE, VERSION, &Options::new(CREATED)).unwrap();
        let file = trained.model.file().clone();
        (
            file.features,
            file.intercept,
            file.calibration,
            file.thresholds,
        )
    };
    assert_eq!(fit(&data), fit(&other));
}

#[test]
fn a_held_out_family_is_only_measured() {
    let data = synthetic(8_000, 0.05, 12);
    let mut options = Options::new(CREATED);
    options.hold_out_family = Some("wangiri".to_owned());
    let trained = train(&data, CATALOGUE, VERSION, &options).unwrap();
    assert_eq!(trained.model.file().training.hold_out_family, "wangiri");
    assert!(card(&trained).contains("`wangiri`"));
}

#[test]
fn noise_does_not_become_a_model_that_refuses_calls() {
    let mut data = synthetic(6_000, 0.05, 13);
    data.x.fill(1.0);
    match train(&data, CATALOGUE, VERSION, &Options::new(CREATED)) {
        Err(TrainError::NothingLearned) => {}
        Err(error) => panic!("{error}"),
        Ok(trained) => assert!(trained.report.held_out.false_positive_rate < 0.001),
    }
}

#[test]
fn bad_options_are_named() {
    let data = synthetic(10, 0.5, 1);
    let mut options = Options::new(CREATED);
    options.negatives_per_positive = 0;
    let error = train(&data, CATALOGUE, VERSION, &options).unwrap_err();
    assert!(error.to_string().contains("negatives_per_positive"));
}

/// Whoever rings at the honeypot must not choose the parts, the base rate or the figures.
#[test]
fn a_flood_at_the_honeypot_is_shown_to_the_fit_and_to_nothing_else() {
    let judged = synthetic(3_000, 0.05, 12);
    let mut flooded = judged.clone();
    flooded.add_honeypot(&synthetic(9_000, 0.9, 13)).unwrap();
    assert_eq!(flooded.rows(), judged.rows());
    let parts = split(&judged, None).unwrap();
    assert_eq!(split(&flooded, None).unwrap(), parts);
    let honeypot = flooded.honeypot_before(parts.calibrate_from);
    assert!(honeypot.len() > 1_000);
    let early = |row: &usize| flooded.y[*row] && flooded.at[*row] < parts.calibrate_from;
    assert!(
        honeypot.iter().all(early),
        "later ones tell of the held-out attacks"
    );

    let of = |data: &Dataset| train(data, CATALOGUE, VERSION, &options()).unwrap();
    let (with, without) = (of(&flooded), of(&judged));
    assert_eq!(with.report.honeypot, honeypot.len());
    assert_eq!(with.report.parts, without.report.parts);
    let window = |trained: &Trained| {
        let t = &trained.report.training;
        (t.from.clone(), t.to.clone(), t.rows, t.positives)
    };
    assert_eq!(window(&with), window(&without));
    let frauds = without.report.training.fitted_positives;
    assert_eq!(with.report.training.fitted_positives, 2 * frauds);
    assert!(card(&with).contains("calls at honeypots, from"));
    // The scores are still probabilities of judged calls.
    let mean = |trained: &Trained| {
        let scores = parts
            .hold_out
            .iter()
            .map(|row| score(&trained.model, &judged, *row));
        scores.sum::<f64>() / crate::train::metrics::n(parts.hold_out.len())
    };
    assert!((mean(&with) / mean(&without) - 1.0).abs() < 0.2);
}
