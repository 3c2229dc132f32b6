//! `tfps list`

mod check;
mod entry;
mod expiry;
mod import;
mod learned;
mod rows;
mod show;

pub(super) use expiry::Expiry;

use super::context::{Access, Context};
use super::{Done, output};
use crate::accounts::{EntryKind, ListKind, Scope};
use crate::app::clock;
use clap::ValueEnum;

#[derive(clap::Subcommand, Debug)]
pub(super) enum ListCommand {
    Show(show::ShowArgs),
    Check(check::CheckArgs),
    Add(entry::AddArgs),
    Remove(entry::RemoveArgs),
    Import(import::ImportArgs),
    Export(show::ExportArgs),
    Learned(learned::LearnedArgs),
}

/// Which list of whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ListArg {
    Black,
    White,
    Group,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum KindArg {
    Number,
    Prefix,
    Network,
    Agent,
}

impl From<ListArg> for ListKind {
    fn from(list: ListArg) -> Self {
        match list {
            ListArg::Black => Self::Black,
            ListArg::White => Self::White,
            ListArg::Group => Self::Group,
        }
    }
}

impl From<KindArg> for EntryKind {
    fn from(kind: KindArg) -> Self {
        match kind {
            KindArg::Number => Self::Number,
            KindArg::Prefix => Self::Prefix,
            KindArg::Network => Self::Network,
            KindArg::Agent => Self::Agent,
        }
    }
}

fn scope(text: &str) -> Result<Scope, String> {
    if text == "system" {
        return Ok(Scope::System);
    }
    let (domain, policy) = text
        .split_once('/')
        .ok_or("expected `system` or DOMAIN/POLICY")?;
    Ok(Scope::Policy {
        domain: domain.to_owned(),
        policy: policy.to_owned(),
    })
}

/// As it stands in the tables of lists: `system`, or `domain/policy`.
fn scope_name(stored: &str) -> &str {
    if stored.is_empty() { "system" } else { stored }
}

pub(super) fn run(context: &Context, command: ListCommand) -> anyhow::Result<Done> {
    let access = Access::reading_if(match &command {
        ListCommand::Show(_) | ListCommand::Check(_) | ListCommand::Export(_) => true,
        ListCommand::Learned(args) => args.reads(),
        ListCommand::Add(_) | ListCommand::Remove(_) | ListCommand::Import(_) => false,
    });
    let mut accounts = context.accounts(access)?;
    let now = clock::now();
    match command {
        ListCommand::Show(args) => return show::show(&accounts, &args),
        ListCommand::Export(args) => return show::export(&accounts, &args),
        ListCommand::Check(args) => return check::run(&accounts, &args, now),
        ListCommand::Import(args) => return import::run(&mut accounts, &args, now),
        ListCommand::Learned(args) => return learned::run(&mut accounts, &args, now),
        ListCommand::Add(args) => entry::add(&mut accounts, &args, now)?,
        ListCommand::Remove(args) => entry::remove(&mut accounts, &args, now)?,
    }
    output::changed()
}
