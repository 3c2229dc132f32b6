use super::*;
use std::path::PathBuf;

fn write(text: &str) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("table.csv");
    std::fs::write(&path, text).expect("written");
    (dir, path)
}

/// 30 rows near 10 among 300 near 0, and a column that says nothing.
fn separable() -> String {
    let mut text = String::from("x,outlier,noise\n");
    for row in 0..330 {
        let rare = row % 11 == 0;
        let x = f64::from(row * 37 % 101) / 101.0 + if rare { 10.0 } else { 0.0 };
        text.push_str(&format!("{x},{},{}\n", u8::from(rare), row * 17 % 23));
    }
    text
}

#[test]
fn what_can_be_told_apart_is_told_apart_by_every_learner() {
    let (_dir, path) = write(&separable());
    let (data, catalogue) = read_table(&path, "outlier").expect("read");
    assert_eq!((data.rows(), catalogue.len()), (330, 2));
    let report = evaluate_table(&data, catalogue, 2, 1, &|_| {}).expect("evaluated");
    assert_eq!((report.positives, report.columns), (30, 2));
    for (name, figures) in &report.learners {
        assert!(figures.roc_auc.mean > 0.95, "{name}: {figures:?}");
    }
    let again = evaluate_table(&data, catalogue, 2, 1, &|_| {}).expect("evaluated");
    assert_eq!(report, again);
}

#[test]
fn what_is_wrong_with_a_table_is_named_with_its_place() {
    let error = |text: &str| {
        let (_dir, path) = write(text);
        read_table(&path, "y").expect_err("refused").to_string()
    };
    let says = error("a,b\n1,0\n");
    assert!(
        says.contains("no column `y`") && says.contains("a, b"),
        "{says}"
    );
    let says = error("a,y\n1,0\nmuch,0\n");
    assert!(says.contains("line 3") && says.contains("`a`"), "{says}");
    let says = error("a,y\n1,2\n");
    assert!(says.contains("expected 0 or 1"), "{says}");
    let says = error("a,y\n1,0\n1,1\n");
    assert!(says.contains("at least 10"), "{says}");
}

#[test]
fn every_part_has_its_share_of_both_labels() {
    let (_dir, path) = write(&separable());
    let (data, _) = read_table(&path, "outlier").expect("read");
    let split = stratified(&data, 3);
    let positives = [&split.train, &split.calibrate, &split.hold_out].map(|p| data.positives(p));
    assert_eq!(positives, [18, 3, 9]);
    assert_ne!(split.train, stratified(&data, 4).train);
}

/// Published ROC areas of isolation forests (Liu 2008; Rayana 2016; Han 2022), and the most by
/// which ours may fall short.
const PUBLISHED: [(&str, f64); 4] = [
    ("cardio", 0.92),
    ("pendigits", 0.944),
    ("satimage-2", 0.993),
    ("shuttle", 0.997),
];
const SHORT: f64 = 0.02;

#[test]
fn the_isolation_forest_is_as_good_as_the_published_one() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/adbench");
    if !dir.is_dir() {
        println!("skipped: {} is not there", dir.display());
        return;
    }
    for (name, published) in PUBLISHED {
        let (data, _) = read_table(&dir.join(format!("{name}.csv")), "label").expect("read");
        let figures = repeated(3, |repeat| isolated(&data, repeat)).expect("isolated");
        let area = figures.roc_auc.mean;
        assert!(
            area > published - SHORT,
            "{name}: {area} where {published} is published"
        );
    }
}
