//! `tfps models`

use super::context::Context;
use super::output::Format;
use super::{Done, output};
use crate::app::{clock, shipped_model};
use crate::features::{CATALOGUE, VERSION};
use crate::model::promotion::{self, InForce};
use serde::Serialize;

#[derive(clap::Subcommand, Debug)]
pub(super) enum ModelsCommand {
    /// Show the models and which is in force.
    List {
        #[command(flatten)]
        format: Format,
    },
    /// Put a model in force; the running service takes it within a second.
    Promote {
        /// Its id, as `list` shows it.
        id: String,
    },
    /// Go back to the model that was in force before.
    RollBack,
}

#[derive(Serialize)]
struct Row {
    id: String,
    in_force: bool,
    created: String,
    average_precision: Option<f64>,
    recall_at_0_1_percent: Option<f64>,
    refused: Option<String>,
}

pub(super) fn run(context: &Context, command: ModelsCommand) -> anyhow::Result<Done> {
    let models = context.existing_data_dir()?.models();
    let now = clock::now();
    match command {
        ModelsCommand::List { format } => list(&models, format),
        ModelsCommand::Promote { id } => {
            if !promotion::path_of(&models, &id).exists() {
                let id = crate::accounts::shortened(&id, 60);
                anyhow::bail!("no model `{id}`: `tfps models list` shows them");
            }
            told(&promotion::promote(&models, &id, now, CATALOGUE, VERSION)?)?;
            Ok(Done::All)
        }
        ModelsCommand::RollBack => {
            told(&promotion::roll_back(&models, now, CATALOGUE, VERSION)?)?;
            Ok(Done::All)
        }
    }
}

fn told(pointer: &InForce) -> std::io::Result<()> {
    match &pointer.model {
        Some(model) => output::line(&format!("in force: {}", model.id)),
        None => output::line("in force: the shipped model"),
    }
}

fn list(models: &std::path::Path, format: Format) -> anyhow::Result<Done> {
    let listed = promotion::list(models, CATALOGUE, VERSION)?;
    let any_promoted = listed.iter().any(|m| m.in_force);
    let mut rows: Vec<Row> = shipped_model()
        .map(|model| row(model.id().to_owned(), !any_promoted, Ok(&model)))
        .into_iter()
        .collect();
    rows.extend(listed.iter().map(|m| {
        row(
            m.id.clone(),
            m.in_force,
            m.model.as_ref().map_err(ToString::to_string),
        )
    }));
    let headings = [
        "",
        "id",
        "created",
        "average precision",
        "recall at 0.1 % FP",
        "refused",
    ];
    output::list(format, &headings, &rows, |r| {
        let figure = |x: Option<f64>| x.map_or_else(String::new, |x| format!("{x:.3}"));
        vec![
            if r.in_force { "in force" } else { "" }.to_owned(),
            r.id.clone(),
            r.created.clone(),
            figure(r.average_precision),
            figure(r.recall_at_0_1_percent),
            r.refused.clone().unwrap_or_default(),
        ]
    })
}

fn row(id: String, in_force: bool, model: Result<&crate::model::Model, String>) -> Row {
    let (model, refused) = match model {
        Ok(model) => (Some(model), None),
        Err(why) => (None, Some(why)),
    };
    let metrics = model.map(|m| &m.file().metrics);
    Row {
        id,
        in_force,
        created: model.map_or_else(String::new, |m| m.file().created.clone()),
        average_precision: metrics.map(|m| m.average_precision),
        recall_at_0_1_percent: metrics.map(|m| m.recall_0_1_percent),
        refused,
    }
}
