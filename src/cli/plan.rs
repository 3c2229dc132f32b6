//! `tfps plan`

use super::context::{Access, Context};
use super::output::Format;
use super::{Done, output};
use crate::accounts::{PLANS, PlanLimits, plan_name};
use crate::app::clock;
use crate::domain::Plan;
use anyhow::bail;
use clap::ValueEnum;
use serde::Serialize;

#[derive(clap::Subcommand, Debug)]
pub(super) enum PlanCommand {
    /// Show what each plan gives.
    List {
        #[command(flatten)]
        format: Format,
    },
    /// Change what a plan gives; whoever has a seat keeps it.
    Set {
        /// The plan.
        #[arg(value_enum)]
        plan: PlanArg,
        /// Calls per second of each subscriber whose policy says nothing else; or `unlimited`.
        #[arg(long, value_name = "CALLS", value_parser = limit)]
        calls_per_second: Option<Limit>,
        /// Subscribers of one domain; or `unlimited`.
        #[arg(long, value_name = "SUBSCRIBERS", value_parser = limit)]
        seats: Option<Limit>,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum PlanArg {
    Free,
    Basic,
    Itsp,
}

/// A number, or none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit(Option<u32>);

fn limit(text: &str) -> Result<Limit, String> {
    if text == "unlimited" {
        return Ok(Limit(None));
    }
    text.parse()
        .map(|limit| Limit(Some(limit)))
        .map_err(|_| "expected a whole number, or `unlimited`".to_owned())
}

#[derive(Serialize)]
struct Row {
    plan: &'static str,
    #[serde(flatten)]
    limits: PlanLimits,
}

pub(super) fn run(context: &Context, command: PlanCommand) -> anyhow::Result<Done> {
    let access = Access::reading_if(matches!(command, PlanCommand::List { .. }));
    let mut accounts = context.accounts(access)?;
    match command {
        PlanCommand::List { format } => {
            let plans = accounts.plans()?;
            let rows = PLANS.map(|plan| Row {
                plan: plan_name(plan),
                limits: plans.of(plan),
            });
            let text = |limit: Option<u32>| limit.map_or("unlimited".to_owned(), |l| l.to_string());
            output::list(
                format,
                &["plan", "calls per second", "seats"],
                &rows,
                |row| {
                    let limits = row.limits;
                    vec![
                        row.plan.to_owned(),
                        text(limits.calls_per_second),
                        text(limits.seats),
                    ]
                },
            )
        }
        PlanCommand::Set {
            plan,
            calls_per_second,
            seats,
        } => {
            if calls_per_second.is_none() && seats.is_none() {
                bail!("nothing to change: give --calls-per-second, --seats or both");
            }
            let plan = match plan {
                PlanArg::Free => Plan::Free,
                PlanArg::Basic => Plan::Basic,
                PlanArg::Itsp => Plan::Itsp,
            };
            accounts.set_plan(plan, clock::now(), |limits| {
                if let Some(Limit(calls)) = calls_per_second {
                    limits.calls_per_second = calls;
                }
                if let Some(Limit(all)) = seats {
                    limits.seats = all;
                }
            })?;
            output::changed()
        }
    }
}
