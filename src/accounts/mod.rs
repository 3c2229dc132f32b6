//! Domains, subscribers, policies and lists: edited in SQLite, served as an immutable snapshot.
//!
//! Editors (command line, later API and console) go through [`Accounts`]; every change is one
//! transaction with an entry in the audit log. The hot path reads a [`Snapshot`] that is swapped
//! by pointer and never touches the database.

mod countries;
mod credentials;
mod database;
mod edit;
mod error;
mod identity;
mod listing;
mod rules;
mod snapshot;

#[cfg(test)]
pub use credentials::OPENED;
pub use credentials::{Password, Sealed, Vault};
pub use database::{Accounts, private_folder};
pub use edit::{DomainRow, Subscriber, SubscriberRow};
pub use error::AccountsError;
pub use identity::{Identity, Realm};
pub use listing::{
    EntryFilter, EntryKind, Imported, ListEntry, ListImport, ListKind, ListMatch, MatchState,
    NewEntry, NumberLists, Scope, Sought,
};
pub use rules::{
    CountryRules, LimitRules, OffHoursRules, PeriodRules, PolicyRules, ReportPeriod, ReportRules,
    SameNumberRules,
};
pub use snapshot::Snapshot;

/// Name of the domain that is created on a first start and serves calls of nobody else's.
pub const ROOT_DOMAIN: &str = "root";
/// What a domain's default user is called unless it says otherwise: to him the calls of everybody
/// are counted who is no subscriber.
pub const DEFAULT_USER: &str = "default";
/// Name of the policy every domain begins with.
pub const DEFAULT_POLICY: &str = "default";

#[cfg(test)]
mod credentials_tests;
#[cfg(test)]
mod identity_tests;
#[cfg(test)]
mod tests;
