//! R04: the call comes from a country the policy does not allow. A country that is not known is
//! R05's business.

use super::{Context, Rule};

pub(super) struct Origin;

impl Rule for Origin {
    fn refuses(&self, c: &Context<'_>) -> Option<String> {
        let refused = c.origin.is_known() && !c.policy.origin.allows(c.origin);
        refused.then(|| format!("origin {} not allowed", c.origin))
    }
}
