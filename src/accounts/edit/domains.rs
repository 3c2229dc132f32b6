//! Domains, who may ask for them, and what their users dial before a number.

use super::Edit;
use super::policies::require_policy;
use crate::accounts::listing::forget_lists;
use crate::accounts::{
    Accounts, AccountsError, DEFAULT_POLICY, DialPrefix, DomainName, Name, Network, PolicyRules,
    ROOT_DOMAIN, UserName,
};
use crate::domain::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Most trusted networks of one domain: each is compared with the peer of every call.
const PEERS: usize = 1_000;
/// Most dial prefixes of one domain: each is compared with every dialled number.
const DIAL_PREFIXES: usize = 32;

/// A domain, for listing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct DomainRow {
    /// Name, lower case.
    #[schema(example = "itsp.example")]
    pub name: String,
    /// Whether it serves calls of nobody else's.
    #[schema(example = false)]
    pub root: bool,
    /// Policy of subscribers that have none of their own.
    #[schema(example = "default")]
    pub default_policy: String,
    /// To whom the calls of everybody are counted who is no subscriber.
    #[schema(example = "default")]
    pub default_user: String,
    /// Networks that may ask for it.
    #[schema(example = json!(["192.0.2.0/24"]))]
    pub trusted_peers: Vec<String>,
    /// Dial prefixes its users dial before a number.
    #[schema(example = json!(["9"]))]
    pub dial_prefixes: Vec<String>,
}

/// A domain to be served; it gets a policy `default` of its own.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "itsp.example", "trusted_peers": ["192.0.2.0/24"]}))]
pub struct NewDomain {
    /// As in From.
    pub name: DomainName,
    /// Networks that may ask for it; at most 1,000.
    #[serde(default)]
    pub trusted_peers: Vec<Network>,
    /// What its users dial before a number; at most 32.
    #[serde(default)]
    pub dial_prefixes: Vec<DialPrefix>,
}

/// What of a domain is to change; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"dial_prefixes": ["9"], "default_policy": "default"}))]
pub struct DomainChange {
    /// All networks that may ask for it; at most 1,000.
    #[serde(default, deserialize_with = "crate::accounts::given")]
    #[schema(nullable = false)]
    pub trusted_peers: Option<Vec<Network>>,
    /// All it dials before a number; at most 32.
    #[serde(default, deserialize_with = "crate::accounts::given")]
    #[schema(nullable = false)]
    pub dial_prefixes: Option<Vec<DialPrefix>>,
    /// Policy of subscribers that have none of their own.
    #[serde(default, deserialize_with = "crate::accounts::given")]
    #[schema(nullable = false)]
    pub default_policy: Option<Name>,
    /// To whom the calls of everybody are counted who is no subscriber.
    #[serde(default, deserialize_with = "crate::accounts::given")]
    #[schema(nullable = false)]
    pub default_user: Option<UserName>,
}

const COLUMNS: &str = "name, is_root, default_policy, dial_prefixes,
    (SELECT group_concat(network, ' ') FROM trusted_peer WHERE domain = name), default_user";

fn row(row: &Row<'_>) -> rusqlite::Result<DomainRow> {
    let prefixes: String = row.get(3)?;
    let peers: Option<String> = row.get(4)?;
    let mut trusted_peers: Vec<String> = peers
        .unwrap_or_default()
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    trusted_peers.sort();
    Ok(DomainRow {
        name: row.get(0)?,
        root: row.get(1)?,
        default_policy: row.get(2)?,
        default_user: row.get(5)?,
        trusted_peers,
        dial_prefixes: serde_json::from_str(&prefixes).unwrap_or_default(),
    })
}

/// One domain.
pub(in crate::accounts) fn read(db: &Connection, name: &str) -> Result<DomainRow, AccountsError> {
    db.query_row(
        &format!("SELECT {COLUMNS} FROM domain WHERE name = ?1"),
        [name],
        row,
    )
    .optional()?
    .ok_or_else(|| AccountsError::NoDomain(name.to_owned()))
}

/// All domains, the root domain first.
pub(in crate::accounts) fn all(db: &Connection) -> Result<Vec<DomainRow>, AccountsError> {
    let mut statement = db.prepare(&format!(
        "SELECT {COLUMNS} FROM domain ORDER BY is_root DESC, name"
    ))?;
    let rows = statement.query_map([], row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Adds a domain with a policy `default`.
pub(in crate::accounts) fn add(edit: &Edit<'_>, new: &NewDomain) -> Result<(), AccountsError> {
    let name = new.name.as_str();
    if read(edit, name).is_ok() {
        return Err(AccountsError::Exists(name.to_owned()));
    }
    edit.execute(
        "INSERT INTO domain (name, default_policy) VALUES (?1, ?2)",
        params![name, DEFAULT_POLICY],
    )?;
    let rules = super::policies::encode(&PolicyRules::initial(), DEFAULT_POLICY)?;
    edit.execute(
        "INSERT INTO policy (domain, name, rules) VALUES (?1, ?2, ?3)",
        params![name, DEFAULT_POLICY, rules],
    )?;
    write_peers(edit, name, &new.trusted_peers)?;
    write_dial_prefixes(edit, name, &new.dial_prefixes)?;
    edit.log_change("domain add", name, None, Some(&read(edit, name)?))?;
    Ok(())
}

/// Changes a domain; says whether anything is now other than it was.
pub(in crate::accounts) fn set(
    edit: &Edit<'_>,
    name: &str,
    change: &DomainChange,
    action: &str,
) -> Result<bool, AccountsError> {
    let before = read(edit, name)?;
    if let Some(peers) = &change.trusted_peers {
        write_peers(edit, name, peers)?;
    }
    if let Some(prefixes) = &change.dial_prefixes {
        write_dial_prefixes(edit, name, prefixes)?;
    }
    if let Some(policy) = &change.default_policy {
        require_policy(edit, name, policy.as_str()).map_err(|e| e.at("default_policy"))?;
        edit.execute(
            "UPDATE domain SET default_policy = ?2 WHERE name = ?1",
            params![name, policy.as_str()],
        )?;
    }
    if let Some(user) = &change.default_user {
        edit.execute(
            "UPDATE domain SET default_user = ?2 WHERE name = ?1",
            params![name, user.as_str()],
        )?;
    }
    edit.log_change(action, name, Some(&before), Some(&read(edit, name)?))
}

/// Removes a domain with its policies, subscribers, lists and tokens.
pub(in crate::accounts) fn remove(edit: &Edit<'_>, name: &str) -> Result<(), AccountsError> {
    let before = read(edit, name)?;
    if name == ROOT_DOMAIN {
        return Err(AccountsError::RootStays);
    }
    for table in ["subscriber", "ani"] {
        edit.execute(&format!("DELETE FROM {table} WHERE domain = ?1"), [name])?;
    }
    forget_lists(edit, &format!("{name}/"))?;
    edit.execute("DELETE FROM domain WHERE name = ?1", [name])?;
    edit.log_change("domain remove", name, Some(&before), None)?;
    Ok(())
}

fn write_peers(edit: &Edit<'_>, name: &str, peers: &[Network]) -> Result<(), AccountsError> {
    if peers.len() > PEERS {
        return Err(AccountsError::TooMany(PEERS).at("trusted_peers"));
    }
    edit.execute("DELETE FROM trusted_peer WHERE domain = ?1", [name])?;
    for network in peers {
        edit.execute(
            "INSERT OR IGNORE INTO trusted_peer (domain, network) VALUES (?1, ?2)",
            params![name, network.as_str()],
        )?;
    }
    Ok(())
}

fn write_dial_prefixes(
    edit: &Edit<'_>,
    name: &str,
    prefixes: &[DialPrefix],
) -> Result<(), AccountsError> {
    if prefixes.len() > DIAL_PREFIXES {
        return Err(AccountsError::TooMany(DIAL_PREFIXES).at("dial_prefixes"));
    }
    edit.execute(
        "UPDATE domain SET dial_prefixes = ?2 WHERE name = ?1",
        params![name, serde_json::json!(prefixes).to_string()],
    )?;
    Ok(())
}

impl Accounts {
    /// Adds a domain with a default policy of its own, and the networks that may ask for it.
    ///
    /// # Errors
    /// The name is no host name, or taken; a network is none. Then nothing is added.
    pub fn add_domain(
        &mut self,
        name: &str,
        trust: &[String],
        now: Timestamp,
    ) -> Result<(), AccountsError> {
        let new = NewDomain {
            name: name.parse()?,
            trusted_peers: trust.iter().map(|n| n.parse()).collect::<Result<_, _>>()?,
            dial_prefixes: Vec::new(),
        };
        self.create_domain(&new, now)
    }

    /// As [`add_domain`](Self::add_domain), of values that are checked already.
    ///
    /// # Errors
    /// The name is taken, or there are too many networks or prefixes.
    pub fn create_domain(&mut self, new: &NewDomain, now: Timestamp) -> Result<(), AccountsError> {
        self.transact(now, |edit| add(edit, new))
    }

    /// Removes a domain with its policies, subscribers, lists and tokens.
    ///
    /// # Errors
    /// There is none, or it is the root domain.
    pub fn remove_domain(&mut self, name: &str, now: Timestamp) -> Result<(), AccountsError> {
        self.transact(now, |edit| remove(edit, &name.to_ascii_lowercase()))
    }

    /// Trusts a network to ask for a domain, or stops trusting it.
    ///
    /// # Errors
    /// No such domain, no network, or not trusted before.
    pub fn set_trust(
        &mut self,
        domain: &str,
        network: &str,
        trust: bool,
        now: Timestamp,
    ) -> Result<(), AccountsError> {
        let domain = domain.to_ascii_lowercase();
        let network: Network = network.parse()?;
        self.transact(now, |edit| {
            let peers = read(edit, &domain)?.trusted_peers.into_iter();
            let mut peers: Vec<Network> = peers.map(|p| p.parse()).collect::<Result<_, _>>()?;
            let known = peers.iter().position(|peer| *peer == network);
            let action = match (trust, known) {
                (true, Some(_)) => return Ok(()),
                (true, None) => {
                    peers.push(network);
                    "domain trust"
                }
                (false, Some(at)) => {
                    peers.remove(at);
                    "domain untrust"
                }
                (false, None) => return Err(AccountsError::NotTrusted(network.to_string())),
            };
            let change = DomainChange {
                trusted_peers: Some(peers),
                ..DomainChange::default()
            };
            set(edit, &domain, &change, action).map(drop)
        })
    }

    /// Sets the dial prefixes of a domain (all of them; empty: none), its default policy and its
    /// default user.
    ///
    /// # Errors
    /// No such domain or policy, a prefix that nobody can dial, or a user that is none.
    pub fn set_domain(
        &mut self,
        domain: &str,
        dial_prefixes: Option<&[String]>,
        default_policy: Option<&str>,
        default_user: Option<&str>,
        now: Timestamp,
    ) -> Result<(), AccountsError> {
        let prefixes = |all: &[String]| all.iter().map(|p| p.parse()).collect::<Result<_, _>>();
        let change = DomainChange {
            trusted_peers: None,
            dial_prefixes: dial_prefixes.map(prefixes).transpose()?,
            default_policy: default_policy.map(str::parse).transpose()?,
            default_user: default_user.map(str::parse).transpose()?,
        };
        self.change_domain(&domain.to_ascii_lowercase(), &change, now)
            .map(drop)
    }

    /// Changes a domain; the domain as it is then.
    ///
    /// # Errors
    /// No such domain or policy, or too many networks or prefixes; then nothing changes.
    pub fn change_domain(
        &mut self,
        domain: &str,
        change: &DomainChange,
        now: Timestamp,
    ) -> Result<DomainRow, AccountsError> {
        self.transact(now, |edit| {
            set(edit, domain, change, "domain set")?;
            read(edit, domain)
        })
    }

    /// All domains, the root domain first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn domains(&self) -> Result<Vec<DomainRow>, AccountsError> {
        all(&self.connection)
    }

    /// One domain.
    ///
    /// # Errors
    /// There is none.
    pub fn domain(&self, name: &str) -> Result<DomainRow, AccountsError> {
        read(&self.connection, name)
    }

    /// Domains by name after `after`, at most `limit`.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn domains_after(
        &self,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<DomainRow>, AccountsError> {
        let mut statement = self.connection.prepare(&format!(
            "SELECT {COLUMNS} FROM domain WHERE name > coalesce(?1, '') ORDER BY name LIMIT ?2"
        ))?;
        let rows = statement.query_map(params![after, limit], row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
