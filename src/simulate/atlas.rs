//! Where simulated people live: numbers, hours and addresses of some fifty countries.
//!
//! A small table from general knowledge of the numbering plans and of who announces which
//! networks; enough for numbers to be valid and addresses to be placed, no plan is complete.

use super::dice::Dice;
use std::net::{IpAddr, Ipv4Addr};

/// A network as its first address and the length of its prefix.
pub(super) type Net = (u32, u8);

pub(super) const fn net(a: u8, b: u8, c: u8, d: u8, length: u8) -> Net {
    (u32::from_be_bytes([a, b, c, d]), length)
}

/// One country.
#[derive(Debug, PartialEq)]
pub(super) struct Place {
    /// ISO 3166-1 alpha-2.
    pub(super) country: &'static str,
    /// Calling code.
    pub(super) calling_code: &'static str,
    /// Standard time of its largest city; daylight saving is left out.
    pub(super) utc_offset_minutes: i64,
    /// National numbers of fixed lines: `#` any digit, `N` 2 to 9.
    pub(super) fixed: &'static [&'static str],
    /// National numbers of mobiles.
    pub(super) mobile: &'static [&'static str],
    /// Networks of fixed access.
    broadband: &'static [Net],
    /// Networks used for mobile access.
    cellular: &'static [Net],
}

impl Place {
    /// A number in E.164 without `+`.
    pub(super) fn number(&self, dice: &mut Dice, mobile: bool) -> String {
        let patterns = if mobile { self.mobile } else { self.fixed };
        let pattern = *dice.pick(patterns);
        let national = dice.digits(pattern);
        format!("{}{national}", self.calling_code)
    }

    /// An address of a fixed line.
    pub(super) fn broadband(&self, dice: &mut Dice) -> IpAddr {
        address(self.broadband, dice)
    }

    /// An address of a mobile network.
    pub(super) fn cellular(&self, dice: &mut Dice) -> IpAddr {
        address(self.cellular, dice)
    }
}

/// An address in one of these networks.
pub(super) fn address(nets: &[Net], dice: &mut Dice) -> IpAddr {
    let (base, length) = *dice.pick(nets);
    let hosts = 1u64 << (32 - length);
    // The last byte is never 0 or 255: those look like networks and broadcasts.
    let block = dice.below(hosts >> 8) as u32;
    let host = dice.between(1, 254) as u32;
    IpAddr::V4(Ipv4Addr::from_bits(base + (block << 8) + host))
}

/// The place of that country; the first of the table when there is none.
pub(super) fn place(country: &str) -> &'static Place {
    PLACES
        .iter()
        .find(|place| place.country == country)
        .unwrap_or(&PLACES[0])
}

/// Any other country than `home`.
pub(super) fn abroad(home: &Place, dice: &mut Dice) -> &'static Place {
    loop {
        let place = dice.pick(&PLACES);
        if place.country != home.country {
            return place;
        }
    }
}

/// Numbers in each of these have been sold for revenue share; people also have families there.
const RISKY: [&str; 14] = [
    "CU", "LV", "LT", "BA", "TN", "SN", "GN", "SL", "SO", "MV", "PK", "MA", "NG", "PH",
];

/// One of the countries that fraud likes.
pub(super) fn risky(dice: &mut Dice) -> &'static Place {
    let country: &&str = dice.pick(&RISKY);
    place(country)
}

/// All of them. The order is part of what a seed means: add at the end.
pub(super) static PLACES: [Place; 54] = [
    Place {
        country: "US",
        calling_code: "1",
        utc_offset_minutes: -300,
        fixed: &["212N######", "310N######", "415N######", "713N######"],
        mobile: &["646N######", "305N######", "404N######"],
        broadband: &[net(73, 0, 0, 0, 8), net(24, 0, 0, 0, 12)],
        cellular: &[net(12, 0, 0, 0, 8)],
    },
    Place {
        country: "CA",
        calling_code: "1",
        utc_offset_minutes: -300,
        fixed: &["416N######", "514N######", "604N######"],
        mobile: &["647N######", "438N######"],
        broadband: &[net(99, 224, 0, 0, 11), net(70, 64, 0, 0, 12)],
        cellular: &[net(142, 112, 0, 0, 12)],
    },
    Place {
        country: "GB",
        calling_code: "44",
        utc_offset_minutes: 0,
        fixed: &["2079######", "2083######", "1612######", "1212######"],
        mobile: &["7400######", "7712######", "7912######"],
        broadband: &[net(86, 128, 0, 0, 10)],
        cellular: &[net(81, 128, 0, 0, 11)],
    },
    Place {
        country: "DE",
        calling_code: "49",
        utc_offset_minutes: 60,
        fixed: &["3022######", "8945######", "4041######"],
        mobile: &["151########", "176########"],
        broadband: &[net(79, 192, 0, 0, 10), net(84, 128, 0, 0, 10)],
        cellular: &[net(91, 0, 0, 0, 10)],
    },
    Place {
        country: "FR",
        calling_code: "33",
        utc_offset_minutes: 60,
        fixed: &["142######", "155######", "478######", "491######"],
        mobile: &["61#######", "62#######", "66#######"],
        broadband: &[net(88, 160, 0, 0, 11), net(86, 192, 0, 0, 11)],
        cellular: &[net(93, 0, 0, 0, 11)],
    },
    Place {
        country: "ES",
        calling_code: "34",
        utc_offset_minutes: 60,
        fixed: &["91N######", "93N######", "96N######"],
        mobile: &["61#######", "65#######", "69#######"],
        broadband: &[net(83, 32, 0, 0, 11)],
        cellular: &[net(88, 0, 0, 0, 11)],
    },
    Place {
        country: "IT",
        calling_code: "39",
        utc_offset_minutes: 60,
        fixed: &["06N#######", "02N#######"],
        mobile: &["347#######", "333#######", "328#######"],
        broadband: &[net(79, 0, 0, 0, 10)],
        cellular: &[net(87, 0, 0, 0, 11)],
    },
    Place {
        country: "PT",
        calling_code: "351",
        utc_offset_minutes: 0,
        fixed: &["21N######", "22N######"],
        mobile: &["91#######", "96#######"],
        broadband: &[net(85, 240, 0, 0, 13)],
        cellular: &[net(2, 80, 0, 0, 14)],
    },
    Place {
        country: "NL",
        calling_code: "31",
        utc_offset_minutes: 60,
        fixed: &["20N######", "10N######"],
        mobile: &["61#######", "62#######"],
        broadband: &[net(77, 160, 0, 0, 12)],
        cellular: &[net(145, 96, 0, 0, 11)],
    },
    Place {
        country: "BE",
        calling_code: "32",
        utc_offset_minutes: 60,
        fixed: &["25######", "36N#####"],
        mobile: &["47#######", "48#######"],
        broadband: &[net(109, 128, 0, 0, 12)],
        cellular: &[net(81, 240, 0, 0, 13)],
    },
    Place {
        country: "CH",
        calling_code: "41",
        utc_offset_minutes: 60,
        fixed: &["44N######", "22N######"],
        mobile: &["79#######", "76#######"],
        broadband: &[net(85, 0, 0, 0, 13)],
        cellular: &[net(178, 192, 0, 0, 13)],
    },
    Place {
        country: "AT",
        calling_code: "43",
        utc_offset_minutes: 60,
        fixed: &["15######"],
        mobile: &["664#######", "676#######"],
        broadband: &[net(84, 112, 0, 0, 14)],
        cellular: &[net(77, 116, 0, 0, 14)],
    },
    Place {
        country: "PL",
        calling_code: "48",
        utc_offset_minutes: 60,
        fixed: &["22N######", "12N######"],
        mobile: &["60#######", "50#######"],
        broadband: &[net(83, 0, 0, 0, 11)],
        cellular: &[net(89, 64, 0, 0, 12)],
    },
    Place {
        country: "CZ",
        calling_code: "420",
        utc_offset_minutes: 60,
        fixed: &["22#######"],
        mobile: &["602######", "777######"],
        broadband: &[net(88, 100, 0, 0, 14)],
        cellular: &[net(85, 160, 0, 0, 14)],
    },
    Place {
        country: "SE",
        calling_code: "46",
        utc_offset_minutes: 60,
        fixed: &["85######"],
        mobile: &["70#######", "73#######"],
        broadband: &[net(78, 64, 0, 0, 12)],
        cellular: &[net(90, 224, 0, 0, 12)],
    },
    Place {
        country: "NO",
        calling_code: "47",
        utc_offset_minutes: 60,
        fixed: &["22######", "55######"],
        mobile: &["41######", "90######"],
        broadband: &[net(84, 208, 0, 0, 13)],
        cellular: &[net(88, 88, 0, 0, 13)],
    },
    Place {
        country: "DK",
        calling_code: "45",
        utc_offset_minutes: 60,
        fixed: &["33######", "86######"],
        mobile: &["20######", "40######"],
        broadband: &[net(80, 160, 0, 0, 13)],
        cellular: &[net(83, 88, 0, 0, 13)],
    },
    Place {
        country: "IE",
        calling_code: "353",
        utc_offset_minutes: 0,
        fixed: &["16######", "21N######"],
        mobile: &["85#######", "87#######"],
        broadband: &[net(87, 32, 0, 0, 12)],
        cellular: &[net(109, 76, 0, 0, 14)],
    },
    Place {
        country: "RO",
        calling_code: "40",
        utc_offset_minutes: 120,
        fixed: &["21N######"],
        mobile: &["72#######", "74#######"],
        broadband: &[net(86, 120, 0, 0, 14)],
        cellular: &[net(109, 96, 0, 0, 13)],
    },
    Place {
        country: "GR",
        calling_code: "30",
        utc_offset_minutes: 120,
        fixed: &["21########"],
        mobile: &["697#######", "694#######"],
        broadband: &[net(94, 64, 0, 0, 13)],
        cellular: &[net(79, 128, 0, 0, 14)],
    },
    Place {
        country: "TR",
        calling_code: "90",
        utc_offset_minutes: 180,
        fixed: &["212#######"],
        mobile: &["532#######", "542#######"],
        broadband: &[net(78, 160, 0, 0, 11)],
        cellular: &[net(88, 224, 0, 0, 11)],
    },
    Place {
        country: "RU",
        calling_code: "7",
        utc_offset_minutes: 180,
        fixed: &["495#######", "812#######"],
        mobile: &["916#######", "903#######"],
        broadband: &[net(95, 24, 0, 0, 13)],
        cellular: &[net(5, 136, 0, 0, 13)],
    },
    Place {
        country: "UA",
        calling_code: "380",
        utc_offset_minutes: 120,
        fixed: &["44N######"],
        mobile: &["50#######", "67#######"],
        broadband: &[net(37, 52, 0, 0, 14)],
        cellular: &[net(176, 36, 0, 0, 14)],
    },
    Place {
        country: "IL",
        calling_code: "972",
        utc_offset_minutes: 120,
        fixed: &["3N######"],
        mobile: &["54N######", "52N######"],
        broadband: &[net(79, 176, 0, 0, 13)],
        cellular: &[net(2, 52, 0, 0, 14)],
    },
    Place {
        country: "AE",
        calling_code: "971",
        utc_offset_minutes: 240,
        fixed: &["4N######"],
        mobile: &["50N######", "55N######"],
        broadband: &[net(94, 200, 0, 0, 13)],
        cellular: &[net(2, 48, 0, 0, 14)],
    },
    Place {
        country: "IN",
        calling_code: "91",
        utc_offset_minutes: 330,
        fixed: &["112N######", "222N######"],
        mobile: &["98########", "99########"],
        broadband: &[net(117, 192, 0, 0, 10)],
        cellular: &[net(106, 192, 0, 0, 11)],
    },
    Place {
        country: "CN",
        calling_code: "86",
        utc_offset_minutes: 480,
        fixed: &["108N######", "216N######"],
        mobile: &["138########", "139########"],
        broadband: &[net(59, 192, 0, 0, 10)],
        cellular: &[net(36, 128, 0, 0, 10)],
    },
    Place {
        country: "JP",
        calling_code: "81",
        utc_offset_minutes: 540,
        fixed: &["33N######", "66N######"],
        mobile: &["90N#######", "80N#######"],
        broadband: &[net(60, 64, 0, 0, 10)],
        cellular: &[net(126, 64, 0, 0, 10)],
    },
    Place {
        country: "AU",
        calling_code: "61",
        utc_offset_minutes: 600,
        fixed: &["29N######", "38N######"],
        mobile: &["41#######", "42#######"],
        broadband: &[net(58, 160, 0, 0, 12)],
        cellular: &[net(1, 128, 0, 0, 11)],
    },
    Place {
        country: "NZ",
        calling_code: "64",
        utc_offset_minutes: 720,
        fixed: &["93N#####", "43N#####"],
        mobile: &["21N#####", "27N######"],
        broadband: &[net(122, 56, 0, 0, 13)],
        cellular: &[net(49, 224, 0, 0, 14)],
    },
    Place {
        country: "ZA",
        calling_code: "27",
        utc_offset_minutes: 120,
        fixed: &["11N######", "21N######"],
        mobile: &["82N######", "83N######"],
        broadband: &[net(41, 0, 0, 0, 11)],
        cellular: &[net(105, 0, 0, 0, 12)],
    },
    Place {
        country: "NG",
        calling_code: "234",
        utc_offset_minutes: 60,
        fixed: &["12N#####"],
        mobile: &["803N######", "806N######"],
        broadband: &[net(105, 112, 0, 0, 12)],
        cellular: &[net(102, 88, 0, 0, 13)],
    },
    Place {
        country: "KE",
        calling_code: "254",
        utc_offset_minutes: 180,
        fixed: &["202######"],
        mobile: &["72N######", "71N######"],
        broadband: &[net(105, 48, 0, 0, 12)],
        cellular: &[net(105, 160, 0, 0, 13)],
    },
    Place {
        country: "MA",
        calling_code: "212",
        utc_offset_minutes: 60,
        fixed: &["522N#####"],
        mobile: &["661N#####", "662N#####"],
        broadband: &[net(105, 128, 0, 0, 11)],
        cellular: &[net(196, 64, 0, 0, 11)],
    },
    Place {
        country: "EG",
        calling_code: "20",
        utc_offset_minutes: 120,
        fixed: &["22N######"],
        mobile: &["10########", "12########"],
        broadband: &[net(156, 160, 0, 0, 11)],
        cellular: &[net(41, 32, 0, 0, 12)],
    },
    Place {
        country: "BR",
        calling_code: "55",
        utc_offset_minutes: -180,
        fixed: &["113N######", "213N######", "483N######"],
        mobile: &["119N#######", "219N#######", "489N#######"],
        broadband: &[net(179, 128, 0, 0, 11)],
        cellular: &[net(152, 240, 0, 0, 12)],
    },
    Place {
        country: "AR",
        calling_code: "54",
        utc_offset_minutes: -180,
        fixed: &["114N######", "341N######"],
        mobile: &["9115N######", "9116N######"],
        broadband: &[net(186, 128, 0, 0, 12)],
        cellular: &[net(181, 24, 0, 0, 13)],
    },
    Place {
        country: "MX",
        calling_code: "52",
        utc_offset_minutes: -360,
        fixed: &["55N#######", "33N#######"],
        mobile: &["55N#######", "81N#######"],
        broadband: &[net(189, 128, 0, 0, 10)],
        cellular: &[net(187, 128, 0, 0, 11)],
    },
    Place {
        country: "CO",
        calling_code: "57",
        utc_offset_minutes: -300,
        fixed: &["601N######"],
        mobile: &["310N######", "300N######"],
        broadband: &[net(181, 128, 0, 0, 11)],
        cellular: &[net(181, 48, 0, 0, 12)],
    },
    Place {
        country: "CL",
        calling_code: "56",
        utc_offset_minutes: -240,
        fixed: &["22N######"],
        mobile: &["98N######", "99N######"],
        broadband: &[net(191, 112, 0, 0, 13)],
        cellular: &[net(181, 160, 0, 0, 14)],
    },
    Place {
        country: "PE",
        calling_code: "51",
        utc_offset_minutes: -300,
        fixed: &["14N#####"],
        mobile: &["98N######", "99N######"],
        broadband: &[net(190, 232, 0, 0, 13)],
        cellular: &[net(181, 64, 0, 0, 14)],
    },
    Place {
        country: "CU",
        calling_code: "53",
        utc_offset_minutes: -300,
        fixed: &["78N#####"],
        mobile: &["52N#####", "53N#####"],
        broadband: &[net(169, 158, 0, 0, 16)],
        cellular: &[net(152, 206, 0, 0, 18)],
    },
    Place {
        country: "LV",
        calling_code: "371",
        utc_offset_minutes: 120,
        fixed: &["67N#####"],
        mobile: &["29N#####", "26N#####"],
        broadband: &[net(78, 84, 0, 0, 16)],
        cellular: &[net(46, 109, 0, 0, 16)],
    },
    Place {
        country: "LT",
        calling_code: "370",
        utc_offset_minutes: 120,
        fixed: &["52N#####"],
        mobile: &["61N#####", "68N#####"],
        broadband: &[net(78, 56, 0, 0, 13)],
        cellular: &[net(5, 20, 0, 0, 16)],
    },
    Place {
        country: "BA",
        calling_code: "387",
        utc_offset_minutes: 60,
        fixed: &["33N#####"],
        mobile: &["61N#####", "62N#####"],
        broadband: &[net(92, 36, 128, 0, 17)],
        cellular: &[net(141, 29, 0, 0, 16)],
    },
    Place {
        country: "TN",
        calling_code: "216",
        utc_offset_minutes: 60,
        fixed: &["71N#####"],
        mobile: &["2#######", "98N#####"],
        broadband: &[net(197, 0, 0, 0, 11)],
        cellular: &[net(196, 224, 0, 0, 12)],
    },
    Place {
        country: "SN",
        calling_code: "221",
        utc_offset_minutes: 0,
        fixed: &["338N#####"],
        mobile: &["77N######"],
        broadband: &[net(41, 82, 0, 0, 15)],
        cellular: &[net(154, 124, 0, 0, 15)],
    },
    Place {
        country: "GN",
        calling_code: "224",
        utc_offset_minutes: 0,
        fixed: &["302N#####"],
        mobile: &["62N######", "66N######"],
        broadband: &[net(197, 149, 192, 0, 18)],
        cellular: &[net(102, 176, 160, 0, 20)],
    },
    Place {
        country: "SL",
        calling_code: "232",
        utc_offset_minutes: 0,
        fixed: &["22N#####"],
        mobile: &["76N#####", "77N#####"],
        broadband: &[net(197, 215, 0, 0, 18)],
        cellular: &[net(102, 143, 0, 0, 17)],
    },
    Place {
        country: "SO",
        calling_code: "252",
        utc_offset_minutes: 180,
        fixed: &["1N#####"],
        mobile: &["61N######", "63N######"],
        broadband: &[net(154, 115, 192, 0, 18)],
        cellular: &[net(197, 220, 64, 0, 19)],
    },
    Place {
        country: "MV",
        calling_code: "960",
        utc_offset_minutes: 300,
        fixed: &["33N####"],
        mobile: &["77N####", "79N####"],
        broadband: &[net(123, 176, 0, 0, 19)],
        cellular: &[net(27, 114, 128, 0, 18)],
    },
    Place {
        country: "PK",
        calling_code: "92",
        utc_offset_minutes: 300,
        fixed: &["21N#######"],
        mobile: &["300N######", "321N######"],
        broadband: &[net(39, 32, 0, 0, 11)],
        cellular: &[net(119, 152, 0, 0, 13)],
    },
    Place {
        country: "PH",
        calling_code: "63",
        utc_offset_minutes: 480,
        fixed: &["28N######"],
        mobile: &["917N######", "918N######"],
        broadband: &[net(112, 200, 0, 0, 13)],
        cellular: &[net(49, 144, 0, 0, 13)],
    },
    Place {
        country: "TH",
        calling_code: "66",
        utc_offset_minutes: 420,
        fixed: &["2N######"],
        mobile: &["81N######", "89N######"],
        broadband: &[net(171, 96, 0, 0, 13)],
        cellular: &[net(49, 228, 0, 0, 14)],
    },
];

#[cfg(test)]
mod tests {
    use super::super::dice::Purpose;
    use super::*;
    use rlibphonenumber::PHONE_NUMBER_UTIL;

    #[test]
    fn numbers_are_valid_in_their_country() {
        let mut dice = Dice::new(1, Purpose::Subscriber, &[]);
        let mut wrong = Vec::new();
        let (mut valid, mut drawn) = (0, 0);
        for place in &PLACES {
            for draw in 0..200 {
                let number = place.number(&mut dice, draw % 2 == 0);
                drawn += 1;
                let parsed = PHONE_NUMBER_UTIL.parse(format!("+{number}"), None);
                let good = parsed.is_ok_and(|n| {
                    n.is_valid()
                        && n.get_region_code()
                            .is_some_and(|r| format!("{r:?}").to_uppercase() == place.country)
                });
                if good {
                    valid += 1;
                } else {
                    wrong.push((place.country, number));
                }
            }
        }
        wrong.dedup_by_key(|(country, _)| *country);
        assert!(valid * 100 >= drawn * 95, "{valid} of {drawn}; {wrong:?}");
    }

    #[test]
    fn addresses_stay_in_their_networks() {
        let mut dice = Dice::new(1, Purpose::Lease, &[]);
        for place in &PLACES {
            for nets in [place.broadband, place.cellular] {
                let IpAddr::V4(address) = address(nets, &mut dice) else {
                    panic!("IPv4 only");
                };
                let inside = nets.iter().any(|&(base, length)| {
                    address.to_bits() >> (32 - length) == base >> (32 - length)
                });
                assert!(inside, "{address} of {}", place.country);
            }
        }
    }

    #[test]
    fn risky_countries_are_in_the_table() {
        assert!(
            RISKY
                .iter()
                .all(|country| place(country).country == *country)
        );
    }
}
