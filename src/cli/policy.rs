//! `tfps policy`

mod set;
mod show;

use super::context::{Access, Context};
use super::output::Format;
use super::{Done, output, policy_file};
use crate::app::clock;
use set::SetArgs;

#[derive(clap::Subcommand, Debug)]
pub(super) enum PolicyCommand {
    /// Show all policies.
    List {
        #[command(flatten)]
        format: Format,
    },
    /// Show one policy: its limits, and what each check does.
    Show {
        /// Its domain.
        domain: String,
        /// Its name.
        policy: String,
        #[command(flatten)]
        format: Format,
    },
    /// Make a policy with the initial rules.
    Create {
        /// Its domain.
        domain: String,
        /// Its name.
        policy: String,
    },
    /// Remove a policy that nobody has.
    Remove {
        /// Its domain.
        domain: String,
        /// Its name.
        policy: String,
    },
    /// Change a policy; in force within a second.
    Set(Box<SetArgs>),
    Export(policy_file::ExportArgs),
    Import(policy_file::ImportArgs),
}

/// A policy, for listing.
#[derive(serde::Serialize)]
struct Row {
    domain: String,
    policy: String,
}

impl PolicyCommand {
    const fn access(&self) -> Access {
        Access::reading_if(match self {
            Self::List { .. } | Self::Show { .. } | Self::Export(_) => true,
            Self::Import(args) => args.dry_run,
            Self::Create { .. } | Self::Remove { .. } | Self::Set(_) => false,
        })
    }
}

pub(super) fn run(context: &Context, command: PolicyCommand) -> anyhow::Result<Done> {
    let mut accounts = context.accounts(command.access())?;
    let now = clock::now();
    match command {
        PolicyCommand::List { format } => {
            let rows = accounts.policies()?.into_iter();
            let rows: Vec<_> = rows
                .map(|(domain, policy)| Row { domain, policy })
                .collect();
            output::list(format, &["domain", "policy"], &rows, |row| {
                vec![row.domain.clone(), row.policy.clone()]
            })
        }
        PolicyCommand::Show {
            domain,
            policy,
            format,
        } => show::run(&accounts.policy(&domain, &policy)?, format),
        PolicyCommand::Create { domain, policy } => {
            accounts.create_policy(&domain, &policy, now)?;
            output::changed()
        }
        PolicyCommand::Remove { domain, policy } => {
            accounts.remove_policy(&domain, &policy, now)?;
            output::changed()
        }
        PolicyCommand::Export(args) => policy_file::export(&accounts, args),
        PolicyCommand::Import(args) => {
            policy_file::import(&mut accounts, &context.data_dir()?.vault(), &args)
        }
        PolicyCommand::Set(args) => set::run(&mut accounts, &args, now),
    }
}
