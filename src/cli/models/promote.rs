//! `tfps models promote`, `tfps models roll-back`

use super::{in_force, load};
use crate::app::clock;
use crate::cli::{Done, output};
use crate::features::{CATALOGUE, VERSION};
use crate::model::Model;
use crate::model::comparison::admit;
use crate::model::promotion::{self, Forced, InForce};
use std::path::Path;

/// Put a model in force, if its comparison with the one in force advises it; the running service
/// takes it within a second.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct PromoteArgs {
    /// Its id, as `list` shows it.
    id: String,
    /// Whatever the comparison says, or without one; who did it and why is noted.
    #[arg(long, requires = "why")]
    force: bool,
    /// Why it is forced, in your words.
    #[arg(long, value_name = "TEXT", requires = "force")]
    why: Option<String>,
    /// Who forces it.
    #[arg(long, env = "USER", default_value = "cli")]
    by: String,
}

/// Longest text that the pointer keeps, characters.
const MAX_TEXT: usize = 256;

pub(super) fn run(models: &Path, args: PromoteArgs) -> anyhow::Result<Done> {
    let candidate = load(models, &args.id)?;
    let forced = args.force.then(|| Forced {
        by: crate::accounts::shortened(&args.by, MAX_TEXT),
        why: crate::accounts::shortened(args.why.as_deref().unwrap_or_default(), MAX_TEXT),
    });
    put_in_force(models, &candidate, forced, false)?;
    Ok(Done::All)
}

/// Promotes a model of the folder, if its comparison advises it or somebody forces it. `quiet`:
/// standard output is for JSON alone.
pub(in crate::cli) fn put_in_force(
    models: &Path,
    candidate: &Model,
    forced: Option<Forced>,
    quiet: bool,
) -> anyhow::Result<()> {
    if forced.is_none() {
        let serving = in_force(models).map(|(model, _)| model);
        admit(models, candidate, serving.as_deref())?;
    }
    let (id, now) = (candidate.id(), clock::now());
    let pointer = promotion::promote_as(models, id, forced, now, CATALOGUE, VERSION)?;
    if !quiet {
        tell(&pointer)?;
    }
    Ok(())
}

pub(super) fn roll_back(models: &Path) -> anyhow::Result<Done> {
    tell(&promotion::roll_back(
        models,
        clock::now(),
        CATALOGUE,
        VERSION,
    )?)?;
    Ok(Done::All)
}

fn tell(pointer: &InForce) -> std::io::Result<()> {
    match &pointer.model {
        Some(model) => output::line(&format!("in force: {}", model.id)),
        None => output::line("in force: the shipped model"),
    }
}
