//! `tfps evaluate` from outside: what it writes, what it compares, what it refuses.

use crate::support::TFPS;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

/// A world that is walked in seconds.
const SMALL: [&str; 14] = [
    "--subscribers",
    "12",
    "--tenants",
    "2",
    "--days",
    "8",
    "--attacks-per-day",
    "3",
    "--bootstrap",
    "5",
    "--learner",
    "logistic",
    "--seed",
    "7",
];

fn evaluate(arguments: &[&str], folder: &Path) -> Output {
    Command::new(TFPS)
        .arg("evaluate")
        .args(arguments)
        .current_dir(folder)
        .env_remove("TFPS_CONFIG")
        .output()
        .expect("it runs")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn what_is_published_is_what_an_evaluation_finds_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = [
        &SMALL[..],
        &["--publish", "models", "--out", "out", "--json"],
    ]
    .concat();
    let first = evaluate(&first, folder.path());
    assert!(first.status.success(), "{}", stderr(&first));
    let report: Value = serde_json::from_slice(&first.stdout).expect("JSON");
    let ours = &report["detectors"][0]["columns"]["held_out"]["overall"];
    assert!(
        ours["ranking"]["average_precision"]["value"].is_f64(),
        "{ours}"
    );
    assert!(ours["one_in_10_000"]["money_leaked"].is_object(), "{ours}");
    let read = |path: &str| std::fs::read_to_string(folder.path().join(path)).expect(path);
    assert_eq!(
        serde_json::from_str::<Value>(&read("out/report.json")).expect("JSON"),
        report
    );
    assert!(read("out/figures.csv").starts_with("detector,column,family"));
    let card = read("models/default.card.md");
    assert!(card.contains(read("out/evaluation.md").trim_end()));
    assert!(card.contains(report["sha256"].as_str().expect("a hash")));
    let model = read("models/default.json");
    assert!(model.contains(report["model"].as_str().expect("an id")));

    // The same model, byte for byte, and the same figures.
    let second = ["--check", "models/default.card.md", "--publish", "again"];
    let second = evaluate(&[&SMALL[..], &second].concat(), folder.path());
    assert!(second.status.success(), "{}", stderr(&second));
    assert!(stderr(&second).contains("the card's figures are these figures"));
    assert_eq!(read("again/default.json"), model);

    // A card that says otherwise is told so.
    let line = card
        .lines()
        .find(|line| line.starts_with("| test |"))
        .expect("the part");
    let lie = card.replace(line, &line.replacen("| test | ", "| test | 9", 1));
    let lies = folder.path().join("lies");
    std::fs::create_dir(&lies).expect("a folder");
    std::fs::write(lies.join("default.card.md"), lie).expect("written");
    std::fs::write(lies.join("default.json"), &model).expect("written");
    let third = evaluate(
        &[&SMALL[..], &["--check", "lies/default.card.md"]].concat(),
        folder.path(),
    );
    assert_eq!(third.status.code(), Some(1));
    assert!(
        stderr(&third).contains("1 of its lines say otherwise"),
        "{}",
        stderr(&third)
    );
}

#[test]
fn what_makes_no_sense_is_refused_by_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let refused = |arguments: &[&str], code: i32, says: &str| {
        let output = evaluate(arguments, folder.path());
        assert_eq!(
            output.status.code(),
            Some(code),
            "{arguments:?}: {}",
            stderr(&output)
        );
        assert!(
            stderr(&output).contains(says),
            "{arguments:?}: {}",
            stderr(&output)
        );
    };
    refused(&["--subscribers", "0"], 1, "give at least 1");
    refused(&["--table", "t.csv"], 2, "--label");
    refused(&["calls.csv", "--days", "3"], 2, "--days");
    refused(&["nothing.csv"], 1, "nothing.csv");
    refused(&["--peers", "true"], 2, "--exchange");
    refused(&["--check", "no.card.md"], 1, "no.card.md");
    std::fs::write(folder.path().join("lone.card.md"), "# Model\n").expect("written");
    refused(&["--check", "lone.card.md"], 1, "lone.json");
    std::fs::write(folder.path().join("t.csv"), "a,b\n1,0\n").expect("written");
    refused(&["--table", "t.csv", "--label", "c"], 1, "no column `c`");
    let honest = [
        "--subscribers",
        "3",
        "--days",
        "4",
        "--attacks-per-day",
        "0",
    ];
    refused(&honest, 1, "0 frauds");
}
