//! Countries, as two letters.

use serde::{Deserialize, Serialize};

/// ISO 3166-1 alpha-2 code, or one of two codes ISO leaves to its users.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Country([u8; 2]);

impl Country {
    /// Not known: no database, a private address, an unassigned code.
    pub const UNKNOWN: Self = Self(*b"ZZ");
    /// Belongs to no country: satellite and global calling codes (870, 881, 882, 883, 979, ...).
    pub const GLOBAL: Self = Self(*b"XG");

    /// From two ASCII letters of either case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.as_bytes() {
            [a, b] if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() => {
                Some(Self([a.to_ascii_uppercase(), b.to_ascii_uppercase()]))
            }
            _ => None,
        }
    }

    /// The two letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("ZZ")
    }

    /// The two letters as bytes.
    pub(super) const fn letters(self) -> [u8; 2] {
        self.0
    }

    /// Whether this is anything but [`Country::UNKNOWN`].
    #[must_use]
    pub fn is_known(self) -> bool {
        self != Self::UNKNOWN
    }
}

impl Default for Country {
    fn default() -> Self {
        Self::UNKNOWN
    }
}

impl std::fmt::Display for Country {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::fmt::Debug for Country {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
