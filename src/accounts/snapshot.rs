//! Accounts as the hot path reads them: immutable, in memory, swapped by pointer.

use super::credentials::{Sealed, passwords_of};
use super::edit::{parse_network, parse_number};
use super::identity::unmapped;
use super::listing::compile_agents;
use super::{Accounts, AccountsError, ListEntry, PolicyRules};
use crate::domain::lists::{AccessList, Entry, NetworkList, SystemLists};
use crate::domain::{Number, Policy, Timestamp};
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
    /// Reads everything.
    ///
    /// # Errors
    /// The database cannot be read, or holds rules that this program does not understand.
    pub fn load(accounts: &Accounts) -> Result<Self, AccountsError> {
        let version = accounts.connection.query_row(
            "SELECT coalesce(max(id), 0) FROM audit_log",
            [],
            |row| row.get(0),
        )?;
        let entries = accounts.entries_where("1", &[])?;
        let (system, mut own) = part_lists(entries)?;
        let risks = accounts.country_risks()?;
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
            if let Some((white, black)) = own.remove(&key) {
                policy.whitelist = white.numbers;
                policy.blacklist = black;
            }
            policies.insert(key, Arc::new(policy));
        }
        Self::assemble(accounts, version, system, &policies)
    }

    fn assemble(
        accounts: &Accounts,
        version: i64,
        system: SystemLists,
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
                peers.push((unmapped(parse_network(peer)?), Arc::clone(&domain)));
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
            system,
            domains,
            root,
            peers,
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

/// White and black list of one policy.
type OwnLists = (AccessList, AccessList);
/// A list being filled, and the user-agent patterns that are compiled once all are known.
type Filling = (AccessList, Vec<(String, Entry)>);

fn part_lists(
    entries: Vec<ListEntry>,
) -> Result<(SystemLists, HashMap<String, OwnLists>), AccountsError> {
    let mut attack_groups = NetworkList::default();
    let mut lists: HashMap<(String, bool), Filling> = HashMap::new();
    for row in entries {
        let entry = Entry {
            reason: row.reason.as_str().into(),
            expires: row.expires_at.map(Timestamp::from_secs),
        };
        if row.list == "group" {
            attack_groups.insert(parse_network(&row.value)?, entry);
            continue;
        }
        let (list, agents) = lists.entry((row.scope, row.list == "white")).or_default();
        match row.kind.as_str() {
            "number" => list.numbers.insert_number(parse_number(&row.value)?, entry),
            "prefix" => list.numbers.insert_prefix(parse_number(&row.value)?, entry),
            "network" => list.networks.insert(parse_network(&row.value)?, entry),
            _ => agents.push((row.value, entry)),
        }
    }
    let mut system = SystemLists {
        attack_groups,
        ..SystemLists::default()
    };
    let mut own: HashMap<String, OwnLists> = HashMap::new();
    for ((scope, is_white), (mut list, agents)) in lists {
        list.agents = compile_agents(&scope, agents)?;
        match (scope.is_empty(), is_white) {
            (true, _) => system.black = list,
            (false, true) => own.entry(scope).or_default().0 = list,
            (false, false) => own.entry(scope).or_default().1 = list,
        }
    }
    Ok((system, own))
}
