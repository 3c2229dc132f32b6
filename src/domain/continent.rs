//! Which countries there are, and which continent each belongs to.
//!
//! ISO 3166-1 leaves continents to others; these are the usual seven, with a country that lies on
//! two where its capital or most of its people are (Russia and Cyprus in Europe, Turkey, Georgia
//! and Kazakhstan in Asia, Egypt in Africa). Central America and the Caribbean are North America.

use super::Country;
use serde::{Deserialize, Serialize};

/// A continent, for country rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Continent {
    Af,
    An,
    As,
    Eu,
    Na,
    Oc,
    Sa,
}

/// All countries by continent. Besides ISO 3166-1: AC (Ascension) and TA (Tristan da Cunha), which
/// have numbering plans, and XK (Kosovo).
const COUNTRIES: [(Continent, &str); 7] = [
    (
        Continent::Af,
        "AC AO BF BI BJ BW CD CF CG CI CM CV DJ DZ EG EH ER ET GA GH GM GN GQ GW IO KE KM LR LS LY \
         MA MG ML MR MU MW MZ NA NE NG RE RW SC SD SH SL SN SO SS ST SZ TA TD TG TN TZ UG YT ZA ZM \
         ZW",
    ),
    (Continent::An, "AQ BV GS HM TF"),
    (
        Continent::As,
        "AE AF AM AZ BD BH BN BT CC CN CX GE HK ID IL IN IQ IR JO JP KG KH KP KR KW KZ LA LB LK MM \
         MN MO MV MY NP OM PH PK PS QA SA SG SY TH TJ TL TM TR TW UZ VN YE",
    ),
    (
        Continent::Eu,
        "AD AL AT AX BA BE BG BY CH CY CZ DE DK EE ES FI FO FR GB GG GI GR HR HU IE IM IS IT JE LI \
         LT LU LV MC MD ME MK MT NL NO PL PT RO RS RU SE SI SJ SK SM UA VA XK",
    ),
    (
        Continent::Na,
        "AG AI AW BB BL BM BQ BS BZ CA CR CU CW DM DO GD GL GP GT HN HT JM KN KY LC MF MQ MS MX NI \
         PA PM PR SV SX TC TT US VC VG VI",
    ),
    (
        Continent::Oc,
        "AS AU CK FJ FM GU KI MH MP NC NF NR NU NZ PF PG PN PW SB TK TO TV UM VU WF WS",
    ),
    (Continent::Sa, "AR BO BR CL CO EC FK GF GY PE PY SR UY VE"),
];

/// Countries without a numbering plan of their own. Addresses are in them, numbers never.
const WITHOUT_NUMBERS: [&str; 7] = ["AQ", "BV", "GS", "HM", "PN", "TF", "UM"];

impl Continent {
    /// Two letters, as in rules.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Af => "AF",
            Self::An => "AN",
            Self::As => "AS",
            Self::Eu => "EU",
            Self::Na => "NA",
            Self::Oc => "OC",
            Self::Sa => "SA",
        }
    }

    /// From two letters of either case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        COUNTRIES
            .into_iter()
            .map(|(continent, _)| continent)
            .find(|continent| continent.as_str().eq_ignore_ascii_case(text))
    }

    /// Its countries.
    pub fn countries(self) -> impl Iterator<Item = Country> {
        all()
            .filter(move |(continent, _)| *continent == self)
            .map(|(_, country)| country)
    }

    /// Of a country; `None`: there is no such country, or it is [`Country::GLOBAL`].
    #[must_use]
    pub fn of(country: Country) -> Option<Self> {
        all()
            .find(|(_, known)| *known == country)
            .map(|(continent, _)| continent)
    }
}

impl Country {
    /// Every country there is, and [`Country::GLOBAL`].
    pub fn every() -> impl Iterator<Item = Self> {
        all().map(|(_, country)| country).chain([Self::GLOBAL])
    }

    /// Whether there is such a country, or it is [`Country::GLOBAL`].
    #[must_use]
    pub fn exists(self) -> bool {
        self == Self::GLOBAL || Continent::of(self).is_some()
    }

    /// Whether a called number can be in it.
    #[must_use]
    pub fn has_numbers(self) -> bool {
        self.exists() && !WITHOUT_NUMBERS.contains(&self.as_str())
    }

    /// Whether an address can be in it.
    #[must_use]
    pub fn has_addresses(self) -> bool {
        self != Self::GLOBAL && self.exists()
    }
}

fn all() -> impl Iterator<Item = (Continent, Country)> {
    COUNTRIES.into_iter().flat_map(|(continent, codes)| {
        codes
            .split_whitespace()
            .filter_map(move |code| Some((continent, Country::parse(code)?)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_country_stands_twice_and_none_is_misspelt() {
        let codes: Vec<&str> = COUNTRIES
            .iter()
            .flat_map(|(_, codes)| codes.split_whitespace())
            .collect();
        let different: HashSet<_> = codes.iter().collect();
        assert_eq!(different.len(), codes.len());
        // ISO 3166-1 has 249, and three of our own.
        assert_eq!(codes.len(), 252);
        assert_eq!(all().count(), codes.len());
    }

    #[test]
    fn a_country_is_found_on_its_continent() {
        let of = |code| Continent::of(Country::parse(code).expect("letters"));
        assert_eq!(of("JM"), Some(Continent::Na));
        assert_eq!(of("RU"), Some(Continent::Eu));
        assert_eq!(of("XG"), None);
        assert_eq!(of("ZZ"), None);
        assert_eq!(Continent::parse("eu"), Some(Continent::Eu));
        assert_eq!(Continent::parse("EUR"), None);
        let south: Vec<_> = Continent::Sa.countries().collect();
        assert_eq!(south.len(), 14);
    }

    #[test]
    fn where_numbers_and_addresses_can_be() {
        let is = |code| Country::parse(code).expect("letters");
        assert!(is("XG").has_numbers() && !is("XG").has_addresses());
        assert!(!is("AQ").has_numbers() && is("AQ").has_addresses());
        assert!(is("XK").has_numbers() && is("XK").has_addresses());
        assert!(!is("ZZ").exists() && !is("UK").exists());
    }
}
