//! What the features look at.

use crate::domain::{CallAttempt, CallEvent, Country, Destination, Ingress, Sign};
use std::net::IpAddr;

/// Everything about a call that the features look at: nothing that is known only later (whether
/// it was answered, how long it took) and no label is among it.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The call.
    pub attempt: &'a CallAttempt,
    /// Served domain; empty for a free call of nobody's.
    pub account: &'a str,
    /// For free calls and those at honeypots the peer, so that habits are kept apart.
    pub scope: Option<IpAddr>,
    /// Where the call goes.
    pub destination: &'a Destination,
    /// Where it comes from.
    pub origin: Country,
    /// What a minute costs by the rate deck in force.
    pub price: Option<f32>,
    /// What honeypots saw of the same things.
    pub near: Near,
}

impl<'a> Context<'a> {
    /// The context an event was decided in, but for what honeypots had seen by then.
    #[must_use]
    pub fn of_event(event: &'a CallEvent) -> Self {
        let attempt = &event.attempt;
        let apart = event.account.is_empty() || attempt.ingress == Ingress::Honeypot;
        Self {
            attempt,
            account: &event.account,
            scope: apart.then_some(attempt.peer),
            destination: &event.destination,
            origin: event.origin,
            price: event.price,
            near: Near::default(),
        }
    }

    /// Whether the call rang at a honeypot, from an address that was shown to be its sender's.
    #[must_use]
    pub fn is_shown_at_honeypot(&self) -> bool {
        let is_shown = !self.attempt.signs.has(Sign::SourceNotShown);
        is_shown && self.attempt.ingress == Ingress::Honeypot
    }
}

/// How near a call is to what honeypots saw: decayed counts over seven days.
///
/// Of a destination and a user agent the networks count that named them, not their calls: one
/// liar with one address is one, however often he calls.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Near {
    /// Networks that called the prefix.
    pub prefix: f32,
    /// Networks that called the block of a thousand numbers.
    pub block: f32,
    /// Calls from the source address.
    pub source: f32,
    /// Calls from its network.
    pub net: f32,
    /// Networks that used the user agent; 0 when none was sent.
    pub agent: f32,
}
