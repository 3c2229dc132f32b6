//! Accounts as the hot path reads them: immutable, in memory, swapped by pointer.

use super::credentials::{Sealed, passwords_of};
use super::edit::{parse_network, parse_number};
use super::listing::{NumberLists, ServedLists};
use super::{Accounts, AccountsError, PolicyRules};
use crate::domain::lists::SystemLists;
use crate::domain::{Number, Policy};
use ipnet::IpNet;
use std::collections::HashMap;
use std::sync::Arc;

/// Everything the hot path needs to know of accounts.
#[derive(Debug)]
pub struct Snapshot {
    /// Number of edits so far: the last entry of the audit log.
    pub version: i64,
    /// The system's lists.
    pub system: SystemLists,
    pub(super) domains: HashMap<String, Arc<Domain>>,
    pub(super) root: Arc<Domain>,
    /// The most specific network first; at equal length a customer before the root.
    pub(super) peers: Vec<(IpNet, Arc<Domain>)>,
    /// What the next snapshot begins with.
    pub(super) lists: ServedLists,
}

/// A served domain. Who is who in it: `identity`.
#[derive(Debug)]
pub(super) struct Domain {
    pub name: Arc<str>,
    pub is_root: bool,
    pub default_user: Arc<str>,
    pub dial_prefixes: Arc<[String]>,
    pub default_policy: Arc<Policy>,
    pub subscribers: HashMap<String, Arc<Policy>>,
    pub passwords: HashMap<String, Sealed>,
    pub callers: HashMap<Number, Arc<Policy>>,
}

impl Snapshot {
    /// Reads everything: with ten million numbers listed, for seconds.
    ///
    /// # Errors
    /// The database cannot be read, or holds rules that this program does not understand.
    pub fn load(accounts: &Accounts) -> Result<Self, AccountsError> {
        // Everything below is one state of the file, whatever is edited meanwhile.
        let tx = accounts.connection.unchecked_transaction()?;
        Self::with_lists(accounts, ServedLists::load(&tx)?)
    }

    /// What holds now that something was edited: reads all but the lists, and of them what has
    /// changed. A list that changed beyond the log of changes is one of [`stale_lists`] and
    /// stays as it was, but for single edits, until it comes as `read`.
    ///
    /// # Errors
    /// As for [`load`](Self::load).
    ///
    /// [`stale_lists`]: Self::stale_lists
    pub fn reload(
        &self,
        accounts: &Accounts,
        read: Option<NumberLists>,
    ) -> Result<Self, AccountsError> {
        let tx = accounts.connection.unchecked_transaction()?;
        Self::with_lists(accounts, self.lists.follow(&tx, read)?)
    }

    /// Lists that [`Accounts::load_numbers`] must read for the next snapshot to be whole.
    #[must_use]
    pub fn stale_lists(&self) -> &[i64] {
        self.lists.stale()
    }

    fn with_lists(accounts: &Accounts, lists: ServedLists) -> Result<Self, AccountsError> {
        let version = accounts.connection.query_row(
            "SELECT coalesce(max(id), 0) FROM audit_log",
            [],
            |row| row.get(0),
        )?;
        let risks = accounts.country_risks()?;
        let plans = accounts.plans()?;
        let mut policies = HashMap::new();
        let mut statement = accounts
            .connection
            .prepare("SELECT domain, name, rules FROM policy")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        for row in rows {
            let (domain, name, rules): (String, String, String) = row?;
            let key = format!("{domain}/{name}");
            let rules: PolicyRules =
                serde_json::from_str(&rules).map_err(|source| AccountsError::BadRules {
                    policy: key.clone(),
                    source,
                })?;
            let mut policy = rules.build(&name, &risks)?;
            let of_plan = plans.of(policy.plan).calls_per_second;
            policy.calls_per_second = policy.calls_per_second.or(of_plan);
            policy.whitelist = lists.white(&key);
            policy.blacklist = lists.black(&key);
            policies.insert(key, Arc::new(policy));
        }
        Self::assemble(accounts, version, lists, &policies)
    }

    fn assemble(
        accounts: &Accounts,
        version: i64,
        lists: ServedLists,
        policies: &HashMap<String, Arc<Policy>>,
    ) -> Result<Self, AccountsError> {
        let find = |domain: &str, policy: &str| {
            let found = policies.get(&format!("{domain}/{policy}")).cloned();
            found.ok_or_else(|| AccountsError::NoPolicy {
                domain: domain.to_owned(),
                policy: policy.to_owned(),
            })
        };
        let mut domains = HashMap::new();
        let mut peers = Vec::new();
        let rows = accounts.domains()?;
        for row in &rows {
            let mut dial_prefixes = row.dial_prefixes.clone();
            dial_prefixes.sort_by_key(|p| std::cmp::Reverse(p.len()));
            let domain = Domain {
                name: row.name.as_str().into(),
                is_root: row.root,
                default_user: row.default_user.as_str().into(),
                dial_prefixes: dial_prefixes.into(),
                default_policy: find(&row.name, &row.default_policy)?,
                subscribers: own_policies(accounts, "subscriber", "user", &row.name)?
                    .into_iter()
                    .map(|(user, policy)| Ok((user, find(&row.name, &policy)?)))
                    .collect::<Result<_, AccountsError>>()?,
                passwords: passwords_of(accounts, &row.name)?,
                callers: own_policies(accounts, "ani", "number", &row.name)?
                    .into_iter()
                    .map(|(number, policy)| Ok((parse_number(&number)?, find(&row.name, &policy)?)))
                    .collect::<Result<_, AccountsError>>()?,
            };
            let domain = Arc::new(domain);
            for peer in &row.trusted_peers {
                peers.push((parse_network(peer)?, Arc::clone(&domain)));
            }
            domains.insert(row.name.clone(), domain);
        }
        peers.sort_by_key(|(net, domain)| (std::cmp::Reverse(net.prefix_len()), domain.is_root));
        let root = domains
            .values()
            .find(|domain| domain.is_root)
            .cloned()
            .ok_or_else(|| AccountsError::NoDomain(super::ROOT_DOMAIN.to_owned()))?;
        Ok(Self {
            version,
            system: lists.system(),
            domains,
            root,
            peers,
            lists,
        })
    }
}

fn own_policies(
    accounts: &Accounts,
    table: &str,
    column: &str,
    domain: &str,
) -> Result<Vec<(String, String)>, AccountsError> {
    let mut statement = accounts.connection.prepare(&format!(
        "SELECT {column}, policy FROM {table} WHERE domain = ?1"
    ))?;
    let rows = statement.query_map([domain], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
