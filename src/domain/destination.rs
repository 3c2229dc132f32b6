//! The called number and what the numbering plans say about it.

use super::Country;
use serde::{Deserialize, Serialize};

/// An E.164 number without `+`: 1 to 15 digits, not beginning with 0 (ITU-T E.164, 6.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Number(u64);

/// Why a text is no E.164 number.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum NumberError {
    /// No digits at all.
    #[error("the number is empty: expected 1 to 15 digits")]
    Empty,
    /// Something other than digits.
    #[error("the number has `{}`, which is no digit: expected 1 to 15 digits", .0.escape_debug())]
    NotDigits(char),
    /// More digits than E.164 allows.
    #[error("the number has more than 15 digits")]
    TooLong,
    /// No calling code begins with 0.
    #[error("the number begins with 0: expected a calling code first")]
    LeadingZero,
}

impl Number {
    /// The last one: 15 digits.
    const MAX: u64 = 999_999_999_999_999;

    /// From digits only.
    ///
    /// # Errors
    /// Says which rule of E.164 the text breaks.
    pub fn parse(digits: &str) -> Result<Self, NumberError> {
        let bytes = digits.as_bytes();
        if let Some(other) = digits.chars().find(|c| !c.is_ascii_digit()) {
            return Err(NumberError::NotDigits(other));
        }
        match bytes {
            [] => Err(NumberError::Empty),
            [b'0', ..] => Err(NumberError::LeadingZero),
            _ if bytes.len() > 15 => Err(NumberError::TooLong),
            _ => digits.parse().map(Self).map_err(|_| NumberError::TooLong),
        }
    }

    /// From the digits as an integer; `None` when it has more than 15, or is 0.
    #[must_use]
    pub const fn from_u64(digits: u64) -> Option<Self> {
        match digits {
            1..=Self::MAX => Some(Self(digits)),
            _ => None,
        }
    }

    /// The digits as an integer (at most 15 digits, so it is exact in an `f64` too).
    #[must_use]
    pub const fn as_u64(self) -> u64 {
        self.0
    }

    /// How many digits.
    #[must_use]
    pub const fn digits(self) -> u32 {
        self.0.ilog10() + 1
    }

    /// The first `digits` digits; the whole number when it is shorter.
    #[must_use]
    pub const fn prefix(self, digits: u32) -> u64 {
        let len = self.digits();
        if len <= digits {
            self.0
        } else {
            self.0 / 10u64.pow(len - digits)
        }
    }
}

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// What stood before the calling code in the dialled string.
///
/// Scanners try many of them, so the variety is itself a signal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum DialPrefix {
    /// Plain E.164.
    #[default]
    None = 0,
    /// `+`.
    Plus,
    /// `00`.
    DoubleZero,
    /// `011`.
    NorthAmerica,
    /// The domain's own dial prefix (`9`, `900`, ...).
    Custom,
    /// A trunk or exit prefix nobody configured, guessed away.
    Guessed,
}

impl DialPrefix {
    /// As stored in ClickHouse.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Plus => "+",
            Self::DoubleZero => "00",
            Self::NorthAmerica => "011",
            Self::Custom => "custom",
            Self::Guessed => "guessed",
        }
    }
}

/// What kind of number it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are the field's own")]
pub enum NumberClass {
    FixedLine,
    Mobile,
    FixedOrMobile,
    TollFree,
    PremiumRate,
    SharedCost,
    Voip,
    PersonalNumber,
    Pager,
    Uan,
    Satellite,
    GlobalService,
    /// The calling code exists, the number does not fit its plan.
    #[default]
    NotInPlan,
}

impl NumberClass {
    /// As stored in ClickHouse and shown in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FixedLine => "fixed",
            Self::Mobile => "mobile",
            Self::FixedOrMobile => "fixed-or-mobile",
            Self::TollFree => "toll-free",
            Self::PremiumRate => "premium",
            Self::SharedCost => "shared-cost",
            Self::Voip => "voip",
            Self::PersonalNumber => "personal",
            Self::Pager => "pager",
            Self::Uan => "uan",
            Self::Satellite => "satellite",
            Self::GlobalService => "global",
            Self::NotInPlan => "not-in-plan",
        }
    }
}

/// A called number, placed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Destination {
    /// The normalised number; `None` when the dialled string is no E.164 number.
    pub number: Option<Number>,
    /// Calling code, 1 to 3 digits; 0 when the number begins with none that exists.
    pub calling_code: u16,
    /// Where the number belongs.
    pub country: Country,
    /// What kind of number.
    pub class: NumberClass,
    /// What was stripped to get at the number.
    pub dial_prefix: DialPrefix,
}

impl Destination {
    /// Whether the number begins with a calling code that is assigned.
    #[must_use]
    pub const fn exists(&self) -> bool {
        self.calling_code != 0
    }
}
