//! `tfps policy set`

use super::super::{Done, output};
use crate::accounts::{
    Accounts, CountryRules, OffHoursRules, PeriodRules, PolicyRules, ReportPeriod, ReportRules,
    SameNumberRules,
};
use crate::domain::{AnswerMode, Check, Mode, Plan, Timestamp};
use anyhow::{Context as _, bail};
use clap::ValueEnum;

#[derive(clap::Args, Debug)]
pub(in crate::cli) struct SetArgs {
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
    risk_threshold: Option<Or<f32>>,
    /// Calls a subscriber may ask about in a second; `plan`: as many as his plan allows.
    #[arg(long, value_name = "CALLS", value_parser = calls_or_plan)]
    calls_per_second: Option<Or<u32>>,
    /// Calls a subscriber may have up at once in normal hours (R10); `none`: no limit.
    #[arg(long, value_name = "CALLS", value_parser = calls_or_none)]
    concurrent: Option<Or<u32>>,
    /// The same in off hours (R08).
    #[arg(long, value_name = "CALLS", value_parser = calls_or_none)]
    concurrent_off_hours: Option<Or<u32>>,
    /// Calls a subscriber may make in a calendar day in normal hours (R11); `none`: no limit.
    #[arg(long, value_name = "CALLS", value_parser = calls_or_none)]
    daily_quota: Option<Or<u32>>,
    /// The same in off hours (R09).
    #[arg(long, value_name = "CALLS", value_parser = calls_or_none)]
    daily_quota_off_hours: Option<Or<u32>>,
    /// Calls of one caller to one number within so many seconds (R13), e.g. 5/600; `none`: no
    /// limit.
    #[arg(long, value_name = "CALLS/SECONDS", value_parser = same_number)]
    same_number: Option<Or<SameNumberRules>>,
    /// Time zone by whose clock it is off hours and days begin, e.g. America/Sao_Paulo.
    #[arg(long, value_name = "ZONE")]
    zone: Option<String>,
    /// Off hours: months (default all), weekdays (default all) and times, e.g.
    /// "oct-mar mon-fri 18:00-08:00"; may be repeated, all of them hold; "" for none.
    #[arg(long, value_name = "PERIOD", value_parser = period)]
    off_hours: Vec<Or<PeriodRules>>,
    /// Allow calls only from these: country codes, continent:EU, risk:low; e.g. BR,PT; "" for
    /// all.
    #[arg(long, value_name = "ITEM,..", value_delimiter = ',')]
    origin_only: Option<Vec<String>>,
    /// Allow no calls from these, also where --origin-only names them; "" for none.
    #[arg(long, value_name = "ITEM,..", value_delimiter = ',')]
    origin_except: Option<Vec<String>>,
    /// Allow calls only to these: country codes, XG (satellite and global numbers),
    /// continent:EU, risk:low; "" for all.
    #[arg(long, value_name = "ITEM,..", value_delimiter = ',')]
    destination_only: Option<Vec<String>>,
    /// Allow no calls to these, also where --destination-only names them; "" for none.
    #[arg(long, value_name = "ITEM,..", value_delimiter = ',')]
    destination_except: Option<Vec<String>>,
    /// Who gets reports of this policy's calls; "" for nobody.
    #[arg(long, value_name = "ADDRESS,..", value_delimiter = ',')]
    report_to: Option<Vec<String>>,
    /// How often they get one.
    #[arg(long, value_enum)]
    report_period: Option<PeriodArg>,
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

#[derive(Clone, Copy, Debug, ValueEnum)]
enum PeriodArg {
    Daily,
    Weekly,
    Monthly,
}

/// A value, or the word that takes one away.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Or<T>(Option<T>);

pub(super) fn run(accounts: &mut Accounts, args: &SetArgs, now: Timestamp) -> anyhow::Result<Done> {
    if !args.changes_something() {
        bail!("nothing to change: give at least one of the options of `tfps policy set --help`");
    }
    let (domain, policy) = (&args.domain, &args.policy);
    let before = accounts.policy(domain, policy)?;
    // What only fits together with what is there already is seen before anything changes.
    args.check(&before)?;
    let rules = accounts
        .change_policy(domain, policy, now, |rules| {
            args.apply(rules);
            Ok(())
        })
        .with_context(|| format!("policy {domain}/{policy} stays as it was"))?;
    for idle in args.idle(&rules) {
        eprintln!("note: {idle} is off, so that limit holds nobody back: --mode {idle}=enforce");
    }
    output::changed()
}

impl SetArgs {
    /// Whether any option is given: what it sets may be what is there already.
    fn changes_something(&self) -> bool {
        let limits = [
            &self.concurrent,
            &self.concurrent_off_hours,
            &self.daily_quota,
            &self.daily_quota_off_hours,
            &self.calls_per_second,
        ];
        let lists = [
            &self.origin_only,
            &self.origin_except,
            &self.destination_only,
            &self.destination_except,
            &self.report_to,
        ];
        !self.mode.is_empty()
            || !self.off_hours.is_empty()
            || limits.into_iter().any(Option::is_some)
            || lists.into_iter().any(Option::is_some)
            || self.plan.is_some()
            || self.answer.is_some()
            || self.risk_threshold.is_some()
            || self.same_number.is_some()
            || self.zone.is_some()
            || self.report_period.is_some()
    }

    fn check(&self, before: &PolicyRules) -> anyhow::Result<()> {
        if self.report_period.is_some() && self.report_to.is_none() && before.report.is_none() {
            bail!("--report-period: nobody gets reports yet; give --report-to too");
        }
        Ok(())
    }

    fn apply(&self, rules: &mut PolicyRules) {
        for &(check, mode) in &self.mode {
            rules.set_mode(check, mode);
        }
        if let Some(plan) = self.plan {
            rules.plan = plan.into();
        }
        if let Some(answer) = self.answer {
            rules.answer = answer.into();
        }
        set(&mut rules.risk_threshold, self.risk_threshold);
        set(&mut rules.calls_per_second, self.calls_per_second);
        set(&mut rules.concurrent.normal, self.concurrent);
        set(&mut rules.concurrent.off_hours, self.concurrent_off_hours);
        set(&mut rules.daily_quota.normal, self.daily_quota);
        set(&mut rules.daily_quota.off_hours, self.daily_quota_off_hours);
        set(&mut rules.same_number, self.same_number);
        self.apply_off_hours(&mut rules.off_hours);
        apply_countries(&mut rules.origin, &self.origin_only, &self.origin_except);
        let to = (&self.destination_only, &self.destination_except);
        apply_countries(&mut rules.destination, to.0, to.1);
        self.apply_report(&mut rules.report);
    }

    fn apply_off_hours(&self, rules: &mut Option<OffHoursRules>) {
        if self.zone.is_none() && self.off_hours.is_empty() {
            return;
        }
        let rules = rules.get_or_insert_with(|| OffHoursRules {
            zone: "UTC".to_owned(),
            periods: Vec::new(),
        });
        if let Some(zone) = &self.zone {
            rules.zone.clone_from(zone);
        }
        if !self.off_hours.is_empty() {
            let periods = self.off_hours.iter().filter_map(|given| given.0.clone());
            rules.periods = periods.collect();
        }
    }

    fn apply_report(&self, rules: &mut Option<ReportRules>) {
        if let Some(recipients) = &self.report_to {
            let period = rules.as_ref().map(|report| report.period);
            *rules = given(recipients).map(|recipients| ReportRules {
                recipients,
                period: period.unwrap_or_default(),
            });
        }
        if let (Some(period), Some(report)) = (self.report_period, rules) {
            report.period = period.into();
        }
    }

    /// Checks that rest although a limit of theirs was just set.
    fn idle<'a>(&self, rules: &'a PolicyRules) -> impl Iterator<Item = Check> + 'a {
        let set = |limit: Option<Or<u32>>| limit.is_some_and(|limit| limit.0.is_some());
        let limits = [
            (Check::R08, set(self.concurrent_off_hours)),
            (Check::R09, set(self.daily_quota_off_hours)),
            (Check::R10, set(self.concurrent)),
            (Check::R11, set(self.daily_quota)),
            (
                Check::R13,
                self.same_number.is_some_and(|limit| limit.0.is_some()),
            ),
            (
                Check::R04,
                names_countries(&self.origin_only) || names_countries(&self.origin_except),
            ),
            (
                Check::R06,
                names_countries(&self.destination_only)
                    || names_countries(&self.destination_except),
            ),
        ];
        let set = limits.into_iter().filter(|(_, set)| *set);
        set.map(|(check, _)| check)
            .filter(|check| rules.mode(*check) == Mode::Off)
    }
}

fn set<T: Copy>(field: &mut Option<T>, given: Option<Or<T>>) {
    if let Some(Or(value)) = given {
        *field = value;
    }
}

/// A half that is not given stays as it is: to loosen a rule must be said.
fn apply_countries(
    rules: &mut CountryRules,
    only: &Option<Vec<String>>,
    except: &Option<Vec<String>>,
) {
    let replace = |half: &mut Vec<String>, items: &Option<Vec<String>>| {
        if let Some(items) = items {
            let items = given(items).unwrap_or_default();
            *half = items.iter().map(|item| tidy(item)).collect();
        }
    };
    replace(&mut rules.only, only);
    replace(&mut rules.except, except);
}

fn names_countries(half: &Option<Vec<String>>) -> bool {
    half.as_deref().and_then(given).is_some()
}

/// The items of a list; `None`: it was given as "".
fn given(items: &[String]) -> Option<Vec<String>> {
    match items {
        [nothing] if nothing.is_empty() => None,
        items => Some(items.to_vec()),
    }
}

/// Codes as they are usually written.
fn tidy(item: &str) -> String {
    if item.contains(':') {
        item.to_owned()
    } else {
        item.to_ascii_uppercase()
    }
}

fn threshold(text: &str) -> Result<Or<f32>, String> {
    or(text, "model", "expected a number from 0 to 1, or `model`")
}

fn calls_or_none(text: &str) -> Result<Or<u32>, String> {
    or(text, "none", "expected a number of calls, or `none`")
}

fn calls_or_plan(text: &str) -> Result<Or<u32>, String> {
    or(
        text,
        "plan",
        "expected a number from 1 to 100000, or `plan`",
    )
}

fn or<T: std::str::FromStr>(text: &str, without: &str, expected: &str) -> Result<Or<T>, String> {
    if text == without {
        return Ok(Or(None));
    }
    let parsed = text.parse().map(|value| Or(Some(value)));
    parsed.map_err(|_| expected.to_owned())
}

fn same_number(text: &str) -> Result<Or<SameNumberRules>, String> {
    if text == "none" {
        return Ok(Or(None));
    }
    let parsed = text.split_once('/').and_then(|(calls, seconds)| {
        Some(SameNumberRules {
            calls: calls.parse().ok()?,
            seconds: seconds.parse().ok()?,
        })
    });
    let expected = || "expected CALLS/SECONDS such as 5/600, or `none`".to_owned();
    parsed.map(|rules| Or(Some(rules))).ok_or_else(expected)
}

fn period(text: &str) -> Result<Or<PeriodRules>, String> {
    if text.is_empty() {
        return Ok(Or(None));
    }
    text.parse().map(|period| Or(Some(period)))
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

impl From<PlanArg> for Plan {
    fn from(plan: PlanArg) -> Self {
        match plan {
            PlanArg::Free => Self::Free,
            PlanArg::Basic => Self::Basic,
            PlanArg::Itsp => Self::Itsp,
        }
    }
}

impl From<AnswerArg> for AnswerMode {
    fn from(answer: AnswerArg) -> Self {
        match answer {
            AnswerArg::Redirect => Self::Redirect,
            AnswerArg::Decline => Self::Decline,
        }
    }
}

impl From<PeriodArg> for ReportPeriod {
    fn from(period: PeriodArg) -> Self {
        match period {
            PeriodArg::Daily => Self::Daily,
            PeriodArg::Weekly => Self::Weekly,
            PeriodArg::Monthly => Self::Monthly,
        }
    }
}

#[cfg(test)]
mod tests;
