//! What was said of a call, and what is suggested of others.

use super::{Who, log};
use crate::cli::context::Context;
use crate::cli::output::Format;
use crate::cli::{Done, output};
use crate::domain::Timestamp;
use crate::store::{MAX_SUGGESTED, Said, Settle, Store, Suggestion};
use anyhow::bail;
use uuid::Uuid;

/// What to do with suggestions; nothing: show them.
#[derive(clap::Args, Debug)]
pub(super) struct SuggestionArgs {
    /// It is so: these calls were fraud.
    #[arg(long, value_name = "ID", num_args = 1.., conflicts_with_all = ["dismiss", "accept_all", "dismiss_all"])]
    accept: Vec<Uuid>,
    /// It is not known to be so; not suggested again.
    #[arg(long, value_name = "ID", num_args = 1.., conflicts_with_all = ["accept_all", "dismiss_all"])]
    dismiss: Vec<Uuid>,
    /// Accept all that are shown.
    #[arg(long, requires = "because", conflicts_with = "dismiss_all")]
    accept_all: bool,
    /// Dismiss all that are shown.
    #[arg(long, requires = "because")]
    dismiss_all: bool,
    /// Only because of the verdict on this call.
    #[arg(long, value_name = "ID")]
    because: Option<Uuid>,
    /// Groups the calls of one attack [default: as in the verdict].
    #[arg(long, default_value = "")]
    campaign: String,
    /// At most so many.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    format: Format,
}

pub(super) async fn history(store: &Store, id: Uuid, format: Format) -> anyhow::Result<Done> {
    let rows = store.verdict_history(id, None).await?;
    let headings = ["at", "verdict", "campaign", "by", "source", "note"];
    output::list(format, &headings, &rows, |row| {
        let at = Timestamp(row.micros).to_rfc3339();
        let texts = [
            &at,
            &row.said,
            &row.campaign,
            &row.by,
            &row.source,
            &row.note,
        ];
        texts.map(|text| printable(text)).to_vec()
    })
}

pub(super) async fn suggestions(
    context: &Context,
    store: &Store,
    args: SuggestionArgs,
) -> anyhow::Result<Done> {
    let settle = match (
        args.accept_all || !args.accept.is_empty(),
        args.dismiss_all || !args.dismiss.is_empty(),
    ) {
        (true, _) => Some(Settle::Accept),
        (false, true) => Some(Settle::Dismiss),
        (false, false) => None,
    };
    let Some(settle) = settle else {
        return show(store, &args).await;
    };
    let mut ids = [args.accept.as_slice(), &args.dismiss].concat();
    if args.accept_all || args.dismiss_all {
        let found = wanted(store, args.because, MAX_SUGGESTED).await?;
        ids.extend(found.iter().map(|suggestion| suggestion.id));
    }
    if ids.is_empty() {
        bail!("nothing is suggested because of that call");
    }
    let word = args.who.word(ids, Said::Fraud, args.campaign);
    let settled = store.settle(&word, settle).await?;
    log(context, &word, Some(settle))?;
    let done = match settle {
        Settle::Accept => "accepted",
        Settle::Dismiss => "dismissed",
    };
    if args.format.json {
        return output::json(&serde_json::json!({done: settled}));
    }
    output::line(&format!("{settled} {done}"))?;
    Ok(Done::All)
}

async fn show(store: &Store, args: &SuggestionArgs) -> anyhow::Result<Done> {
    let limit = usize::from(args.limit);
    let mut rows = wanted(store, args.because, limit + 1).await?;
    if rows.len() > limit {
        rows.truncate(limit);
        output::tell_more(1, true);
    }
    let headings = ["call", "at", "domain", "campaign", "why"];
    output::list(args.format, &headings, &rows, |row| {
        let at = Timestamp(row.micros).to_rfc3339();
        let id = row.id.to_string();
        let texts = [&id, &at, &row.account, &row.campaign, &row.reason];
        texts.map(|text| printable(text)).to_vec()
    })
}

async fn wanted(
    store: &Store,
    because: Option<Uuid>,
    limit: usize,
) -> anyhow::Result<Vec<Suggestion>> {
    // All of one verdict are at most as many as one verdict makes.
    let asked = if because.is_some() {
        100 * MAX_SUGGESTED
    } else {
        limit
    };
    let mut rows = store.suggestions(None, asked).await?;
    rows.retain(|row| because.is_none_or(|because| row.because == because));
    rows.truncate(limit);
    Ok(rows)
}

/// What came from the wire may hold what a terminal obeys.
fn printable(text: &str) -> String {
    text.replace(char::is_control, "\u{fffd}")
}
