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

/// Jamaica, the Bahamas and others have numbers that look like the United States'.
#[test]
fn calling_code_1_is_many_countries() {
    let cases = [
        ("12125550143", "US"),
        ("18085550143", "US"),
        ("14165550143", "CA"),
        ("15145550143", "CA"),
        ("18674455014", "CA"),
        ("18765550143", "JM"),
        ("16585550143", "JM"),
        ("18095550143", "DO"),
        ("18295550143", "DO"),
        ("18495550143", "DO"),
        ("12423225014", "BS"),
        ("12462345678", "BB"),
        ("12642350143", "AI"),
        ("12684601234", "AG"),
        ("12842291234", "VG"),
        ("13406421234", "VI"),
        ("13453231234", "KY"),
        ("14413701234", "BM"),
        ("14734031234", "GD"),
        ("16492311234", "TC"),
        ("16644911234", "MS"),
        ("16702345678", "MP"),
        ("16713001234", "GU"),
        ("16847331234", "AS"),
        ("17215205678", "SX"),
        ("17582845678", "LC"),
        ("17672251234", "DM"),
        ("17844301234", "VC"),
        ("17872345678", "PR"),
        ("19392345678", "PR"),
        ("18682911234", "TT"),
        ("18697652917", "KN"),
        // No such exchange, or too short: still that country's area.
        ("18760000000", "JM"),
        ("1876000", "JM"),
        ("18091111111", "DO"),
        ("14160000000", "CA"),
        ("12120000000", "US"),
    ];
    for (dialed, country) in cases {
        for before in ["", "+", "00", "011"] {
            let placed = locate(&format!("{before}{dialed}"), &[]);
            assert_eq!(placed.country.as_str(), country, "{before}{dialed}");
            assert_eq!(placed.calling_code, 1);
        }
    }
}

/// A whole number is what it says; digits of it that look like an exit code are none.
#[test]
fn nothing_is_guessed_behind_an_exit_code() {
    for (dialed, number) in [
        ("+90115548987654321", ""),
        ("0090115548987654321", ""),
        ("+9011442079460", "9011442079460"),
        ("009011442079460", "9011442079460"),
        ("+0442079460123", ""),
    ] {
        let placed = locate(dialed, &[]);
        assert_ne!(placed.dial_prefix, DialPrefix::Guessed, "{dialed}");
        let told = placed.number.map_or_else(String::new, |n| n.to_string());
        assert_eq!(told, number, "{dialed}");
    }
    let guessed = locate("90115548987654321", &[]);
    assert_eq!(guessed.dial_prefix, DialPrefix::Guessed);
}

/// Numbers of no plan, by what their first digits say.
#[test]
fn shared_calling_codes_are_several_countries_outside_the_plans_too() {
    for (number, country) in [
        ("76001234567", "KZ"),
        ("77991234567", "KZ"),
        ("74001234567", "RU"),
        ("71001234567", "??"),
        ("441534000", "JE"),
        ("441481000", "GG"),
        ("441624000", "IM"),
        ("4479110", "??"),
        ("4420", "GB"),
        ("2626920", "RE"),
        ("2626390", "YT"),
        ("2629990", "??"),
        ("5905900", "??"),
        ("5997000", "BQ"),
        ("5999000", "CW"),
        ("5991000", "??"),
        ("2125", "MA"),
        ("6189164", "CX"),
        ("61899", "AU"),
        ("4779", "SJ"),
        ("4720", "NO"),
        ("35818", "AX"),
        ("3589", "FI"),
        ("3906698", "VA"),
        ("39069", "IT"),
    ] {
        let placed = locate(number, &[]);
        assert_eq!(placed.class, NumberClass::NotInPlan, "{number}");
        let known = match country {
            "??" => Country::UNKNOWN,
            code => Country::parse(code).expect("a country"),
        };
        assert_eq!(placed.country, known, "{number}");
    }
}

/// The table against the plans: each country's own example number begins with digits that are
/// said to be the same country's, or nobody's. (The plans give Western Sahara's to Morocco.)
#[test]
fn the_first_digits_of_a_plans_numbers_say_the_same() {
    let mut shared_by = 0;
    for region in PHONE_NUMBER_UTIL.get_supported_regions() {
        let Ok(example) = PHONE_NUMBER_UTIL.get_example_number(region) else {
            continue;
        };
        let code = u16::try_from(example.country_code).expect("a code");
        let zeros = match example.italian_leading_zero {
            Some(true) => example.number_of_leading_zeros.unwrap_or(1),
            _ => 0,
        };
        let zeros = "0".repeat(usize::try_from(zeros).expect("few"));
        let national = format!("{zeros}{}", example.national_number);
        if let Some(Some(country)) = shared::country(code, &national) {
            let placed = locate(&format!("{code}{national}"), &[]);
            assert_ne!(placed.class, NumberClass::NotInPlan, "{region}");
            assert_eq!(country, placed.country, "{code} {national}");
            shared_by += 1;
        }
    }
    assert!(shared_by > 15, "{shared_by}");
}

/// Every calling code with several countries has its table.
#[test]
fn no_shared_calling_code_is_forgotten() {
    for code in PHONE_NUMBER_UTIL.get_supported_calling_codes() {
        let regions = PHONE_NUMBER_UTIL.get_regions_for_country_calling_code(code);
        let several = regions.is_some_and(|regions| regions.count() > 1);
        let code = u16::try_from(code).expect("a code");
        let known = code == 1 || shared::country(code, "").is_some();
        assert_eq!(several, known, "{code}");
    }
}

#[test]
fn satellite_and_global_codes_are_no_country() {
    use NumberClass::{GlobalService, Satellite};
    for (dialed, class) in [
        ("870773111632", Satellite),
        ("881612345678", Satellite),
        ("881812345678", Satellite),
        ("8821612345678", GlobalService),
        ("883510001234567", GlobalService),
        ("888123456789", GlobalService),
        ("979912345678", GlobalService),
        ("80012345678", GlobalService),
        ("80812345678", GlobalService),
        ("878101234567890", GlobalService),
    ] {
        let placed = locate(dialed, &[]);
        assert_eq!(placed.country, Country::GLOBAL, "{dialed}");
        assert_eq!(placed.class, class, "{dialed}");
    }
}

#[test]
fn a_dial_prefix_is_stripped_before_the_country_is_read() {
    let own = ["0810".to_owned(), "99".to_owned(), "9".to_owned()];
    for (dialed, number, country) in [
        ("918765550143", "18765550143", "JM"),
        ("900442079460123", "442079460123", "GB"),
        ("0810442079460123", "442079460123", "GB"),
        ("99005548987654321", "5548987654321", "BR"),
        ("+442079460123", "442079460123", "GB"),
        // Numbers that only begin like the prefix.
        ("998901234567", "998901234567", "UZ"),
        ("919812345678", "919812345678", "IN"),
    ] {
        let placed = locate(dialed, &own);
        let told = placed.number.map(|n| n.to_string());
        assert_eq!(told.as_deref(), Some(number), "{dialed}");
        assert_eq!(placed.country.as_str(), country, "{dialed}");
    }
}

/// What a rule may name is what a number can have.
#[test]
fn rules_and_plans_know_the_same_countries() {
    for region in PHONE_NUMBER_UTIL.get_supported_regions() {
        let country = Country::parse(&region.to_string()).expect("a country");
        assert!(country.has_numbers(), "{country}");
    }
    for country in Country::every().filter(|country| country.has_numbers()) {
        let planned = country == Country::GLOBAL
            || PHONE_NUMBER_UTIL
                .get_supported_regions()
                .any(|region| region.to_string() == country.as_str());
        assert!(planned, "{country}");
    }
}
