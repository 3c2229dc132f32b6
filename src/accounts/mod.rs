//! Domains, subscribers, policies and lists: edited in SQLite, served as an immutable snapshot.
//!
//! Editors (command line, later API and console) go through [`Accounts`]; every change is one
//! transaction with an entry in the audit log. The hot path reads a [`Snapshot`] that is swapped
//! by pointer and never touches the database.

mod database;
mod edit;
mod error;
mod listing;
mod rules;
mod snapshot;

pub use database::{Accounts, private_folder};
pub use edit::{DomainRow, Subscriber, SubscriberRow};
pub use error::AccountsError;
pub use listing::{
    EntryFilter, EntryKind, Imported, ListEntry, ListImport, ListKind, ListMatch, MatchState,
    NewEntry, NumberLists, Scope, Sought,
};
pub use rules::{CountryRules, PolicyRules};
pub use snapshot::{Identity, Snapshot};

/// Name of the domain that is created on a first start and serves calls of nobody else's.
pub const ROOT_DOMAIN: &str = "root";
/// The user of a domain to whom the calls of everybody are counted who is no subscriber.
pub const DEFAULT_USER: &str = "default";
/// Name of the policy every domain begins with.
pub const DEFAULT_POLICY: &str = "default";

#[cfg(test)]
mod tests;
