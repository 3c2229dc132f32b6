//! Edits: each one transaction, checked whole, and entered in the audit log.

use super::listing::forget_lists;
use super::{Accounts, AccountsError, DEFAULT_POLICY, PolicyRules};
use crate::domain::{CountryRisks, Number, Timestamp};
use ipnet::IpNet;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use serde::Serialize;

/// A domain, for listing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DomainRow {
    /// Name, lower case.
    pub name: String,
    /// Whether it serves calls of nobody else's.
    pub root: bool,
    /// Policy of subscribers that have none of their own.
    pub default_policy: String,
    /// To whom the calls of everybody are counted who is no subscriber.
    pub default_user: String,
    /// Networks that may ask for it.
    pub trusted_peers: Vec<String>,
    /// Dial prefixes its users dial before a number.
    pub dial_prefixes: Vec<String>,
}

/// A subscriber or mapped caller number, for listing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SubscriberRow {
    /// `user@domain`, or the caller number.
    pub subscriber: String,
    /// Domain whose policy it is.
    pub domain: String,
    /// The policy.
    pub policy: String,
    /// Whether he has a password, and so can ask from any address.
    pub password: bool,
}

impl Accounts {
    /// Runs one edit in a transaction and enters it in the audit log.
    pub(super) fn edit<T>(
        &mut self,
        now: Timestamp,
        action: &str,
        subject: &str,
        change: impl FnOnce(&Connection) -> Result<T, AccountsError>,
    ) -> Result<T, AccountsError> {
        let tx = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let result = change(&tx)?;
        tx.execute(
            "INSERT INTO audit_log (at, actor, action, subject) VALUES (?1, 'cli', ?2, ?3)",
            params![now.secs(), action, subject],
        )?;
        tx.commit()?;
        Ok(result)
    }

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
        let name = checked_domain(name)?;
        let networks: Vec<IpNet> = trust
            .iter()
            .map(|network| parse_network(network))
            .collect::<Result<_, _>>()?;
        let rules = encode(&PolicyRules::initial(), DEFAULT_POLICY)?;
        self.edit(now, "domain add", &name, |tx| {
            if domain_exists(tx, &name)? {
                return Err(AccountsError::Exists(name.clone()));
            }
            tx.execute(
                "INSERT INTO domain (name, default_policy) VALUES (?1, ?2)",
                params![name, DEFAULT_POLICY],
            )?;
            tx.execute(
                "INSERT INTO policy (domain, name, rules) VALUES (?1, ?2, ?3)",
                params![name, DEFAULT_POLICY, rules],
            )?;
            for network in &networks {
                tx.execute(
                    "INSERT OR IGNORE INTO trusted_peer (domain, network) VALUES (?1, ?2)",
                    params![name, network.to_string()],
                )?;
            }
            Ok(())
        })
    }

    /// Removes a domain with its policies, subscribers and lists.
    ///
    /// # Errors
    /// There is none, or it is the root domain.
    pub fn remove_domain(&mut self, name: &str, now: Timestamp) -> Result<(), AccountsError> {
        let name = name.to_ascii_lowercase();
        self.edit(now, "domain remove", &name, |tx| {
            if name == super::ROOT_DOMAIN {
                return Err(AccountsError::RootStays);
            }
            for table in ["subscriber", "ani"] {
                tx.execute(&format!("DELETE FROM {table} WHERE domain = ?1"), [&name])?;
            }
            forget_lists(tx, &format!("{name}/"))?;
            match tx.execute("DELETE FROM domain WHERE name = ?1", [&name])? {
                0 => Err(AccountsError::NoDomain(name.clone())),
                _ => Ok(()),
            }
        })
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
        let net = parse_network(network)?.to_string();
        let action = if trust {
            "domain trust"
        } else {
            "domain untrust"
        };
        self.edit(now, action, &format!("{domain} {net}"), |tx| {
            require_domain(tx, &domain)?;
            let statement = if trust {
                "INSERT OR IGNORE INTO trusted_peer (domain, network) VALUES (?1, ?2)"
            } else {
                "DELETE FROM trusted_peer WHERE domain = ?1 AND network = ?2"
            };
            let changed = tx.execute(statement, params![domain, net])?;
            if changed == 0 && !trust {
                return Err(AccountsError::NoEntry(net.clone()));
            }
            Ok(())
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
        let domain = domain.to_ascii_lowercase();
        self.edit(now, "domain set", &domain, |tx| {
            require_domain(tx, &domain)?;
            if let Some(prefixes) = dial_prefixes {
                prefixes.iter().try_for_each(|p| check_dial_prefix(p))?;
                let json = serde_json::json!(prefixes).to_string();
                tx.execute(
                    "UPDATE domain SET dial_prefixes = ?2 WHERE name = ?1",
                    params![domain, json],
                )?;
            }
            if let Some(policy) = default_policy {
                require_policy(tx, &domain, policy)?;
                tx.execute(
                    "UPDATE domain SET default_policy = ?2 WHERE name = ?1",
                    params![domain, policy],
                )?;
            }
            if let Some(user) = default_user {
                let (_, _, user) = Subscriber::User(user).checked()?;
                tx.execute(
                    "UPDATE domain SET default_user = ?2 WHERE name = ?1",
                    params![domain, user],
                )?;
            }
            Ok(())
        })
    }

    /// All domains.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn domains(&self) -> Result<Vec<DomainRow>, AccountsError> {
        let mut statement = self.connection.prepare(
            "SELECT name, is_root, default_policy, dial_prefixes,
                    (SELECT group_concat(network, ' ') FROM trusted_peer WHERE domain = name),
                    default_user
             FROM domain ORDER BY is_root DESC, name",
        )?;
        let rows = statement.query_map([], |row| {
            let prefixes: String = row.get(3)?;
            let peers: Option<String> = row.get(4)?;
            Ok(DomainRow {
                name: row.get(0)?,
                root: row.get(1)?,
                default_policy: row.get(2)?,
                default_user: row.get(5)?,
                trusted_peers: peers
                    .unwrap_or_default()
                    .split_whitespace()
                    .map(str::to_owned)
                    .collect(),
                dial_prefixes: serde_json::from_str(&prefixes).unwrap_or_default(),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The rules of one policy.
    ///
    /// # Errors
    /// There is none, or what is stored cannot be read.
    pub fn policy(&self, domain: &str, policy: &str) -> Result<PolicyRules, AccountsError> {
        read_policy(&self.connection, &domain.to_ascii_lowercase(), policy)
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
        check_name(policy)?;
        let rules = encode(&PolicyRules::initial(), policy)?;
        let subject = format!("{domain}/{policy}");
        self.edit(now, "policy create", &subject, |tx| {
            require_domain(tx, &domain)?;
            let added = tx.execute(
                "INSERT OR IGNORE INTO policy (domain, name, rules) VALUES (?1, ?2, ?3)",
                params![domain, policy, rules],
            )?;
            match added {
                0 => Err(AccountsError::Exists(subject.clone())),
                _ => Ok(()),
            }
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
        let subject = format!("{domain}/{policy}");
        self.edit(now, "policy set", &subject, |tx| {
            let mut rules = read_policy(tx, &domain, policy)?;
            change(&mut rules)?;
            // Which risk classes hold makes no difference to whether the rules hold together.
            rules.build(policy, &CountryRisks::default())?;
            tx.execute(
                "UPDATE policy SET rules = ?3 WHERE domain = ?1 AND name = ?2",
                params![domain, policy, encode(&rules, policy)?],
            )?;
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
        let domain = domain.to_ascii_lowercase();
        let subject = format!("{domain}/{policy}");
        self.edit(now, "policy remove", &subject, |tx| {
            require_policy(tx, &domain, policy)?;
            let users: i64 = tx.query_row(
                "SELECT (SELECT count(*) FROM domain WHERE name = ?1 AND default_policy = ?2)
                      + (SELECT count(*) FROM subscriber WHERE domain = ?1 AND policy = ?2)
                      + (SELECT count(*) FROM ani WHERE domain = ?1 AND policy = ?2)",
                params![domain, policy],
                |row| row.get(0),
            )?;
            if users > 0 {
                return Err(AccountsError::PolicyInUse(subject.clone()));
            }
            forget_lists(tx, &subject)?;
            tx.execute(
                "DELETE FROM policy WHERE domain = ?1 AND name = ?2",
                params![domain, policy],
            )?;
            Ok(())
        })
    }

    /// Gives a subscriber (`user`) or caller number (`ani`) of a domain a policy.
    ///
    /// # Errors
    /// No such domain or policy, or a user or number that is none.
    pub fn set_subscriber(
        &mut self,
        subscriber: Subscriber<'_>,
        domain: &str,
        policy: &str,
        now: Timestamp,
    ) -> Result<(), AccountsError> {
        let domain = domain.to_ascii_lowercase();
        let (table, column, value) = subscriber.checked()?;
        let subject = format!("{value}@{domain} {policy}");
        self.edit(now, "subscriber set", &subject, |tx| {
            require_policy(tx, &domain, policy)?;
            tx.execute(
                &format!(
                    "INSERT INTO {table} (domain, {column}, policy) VALUES (?1, ?2, ?3)
                     ON CONFLICT DO UPDATE SET policy = excluded.policy"
                ),
                params![domain, value, policy],
            )?;
            Ok(())
        })
    }

    /// Takes a subscriber's or caller number's own policy away; the domain's default holds then.
    ///
    /// # Errors
    /// There is none.
    pub fn remove_subscriber(
        &mut self,
        subscriber: Subscriber<'_>,
        domain: &str,
        now: Timestamp,
    ) -> Result<(), AccountsError> {
        let domain = domain.to_ascii_lowercase();
        let (table, column, value) = subscriber.checked()?;
        let subject = format!("{value}@{domain}");
        self.edit(now, "subscriber remove", &subject, |tx| {
            let statement = format!("DELETE FROM {table} WHERE domain = ?1 AND {column} = ?2");
            match tx.execute(&statement, params![domain, value])? {
                0 => Err(AccountsError::NoSubscriber(subject.clone())),
                _ => Ok(()),
            }
        })
    }

    /// Subscribers and caller numbers with a policy of their own.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn subscribers(&self) -> Result<Vec<SubscriberRow>, AccountsError> {
        let mut statement = self.connection.prepare(
            "SELECT user || '@' || domain, domain, policy, credentials IS NOT NULL FROM subscriber
             UNION ALL SELECT number, domain, policy, 0 FROM ani ORDER BY 2, 1",
        )?;
        let rows = statement.query_map([], |row| {
            Ok(SubscriberRow {
                subscriber: row.get(0)?,
                domain: row.get(1)?,
                policy: row.get(2)?,
                password: row.get(3)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// Whom a policy is given to.
#[derive(Clone, Copy, Debug)]
pub enum Subscriber<'a> {
    /// By user name.
    User(&'a str),
    /// By caller number (ANI).
    Ani(&'a str),
}

impl Subscriber<'_> {
    /// Table, column and value in its stored form.
    pub(super) fn checked(self) -> Result<(&'static str, &'static str, String), AccountsError> {
        match self {
            Self::User(user) => {
                let fine = (1..=128).contains(&user.len())
                    && user
                        .chars()
                        .all(|c| !c.is_control() && c != ' ' && c != '/');
                if !fine {
                    return Err(AccountsError::BadUser(user.to_owned()));
                }
                Ok(("subscriber", "user", user.to_owned()))
            }
            Self::Ani(number) => {
                // Digits only: `+1555` and `1555` are one caller.
                Ok(("ani", "number", parse_number(number)?.to_string()))
            }
        }
    }
}

fn encode(rules: &PolicyRules, policy: &str) -> Result<String, AccountsError> {
    serde_json::to_string(rules).map_err(|source| AccountsError::BadRules {
        policy: policy.to_owned(),
        source,
    })
}

fn read_policy(
    connection: &Connection,
    domain: &str,
    policy: &str,
) -> Result<PolicyRules, AccountsError> {
    let json: Option<String> = connection
        .query_row(
            "SELECT rules FROM policy WHERE domain = ?1 AND name = ?2",
            params![domain, policy],
            |row| row.get(0),
        )
        .optional()?;
    let json = json.ok_or_else(|| AccountsError::NoPolicy {
        domain: domain.to_owned(),
        policy: policy.to_owned(),
    })?;
    serde_json::from_str(&json).map_err(|source| AccountsError::BadRules {
        policy: format!("{domain}/{policy}"),
        source,
    })
}

pub(super) fn require_policy(
    tx: &Connection,
    domain: &str,
    policy: &str,
) -> Result<(), AccountsError> {
    require_domain(tx, domain)?;
    read_policy(tx, domain, policy).map(|_| ())
}

fn require_domain(tx: &Connection, domain: &str) -> Result<(), AccountsError> {
    if domain_exists(tx, domain)? {
        Ok(())
    } else {
        Err(AccountsError::NoDomain(domain.to_owned()))
    }
}

fn domain_exists(tx: &Connection, domain: &str) -> Result<bool, AccountsError> {
    Ok(tx
        .query_row("SELECT 1 FROM domain WHERE name = ?1", [domain], |_| Ok(()))
        .optional()?
        .is_some())
}

fn checked_domain(name: &str) -> Result<String, AccountsError> {
    let fine = (1..=253).contains(&name.len())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':'));
    if fine {
        Ok(name.to_ascii_lowercase())
    } else {
        Err(AccountsError::BadDomain(name.to_owned()))
    }
}

fn check_name(name: &str) -> Result<(), AccountsError> {
    let fine = (1..=64).contains(&name.len())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'));
    if fine {
        Ok(())
    } else {
        Err(AccountsError::BadName(name.to_owned()))
    }
}

fn check_dial_prefix(prefix: &str) -> Result<(), AccountsError> {
    let fine = (1..=8).contains(&prefix.len())
        && prefix
            .chars()
            .all(|c| c.is_ascii_digit() || matches!(c, '*' | '#'));
    if fine {
        Ok(())
    } else {
        Err(AccountsError::BadDialPrefix(prefix.to_owned()))
    }
}

pub(super) fn parse_number(text: &str) -> Result<Number, AccountsError> {
    Number::parse(text.trim_start_matches('+')).map_err(|source| AccountsError::BadNumber {
        value: text.to_owned(),
        source,
    })
}

pub(super) fn parse_network(text: &str) -> Result<IpNet, AccountsError> {
    text.parse::<IpNet>()
        .or_else(|_| text.parse::<std::net::IpAddr>().map(IpNet::from))
        .map(|net| net.trunc())
        .map_err(|_| AccountsError::BadNetwork(text.to_owned()))
}
