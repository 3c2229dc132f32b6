//! Names and values of accounts as they are born at the edge: checked once, in the one form in
//! which they are stored. What comes from the command line, from HTTP or from a file is one of
//! these before any edit sees it, and serde can say at which place it was wrong.

use super::AccountsError;
use crate::domain::{self, Number};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

macro_rules! checked_text {
    ($(#[$doc:meta])* $name:ident, $check:path, $example:literal) => {
        $(#[$doc])*
        #[derive(
            Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
        )]
        #[serde(try_from = "String")]
        #[schema(value_type = String, example = $example)]
        pub struct $name(String);

        impl $name {
            /// The text as it is stored.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = AccountsError;

            fn from_str(text: &str) -> Result<Self, AccountsError> {
                $check(text).map(Self)
            }
        }

        impl TryFrom<String> for $name {
            type Error = AccountsError;

            fn try_from(text: String) -> Result<Self, AccountsError> {
                text.parse()
            }
        }

        /// Sorted as its text is, so that a map by it can be asked by text.
        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

checked_text!(
    /// A domain as it stands in From: host name or address, lower case.
    DomainName,
    domain,
    "itsp.example"
);
checked_text!(
    /// Name of a policy or token: 1 to 64 letters, digits, `-`, `_` or `.`.
    Name,
    name,
    "default"
);
checked_text!(
    /// User part of a subscriber: 1 to 128 printable characters without spaces or `/`.
    UserName,
    user,
    "alice"
);
checked_text!(
    /// A caller number in E.164, digits only.
    CallerNumber,
    caller,
    "442079460000"
);
checked_text!(
    /// An address or network, host bits cleared.
    Network,
    network,
    "192.0.2.0/24"
);
checked_text!(
    /// What users dial before a number: 1 to 8 digits, `*` or `#`.
    DialPrefix,
    dial_prefix,
    "9"
);
checked_text!(
    /// Why something is listed: 1 to 200 printable characters.
    Reason,
    reason,
    "revenue share"
);
checked_text!(
    /// Who listed it: 1 to 100 printable characters.
    Source,
    source,
    "feed"
);

impl UserName {
    /// A domain's default user, unless it says otherwise.
    #[must_use]
    pub fn of_everybody() -> Self {
        Self(super::DEFAULT_USER.to_owned())
    }
}

fn domain(text: &str) -> Result<String, AccountsError> {
    let fine = (1..=253).contains(&text.len())
        && text.bytes().any(|b| b.is_ascii_alphanumeric())
        && !text.contains("..")
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':'))
        // From is read without its port, so that a domain with one would never match.
        && (!text.contains(':') || text.parse::<std::net::Ipv6Addr>().is_ok());
    match fine {
        true => Ok(text.to_ascii_lowercase()),
        false => Err(AccountsError::BadDomain(text.to_owned())),
    }
}

fn name(text: &str) -> Result<String, AccountsError> {
    let fine = (1..=64).contains(&text.len())
        && text.bytes().any(|b| b.is_ascii_alphanumeric())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
    match fine {
        true => Ok(text.to_owned()),
        false => Err(AccountsError::BadName(text.to_owned())),
    }
}

fn user(text: &str) -> Result<String, AccountsError> {
    let fine = (1..=128).contains(&text.len())
        && text
            .chars()
            .all(|c| is_visible(c) && !c.is_whitespace() && c != '/');
    match fine {
        true => Ok(text.to_owned()),
        false => Err(AccountsError::BadUser(text.to_owned())),
    }
}

fn caller(text: &str) -> Result<String, AccountsError> {
    parse_number(text).map(|number| number.to_string())
}

fn network(text: &str) -> Result<String, AccountsError> {
    parse_network(text).map(|network| network.to_string())
}

fn dial_prefix(text: &str) -> Result<String, AccountsError> {
    let fine = (1..=8).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_digit() || matches!(b, b'*' | b'#'));
    match fine {
        true => Ok(text.to_owned()),
        false => Err(AccountsError::BadDialPrefix(text.to_owned())),
    }
}

fn reason(text: &str) -> Result<String, AccountsError> {
    check_reason(text).map(|()| text.to_owned())
}

fn source(text: &str) -> Result<String, AccountsError> {
    check_source(text).map(|()| text.to_owned())
}

/// Whether a text may be a [`Reason`].
pub(super) fn check_reason(text: &str) -> Result<(), AccountsError> {
    match (1..=200).contains(&text.chars().count()) && is_printable(text) {
        true => Ok(()),
        false => Err(AccountsError::BadReason),
    }
}

/// Whether a text may be a [`Source`].
pub(super) fn check_source(text: &str) -> Result<(), AccountsError> {
    match (1..=100).contains(&text.chars().count()) && is_printable(text) {
        true => Ok(()),
        false => Err(AccountsError::BadSource(text.to_owned())),
    }
}

/// Whether every character of a text shows.
pub(super) fn is_printable(text: &str) -> bool {
    text.chars().all(is_visible)
}

/// Whether a character shows: no control, none of those that turn the direction of text or have
/// no width, with which one name can be made to look like another.
fn is_visible(c: char) -> bool {
    let hidden = matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}');
    !c.is_control() && !hidden
}

/// An E.164 number; a `+` before it is taken off: `+1555` and `1555` are one number.
pub(super) fn parse_number(text: &str) -> Result<Number, AccountsError> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    Number::parse(digits).map_err(|source| AccountsError::BadNumber {
        value: text.to_owned(),
        source,
    })
}

/// A network, or an address as the network of just it; host bits are cleared. One of IPv4
/// addresses that are mapped into IPv6 is the IPv4 network, as which addresses are looked up.
pub(super) fn parse_network(text: &str) -> Result<IpNet, AccountsError> {
    domain::parse_network(text).ok_or_else(|| AccountsError::BadNetwork(text.to_owned()))
}

/// A value as an error message shows it: cut, and with nothing in it that a terminal obeys.
pub(super) fn shown(text: &str) -> String {
    shortened(text, 60)
}

/// As a message shows a longer text, of at most so many characters.
#[must_use]
pub fn shortened(text: &str, most: usize) -> String {
    let escape = |c: char| -> String {
        if is_visible(c) {
            c.to_string()
        } else {
            c.escape_unicode().to_string()
        }
    };
    let mut short: String = text.chars().take(most).map(escape).collect();
    if text.chars().nth(most).is_some() {
        short.push_str(&format!("... ({} bytes)", text.len()));
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_stored_in_one_form() {
        let domain: DomainName = "ITSP.Example".parse().expect("a domain");
        assert_eq!(domain.as_str(), "itsp.example");
        let network: Network = "192.0.2.9/24".parse().expect("a network");
        assert_eq!(network.as_str(), "192.0.2.0/24");
        let caller: CallerNumber = "+442079460000".parse().expect("a number");
        assert_eq!(caller.as_str(), "442079460000");
    }

    #[test]
    fn what_hides_or_climbs_is_no_name() {
        for bad in ["", "a b", "a/b", "a\u{202e}b", "a\0", "\u{200b}", "a\nb"] {
            bad.parse::<UserName>().expect_err(bad);
        }
        for bad in ["", "..", ".", "../x", "a/b", "ü", "'; --", &"x".repeat(65)] {
            bad.parse::<Name>().expect_err(bad);
        }
        for bad in ["", "..", "a..b", "a b", "a/b", "a\0b", &"x".repeat(254)] {
            bad.parse::<DomainName>().expect_err(bad);
        }
        for bad in [
            "acme.example:5060",
            "192.0.2.1:5060",
            "acme.example:",
            ":::",
        ] {
            bad.parse::<DomainName>().expect_err(bad);
        }
        for good in ["2001:db8::1", "::1", "192.0.2.1", "acme_1.example"] {
            good.parse::<DomainName>().expect(good);
        }
        assert!("müller".parse::<UserName>().is_ok());
    }

    #[test]
    fn a_message_shows_little_of_a_huge_value_and_obeys_none() {
        let text = shown(&"\u{202e}\u{1b}[31m".repeat(1_000));
        assert!(text.len() < 1_000, "{} bytes", text.len());
        assert!(text.starts_with("\\u{202e}\\u{1b}[31m"), "{text}");
        assert!(text.ends_with("... (8000 bytes)"), "{text}");
    }
}
