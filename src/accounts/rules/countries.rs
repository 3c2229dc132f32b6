//! Countries by code, continent or risk class.

use super::super::AccountsError;
use super::bad;
use crate::domain::{Continent, Country, CountryRisks, CountryRule, CountrySet, RiskClass};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Items of a list, at most: more than there are countries says nothing more.
const MAX_ITEMS: usize = 300;

/// Which countries are allowed: those of `only`, or all where it is empty, but for those of
/// `except`.
///
/// An item is a country code of ISO 3166-1 (`BR`), `XG` for satellite and global numbers,
/// `continent:` with AF, AN, AS, EU, NA, OC or SA, or `risk:` with low, medium or high.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CountryRules {
    /// Allowed; empty: all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(example = json!(["BR", "continent:EU"]), max_items = 300)]
    pub only: Vec<String>,
    /// Forbidden, also where `only` allows them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(example = json!(["risk:high", "XG"]), max_items = 300)]
    pub except: Vec<String>,
}

/// Which end of the call a rule looks at: an address, or a number.
#[derive(Clone, Copy, Debug)]
pub(super) enum Side {
    Origin,
    Destination,
}

impl Side {
    const fn field(self) -> &'static str {
        match self {
            Self::Origin => "origin",
            Self::Destination => "destination",
        }
    }

    fn can_be(self, country: Country) -> bool {
        match self {
            Self::Origin => country.has_addresses(),
            Self::Destination => country.has_numbers(),
        }
    }
}

impl CountryRules {
    pub(super) fn build(
        &self,
        side: Side,
        risks: &CountryRisks,
    ) -> Result<CountryRule, AccountsError> {
        let only = resolve(side, "only", &self.only, risks)?;
        let except = resolve(side, "except", &self.except, risks)?;
        Ok(match (self.only.is_empty(), self.except.is_empty()) {
            (true, true) => CountryRule::Any,
            (true, false) => CountryRule::Of(CountrySet::ALL.without(&except)),
            (false, _) => CountryRule::Of(only.without(&except)),
        })
    }
}

fn resolve(
    side: Side,
    half: &str,
    items: &[String],
    risks: &CountryRisks,
) -> Result<CountrySet, AccountsError> {
    if items.len() > MAX_ITEMS {
        let field = format!("{}.{half}", side.field());
        return Err(bad(field, items.len(), "at most 300 items"));
    }
    let mut set = CountrySet::default();
    for (at, item) in items.iter().enumerate() {
        let field = || format!("{}.{half}[{at}]", side.field());
        match item.split_once(':') {
            None => set.insert(
                country(side, item)
                    .ok_or_else(|| bad(field(), item, expected_country(side, item)))?,
            ),
            Some(("continent", name)) => {
                let continent = Continent::parse(name)
                    .ok_or_else(|| bad(field(), item, "continent:AF, AN, AS, EU, NA, OC or SA"))?;
                continent
                    .countries()
                    .for_each(|country| set.insert(country));
            }
            Some(("risk", name)) => {
                let class = RiskClass::parse(name)
                    .ok_or_else(|| bad(field(), item, "risk:low, medium or high"))?;
                risks
                    .countries(class)
                    .for_each(|country| set.insert(country));
            }
            Some(_) => {
                let expected = "a country code, continent:CODE or risk:CLASS";
                return Err(bad(field(), item, expected));
            }
        }
    }
    Ok(set)
}

/// One that no call can ever have would refuse, or let through, all: a mistake.
fn country(side: Side, code: &str) -> Option<Country> {
    Country::parse(code).filter(|country| side.can_be(*country))
}

fn expected_country(side: Side, given: &str) -> &'static str {
    match (given.to_ascii_uppercase().as_str(), side) {
        ("UK", _) => "a country code of ISO 3166-1; the United Kingdom is GB",
        ("EL", _) => "a country code of ISO 3166-1; Greece is GR",
        (_, Side::Origin) => {
            "a country code of ISO 3166-1 such as BR, a continent such as continent:EU, or a class such as risk:high"
        }
        (_, Side::Destination) => {
            "a country code of ISO 3166-1 such as BR, a continent such as continent:EU, a class such as risk:high, or XG for satellite and global numbers"
        }
    }
}
