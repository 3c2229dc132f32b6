use super::testing::{CATALOGUE, VERSION, file, model, vectors};
use super::*;
use crate::domain::{FeatureSpec, FeatureVector};

fn bytes_of(file: &ModelFile) -> Vec<u8> {
    file.to_bytes().unwrap().0
}

fn read(bytes: &[u8]) -> Result<Model, ModelError> {
    Model::from_bytes(bytes, CATALOGUE, VERSION)
}

fn vector(values: &[f32]) -> FeatureVector {
    FeatureVector {
        version: VERSION,
        values: values.to_vec(),
    }
}

/// The good content with one thing changed, sealed again.
fn refused(change: impl FnOnce(&mut ModelFile)) -> ModelError {
    let mut file = model("a", 0.7).file().clone();
    change(&mut file);
    read(&bytes_of(&file)).unwrap_err()
}

#[test]
fn saved_and_loaded_it_scores_bit_for_bit_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.json");
    let before = model("a", 0.123_456_79);
    before.save(&path).unwrap();
    let after = Model::load(&path, CATALOGUE, VERSION).unwrap();
    assert_eq!(after.file(), before.file());
    assert_eq!(after.sha256(), before.sha256());
    for values in vectors() {
        let (a, b) = (
            before.score(&vector(&values)),
            after.score(&vector(&values)),
        );
        assert_eq!(a.unwrap().log_odds.to_bits(), b.unwrap().log_odds.to_bits());
    }
    let left: Vec<_> = std::fs::read_dir(dir.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "no temporary file stays");
}

#[test]
fn one_changed_byte_at_any_position_is_refused() {
    let good = bytes_of(model("a", 0.7).file());
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 0x20;
        assert!(ModelFile::from_bytes(&bad).is_err(), "byte {at}");
        bad[at] = good[at] ^ 1;
        assert!(ModelFile::from_bytes(&bad).is_err(), "byte {at}");
    }
}

#[test]
fn a_cut_or_lengthened_file_is_refused() {
    let good = bytes_of(model("a", 0.7).file());
    for keep in [0, 1, 60, good.len() / 2, good.len() - 1] {
        assert!(
            matches!(read(&good[..keep]), Err(ModelError::NotSealed)),
            "{keep}"
        );
    }
    let longer = [good.as_slice(), b"\n"].concat();
    assert!(matches!(read(&longer), Err(ModelError::NotSealed)));
    let huge = vec![b' '; usize::try_from(MAX_BYTES).unwrap() + 1];
    assert!(matches!(read(&huge), Err(ModelError::TooLarge { .. })));
}

#[test]
fn a_larger_file_is_not_read_into_memory() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("big.json");
    let sparse = std::fs::File::create(&path).unwrap();
    sparse.set_len(1 << 40).unwrap();
    let error = Model::load(&path, CATALOGUE, VERSION).unwrap_err();
    assert!(matches!(error, ModelError::TooLarge { .. }));
}

#[test]
fn the_seal_can_be_checked_by_hand() {
    let (bytes, sha256) = model("a", 0.7).file().to_bytes().unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let blank = text.replace(&sha256, &"0".repeat(64));
    assert_eq!(seal::sha256_hex(blank.as_bytes()), sha256);
    // FIPS 180-2, appendix B.1.
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(seal::sha256_hex(b"abc"), abc);
}

#[test]
fn another_format_and_unknown_fields_are_refused() {
    let error = refused(|f| f.format = 3);
    assert!(matches!(
        error,
        ModelError::UnknownFormat { found: 3, known: 2 }
    ));
    let (body, _) = seal::unseal(&bytes_of(model("a", 0.7).file())).unwrap();
    let (extra, _) = seal::seal(&body.replacen("\"id\"", "\"colour\": 1, \"id\"", 1));
    assert!(matches!(read(&extra), Err(ModelError::Json(_))));
    let (inner, _) = seal::seal(&body.replacen("\"mean\"", "\"median\": 1, \"mean\"", 1));
    assert!(matches!(read(&inner), Err(ModelError::Json(_))));
    let (infinite, _) = seal::seal(&body.replacen("-4.2", "1e999", 1));
    assert!(read(&infinite).is_err());
    let (overflow, _) = seal::seal(&body.replacen("-4.2", "1e39", 1));
    assert!(read(&overflow).is_err(), "larger than f32 holds");
}

#[test]
fn features_must_be_the_catalogue_s() {
    let error = refused(|f| f.features_version = 8);
    assert!(matches!(
        error,
        ModelError::FeaturesVersion {
            found: 8,
            wanted: VERSION
        }
    ));
    let error = refused(|f| f.features.swap(0, 1));
    assert!(matches!(error, ModelError::FeatureName { position: 0, .. }));
    let good = bytes_of(model("a", 0.7).file());
    let shorter: &[FeatureSpec] = &CATALOGUE[..3];
    let error = Model::from_bytes(&good, shorter, VERSION).unwrap_err();
    assert!(matches!(
        error,
        ModelError::FeatureCount {
            found: 4,
            wanted: 3
        }
    ));
}

#[test]
fn numbers_out_of_bounds_are_refused() {
    let changes: [fn(&mut ModelFile); 10] = [
        |f| f.features[1].scale = 0.0,
        |f| f.features[1].scale = -1.0,
        |f| f.features[0].clip = 0.0,
        |f| f.features[2].weight = f32::NAN,
        |f| f.intercept = f32::INFINITY,
        |f| {
            f.calibration = Calibration::Platt {
                slope: -1.0,
                offset: 0.0,
            };
        },
        |f| f.thresholds.default = 1.5,
        |f| f.metrics.brier = -0.1,
        |f| f.created = "yesterday".to_owned(),
        |f| f.id = "../up".to_owned(),
    ];
    for (i, change) in changes.into_iter().enumerate() {
        let error = refused(change);
        let named = matches!(
            error,
            ModelError::Invalid { .. } | ModelError::BadId { .. } | ModelError::Json(_)
        );
        assert!(named, "change {i}: {error}");
    }
}

#[test]
fn probes_must_be_there_and_be_reproduced() {
    let error = refused(|f| f.probes.truncate(15));
    assert!(matches!(
        error,
        ModelError::Invalid {
            field: "probes",
            ..
        }
    ));
    let error = refused(|f| f.probes[3].features.truncate(2));
    assert!(matches!(
        error,
        ModelError::Invalid {
            field: "probes",
            ..
        }
    ));
    let error = refused(|f| f.probes[3].score += 1e-4);
    assert!(matches!(error, ModelError::Probe { index: 3, .. }));
    let error = refused(|f| f.features[0].weight += 0.01);
    assert!(matches!(error, ModelError::Probe { .. }));
}

#[test]
fn contributions_and_base_add_up_and_reasons_are_the_largest() {
    let model = model("a", 0.7);
    let call = vector(&[20.0, 3.3, 1.0, 0.0]);
    let scored = model.score(&call).unwrap();
    let parts = model.contributions(&call).unwrap();
    let sum: f64 = parts.base + parts.by_tag.iter().map(|(_, c)| c).sum::<f64>();
    assert!((sum - scored.log_odds).abs() < 1e-12);
    let tags: Vec<_> = parts.by_tag.iter().map(|(t, _)| *t).collect();
    assert_eq!(
        tags,
        ["burst-1m", "new-country", "night"],
        "features of one tag are summed"
    );
    let explained = model.explain(&call, 2).unwrap();
    assert_eq!(explained.scored, scored);
    let named: Vec<_> = explained.reasons.iter().map(|r| r.tag.as_str()).collect();
    assert_eq!(named, ["new-country", "burst-1m"]);
    assert_eq!(model.explain(&call, 1).unwrap().reasons.len(), 1);
}

#[test]
fn a_reason_that_is_a_lack_says_so() {
    let model = model("a", -0.7);
    let call = vector(&[0.0, 3.3, 0.0, 0.0]);
    let explained = model.explain(&call, 4).unwrap();
    let named: Vec<_> = explained.reasons.iter().map(|r| r.tag.as_str()).collect();
    assert_eq!(
        named,
        ["low-night", "low-burst-1m"],
        "what is missing raised this score"
    );
}

#[test]
fn the_score_is_the_formula_s() {
    // By hand (Python): z = (log1p(20)-.1)/.3 clipped to 8 -> 8; 0; 9.9 -> 8; -0.577350...
    let model = model("a", 0.7);
    let scored = model.score(&vector(&[20.0, 3.3, 1.0, 0.0])).unwrap();
    let raw = -4.2 + 0.7 * 8.0 + 0.0 + 1.3 * 8.0 - 0.4 * (-0.25 / 0.433_012_7);
    let log_odds = 0.9 * raw - 0.3;
    assert!((scored.log_odds - log_odds).abs() < 1e-5);
    assert!((f64::from(scored.score) - 1.0 / (1.0 + (-log_odds).exp())).abs() < 1e-6);
}

#[test]
fn an_average_legitimate_call_scores_the_base() {
    // The vector whose standardised values are the baselines.
    let mut content = file("a");
    for term in &mut content.features {
        term.transform = Transform::Identity;
        term.baseline = 0.0;
    }
    let at_mean: Vec<f32> = content.features.iter().map(|t| t.mean).collect();
    let model = Model::with_probes(content, &vectors(), CATALOGUE, VERSION).unwrap();
    let call = vector(&at_mean);
    let parts = model.contributions(&call).unwrap();
    assert!(parts.by_tag.iter().all(|(_, c)| c.abs() < 1e-12));
    assert!(model.explain(&call, 5).unwrap().reasons.is_empty());
}

#[test]
fn vectors_of_another_make_are_not_scored() {
    let model = model("a", 0.7);
    let mut call = vector(&[1.0, 1.0, 1.0, 1.0]);
    call.version = 6;
    assert!(matches!(
        model.score(&call),
        Err(ScoreError::Version { .. })
    ));
    let short = vector(&[1.0]);
    assert!(matches!(
        model.score(&short),
        Err(ScoreError::Length { .. })
    ));
    let nan = vector(&[1.0, f32::NAN, 1.0, 1.0]);
    assert!(matches!(
        model.score(&nan),
        Err(ScoreError::NotFinite { position: 1 })
    ));
    let extreme = vector(&[f32::MAX, f32::MIN, f32::MAX, f32::MIN]);
    assert!((0.0..=1.0).contains(&model.score(&extreme).unwrap().score));
}
