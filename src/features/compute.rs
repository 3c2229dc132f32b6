//! The one computation of the features: one walk over the tracks of one call, by subject.
//!
//! Every feature is read from a track as it was before the call, and the call is counted in the
//! same step: so no value includes the call itself, and nothing is looked up twice.

mod call;
mod caller;
mod crosses;
mod destination;
mod honeypot;
mod hours;
mod money;
mod pass;
mod source;

pub(super) use honeypot::{near, note as note_honeypot};
pub(super) use pass::Pass;

use super::context::Context;
use super::entities::Entities;

/// Fills the vector of a call and counts the call.
pub(super) fn run(pass: &mut Pass<'_>, context: &Context<'_>, e: &Entities, v: &mut [f32]) {
    call::call_itself(context, v);
    let caller = caller::caller(pass, context, e, v);
    caller::destinations(pass, e, &caller, v);
    caller::numbers(pass, e, &caller, v);
    destination::everybody(pass, e, &caller, v);
    source::source(pass, context, e, v);
    source::agent(pass, e, v);
    source::dialling(pass, e, v);
    hours::hours(pass, e, &caller, v);
    money::money(pass, context, e, &caller, v);
    honeypot::neighbourhood(context, v);
    crosses::crosses(v);
    debug_assert!(
        v.iter().all(|x| x.is_finite()),
        "a feature is not finite: {v:?}"
    );
}

#[cfg(test)]
mod tests;
