//! `tfps models compare`

use super::{in_force, load};
use crate::app::clock;
use crate::cli::context::Context;
use crate::cli::output::{self, Format};
use crate::cli::{Done, train};
use crate::model::comparison::{Comparison, Figure};
use crate::train::{Rival, compare};
use std::fmt::Write as _;
use std::path::Path;

pub(super) async fn run(
    context: &Context,
    models: &Path,
    id: &str,
    seed: u64,
    format: Format,
) -> anyhow::Result<Done> {
    let candidate = load(models, id)?;
    let Some((serving, shipped)) = in_force(models) else {
        anyhow::bail!("no model is in force: `tfps models promote {id}` needs no comparison");
    };
    anyhow::ensure!(
        serving.sha256() != candidate.sha256(),
        "`{id}` is in force: there is nothing to compare it with"
    );
    let dataset = train::judged_calls(context, None, None).await?;
    let compared = tokio::task::spawn_blocking(move || {
        let rival = Rival {
            model: &serving,
            shipped,
        };
        compare(&candidate, rival, &dataset, clock::now(), seed)
    });
    let comparison = compared.await??;
    let path = comparison.save(models)?;
    if format.json {
        return output::json(&comparison);
    }
    output::line(&table(&comparison))?;
    output::line(&format!("comparison {}", path.display()))?;
    Ok(Done::All)
}

/// A comparison for people.
pub(in crate::cli) fn table(comparison: &Comparison) -> String {
    let calls = &comparison.calls;
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "beside {}, on {} judged calls new to both ({} fraud in {} attacks) from {}; {} left out",
        comparison.in_force.id, calls.rows, calls.fraud, calls.attacks, calls.from, calls.left_out
    );
    if !comparison.figures.is_empty() {
        let _ = writeln!(
            text,
            "  {:<36}{:>10}{:>10}{:>12}   95 % interval",
            "", "this one", "other", "difference"
        );
    }
    for figure in &comparison.figures {
        let _ = writeln!(text, "  {}", line(figure));
    }
    let advice = comparison.advice.as_str();
    let _ = write!(text, "advice: {advice}: {}", comparison.words);
    text
}

fn line(figure: &Figure) -> String {
    let standing = match figure.margin {
        Some(_) => figure.standing.as_str(),
        None => "shown only",
    };
    format!(
        "{:<36}{:>10.4}{:>10.4}{:>+12.4}   {:+.4} to {:+.4}, {standing}",
        figure.name, figure.candidate, figure.in_force, figure.difference, figure.low, figure.high
    )
}
