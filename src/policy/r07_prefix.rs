//! R07: the number begins with no calling code that is assigned, or is no number at all.

use super::{Context, Rule};

pub(super) struct PrefixExists;

impl Rule for PrefixExists {
    fn refuses(&self, c: &Context<'_>) -> Option<String> {
        (!c.destination.exists()).then(|| match c.destination.number {
            Some(number) => format!("no calling code begins {}", number.prefix(3)),
            None => "not an E.164 number".to_owned(),
        })
    }
}
