//! `tfps models show`

use super::{in_force, load};
use crate::app::shipped_model;
use crate::cli::Done;
use crate::cli::output::{self, Format};
use crate::model::Model;
use crate::model::comparison::Comparison;
use std::path::Path;
use std::sync::Arc;

pub(super) fn run(models: &Path, id: &str, format: Format) -> anyhow::Result<Done> {
    let shipped = shipped_model().filter(|shipped| shipped.id() == id);
    let model = match shipped {
        Some(shipped) => shipped,
        None => Arc::new(load(models, id)?),
    };
    let comparison = Comparison::load(models, id)?;
    let serves = in_force(models).is_some_and(|(serving, _)| serving.sha256() == model.sha256());
    if format.json {
        let file = model.file();
        return output::json(&serde_json::json!({
            "id": model.id(),
            "sha256": model.sha256(),
            "in_force": serves,
            "created": file.created,
            "features_version": file.features_version,
            "thresholds": file.thresholds,
            "training": file.training,
            "metrics": file.metrics,
            "watches_drift": file.reference.is_some(),
            "comparison": comparison,
        }));
    }
    for (name, value) in lines(&model, serves) {
        output::line(&format!("{name:<34}{value}"))?;
    }
    let compared = match comparison {
        Some(comparison) => super::comparison_table(&comparison),
        None => "not compared: `tfps models compare` holds it beside the one in force".to_owned(),
    };
    output::line(&compared)?;
    Ok(Done::All)
}

fn lines(model: &Model, serves: bool) -> Vec<(&'static str, String)> {
    let file = model.file();
    let (t, m) = (&file.training, &file.metrics);
    let percent = |share: f64| format!("{:.2} %", share * 100.0);
    vec![
        ("model", model.id().to_owned()),
        ("in force", if serves { "yes" } else { "no" }.to_owned()),
        ("sha256", model.sha256().to_owned()),
        ("trained", file.created.clone()),
        ("on calls", format!("{} to {}", t.from, t.to)),
        (
            "judged, of them fraud",
            format!("{}, {}", t.rows, t.positives),
        ),
        ("features version", file.features_version.to_string()),
        ("threshold", format!("{:.4}", file.thresholds.default)),
        ("average precision", format!("{:.4}", m.average_precision)),
        (
            "recall at 0.1 % false positives",
            percent(m.recall_0_1_percent),
        ),
        (
            "recall at 0.01 % false positives",
            percent(m.recall_0_01_percent),
        ),
        ("recall at the threshold", percent(m.recall_at_default)),
        (
            "false positives at the threshold",
            percent(m.false_positives_at_default),
        ),
        (
            "campaigns found",
            format!("{} of {}", m.campaigns_found, m.campaigns),
        ),
        (
            "drift",
            match file.reference {
                Some(_) => "watched while it is in force",
                None => "not watched: the file does not say what its training's calls were like",
            }
            .to_owned(),
        ),
    ]
}
