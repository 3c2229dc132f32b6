//! R05: the policy restricts countries, and the one it would look at is not known.

use super::{Context, Rule};

pub(super) struct CountryUnknown;

impl Rule for CountryUnknown {
    fn refuses(&self, c: &Context<'_>) -> Option<String> {
        let unknown = |restricts: bool, known: bool| restricts && !known;
        if unknown(c.policy.origin.restricts(), c.origin.is_known()) {
            return Some(format!("no country for address {}", c.attempt.source_ip));
        }
        if unknown(
            c.policy.destination.restricts(),
            c.destination.country.is_known(),
        ) {
            return Some("no country for the called number".to_owned());
        }
        None
    }
}
