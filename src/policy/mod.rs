//! The checks, one file each, all behind one trait; a mode says what a finding does.
//!
//! Every check runs and every outcome is kept. The code is that of the first enforcing refusal in
//! `REFUSAL_ORDER`; the policy's whitelist approves at once, whatever the checks say.

mod limits;
mod r01_user_agent;
mod r02_source_ip;
mod r03_number;
mod r04_origin;
mod r05_country_unknown;
mod r06_destination;
mod r07_prefix;
mod r08_concurrent_off;
mod r09_quota_off;
mod r10_concurrent;
mod r11_quota;
mod r12_attack_group;
mod r13_same_number;
mod r14_blacklist;
mod r15_risk;

use crate::domain::lists::SystemLists;
use crate::domain::{
    CallAttempt, Check, CheckOutcome, Country, Counts, Destination, DialPrefix, LocalTime, Mode,
    Outcome, Policy, REFUSAL_ORDER, Timestamp,
};

/// All a check may look at.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The call.
    pub attempt: &'a CallAttempt,
    /// Where it goes.
    pub destination: &'a Destination,
    /// Where it comes from.
    pub origin: Country,
    /// The policy that applies.
    pub policy: &'a Policy,
    /// The system's lists.
    pub system: &'a SystemLists,
    /// Calibrated risk, 0 to 1; `None` without a model.
    pub score: Option<f32>,
    /// The threshold the model recommends; used when the policy names none.
    pub model_threshold: Option<f32>,
    /// What was used before this call.
    pub usage: Counts,
    /// The customer's clock, and which of the limits hold by it.
    pub local: LocalTime,
    /// Now.
    pub now: Timestamp,
}

/// One check: says why the call should be refused, or nothing.
trait Rule: Sync {
    /// The evidence of a refusal, in words.
    fn refuses(&self, context: &Context<'_>) -> Option<String>;
}

/// The rule behind a code.
const fn rule(check: Check) -> &'static dyn Rule {
    match check {
        Check::R01 => &r01_user_agent::UserAgent,
        Check::R02 => &r02_source_ip::SourceIp,
        Check::R03 => &r03_number::CalledNumber,
        Check::R04 => &r04_origin::Origin,
        Check::R05 => &r05_country_unknown::CountryUnknown,
        Check::R06 => &r06_destination::DestinationCountry,
        Check::R07 => &r07_prefix::PrefixExists,
        Check::R08 => &r08_concurrent_off::ConcurrentOffHours,
        Check::R09 => &r09_quota_off::QuotaOffHours,
        Check::R10 => &r10_concurrent::ConcurrentNormalHours,
        Check::R11 => &r11_quota::QuotaNormalHours,
        Check::R12 => &r12_attack_group::AttackGroup,
        Check::R13 => &r13_same_number::SameNumber,
        Check::R14 => &r14_blacklist::OwnBlacklist,
        Check::R15 => &r15_risk::Risk,
    }
}

/// Whether the policy's whitelist approves the call at once. A number that was guessed from what
/// was dialled does not: what is called may be another.
#[must_use]
pub fn whitelisted(context: &Context<'_>) -> bool {
    let Destination {
        number,
        dial_prefix,
        ..
    } = context.destination;
    *dial_prefix != DialPrefix::Guessed
        && number.is_some_and(|number| context.policy.whitelist.find(number, context.now).is_some())
}

/// Every check's outcome, in order of refusal.
#[must_use]
pub fn run(context: &Context<'_>) -> Vec<CheckOutcome> {
    REFUSAL_ORDER
        .into_iter()
        .map(|check| evaluate(check, context))
        .collect()
}

fn evaluate(check: Check, context: &Context<'_>) -> CheckOutcome {
    let mode = context.policy.mode(check);
    if mode == Mode::Off {
        return CheckOutcome {
            check,
            outcome: Outcome::Off,
            evidence: String::new(),
        };
    }
    let evidence = rule(check).refuses(context);
    CheckOutcome {
        check,
        outcome: Outcome::of(mode, evidence.is_some()),
        evidence: evidence.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests;
