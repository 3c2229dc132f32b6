//! Policies: their rules, checked whole before they are stored.

use super::Edit;
use super::domains;
use crate::accounts::listing::forget_lists;
use crate::accounts::{Accounts, AccountsError, DomainName, Name, PolicyRules, plans};
use crate::domain::{CountryRisks, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

/// A policy, for listing.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct PolicyRow {
    /// Its name.
    #[schema(example = "default")]
    pub name: String,
    /// Everything of it but its lists.
    pub rules: PolicyRules,
}

/// What must be true of a policy before it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Nothing.
    Anything,
    /// There is none yet.
    Absent,
    /// There is one.
    Present,
    /// It is as it was when it had one of these tags ([`PolicyRules::tag`]).
    Tag(Vec<String>),
}

impl Expect {
    fn holds(&self, found: Option<&PolicyRules>) -> Result<bool, AccountsError> {
        Ok(match (self, found) {
            (Self::Anything, _) | (Self::Absent, None) | (Self::Present, Some(_)) => true,
            (Self::Tag(tags), Some(rules)) => tags.contains(&rules.tag()?),
            _ => false,
        })
    }
}

impl PolicyRules {
    /// Changes when the rules do: 128 bits of a hash over them, in hexadecimal.
    ///
    /// # Errors
    /// The rules cannot be written as JSON.
    pub fn tag(&self) -> Result<String, AccountsError> {
        let text = serde_json::to_vec(self).map_err(AccountsError::NotJson)?;
        let hash = Sha256::digest(&text);
        Ok(hash.iter().take(16).map(|b| format!("{b:02x}")).collect())
    }

    /// Whether they may be stored.
    ///
    /// # Errors
    /// The first field that does not do.
    pub(in crate::accounts) fn check(&self, policy: &str) -> Result<(), AccountsError> {
        // Which risk classes hold makes no difference to whether the rules hold together.
        self.build(policy, &CountryRisks::default()).map(drop)
    }
}

pub(in crate::accounts) fn encode(
    rules: &PolicyRules,
    policy: &str,
) -> Result<String, AccountsError> {
    serde_json::to_string(rules).map_err(|source| AccountsError::BadRules {
        policy: policy.to_owned(),
        source,
    })
}

fn find(db: &Connection, domain: &str, policy: &str) -> Result<Option<PolicyRules>, AccountsError> {
    let json: Option<String> = db
        .query_row(
            "SELECT rules FROM policy WHERE domain = ?1 AND name = ?2",
            params![domain, policy],
            |row| row.get(0),
        )
        .optional()?;
    json.map(|json| decode(&json, domain, policy)).transpose()
}

fn decode(json: &str, domain: &str, policy: &str) -> Result<PolicyRules, AccountsError> {
    serde_json::from_str(json).map_err(|source| AccountsError::BadRules {
        policy: format!("{domain}/{policy}"),
        source,
    })
}

fn read(db: &Connection, domain: &str, policy: &str) -> Result<PolicyRules, AccountsError> {
    find(db, domain, policy)?.ok_or_else(|| AccountsError::NoPolicy {
        domain: domain.to_owned(),
        policy: policy.to_owned(),
    })
}

/// All policies of a domain, by name.
pub(in crate::accounts) fn of(
    db: &Connection,
    domain: &str,
) -> Result<Vec<PolicyRow>, AccountsError> {
    let mut statement =
        db.prepare("SELECT name, rules FROM policy WHERE domain = ?1 ORDER BY name")?;
    let rows = statement.query_map([domain], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.map(|row| {
        let (name, json): (String, String) = row?;
        let rules = decode(&json, domain, &name)?;
        Ok(PolicyRow { name, rules })
    })
    .collect()
}

pub(in crate::accounts) fn require_policy(
    db: &Connection,
    domain: &str,
    policy: &str,
) -> Result<(), AccountsError> {
    domains::read(db, domain)?;
    let there = db
        .prepare_cached("SELECT 1 FROM policy WHERE domain = ?1 AND name = ?2")?
        .exists(params![domain, policy])?;
    match there {
        true => Ok(()),
        false => Err(AccountsError::NoPolicy {
            domain: domain.to_owned(),
            policy: policy.to_owned(),
        }),
    }
}

/// Writes a policy; says whether anything is now other than it was.
pub(in crate::accounts) fn put(
    edit: &Edit<'_>,
    domain: &str,
    policy: &Name,
    rules: &PolicyRules,
    expect: &Expect,
) -> Result<bool, AccountsError> {
    domains::read(edit, domain)?;
    let subject = format!("{domain}/{policy}");
    let before = find(edit, domain, policy.as_str())?;
    if !expect.holds(before.as_ref())? {
        return Err(match expect {
            Expect::Absent => AccountsError::Exists(subject),
            Expect::Present => AccountsError::NoPolicy {
                domain: domain.to_owned(),
                policy: policy.to_string(),
            },
            Expect::Anything | Expect::Tag(_) => AccountsError::Stale(subject),
        });
    }
    rules.check(policy.as_str())?;
    edit.execute(
        "INSERT INTO policy (domain, name, rules) VALUES (?1, ?2, ?3)
         ON CONFLICT DO UPDATE SET rules = excluded.rules",
        params![domain, policy.as_str(), encode(rules, policy.as_str())?],
    )?;
    let action = match before {
        None => "policy create",
        Some(_) => "policy set",
    };
    edit.log_change(action, &subject, before.as_ref(), Some(rules))
}

/// Removes a policy nobody uses, and its lists.
pub(in crate::accounts) fn remove(
    edit: &Edit<'_>,
    domain: &str,
    policy: &str,
    expect: &Expect,
) -> Result<(), AccountsError> {
    let subject = format!("{domain}/{policy}");
    domains::read(edit, domain)?;
    let before = read(edit, domain, policy)?;
    if !expect.holds(Some(&before))? {
        return Err(AccountsError::Stale(subject));
    }
    let users: i64 = edit.query_row(
        "SELECT (SELECT count(*) FROM domain WHERE name = ?1 AND default_policy = ?2)
              + (SELECT count(*) FROM subscriber WHERE domain = ?1 AND policy = ?2)
              + (SELECT count(*) FROM ani WHERE domain = ?1 AND policy = ?2)",
        params![domain, policy],
        |row| row.get(0),
    )?;
    if users > 0 {
        return Err(AccountsError::PolicyInUse(subject));
    }
    forget_lists(edit, &subject)?;
    edit.execute(
        "DELETE FROM policy WHERE domain = ?1 AND name = ?2",
        params![domain, policy],
    )?;
    edit.log_change("policy remove", &subject, Some(&before), None)?;
    Ok(())
}

impl Accounts {
    /// The rules of one policy.
    ///
    /// # Errors
    /// There is none, or what is stored cannot be read.
    pub fn policy(&self, domain: &str, policy: &str) -> Result<PolicyRules, AccountsError> {
        read(&self.connection, &domain.to_ascii_lowercase(), policy)
    }

    /// Domain and name of every policy.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn policies(&self) -> Result<Vec<(String, String)>, AccountsError> {
        let mut statement = self
            .connection
            .prepare("SELECT domain, name FROM policy ORDER BY domain, name")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The policies of one domain.
    ///
    /// # Errors
    /// There is no such domain, or what is stored cannot be read.
    pub fn policies_of(&self, domain: &str) -> Result<Vec<PolicyRow>, AccountsError> {
        domains::read(&self.connection, domain)?;
        of(&self.connection, domain)
    }

    /// Creates a policy with the initial rules.
    ///
    /// # Errors
    /// No such domain, a bad name, or one that is taken.
    pub fn create_policy(
        &mut self,
        domain: &str,
        policy: &str,
        now: Timestamp,
    ) -> Result<(), AccountsError> {
        let domain = domain.to_ascii_lowercase();
        let policy = policy.parse()?;
        let rules = PolicyRules::initial();
        self.transact(now, |edit| {
            put(edit, &domain, &policy, &rules, &Expect::Absent).map(drop)
        })
    }

    /// Writes a policy whole, if what is `expect`ed of the one that is there holds.
    ///
    /// # Errors
    /// No such domain, rules that do not hold together, what was expected does not hold, or the
    /// plan has too few seats; then nothing changes.
    pub fn put_policy(
        &mut self,
        domain: &DomainName,
        policy: &Name,
        rules: &PolicyRules,
        expect: &Expect,
        now: Timestamp,
    ) -> Result<(), AccountsError> {
        let domain = domain.as_str();
        self.transact(now, |edit| {
            plans::within_seats(edit, domain, || {
                put(edit, domain, policy, rules, expect).map(drop)
            })
            .map_err(|error| error.at_seats("plan"))
        })
    }

    /// Changes a policy's rules as one edit.
    ///
    /// # Errors
    /// No such policy, or rules that do not hold together; then nothing changes.
    pub fn change_policy(
        &mut self,
        domain: &str,
        policy: &str,
        now: Timestamp,
        change: impl FnOnce(&mut PolicyRules) -> Result<(), AccountsError>,
    ) -> Result<PolicyRules, AccountsError> {
        let domain = domain.to_ascii_lowercase();
        self.transact(now, |edit| {
            let mut rules = read(edit, &domain, policy)?;
            change(&mut rules)?;
            let policy = policy.parse()?;
            plans::within_seats(edit, &domain, || {
                put(edit, &domain, &policy, &rules, &Expect::Present).map(drop)
            })?;
            Ok(rules)
        })
    }

    /// Removes a policy nobody uses, and its lists.
    ///
    /// # Errors
    /// No such policy, or somebody uses it.
    pub fn remove_policy(
        &mut self,
        domain: &str,
        policy: &str,
        now: Timestamp,
    ) -> Result<(), AccountsError> {
        self.remove_policy_if(domain, policy, &Expect::Anything, now)
    }

    /// As [`remove_policy`](Self::remove_policy), if what is expected of it holds.
    ///
    /// # Errors
    /// Also when what was expected does not hold.
    pub fn remove_policy_if(
        &mut self,
        domain: &str,
        policy: &str,
        expect: &Expect,
        now: Timestamp,
    ) -> Result<(), AccountsError> {
        let domain = domain.to_ascii_lowercase();
        self.transact(now, |edit| remove(edit, &domain, policy, expect))
    }
}
