//! `tfps policy export` and `tfps policy import`

use super::draft::Draft;
use super::{Done, output};
use crate::accounts::file::{Included, PolicyFile};
use crate::accounts::{Accounts, Actor, Vault};
use crate::app::clock;
use anyhow::{Context as _, bail};
use clap::ValueEnum;
use std::io::{IsTerminal, Read, Write};
use std::path::{Path, PathBuf};

/// Largest file that is read, bytes.
const MOST: u64 = 64 << 20;

/// Write everything of the accounts but tokens as one TOML file.
#[derive(clap::Args, Debug)]
pub(super) struct ExportArgs {
    /// The file; without one, standard output.
    file: Option<PathBuf>,
    /// Which lists; above 100,000 entries a file holds none, or those of policies.
    #[arg(long, value_enum, default_value = "all")]
    lists: ListsArg,
}

/// Make the accounts equal to a file, all or nothing; in force within a second.
#[derive(clap::Args, Debug)]
pub(super) struct ImportArgs {
    /// As `policy export` writes it; `-`: standard input.
    file: PathBuf,
    /// Only show what would change.
    #[arg(long)]
    pub(super) dry_run: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ListsArg {
    /// No lists.
    None,
    /// Those of policies.
    Policies,
    /// The system's too.
    All,
}

pub(super) fn export(accounts: &Accounts, args: ExportArgs) -> anyhow::Result<Done> {
    let included = match args.lists {
        ListsArg::None => Included::None,
        ListsArg::Policies => Included::Policies,
        ListsArg::All => Included::All,
    };
    let text = accounts.export(included)?.to_toml()?;
    match &args.file {
        None => {
            let mut out = output::Stdout;
            out.write_all(text.as_bytes())?;
            out.flush()?;
        }
        Some(path) => {
            let mut draft = Draft::create(path)?;
            draft.write_all(text.as_bytes())?;
            draft.finish().with_context(|| path.display().to_string())?;
        }
    }
    Ok(Done::All)
}

pub(super) fn import(
    accounts: &mut Accounts,
    vault: &Vault,
    args: &ImportArgs,
) -> anyhow::Result<Done> {
    let shown = args.file.display();
    let text = read(&args.file).with_context(|| shown.to_string())?;
    let file = PolicyFile::parse(&text).with_context(|| shown.to_string())?;
    accounts.act_as(Actor::Import);
    let imported = accounts
        .import(&file, vault, args.dry_run, clock::now())
        .with_context(|| format!("{shown}: nothing is changed"))?;
    if imported.changes == 0 {
        output::line("nothing changes: the accounts are equal to the file")?;
        return Ok(Done::All);
    }
    if args.dry_run {
        let diff = imported.diff();
        output::line(coloured(&diff).trim_end())?;
        eprintln!("{} changes; nothing is changed yet", imported.changes);
        return Ok(Done::All);
    }
    output::line(&format!("{} changes", imported.changes))?;
    output::changed()
}

fn read(path: &Path) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    let read = match path.to_str() {
        Some("-") => std::io::stdin().take(MOST + 1).read_to_end(&mut bytes)?,
        _ => std::fs::File::open(path)?
            .take(MOST + 1)
            .read_to_end(&mut bytes)?,
    };
    if u64::try_from(read).unwrap_or(u64::MAX) > MOST {
        bail!("expected a policy file of at most 64 MiB");
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        anyhow::anyhow!("byte {at} is not UTF-8: expected a TOML file")
    })
}

/// Red goes, green comes: on a terminal, and unless `NO_COLOR` is set.
fn coloured(diff: &str) -> String {
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
        || !std::io::stdout().is_terminal();
    match plain {
        true => diff.to_owned(),
        false => diff.lines().map(painted).collect(),
    }
}

fn painted(line: &str) -> String {
    let colour = match line.as_bytes().first() {
        Some(b'-') => "31",
        Some(b'+') => "32",
        Some(b'@') => "36",
        _ => return format!("{line}\n"),
    };
    format!("\u{1b}[{colour}m{line}\u{1b}[0m\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_is_red_and_what_comes_is_green() {
        assert_eq!(painted("-a"), "\u{1b}[31m-a\u{1b}[0m\n");
        assert_eq!(painted("+a"), "\u{1b}[32m+a\u{1b}[0m\n");
        assert_eq!(painted(" a"), " a\n");
        assert_eq!(painted(""), "\n");
    }
}
