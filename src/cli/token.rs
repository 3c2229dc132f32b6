//! `tfps token`

use super::context::Context;
use super::output::Format;
use super::{Done, output};
use crate::accounts::{NewToken, Role};
use crate::app::clock;
use clap::ValueEnum;

#[derive(clap::Subcommand, Debug)]
pub(super) enum TokenCommand {
    /// Show all tokens; not what they are, which nobody knows.
    List {
        #[command(flatten)]
        format: Format,
    },
    /// Make a token; it is printed once, and kept nowhere.
    Add {
        /// What it is called in the audit log.
        name: String,
        /// What it may do.
        #[arg(long, value_enum, default_value = "reader")]
        role: RoleArg,
        /// Of the role `domain`: which.
        #[arg(long, value_name = "DOMAIN")]
        domain: Option<String>,
        /// When it ends: RFC 3339, e.g. 2030-01-01T00:00:00Z.
        #[arg(long, value_name = "TIME")]
        expires: Option<String>,
    },
    /// Remove a token; it does nothing from then on.
    Remove {
        /// Its name.
        name: String,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum RoleArg {
    /// Everything.
    Operator,
    /// Everything under one domain.
    Domain,
    /// Reading.
    Reader,
}

pub(super) fn run(context: &Context, command: TokenCommand) -> anyhow::Result<Done> {
    let mut accounts = context.accounts()?;
    let now = clock::now();
    match command {
        TokenCommand::List { format } => {
            let rows = accounts.tokens()?;
            let headings = ["name", "role", "domain", "created", "expires"];
            output::list(format, &headings, &rows, |token| {
                let role = match token.role {
                    Role::Operator => "operator",
                    Role::Domain => "domain",
                    Role::Reader => "reader",
                };
                vec![
                    token.name.clone(),
                    role.to_owned(),
                    token.domain.clone().unwrap_or_default(),
                    token.created.clone(),
                    token.expires.map(String::from).unwrap_or_default(),
                ]
            })
        }
        TokenCommand::Add {
            name,
            role,
            domain,
            expires,
        } => {
            let new = NewToken {
                name: name.parse()?,
                role: match role {
                    RoleArg::Operator => Role::Operator,
                    RoleArg::Domain => Role::Domain,
                    RoleArg::Reader => Role::Reader,
                },
                domain: domain.map(|domain| domain.parse()).transpose()?,
                expires: expires.map(|expires| expires.parse()).transpose()?,
            };
            let (token, _) = accounts.add_token(&new, now)?;
            output::line(&token)?;
            Ok(Done::All)
        }
        TokenCommand::Remove { name } => {
            accounts.remove_token(&name, now)?;
            output::line("done; it does nothing any more")?;
            Ok(Done::All)
        }
    }
}
