//! Accounts as the hot path reads them: immutable, in memory, swapped by pointer.

use super::edit::{parse_network, parse_number};
use super::listing::{NumberLists, ServedLists};
use super::{Accounts, AccountsError, PolicyRules};
use crate::domain::lists::SystemLists;
use crate::domain::{CallAttempt, Ingress, Number, Policy, Subscriber};
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
    /// What the next snapshot begins with.
    pub(super) lists: ServedLists,
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
            system: lists.system(),
            domains,
            root,
            peers,
            lists,
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
