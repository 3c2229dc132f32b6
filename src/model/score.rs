//! From a vector of features to a probability of fraud, and why.
//!
//! The calibrated log-odds are a sum: a base (what an average legitimate call gets) plus one
//! contribution per feature, its distance from the average legitimate call times its weight.
//! So the reasons are exact: base and contributions add up to the log-odds.

use super::check::{self, MAX_FEATURES};
use super::file::read_bounded;
use super::write_atomic;
use super::{Calibration, MAX_BYTES, ModelError, ModelFile, Probe, ScoreError, Transform};
use crate::domain::{FeatureSpec, FeatureVector, Reason};
use std::path::Path;

/// How far a probe's score may be from the one the file promises.
const PROBE_TOLERANCE: f32 = 1e-6;
/// Log-odds a tag must add to be called a reason: below it the odds change by under 5 %.
const SMALLEST_REASON: f64 = 0.05;

/// A verified model file, flattened for the hot path.
#[derive(Debug)]
pub struct Model {
    file: ModelFile,
    sha256: String,
    base: f64,
    terms: Box<[Flat]>,
    tags: Box<[&'static str]>,
}

/// One feature's arithmetic; `weight` and `baseline` have the calibration's slope in them.
#[derive(Clone, Copy, Debug)]
struct Flat {
    transform: Transform,
    mean: f64,
    scale: f64,
    clip: f64,
    weight: f64,
    baseline: f64,
    tag: usize,
}

impl Flat {
    fn contribution(&self, x: f32) -> f64 {
        let z = (self.transform.apply(f64::from(x)) - self.mean) / self.scale;
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

/// A score with its reasons.
#[derive(Clone, Debug, PartialEq)]
pub struct Explained {
    /// The score.
    pub scored: Scored,
    /// What raised it most, largest first.
    pub reasons: Vec<Reason>,
}

/// The whole sum behind a score, by tag.
#[derive(Clone, Debug, PartialEq)]
pub struct Contributions {
    /// Log-odds of the average legitimate call.
    pub base: f64,
    /// What each tag adds to or takes from it, in the catalogue's order.
    pub by_tag: Vec<(&'static str, f64)>,
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
            })
            .collect();
        check::check(&file, catalogue, version)?;
        let draft = Self::flatten(file, String::new(), catalogue);
        let mut file = draft.file.clone();
        for probe in &mut file.probes {
            probe.score = draft.score_values(&probe.features).score;
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
            let off = (got - probe.score).abs();
            if off.is_nan() || off > PROBE_TOLERANCE {
                return Err(ModelError::Probe {
                    index,
                    expected: probe.score,
                    got,
                });
            }
        }
        Ok(model)
    }

    fn flatten(file: ModelFile, sha256: String, catalogue: &[FeatureSpec]) -> Self {
        let Calibration::Platt { slope, offset } = file.calibration;
        let (slope, offset) = (f64::from(slope), f64::from(offset));
        let mut tags: Vec<&'static str> = Vec::new();
        let mut at_baseline = f64::from(file.intercept);
        let mut terms = Vec::with_capacity(file.features.len());
        for (term, spec) in file.features.iter().zip(catalogue) {
            let tag = tags.iter().position(|t| *t == spec.tag).unwrap_or_else(|| {
                tags.push(spec.tag);
                tags.len() - 1
            });
            let (weight, baseline) = (f64::from(term.weight), f64::from(term.baseline));
            at_baseline += weight * baseline;
            terms.push(Flat {
                transform: term.transform,
                mean: f64::from(term.mean),
                scale: f64::from(term.scale),
                clip: f64::from(term.clip),
                weight: slope * weight,
                baseline,
                tag,
            });
        }
        Self {
            base: slope * at_baseline + offset,
            terms: terms.into(),
            tags: tags.into(),
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

    /// Scores a call and names up to `top` tags that raised the score, largest first.
    /// Features that share a tag are summed. A tag that raised the score by being *smaller*
    /// than for the average legitimate call says so: `low-usual-country`.
    ///
    /// # Errors
    /// As [`Model::score`].
    pub fn explain(&self, vector: &FeatureVector, top: usize) -> Result<Explained, ScoreError> {
        self.check_vector(vector)?;
        let scored = self.score_values(&vector.values);
        let sums = self.sums(&vector.values);
        let mut raised: Vec<(usize, f64)> = sums
            .into_iter()
            .take(self.tags.len())
            .enumerate()
            .filter(|(_, sum)| *sum >= SMALLEST_REASON)
            .collect();
        raised.sort_by(|a, b| b.1.total_cmp(&a.1));
        raised.truncate(top);
        let reasons = raised
            .into_iter()
            .map(|(tag, sum)| Reason {
                tag: self.reason_tag(tag, &vector.values),
                #[expect(clippy::cast_possible_truncation, reason = "log-odds for people")]
                contribution: sum as f32,
            })
            .collect();
        Ok(Explained { scored, reasons })
    }

    /// The tag as it stands in a reason. What raised the score by a negative weight did so by
    /// being below its baseline; of several features the one that added most decides.
    fn reason_tag(&self, tag: usize, values: &[f32]) -> String {
        let name = self.tags[tag];
        let strongest = self
            .terms
            .iter()
            .zip(values)
            .filter(|(term, _)| term.tag == tag)
            .max_by(|(a, x), (b, y)| a.contribution(**x).total_cmp(&b.contribution(**y)));
        match strongest {
            Some((term, _)) if term.weight < 0.0 => format!("low-{name}"),
            _ => name.to_owned(),
        }
    }

    /// Every tag's contribution; with the base they add up to the log-odds.
    ///
    /// # Errors
    /// As [`Model::score`].
    pub fn contributions(&self, vector: &FeatureVector) -> Result<Contributions, ScoreError> {
        self.check_vector(vector)?;
        let sums = self.sums(&vector.values);
        Ok(Contributions {
            base: self.base,
            by_tag: self.tags.iter().copied().zip(sums).collect(),
        })
    }

    fn sums(&self, values: &[f32]) -> [f64; MAX_FEATURES] {
        let mut sums = [0.0; MAX_FEATURES];
        for (term, x) in self.terms.iter().zip(values) {
            sums[term.tag] += term.contribution(*x);
        }
        sums
    }

    fn check_vector(&self, vector: &FeatureVector) -> Result<(), ScoreError> {
        if vector.version != self.file.features_version {
            return Err(ScoreError::Version {
                found: vector.version,
                wanted: self.file.features_version,
            });
        }
        if vector.values.len() != self.terms.len() {
            return Err(ScoreError::Length {
                found: vector.values.len(),
                wanted: self.terms.len(),
            });
        }
        match vector.values.iter().position(|x| !x.is_finite()) {
            Some(position) => Err(ScoreError::NotFinite { position }),
            None => Ok(()),
        }
    }

    /// `values` are finite and as many as the terms.
    fn score_values(&self, values: &[f32]) -> Scored {
        let raised: f64 = self
            .terms
            .iter()
            .zip(values)
            .map(|(term, x)| term.contribution(*x))
            .sum();
        let log_odds = self.base + raised;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a probability is served as f32"
        )]
        let score = sigmoid(log_odds) as f32;
        Scored { score, log_odds }
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
