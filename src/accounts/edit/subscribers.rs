//! Subscribers and caller numbers with a policy of their own.

use super::policies::require_policy;
use super::{Edit, domains};
use crate::accounts::credentials::has_password;
use crate::accounts::{Accounts, AccountsError, CallerNumber, UserName, plans};
use crate::domain::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;

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

/// Whom a policy is given to.
#[derive(Clone, Copy, Debug)]
pub enum Subscriber<'a> {
    /// By user name.
    User(&'a str),
    /// By caller number (ANI).
    Ani(&'a str),
}

/// As the audit log shows it.
#[derive(Serialize)]
struct Given<'a> {
    policy: &'a str,
}

fn subscriber_row(row: &Row<'_>) -> rusqlite::Result<SubscriberRow> {
    Ok(SubscriberRow {
        subscriber: row.get(0)?,
        domain: row.get(1)?,
        policy: row.get(2)?,
        password: row.get(3)?,
    })
}

/// Where those of one kind are stored.
pub(in crate::accounts) struct Table {
    table: &'static str,
    column: &'static str,
    /// SQL that is true of those who have a password.
    password: &'static str,
}

const USERS: Table = Table {
    table: "subscriber",
    column: "user",
    password: "credentials IS NOT NULL",
};
const CALLERS: Table = Table {
    table: "ani",
    column: "number",
    password: "0",
};

impl Subscriber<'_> {
    /// Where it is stored, and the value in its stored form.
    pub(in crate::accounts) fn checked(self) -> Result<(Table, String), AccountsError> {
        match self {
            Self::User(user) => Ok((USERS, user.parse::<UserName>()?.to_string())),
            Self::Ani(number) => Ok((CALLERS, number.parse::<CallerNumber>()?.to_string())),
        }
    }
}

impl Table {
    fn subject(&self, value: &str, domain: &str) -> String {
        format!("{value}@{domain}")
    }

    fn policy_of(
        &self,
        db: &Connection,
        value: &str,
        domain: &str,
    ) -> Result<Option<String>, AccountsError> {
        let Self { table, column, .. } = self;
        let sql = format!("SELECT policy FROM {table} WHERE domain = ?1 AND {column} = ?2");
        let found = db
            .prepare_cached(&sql)?
            .query_row(params![domain, value], |row| row.get(0))
            .optional()?;
        Ok(found)
    }

    fn after(
        &self,
        db: &Connection,
        domain: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<SubscriberRow>, AccountsError> {
        let Self {
            table,
            column,
            password,
        } = self;
        let mut statement = db.prepare_cached(&format!(
            "SELECT {column}, domain, policy, {password} FROM {table}
             WHERE domain = ?1 AND {column} > coalesce(?2, '') ORDER BY {column} LIMIT ?3"
        ))?;
        let rows = statement.query_map(params![domain, after, limit], subscriber_row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn all(&self, db: &Connection, domain: &str) -> Result<Vec<(String, String)>, AccountsError> {
        let rows = self.after(db, domain, None, u32::MAX)?;
        let pair = |row: SubscriberRow| (row.subscriber, row.policy);
        Ok(rows.into_iter().map(pair).collect())
    }
}

/// Name and policy of every subscriber of a domain.
pub(in crate::accounts) fn users(
    db: &Connection,
    domain: &str,
) -> Result<Vec<(String, String)>, AccountsError> {
    USERS.all(db, domain)
}

/// Number and policy of every mapped caller number of a domain.
pub(in crate::accounts) fn callers(
    db: &Connection,
    domain: &str,
) -> Result<Vec<(String, String)>, AccountsError> {
    CALLERS.all(db, domain)
}

/// Gives a subscriber or caller number a policy. Seats are not looked at.
pub(in crate::accounts) fn set(
    edit: &Edit<'_>,
    who: Subscriber<'_>,
    domain: &str,
    policy: &str,
) -> Result<bool, AccountsError> {
    let (at, value) = who.checked()?;
    require_policy(edit, domain, policy)?;
    let before = at.policy_of(edit, &value, domain)?;
    let Table { table, column, .. } = &at;
    edit.prepare_cached(&format!(
        "INSERT INTO {table} (domain, {column}, policy) VALUES (?1, ?2, ?3)
         ON CONFLICT DO UPDATE SET policy = excluded.policy"
    ))?
    .execute(params![domain, value, policy])?;
    let subject = at.subject(&value, domain);
    let before = before.as_deref().map(|policy| Given { policy });
    edit.log_change(
        "subscriber set",
        &subject,
        before.as_ref(),
        Some(&Given { policy }),
    )
}

/// Takes its own policy from a subscriber or caller number.
pub(in crate::accounts) fn remove(
    edit: &Edit<'_>,
    who: Subscriber<'_>,
    domain: &str,
) -> Result<(), AccountsError> {
    let (at, value) = who.checked()?;
    let subject = at.subject(&value, domain);
    let before = at.policy_of(edit, &value, domain)?;
    let Some(policy) = &before else {
        return Err(AccountsError::NoSubscriber(subject));
    };
    let Table { table, column, .. } = &at;
    let sql = format!("DELETE FROM {table} WHERE domain = ?1 AND {column} = ?2");
    edit.execute(&sql, params![domain, value])?;
    edit.log_change("subscriber remove", &subject, Some(&Given { policy }), None)?;
    Ok(())
}

impl Accounts {
    /// Gives a subscriber (`user`) or caller number (`ani`) of a domain a policy; says whether it
    /// had none before.
    ///
    /// # Errors
    /// No such domain or policy, a user or number that is none, or no seat left on the plan.
    pub fn set_subscriber(
        &mut self,
        subscriber: Subscriber<'_>,
        domain: &str,
        policy: &str,
        now: Timestamp,
    ) -> Result<bool, AccountsError> {
        let domain = domain.to_ascii_lowercase();
        let (at, value) = subscriber.checked()?;
        self.transact(now, |edit| {
            let new = at.policy_of(edit, &value, &domain)?.is_none();
            plans::within_seats(edit, &domain, || {
                set(edit, subscriber, &domain, policy).map(drop)
            })
            .map_err(|error| error.at_seats("policy"))?;
            Ok(new)
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
        self.transact(now, |edit| remove(edit, subscriber, &domain))
    }

    /// The policy of a subscriber or caller number.
    ///
    /// # Errors
    /// There is no such domain or subscriber.
    pub fn subscriber(
        &self,
        subscriber: Subscriber<'_>,
        domain: &str,
    ) -> Result<SubscriberRow, AccountsError> {
        let (at, value) = subscriber.checked()?;
        domains::read(&self.connection, domain)?;
        let policy = at.policy_of(&self.connection, &value, domain)?;
        match policy {
            Some(policy) => Ok(SubscriberRow {
                subscriber: value,
                domain: domain.to_owned(),
                policy,
                password: match subscriber {
                    Subscriber::User(user) => has_password(&self.connection, domain, user)?,
                    Subscriber::Ani(_) => false,
                },
            }),
            None => Err(AccountsError::NoSubscriber(at.subject(&value, domain))),
        }
    }

    /// The subscribers of a domain after `after`, by user name, at most `limit`.
    ///
    /// # Errors
    /// There is no such domain.
    pub fn subscribers_after(
        &self,
        domain: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<SubscriberRow>, AccountsError> {
        domains::read(&self.connection, domain)?;
        USERS.after(&self.connection, domain, after, limit)
    }

    /// As [`subscribers_after`](Self::subscribers_after), of caller numbers.
    ///
    /// # Errors
    /// There is no such domain.
    pub fn callers_after(
        &self,
        domain: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<SubscriberRow>, AccountsError> {
        domains::read(&self.connection, domain)?;
        CALLERS.after(&self.connection, domain, after, limit)
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
        let rows = statement.query_map([], subscriber_row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
