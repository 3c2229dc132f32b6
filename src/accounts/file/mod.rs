//! Everything of the accounts as one TOML file: written in one order, so that what is equal is
//! equal to the byte, and read back whole or not at all. Tokens are not in it.

mod credentials;
mod error;
mod export;
mod import;
mod lists;
#[cfg(test)]
mod tests;

pub use error::{FileError, Wrong};
pub use import::Imported;
pub use lists::{ListGroup, Of};

use super::names::{CallerNumber, DialPrefix, DomainName, Name, Network, UserName};
use super::strict::Strict;
use super::{Plans, PolicyRules};
use crate::domain::RiskClass;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// The one format there is.
const FORMAT: u32 = 1;
/// Most list entries of a file; millions belong into `tfps list import`.
pub const MOST_ENTRIES: usize = 100_000;

/// At the top of every file.
const TITLE: &str = "\
# The accounts of TFPS: plans, domains, policies, subscribers, caller numbers and lists.
# Written by `tfps policy export`. `tfps policy import FILE` makes the accounts equal to it, all
# or nothing; with --dry-run it only shows what would change. Fields: docs/policy-file.md.
# Names and numbers are personal data: keep this file as private as the data folder.

";

/// Which lists a file speaks of; others stay as they are when it is imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Included {
    /// No lists.
    None,
    /// Those of policies.
    Policies,
    /// The system's too.
    All,
}

impl Included {
    /// From none, policies or all.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::None, Self::Policies, Self::All]
            .into_iter()
            .find(|included| included.as_str() == text)
    }

    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Policies => "policies",
            Self::All => "all",
        }
    }

    const fn has_policies(self) -> bool {
        matches!(self, Self::Policies | Self::All)
    }

    const fn has_system(self) -> bool {
        matches!(self, Self::All)
    }
}

/// A whole file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyFile {
    /// Version of the format: 1.
    pub format: u32,
    /// Which lists it speaks of.
    pub lists_included: Included,
    /// What each plan gives.
    pub plans: Plans,
    /// Risk class by country, where it is other than usual.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub country_risk: BTreeMap<String, RiskClass>,
    /// Domains by name; the root domain must be among them.
    pub domains: BTreeMap<DomainName, DomainSection>,
    /// Entries of lists, those together that share list and note.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lists: Vec<ListGroup>,
}

/// One domain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DomainSection {
    /// Policy of subscribers that have none of their own.
    pub default_policy: Name,
    /// To whom the calls of everybody are counted who is no subscriber.
    #[serde(default = "UserName::of_everybody")]
    pub default_user: UserName,
    /// Networks that may ask for it.
    #[serde(default)]
    pub trusted_peers: Vec<Network>,
    /// What its users dial before a number.
    #[serde(default)]
    pub dial_prefixes: Vec<DialPrefix>,
    /// Its policies by name.
    pub policies: BTreeMap<Name, PolicyRules>,
    /// Policy by caller number.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub callers: BTreeMap<CallerNumber, Name>,
    /// Its subscribers by user name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub subscribers: BTreeMap<UserName, SubscriberSection>,
}

/// One subscriber.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubscriberSection {
    /// His policy.
    pub policy: Name,
    /// His password as it is stored, sealed; good only with the secret of the same data folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<String>,
    /// A new password; never written by an export.
    #[serde(default, skip_serializing)]
    pub password: Option<String>,
}

impl PolicyFile {
    /// Reads a file. What refers to what is looked at when it is imported.
    ///
    /// # Errors
    /// The first place that does not do, with its line.
    pub fn parse(text: &str) -> Result<Self, FileError> {
        let wrong = |place, error: toml::de::Error| FileError {
            line: error.span().map(|span| line_of(text, span.start)),
            place,
            what: Wrong::Toml(super::shortened(error.message(), 400)),
        };
        let document = toml::Deserializer::parse(text).map_err(|error| wrong(None, error))?;
        let file: Self = serde_path_to_error::deserialize(Strict(document)).map_err(|error| {
            let place = super::place::of(error.path());
            wrong(place, error.into_inner())
        })?;
        match file.format {
            FORMAT => Ok(file),
            other => Err(FileError::at("format", Wrong::Format(other))),
        }
    }

    /// The file's text: the same for the same accounts, to the byte.
    ///
    /// # Errors
    /// A defect: something in it cannot be said in TOML.
    pub fn to_toml(&self) -> Result<String, FileError> {
        let text = toml::to_string_pretty(self).map_err(|error| FileError {
            line: None,
            place: None,
            what: Wrong::Toml(error.to_string()),
        })?;
        Ok(format!("{TITLE}{text}"))
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().iter().take(offset);
    1 + before.filter(|&&byte| byte == b'\n').count()
}
