//! `tfps verdict`

mod pick;
mod show;

use super::context::{Access, Context};
use super::output::Format;
use super::{Done, output};
use crate::app::clock;
use crate::store::{Said, Settle, Store, Word};
use clap::Subcommand;
use pick::Pick;
use uuid::Uuid;

/// Examples below `--help`.
const EXAMPLES: &str = "\
Examples:
  tfps verdict fraud 0f2a... 77b1... --campaign easter
  tfps verdict fraud --user 1001 --from 2030-01-05T22:00:00Z --to 2030-01-06T06:00:00Z \\
      --number-prefix 25261                # shows what it would mark, and asks
  tfps verdict legitimate --call-id 8a1d@192.0.2.1 --note 'asked the customer'
  tfps verdict withdraw 0f2a...            # nothing is known of it any more
  tfps verdict history 0f2a...
  tfps verdict suggestions                 # the calls around those called fraud
  tfps verdict suggestions --accept 31c0... or --accept-all --because 0f2a...";

/// What calls turned out to be; `tfps train` learns from it. The latest word on a call counts.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES, subcommand_required = true)]
pub(super) struct VerdictArgs {
    #[command(subcommand)]
    command: VerdictCommand,
}

#[derive(Subcommand, Debug)]
enum VerdictCommand {
    /// They were fraud; the same is then suggested of the calls around them.
    Fraud(WordArgs),
    /// They were ordinary calls.
    Legitimate(WordArgs),
    /// Take back what was said: nothing is known of them.
    Withdraw(WordArgs),
    /// Everything that was said of one call, the latest first.
    History {
        /// The call's id: column `id` of the table `calls`.
        #[arg(value_parser = pick::call_id)]
        id: Uuid,
        #[command(flatten)]
        format: Format,
    },
    /// What verdicts suggest of other calls: show it, accept it, dismiss it.
    Suggestions(show::SuggestionArgs),
}

#[derive(clap::Args, Debug)]
struct WordArgs {
    #[command(flatten)]
    pick: Pick,
    /// Groups the calls of one attack.
    #[arg(long, default_value = "")]
    campaign: String,
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    format: Format,
}

/// In whose name, and in which words.
#[derive(clap::Args, Debug)]
pub(super) struct Who {
    /// In your words.
    #[arg(long, default_value = "")]
    note: String,
    /// Who says so.
    #[arg(long, env = "USER", default_value = "cli")]
    by: String,
}

pub(super) async fn run(context: Context, args: VerdictArgs) -> anyhow::Result<Done> {
    let store = context.store().await?;
    match args.command {
        VerdictCommand::Fraud(word) => say(&context, &store, Said::Fraud, word).await,
        VerdictCommand::Legitimate(word) => say(&context, &store, Said::Legitimate, word).await,
        VerdictCommand::Withdraw(word) => say(&context, &store, Said::Withdrawn, word).await,
        VerdictCommand::History { id, format } => show::history(&store, id, format).await,
        VerdictCommand::Suggestions(args) => show::suggestions(&context, &store, args).await,
    }
}

async fn say(context: &Context, store: &Store, said: Said, args: WordArgs) -> anyhow::Result<Done> {
    let ids = args.pick.ids(store, said).await?;
    let word = args.who.word(ids, said, args.campaign);
    let calls = store.judge(&word).await?;
    log(context, &word, None)?;
    let suggested = match store.suggest(&word).await {
        Ok(suggested) => suggested,
        Err(error) => {
            eprintln!(
                "warning: noted, but not what it suggests of other calls: say it again later: {error}"
            );
            0
        }
    };
    if args.format.json {
        return output::json(&serde_json::json!({"calls": calls, "suggested": suggested}));
    }
    let noun = if calls == 1 { "call" } else { "calls" };
    output::line(&format!("noted for {calls} {noun}"))?;
    if suggested > 0 {
        let noun = if suggested == 1 { "other" } else { "others" };
        output::line(&format!(
            "the same is suggested of {suggested} {noun}: see `tfps verdict suggestions`"
        ))?;
    }
    Ok(Done::All)
}

impl Who {
    fn word(&self, ids: Vec<Uuid>, said: Said, campaign: String) -> Word {
        Word {
            ids,
            said,
            campaign,
            note: self.note.clone(),
            by: self.by.clone(),
            source: "analyst",
            own: None,
            at: clock::now(),
        }
    }
}

/// A line in the audit log, where there are accounts here: the verdict itself says who gave it.
fn log(context: &Context, word: &Word, settled: Option<Settle>) -> anyhow::Result<()> {
    if let Ok(mut accounts) = context.accounts(Access::Reading) {
        let what = match settled {
            None => word.said.as_str(),
            Some(Settle::Accept) => "suggestion accepted",
            Some(Settle::Dismiss) => "suggestion dismissed",
        };
        accounts.log_verdict(what, &word.ids, &word.campaign, clock::now())?;
    }
    Ok(())
}
