//! `tfps models list`

use crate::app::shipped_model;
use crate::cli::Done;
use crate::cli::output::{self, Format};
use crate::features::{CATALOGUE, VERSION};
use crate::model::Model;
use crate::model::comparison::{Advice, Comparison};
use crate::model::promotion::{self, Promoted};
use serde::Serialize;
use std::path::Path;

#[derive(Serialize)]
struct Row {
    id: String,
    in_force: bool,
    /// Who put it in force against or without advice, and why.
    forced: Option<promotion::Forced>,
    created: String,
    trained_from: Option<String>,
    trained_to: Option<String>,
    average_precision: Option<f64>,
    recall_at_0_1_percent: Option<f64>,
    /// What its comparison advises, if it is with the model that is in force now.
    advice: Option<Advice>,
    /// Whether it is the shipped one: it comes back by rolling back.
    shipped: bool,
    /// Id of the model it was compared with.
    compared_with: Option<String>,
    refused: Option<String>,
}

pub(super) fn run(models: &Path, format: Format) -> anyhow::Result<Done> {
    let listed = promotion::list(models, CATALOGUE, VERSION)?;
    let pointer = promotion::in_force(models).ok().flatten();
    let promoted = pointer.and_then(|pointer| pointer.model);
    let serving = super::in_force(models);
    let serves = |model: &Model| {
        let sha256 = serving.as_ref().map(|(serving, _)| serving.sha256());
        sha256 == Some(model.sha256())
    };
    let mut rows: Vec<Row> = shipped_model()
        .map(|model| Row {
            shipped: true,
            ..row(model.id().to_owned(), serves(&model), Ok(&model))
        })
        .into_iter()
        .collect();
    for listed in &listed {
        let in_force = listed.model.as_ref().is_ok_and(serves);
        let model = listed.model.as_ref().map_err(ToString::to_string);
        let mut row = row(listed.id.clone(), in_force, model);
        row.forced = forced(promoted.as_ref(), &listed.id);
        if let Ok(Some(comparison)) = Comparison::load(models, &listed.id) {
            let now = serving.as_ref().map(|(serving, _)| serving.sha256());
            row.advice = (now == Some(&*comparison.in_force.sha256)).then_some(comparison.advice);
            row.compared_with = Some(comparison.in_force.id);
        }
        rows.push(row);
    }
    let headings = [
        "",
        "id",
        "trained on",
        "average precision",
        "recall at 0.1 % FP",
        "advice",
        "refused",
    ];
    output::list(format, &headings, &rows, |r| {
        let figure = |x: Option<f64>| x.map_or_else(String::new, |x| format!("{x:.3}"));
        vec![
            state(r).to_owned(),
            r.id.clone(),
            window(r),
            figure(r.average_precision),
            figure(r.recall_at_0_1_percent),
            advice(r),
            r.refused.clone().unwrap_or_default(),
        ]
    })
}

fn state(row: &Row) -> &'static str {
    match (row.in_force, &row.forced) {
        (true, None) => "in force",
        (true, Some(_)) => "in force, forced",
        (false, _) => "",
    }
}

fn window(row: &Row) -> String {
    let day = |time: &Option<String>| {
        time.as_deref()
            .unwrap_or_default()
            .chars()
            .take(10)
            .collect()
    };
    let (from, to): (String, String) = (day(&row.trained_from), day(&row.trained_to));
    match from.is_empty() {
        true => String::new(),
        false => format!("{from} to {to}"),
    }
}

fn advice(row: &Row) -> String {
    match (row.in_force, row.advice, &row.compared_with) {
        (true, ..) => String::new(),
        _ if row.shipped => "shipped".to_owned(),
        (_, Some(advice), _) => advice.as_str().to_owned(),
        (_, None, Some(other)) => format!("compared with {other} only"),
        (_, None, None) => "not compared".to_owned(),
    }
}

fn forced(promoted: Option<&Promoted>, id: &str) -> Option<promotion::Forced> {
    promoted.filter(|p| p.id == id)?.forced.clone()
}

fn row(id: String, in_force: bool, model: Result<&Model, String>) -> Row {
    let (model, refused) = match model {
        Ok(model) => (Some(model.file()), None),
        Err(why) => (None, Some(why)),
    };
    Row {
        id,
        in_force,
        forced: None,
        created: model.map_or_else(String::new, |file| file.created.clone()),
        trained_from: model.map(|file| file.training.from.clone()),
        trained_to: model.map(|file| file.training.to.clone()),
        average_precision: model.map(|file| file.metrics.average_precision),
        recall_at_0_1_percent: model.map(|file| file.metrics.recall_0_1_percent),
        advice: None,
        shipped: false,
        compared_with: None,
        refused,
    }
}
