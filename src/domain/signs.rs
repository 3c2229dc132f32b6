//! What a message looks like, apart from what it says.

use serde::{Deserialize, Serialize};

macro_rules! signs {
    ($($sign:ident: $bit:literal, $name:literal, $group:ident, $words:literal;)+) => {
        /// One oddity of an INVITE. The discriminant is its bit, which is frozen: rows in
        /// ClickHouse hold it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        #[expect(missing_docs, reason = "the words stand in `words`, for people and docs alike")]
        pub enum Sign { $($sign = $bit),+ }

        impl Sign {
            /// All of them, by bit.
            pub const ALL: &[Self] = &[$(Self::$sign),+];

            /// Short stable name.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$sign => $name),+ }
            }

            /// What it means, for people.
            #[must_use]
            pub const fn words(self) -> &'static str {
                match self { $(Self::$sign => $words),+ }
            }

            /// What kind of oddity it is.
            #[must_use]
            pub const fn group(self) -> SignGroup {
                match self { $(Self::$sign => SignGroup::$group),+ }
            }
        }
    };
}

/// What signs have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SignGroup {
    /// The handwriting of known scanning and dialling tools.
    Tool,
    /// A session description that nobody could talk by.
    Media,
    /// Headers that telephones send and the message lacks, or has wrong.
    Header,
    /// How far the source can be believed, which is nothing about the message: no feature counts
    /// it.
    Source,
}

// Seen in public descriptions of what honeypots and proxies at the edge receive, and checked
// against the headers that telephones and softswitches send.
signs! {
    NoSdp: 0, "no-sdp", Media, "the INVITE offers no media: it has no session description";
    SdpNoAudio: 1, "sdp-no-audio", Media, "the session description offers no audio";
    SdpUnusable: 2, "sdp-unusable", Media, "media are to go to an address nobody can be reached at: 0.0.0.0, loopback, 1.1.1.1";
    SdpPrivate: 3, "sdp-private", Media, "media are to go to a private address, and the message came from a public one";
    ToolName: 4, "tool-name", Tool, "a known tool's name or made-up address in From, To, Contact or the session description";
    ContactUnusable: 5, "contact-unusable", Header, "no Contact, or one nobody can be reached at: 0.0.0.0, loopback, 1.1.1.1";
    NoFromTag: 6, "no-from-tag", Header, "From has no tag, which RFC 3261 wants";
    HexTag: 7, "hex-tag", Tool, "the tag in From is text written as hexadecimal digits, as a well-known scanner marks its targets";
    DecimalCallId: 8, "decimal-call-id", Tool, "the Call-ID is one long decimal number and nothing else";
    NoMaxForwards: 9, "no-max-forwards", Header, "no Max-Forwards, which RFC 3261 wants";
    OldBranch: 10, "old-branch", Header, "the branch in Via does not begin as RFC 3261 wants (z9hG4bK)";
    ViaUnusable: 11, "via-unusable", Header, "Via names an address nobody can be answered at: 0.0.0.0, loopback, 1.1.1.1";
    ToDiffers: 12, "to-differs", Header, "To ends in other digits than the number that is called";
    NoAllow: 13, "no-allow", Header, "neither Allow nor Supported says what the caller can do";
    SourceNotShown: 14, "source-not-shown", Source, "at the honeypot: neither a connection nor the answer to a challenge shows that the source has its address";
}

/// Oddities of an INVITE that telephones do not have and tools do: a set of small facts, kept
/// with the call.
///
/// A sign proves nothing alone: a softswitch in between writes headers of its own. Calls from
/// files have only those that a Call-ID shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Signs(u16);

impl Signs {
    /// None at all.
    pub const NONE: Self = Self(0);
    /// Digits of the shortest decimal Call-ID that counts as a sign: 80 random bits are 20 to 25,
    /// and some devices number their calls.
    const DECIMAL: usize = 16;

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

    /// These and one more.
    #[must_use]
    pub const fn with(self, sign: Sign) -> Self {
        Self(self.0 | 1 << sign as u8)
    }

    /// These, and one more if `is`.
    #[must_use]
    pub const fn with_if(self, is: bool, sign: Sign) -> Self {
        if is { self.with(sign) } else { self }
    }

    /// These and others.
    #[must_use]
    pub const fn with_all(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// Whether a sign is among them.
    #[must_use]
    pub const fn has(self, sign: Sign) -> bool {
        self.0 & (1 << sign as u8) != 0
    }

    /// How many there are.
    #[must_use]
    pub const fn count(self) -> u32 {
        self.0.count_ones()
    }

    /// How many of a group there are.
    #[must_use]
    pub fn count_of(self, group: SignGroup) -> u32 {
        let of_group = self.iter().filter(|sign| sign.group() == group);
        of_group.map(|_| 1).sum()
    }

    /// One by one.
    pub fn iter(self) -> impl Iterator<Item = Sign> {
        Sign::ALL
            .iter()
            .copied()
            .filter(move |sign| self.has(*sign))
    }

    /// What a Call-ID alone shows: all that a file of calls has of the message.
    #[must_use]
    pub fn of_call_id(call_id: &str) -> Self {
        let decimal =
            call_id.len() >= Self::DECIMAL && call_id.bytes().all(|byte| byte.is_ascii_digit());
        Self::NONE.with_if(decimal, Sign::DecimalCallId)
    }
}

/// Beginnings of the names that well-known scanning and dialling tools give themselves, lower
/// case: as user agents, as callers' names, and as sessions in SDP.
const TOOLS: [&[u8]; 18] = [
    b"friendly-scanner",
    b"friendly-request",
    b"sipvicious",
    b"sipcli",
    b"sip-scan",
    b"sipscan",
    b"sip call",
    b"pplsip",
    b"sipptk",
    b"vaxsipuseragent",
    b"vaxipuseragent",
    b"sivus",
    b"smap",
    b"sundayddr",
    b"iwar",
    b"siparmyknife",
    b"gulp",
    b"sipsak",
];

/// Whether a name is that of a known scanning or dialling tool.
#[must_use]
pub fn is_tool_name(name: &[u8]) -> bool {
    let begins = |tool: &[u8]| {
        let start = name.get(..tool.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(tool))
    };
    TOOLS.iter().any(|tool| begins(tool))
}

impl FromIterator<Sign> for Signs {
    fn from_iter<I: IntoIterator<Item = Sign>>(signs: I) -> Self {
        signs.into_iter().fold(Self::NONE, Self::with)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_sign_has_a_bit_and_a_name_of_its_own() {
        let names: HashSet<_> = Sign::ALL.iter().map(|sign| sign.as_str()).collect();
        assert_eq!(names.len(), Sign::ALL.len());
        for (bit, &sign) in Sign::ALL.iter().enumerate() {
            let alone = Signs::NONE.with(sign);
            assert_eq!(alone.bits(), 1 << bit);
            assert_eq!(alone.iter().collect::<Vec<_>>(), [sign]);
        }
        let all: Signs = Sign::ALL.iter().copied().collect();
        assert_eq!(all.count() as usize, Sign::ALL.len());
        let groups = [
            SignGroup::Tool,
            SignGroup::Media,
            SignGroup::Header,
            SignGroup::Source,
        ];
        assert_eq!(
            groups.map(|group| all.count_of(group)).iter().sum::<u32>(),
            all.count()
        );
    }

    #[test]
    fn only_a_long_bare_number_is_a_tools_call_id() {
        for (call_id, is) in [
            ("913402317389121872536642", true),
            ("1409286144", false),
            ("913402317389121872536642@192.0.2.1", false),
            ("4c61b746-4db1-47d3-b97a-33317371c612", false),
            ("", false),
        ] {
            assert_eq!(
                Signs::of_call_id(call_id).has(Sign::DecimalCallId),
                is,
                "{call_id}"
            );
        }
    }
}
