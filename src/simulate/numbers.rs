//! Numbers beyond those of the atlas: the rest of the world, freephone, premium, satellite, short.

use super::atlas::{self, Place};
use super::dice::Dice;

/// E.164 patterns of countries that have no place in the atlas, roughly as many mobiles as
/// anything else; `#` any digit, `N` 2 to 9. People have families in all of them.
const ELSEWHERE: [&str; 84] = [
    "1246230####",
    "1246250####",
    "1876N######",
    "1809N######",
    "1868620####",
    "5926######",
    "5977######",
    "3725#######",
    "38640######",
    "38641######",
    "38591#######",
    "385981#####",
    "35569N######",
    "38970######",
    "37369######",
    "37529#######",
    "995555######",
    "37491######",
    "99450N######",
    "7701#######",
    "99890#######",
    "21366#######",
    "213550######",
    "21891#######",
    "2203######",
    "22376######",
    "2250708######",
    "22670######",
    "22890######",
    "2290197######",
    "233244######",
    "233542######",
    "237677######",
    "23998#####",
    "24381#######",
    "244923######",
    "24991#######",
    "25191#######",
    "25677#######",
    "25575#######",
    "26097#######",
    "26134#######",
    "26377#######",
    "2693######",
    "67574#####",
    "67570######",
    "67970#####",
    "68572#####",
    "9477#######",
    "88017########",
    "97798########",
    "959250######",
    "8490#######",
    "8498#######",
    "85512######",
    "60123######",
    "6581######",
    "6591######",
    "62812#######",
    "85291######",
    "85261######",
    "8210########",
    "964770#######",
    "96279#######",
    "96170######",
    "963944######",
    "967771######",
    "9689#######",
    "96650#######",
    "96599######",
    "97433######",
    "9733600####",
    "9370#######",
    "35799######",
    "35679######",
    "35988#######",
    "35840#######",
    "3620#######",
    "421905######",
    "352621######",
    "59399#######",
    "50499######",
    "50370######",
    "50761######",
];

/// Ranges that have been sold for revenue share, from general knowledge of the field:
/// mobile and special ranges of small networks, and satellite and global networks.
const SOLD: [&str; 30] = [
    "535#######",
    "37129######",
    "37127######",
    "37066######",
    "37068######",
    "25261#######",
    "25263#######",
    "23990#####",
    "23998#####",
    "96077#####",
    "96079#####",
    "22462#######",
    "22466#######",
    "23276######",
    "23277######",
    "38761######",
    "38763######",
    "2162#######",
    "2165#######",
    "22176#######",
    "22501########",
    "26134#######",
    "26933#####",
    "6757######",
    "68577#####",
    "8818########",
    "8819########",
    "88213########",
    "88216########",
    "8835########",
];

/// Ranges of satellite and global networks that somebody really uses at sea.
const SATELLITE: [&str; 4] = [
    "8707########",
    "8816########",
    "88165#######",
    "87077#######",
];

/// A country's special numbers.
#[derive(Debug)]
struct Special {
    country: &'static str,
    freephone: &'static [&'static str],
    premium: &'static [&'static str],
    /// As dialled, not E.164.
    short: &'static [&'static str],
}

const SPECIAL: [Special; 13] = [
    Special {
        country: "GB",
        freephone: &["44800#######", "44808#######"],
        premium: &["4490900#####", "4491100#####"],
        short: &["123", "101", "118500"],
    },
    Special {
        country: "DE",
        freephone: &["49800#######"],
        premium: &["49900#######"],
        short: &["11880", "110", "116117"],
    },
    Special {
        country: "US",
        freephone: &["1800N######", "1888N######", "1877N######", "1866N######"],
        premium: &["1900N######"],
        short: &["411", "611", "911"],
    },
    Special {
        country: "ES",
        freephone: &["34900######", "34800######"],
        premium: &["34803######", "34806######"],
        short: &["1004", "112", "11811"],
    },
    Special {
        country: "BR",
        freephone: &["55800#######"],
        premium: &["55900#######"],
        short: &["190", "102"],
    },
    Special {
        country: "FR",
        freephone: &["33800######", "33805######"],
        premium: &["33899######"],
        short: &["3900", "15", "118712"],
    },
    Special {
        country: "IT",
        freephone: &["39800######"],
        premium: &["39899######"],
        short: &["187", "112"],
    },
    Special {
        country: "NL",
        freephone: &["318000###", "31800#######"],
        premium: &["31900#######", "31906#######"],
        short: &["1233", "112"],
    },
    Special {
        country: "PL",
        freephone: &["48800######"],
        premium: &["4870#######"],
        short: &["112", "118913"],
    },
    Special {
        country: "AU",
        freephone: &["611800######"],
        premium: &["61190#######"],
        short: &["000", "1223"],
    },
    Special {
        country: "ZA",
        freephone: &["2780#######"],
        premium: &["27862######"],
        short: &["1023", "10111"],
    },
    Special {
        country: "PT",
        freephone: &["351800######"],
        premium: &["351760######"],
        short: &["112", "1820"],
    },
    // Anywhere else: the codes that belong to no country.
    Special {
        country: "",
        freephone: &["800########"],
        premium: &["979#########"],
        short: &["112"],
    },
];

fn special(place: &Place) -> &'static Special {
    let own = |special: &&Special| special.country == place.country;
    let found = SPECIAL.iter().find(own);
    found.unwrap_or(&SPECIAL[SPECIAL.len() - 1])
}

/// A freephone number of that country.
pub(super) fn freephone(place: &Place, dice: &mut Dice) -> String {
    let pattern = *dice.pick(special(place).freephone);
    dice.digits(pattern)
}

/// A premium number of that country.
pub(super) fn premium(place: &Place, dice: &mut Dice) -> String {
    let pattern = *dice.pick(special(place).premium);
    dice.digits(pattern)
}

/// A short number of that country, as dialled.
pub(super) fn short(place: &Place, dice: &mut Dice) -> String {
    (*dice.pick(special(place).short)).to_owned()
}

/// A ship or an oil rig.
pub(super) fn satellite(dice: &mut Dice) -> String {
    let pattern = *dice.pick(&SATELLITE);
    dice.digits(pattern)
}

/// A number of a range that has been sold; most of its neighbours are anybody's.
pub(super) fn sold(dice: &mut Dice) -> String {
    let pattern = *dice.pick(&SOLD);
    dice.digits(pattern)
}

/// A number at that place: mobiles and fixed lines about evenly.
pub(super) fn domestic(place: &Place, dice: &mut Dice) -> String {
    let mobile = dice.chance(0.55);
    place.number(dice, mobile)
}

/// Where somebody's people are: a pattern or a place, so that all have numbers there.
#[derive(Clone, Copy, Debug)]
pub(super) enum Abroad {
    Place(&'static Place),
    Pattern(&'static str),
}

impl Abroad {
    /// Anywhere else than `home`; of `risky` in a hundred, a country that fraud likes, and a
    /// third of these in the very ranges.
    pub(super) fn any(home: &Place, risky: u64, dice: &mut Dice) -> Self {
        match dice.below(100) {
            at if at < risky / 3 => Self::Pattern(dice.pick::<&str>(&SOLD)),
            at if at < risky => Self::Place(atlas::risky(dice)),
            at if at < risky + 30 => Self::Pattern(dice.pick::<&str>(&ELSEWHERE)),
            _ => Self::Place(atlas::abroad(home, dice)),
        }
    }

    pub(super) fn number(self, dice: &mut Dice) -> String {
        match self {
            Self::Place(place) => domestic(place, dice),
            Self::Pattern(pattern) => dice.digits(pattern),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::dice::Purpose;
    use super::*;
    use rlibphonenumber::PHONE_NUMBER_UTIL;

    fn share_valid(patterns: &[&str]) -> (usize, Vec<String>) {
        let mut dice = Dice::new(1, Purpose::Traffic, &[]);
        let mut wrong = Vec::new();
        for pattern in patterns {
            for _ in 0..20 {
                let number = dice.digits(pattern);
                let parsed = PHONE_NUMBER_UTIL.parse(format!("+{number}"), None);
                if !parsed.is_ok_and(|number| number.is_valid()) {
                    wrong.push(number);
                }
            }
        }
        (patterns.len() * 20, wrong)
    }

    #[test]
    fn numbers_abroad_and_special_ones_are_valid() {
        let (drawn, wrong) = share_valid(&ELSEWHERE);
        assert!(wrong.len() * 20 <= drawn, "{wrong:?}");
        let special: Vec<_> = SPECIAL
            .iter()
            .flat_map(|special| special.freephone.iter().chain(special.premium))
            .copied()
            .collect();
        let (drawn, wrong) = share_valid(&special);
        assert!(wrong.len() * 5 <= drawn, "{wrong:?}");
    }

    #[test]
    fn every_home_has_special_numbers_of_its_own() {
        for home in super::super::tenant::HOMES {
            assert_eq!(special(atlas::place(home)).country, home);
        }
    }
}
