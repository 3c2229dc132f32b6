//! R06: the call goes to a country the policy does not allow. A country that is not known is
//! R05's business.

use super::{Context, Rule};

pub(super) struct DestinationCountry;

impl Rule for DestinationCountry {
    fn refuses(&self, c: &Context<'_>) -> Option<String> {
        let country = c.destination.country;
        let refused = country.is_known() && !c.policy.destination.allows(country);
        refused.then(|| format!("destination {country} not allowed"))
    }
}
