//! Edits by subject: domains, policies, subscribers. Each is a function over one transaction
//! ([`Edit`]), so that a command, a request and a whole policy file go the same way, and a
//! method of [`Accounts`](super::Accounts) that runs it as a transaction of its own.

pub(super) mod domains;
pub(super) mod policies;
pub(super) mod subscribers;

pub use domains::{DomainChange, DomainRow, NewDomain};
pub use policies::{Expect, PolicyRow};
pub use subscribers::{Subscriber, SubscriberRow};

pub(super) use super::audit::Edit;
pub(super) use super::names::{parse_network, parse_number};
pub(super) use policies::require_policy;
