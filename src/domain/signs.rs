//! What a message looks like, apart from what it says.

use serde::{Deserialize, Serialize};

/// Oddities of an INVITE that telephones do not have and tools do: a set of small facts, kept
/// with the call.
///
/// A sign proves nothing alone; what each means stands where it is read, in `sip`. Calls from
/// files have none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Signs(u16);

impl Signs {
    /// None at all.
    pub const NONE: Self = Self(0);

    /// From the bits as stored in ClickHouse.
    #[must_use]
    pub const fn from_bits(bits: u16) -> Self {
        Self(bits)
    }

    /// The bits as stored in ClickHouse.
    #[must_use]
    pub const fn bits(self) -> u16 {
        self.0
    }
}
