//! The codes of the answer, and the checks that give them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What the answer says: approved, or refused by exactly one check.
///
/// The wire, ClickHouse, reports and help texts all read the exhaustive
/// matches below, so a new code cannot be forgotten in one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Code {
    /// Approved.
    A00,
    /// Refused, with the check that refused.
    Refused(Check),
}

/// One of the checks a call runs through. The number is the refusal code's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[repr(u8)]
#[expect(missing_docs, reason = "`description` says what each means, once")]
pub enum Check {
    R01 = 1,
    R02,
    R03,
    R04,
    R05,
    R06,
    R07,
    R08,
    R09,
    R10,
    R11,
    R12,
    R13,
    R14,
    R15,
}

/// The order in which an enforcing refusal decides the code: the first one wins.
pub const REFUSAL_ORDER: [Check; 15] = [
    Check::R14,
    Check::R01,
    Check::R02,
    Check::R12,
    Check::R03,
    Check::R07,
    Check::R05,
    Check::R04,
    Check::R06,
    Check::R13,
    Check::R08,
    Check::R10,
    Check::R09,
    Check::R11,
    Check::R15,
];

impl Check {
    /// The code as it stands on the wire, in ClickHouse and in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::R01 => "R01",
            Self::R02 => "R02",
            Self::R03 => "R03",
            Self::R04 => "R04",
            Self::R05 => "R05",
            Self::R06 => "R06",
            Self::R07 => "R07",
            Self::R08 => "R08",
            Self::R09 => "R09",
            Self::R10 => "R10",
            Self::R11 => "R11",
            Self::R12 => "R12",
            Self::R13 => "R13",
            Self::R14 => "R14",
            Self::R15 => "R15",
        }
    }

    /// What a refusal by this check means, in an operator's words.
    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::R01 => "user agent blacklisted",
            Self::R02 => "source IP blacklisted",
            Self::R03 => "called number blacklisted",
            Self::R04 => "originating country not allowed",
            Self::R05 => "country of origin or destination not found",
            Self::R06 => "destination country not allowed",
            Self::R07 => "international prefix does not exist",
            Self::R08 => "too many concurrent calls, off hours",
            Self::R09 => "daily quota used up, off hours",
            Self::R10 => "too many concurrent calls, normal hours",
            Self::R11 => "daily quota used up, normal hours",
            Self::R12 => "source belongs to a known attack group",
            Self::R13 => "too many calls from the same caller to the same number",
            Self::R14 => "on the policy's own blacklist",
            Self::R15 => "risk score above the policy's threshold",
        }
    }

    /// Position in arrays indexed by check.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize - 1
    }
}

impl Code {
    /// The code as it stands on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::A00 => "A00",
            Self::Refused(check) => check.as_str(),
        }
    }

    /// What the code means, in an operator's words.
    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::A00 => "approved",
            Self::Refused(check) => check.description(),
        }
    }

    /// Whether the call may go on.
    #[must_use]
    pub const fn is_approved(self) -> bool {
        matches!(self, Self::A00)
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::fmt::Display for Check {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Check {
    type Err = UnknownCheck;

    fn from_str(text: &str) -> Result<Self, UnknownCheck> {
        REFUSAL_ORDER
            .into_iter()
            .find(|check| check.as_str().eq_ignore_ascii_case(text))
            .ok_or_else(|| UnknownCheck(text.to_owned()))
    }
}

/// A check name that is none of R01 to R15.
#[derive(Debug, thiserror::Error)]
#[error("unknown check `{0}`: expected one of R01 to R15")]
pub struct UnknownCheck(pub String);

/// Whether a check may refuse, only say what it would have said, or rests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// A refusal by this check refuses the call.
    Enforce,
    /// The refusal is recorded; the call goes on.
    Audit,
    /// Not evaluated.
    #[default]
    Off,
}

impl Mode {
    /// As written in policies and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Audit => "audit",
            Self::Off => "off",
        }
    }
}
