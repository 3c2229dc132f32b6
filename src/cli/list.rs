//! `tfps list`

use super::context::Context;
use super::output::Format;
use super::{Done, output};
use crate::accounts::{EntryKind, ListKind, Scope};
use crate::app::clock;
use crate::domain::Timestamp;
use anyhow::Context as _;
use clap::ValueEnum;

#[derive(clap::Subcommand, Debug)]
pub(super) enum ListCommand {
    /// Show entries.
    Show {
        /// Only those of a policy, `domain/policy`; `system`: only the system's.
        #[arg(long, value_name = "SCOPE")]
        of: Option<String>,
        /// At most so many.
        #[arg(long, default_value_t = 1_000)]
        limit: u32,
        #[command(flatten)]
        format: Format,
    },
    /// List a number, prefix, network or user agent.
    Add {
        #[command(flatten)]
        entry: EntryArgs,
        /// Why, in your words; for a group: its name.
        #[arg(long)]
        reason: String,
        /// When it ends: RFC 3339, e.g. 2030-01-01T00:00:00Z.
        #[arg(long, value_name = "TIME")]
        expires: Option<chrono::DateTime<chrono::Utc>>,
    },
    /// Take an entry off.
    Remove {
        #[command(flatten)]
        entry: EntryArgs,
    },
}

#[derive(clap::Args, Debug)]
pub(super) struct EntryArgs {
    /// black refuses, white approves at once, group is a named attack group (R12).
    #[arg(value_enum)]
    list: ListArg,
    /// What kind of value it is.
    #[arg(value_enum)]
    kind: KindArg,
    /// The number or prefix in E.164, the address or network, or the pattern (a regular
    /// expression over user agents, case-insensitive).
    value: String,
    /// The policy's own list, `domain/policy`; without it the system's.
    #[arg(long, value_name = "DOMAIN/POLICY")]
    of: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ListArg {
    Black,
    White,
    Group,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum KindArg {
    Number,
    Prefix,
    Network,
    Agent,
}

impl EntryArgs {
    fn parts(&self) -> anyhow::Result<(Scope, ListKind, EntryKind)> {
        let list = match self.list {
            ListArg::Black => ListKind::Black,
            ListArg::White => ListKind::White,
            ListArg::Group => ListKind::Group,
        };
        let kind = match self.kind {
            KindArg::Number => EntryKind::Number,
            KindArg::Prefix => EntryKind::Prefix,
            KindArg::Network => EntryKind::Network,
            KindArg::Agent => EntryKind::Agent,
        };
        let scope = self.of.as_deref().map_or(Ok(Scope::System), scope)?;
        Ok((scope, list, kind))
    }
}

fn scope(text: &str) -> anyhow::Result<Scope> {
    if text == "system" {
        return Ok(Scope::System);
    }
    let (domain, policy) = text
        .split_once('/')
        .with_context(|| format!("`{text}`: expected domain/policy"))?;
    Ok(Scope::Policy {
        domain: domain.to_owned(),
        policy: policy.to_owned(),
    })
}

pub(super) fn run(context: &Context, command: ListCommand) -> anyhow::Result<Done> {
    let mut accounts = context.accounts()?;
    let now = clock::now();
    match command {
        ListCommand::Show { of, limit, format } => {
            let scope = of.as_deref().map(scope).transpose()?;
            let rows = accounts.list_entries(scope.as_ref(), limit)?;
            let headings = ["of", "list", "kind", "value", "reason", "expires", "source"];
            return output::list(format, &headings, &rows, |e| {
                let of = if e.scope.is_empty() {
                    "system"
                } else {
                    &e.scope
                };
                let expires = e
                    .expires_at
                    .map_or_else(String::new, |at| Timestamp::from_secs(at).to_rfc3339());
                [
                    of, &e.list, &e.kind, &e.value, &e.reason, &expires, &e.source,
                ]
                .map(str::to_owned)
                .to_vec()
            });
        }
        ListCommand::Add {
            entry,
            reason,
            expires,
        } => {
            let (scope, list, kind) = entry.parts()?;
            let expires = expires.map(Timestamp::from);
            accounts.list_add(
                &scope,
                list,
                kind,
                &entry.value,
                &reason,
                "cli",
                expires,
                now,
            )?;
        }
        ListCommand::Remove { entry } => {
            let (scope, list, kind) = entry.parts()?;
            accounts.list_remove(&scope, list, kind, &entry.value, now)?;
        }
    }
    output::changed()
}
