//! `tfps list learned`

use super::KindArg;
use crate::accounts::{Accounts, EntryKind, LearnedState};
use crate::cli::output::Format;
use crate::cli::{Done, output};
use crate::domain::Timestamp;
use clap::ValueEnum;

/// What was learned: on a list, proposed, or decided, each with its evidence.
#[derive(clap::Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(in crate::cli) struct LearnedArgs {
    #[command(subcommand)]
    decide: Option<DecideCommand>,
    /// Only what stands so.
    #[arg(long, value_enum)]
    state: Option<StateArg>,
    #[command(flatten)]
    format: Format,
}

#[derive(clap::Subcommand, Debug)]
enum DecideCommand {
    /// List it although it is only proposed, or was rejected.
    Approve(Which),
    /// Take it off, and never list it again by itself.
    Reject(Which),
}

#[derive(clap::Args, Debug)]
struct Which {
    #[arg(value_enum)]
    kind: KindArg,
    /// As `tfps list learned` shows it.
    value: String,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum StateArg {
    Proposed,
    Listed,
    Approved,
    Rejected,
}

impl LearnedArgs {
    /// Whether it only looks.
    pub(super) const fn reads(&self) -> bool {
        self.decide.is_none()
    }
}

pub(super) fn run(
    accounts: &mut Accounts,
    args: &LearnedArgs,
    now: Timestamp,
) -> anyhow::Result<Done> {
    let (which, approve) = match &args.decide {
        None => return show(accounts, args),
        Some(DecideCommand::Approve(which)) => (which, true),
        Some(DecideCommand::Reject(which)) => (which, false),
    };
    accounts.decide_learned(EntryKind::from(which.kind), &which.value, approve, now)?;
    output::changed()
}

fn show(accounts: &Accounts, args: &LearnedArgs) -> anyhow::Result<Done> {
    let state = args.state.map(|state| match state {
        StateArg::Proposed => LearnedState::Proposed,
        StateArg::Listed => LearnedState::Listed,
        StateArg::Approved => LearnedState::Approved,
        StateArg::Rejected => LearnedState::Rejected,
    });
    let rows = accounts.learned(state)?;
    let headings = [
        "kind", "value", "state", "weight", "evidence", "until", "why not",
    ];
    output::list(args.format, &headings, &rows, |row| {
        let decided = row.decided_by.as_ref();
        vec![
            row.kind.as_str().to_owned(),
            row.value.clone(),
            match decided {
                Some(by) => format!("{} by {by}", row.state.as_str()),
                None => row.state.as_str().to_owned(),
            },
            format!("{:.1}", row.weight),
            row.reason.clone(),
            row.expires.clone(),
            row.why.clone(),
        ]
    })
}
