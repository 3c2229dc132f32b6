//! `tfps policy`

use super::context::Context;
use super::output::Format;
use super::{Done, output, policy_file};
use crate::accounts::{CountryRules, PolicyRules};
use crate::app::clock;
use crate::domain::{AnswerMode, Check, Country, Mode, Plan, REFUSAL_ORDER};
use crate::numbering;
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
    Export(policy_file::ExportArgs),
    Import(policy_file::ImportArgs),
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
            output::changed()
        }
        PolicyCommand::Remove { domain, policy } => {
            accounts.remove_policy(&domain, &policy, now)?;
            output::changed()
        }
        PolicyCommand::Export(args) => policy_file::export(&accounts, args),
        PolicyCommand::Import(args) => policy_file::import(&mut accounts, &args),
        PolicyCommand::Set(args) => {
            if !args.changes_something() {
                bail!(
                    "nothing to change: give at least one of the options of `tfps policy set --help`"
                );
            }
            let (origin, destination) = args.countries()?;
            accounts
                .change_policy(&args.domain, &args.policy, is_available, now, |rules| {
                    args.apply(rules);
                    rules.origin = origin.unwrap_or_else(|| rules.origin.clone());
                    rules.destination = destination.unwrap_or_else(|| rules.destination.clone());
                    Ok(())
                })
                .with_context(|| {
                    format!("policy {}/{} stays as it was", args.domain, args.policy)
                })?;
            output::changed()
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
    }

    /// The rules for origin and destination, where they change.
    fn countries(&self) -> anyhow::Result<(Option<CountryRules>, Option<CountryRules>)> {
        let origin = country_rules("origin", &self.origin_only, &self.origin_except)?;
        let to = (&self.destination_only, &self.destination_except);
        Ok((origin, country_rules("destination", to.0, to.1)?))
    }
}

/// ISO 3166-1 codes of countries without a numbering plan of their own. Addresses are in them,
/// numbers never.
const WITHOUT_PLAN: [&str; 7] = ["AQ", "BV", "GS", "HM", "PN", "TF", "UM"];

fn country_rules(
    what: &str,
    only: &Option<Vec<String>>,
    except: &Option<Vec<String>>,
) -> anyhow::Result<Option<CountryRules>> {
    let codes = |codes: &[String], option: &str| -> anyhow::Result<Vec<String>> {
        let option = format!("--{what}-{option}");
        codes
            .iter()
            .map(|given| country_code(given, what == "origin").with_context(|| option.clone()))
            .collect()
    };
    match (only.as_deref(), except.as_deref()) {
        (None, None) => Ok(None),
        (Some(only), _) => Ok(Some(CountryRules {
            only: codes(only, "only")?,
            except: Vec::new(),
        })),
        (None, Some([nothing])) if nothing.is_empty() => Ok(Some(CountryRules::default())),
        (None, Some(except)) => Ok(Some(CountryRules {
            only: Vec::new(),
            except: codes(except, "except")?,
        })),
    }
}

/// A code as it is stored. One that no call can ever have would refuse, or let through, all.
fn country_code(given: &str, of_addresses: bool) -> anyhow::Result<String> {
    let code = given.to_ascii_uppercase();
    let known = Country::parse(&code).is_some_and(|country| {
        if of_addresses {
            let plain = country != Country::GLOBAL && numbering::has_plan(country);
            plain || WITHOUT_PLAN.contains(&country.as_str())
        } else {
            numbering::has_plan(country)
        }
    });
    if known {
        return Ok(code);
    }
    let hint = match code.as_str() {
        "UK" => "; the United Kingdom is GB",
        "EL" => "; Greece is GR",
        _ if of_addresses => "",
        _ => ", or XG for satellite and global numbers",
    };
    bail!("`{given}`: expected a country code of ISO 3166-1 such as BR{hint}")
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

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(what: &str, only: Option<&str>, except: Option<&str>) -> anyhow::Result<CountryRules> {
        let split = |text: &str| text.split(',').map(str::to_owned).collect();
        country_rules(what, &only.map(split), &except.map(split)).map(Option::unwrap_or_default)
    }

    #[test]
    fn only_countries_that_a_call_can_have() {
        let only = |what, codes| rules(what, Some(codes), None).map(|rules| rules.only);
        assert_eq!(only("destination", "br,XG").expect("known"), ["BR", "XG"]);
        assert_eq!(only("origin", "AQ,XK").expect("known"), ["AQ", "XK"]);
        for (what, codes) in [
            ("destination", "UK"),
            ("destination", "ZZ"),
            ("destination", "AQ"),
            ("destination", "BR,"),
            ("destination", ""),
            ("origin", "XG"),
            ("origin", "XX"),
            ("origin", "BRA"),
        ] {
            only(what, codes).expect_err(codes);
        }
        let hint = format!("{:#}", only("destination", "UK").expect_err("none"));
        assert!(
            hint.contains("--destination-only") && hint.contains("GB"),
            "{hint}"
        );
    }

    #[test]
    fn all_countries_are_said_by_an_empty_exception_only() {
        let all = rules("destination", None, Some("")).expect("all");
        assert_eq!(all, CountryRules::default());
        rules("destination", None, Some("BR,")).expect_err("a code is missing");
    }
}
