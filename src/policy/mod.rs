//! The checks, one file each, all behind one trait; a mode says what a finding does.
//!
//! Every check runs and every outcome is kept. The code is that of the first enforcing refusal in
//! `REFUSAL_ORDER`; the policy's whitelist approves at once, whatever the checks say.

mod r01_user_agent;
mod r02_source_ip;
mod r03_number;
mod r04_origin;
mod r05_country_unknown;
mod r06_destination;
mod r07_prefix;
mod r12_attack_group;
mod r14_blacklist;
mod r15_risk;

use crate::domain::lists::SystemLists;
use crate::domain::{
    CallAttempt, Check, CheckOutcome, Country, Destination, Mode, Outcome, Policy, REFUSAL_ORDER,
    Timestamp,
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
    /// Now.
    pub now: Timestamp,
}

/// One check: says why the call should be refused, or nothing.
trait Rule: Sync {
    /// The evidence of a refusal, in words.
    fn refuses(&self, context: &Context<'_>) -> Option<String>;
}

/// Whether a check can be switched on in this version.
#[must_use]
pub fn is_available(check: Check) -> bool {
    rule(check).is_some()
}

/// The rule behind a code. R08 to R11 and R13 need counters of use that survive restarts; until
/// those exist the checks stay off and policies that switch them on are refused.
fn rule(check: Check) -> Option<&'static dyn Rule> {
    Some(match check {
        Check::R01 => &r01_user_agent::UserAgent,
        Check::R02 => &r02_source_ip::SourceIp,
        Check::R03 => &r03_number::CalledNumber,
        Check::R04 => &r04_origin::Origin,
        Check::R05 => &r05_country_unknown::CountryUnknown,
        Check::R06 => &r06_destination::DestinationCountry,
        Check::R07 => &r07_prefix::PrefixExists,
        Check::R12 => &r12_attack_group::AttackGroup,
        Check::R14 => &r14_blacklist::OwnBlacklist,
        Check::R15 => &r15_risk::Risk,
        Check::R08 | Check::R09 | Check::R10 | Check::R11 | Check::R13 => return None,
    })
}

/// Whether the policy's whitelist approves the call at once.
#[must_use]
pub fn whitelisted(context: &Context<'_>) -> bool {
    context
        .destination
        .number
        .is_some_and(|number| context.policy.whitelist.find(number, context.now).is_some())
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
    let rule = rule(check).filter(|_| mode != Mode::Off);
    let Some(rule) = rule else {
        return CheckOutcome {
            check,
            outcome: Outcome::Off,
            evidence: String::new(),
        };
    };
    let evidence = rule.refuses(context);
    CheckOutcome {
        check,
        outcome: Outcome::of(mode, evidence.is_some()),
        evidence: evidence.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests;
