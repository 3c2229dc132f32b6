//! Domains, subscribers, policies and lists: edited in SQLite, served as an immutable snapshot.
//!
//! Editors (command line, REST API, policy files) go through [`Accounts`]; every change is one
//! transaction with an entry in the audit log. The hot path reads a [`Snapshot`] that is swapped
//! by pointer and never touches the database.

mod audit;
mod countries;
mod credentials;
mod database;
mod edit;
mod entries;
mod error;
mod expiry;
pub mod file;
mod identity;
mod learned;
mod listing;
mod names;
pub mod place;
mod plans;
mod rules;
mod snapshot;
pub mod strict;
mod tokens;

pub use audit::{Actor, AuditFilter, AuditRow};
#[cfg(test)]
pub use credentials::OPENED;
pub use credentials::{Password, Sealed, Vault};
pub use database::{Accounts, private_folder};
pub use edit::{DomainChange, DomainRow, Expect, NewDomain, PolicyRow, Subscriber, SubscriberRow};
pub use entries::{BATCH, EntryQuery, NewEntry};
pub use error::{AccountsError, Fault};
pub use expiry::Expiry;
pub use identity::{Identity, Realm};
pub use learned::{LEARNED, LearnedFinding, LearnedRow, LearnedState, Learnt};
pub use listing::{
    EntryFilter, EntryKind, Imported, ListEntry, ListImport, ListKind, ListMatch, MatchState,
    NumberLists, RawEntry, Scope, Sought,
};
pub use names::{
    CallerNumber, DialPrefix, DomainName, Name, Network, Reason, Source, UserName, shortened,
};
pub use plans::{PLANS, PlanLimits, Plans, plan_name};
pub use rules::{
    CountryRules, LimitRules, OffHoursRules, PeriodRules, PolicyRules, ReportPeriod, ReportRules,
    SameNumberRules,
};
pub use snapshot::Snapshot;
pub use tokens::{Bearer, NewToken, Role, TokenRow};

use serde::Deserialize;

/// Name of the domain that is created on a first start and serves calls of nobody else's.
pub const ROOT_DOMAIN: &str = "root";
/// What a domain's default user is called unless it says otherwise: to him the calls of everybody
/// are counted who is no subscriber.
pub const DEFAULT_USER: &str = "default";
/// Name of the policy every domain begins with.
pub const DEFAULT_POLICY: &str = "default";

/// A field that may be absent, and then stays as it is, but that has a value when it is given:
/// `null` is refused rather than taken for absent.
pub(crate) fn given<'de, D, T>(value: D) -> Result<Option<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(value).map(Some)
}

#[cfg(test)]
mod credentials_tests;
#[cfg(test)]
mod identity_tests;
#[cfg(test)]
mod tests;
