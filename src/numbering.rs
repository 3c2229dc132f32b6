//! Dialled string -> E.164 number -> country, kind, calling code.
//!
//! Plans come from libphonenumber's metadata through `rlibphonenumber`. A number is placed in
//! about 1.5 us; nothing is allocated unless something had to be stripped.

use crate::domain::{Country, Destination, DialPrefix, Number, NumberClass};
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberType};

/// Prefixes nobody configured, tried only when a number fits no plan as it stands: exit codes
/// behind an outside-line digit, as scanners and badly set up PBXs send them.
const GUESSES: [&str; 10] = [
    "90011", "99011", "9011", "8011", "1011", "7011", "9900", "900", "800", "810",
];

/// Calling codes of satellite systems: Inmarsat 870, global mobile satellite 881.
const SATELLITE: [u16; 2] = [870, 881];
/// Shared codes that belong to no country (ITU-T E.164.1): international networks, trials,
/// freephone, shared cost, personal, premium.
const GLOBAL: [u16; 7] = [800, 808, 878, 882, 883, 888, 979];

/// Places a dialled string.
///
/// `dial_prefixes` are the domain's own, longest first; `+`, `00` and `011` are always known.
/// A domain's dial prefix is taken off where a number of some plan is left; otherwise the
/// digits are read whole, as a softswitch that sends E.164 means them.
/// A string that is no E.164 number, or begins with a calling code that is not assigned,
/// gives a destination that does not [`Destination::exists`].
#[must_use]
pub fn locate(dialed: &str, dial_prefixes: &[String]) -> Destination {
    let read = |prefixes: &[String]| {
        normalise(dialed, prefixes).map(|(digits, stripped)| (place(&digits, stripped), digits))
    };
    let Some((placed, digits)) = read(dial_prefixes) else {
        return Destination::default();
    };
    if fits(&placed) {
        return placed;
    }
    // The digits of a dial prefix may as well begin an E.164 number.
    if placed.dial_prefix == DialPrefix::Custom
        && let Some((whole, _)) = read(&[]).filter(|(whole, _)| fits(whole))
    {
        return whole;
    }
    guess(&digits).unwrap_or(placed)
}

fn fits(placed: &Destination) -> bool {
    placed.exists() && placed.class != NumberClass::NotInPlan
}

/// Reads the plans of all countries once: libphonenumber's patterns are compiled when first
/// used, which costs milliseconds a country, and the first caller should not wait for it.
pub fn warm_up() {
    for code in PHONE_NUMBER_UTIL.get_supported_calling_codes() {
        let _placed = locate(&format!("{code}2345678901"), &[]);
    }
}

/// Removes visual separators and URI parameters, then one dial prefix and one exit code.
/// `None` when what is left has anything but digits.
fn normalise(dialed: &str, dial_prefixes: &[String]) -> Option<(String, DialPrefix)> {
    let bare = dialed.split(';').next().unwrap_or_default();
    let mut text: String = bare
        .chars()
        .filter(|c| !matches!(c, '-' | '.' | '(' | ')' | ' '))
        .collect();
    let mut stripped = DialPrefix::None;
    // A whole `+number` is E.164 already; a dial prefix may stand before anything else.
    if !text.starts_with('+')
        && let Some(prefix) = dial_prefixes.iter().find(|p| text.starts_with(p.as_str()))
    {
        text.drain(..prefix.len());
        stripped = DialPrefix::Custom;
    }
    for (exit, kind) in [
        ("+", DialPrefix::Plus),
        ("011", DialPrefix::NorthAmerica),
        ("00", DialPrefix::DoubleZero),
    ] {
        if text.starts_with(exit) {
            text.drain(..exit.len());
            if stripped == DialPrefix::None {
                stripped = kind;
            }
            break;
        }
    }
    let all_digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    all_digits.then_some((text, stripped))
}

fn guess(digits: &str) -> Option<Destination> {
    let zeros = digits.trim_start_matches('0');
    let without_zeros = (zeros.len() < digits.len()).then_some(zeros);
    GUESSES
        .iter()
        .filter_map(|prefix| digits.strip_prefix(prefix))
        .chain(without_zeros)
        .map(|rest| place(rest, DialPrefix::Guessed))
        .find(fits)
}

fn place(digits: &str, dial_prefix: DialPrefix) -> Destination {
    let number = Number::parse(digits).ok();
    let calling_code = number.map_or(0, calling_code);
    let mut placed = Destination {
        number,
        calling_code,
        dial_prefix,
        ..Destination::default()
    };
    if calling_code == 0 {
        return placed;
    }
    if SATELLITE.contains(&calling_code) || GLOBAL.contains(&calling_code) {
        placed.country = Country::GLOBAL;
        placed.class = if SATELLITE.contains(&calling_code) {
            NumberClass::Satellite
        } else {
            NumberClass::GlobalService
        };
        return placed;
    }
    let number = national(digits, calling_code);
    let region = PHONE_NUMBER_UTIL
        .get_region_for_number(&number)
        .or_else(|| PHONE_NUMBER_UTIL.get_region_for_country_code(i32::from(calling_code)));
    placed.country = region
        .and_then(|region| Country::parse(&region.to_string()))
        .unwrap_or_default();
    placed.class = class_of(PHONE_NUMBER_UTIL.get_number_type(&number));
    placed
}

/// The assigned calling code a number begins with (1 to 3 digits), or 0.
///
/// Codes are prefix-free, so the first hit is the only one.
fn calling_code(number: Number) -> u16 {
    (1..=3)
        .filter(|&digits| digits < number.digits())
        .filter_map(|digits| u16::try_from(number.prefix(digits)).ok())
        .find(|&code| {
            GLOBAL.contains(&code)
                || SATELLITE.contains(&code)
                || PHONE_NUMBER_UTIL
                    .get_region_for_country_code(i32::from(code))
                    .is_some()
        })
        .unwrap_or(0)
}

fn national(digits: &str, calling_code: u16) -> PhoneNumber {
    let national = &digits[calling_code.ilog10() as usize + 1..];
    // Italy and a few others write significant zeros after the calling code.
    let zeros = national.bytes().take_while(|&b| b == b'0').count();
    PhoneNumber {
        country_code: i32::from(calling_code),
        national_number: national.parse().unwrap_or_default(),
        italian_leading_zero: (zeros > 0).then_some(true),
        number_of_leading_zeros: (zeros > 1).then(|| i32::try_from(zeros).unwrap_or(i32::MAX)),
        ..PhoneNumber::default()
    }
}

const fn class_of(kind: PhoneNumberType) -> NumberClass {
    match kind {
        PhoneNumberType::FixedLine => NumberClass::FixedLine,
        PhoneNumberType::Mobile => NumberClass::Mobile,
        PhoneNumberType::FixedLineOrMobile => NumberClass::FixedOrMobile,
        PhoneNumberType::TollFree => NumberClass::TollFree,
        PhoneNumberType::PremiumRate => NumberClass::PremiumRate,
        PhoneNumberType::SharedCost => NumberClass::SharedCost,
        PhoneNumberType::VoIP => NumberClass::Voip,
        PhoneNumberType::PersonalNumber => NumberClass::PersonalNumber,
        PhoneNumberType::Pager => NumberClass::Pager,
        PhoneNumberType::UAN | PhoneNumberType::VoiceMail => NumberClass::Uan,
        PhoneNumberType::Unknown => NumberClass::NotInPlan,
    }
}

/// Whether numbers can be in a country: it has a plan, or is [`Country::GLOBAL`].
#[must_use]
pub fn has_plan(country: Country) -> bool {
    country == Country::GLOBAL
        || PHONE_NUMBER_UTIL
            .get_supported_regions()
            .any(|region| region.to_string() == country.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(dialed: &str) -> (String, String, &'static str, DialPrefix) {
        let d = locate(dialed, &[]);
        (
            d.number.map_or_else(String::new, |n| n.to_string()),
            d.country.to_string(),
            d.class.as_str(),
            d.dial_prefix,
        )
    }

    #[test]
    fn numbers_are_placed_whatever_stands_before_them() {
        use DialPrefix::{DoubleZero, Guessed, None, NorthAmerica, Plus};
        let cases = [
            ("5548987654321", "5548987654321", "BR", "mobile", None),
            ("+5548987654321", "5548987654321", "BR", "mobile", Plus),
            (
                "005548987654321",
                "5548987654321",
                "BR",
                "mobile",
                DoubleZero,
            ),
            (
                "0115548987654321",
                "5548987654321",
                "BR",
                "mobile",
                NorthAmerica,
            ),
            (
                "90115548987654321",
                "5548987654321",
                "BR",
                "mobile",
                Guessed,
            ),
            (
                "+1 (202) 555-0143",
                "12025550143",
                "US",
                "fixed-or-mobile",
                Plus,
            ),
            ("18765550143", "18765550143", "JM", "mobile", None),
            ("390612345678", "390612345678", "IT", "fixed", None),
            ("881612345678", "881612345678", "XG", "satellite", None),
            ("9799123456789", "9799123456789", "XG", "global", None),
            ("2476123", "2476123", "AC", "not-in-plan", None),
        ];
        for (dialed, number, country, class, prefix) in cases {
            let (n, c, k, p) = at(dialed);
            assert_eq!(
                (n.as_str(), c.as_str(), k, p),
                (number, country, class, prefix),
                "{dialed}"
            );
        }
    }

    #[test]
    fn what_has_no_calling_code_does_not_exist() {
        for dialed in [
            "",
            "alice",
            "0",
            "210123456789",
            "999123456789",
            "1",
            "+",
            "12a34",
            "1234567890123456",
        ] {
            assert!(!locate(dialed, &[]).exists(), "{dialed}");
        }
    }

    #[test]
    fn the_domains_own_prefixes_go_first() {
        let own = ["9".to_owned()];
        let india = locate("919812345678", &own);
        assert_eq!(
            india.country.as_str(),
            "IN",
            "no plan has 19812345678 without its 9"
        );
        let placed = locate("900442079460123", &own);
        assert_eq!(placed.number.map(Number::as_u64), Some(442_079_460_123));
        assert_eq!(placed.dial_prefix, DialPrefix::Custom);
    }
}
