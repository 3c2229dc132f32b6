//! `tfps policy`

use super::context::Context;
use super::output::Format;
use super::{Done, output};
use crate::accounts::{CountryRules, PolicyRules};
use crate::app::clock;
use crate::domain::{AnswerMode, Check, Mode, Plan, REFUSAL_ORDER};
use crate::policy::is_available;
use anyhow::{Context as _, bail};
use clap::ValueEnum;
use serde_json::json;

#[derive(clap::Subcommand, Debug)]
pub(super) enum PolicyCommand {
    /// Show all policies.
    List {
        #[command(flatten)]
        format: Format,
    },
    /// Show one policy: what each check does.
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
}

#[derive(clap::Args, Debug)]
pub(super) struct SetArgs {
    /// Its domain.
    domain: String,
    /// Its name.
    policy: String,
    /// Mode of a check, e.g. R15=enforce; modes: enforce, audit, off. May be repeated.
    #[arg(long, value_name = "CHECK=MODE", value_parser = check_mode)]
    mode: Vec<(Check, Mode)>,
    /// What is paid for; itsp sees scores in the answers.
    #[arg(long, value_enum)]
    plan: Option<PlanArg>,
    /// 302 with the code, or 503 to approve and 603 to refuse.
    #[arg(long, value_enum)]
    answer: Option<AnswerArg>,
    /// Risk above which R15 refuses, 0 to 1; `model`: what the model recommends.
    #[arg(long, value_name = "RISK", value_parser = threshold)]
    risk_threshold: Option<Threshold>,
    /// Allow calls only from these countries, e.g. BR,PT.
    #[arg(long, value_name = "CC,..", value_delimiter = ',')]
    origin_only: Option<Vec<String>>,
    /// Allow calls from all countries but these; "" for all.
    #[arg(
        long,
        value_name = "CC,..",
        value_delimiter = ',',
        conflicts_with = "origin_only"
    )]
    origin_except: Option<Vec<String>>,
    /// Allow calls only to these countries.
    #[arg(long, value_name = "CC,..", value_delimiter = ',')]
    destination_only: Option<Vec<String>>,
    /// Allow calls to all countries but these; "" for all.
    #[arg(
        long,
        value_name = "CC,..",
        value_delimiter = ',',
        conflicts_with = "destination_only"
    )]
    destination_except: Option<Vec<String>>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum PlanArg {
    Free,
    Basic,
    Itsp,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum AnswerArg {
    Redirect,
    Decline,
}

/// A threshold of its own, or the model's.
#[derive(Clone, Copy, Debug)]
struct Threshold(Option<f32>);

fn threshold(text: &str) -> Result<Threshold, String> {
    if text == "model" {
        return Ok(Threshold(None));
    }
    text.parse()
        .map(|risk| Threshold(Some(risk)))
        .map_err(|_| "expected a number from 0 to 1, or `model`".to_owned())
}

fn check_mode(text: &str) -> Result<(Check, Mode), String> {
    let (check, mode) = text
        .split_once('=')
        .ok_or("expected CHECK=MODE, e.g. R15=enforce")?;
    let check = check.parse::<Check>().map_err(|e| e.to_string())?;
    let mode = [Mode::Enforce, Mode::Audit, Mode::Off]
        .into_iter()
        .find(|known| known.as_str() == mode)
        .ok_or_else(|| format!("unknown mode `{mode}`: expected enforce, audit or off"))?;
    Ok((check, mode))
}

pub(super) fn run(context: &Context, command: PolicyCommand) -> anyhow::Result<Done> {
    let mut accounts = context.accounts()?;
    let now = clock::now();
    match command {
        PolicyCommand::List { format } => {
            let rows = accounts.policies()?;
            output::list(format, &["domain", "policy"], &rows, |(domain, policy)| {
                vec![domain.clone(), policy.clone()]
            })
        }
        PolicyCommand::Show {
            domain,
            policy,
            format,
        } => show(&accounts.policy(&domain, &policy)?, format),
        PolicyCommand::Create { domain, policy } => {
            accounts.create_policy(&domain, &policy, now)?;
            Ok(Done::All)
        }
        PolicyCommand::Remove { domain, policy } => {
            accounts.remove_policy(&domain, &policy, now)?;
            Ok(Done::All)
        }
        PolicyCommand::Set(args) => {
            if !args.changes_something() {
                bail!(
                    "nothing to change: give at least one of the options of `tfps policy set --help`"
                );
            }
            accounts
                .change_policy(&args.domain, &args.policy, is_available, now, |rules| {
                    args.apply(rules);
                    Ok(())
                })
                .with_context(|| {
                    format!("policy {}/{} stays as it was", args.domain, args.policy)
                })?;
            Ok(Done::All)
        }
    }
}

impl SetArgs {
    fn changes_something(&self) -> bool {
        !self.mode.is_empty()
            || self.plan.is_some()
            || self.answer.is_some()
            || self.risk_threshold.is_some()
            || self.origin_only.is_some()
            || self.origin_except.is_some()
            || self.destination_only.is_some()
            || self.destination_except.is_some()
    }

    fn apply(&self, rules: &mut PolicyRules) {
        for &(check, mode) in &self.mode {
            rules.set_mode(check, mode);
        }
        if let Some(plan) = self.plan {
            rules.plan = match plan {
                PlanArg::Free => Plan::Free,
                PlanArg::Basic => Plan::Basic,
                PlanArg::Itsp => Plan::Itsp,
            };
        }
        if let Some(answer) = self.answer {
            rules.answer = match answer {
                AnswerArg::Redirect => AnswerMode::Redirect,
                AnswerArg::Decline => AnswerMode::Decline,
            };
        }
        if let Some(Threshold(risk)) = self.risk_threshold {
            rules.risk_threshold = risk;
        }
        let countries = [
            (&mut rules.origin, &self.origin_only, &self.origin_except),
            (
                &mut rules.destination,
                &self.destination_only,
                &self.destination_except,
            ),
        ];
        for (rule, only, except) in countries {
            if only.is_some() || except.is_some() {
                *rule = CountryRules {
                    only: codes(only.as_deref()),
                    except: codes(except.as_deref()),
                };
            }
        }
    }
}

fn codes(given: Option<&[String]>) -> Vec<String> {
    given
        .unwrap_or_default()
        .iter()
        .filter(|code| !code.is_empty())
        .map(|code| code.to_ascii_uppercase())
        .collect()
}

fn show(rules: &PolicyRules, format: Format) -> anyhow::Result<Done> {
    if format.json {
        return output::json(rules);
    }
    let value = json!(rules);
    output::line(&format!("plan            {}", text(&value["plan"])))?;
    output::line(&format!("answer          {}", text(&value["answer"])))?;
    let threshold = match rules.risk_threshold {
        Some(risk) => risk.to_string(),
        None => "the model's".to_owned(),
    };
    output::line(&format!("risk threshold  {threshold}"))?;
    output::line(&format!("origin          {}", countries(&rules.origin)))?;
    output::line(&format!(
        "destination     {}",
        countries(&rules.destination)
    ))?;
    output::line("checks, in the order in which they decide:")?;
    for check in REFUSAL_ORDER.into_iter().filter(|&c| is_available(c)) {
        output::line(&format!(
            "  {check} {:8} {}",
            rules.mode(check).as_str(),
            check.description()
        ))?;
    }
    Ok(Done::All)
}

fn text(value: &serde_json::Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn countries(rules: &CountryRules) -> String {
    match (rules.only.as_slice(), rules.except.as_slice()) {
        ([], []) => "all countries".to_owned(),
        (only, []) => format!("only {}", only.join(" ")),
        (_, except) => format!("all but {}", except.join(" ")),
    }
}
