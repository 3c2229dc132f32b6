//! `tfps list add`, `tfps list remove`: one entry.

use super::expiry::Expiry;
use super::{KindArg, ListArg};
use crate::accounts::{Accounts, ListKind, Scope};
use crate::domain::Timestamp;
use anyhow::bail;

/// List a number, prefix, network or user agent.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct AddArgs {
    #[command(flatten)]
    entry: EntryArgs,
    /// Why, in your words.
    #[arg(long, required_unless_present = "group")]
    reason: Option<String>,
    /// The attack group a network belongs to.
    #[arg(long, value_name = "NAME", conflicts_with = "reason")]
    group: Option<String>,
    /// Who lists it.
    #[arg(long, value_name = "NAME", default_value = "cli")]
    source: String,
    /// When it ends: RFC 3339, e.g. 2030-01-01T00:00:00Z, or after e.g. 30d, 12h.
    #[arg(long, value_name = "TIME")]
    expires: Option<Expiry>,
}

/// Take an entry off.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct RemoveArgs {
    #[command(flatten)]
    entry: EntryArgs,
}

#[derive(clap::Args, Debug)]
struct EntryArgs {
    /// black refuses, white approves at once, group is a named attack group (R12).
    #[arg(value_enum)]
    list: ListArg,
    /// What kind of value it is.
    #[arg(value_enum)]
    kind: KindArg,
    /// The number or prefix in E.164, the address or network, or the pattern (a regular
    /// expression over user agents, case-insensitive).
    value: String,
    /// Whose list: `system`, or a policy's own, DOMAIN/POLICY.
    #[arg(long, visible_alias = "of", value_name = "SCOPE", default_value = "system", value_parser = super::scope)]
    scope: Scope,
}

pub(super) fn add(accounts: &mut Accounts, args: &AddArgs, now: Timestamp) -> anyhow::Result<()> {
    let list = ListKind::from(args.entry.list);
    if args.group.is_some() && list != ListKind::Group {
        bail!("--group: expected with the list `group` only; give --reason");
    }
    let reason = args.group.as_ref().or(args.reason.as_ref());
    let expires = args.expires.map(|expiry| expiry.at(now));
    if let Some(past) = expires.filter(|&at| at <= now) {
        bail!("--expires {}: expected a time to come", past.to_rfc3339());
    }
    accounts.list_add(
        &args.entry.scope,
        list,
        args.entry.kind.into(),
        &args.entry.value,
        reason.map_or("", String::as_str),
        &args.source,
        expires,
        now,
    )?;
    Ok(())
}

pub(super) fn remove(
    accounts: &mut Accounts,
    args: &RemoveArgs,
    now: Timestamp,
) -> anyhow::Result<()> {
    let entry = &args.entry;
    let (list, kind) = (entry.list.into(), entry.kind.into());
    accounts.list_remove(&entry.scope, list, kind, &entry.value, now)?;
    Ok(())
}
