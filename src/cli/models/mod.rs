//! `tfps models`: the life of a model between its training and its retirement.

mod compare;
mod list;
mod promote;
mod show;
mod status;

pub(super) use compare::table as comparison_table;
pub(super) use promote::put_in_force;

use super::Done;
use super::context::Context;
use super::output::Format;
use crate::app::shipped_model;
use crate::features::{CATALOGUE, VERSION};
use crate::model::{Model, promotion};
use std::path::Path;
use std::sync::Arc;

/// Ids that a message names, at most.
const NAMED: usize = 12;

#[derive(clap::Subcommand, Debug)]
pub(super) enum ModelsCommand {
    /// Show the models, which is in force, and what their comparisons advise.
    List {
        #[command(flatten)]
        format: Format,
    },
    /// Show one model: what it was trained on, its figures, its comparison.
    Show {
        /// Its id, as `list` shows it.
        id: String,
        #[command(flatten)]
        format: Format,
    },
    /// Hold a model beside the one in force, on judged calls that neither was trained on.
    Compare {
        /// Its id, as `list` shows it.
        id: String,
        /// Seed of the bootstrap.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        #[command(flatten)]
        format: Format,
    },
    Promote(promote::PromoteArgs),
    /// Go back to the model that was in force before; needs no comparison.
    #[command(visible_alias = "rollback")]
    RollBack,
    /// How the model in force does: drift, and what came of the calls it scored.
    Status {
        #[command(flatten)]
        format: Format,
    },
}

pub(super) async fn run(context: Context, command: ModelsCommand) -> anyhow::Result<Done> {
    let models = context.existing_data_dir()?.models();
    match command {
        ModelsCommand::List { format } => list::run(&models, format),
        ModelsCommand::Show { id, format } => show::run(&models, &id, format),
        ModelsCommand::Compare { id, seed, format } => {
            compare::run(&context, &models, &id, seed, format).await
        }
        ModelsCommand::Promote(args) => promote::run(&models, args),
        ModelsCommand::RollBack => promote::roll_back(&models),
        ModelsCommand::Status { format } => status::run(&context, &models, format),
    }
}

/// The model that serves, and whether it is the shipped one.
pub(super) fn in_force(models: &Path) -> Option<(Arc<Model>, bool)> {
    let shipped = shipped_model();
    let serving = promotion::serving(models, shipped.clone(), CATALOGUE, VERSION)?;
    let is_shipped = shipped.is_some_and(|shipped| shipped.sha256() == serving.sha256());
    Some((serving, is_shipped))
}

/// A model of the folder, verified; one that is not there is told with those that are.
fn load(models: &Path, id: &str) -> anyhow::Result<Model> {
    if !promotion::path_of(models, id).exists() {
        let shipped = shipped_model();
        anyhow::ensure!(
            shipped.is_none_or(|shipped| shipped.id() != id),
            "`{id}` is the model that ships in the program, no file of the folder: it is in force where \
             none was promoted, and `tfps models roll-back` leads back to it; others are compared with it"
        );
        let known = promotion::ids(models)?;
        let id = crate::accounts::shortened(id, 60);
        anyhow::ensure!(
            !known.is_empty(),
            "no such model: `{id}`; there is none yet: `tfps train` makes one"
        );
        let mut shown = known.iter().rev().take(NAMED).cloned().collect::<Vec<_>>();
        if known.len() > NAMED {
            shown.push(format!("{} more", known.len() - NAMED));
        }
        anyhow::bail!("no such model: `{id}`; there are: {}", shown.join(", "));
    }
    Ok(promotion::load(models, id, CATALOGUE, VERSION)?)
}
