//! How often a country is the destination of telephone fraud, in three classes.
//!
//! The classes here are this project's own judgement, not a measurement: destinations that
//! carriers, operators and fraud associations have named again and again in public over the
//! years as those where international revenue share fraud (IRSF) collects. *High*: countries and
//! territories whose ranges are hijacked or rented out far beyond what their own traffic is, and
//! the satellite and global codes. *Medium*: costly destinations that appear often, with ordinary
//! traffic beside it. *Low*: the rest. They differ for everybody: an operator with customers in
//! Tunis gives TN another class (`tfps country risk`).

use super::Country;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Destinations that IRSF is best known for.
const HIGH: &str = "AC AL AZ BA BF BI BJ BY CD CF CG CK CM CU DJ DZ ER ET FK GD GM GN GW HT IO IQ \
    JM KM KP LR LT LV LY MG ML MR MV NE NR NU PG PS PW RW SB SC SH SL SN SO SR SS ST SY TA TD TG \
    TJ TK TL TM TN TO TV VU WF WS XG YE ZM ZW";
/// Costly, and often abused beside their ordinary traffic.
const MEDIUM: &str = "AD AF AG AI AM AO AW BB BG BM BO BS BT BW BZ CI CV CY DM DO EC EE EG EH FJ \
    FM GA GE GF GH GI GL GP GQ GT GY HN JO KE KG KH KI KN KY KZ LA LB LC LI LK LS MA MC MD ME MH \
    MK MM MN MQ MS MU MW MZ NA NC NG NI NP OM PF PK PM PY RE RS SD SI SM SV SX SZ TC TT TZ UA UG \
    UZ VC VG XK YT";

/// How risky a country is to be called, or to be called from.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum RiskClass {
    /// Seldom named.
    Low,
    /// Costly, often abused.
    Medium,
    /// Known for revenue share fraud.
    High,
}

impl RiskClass {
    /// All of them, from the lowest.
    pub const ALL: [Self; 3] = [Self::Low, Self::Medium, Self::High];

    /// As written in rules.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }

    /// From its name, of either case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|class| class.as_str().eq_ignore_ascii_case(text))
    }

    /// The class a country has unless the operator gives it another.
    #[must_use]
    pub fn usual(country: Country) -> Self {
        let named = |codes: &str| {
            codes
                .split_whitespace()
                .any(|code| code == country.as_str())
        };
        if named(HIGH) {
            Self::High
        } else if named(MEDIUM) {
            Self::Medium
        } else {
            Self::Low
        }
    }
}

/// The class of every country: the usual one, or the operator's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CountryRisks {
    own: BTreeMap<Country, RiskClass>,
}

impl CountryRisks {
    /// The class of a country.
    #[must_use]
    pub fn class(&self, country: Country) -> RiskClass {
        self.own(country)
            .unwrap_or_else(|| RiskClass::usual(country))
    }

    /// What the operator said of it; `None`: nothing.
    #[must_use]
    pub fn own(&self, country: Country) -> Option<RiskClass> {
        self.own.get(&country).copied()
    }

    /// All countries of a class.
    pub fn countries(&self, class: RiskClass) -> impl Iterator<Item = Country> {
        Country::every().filter(move |country| self.class(*country) == class)
    }
}

impl FromIterator<(Country, RiskClass)> for CountryRisks {
    fn from_iter<I: IntoIterator<Item = (Country, RiskClass)>>(own: I) -> Self {
        Self {
            own: own.into_iter().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn country(code: &str) -> Country {
        Country::parse(code).expect("a country")
    }

    #[test]
    fn every_named_country_exists_and_stands_once() {
        let mut seen = std::collections::HashSet::new();
        for code in HIGH.split_whitespace().chain(MEDIUM.split_whitespace()) {
            assert!(country(code).exists(), "{code}");
            assert!(seen.insert(code), "{code} twice");
        }
    }

    #[test]
    fn the_operators_word_goes_before_the_usual() {
        let risks: CountryRisks = [(country("TN"), RiskClass::Low)].into_iter().collect();
        assert_eq!(RiskClass::usual(country("TN")), RiskClass::High);
        assert_eq!(risks.class(country("TN")), RiskClass::Low);
        assert_eq!(risks.class(country("XG")), RiskClass::High);
        assert_eq!(risks.class(country("DE")), RiskClass::Low);
        let all: usize = RiskClass::ALL
            .map(|c| risks.countries(c).count())
            .iter()
            .sum();
        assert_eq!(all, Country::every().count());
    }
}
