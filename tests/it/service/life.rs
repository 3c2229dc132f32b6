//! The life of a model: compared, promoted, rolled back under load.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, TryLockError};
use std::process::Stdio;

use serde_json::Value;
use tfps::app::clock;
use tfps::domain::FeatureVector;
use tfps::features::{CATALOGUE, VERSION};
use tfps::model::{Model, promotion};

use super::learning::{json, school};
use super::models::{force, wait_in_force};
use crate::support::{Load, TestService, eventually};

/// The school's commands and judged calls, in a data folder of its own: nothing runs.
fn at_school() -> TestService {
    let service = TestService::prepare_on_shared("school");
    school().hand_models_to(&service);
    service
}

fn promoted(service: &TestService) -> Value {
    let pointer = service.data().join("models/in-force.json");
    let text = fs::read_to_string(pointer).expect("a pointer");
    serde_json::from_str::<Value>(&text).expect("JSON")["model"].clone()
}

#[test]
fn training_compares_with_the_model_in_force() {
    let trained = &school().trained;
    let comparison = &trained["comparison"];
    assert_eq!(comparison["candidate"]["id"], trained["id"]);
    assert_eq!(
        comparison["candidate"]["sha256"],
        trained["report"]["sha256"]
    );
    assert_ne!(comparison["in_force"]["id"], trained["id"]);
    let figures = comparison["figures"].as_array().expect("figures");
    let names: Vec<_> = figures.iter().filter_map(|f| f["name"].as_str()).collect();
    assert_eq!(
        names,
        [
            "recall at 0.1 % false positives",
            "recall at 0.01 % false positives",
            "average precision",
            "recall at its own threshold",
            "false positives at its own threshold",
            "calls leaked per attack"
        ]
    );
    // On the held-out part, as the shipped model saw none of it: so the figures are the report's.
    let held_out = &trained["report"]["held_out"];
    assert_eq!(comparison["calls"]["rows"], held_out["rows"]);
    for (figure, known) in [(2, "average_precision"), (3, "recall")] {
        let [a, b] = [&figures[figure]["candidate"], &held_out[known]].map(|x| x.as_f64());
        let (a, b) = (a.expect("a figure"), b.expect("a figure"));
        assert!((a - b).abs() < 1e-9, "{known}: {a} against {b}");
    }
    eprintln!("{comparison:#}");
}

#[test]
fn nothing_replaces_the_model_in_force_without_a_comparison_that_advises_it() {
    let service = at_school();
    let [first, second] = &school().models;
    force(&service, first);
    let forced = promoted(&service)["forced"].clone();
    assert_eq!(forced["why"], "a test");
    assert!(forced["by"].is_string());

    // Compared with the shipped one perhaps, and never with this one.
    let ended = service.tfps(&["models", "promote", second]);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    let what_to_do = format!("`tfps models compare {second}`");
    assert!(ended.stderr.contains(&what_to_do), "{ended:?}");
    assert_eq!(promoted(&service)["id"], **first);

    let compared = json(&service.tfps(&["models", "compare", second, "--json"]), 0);
    assert_eq!(compared["candidate"]["id"], **second);
    assert_eq!(compared["in_force"]["id"], **first);
    assert!(
        compared["calls"]["left_out"].as_u64() > Some(0),
        "trained on them"
    );
    assert!(compared["calls"]["fraud"].as_u64() > Some(0), "{compared}");
    let advised = compared["advice"] == "promote";
    let ended = service.tfps(&["models", "promote", second]);
    assert_eq!(ended.code, Some(if advised { 0 } else { 3 }), "{ended:?}");
    let now = if advised { second } else { first };
    assert_eq!(promoted(&service)["id"], **now);

    // A comparison somebody has written into is none.
    force(&service, first);
    let file = service
        .data()
        .join(format!("models/{second}.comparison.json"));
    let text = fs::read_to_string(&file).expect("a comparison");
    let advice = compared["advice"].as_str().expect("advice");
    let other = text.replace(&format!("\"{advice}\""), "\"promote \"");
    assert_ne!(text, other);
    fs::write(&file, other).expect("written");
    let ended = service.tfps(&["models", "promote", second]);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(
        ended.stderr.contains("changed since it was written"),
        "{ended:?}"
    );

    // What is shown, and the way back, which asks for nothing.
    let shown = service.tfps_ok(&["models", "show", first]);
    assert!(shown.contains("average precision"), "{shown}");
    service.tfps_ok(&["models", "rollback"]);
    let ended = service.tfps(&["models", "compare", "nonsense"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("no such model: `nonsense`"));
}

#[test]
fn training_as_a_routine_says_what_came_of_it() {
    let service = at_school();
    let models = service.data().join("models");
    let arguments = [
        "train",
        "--promote-if-better",
        "--learner",
        "logistic",
        "--seed",
        "3",
        "--json",
    ];

    // Another one is at work.
    let lock = File::create(models.join(".training.lock")).expect("a lock");
    lock.lock().expect("taken");
    let ended = service.tfps(&arguments);
    assert_eq!(ended.code, Some(75), "{ended:?}");
    assert!(
        ended.stderr.contains("another training is at work"),
        "{ended:?}"
    );
    drop(lock);

    let ended = service.tfps(&arguments);
    let said: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    let id = said["id"].as_str().expect("an id");
    let pointer = models.join("in-force.json");
    match said["comparison"]["advice"].as_str() {
        Some("promote") => {
            assert_eq!(ended.code, Some(0), "{ended:?}");
            assert_eq!(promoted(&service)["id"], id);
            assert_eq!(promoted(&service)["forced"], Value::Null);
        }
        advice => {
            assert_eq!(ended.code, Some(3), "{advice:?}: {ended:?}");
            assert!(
                ended.stderr.contains("the model in force stays"),
                "{ended:?}"
            );
            assert!(!pointer.exists());
        }
    }
    let drafts = fs::read_dir(&models).expect("a folder").flatten();
    let drafts = drafts.filter(|f| f.file_name().to_string_lossy().ends_with(".tmp"));
    assert_eq!(drafts.count(), 0);
}

#[test]
fn a_training_that_is_killed_leaves_no_half_file_and_no_lock() {
    let service = at_school();
    let models = service.data().join("models");
    let names = || -> BTreeSet<_> {
        let files = fs::read_dir(&models).expect("a folder").flatten();
        files.map(|file| file.file_name()).collect()
    };
    let before = names();
    let mut child = service
        .command(&["train", "--seed", "4"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let lock = models.join(".training.lock");
    let is_taken = || {
        let file = File::open(&lock).ok()?;
        matches!(file.try_lock(), Err(TryLockError::WouldBlock)).then_some(())
    };
    eventually("the training is at work", is_taken);
    child.kill().expect("killed");
    child.wait().expect("ended");
    assert_eq!(is_taken(), None);
    let left: Vec<_> = names().difference(&before).cloned().collect();
    assert_eq!(left, [".training.lock"]);
}

#[test]
fn too_few_labels_say_what_is_missing_and_where_more_come_from() {
    let service = TestService::prepare_on_shared("life_unlabelled").with_accounts();
    let ended = service.tfps(&["train"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    for part in [
        "No call is judged yet",
        "tfps verdict",
        "tfps import",
        "honeypot",
        "has 0 with the verdict `fraud`, 10 are needed",
    ] {
        assert!(ended.stderr.contains(part), "{part}: {ended:?}");
    }
    assert_eq!(
        promotion::ids(&service.data().join("models")).expect("none"),
        [""; 0]
    );
}

/// A row of `calls`.
struct Row {
    at: i64,
    model: String,
    score: f32,
    features: Vec<f32>,
}

fn rows(service: &TestService) -> Vec<Row> {
    let text = service.sql(
        "SELECT toUnixTimestamp64Micro(at), model, score, features FROM calls \
         WHERE ingress = 'prevention' ORDER BY at",
    );
    let row = |line: &str| {
        let [at, model, score, features] = line.split('\t').collect::<Vec<_>>()[..]
            .try_into()
            .expect("four");
        let numbers = features.trim_matches(['[', ']']).split(',');
        Row {
            at: at.parse().expect("a time"),
            model: String::from(model),
            score: score.parse().expect("a score"),
            features: numbers.map(|x| x.parse().expect("a number")).collect(),
        }
    };
    text.lines().map(row).collect()
}

/// Now, microseconds, by the clock that calls are timed by.
fn micros() -> i64 {
    clock::now().0
}

/// The same model, more suspicious.
fn raised(model: &Model, log_odds: f32) -> Model {
    let mut file = model.file().clone();
    let vectors: Vec<_> = file.probes.iter().map(|p| p.features.clone()).collect();
    file.id = "raised".into();
    file.intercept += log_odds;
    Model::with_probes(file, &vectors, CATALOGUE, VERSION).expect("a model")
}

/// Promotions and roll-backs while calls come in: each is answered once, stored once, scored by
/// the very model that was in force at its time, and by nothing else.
#[test]
fn models_come_and_go_under_load_and_every_score_is_its_models() {
    const CALLS: u64 = 8_000;
    /// What makes the second model's scores differ from the first's, log-odds.
    const RAISED: f32 = 0.5;
    /// Calls under each model before the next change.
    const EACH: u64 = 500;
    /// A thread may be kept waiting between a call's time and its score.
    const SLACK: i64 = 250_000;
    let service = TestService::start_on_shared("life_live");
    school().hand_models_to(&service);
    let folder = service.data().join("models");
    let a = &school().models[0];
    let first = promotion::load(&folder, a, CATALOGUE, VERSION).expect("a model");
    let second = raised(&first, RAISED);
    second
        .save(&promotion::path_of(&folder, second.id()))
        .expect("saved");
    let b = &second.id().to_owned();
    force(&service, a);
    wait_in_force(&service, a);
    // Slowly enough that the last change comes before the last call, on any machine.
    let options = [
        "--seed", "5", "--days", "14", "--start", "now", "--rate", "800",
    ];
    let load = Load::start_with(&service, service.prevention(), CALLS, &options);
    let mut spans = Vec::new();
    let changes: [(&str, &String); 6] = [
        ("promote", b),
        ("roll-back", a),
        ("promote", b),
        ("promote", a),
        ("roll-back", b),
        ("roll-back", a),
    ];
    let stay = |id: &str, spans: &mut Vec<(String, i64, i64)>| {
        let (from, decided) = (micros(), service.decided());
        eventually("calls are decided", || {
            (service.decided() >= decided + EACH).then_some(())
        });
        spans.push((id.to_owned(), from, micros()));
    };
    stay(a, &mut spans);
    for (change, id) in changes {
        match change {
            "promote" => force(&service, id),
            _ => drop(service.tfps_ok(&["models", "roll-back"])),
        }
        wait_in_force(&service, id);
        stay(id, &mut spans);
    }
    let sent = load.finish();
    assert_eq!(sent.by_status.get(&302), Some(&CALLS), "{sent:?}");
    service.wait_for_rows(CALLS);
    assert_eq!(service.decided(), CALLS);
    assert_eq!(service.metric("tfps_model_swaps_total", &[]), 7);
    assert_eq!(service.metric("tfps_model_refusals_total", &[]), 0);

    let rows = rows(&service);
    let models = BTreeMap::from([(a.clone(), first), (b.clone(), second)]);
    let mut other_scores = 0;
    for row in &rows {
        let vector = FeatureVector {
            version: VERSION,
            values: row.features.clone(),
        };
        let score = |id: &str| models[id].score(&vector).expect("scored").score;
        assert_eq!(score(&row.model), row.score, "by {}", row.model);
        let other = if row.model == *a { b } else { a };
        other_scores += u64::from(score(other) != row.score);
    }
    assert!(
        other_scores > CALLS / 2,
        "the two models score alike: {other_scores}"
    );
    for (id, from, to) in &spans {
        let inside = rows.iter().filter(|r| r.at > *from && r.at + SLACK < *to);
        let by: BTreeSet<_> = inside.map(|row| row.model.as_str()).collect();
        assert!(by.iter().all(|model| model == id), "{id}: {by:?}");
    }
    let seen = spans.iter().filter(|(_, from, to)| {
        let mut inside = rows.iter();
        inside.any(|r| r.at > *from && r.at + SLACK < *to)
    });
    assert!(seen.count() >= 3, "hardly a call fell between two changes");
}
