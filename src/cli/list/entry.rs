//! `tfps list add`, `tfps list remove`: one entry.

use super::expiry::Expiry;
use super::{KindArg, ListArg};
use crate::accounts::{Accounts, EntryFilter, ListEntry, ListKind, Network, Scope};
use crate::domain::Timestamp;
use anyhow::bail;

/// List a number, prefix, network or user agent.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct AddArgs {
    #[command(flatten)]
    entry: EntryArgs,
    /// Why, in your words.
    #[arg(long)]
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
    let Some(reason) = reason else {
        let missing = match list {
            ListKind::Group => "--group <NAME> is missing: the attack group it belongs to",
            ListKind::Black | ListKind::White => "--reason <REASON> is missing: why it is listed",
        };
        let kind = clap::error::ErrorKind::MissingRequiredArgument;
        return Err(clap::Error::raw(kind, format!("{missing}\n")).into());
    };
    let expires = args.expires.map(|expiry| expiry.at(now));
    if let Some(past) = expires.filter(|&at| at <= now) {
        bail!("--expires {}: expected a time to come", past.to_rfc3339());
    }
    let before = before(accounts, &args.entry)?;
    accounts.list_add(
        &args.entry.scope,
        list,
        args.entry.kind.into(),
        &args.entry.value,
        reason,
        &args.source,
        expires,
        now,
    )?;
    if let Some(told) = told(&args.entry, reason, before.as_ref()) {
        eprintln!("note: {told}");
    }
    Ok(())
}

/// The value as it is stored; one that does not do, as it was given.
fn stored(entry: &EntryArgs) -> String {
    let given = entry.value.as_str();
    match entry.kind {
        KindArg::Network => given
            .parse()
            .map_or_else(|_| given.to_owned(), |network: Network| network.to_string()),
        KindArg::Number | KindArg::Prefix => given.trim_start_matches('+').to_owned(),
        KindArg::Agent => given.to_owned(),
    }
}

/// The entry as it was, if it is on the list already.
fn before(accounts: &Accounts, entry: &EntryArgs) -> anyhow::Result<Option<ListEntry>> {
    let value = stored(entry);
    let filter = EntryFilter {
        scope: Some(&entry.scope),
        list: Some(entry.list.into()),
        kind: Some(entry.kind.into()),
        source: None,
        value: Some(&value),
    };
    let mut found = None;
    // Of the values that begin so, the value itself comes first.
    accounts.list_query(&filter, 1, |first| {
        found = Some(first).filter(|first| first.value == value);
        anyhow::Ok(())
    })?;
    Ok(found)
}

/// What came out otherwise than the arguments say.
fn told(entry: &EntryArgs, reason: &str, before: Option<&ListEntry>) -> Option<String> {
    let value = stored(entry);
    // One address is the network of just it.
    let has_host_bits =
        entry.kind == KindArg::Network && entry.value.contains('/') && value != entry.value;
    let entered = has_host_bits.then(|| format!("entered as {value}"));
    let before = before.filter(|before| before.reason != reason);
    let moved = before.map(|before| match entry.list {
        ListArg::Group => format!("was in `{}`", before.reason),
        ListArg::Black | ListArg::White => format!("was listed for `{}`", before.reason),
    });
    let parts: Vec<_> = entered.into_iter().chain(moved).collect();
    (!parts.is_empty()).then(|| parts.join("; "))
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

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_760_000_000);

    fn args(list: ListArg, value: &str, group: Option<&str>) -> AddArgs {
        AddArgs {
            entry: EntryArgs {
                list,
                kind: KindArg::Network,
                value: value.to_owned(),
                scope: Scope::System,
            },
            reason: None,
            group: group.map(str::to_owned),
            source: "cli".to_owned(),
            expires: None,
        }
    }

    #[test]
    fn dropped_bits_and_a_changed_group_are_told() {
        let mut accounts = Accounts::in_memory(NOW).expect("accounts");
        let first = args(ListArg::Group, "198.51.100.0/24", Some("friendly scanners"));
        assert_eq!(told(&first.entry, "friendly scanners", None), None);
        add(&mut accounts, &first, NOW).expect("listed");
        let other = args(ListArg::Group, "198.51.100.7/24", Some("others"));
        let was = before(&accounts, &other.entry).expect("read");
        let said = told(&other.entry, "others", was.as_ref()).expect("something");
        assert_eq!(
            said,
            "entered as 198.51.100.0/24; was in `friendly scanners`"
        );
        let one = args(ListArg::Black, "198.51.100.7", None);
        assert_eq!(told(&one.entry, "x", None), None);
        assert!(before(&accounts, &one.entry).expect("read").is_none());
    }

    #[test]
    fn what_is_missing_is_named() {
        let mut accounts = Accounts::in_memory(NOW).expect("accounts");
        for (list, missing) in [(ListArg::Group, "--group"), (ListArg::Black, "--reason")] {
            let error = add(&mut accounts, &args(list, "198.51.100.0/24", None), NOW);
            let error = error.expect_err(missing).to_string();
            assert!(error.contains(missing), "{error}");
        }
    }
}
