//! `models/<id>.json`: everything needed to score as on the day of training, and to know
//! what was trained on what.
//!
//! Numbers of the scorer are `f32`: their shortest decimal form reads back bit for bit.

use super::reference::Reference;
use super::{ModelError, Tree, layout, seal};
use serde::{Deserialize, Serialize};
use std::io::Read;
use std::path::Path;

/// The format this version writes.
pub const FORMAT: u32 = 2;
/// The oldest it reads: without trees and novelty, else alike.
const OLDEST: u32 = 1;

/// Largest file that is looked at, bytes. A logistic of 100 features takes about 60 kB, 200
/// trees of 30 leaves half a megabyte, an isolation forest a megabyte and a half.
pub const MAX_BYTES: u64 = 16 << 20;

/// The content of a model file, without its seal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelFile {
    /// [`FORMAT`].
    pub format: u32,
    /// Names the model and its file: letters, digits, `-`, `_`, `.`; at most 80.
    pub id: String,
    /// When it was trained, RFC 3339.
    pub created: String,
    /// What kind of model it is.
    pub kind: Kind,
    /// `features::VERSION` of the rows it was trained on.
    pub features_version: u16,
    /// One per feature, in the order of the vector.
    pub features: Vec<Term>,
    /// Log-odds where every standardised feature is 0 and no tree speaks, before calibration.
    pub intercept: f32,
    /// What their leaves say is added to the log-odds, before calibration. An inner node's
    /// value is the mean over the legitimate calls of the training that came there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trees: Vec<Tree>,
    /// From the model's log-odds to those of the world.
    pub calibration: Calibration,
    /// Scores above which a call is called fraud.
    pub thresholds: AlarmThresholds,
    /// What it was trained on.
    pub training: Training,
    /// How it did on calls it had not seen.
    pub metrics: Metrics,
    /// What tells calls unlike any of the training; none: nobody is alerted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub novelty: Option<Novelty>,
    /// What calls looked like then; `None`: drift cannot be watched under this model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Reference>,
    /// Vectors with the scores they must give.
    pub probes: Vec<Probe>,
}

/// Kinds of model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Logistic regression over standardised features.
    Logistic,
    /// Boosted trees, alone or on top of a logistic regression.
    Boosted,
}

impl Kind {
    /// As written in ids and files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Logistic => "logistic",
            Self::Boosted => "boosted",
        }
    }

    /// In the sentences of a card.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Logistic => "Logistic regression",
            Self::Boosted => "Boosted trees",
        }
    }
}

/// What is done to one feature: `weight * clip((transform(x) - mean) / scale)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Term {
    /// The feature's name in the catalogue.
    pub name: String,
    /// Applied first.
    pub transform: Transform,
    /// Subtracted, in transformed units.
    pub mean: f32,
    /// Divided by; greater than 0.
    pub scale: f32,
    /// The standardised value is kept within plus and minus this many standard deviations.
    pub clip: f32,
    /// Log-odds per standard deviation.
    pub weight: f32,
    /// Mean standardised value over the legitimate calls: a feature contributes by its
    /// distance from here.
    pub baseline: f32,
}

/// Tames heavy tails before a feature is standardised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transform {
    /// As it is.
    Identity,
    /// `sign(x) * ln(1 + |x|)`.
    SignedLog,
}

impl Transform {
    /// The transformed value.
    #[must_use]
    pub fn apply(self, x: f64) -> f64 {
        match self {
            Self::Identity => x,
            Self::SignedLog => x.abs().ln_1p().copysign(x),
        }
    }
}

/// Makes a score of 0.9 mean nine frauds in ten such calls. Every method is strictly
/// increasing: calibration never turns the order of two calls round.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Calibration {
    /// Calibrated log-odds are `slope * log_odds + offset` (Platt 1999).
    Platt {
        /// Greater than 0.
        slope: f32,
        /// Log-odds.
        offset: f32,
    },
    /// Straight from knot to knot; beyond the outermost knots their last piece goes on.
    Piecewise {
        /// Knots: log-odds of the model, strictly increasing, 2 to 64.
        from: Vec<f32>,
        /// Calibrated log-odds there, strictly increasing.
        to: Vec<f32>,
    },
}

/// The isolation forest beside the model, and the score it alerts above.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Novelty {
    /// Calls each tree was grown on.
    pub sample: u32,
    /// A call that scores above it is unlike the calls of the training: of their legitimate
    /// ones one in a thousand does. Within 0 to 1.
    pub alarm: f32,
    /// Values are path lengths.
    pub trees: Vec<Tree>,
}

/// A call is called fraud when its score is *above* (not equal to) a threshold.
///
/// Chosen on the calibration part: the smallest with no more than the stated share of
/// legitimate calls above it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlarmThresholds {
    /// What R15 takes where a policy names no threshold of its own: meant for at most one
    /// legitimate call in 10,000, with a margin for what the calibration part is too small to
    /// show; never below 0.5.
    pub default: f32,
    /// For at most 0.1 % of legitimate calls.
    pub false_positives_0_1_percent: f32,
    /// For at most 0.01 % of legitimate calls.
    pub false_positives_0_01_percent: f32,
}

/// What a model was trained on, and how to do it again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// Time of the first labelled call, RFC 3339.
    pub from: String,
    /// Time of the last labelled call, RFC 3339.
    pub to: String,
    /// Time of the first call that may be held out, RFC 3339: from here on, campaigns that begin
    /// are new to the model. Empty: not known, so whatever is not after `to` is not new.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hold_out_from: String,
    /// Labelled calls in all three parts.
    pub rows: u64,
    /// Of those, fraud.
    pub positives: u64,
    /// Calls of the training part.
    pub train_rows: u64,
    /// Of those, fraud.
    pub train_positives: u64,
    /// Calls of the training part the fit used, after undersampling and caps.
    pub fitted_rows: u64,
    /// Of those, fraud.
    pub fitted_positives: u64,
    /// Calls the calibration and the thresholds were taken from.
    pub calibrate_rows: u64,
    /// Of those, fraud.
    pub calibrate_positives: u64,
    /// Campaign family kept out of training and calibration; empty: none.
    pub hold_out_family: String,
    /// L2 penalty chosen by validation.
    pub alpha: f64,
    /// Seed of the undersampling.
    pub seed: u64,
}

/// Measured on the held-out part: later calls, and campaigns the model has not seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metrics {
    /// Held-out calls.
    pub rows: u64,
    /// Of those, fraud.
    pub positives: u64,
    /// Area under the precision-recall steps, 0 to 1.
    pub average_precision: f64,
    /// Area under the ROC curve, ties counted half, 0 to 1.
    pub roc_auc: f64,
    /// Share of fraud found while at most 0.1 % of legitimate calls are called fraud.
    pub recall_0_1_percent: f64,
    /// The same at 0.01 %.
    pub recall_0_01_percent: f64,
    /// Mean squared error of the score as a probability.
    pub brier: f64,
    /// Share of fraud above the default threshold.
    pub recall_at_default: f64,
    /// Share of legitimate calls above the default threshold.
    pub false_positives_at_default: f64,
    /// Campaigns in the held-out part.
    pub campaigns: u64,
    /// Of those, with at least one call above the default threshold.
    pub campaigns_found: u64,
    /// Calls of a campaign before its first one above the default threshold, median.
    pub leaked_median: f64,
    /// The same, 95th percentile.
    pub leaked_p95: f64,
}

/// A vector and the score it must give within 1e-6.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// One value per feature.
    pub features: Vec<f32>,
    /// Calibrated score, 0 to 1.
    pub score: f32,
    /// Novelty, 0 to 1, where the file has an isolation forest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub novelty: Option<f32>,
}

/// Read before the rest, so that another format is called that and not "unknown field".
#[derive(Deserialize)]
struct Head {
    format: u32,
}

impl ModelFile {
    /// The sealed file's bytes and its hash.
    ///
    /// # Errors
    /// [`ModelError::Json`] never in practice: every field can be written.
    pub fn to_bytes(&self) -> Result<(Vec<u8>, String), ModelError> {
        Ok(seal::seal(&layout::to_string(self)?))
    }

    /// Checks the seal and the format. Says nothing yet about features, numbers and probes:
    /// [`super::Model::from_bytes`] does.
    ///
    /// # Errors
    /// What is wrong with the bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<(Self, String), ModelError> {
        if bytes.len() as u64 > MAX_BYTES {
            return Err(ModelError::TooLarge { limit: MAX_BYTES });
        }
        let (body, sha256) = seal::unseal(bytes)?;
        let Head { format } = serde_json::from_str(&body)?;
        if !(OLDEST..=FORMAT).contains(&format) {
            return Err(ModelError::UnknownFormat {
                found: format,
                known: FORMAT,
            });
        }
        Ok((serde_json::from_str(&body)?, sha256))
    }
}

/// Whether `id` can name a file and nothing else. The pointer's name is not free.
pub(super) fn check_id(id: &str) -> Result<(), ModelError> {
    let chars_fine = id
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    let taken = id == "in-force" || id.ends_with(super::comparison::SUFFIX);
    let begins_fine = id.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric);
    if chars_fine && begins_fine && id.len() <= 80 && !taken {
        Ok(())
    } else {
        Err(ModelError::BadId { id: id.to_owned() })
    }
}

/// The whole file, refusing more than `limit` bytes without reading them, and what is no file: a
/// pipe that nobody writes into would keep whoever opens it for ever.
pub(super) fn read_bounded(path: &Path, limit: u64) -> Result<Vec<u8>, ModelError> {
    let fail = |source| ModelError::Read {
        path: path.to_owned(),
        source,
    };
    if !std::fs::metadata(path).map_err(fail)?.is_file() {
        let what = "is no regular file";
        return Err(fail(std::io::Error::new(
            std::io::ErrorKind::InvalidInput,
            what,
        )));
    }
    let file = std::fs::File::open(path).map_err(fail)?;
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes).map_err(fail)?;
    if bytes.len() as u64 > limit {
        return Err(ModelError::TooLarge { limit });
    }
    Ok(bytes)
}
