//! The countries of calling code 1, by area code.
//!
//! The plans' patterns know only numbers that are assigned; an area code belongs to its country
//! whatever follows it, and `+1` is no country. Written down from the assignments the North
//! American Numbering Plan Administrator publishes; what is not here is in the United States.

use crate::domain::Country;

/// Area codes by country, but for those of the United States themselves.
const AREAS: [(&str, &[u16]); 24] = [
    ("AG", &[268]),
    ("AI", &[264]),
    ("AS", &[684]),
    ("BB", &[246]),
    ("BM", &[441]),
    ("BS", &[242]),
    (
        "CA",
        &[
            204, 226, 236, 249, 250, 257, 263, 289, 306, 343, 354, 365, 367, 368, 382, 387, 403,
            416, 418, 428, 431, 437, 438, 450, 468, 474, 506, 514, 519, 548, 579, 581, 584, 587,
            604, 613, 639, 647, 672, 683, 705, 709, 742, 753, 778, 780, 782, 807, 819, 825, 867,
            873, 879, 902, 905, 942,
        ],
    ),
    ("DM", &[767]),
    ("DO", &[809, 829, 849]),
    ("GD", &[473]),
    ("GU", &[671]),
    ("JM", &[658, 876]),
    ("KN", &[869]),
    ("KY", &[345]),
    ("LC", &[758]),
    ("MP", &[670]),
    ("MS", &[664]),
    ("PR", &[787, 939]),
    ("SX", &[721]),
    ("TC", &[649]),
    ("TT", &[868]),
    ("VC", &[784]),
    ("VG", &[284]),
    ("VI", &[340]),
];

/// The country of an area code outside the United States.
pub(super) fn country(area: u16) -> Option<Country> {
    let found = AREAS.iter().find(|(_, areas)| areas.contains(&area))?;
    Country::parse(found.0)
}
