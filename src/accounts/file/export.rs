//! The accounts as a policy file.

use super::{
    DomainSection, FORMAT, Included, PolicyFile, SubscriberSection, countries, credentials, lists,
};
use crate::accounts::edit::{DomainRow, domains, policies, subscribers};
use crate::accounts::{Accounts, AccountsError, plans};
use rusqlite::Connection;
use std::collections::BTreeMap;

/// Reads everything; within a transaction, as of one moment.
pub(super) fn read(db: &Connection, included: Included) -> Result<PolicyFile, AccountsError> {
    let mut sections = BTreeMap::new();
    for row in domains::all(db)? {
        sections.insert(row.name.parse()?, section(db, &row)?);
    }
    Ok(PolicyFile {
        format: FORMAT,
        lists_included: included,
        plans: plans::read(db)?,
        country_risk: countries::read(db)?,
        domains: sections,
        lists: lists::group(lists::read(db, included)?)?,
    })
}

fn section(db: &Connection, row: &DomainRow) -> Result<DomainSection, AccountsError> {
    let policies = policies::of(db, &row.name)?
        .into_iter()
        .map(|policy| Ok((policy.name.parse()?, policy.rules)))
        .collect::<Result<_, AccountsError>>()?;
    let callers = subscribers::callers(db, &row.name)?
        .into_iter()
        .map(|(number, policy)| Ok((number.parse()?, policy.parse()?)))
        .collect::<Result<_, AccountsError>>()?;
    let subscribers = subscribers::users(db, &row.name)?
        .into_iter()
        .map(|(user, policy)| {
            let section = SubscriberSection {
                policy: policy.parse()?,
                credentials: credentials::of(db, &row.name, &user)?,
                password: None,
            };
            Ok((user.parse()?, section))
        })
        .collect::<Result<_, AccountsError>>()?;
    Ok(DomainSection {
        default_policy: row.default_policy.parse()?,
        trusted_peers: row
            .trusted_peers
            .iter()
            .map(|peer| peer.parse())
            .collect::<Result<_, _>>()?,
        dial_prefixes: row
            .dial_prefixes
            .iter()
            .map(|prefix| prefix.parse())
            .collect::<Result<_, _>>()?,
        policies,
        callers,
        subscribers,
    })
}

impl Accounts {
    /// Everything but tokens, as of one moment.
    ///
    /// # Errors
    /// More list entries than a file holds, or the database cannot be read.
    pub fn export(&self, included: Included) -> Result<PolicyFile, AccountsError> {
        let tx = self.connection.unchecked_transaction()?;
        read(&tx, included)
    }
}
