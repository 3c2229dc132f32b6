//! `tfps verdict`

use super::context::Context;
use super::{Done, output};
use crate::app::clock;
use crate::domain::Verdict;
use crate::store::VerdictEntry;
use anyhow::bail;
use clap::ValueEnum;
use uuid::Uuid;

/// Say what calls turned out to be; `tfps train` learns from it.
#[derive(clap::Args, Debug)]
pub(super) struct VerdictArgs {
    /// What they were.
    #[arg(value_enum)]
    verdict: VerdictArg,
    /// Ids of the calls: column `id` of the table `calls`.
    #[arg(required = true)]
    ids: Vec<Uuid>,
    /// Groups the calls of one attack.
    #[arg(long, default_value = "")]
    campaign: String,
    /// In your words.
    #[arg(long, default_value = "")]
    note: String,
    /// Who says so.
    #[arg(long, env = "USER", default_value = "cli")]
    by: String,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum VerdictArg {
    Fraud,
    Legitimate,
}

pub(super) async fn run(context: Context, args: VerdictArgs) -> anyhow::Result<Done> {
    let store = context.store().await?;
    let query = store
        .query("SELECT DISTINCT toString(id) FROM calls WHERE toString(id) IN {ids:Array(String)}")
        .param(
            "ids",
            args.ids.iter().map(Uuid::to_string).collect::<Vec<_>>(),
        );
    let known: Vec<String> = store.rows(query).await?;
    let unknown: Vec<String> = args
        .ids
        .iter()
        .map(Uuid::to_string)
        .filter(|id| !known.contains(id))
        .collect();
    if !unknown.is_empty() {
        bail!("no such call: {}; nothing was noted", unknown.join(", "));
    }
    let at = clock::now();
    let entries: Vec<VerdictEntry> = args
        .ids
        .iter()
        .map(|&id| VerdictEntry {
            id,
            verdict: match args.verdict {
                VerdictArg::Fraud => Verdict::Fraud,
                VerdictArg::Legitimate => Verdict::Legitimate,
            },
            campaign: args.campaign.clone(),
            by: args.by.clone(),
            source: "analyst".to_owned(),
            note: args.note.clone(),
            at,
        })
        .collect();
    store
        .insert_verdicts(
            &entries,
            &format!("verdict:{}", Uuid::from_u128(rand::random())),
        )
        .await?;
    output::line(&format!("noted for {} calls", entries.len()))?;
    Ok(Done::All)
}
