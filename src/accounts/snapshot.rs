//! Accounts as the hot path reads them: immutable, in memory, swapped by pointer.

use super::edit::{parse_network, parse_number};
use super::listing::compile_agents;
use super::{Accounts, AccountsError, ListEntry, PolicyRules};
use crate::domain::lists::{AccessList, Entry, NetworkList, SystemLists};
use crate::domain::{CallAttempt, Ingress, Number, Policy, Subscriber, Timestamp};
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
    domains: HashMap<String, Arc<Domain>>,
    root: Arc<Domain>,
    peers: Vec<(IpNet, Arc<Domain>)>,
}

#[derive(Debug)]
struct Domain {
    name: Arc<str>,
    is_root: bool,
    default_user: Arc<str>,
    dial_prefixes: Arc<[String]>,
    default_policy: Arc<Policy>,
    subscribers: HashMap<String, Arc<Policy>>,
    callers: HashMap<Number, Arc<Policy>>,
}

/// Who a call is from.
#[derive(Debug)]
pub enum Identity {
    /// The peer is trusted: a customer's call.
    Customer(Subscriber),
    /// The peer is not trusted: nobody we serve. On the free port it is still looked at, as
    /// this subscriber, whose policy is the root domain's.
    Stranger(Subscriber),
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
            let mut policy = rules.build(&name)?;
            let of_plan = plans.of(policy.plan).calls_per_second;
            policy.calls_per_second = policy.calls_per_second.or(of_plan);
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
                default_user: super::DEFAULT_USER.into(),
                dial_prefixes: dial_prefixes.into(),
                default_policy: find(&row.name, &row.default_policy)?,
                subscribers: own_policies(accounts, "subscriber", "user", &row.name)?
                    .into_iter()
                    .map(|(user, policy)| Ok((user, find(&row.name, &policy)?)))
                    .collect::<Result<_, AccountsError>>()?,
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
        // The most specific network speaks first; at equal length a customer before the root.
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

    /// Whose call it is, and which policy applies.
    ///
    /// The peer's address must be trusted by a domain. The domain that is named (`X-TFPS`, else
    /// From) applies when the peer is trusted by it, or by the root domain, which speaks for
    /// all; any other name falls to the domain that trusts the peer. Then: the subscriber's
    /// policy, the caller number's, the domain's default.
    #[must_use]
    pub fn identify(&self, attempt: &CallAttempt) -> Identity {
        let (user, named) = match &attempt.policy_user {
            Some((user, domain)) => (user.as_str(), domain.as_str()),
            None => (attempt.user.as_str(), attempt.domain.as_str()),
        };
        let peer = attempt.peer.to_canonical();
        let mut trusting = self
            .peers
            .iter()
            .filter(|(net, _)| net.contains(&peer))
            .map(|(_, domain)| domain)
            .peekable();
        // A file of calls is imported by the operator, who speaks for all.
        let imported = (attempt.ingress == Ingress::Import).then_some(&self.root);
        let Some(first) = imported.or_else(|| trusting.peek().copied()) else {
            return Identity::Stranger(Subscriber {
                account: "".into(),
                scope: Some(peer),
                ..self.root.default_user()
            });
        };
        let domain = self
            .domains
            .get(named)
            .filter(|named| {
                imported.is_some() || trusting.any(|d| d.is_root || d.name == named.name)
            })
            .unwrap_or(first);
        Identity::Customer(domain.subscriber(user, &attempt.user))
    }
}

/// The caller number of a From user: E.164, whatever exit code stands before it.
fn caller_number(user: &str) -> Option<Number> {
    let digits = ["+", "00", "011"]
        .iter()
        .find_map(|exit| user.strip_prefix(exit))
        .unwrap_or(user);
    Number::parse(digits).ok()
}

impl Domain {
    /// Whose call it is: the subscriber's, the mapped caller number's, else the default user's.
    fn subscriber(&self, user: &str, caller: &str) -> Subscriber {
        let everybody = self.default_user();
        if let Some(policy) = self.subscribers.get(user) {
            return Subscriber {
                name: user.into(),
                policy: Arc::clone(policy),
                ..everybody
            };
        }
        let mapped =
            caller_number(caller).and_then(|number| Some((number, self.callers.get(&number)?)));
        match mapped {
            Some((number, policy)) => Subscriber {
                name: number.to_string().into(),
                policy: Arc::clone(policy),
                ..everybody
            },
            None => everybody,
        }
    }

    fn default_user(&self) -> Subscriber {
        Subscriber {
            account: Arc::clone(&self.name),
            name: Arc::clone(&self.default_user),
            scope: None,
            dial_prefixes: Arc::clone(&self.dial_prefixes),
            policy: Arc::clone(&self.default_policy),
        }
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
