//! The countries of calling codes that several share, by the digits after the code.
//!
//! The plans' patterns know only numbers that are assigned. A number that fits none of them is
//! most likely a new one, or made up; its first digits may still say whose it would be. Calling
//! code 1 has a room of its own ([`super::nanp`]). Written down from the numbering plans that the
//! ITU publishes for each code (ITU-T E.129).

use crate::domain::Country;

/// A calling code that several countries share.
struct Code {
    code: u16,
    /// Whose a number is by its first digits. No country: they have it together, so nobody knows.
    beginnings: &'static [(&'static str, &'static [&'static str])],
    /// Whose all others are. No country: nobody knows.
    others: &'static str,
}

const NOBODY_KNOWS: &str = "";

const CODES: [Code; 11] = [
    Code {
        code: 7,
        beginnings: &[("KZ", &["6", "7"]), ("RU", &["3", "4", "8", "9"])],
        others: NOBODY_KNOWS,
    },
    Code {
        code: 39,
        beginnings: &[("VA", &["06698"])],
        others: "IT",
    },
    Code {
        code: 44,
        beginnings: &[
            ("GG", &["1481", "7781"]),
            ("IM", &["1624", "7624"]),
            ("JE", &["1534", "7797"]),
            // Mobile ranges of which the islands have a part.
            (
                NOBODY_KNOWS,
                &[
                    "7509", "7524", "7700", "7829", "7839", "7911", "7924", "7937",
                ],
            ),
        ],
        others: "GB",
    },
    Code {
        code: 47,
        beginnings: &[("SJ", &["79"])],
        others: "NO",
    },
    Code {
        code: 61,
        beginnings: &[("CC", &["89162"]), ("CX", &["89164"])],
        others: "AU",
    },
    Code {
        code: 212,
        beginnings: &[],
        others: "MA",
    },
    Code {
        code: 262,
        beginnings: &[("RE", &["262", "692", "693"]), ("YT", &["269", "639"])],
        others: NOBODY_KNOWS,
    },
    Code {
        code: 290,
        beginnings: &[("TA", &["8"])],
        others: "SH",
    },
    Code {
        code: 358,
        beginnings: &[("AX", &["18"])],
        others: "FI",
    },
    // Guadeloupe, Saint Barthelemy and Saint Martin have their area codes together.
    Code {
        code: 590,
        beginnings: &[],
        others: NOBODY_KNOWS,
    },
    Code {
        code: 599,
        beginnings: &[("BQ", &["3", "4", "7"]), ("CW", &["9"])],
        others: NOBODY_KNOWS,
    },
];

/// Whose number it is that begins so after a shared calling code; `Some(None)`: nobody knows,
/// `None`: the code is one country's own.
pub(super) fn country(calling_code: u16, national: &str) -> Option<Option<Country>> {
    let code = CODES.iter().find(|code| code.code == calling_code)?;
    let begins =
        |(_, beginnings): &&(_, &[&str])| beginnings.iter().any(|b| national.starts_with(b));
    let found = code.beginnings.iter().find(begins);
    Some(Country::parse(
        found.map_or(code.others, |(country, _)| country),
    ))
}
