//! `tfps token`

use super::context::{Access, Context};
use super::list::Expiry as Ending;
use super::output::Format;
use super::{Done, output};
use crate::accounts::{Expiry, NewToken, Role};
use crate::app::clock;
use crate::domain::Timestamp;
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
        /// When it ends: RFC 3339, e.g. 2030-01-01T00:00:00Z, or after e.g. 30d, 12h.
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
    let access = Access::reading_if(matches!(command, TokenCommand::List { .. }));
    let mut accounts = context.accounts(access)?;
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
                expires: expires.map(|text| expiry(&text, now)).transpose()?,
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

/// A point in time, or so long after `now`.
fn expiry(text: &str, now: Timestamp) -> anyhow::Result<Expiry> {
    let found = match text.parse::<Ending>() {
        // As text: a while may end in a year that cannot be written.
        Ok(ending) => ending.at(now).to_rfc3339().parse(),
        Err(_) => text.parse(),
    };
    found.map_err(|error| anyhow::anyhow!("--expires: {error}, or after e.g. 30d, 12h"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_ends_at_a_time_or_after_a_while() {
        let now = Timestamp::from_secs(1_760_000_000);
        let ends = |text: &str| expiry(text, now).expect(text).at().secs();
        assert_eq!(ends("30d"), 1_760_000_000 + 30 * 86_400);
        assert_eq!(ends("2030-01-01T00:00:00Z"), 1_893_456_000);
        for bad in ["soon", "", "30", "999999w"] {
            let error = expiry(bad, now).expect_err(bad).to_string();
            assert!(error.contains("30d"), "{error}");
        }
    }
}
