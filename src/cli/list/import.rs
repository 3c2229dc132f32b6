//! `tfps list import`: a file of entries, all good ones at once.

use super::expiry::Expiry;
use super::rows::{Column, Fields, ListRows};
use super::{KindArg, ListArg};
use crate::accounts::{
    Accounts, AccountsError, EntryKind, Imported, ListImport, ListKind, RawEntry, Scope,
};
use crate::cli::aside::{Aside, rejected_of};
use crate::cli::draft::check_apart;
use crate::cli::output::{self, Format};
use crate::cli::{Done, progress};
use crate::domain::Timestamp;
use anyhow::{Context as _, bail};
use std::fs::File;
use std::path::PathBuf;

/// Rows between two movements of the bar.
const STEP: u64 = 4_096;

/// Bring a file of entries into a list: all good rows at once, bad ones are set aside. The same
/// file again changes nothing.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct ImportArgs {
    /// CSV with a header: the column `value`, and where wanted `kind`, `reason`, `source` and
    /// `expires`, which go before the options of these names.
    file: PathBuf,
    /// Whose list: `system`, or a policy's own, DOMAIN/POLICY.
    #[arg(long, visible_alias = "of", value_name = "SCOPE", default_value = "system", value_parser = super::scope)]
    scope: Scope,
    /// black refuses, white approves at once, group is a named attack group (R12)
    /// [default: black].
    #[arg(long, value_enum)]
    list: Option<ListArg>,
    /// What kind of values they are [default: number; of a group: network].
    #[arg(long, value_enum)]
    kind: Option<KindArg>,
    /// Why they are listed.
    #[arg(long)]
    reason: Option<String>,
    /// The attack group the networks belong to.
    #[arg(long, value_name = "NAME", conflicts_with = "reason")]
    group: Option<String>,
    /// Who lists them [default: the name of the file].
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// When they end: RFC 3339, e.g. 2030-01-01T00:00:00Z, or after e.g. 30d, 12h.
    #[arg(long, value_name = "TIME")]
    expires: Option<Expiry>,
    /// The file is all there is of this source: what it does not have goes.
    #[arg(long, value_name = "NAME", conflicts_with = "source")]
    replace_source: Option<String>,
    /// Entries that another source has listed become this one's, with its reason and expiry;
    /// otherwise they are kept as they are.
    #[arg(long)]
    take_over: bool,
    /// Where rows that cannot be read are set aside [default: FILE.rejected.csv].
    #[arg(long, value_name = "FILE")]
    bad_rows: Option<PathBuf>,
    #[command(flatten)]
    format: Format,
}

/// What holds where the file says nothing.
struct Defaults {
    list: ListKind,
    kind: EntryKind,
    reason: String,
    source: String,
    expires: Option<Expiry>,
}

/// What is wrong with a row.
#[derive(Debug, thiserror::Error)]
enum Problem {
    #[error(transparent)]
    Row(#[from] crate::replay::csv::RowProblem),
    #[error("kind `{0}`: expected number, prefix, network or agent")]
    Kind(String),
    #[error(transparent)]
    Expiry(#[from] super::expiry::BadExpiry),
    #[error(transparent)]
    Entry(AccountsError),
    /// Not the row's fault.
    #[error(transparent)]
    Fatal(AccountsError),
}

impl From<AccountsError> for Problem {
    fn from(error: AccountsError) -> Self {
        match error {
            AccountsError::Database(_) => Self::Fatal(error),
            error => Self::Entry(error),
        }
    }
}

pub(super) fn run(
    accounts: &mut Accounts,
    args: &ImportArgs,
    now: Timestamp,
) -> anyhow::Result<Done> {
    let name = || args.file.display().to_string();
    let rejected = args
        .bad_rows
        .clone()
        .unwrap_or_else(|| rejected_of(&args.file));
    check_apart(&[&args.file], &[&rejected])?;
    let file = File::open(&args.file).with_context(name)?;
    let bar = progress::bytes(file.metadata()?.len(), "reading");
    let mut rows = ListRows::new(file).with_context(name)?;
    let defaults = args.defaults()?;
    if defaults.reason.is_empty() && !rows.has(Column::Reason) {
        bail!("{} has no column `reason`: give --reason", name());
    }
    let mut aside = Aside::new(rejected);
    aside.like(Some(rows.header()), b',');
    let replace = args.replace_source.as_deref();
    let mut import = accounts.list_import(&args.scope, defaults.list, replace, now)?;
    import.take_over(args.take_over);
    let (mut read, mut good) = (0u64, 0u64);
    loop {
        let row = rows.next().with_context(name)?;
        let problem = match row {
            None => break,
            Some(Ok(row)) => defaults.enter(&row, &mut import, now).err(),
            Some(Err(problem)) => Some(problem.into()),
        };
        read += 1;
        if read.is_multiple_of(STEP) {
            bar.set_position(rows.bytes());
        }
        match problem {
            None => good += 1,
            Some(Problem::Fatal(error)) => return Err(error.into()),
            Some(problem) => aside.take(&bar, rows.line(), &problem, &rows.raw())?,
        }
    }
    bar.finish_and_clear();
    if good == 0 && replace.is_some() {
        aside.finish(&args.file, "nothing is replaced")?;
        bail!(
            "{} has no good row: nothing is replaced, as that would take everything of the source off",
            name()
        );
    }
    let waiting = progress::waiting("sorting and merging");
    let done = import.finish(&args.file_name())?;
    waiting.finish_and_clear();
    let set_aside = aside.finish(&args.file, "correct them there and import that file too")?;
    tell(&done, set_aside, args.format)
}

fn tell(done: &Imported, set_aside: u64, format: Format) -> anyhow::Result<Done> {
    if format.json {
        output::json(&serde_json::json!({"imported": done, "set_aside": set_aside}))?;
    } else {
        output::line(&format!(
            "{} entries: {} added, {} changed, {} unchanged, {} kept of other sources, {} given twice, {} expired before; {} taken off",
            done.entries,
            done.added,
            done.changed,
            done.unchanged,
            done.kept,
            done.duplicates,
            done.expired,
            done.removed
        ))?;
    }
    Ok(match (set_aside, format.json) {
        (0, true) => Done::All,
        (0, false) => Done::Edited,
        _ => Done::SomeSetAside,
    })
}

impl ImportArgs {
    /// As it can stand in the audit log, and as a source.
    fn file_name(&self) -> String {
        let name = self.file.file_name().unwrap_or_default().to_string_lossy();
        let printable = name.chars().filter(|c| !c.is_control());
        printable.take(100).collect()
    }

    fn defaults(&self) -> anyhow::Result<Defaults> {
        let list = match (self.list, &self.group) {
            (None | Some(ListArg::Group), Some(_)) | (Some(ListArg::Group), None) => {
                ListKind::Group
            }
            (Some(_), Some(_)) => bail!("--group: expected with the list `group` only"),
            (Some(ListArg::White), None) => ListKind::White,
            (Some(ListArg::Black) | None, None) => ListKind::Black,
        };
        let kind = match (self.kind, list) {
            (Some(kind), _) => kind.into(),
            (None, ListKind::Group) => EntryKind::Network,
            (None, _) => EntryKind::Number,
        };
        let source = self.replace_source.as_ref().or(self.source.as_ref());
        Ok(Defaults {
            list,
            kind,
            reason: self
                .group
                .as_ref()
                .or(self.reason.as_ref())
                .cloned()
                .unwrap_or_default(),
            source: source.cloned().unwrap_or_else(|| self.file_name()),
            expires: self.expires,
        })
    }
}

impl Defaults {
    fn enter(
        &self,
        row: &Fields<'_>,
        import: &mut ListImport<'_>,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let kind = match row.given(Column::Kind) {
            None => self.kind,
            Some(name) => EntryKind::parse(name)
                .ok_or_else(|| Problem::Kind(name.chars().take(80).collect()))?,
        };
        // Blanks may matter to a pattern.
        let value = match kind {
            EntryKind::Agent => row.get(Column::Value),
            _ => row.given(Column::Value),
        };
        let expires = match row.given(Column::Expires) {
            None => self.expires,
            Some(text) => Some(text.parse()?),
        };
        import.add(&RawEntry {
            kind,
            value: value.unwrap_or_default(),
            reason: row.given(Column::Reason).unwrap_or(&self.reason),
            source: row.given(Column::Source).unwrap_or(&self.source),
            expires: expires.map(|expiry: Expiry| expiry.at(now)),
        })?;
        Ok(())
    }
}
