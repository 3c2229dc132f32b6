//! What is to be simulated.

use super::family::Family;
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
    /// How many tenants share them: `itsp-1.example`, `itsp-2.example`, ... Beside these, small
    /// ones come and go (the surprise `new-tenant`).
    pub tenants: u32,
    /// Attacks begun per UTC day, on average, if all families take part; at most
    /// [`Scenario::MAX_ATTACKS_PER_DAY`].
    pub attacks_per_day: f64,
    /// Which attacks there are; none: no attacks. A family left out takes its attacks with it
    /// and changes none of the others.
    pub families: Vec<Family>,
    /// Which calls are given. The others still count as calls that are up.
    pub only: Only,
}

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
    #[error("the simulation begins before 1970-02-01: give a later start")]
    TooEarly,
}

impl Scenario {
    /// Campaign numbers have three digits for the attacks of a day.
    pub const MAX_ATTACKS_PER_DAY: f64 = 999.0;
    /// Ten years.
    pub const MAX_DAYS: u32 = 3_660;
    /// As many as a large wholesale carrier has.
    pub const MAX_TENANTS: u32 = 10_000;
    /// Subscribers for each attack of a day: about 1.5 % of the calls are fraud.
    const SUBSCRIBERS_PER_ATTACK: f64 = 200.0;

    /// Three hundred subscribers of five tenants, all families.
    #[must_use]
    pub fn new(seed: u64, start: Timestamp, days: u32) -> Self {
        Self {
            seed,
            start,
            days,
            subscribers: 300,
            tenants: 5,
            attacks_per_day: Self::usual_attacks_per_day(300),
            families: Family::ALL.to_vec(),
            only: Only::All,
        }
    }

    /// Attacks in a day at which 1 to 2 % of the calls of so many subscribers are fraud; with
    /// 1,000 subscribers each family has three campaigns a week.
    #[must_use]
    pub fn usual_attacks_per_day(subscribers: u32) -> f64 {
        (f64::from(subscribers) / Self::SUBSCRIBERS_PER_ATTACK).min(Self::MAX_ATTACKS_PER_DAY)
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
        if self.start.secs() < 31 * 86_400 {
            return Err(ScenarioError::TooEarly);
        }
        Ok(())
    }
}
