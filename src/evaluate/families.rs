//! Which attacks resemble each other, by the names of their campaigns.
//!
//! A campaign is called `family/number`, in simulated calls and in files alike. A family that is
//! held out is held out with its relatives: a model that has seen one way of using a stolen
//! password has seen something of the others.

use crate::simulate::Family;

/// Calls from which forwarded calls are loud: they earn by their number, not by their length.
const LOUD: usize = 30;

/// What a fraud without a campaign belongs to: one attack per customer.
pub const UNNAMED: &str = "unnamed";

/// The family of a campaign: its name up to the slash.
#[must_use]
pub fn family_of(campaign: &str) -> &str {
    campaign.split('/').next().unwrap_or(campaign)
}

/// The group a family is held out with; a family we do not know is its own.
#[must_use]
pub fn group_of(family: &str) -> &str {
    let known: Option<Family> = family.parse().ok();
    known.map_or(family, |known| known.group().as_str())
}

/// Whether an attack of this family and so many calls earns by volume.
#[must_use]
pub fn is_volume(family: &str, calls: usize) -> bool {
    let known: Option<Family> = family.parse().ok();
    known.is_some_and(|known| known.is_volume() && (known != Family::CallForward || calls >= LOUD))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_family_is_the_name_up_to_the_slash() {
        assert_eq!(family_of("wangiri/17"), "wangiri");
        assert_eq!(family_of("wangiri"), "wangiri");
        assert_eq!(group_of("imitator"), "credentials");
        assert_eq!(group_of("something-new"), "something-new");
    }

    #[test]
    fn only_loud_forwards_are_volume() {
        assert!(is_volume("wangiri", 2));
        assert!(is_volume("call-forward", 30) && !is_volume("call-forward", 29));
        assert!(!is_volume("low-and-slow", 1_000) && !is_volume("something-new", 1_000));
    }
}
