//! What was said of a call, and what is suggested of others.

use super::pick::call_id;
use super::{Who, log};
use crate::cli::context::Context;
use crate::cli::output::Format;
use crate::cli::{Done, output};
use crate::domain::Timestamp;
use crate::store::{MAX_SUGGESTED, Said, Seen, Settle, Settlement, Store, Suggestion, Word};
use anyhow::bail;
use std::collections::HashMap;
use uuid::Uuid;

/// What to do with suggestions; nothing: show them.
#[derive(clap::Args, Debug)]
pub(super) struct SuggestionArgs {
    /// It is so: these calls were fraud.
    #[arg(long, value_name = "ID", value_parser = call_id, num_args = 1.., conflicts_with_all = ["dismiss", "accept_all", "dismiss_all"])]
    accept: Vec<Uuid>,
    /// It is not known to be so; not suggested again.
    #[arg(long, value_name = "ID", value_parser = call_id, num_args = 1.., conflicts_with_all = ["accept_all", "dismiss_all"])]
    dismiss: Vec<Uuid>,
    /// Accept all that are shown with the same `--because` and `--limit`, and no more.
    #[arg(long, requires = "because", conflicts_with = "dismiss_all")]
    accept_all: bool,
    /// Dismiss all that are shown with the same `--because` and `--limit`, and no more.
    #[arg(long, requires = "because")]
    dismiss_all: bool,
    /// Only because of the verdict on this call.
    #[arg(long, value_name = "ID", value_parser = call_id)]
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
    let mut more = false;
    let mut ids = [args.accept.as_slice(), &args.dismiss].concat();
    if args.accept_all || args.dismiss_all {
        let limit = usize::from(args.limit);
        let found = wanted(store, args.because, limit + 1).await?;
        more = found.len() > limit;
        ids.extend(found.iter().take(limit).map(|suggestion| suggestion.id));
    }
    if ids.is_empty() {
        bail!("nothing is suggested because of that call");
    }
    let word = args.who.word(ids, Said::Fraud, args.campaign);
    let Settlement { calls, campaign } = store.settle(&word, settle).await?;
    let word = Word { campaign, ..word };
    log(context, &word, Some(settle))?;
    let done = match settle {
        Settle::Accept => "accepted",
        Settle::Dismiss => "dismissed",
    };
    if more {
        eprintln!("more wait because of that call: repeat it, or say --limit");
    }
    if args.format.json {
        return output::json(&serde_json::json!({done: calls}));
    }
    output::line(&format!("{calls} {done}"))?;
    Ok(Done::All)
}

async fn show(store: &Store, args: &SuggestionArgs) -> anyhow::Result<Done> {
    let limit = usize::from(args.limit);
    let mut rows = wanted(store, args.because, limit + 1).await?;
    if rows.len() > limit {
        rows.truncate(limit);
        output::tell_more(1, true);
    }
    let seen = match rows.is_empty() {
        true => HashMap::new(),
        false => {
            let seen = store.seen(&rows).await?.into_iter();
            seen.map(|call| (call.id, call)).collect()
        }
    };
    let rows: Vec<Shown> = rows
        .into_iter()
        .map(|suggestion| Shown {
            call: seen.get(&suggestion.id).cloned(),
            suggestion,
        })
        .collect();
    let headings = [
        "call", "at", "domain", "caller", "number", "country", "score", "campaign", "why",
    ];
    output::list(args.format, &headings, &rows, Shown::cells)
}

/// A suggestion and what helps to judge it.
#[derive(serde::Serialize)]
struct Shown {
    #[serde(flatten)]
    suggestion: Suggestion,
    /// `None`: the call is no longer kept.
    call: Option<Seen>,
}

impl Shown {
    fn cells(&self) -> Vec<String> {
        let Self { suggestion, call } = self;
        let of = |text: fn(&Seen) -> String| call.as_ref().map_or_else(String::new, text);
        let score = |call: &Seen| call.score.map(|score| format!("{score:.3}"));
        let texts = [
            suggestion.id.to_string(),
            Timestamp(suggestion.micros).to_rfc3339(),
            suggestion.account.clone(),
            of(|call| format!("{}@{}", call.user, call.caller_domain)),
            of(|call| call.called.clone()),
            of(|call| call.called_country.clone()),
            call.as_ref().and_then(score).unwrap_or_default(),
            suggestion.campaign.clone(),
            suggestion.reason.clone(),
        ];
        texts.iter().map(|text| printable(text)).collect()
    }
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
