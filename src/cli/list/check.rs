//! `tfps list check`: which entry would match, and why.

use super::scope_name;
use super::show::expires;
use crate::accounts::{Accounts, ListMatch, MatchState, Sought};
use crate::cli::Done;
use crate::cli::output::{self, Format};
use crate::domain::{Number, Timestamp};
use anyhow::Context as _;
use clap::ValueEnum;
use std::net::IpAddr;

/// Say which entries cover a called number, a device's address or a user agent, and which of
/// them decides on each list.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct CheckArgs {
    /// The number in E.164, the address, or the user agent as it is sent.
    value: String,
    /// What the value is, when it could be taken for something else.
    #[arg(long = "as", value_enum, value_name = "WHAT")]
    what: Option<What>,
    #[command(flatten)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum What {
    Number,
    Address,
    Agent,
}

/// An address when it can be one, a number when it has digits only, else a user agent.
fn guess(value: &str) -> What {
    let digits = value.strip_prefix('+').unwrap_or(value);
    if value.parse::<IpAddr>().is_ok() {
        What::Address
    } else if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
        What::Number
    } else {
        What::Agent
    }
}

pub(super) fn run(accounts: &Accounts, args: &CheckArgs, now: Timestamp) -> anyhow::Result<Done> {
    let value = args.value.as_str();
    let sought = match args.what.unwrap_or_else(|| guess(value)) {
        What::Agent => Sought::Agent(value),
        What::Address => {
            let address = value.parse();
            Sought::Address(address.with_context(|| format!("`{value}`: expected an address"))?)
        }
        What::Number => {
            let number = Number::parse(value.strip_prefix('+').unwrap_or(value));
            Sought::Number(number.with_context(|| format!("`{value}`"))?)
        }
    };
    let matches = accounts.list_check(sought, now)?;
    let headings = [
        "of", "list", "entry", "reason", "source", "expires", "effect",
    ];
    output::list(args.format, &headings, &matches, |m| {
        vec![
            scope_name(&m.entry.scope).to_owned(),
            m.entry.list.clone(),
            format!("{} {}", m.entry.kind, m.entry.value),
            m.entry.reason.clone(),
            m.entry.source.clone(),
            expires(&m.entry),
            effect(m),
        ]
    })
}

fn effect(found: &ListMatch) -> String {
    match (found.state, found.code) {
        (MatchState::Expired, _) => "none: it has expired".to_owned(),
        (MatchState::Covered, _) => "none: a closer entry decides".to_owned(),
        (MatchState::Decides, None) => "approves at once".to_owned(),
        (MatchState::Decides, Some(code)) => format!("{code}, where the policy has it on"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_value_is_taken_for() {
        for (value, what) in [
            ("442079460123", What::Number),
            ("+442079460123", What::Number),
            ("192.0.2.1", What::Address),
            ("2001:db8::1", What::Address),
            ("Phone/1.2", What::Agent),
            ("+", What::Agent),
            ("", What::Agent),
        ] {
            assert_eq!(guess(value), what, "{value}");
        }
    }
}
