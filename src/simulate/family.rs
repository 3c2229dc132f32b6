//! The families of attacks, and which of them are related.

/// A family of attacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// A blitz at night, at the weekend or on a holiday through an exchange taken over.
    HackedPbx,
    /// A few calls an hour for days, working hours included.
    LowAndSlow,
    /// A subscriber's password used from another address and another device.
    StolenCredentials,
    /// The same few numbers behind many dial prefixes, in search of one that goes through.
    PrefixScanner,
    /// Single short calls to test numbers, and days later the attack.
    TestCalls,
    /// A forwarding set to a number that pays, and a wave of calls into it.
    CallForward,
    /// Missed calls from abroad, which many honest subscribers return.
    Wangiri,
    /// Long calls by the hundred to one number or range that shares its revenue.
    TrafficPumping,
    /// One range called through many tenants at once, a few calls each.
    RangeManyTenants,
    /// Robocalls under invented callers to freephone numbers.
    TollFreePumping,
    /// A thief with the victim's user agent, network, hours and number of calls.
    Imitator,
}

/// Families that have their traces in common: to be held out together, or a model that has
/// seen the one is praised for finding the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FamilyGroup {
    /// Somebody else calls as a customer.
    Credentials,
    /// The way is looked for before it is used.
    Scouting,
    /// Few calls, long or far between.
    Slow,
    /// Calls for the sake of their number or length, callers being nobody in particular.
    Pumping,
}

impl FamilyGroup {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Credentials, Self::Scouting, Self::Slow, Self::Pumping];

    /// As it stands in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Credentials => "credentials",
            Self::Scouting => "scouting",
            Self::Slow => "slow",
            Self::Pumping => "pumping",
        }
    }

    /// Its families, in the order of [`Family::ALL`].
    pub fn families(self) -> impl Iterator<Item = Family> {
        Family::ALL
            .into_iter()
            .filter(move |family| family.group() == self)
    }
}

impl std::fmt::Display for FamilyGroup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Family {
    /// All of them. The order is part of what a seed means: add at the end.
    pub const ALL: [Self; 11] = [
        Self::HackedPbx,
        Self::LowAndSlow,
        Self::StolenCredentials,
        Self::PrefixScanner,
        Self::TestCalls,
        Self::CallForward,
        Self::Wangiri,
        Self::TrafficPumping,
        Self::RangeManyTenants,
        Self::TollFreePumping,
        Self::Imitator,
    ];

    /// As it stands before the slash of a campaign.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HackedPbx => "hacked-pbx",
            Self::LowAndSlow => "low-and-slow",
            Self::StolenCredentials => "stolen-credentials",
            Self::PrefixScanner => "prefix-scanner",
            Self::TestCalls => "test-calls",
            Self::CallForward => "call-forward",
            Self::Wangiri => "wangiri",
            Self::TrafficPumping => "traffic-pumping",
            Self::RangeManyTenants => "range-many-tenants",
            Self::TollFreePumping => "toll-free-pumping",
            Self::Imitator => "imitator",
        }
    }

    /// The family of a campaign such as `wangiri/20513004`; `None`: none of ours.
    #[must_use]
    pub fn of_campaign(campaign: &str) -> Option<Self> {
        campaign.split('/').next()?.parse().ok()
    }

    /// What it is related to.
    #[must_use]
    pub const fn group(self) -> FamilyGroup {
        match self {
            Self::HackedPbx | Self::StolenCredentials | Self::Imitator => FamilyGroup::Credentials,
            Self::PrefixScanner | Self::TestCalls => FamilyGroup::Scouting,
            Self::LowAndSlow | Self::CallForward => FamilyGroup::Slow,
            Self::TrafficPumping
            | Self::RangeManyTenants
            | Self::Wangiri
            | Self::TollFreePumping => FamilyGroup::Pumping,
        }
    }

    /// Whether it makes its money by many calls in a short time.
    ///
    /// Call forwarding is one when loud only, and counts as one here; scanners earn nothing,
    /// freephone robocalls spread over the day, the other two hide.
    #[must_use]
    pub const fn is_volume(self) -> bool {
        match self {
            Self::HackedPbx
            | Self::StolenCredentials
            | Self::TestCalls
            | Self::CallForward
            | Self::Wangiri
            | Self::TrafficPumping
            | Self::RangeManyTenants => true,
            Self::LowAndSlow | Self::PrefixScanner | Self::TollFreePumping | Self::Imitator => {
                false
            }
        }
    }
}

impl std::fmt::Display for Family {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Family {
    type Err = UnknownFamily;

    fn from_str(text: &str) -> Result<Self, UnknownFamily> {
        Self::ALL
            .into_iter()
            .find(|family| family.as_str() == text)
            .ok_or_else(|| UnknownFamily(text.to_owned()))
    }
}

/// A name that is no family.
#[derive(Debug, thiserror::Error)]
#[error("unknown family `{0}`: expected one of {known}", known = Family::ALL.map(Family::as_str).join(", "))]
pub struct UnknownFamily(pub String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_alone_and_in_front_of_a_number() {
        for family in Family::ALL {
            assert_eq!(family.as_str().parse::<Family>().expect("a name"), family);
            assert_eq!(Family::of_campaign(&format!("{family}/17")), Some(family));
        }
        assert_eq!(Family::of_campaign(""), None);
        let error = "simbox".parse::<Family>().expect_err("no such family");
        assert!(error.to_string().contains("`simbox`"));
        assert!(error.to_string().contains("range-many-tenants"));
    }

    #[test]
    fn every_family_is_in_exactly_one_group() {
        let all = FamilyGroup::ALL.into_iter().flat_map(FamilyGroup::families);
        let mut all: Vec<_> = all.collect();
        all.sort();
        assert_eq!(all, Family::ALL);
        assert_eq!(FamilyGroup::Scouting.families().count(), 2);
    }
}
