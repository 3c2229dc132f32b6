//! Files with trees and an isolation forest: used whole or refused whole.

use super::testing::{CATALOGUE, VERSION, boosted_file, file, vectors};
use super::*;
use crate::domain::FeatureVector;

fn boosted() -> Model {
    Model::with_probes(boosted_file("a"), &vectors(), CATALOGUE, VERSION).unwrap()
}

fn read(file: &ModelFile) -> Result<Model, ModelError> {
    Model::from_bytes(&file.to_bytes().unwrap().0, CATALOGUE, VERSION)
}

fn refused(change: impl FnOnce(&mut ModelFile)) -> ModelError {
    let mut file = boosted().file().clone();
    change(&mut file);
    read(&file).unwrap_err()
}

fn reasons(values: &[f32]) -> Vec<String> {
    let call = FeatureVector {
        version: VERSION,
        values: values.to_vec(),
    };
    let explained = boosted().explain(&call, 9).unwrap();
    explained.reasons.into_iter().map(|r| r.tag).collect()
}

#[test]
fn saved_and_loaded_it_is_the_same_and_scores_bit_for_bit_the_same() {
    let before = boosted();
    let after = read(before.file()).unwrap();
    assert_eq!(after.file(), before.file());
    assert_eq!(after.sha256(), before.sha256());
    for values in vectors() {
        let call = FeatureVector {
            version: VERSION,
            values,
        };
        assert_eq!(before.explain(&call, 9), after.explain(&call, 9));
    }
    assert_eq!(after.novelty_alarm(), Some(0.6));
}

#[test]
fn what_cannot_be_walked_is_refused_by_name() {
    let changes: [fn(&mut ModelFile); 8] = [
        |f| f.trees[0].feature[0] = 4,
        |f| f.trees[0].left[1] = 1,
        |f| f.trees[1].left[0] = 99,
        |f| f.trees[1].value.truncate(2),
        |f| f.trees[0].left[0] = 3,
        |f| f.novelty.as_mut().unwrap().trees[0].feature[0] = 4,
        |f| f.novelty.as_mut().unwrap().trees[0].left[0] = 2,
        |f| f.novelty.as_mut().unwrap().trees[1] = Tree::default(),
    ];
    for (i, change) in changes.into_iter().enumerate() {
        let error = refused(change);
        assert!(
            matches!(error, ModelError::Tree { .. }),
            "change {i}: {error}"
        );
    }
}

#[test]
fn a_kind_and_its_parts_must_fit() {
    let changes: [fn(&mut ModelFile); 6] = [
        |f| f.trees.clear(),
        |f| f.kind = Kind::Logistic,
        |f| f.novelty.as_mut().unwrap().trees.clear(),
        |f| f.novelty.as_mut().unwrap().sample = 1,
        |f| f.novelty.as_mut().unwrap().alarm = 1.1,
        |f| {
            let mut deep = Tree::leaf(0.0);
            for node in 0..(MAX_NODES / 2) {
                deep.split(node, 0, 0.0, [0.0; 2]);
            }
            f.trees.push(deep);
        },
    ];
    for (i, change) in changes.into_iter().enumerate() {
        let error = refused(change);
        assert!(
            matches!(error, ModelError::Invalid { .. }),
            "change {i}: {error}"
        );
    }
}

#[test]
fn a_calibration_that_does_not_rise_is_refused() {
    let bent = |from: Vec<f32>, to: Vec<f32>| {
        refused(move |f| f.calibration = Calibration::Piecewise { from, to })
    };
    for (from, to) in [
        (vec![0.0], vec![0.0]),
        (vec![0.0, 1.0], vec![0.0]),
        (vec![0.0, 1.0], vec![0.0, 0.0]),
        (vec![0.0, 1.0, 1.0], vec![0.0, 1.0, 2.0]),
        (vec![1.0, 0.0], vec![1.0, 0.0]),
    ] {
        let error = bent(from.clone(), to);
        let field = matches!(&error, ModelError::Invalid { field, .. } if *field == "calibration");
        assert!(field, "{from:?}: {error}");
    }
}

#[test]
fn probes_know_leaves_and_novelty() {
    let error = refused(|f| f.trees[0].value[3] += 0.01);
    assert!(matches!(error, ModelError::Probe { .. }), "{error}");
    let error = refused(|f| f.novelty.as_mut().unwrap().trees[0].value[2] += 0.01);
    assert!(matches!(error, ModelError::Probe { .. }), "{error}");
    let error = refused(|f| f.probes[2].novelty = None);
    assert!(
        matches!(
            error,
            ModelError::Invalid {
                field: "probes",
                ..
            }
        ),
        "{error}"
    );
    let error = refused(|f| f.novelty = None);
    assert!(
        matches!(
            error,
            ModelError::Invalid {
                field: "probes",
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn files_of_the_first_format_are_still_read() {
    let mut old = Model::with_probes(file("a"), &vectors(), CATALOGUE, VERSION)
        .unwrap()
        .file()
        .clone();
    old.format = 1;
    let (bytes, _) = old.to_bytes().unwrap();
    let text = String::from_utf8(bytes.clone()).unwrap();
    assert!(!text.contains("trees") && !text.contains("novelty"));
    let model = Model::from_bytes(&bytes, CATALOGUE, VERSION).unwrap();
    assert_eq!(model.novelty_alarm(), None);
    assert_eq!(model.file().kind, Kind::Logistic);
}

#[test]
fn splits_speak_in_reasons_and_say_when_a_lack_raised_the_score() {
    // calls_1m 11: right of 2.5 (+1.16), new_country 0: left of .5 (-0.45 and +.15), right of
    // 10 (+.9).
    let tags = reasons(&[11.0, 3.3, 0.0, 0.0]);
    assert_eq!(tags[0], "burst-1m", "{tags:?}");
    let mut small = boosted_file("a");
    small.trees = vec![Tree::leaf(0.0)];
    small.trees[0].split(0, 3, 0.5, [1.0, -1.0]);
    for term in &mut small.features {
        term.weight = 0.0;
    }
    let model = Model::with_probes(small, &vectors(), CATALOGUE, VERSION).unwrap();
    let call = |night| FeatureVector {
        version: VERSION,
        values: vec![0.0, 0.0, 0.0, night],
    };
    let explained = model.explain(&call(0.0), 3).unwrap();
    assert_eq!(explained.reasons.len(), 1);
    assert_eq!(explained.reasons[0].tag, "low-night");
    assert!(model.explain(&call(0.5), 3).unwrap().reasons.is_empty());
}
