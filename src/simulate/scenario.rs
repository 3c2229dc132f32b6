//! What is to be simulated.

use crate::domain::{Timestamp, Verdict};

/// The parameters of a simulation. Equal scenarios give equal calls, byte for byte.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// Decides who the subscribers are, what they do, and which attacks there are.
    pub seed: u64,
    /// First moment.
    pub start: Timestamp,
    /// Length, days of 24 hours.
    pub days: u32,
    /// How many subscribers; the first ones are the same whatever the number.
    pub subscribers: u32,
    /// How many tenants share them: `itsp-1.example`, `itsp-2.example`, ...
    pub tenants: u32,
    /// Attacks begun per UTC day, on average; at most [`Scenario::MAX_ATTACKS_PER_DAY`].
    pub attacks_per_day: f64,
    /// Which attacks there are; none: no attacks.
    pub families: Vec<Family>,
    /// Which calls are given. The others still count as calls that are up.
    pub only: Only,
}

/// A family of attacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// Calls at night or at the weekend through an exchange taken over.
    HackedPbx,
    /// A subscriber's password used from elsewhere.
    StolenCredentials,
    /// The same few numbers behind many dial prefixes, in search of one that goes through.
    PrefixScanner,
}

impl Family {
    /// All of them.
    pub const ALL: [Self; 3] = [
        Self::HackedPbx,
        Self::StolenCredentials,
        Self::PrefixScanner,
    ];

    /// As it stands before the slash of a campaign.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HackedPbx => "hacked-pbx",
            Self::StolenCredentials => "stolen-credentials",
            Self::PrefixScanner => "prefix-scanner",
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
#[error("unknown family `{0}`: expected hacked-pbx, stolen-credentials or prefix-scanner")]
pub struct UnknownFamily(pub String);

/// Which calls are given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Only {
    /// All calls.
    #[default]
    All,
    /// Ordinary calls.
    Legitimate,
    /// Attacks.
    Fraud,
}

impl Only {
    pub(super) fn includes(self, verdict: Option<Verdict>) -> bool {
        match self {
            Self::All => true,
            Self::Legitimate => verdict == Some(Verdict::Legitimate),
            Self::Fraud => verdict == Some(Verdict::Fraud),
        }
    }
}

/// A scenario that cannot be simulated.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum ScenarioError {
    /// Nobody to call.
    #[error("there are no subscribers: give at least 1")]
    NoSubscribers,
    /// Nobody to belong to.
    #[error("there are {0} tenants: give 1 to {max}", max = Scenario::MAX_TENANTS)]
    Tenants(u32),
    /// No time to call in.
    #[error("the simulation lasts {0} days: give 1 to {max}", max = Scenario::MAX_DAYS)]
    Days(u32),
    /// No sensible number of attacks.
    #[error("{0} attacks per day: give 0 to {max}", max = Scenario::MAX_ATTACKS_PER_DAY)]
    AttacksPerDay(f64),
    /// Before days are counted.
    #[error("the simulation begins before 1970-01-02: give a later start")]
    TooEarly,
}

impl Scenario {
    /// Campaign numbers have three digits for the attacks of a day.
    pub const MAX_ATTACKS_PER_DAY: f64 = 999.0;
    /// Ten years.
    pub const MAX_DAYS: u32 = 3_660;
    /// As many as a large wholesale carrier has.
    pub const MAX_TENANTS: u32 = 10_000;

    /// Three hundred subscribers of five tenants, two attacks a day.
    #[must_use]
    pub fn new(seed: u64, start: Timestamp, days: u32) -> Self {
        Self {
            seed,
            start,
            days,
            subscribers: 300,
            tenants: 5,
            attacks_per_day: 2.0,
            families: Family::ALL.to_vec(),
            only: Only::All,
        }
    }

    /// Whether it can be simulated. [`generate`](super::generate) gives nothing, or less than
    /// was asked for, where it cannot.
    ///
    /// # Errors
    /// The first parameter that is out of its range.
    pub fn check(&self) -> Result<(), ScenarioError> {
        if self.subscribers == 0 {
            return Err(ScenarioError::NoSubscribers);
        }
        if !(1..=Self::MAX_TENANTS).contains(&self.tenants) {
            return Err(ScenarioError::Tenants(self.tenants));
        }
        if !(1..=Self::MAX_DAYS).contains(&self.days) {
            return Err(ScenarioError::Days(self.days));
        }
        if !(0.0..=Self::MAX_ATTACKS_PER_DAY).contains(&self.attacks_per_day) {
            return Err(ScenarioError::AttacksPerDay(self.attacks_per_day));
        }
        if self.start.secs() < 86_400 {
            return Err(ScenarioError::TooEarly);
        }
        Ok(())
    }
}
