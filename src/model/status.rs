//! All that is known of the model in force, for operators.

use super::drift::DriftReport;
use super::observed::Observed;
use super::{Model, ModelSlot};
use serde::Serialize;
use utoipa::ToSchema;

/// The model in force and how it does.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ModelStatus {
    /// `null`: none, calls carry no score.
    pub model: Option<InForceModel>,
    /// Id of the one in force before, since the service started.
    #[schema(example = "2026-11-23T1501-logistic-1a2b3c")]
    pub previous: Option<String>,
    /// How live calls compare with those of the training; `null`: not looked yet, or the model
    /// does not say what those were like.
    pub drift: Option<DriftReport>,
    /// What came of the calls it scored; `null`: not looked yet.
    pub observed: Option<Observed>,
}

/// A model in force.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct InForceModel {
    /// Its id.
    #[schema(example = "2026-11-23T1501-logistic-1a2b3c")]
    pub id: String,
    /// Hash of its file.
    #[schema(example = "64 hexadecimal digits")]
    pub sha256: String,
    /// When it was trained, RFC 3339.
    #[schema(format = DateTime)]
    pub created: String,
    /// First labelled call of its training, RFC 3339.
    #[schema(format = DateTime)]
    pub trained_from: String,
    /// Last labelled call of its training, RFC 3339.
    #[schema(format = DateTime)]
    pub trained_to: String,
    /// R15's threshold where a policy names none, 0 to 1.
    pub threshold: f32,
    /// On calls it had not seen: share of fraud found at 0.1 % false positives.
    pub recall_0_1_percent: f64,
    /// On calls it had not seen: area under the precision-recall steps.
    pub average_precision: f64,
}

impl InForceModel {
    /// Of a model.
    #[must_use]
    pub fn of(model: &Model) -> Self {
        let file = model.file();
        Self {
            id: file.id.clone(),
            sha256: model.sha256().to_owned(),
            created: file.created.clone(),
            trained_from: file.training.from.clone(),
            trained_to: file.training.to.clone(),
            threshold: file.thresholds.default,
            recall_0_1_percent: file.metrics.recall_0_1_percent,
            average_precision: file.metrics.average_precision,
        }
    }
}

impl ModelSlot {
    /// The model in force and what the watchers found of it; what they found of another is left
    /// out.
    #[must_use]
    pub fn status(&self) -> ModelStatus {
        let model = self.current().as_deref().map(InForceModel::of);
        let is_it = |id: &str| model.as_ref().is_some_and(|model| model.id == id);
        ModelStatus {
            previous: self.previous().map(|model| model.id().to_owned()),
            drift: self
                .drift()
                .filter(|report| is_it(&report.model))
                .map(|report| DriftReport::clone(&report)),
            observed: self
                .observed()
                .filter(|observed| is_it(&observed.model))
                .map(|observed| Observed::clone(&observed)),
            model,
        }
    }
}
