//! The accounts made equal to a policy file: one transaction, all or nothing. Only what differs
//! is touched, by the same functions as any other edit, so that the audit log tells just that.

use super::{
    DomainSection, FileError, Included, PolicyFile, SubscriberSection, Wrong, countries,
    credentials, export, lists,
};
use crate::accounts::audit::Edit;
use crate::accounts::edit::{
    DomainChange, Expect, NewDomain, Subscriber, domains, policies, subscribers,
};
use crate::accounts::place::key;
use crate::accounts::{
    Accounts, AccountsError, DomainName, Name, PLANS, ROOT_DOMAIN, plan_name, plans,
};
use crate::domain::Timestamp;
use similar::TextDiff;
use std::collections::BTreeMap;
use std::time::Duration;

/// Longest search for the smallest difference; after it a larger one is shown.
const DIFF_TIME: Duration = Duration::from_secs(5);

/// What an import did, or would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// How many things changed; 0: the accounts were equal to the file.
    pub changes: usize,
    /// The accounts as a file, before and after; of a dry run only.
    texts: Option<(String, String)>,
}

impl Imported {
    /// The difference as a unified diff; empty when there is none, or when it was no dry run.
    #[must_use]
    pub fn diff(&self) -> String {
        let Some((before, after)) = &self.texts else {
            return String::new();
        };
        TextDiff::configure()
            .timeout(DIFF_TIME)
            .diff_lines(before.as_str(), after.as_str())
            .unified_diff()
            .header("accounts as they are", "accounts as they would be")
            .to_string()
    }
}

impl Accounts {
    /// Makes the accounts equal to a file; a dry run makes them so, looks, and takes it back.
    ///
    /// # Errors
    /// The first thing in the file that does not do, with its path; then nothing has changed.
    pub fn import(
        &mut self,
        file: &PolicyFile,
        dry_run: bool,
        now: Timestamp,
    ) -> Result<Imported, AccountsError> {
        self.attempt(now, !dry_run, |edit| {
            let included = file.lists_included;
            let before = dry_run.then(|| text(edit, included)).transpose()?;
            plans::all_within_seats(edit, || apply(edit, file))
                .map_err(|error| error.at_seats("domains"))?;
            let changes = edit.changes();
            let after = dry_run.then(|| text(edit, included)).transpose()?;
            if changes > 0 {
                edit.log("policy import", &format!("{changes} changes"), None)?;
            }
            Ok(Imported {
                changes,
                texts: before.zip(after),
            })
        })
    }
}

fn text(edit: &Edit<'_>, included: Included) -> Result<String, AccountsError> {
    Ok(export::read(edit, included)?.to_toml()?)
}

fn apply(edit: &Edit<'_>, file: &PolicyFile) -> Result<(), AccountsError> {
    if !file.domains.contains_key(ROOT_DOMAIN) {
        return Err(FileError::at("domains", Wrong::NoRoot).into());
    }
    for plan in PLANS {
        let place = format!("plans.{}", plan_name(plan));
        plans::set(edit, plan, file.plans.of(plan)).map_err(|error| error.at(&place))?;
    }
    countries::apply(edit, &file.country_risk)?;
    let there = domains::all(edit)?;
    for row in &there {
        if !file.domains.contains_key(row.name.as_str()) {
            domains::remove(edit, &row.name)?;
        }
    }
    for (name, section) in &file.domains {
        let is_new = there.iter().all(|row| row.name != name.as_str());
        let place = format!("domains.{}", key(name.as_str()));
        domain(edit, name, section, is_new).map_err(|error| error.at(&place))?;
    }
    lists::apply(edit, file)
}

fn domain(
    edit: &Edit<'_>,
    name: &DomainName,
    section: &DomainSection,
    is_new: bool,
) -> Result<(), AccountsError> {
    check_policies(section)?;
    if is_new {
        let new = NewDomain {
            name: name.clone(),
            trusted_peers: section.trusted_peers.clone(),
            dial_prefixes: section.dial_prefixes.clone(),
        };
        domains::add(edit, &new)?;
    }
    for (policy, rules) in &section.policies {
        let place = format!("policies.{}", key(policy.as_str()));
        policies::put(edit, name.as_str(), policy, rules, &Expect::Anything)
            .map_err(|error| error.at(&place))?;
    }
    let change = DomainChange {
        trusted_peers: Some(section.trusted_peers.clone()),
        dial_prefixes: Some(section.dial_prefixes.clone()),
        default_policy: Some(section.default_policy.clone()),
    };
    domains::set(edit, name.as_str(), &change, "domain set")?;
    users(edit, name, section)?;
    callers(edit, name, section)?;
    // Last: nobody has them any more.
    for row in policies::of(edit, name.as_str())? {
        if !section.policies.contains_key(row.name.as_str()) {
            policies::remove(edit, name.as_str(), &row.name, &Expect::Anything)?;
        }
    }
    Ok(())
}

/// Every policy that is named stands in the file: one that is there and is about to go does not do.
fn check_policies(section: &DomainSection) -> Result<(), AccountsError> {
    let check = |policy: &Name, place: &str| match section.policies.contains_key(policy) {
        true => Ok(()),
        false => Err(FileError::at(place, Wrong::NoPolicy(policy.to_string()))),
    };
    check(&section.default_policy, "default_policy")?;
    for (user, SubscriberSection { policy, .. }) in &section.subscribers {
        check(
            policy,
            &format!("subscribers.{}.policy", key(user.as_str())),
        )?;
    }
    for (number, policy) in &section.callers {
        check(policy, &format!("callers.{number}"))?;
    }
    Ok(())
}

fn users(edit: &Edit<'_>, name: &DomainName, section: &DomainSection) -> Result<(), AccountsError> {
    let there: BTreeMap<String, String> = subscribers::users(edit, name.as_str())?
        .into_iter()
        .collect();
    for user in there.keys() {
        if !section.subscribers.contains_key(user.as_str()) {
            subscribers::remove(edit, Subscriber::User(user), name.as_str())?;
        }
    }
    for (user, wanted) in &section.subscribers {
        let policy = wanted.policy.as_str();
        if there.get(user.as_str()).map(String::as_str) != Some(policy) {
            subscribers::set(edit, Subscriber::User(user.as_str()), name.as_str(), policy)?;
        }
        let place = format!("subscribers.{}", key(user.as_str()));
        credentials::set(edit, name, user, wanted).map_err(|error| error.at(&place))?;
    }
    Ok(())
}

fn callers(
    edit: &Edit<'_>,
    name: &DomainName,
    section: &DomainSection,
) -> Result<(), AccountsError> {
    let there: BTreeMap<String, String> = subscribers::callers(edit, name.as_str())?
        .into_iter()
        .collect();
    for number in there.keys() {
        if !section.callers.contains_key(number.as_str()) {
            subscribers::remove(edit, Subscriber::Ani(number), name.as_str())?;
        }
    }
    for (number, policy) in &section.callers {
        if there.get(number.as_str()).map(String::as_str) != Some(policy.as_str()) {
            let who = Subscriber::Ani(number.as_str());
            subscribers::set(edit, who, name.as_str(), policy.as_str())?;
        }
    }
    Ok(())
}
