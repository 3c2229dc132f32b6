//! `tfps list show`, `tfps list export`: entries as they are stored.

use super::{KindArg, ListArg, scope_name};
use crate::accounts::{Accounts, EntryFilter, ListEntry, Scope};
use crate::cli::Done;
use crate::cli::draft::Draft;
use crate::cli::output::{self, Format};
use crate::domain::Timestamp;
use anyhow::Context as _;
use std::io::{self, Write};
use std::path::PathBuf;

/// Entries beyond the limit that are counted, at most: a list may hold millions.
const COUNTED: u64 = 100_000;

/// Show entries.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct ShowArgs {
    /// Only of `system`, or of a policy, DOMAIN/POLICY.
    #[arg(long, visible_alias = "of", value_name = "SCOPE", value_parser = super::scope)]
    scope: Option<Scope>,
    /// Only of this list.
    #[arg(long, value_enum)]
    list: Option<ListArg>,
    /// Only of this kind.
    #[arg(long, value_enum)]
    kind: Option<KindArg>,
    /// Only of this source.
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Only values that begin so.
    #[arg(long, value_name = "TEXT")]
    begins: Option<String>,
    /// At most so many.
    #[arg(long, default_value_t = 1_000)]
    limit: u32,
    #[command(flatten)]
    format: Format,
}

/// Write a list as CSV, as `tfps list import` reads it.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct ExportArgs {
    /// The file; without it standard output.
    file: Option<PathBuf>,
    /// Of `system`, or of a policy, DOMAIN/POLICY.
    #[arg(long, visible_alias = "of", value_name = "SCOPE", default_value = "system", value_parser = super::scope)]
    scope: Scope,
    /// Which list.
    #[arg(long, value_enum, default_value = "black")]
    list: ListArg,
    /// Only of this kind.
    #[arg(long, value_enum)]
    kind: Option<KindArg>,
    /// Only of this source.
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
}

pub(super) fn show(accounts: &Accounts, args: &ShowArgs) -> anyhow::Result<Done> {
    let filter = EntryFilter {
        scope: args.scope.as_ref(),
        list: args.list.map(Into::into),
        kind: args.kind.map(Into::into),
        source: args.source.as_deref(),
        value: args
            .begins
            .as_deref()
            .map(|text| text.trim_start_matches('+')),
    };
    let limit = usize::try_from(args.limit).unwrap_or(usize::MAX);
    let (mut rows, mut more) = (Vec::new(), 0);
    accounts.list_query(&filter, u64::from(args.limit) + COUNTED, |entry| {
        match rows.len() < limit {
            true => rows.push(entry),
            false => more += 1,
        }
        anyhow::Ok(())
    })?;
    output::tell_more(more, more >= COUNTED);
    let headings = ["of", "list", "kind", "value", "reason", "expires", "source"];
    output::list(args.format, &headings, &rows, |e| {
        let expires = expires(e);
        [
            scope_name(&e.scope),
            &e.list,
            &e.kind,
            &e.value,
            &e.reason,
            &expires,
            &e.source,
        ]
        .map(str::to_owned)
        .to_vec()
    })
}

pub(super) fn export(accounts: &Accounts, args: &ExportArgs) -> anyhow::Result<Done> {
    match &args.file {
        None => write(accounts, args, io::BufWriter::new(output::Stdout)).map(drop)?,
        Some(path) => write(accounts, args, Draft::create(path)?)?
            .finish()
            .with_context(|| path.display().to_string())?,
    }
    Ok(Done::All)
}

fn write<W: Write>(accounts: &Accounts, args: &ExportArgs, to: W) -> anyhow::Result<W> {
    let filter = EntryFilter {
        scope: Some(&args.scope),
        list: Some(args.list.into()),
        kind: args.kind.map(Into::into),
        source: args.source.as_deref(),
        value: None,
    };
    let mut writer = csv::Writer::from_writer(to);
    writer.write_record(["value", "kind", "reason", "source", "expires"])?;
    accounts.list_query(&filter, u64::MAX, |e| {
        let expires = expires(&e);
        writer.write_record([&e.value, &e.kind, &e.reason, &e.source, &expires])?;
        anyhow::Ok(())
    })?;
    let mut to = writer
        .into_inner()
        .map_err(csv::IntoInnerError::into_error)?;
    to.flush()?;
    Ok(to)
}

pub(super) fn expires(entry: &ListEntry) -> String {
    entry
        .expires_at
        .map_or_else(String::new, |at| Timestamp::from_secs(at).to_rfc3339())
}
