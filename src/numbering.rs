//! Dialled string -> E.164 number -> country, kind, calling code.
//!
//! Plans come from libphonenumber's metadata through `rlibphonenumber`. A number is placed in
//! about 1.5 us; nothing is allocated unless something had to be stripped.

mod nanp;
mod shared;

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
    // What came with an exit code is E.164 from there on: another one in it is none.
    if matches!(
        placed.dial_prefix,
        DialPrefix::Plus | DialPrefix::DoubleZero
    ) {
        return placed;
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
    placed.country = country_of(&number, digits, calling_code).unwrap_or_default();
    placed.class = class_of(PHONE_NUMBER_UTIL.get_number_type(&number));
    placed
}

/// The country whose plan a number fits; of a number that fits none, the one its first digits
/// belong to where countries share a calling code, if one alone has them, else the calling
/// code's own country.
fn country_of(number: &PhoneNumber, digits: &str, calling_code: u16) -> Option<Country> {
    let parse = |region: &dyn std::fmt::Display| Country::parse(&region.to_string());
    if let Some(region) = PHONE_NUMBER_UTIL.get_region_for_number(number) {
        return parse(&region);
    }
    if calling_code == 1
        && let Some(country) = Number::parse(&number.national_number.to_string())
            .ok()
            .and_then(|national| u16::try_from(national.prefix(3)).ok())
            .and_then(nanp::country)
    {
        return Some(country);
    }
    if let Some(country) = shared::country(calling_code, after_code(digits, calling_code)) {
        return country;
    }
    let region = PHONE_NUMBER_UTIL.get_region_for_country_code(i32::from(calling_code))?;
    parse(&region)
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

/// The digits after the calling code.
fn after_code(digits: &str, calling_code: u16) -> &str {
    &digits[calling_code.ilog10() as usize + 1..]
}

fn national(digits: &str, calling_code: u16) -> PhoneNumber {
    let national = after_code(digits, calling_code);
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

#[cfg(test)]
mod tests;
