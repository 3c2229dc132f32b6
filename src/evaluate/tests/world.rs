//! A small simulated world, walked once for all tests.

use super::*;
use crate::accounts::{Accounts, Snapshot};
use crate::decide::{Engine, WindowSizes};
use crate::domain::NeutralAnswer;
use crate::evaluate::exchange;
use crate::geo::Geo;
use crate::model::{Model, ModelFile, ModelSlot};
use crate::simulate::{AttackData, Scenario, generate};
use crate::train::{Learner, Options};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::{Arc, LazyLock};

/// 2026-03-02, a Monday, midnight UTC.
const START: Timestamp = Timestamp::from_secs(1_772_409_600);

fn walked(seed: u64, days: u32) -> Calls {
    let accounts = Accounts::in_memory(START).expect("accounts");
    let engine = Engine::new(
        Snapshot::load(&accounts).expect("snapshot"),
        Geo::default(),
        WindowSizes {
            tracks: 100_000,
            key: [0; 16],
        },
        Arc::new(ModelSlot::new(None)),
        NeutralAnswer::default(),
    );
    let scenario = Scenario {
        subscribers: 20,
        tenants: 2,
        attacks_per_day: 4.0,
        ..Scenario::new(seed, START, days)
    };
    let data = AttackData::built_in();
    let mut walk = Walk::new(&engine);
    for call in generate(&scenario, &data) {
        walk.take(&call).expect("taken");
    }
    walk.finish()
}

static CALLS: LazyLock<Calls> = LazyLock::new(|| walked(7, 12));
static OTHER: LazyLock<Calls> = LazyLock::new(|| walked(8, 4));

fn settings() -> Settings {
    Settings {
        source: "a small world".to_owned(),
        shares: Shares::default(),
        other_warm_up: 1.0 / 3.0,
        bootstrap: 5,
        seed: 5,
        options: Options {
            learner: Learner::Logistic,
            // Small fits: what is tested is the harness.
            negatives_per_positive: 2,
            campaign_cap: 10,
            ..Options::new(START)
        },
        logistic_too: false,
        exchange: None,
    }
}

static EVALUATED: LazyLock<Evaluated> =
    LazyLock::new(|| evaluate(&CALLS, Some(&OTHER), &settings(), &|_| {}).expect("evaluated"));

#[test]
fn an_attack_is_whole_in_one_part_and_a_held_out_group_is_not_learned_from() {
    let parts = Parts::of(&CALLS, Shares::default());
    let campaigns = |rows: &[usize]| -> BTreeSet<usize> {
        let all = rows.iter().map(|row| CALLS.campaign(*row));
        all.filter(|campaign| *campaign != 0).collect()
    };
    let each = [&parts.train, &parts.calibrate, &parts.test].map(|rows| campaigns(rows));
    assert!(each.iter().all(|part| !part.is_empty()));
    assert!(each[0].is_disjoint(&each[1]));
    assert!(each[0].is_disjoint(&each[2]) && each[1].is_disjoint(&each[2]));
    let folds = folds(&CALLS, &parts).expect("folds");
    assert_eq!(folds[0].name, "known");
    assert!(folds.len() > 2, "{}", folds.len());
    for fold in &folds[1..] {
        let groups = |rows: &[usize]| -> BTreeSet<&str> {
            let families = rows.iter().filter_map(|row| CALLS.family(*row));
            families
                .map(|family| group_of(&CALLS.families[family]))
                .collect()
        };
        let split = &fold.split;
        assert!(!groups(&split.train).contains(fold.name.as_str()));
        assert!(!groups(&split.calibrate).contains(fold.name.as_str()));
        assert_eq!(
            groups(&split.hold_out),
            BTreeSet::from([fold.name.as_str()])
        );
        // Judged among all later legitimate calls.
        let honest = |rows: &[usize]| rows.len() - CALLS.data.positives(rows);
        assert_eq!(honest(&split.hold_out), honest(&folds[0].split.hold_out));
    }
    // Time goes one way: no legitimate call is learned from after one that judges.
    let last = |rows: &[usize]| {
        rows.iter()
            .filter(|row| !CALLS.data.y[**row])
            .max()
            .copied()
    };
    let first = |rows: &[usize]| {
        rows.iter()
            .filter(|row| !CALLS.data.y[**row])
            .min()
            .copied()
    };
    assert!(last(&parts.train) < first(&parts.calibrate));
    assert!(last(&parts.calibrate) < first(&parts.test));
}

#[test]
fn operators_calls_are_put_in_order_and_their_names_kept_apart() {
    let both = Calls::of_operators(vec![CALLS.clone(), OTHER.clone()]).expect("together");
    assert_eq!(both.len(), CALLS.len() + OTHER.len());
    assert!(both.data.at.is_sorted());
    let all = |calls: &Calls| (0..calls.len()).collect::<Vec<_>>();
    let frauds = |calls: &Calls| calls.data.positives(&all(calls));
    assert_eq!(frauds(&both), frauds(&CALLS) + frauds(&OTHER));
    // The nameless group of each is one.
    let named = |calls: &Calls| (calls.data.campaign.count() - 1, calls.customers.len());
    let (one, other, together) = (named(&CALLS), named(&OTHER), named(&both));
    assert_eq!(together, (one.0 + other.0, one.1 + other.1));
    for row in (0..both.len()).step_by(97) {
        let campaign = both.data.campaign.name(both.campaign(row));
        assert_eq!(campaign.is_empty(), !both.data.y[row]);
        assert!(campaign.is_empty() || campaign.contains("/1/") || campaign.contains("/2/"));
    }
    let cost = |calls: &Calls| calls.facts.iter().map(Fact::cost).sum::<f64>();
    assert!((cost(&both) - cost(&CALLS) - cost(&OTHER)).abs() < 1e-6 * cost(&both));
    let alone = Calls::of_operators(vec![OTHER.clone()]).expect("alone");
    assert_eq!(alone.customers, OTHER.customers);
}

#[test]
fn the_report_has_every_figure_of_every_detector() {
    let report = &EVALUATED.report;
    let names: Vec<&str> = report.detectors.iter().map(|d| d.name.as_str()).collect();
    assert_eq!(names[0], "tfps");
    for name in peers::NAMES {
        assert!(names.contains(&name));
        assert!(names.contains(&format!("{name}-as-published").as_str()));
    }
    for detector in &report.detectors {
        assert_eq!(
            detector.columns.len(),
            Column::ALL.len(),
            "{}",
            detector.name
        );
        for column in detector.columns.values() {
            assert!(!column.families.is_empty());
            for figures in column.families.values().chain([&column.overall]) {
                for name in RANKING {
                    let needs = name != "brier";
                    assert!(!needs || figures.ranking[name].value.is_some(), "{name}");
                }
                for at in [&figures.one_in_10_000, &figures.one_in_1_000] {
                    assert_eq!(at.len(), BLOCKING.len());
                    assert!(at["recall"].low <= at["recall"].high);
                }
            }
        }
    }
    // What learns nothing cannot tell a held-out family from a known one.
    for limits in report
        .detectors
        .iter()
        .filter(|d| d.name.starts_with(peers::NAMES[0]))
    {
        let column = |column: Column| &limits.columns[&column].overall;
        assert_eq!(column(Column::Known), column(Column::HeldOut));
    }
    let ours = &report.detectors[0].columns[&Column::HeldOut];
    assert!(ours.overall.ranking["brier"].value.is_some());
    assert!(ours.calibration_error.is_some() && !ours.reliability.is_empty());
    let thresholds = &ours.thresholds;
    assert!(thresholds.values().all(|[strict, loose]| strict >= loose));
    assert!(ours.thresholds.len() > 1, "a threshold per fold");
    let text = render(report);
    for column in Column::ALL {
        assert!(text.contains(column.words()));
    }
    assert!(figures_csv(report).expect("text").lines().count() > 100);
    assert!(difference(&section(report), &section(report)).is_empty());
}

#[test]
fn ours_is_judged_by_the_thresholds_of_its_file_and_others_by_the_calibration_part() {
    let file = EVALUATED.trained.model.file();
    let of = |name: &str| {
        let mut detectors = EVALUATED.report.detectors.iter();
        let found = detectors.find(|detector| detector.name == name);
        let column = &found.expect("there").columns[&Column::Known];
        let mut each = column.thresholds.values().copied();
        // One model, whichever group it is judged by.
        let first = each.next().expect("one at least");
        assert!(each.all(|other| other == first));
        first
    };
    let served = [
        file.thresholds.default,
        file.thresholds.false_positives_0_1_percent,
    ];
    assert_eq!(of("tfps"), served.map(f64::from));
    let alarm = file.novelty.as_ref().expect("a forest").alarm;
    assert_eq!(of("tfps-novelty"), [f64::from(alarm); 2]);
    let folds = folds(&CALLS, &Parts::of(&CALLS, Shares::default())).expect("folds");
    let split = &folds[0].split;
    let limits = peers::limits(&CALLS);
    let above = |threshold: f64| {
        let over = |row: &&usize| !CALLS.data.y[**row] && limits[**row] > threshold;
        split.calibrate.iter().filter(over).count()
    };
    let honest = split.calibrate.len() - CALLS.data.positives(&split.calibrate);
    assert!(above(of(peers::NAMES[0])[0]) * 10_000 <= honest);
    let published = format!("{}-as-published", peers::NAMES[0]);
    assert_eq!(of(&published)[0], of(&published)[1]);
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let again = evaluate(&walked(7, 12), Some(&walked(8, 4)), &settings(), &|_| {});
    let again = again.expect("evaluated");
    let text = |report: &Report| serde_json::to_string(report).expect("JSON");
    assert_eq!(text(&again.report), text(&EVALUATED.report));
    assert_eq!(
        again.trained.model.sha256(),
        EVALUATED.trained.model.sha256()
    );
}

#[test]
fn another_model_beside_the_card_is_told_from_the_evaluated_one() {
    let evaluated = &EVALUATED.trained.model;
    assert!(model_difference(evaluated, evaluated).is_empty());
    let vectors: Vec<Vec<f32>> = evaluated
        .file()
        .probes
        .iter()
        .map(|probe| probe.features.clone())
        .collect();
    let changed = |change: fn(&mut ModelFile)| {
        let mut file = evaluated.file().clone();
        change(&mut file);
        let model = Model::with_probes(file, &vectors, CATALOGUE, VERSION).expect("a model");
        assert_ne!(model.sha256(), evaluated.sha256());
        model_difference(&model, evaluated)
    };
    // Another hash alone, as another machine may come to.
    assert!(changed(|file| file.id.push('x')).is_empty());
    let intercept = changed(|file| file.intercept += 0.5);
    assert!(intercept[0].contains("scores a probe"), "{intercept:?}");
    let threshold = changed(|file| file.thresholds.default = 0.999);
    assert!(threshold[0].contains("0.999"), "{threshold:?}");
}

/// As a learner of another program would: the row's number is its score.
fn answer(dir: &std::path::Path, folds: &[Fold], other: &[usize], spoil: bool) {
    let manifest = std::fs::read(dir.join("manifest.json")).expect("there");
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).expect("JSON");
    let hash = &manifest["rows_sha256"];
    let said = format!(
        r#"{{"rows_sha256": {hash}, "detectors":
            {{"made-up": {{"probabilities": false, "about": "for a test"}}}}}}"#
    );
    std::fs::write(dir.join("detectors.json"), said).expect("written");
    let csv = |rows: &mut dyn Iterator<Item = &usize>| {
        let mut text = String::from("row,made-up\n");
        for row in rows {
            writeln!(text, "{row},{row}.5").expect("text");
        }
        text
    };
    for fold in folds {
        // In another order than asked for.
        let mut rows = fold.split.hold_out.iter().chain(&fold.split.calibrate);
        let mut text = csv(&mut rows);
        if spoil {
            text.truncate(text.len() - text.lines().last().map_or(0, str::len) - 1);
        }
        std::fs::write(dir.join(format!("scores-{}.csv", fold.name)), text).expect("written");
    }
    std::fs::write(dir.join("scores-other.csv"), csv(&mut other.iter())).expect("written");
}

#[test]
fn rows_go_out_without_the_answers_and_scores_come_back_in_their_places() {
    let dir = tempfile::tempdir().expect("a folder");
    let folds = folds(&CALLS, &Parts::of(&CALLS, Shares::default())).expect("folds");
    let rows: Vec<usize> = (OTHER.len() / 2..OTHER.len()).collect();
    let other = Some((&*OTHER, rows.as_slice()));
    exchange::export(dir.path(), &CALLS, &folds, other, 5).expect("exported");
    let manifest = std::fs::read_to_string(dir.path().join("manifest.json")).expect("read");
    assert!(manifest.contains("\"known\"") && manifest.contains(CATALOGUE[0].name));
    assert!(
        dir.path()
            .join("rows.arrow")
            .metadata()
            .expect("there")
            .len()
            > 1_000_000
    );
    answer(dir.path(), &folds, &rows, false);
    let (detectors, said) = exchange::import(dir.path(), &CALLS, &folds, other).expect("read");
    assert_eq!(said["made-up"].about, "for a test");
    let score = |row: &usize| f64::from(u32::try_from(*row).expect("small")) + 0.5;
    for (fold, scores) in folds.iter().zip(&detectors[0].folds) {
        let expected = |rows: &[usize]| rows.iter().map(score).collect::<Vec<f64>>();
        assert_eq!(scores.test, expected(&fold.split.hold_out));
        assert_eq!(scores.calibrate, expected(&fold.split.calibrate));
    }
    assert_eq!(detectors[0].folds[0].other.len(), rows.len());
    answer(dir.path(), &folds, &rows, true);
    let error = exchange::import(dir.path(), &CALLS, &folds, other).expect_err("a row short");
    assert!(error.to_string().contains("were asked for"), "{error}");
    // As many rows with the same numbers, one verdict apart: scores of those are not of these.
    answer(dir.path(), &folds, &rows, false);
    let mut changed = CALLS.clone();
    let row = folds[0].split.train[0];
    changed.data.y[row] = !changed.data.y[row];
    let error = exchange::import(dir.path(), &changed, &folds, other).expect_err("stale");
    assert!(error.to_string().contains("of other rows"), "{error}");
}

#[test]
fn a_command_that_fails_is_named() {
    let dir = tempfile::tempdir().expect("a folder");
    let error = exchange::run("false", dir.path()).expect_err("fails");
    assert!(error.to_string().contains("`false` failed"), "{error}");
    exchange::run("/nonexistent/python", dir.path()).expect_err("not there");
    exchange::run("", dir.path()).expect_err("nothing");
    exchange::run("test -d", dir.path()).expect("gets the folder");
}
