//! Which attacks resemble each other, by the names of their campaigns.
//!
//! A campaign is called `family/number`, in simulated calls and in files alike. A family that is
//! held out is held out with its relatives: a model that has seen one way of using a stolen
//! password has seen something of the others.

/// Families that are held out together.
const GROUPS: [(&str, &[&str]); 4] = [
    (
        "credentials",
        &["hacked-pbx", "stolen-credentials", "imitator"],
    ),
    ("scouting", &["prefix-scanner", "test-calls"]),
    ("slow", &["low-and-slow", "call-forward"]),
    (
        "pumping",
        &[
            "traffic-pumping",
            "range-many-tenants",
            "wangiri",
            "toll-free-pumping",
        ],
    ),
];

/// Families whose money is in many calls.
const VOLUME: [&str; 6] = [
    "hacked-pbx",
    "stolen-credentials",
    "test-calls",
    "wangiri",
    "traffic-pumping",
    "range-many-tenants",
];

/// A family that may be loud or quiet, and the calls from which a campaign of it is loud.
const LOUD: (&str, usize) = ("call-forward", 30);

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
    let known = GROUPS.iter().find(|(_, members)| members.contains(&family));
    known.map_or(family, |(group, _)| group)
}

/// Whether an attack of this family and so many calls earns by volume.
#[must_use]
pub fn is_volume(family: &str, calls: usize) -> bool {
    VOLUME.contains(&family) || (family == LOUD.0 && calls >= LOUD.1)
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
        assert!(!is_volume("low-and-slow", 1_000));
    }
}
