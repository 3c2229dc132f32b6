//! From a vector of features to a probability of fraud.
//!
//! The log-odds are a sum: one term per feature of the linear part, one leaf per tree. The
//! calibration bends them, the logistic function makes a probability of them. Why a score is
//! what it is: see `reasons`.

use super::check;
use super::curve::Curve;
use super::file::read_bounded;
use super::write_atomic;
use super::{Forest, Isolation, MAX_BYTES, ModelError, ModelFile, Probe, ScoreError, Transform};
use crate::domain::{FeatureSpec, FeatureVector};
use std::path::Path;

/// How far a probe's score may be from the one the file promises.
const PROBE_TOLERANCE: f32 = 1e-6;

/// A verified model file, flattened for the hot path.
#[derive(Debug)]
pub struct Model {
    file: ModelFile,
    sha256: String,
    /// Log-odds of the linear part for the average legitimate call, before calibration.
    pub(super) at_baseline: f64,
    /// Features the linear part weighs.
    pub(super) terms: Box<[Flat]>,
    pub(super) forest: Forest,
    pub(super) curve: Curve,
    isolation: Option<Isolation>,
    pub(super) tags: Box<[&'static str]>,
    /// Position in `tags` by feature.
    pub(super) tag_of: Box<[usize]>,
}

/// One feature's arithmetic.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flat {
    pub(super) feature: usize,
    pub(super) weight: f64,
    transform: Transform,
    mean: f64,
    scale: f64,
    clip: f64,
    baseline: f64,
}

impl Flat {
    /// Log-odds before calibration that the feature adds to an average legitimate call's.
    pub(super) fn contribution(&self, values: &[f32]) -> f64 {
        let x = f64::from(values[self.feature]);
        let z = (self.transform.apply(x) - self.mean) / self.scale;
        self.weight * (z.clamp(-self.clip, self.clip) - self.baseline)
    }
}

/// What a model says of one call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scored {
    /// Calibrated probability of fraud, 0 to 1.
    pub score: f32,
    /// Its log-odds, natural logarithm.
    pub log_odds: f64,
}

impl Model {
    /// Reads and verifies a file.
    ///
    /// # Errors
    /// Whatever keeps it from being used whole.
    pub fn load(path: &Path, catalogue: &[FeatureSpec], version: u16) -> Result<Self, ModelError> {
        Self::from_bytes(&read_bounded(path, MAX_BYTES)?, catalogue, version)
    }

    /// Verifies a file's bytes: seal, format, features against `catalogue` and `version`,
    /// every number, and that each probe scores as promised.
    ///
    /// # Errors
    /// Whatever keeps it from being used whole.
    pub fn from_bytes(
        bytes: &[u8],
        catalogue: &[FeatureSpec],
        version: u16,
    ) -> Result<Self, ModelError> {
        let (file, sha256) = ModelFile::from_bytes(bytes)?;
        Self::verified(file, sha256, catalogue, version)
    }

    /// From freshly trained content: its probes are made from `vectors` and it is then
    /// verified as if it had been read.
    ///
    /// # Errors
    /// Whatever would keep the file from being used.
    pub fn with_probes(
        mut file: ModelFile,
        vectors: &[Vec<f32>],
        catalogue: &[FeatureSpec],
        version: u16,
    ) -> Result<Self, ModelError> {
        file.probes = vectors
            .iter()
            .map(|features| Probe {
                features: features.clone(),
                score: 0.0,
                novelty: None,
            })
            .collect();
        check::check(&file, catalogue, version)?;
        let draft = Self::flatten(file, String::new(), catalogue);
        let mut file = draft.file.clone();
        for probe in &mut file.probes {
            probe.score = draft.score_values(&probe.features).score;
            probe.novelty = draft.novelty_of(&probe.features);
        }
        let (bytes, _) = file.to_bytes()?;
        Self::from_bytes(&bytes, catalogue, version)
    }

    fn verified(
        file: ModelFile,
        sha256: String,
        catalogue: &[FeatureSpec],
        version: u16,
    ) -> Result<Self, ModelError> {
        check::check(&file, catalogue, version)?;
        let model = Self::flatten(file, sha256, catalogue);
        for (index, probe) in model.file.probes.iter().enumerate() {
            let got = model.score_values(&probe.features).score;
            agree(index, probe.score, got)?;
            let novelty = model.novelty_of(&probe.features);
            if probe.novelty.is_some() != novelty.is_some() {
                return Err(ModelError::Invalid {
                    field: "probes",
                    expected: "with a novelty where there is an isolation forest, else without",
                });
            }
            agree(index, probe.novelty.unwrap_or(0.0), novelty.unwrap_or(0.0))?;
        }
        Ok(model)
    }

    fn flatten(file: ModelFile, sha256: String, catalogue: &[FeatureSpec]) -> Self {
        let mut tags: Vec<&'static str> = Vec::new();
        let tag_of = catalogue.iter().map(|spec| {
            tags.iter().position(|t| *t == spec.tag).unwrap_or_else(|| {
                tags.push(spec.tag);
                tags.len() - 1
            })
        });
        let tag_of: Box<[usize]> = tag_of.collect();
        let weighed = file.features.iter().enumerate();
        let terms: Box<[Flat]> = weighed
            .filter(|(_, term)| term.weight != 0.0)
            .map(|(feature, term)| Flat {
                feature,
                weight: f64::from(term.weight),
                transform: term.transform,
                mean: f64::from(term.mean),
                scale: f64::from(term.scale),
                clip: f64::from(term.clip),
                baseline: f64::from(term.baseline),
            })
            .collect();
        let baseline: f64 = terms.iter().map(|term| term.weight * term.baseline).sum();
        let isolation = file
            .novelty
            .as_ref()
            .map(|novelty| Isolation::new(&novelty.trees, novelty.sample as usize));
        Self {
            at_baseline: f64::from(file.intercept) + baseline,
            terms,
            forest: Forest::new(&file.trees),
            curve: Curve::new(&file.calibration),
            isolation,
            tags: tags.into(),
            tag_of,
            file,
            sha256,
        }
    }

    /// The model's id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.file.id
    }

    /// The file's hash, 64 hexadecimal digits.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The content it was read from.
    #[must_use]
    pub fn file(&self) -> &ModelFile {
        &self.file
    }

    /// The score above which R15 speaks where a policy names none of its own.
    #[must_use]
    pub fn threshold(&self) -> f32 {
        self.file.thresholds.default
    }

    /// The novelty above which a call alerts; `None`: the file has no isolation forest.
    #[must_use]
    pub fn novelty_alarm(&self) -> Option<f32> {
        self.file.novelty.as_ref().map(|novelty| novelty.alarm)
    }

    /// Writes the sealed file, whole or not at all.
    ///
    /// # Errors
    /// [`ModelError::Write`].
    pub fn save(&self, path: &Path) -> Result<(), ModelError> {
        let (bytes, _) = self.file.to_bytes()?;
        write_atomic(path, &bytes)
    }

    /// Scores a call. Allocates nothing.
    ///
    /// # Errors
    /// A vector of another version or length, or with a value that is not finite.
    pub fn score(&self, vector: &FeatureVector) -> Result<Scored, ScoreError> {
        self.check_vector(vector)?;
        Ok(self.score_values(&vector.values))
    }

    /// How unlike the calls of the training this one is, 0 to 1; `None`: the file has no
    /// isolation forest. Allocates nothing.
    ///
    /// # Errors
    /// As [`Model::score`].
    pub fn novelty(&self, vector: &FeatureVector) -> Result<Option<f32>, ScoreError> {
        self.check_vector(vector)?;
        Ok(self.novelty_of(&vector.values))
    }

    pub(super) fn novelty_of(&self, values: &[f32]) -> Option<f32> {
        let isolation = self.isolation.as_ref()?;
        Some(isolation.score(values))
    }

    pub(super) fn check_vector(&self, vector: &FeatureVector) -> Result<(), ScoreError> {
        if vector.version != self.file.features_version {
            return Err(ScoreError::Version {
                found: vector.version,
                wanted: self.file.features_version,
            });
        }
        if vector.values.len() != self.tag_of.len() {
            return Err(ScoreError::Length {
                found: vector.values.len(),
                wanted: self.tag_of.len(),
            });
        }
        match vector.values.iter().position(|x| !x.is_finite()) {
            Some(position) => Err(ScoreError::NotFinite { position }),
            None => Ok(()),
        }
    }

    /// Log-odds before calibration. `values` are finite and as many as the features.
    pub(super) fn raw(&self, values: &[f32]) -> f64 {
        let linear = self.terms.iter().map(|term| term.contribution(values));
        self.at_baseline + linear.sum::<f64>() + self.forest.sum(values)
    }

    fn score_values(&self, values: &[f32]) -> Scored {
        self.scored(self.raw(values))
    }

    pub(super) fn scored(&self, raw: f64) -> Scored {
        let log_odds = self.curve.at(raw);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a probability is served as f32"
        )]
        let score = sigmoid(log_odds) as f32;
        Scored { score, log_odds }
    }
}

fn agree(index: usize, expected: f32, got: f32) -> Result<(), ModelError> {
    let off = (got - expected).abs();
    if off <= PROBE_TOLERANCE {
        Ok(())
    } else {
        Err(ModelError::Probe {
            index,
            expected,
            got,
        })
    }
}

/// `1 / (1 + exp(-x))` without overflow on either side.
fn sigmoid(x: f64) -> f64 {
    if x >= 0.0 {
        1.0 / (1.0 + (-x).exp())
    } else {
        let e = x.exp();
        e / (1.0 + e)
    }
}
