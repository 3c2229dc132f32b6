//! Tokens of the REST API. A token is 256 random bits; only its SHA-256 is kept, and a token is
//! found by that hash, so that neither a stolen database nor the time of an answer gives one
//! away.

use super::audit::Edit;
use super::{Accounts, AccountsError, DomainName, Expiry, Name, edit::domains};
use crate::domain::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rusqlite::{OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

/// Before every token, so that whoever finds one knows what it is.
const PREFIX: &str = "tfps_";

/// What a token may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Everything.
    Operator,
    /// Everything under one domain, and decisions; nothing of what is paid for.
    Domain,
    /// Reading everything but tokens.
    Reader,
}

impl Role {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Domain => "domain",
            Self::Reader => "reader",
        }
    }
}

/// A token to be made.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "console", "role": "reader"}))]
pub struct NewToken {
    /// Stands in the audit log.
    pub name: Name,
    /// What it may do.
    pub role: Role,
    /// Of the role `domain`: which.
    #[serde(default)]
    pub domain: Option<DomainName>,
    /// From then on it does nothing; absent: it stays.
    #[serde(default)]
    pub expires: Option<Expiry>,
}

/// A token, for listing; not the token itself, which nobody knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct TokenRow {
    /// Its name.
    #[schema(example = "console")]
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Of the role `domain`: which.
    #[schema(example = "itsp.example")]
    pub domain: Option<String>,
    /// When it was made, RFC 3339.
    #[schema(example = "2030-01-01T00:00:00.000Z")]
    pub created: String,
    /// When it ends, RFC 3339.
    pub expires: Option<Expiry>,
}

/// Who is behind a token that was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bearer {
    /// Name of the token.
    pub name: Name,
    /// What it may do.
    pub role: Role,
    /// Of the role `domain`: which.
    pub domain: Option<String>,
}

fn row(row: &Row<'_>) -> rusqlite::Result<TokenRow> {
    let role: String = row.get(1)?;
    let expires: Option<i64> = row.get(4)?;
    Ok(TokenRow {
        name: row.get(0)?,
        role: match role.as_str() {
            "operator" => Role::Operator,
            "domain" => Role::Domain,
            _ => Role::Reader,
        },
        domain: row.get(2)?,
        created: Timestamp::from_secs(row.get(3)?).to_rfc3339(),
        expires: expires.map(Expiry::from_secs),
    })
}

const COLUMNS: &str = "name, role, domain, created_at, expires_at";

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// A new token.
fn fresh() -> Result<String, AccountsError> {
    let mut bits = [0; 32];
    getrandom::fill(&mut bits).map_err(AccountsError::Random)?;
    Ok(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bits)))
}

fn add(edit: &Edit<'_>, new: &NewToken, token: &str) -> Result<TokenRow, AccountsError> {
    if (new.role == Role::Domain) != new.domain.is_some() {
        return Err(AccountsError::TokenDomain.at("domain"));
    }
    if new.expires.is_some_and(|expires| expires.at() <= edit.now) {
        return Err(AccountsError::ExpiryPast.at("expires"));
    }
    if let Some(domain) = &new.domain {
        domains::read(edit, domain.as_str()).map_err(|error| error.at("domain"))?;
    }
    let added = edit.execute(
        "INSERT INTO token (name, hash, role, domain, created_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (name) DO NOTHING",
        params![
            new.name.as_str(),
            hash(token),
            new.role.as_str(),
            new.domain.as_ref().map(DomainName::as_str),
            edit.now.secs(),
            new.expires.map(|expires| expires.at().secs()),
        ],
    )?;
    if added == 0 {
        return Err(AccountsError::Exists(new.name.to_string()).at("name"));
    }
    let made = edit.query_row(
        &format!("SELECT {COLUMNS} FROM token WHERE name = ?1"),
        [new.name.as_str()],
        row,
    )?;
    edit.log_change("token add", new.name.as_str(), None, Some(&made))?;
    Ok(made)
}

impl Accounts {
    /// Makes a token; it is told once, here.
    ///
    /// # Errors
    /// The name is taken, no such domain, a domain without the role or the role without a domain,
    /// an end in the past.
    pub fn add_token(
        &mut self,
        new: &NewToken,
        now: Timestamp,
    ) -> Result<(String, TokenRow), AccountsError> {
        let token = fresh()?;
        let row = self.transact(now, |edit| add(edit, new, &token))?;
        Ok((token, row))
    }

    /// On a first start, the operator's first token: `keep` puts it where he finds it. None when
    /// there ever was a token: one that was removed does not come back.
    ///
    /// # Errors
    /// `keep` could not; then there is no such token, and the next start tries again.
    pub fn first_token<E: From<AccountsError>>(
        &mut self,
        now: Timestamp,
        keep: impl FnOnce(&str) -> Result<(), E>,
    ) -> Result<bool, E> {
        let made_before = self
            .connection
            .prepare("SELECT 1 FROM audit_log WHERE action = 'token add' LIMIT 1")
            .and_then(|mut statement| statement.exists([]))
            .map_err(AccountsError::from)?;
        if made_before {
            return Ok(false);
        }
        let new = NewToken {
            name: "first-start".parse()?,
            role: Role::Operator,
            domain: None,
            expires: None,
        };
        let token = fresh()?;
        keep(&token)?;
        self.transact(now, |edit| add(edit, &new, &token))?;
        Ok(true)
    }

    /// All tokens, by name.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn tokens(&self) -> Result<Vec<TokenRow>, AccountsError> {
        let mut statement = self
            .connection
            .prepare(&format!("SELECT {COLUMNS} FROM token ORDER BY name"))?;
        let rows = statement.query_map([], row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Removes a token; it does nothing from then on.
    ///
    /// # Errors
    /// There is none.
    pub fn remove_token(&mut self, name: &str, now: Timestamp) -> Result<(), AccountsError> {
        self.transact(now, |edit| {
            let before = edit
                .query_row(
                    &format!("SELECT {COLUMNS} FROM token WHERE name = ?1"),
                    [name],
                    row,
                )
                .optional()?
                .ok_or_else(|| AccountsError::NoToken(name.to_owned()))?;
            edit.execute("DELETE FROM token WHERE name = ?1", [name])?;
            edit.log_change("token remove", name, Some(&before), None)?;
            Ok(())
        })
    }

    /// Who is behind a token; nobody, if there is none such or it has ended.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn bearer(&self, token: &str, now: Timestamp) -> Result<Option<Bearer>, AccountsError> {
        let found = self
            .connection
            .prepare_cached(&format!("SELECT {COLUMNS} FROM token WHERE hash = ?1"))?
            .query_row([hash(token)], row)
            .optional()?;
        let Some(found) = found.filter(|t| t.expires.is_none_or(|end| now < end.at())) else {
            return Ok(None);
        };
        Ok(Some(Bearer {
            name: found.name.parse()?,
            role: found.role,
            domain: found.domain,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_760_000_000);

    fn new(name: &str, role: Role) -> NewToken {
        NewToken {
            name: name.parse().expect("a name"),
            role,
            domain: None,
            expires: None,
        }
    }

    #[test]
    fn a_token_is_known_until_it_ends_or_is_removed() {
        let mut a = Accounts::in_memory(NOW).expect("accounts");
        let until = Expiry::from_secs(NOW.secs() + 60);
        let ending = NewToken {
            expires: Some(until),
            ..new("ending", Role::Reader)
        };
        let (token, _) = a.add_token(&ending, NOW).expect("made");
        assert_eq!(token.len(), PREFIX.len() + 43, "256 bits");
        let name = |token: &str, at| a.bearer(token, at).expect("read").map(|b| b.name);
        let just_before = Timestamp(until.at().0 - 1);
        assert!(name(&token, just_before).is_some());
        assert_eq!(name(&token, until.at()), None);
        assert_eq!(name("tfps_wrong", NOW), None);
        a.remove_token("ending", NOW).expect("removed");
        assert_eq!(a.bearer(&token, NOW).expect("read"), None);
        a.remove_token("ending", NOW).expect_err("gone");
    }

    #[test]
    fn the_token_itself_is_stored_nowhere() {
        let mut a = Accounts::in_memory(NOW).expect("accounts");
        let (token, _) = a
            .add_token(&new("console", Role::Operator), NOW)
            .expect("made");
        let log = a.audit_log(&Default::default()).expect("log");
        let told = serde_json::to_string(&(log, a.tokens().expect("tokens"))).expect("json");
        assert!(told.contains("console") && !told.contains(&token), "{told}");
        let kept: Vec<u8> = a
            .connection
            .query_row("SELECT hash FROM token", [], |row| row.get(0))
            .expect("one");
        assert_eq!(kept, Sha256::digest(&token).to_vec());
    }

    #[test]
    fn a_role_and_a_domain_go_together() {
        let mut a = Accounts::in_memory(NOW).expect("accounts");
        let error = a.add_token(&new("t", Role::Domain), NOW).expect_err("none");
        assert_eq!(error.field().as_deref(), Some("domain"));
        for (role, domain) in [(Role::Operator, "root"), (Role::Domain, "nosuch.example")] {
            let wrong = NewToken {
                domain: Some(domain.parse().expect("a domain")),
                ..new("t", role)
            };
            let error = a.add_token(&wrong, NOW).expect_err(domain);
            assert_eq!(error.field().as_deref(), Some("domain"), "{error}");
        }
        let past = NewToken {
            expires: Some(Expiry::from_secs(NOW.secs())),
            ..new("t", Role::Reader)
        };
        a.add_token(&past, NOW).expect_err("ended already");
        assert_eq!(a.tokens().expect("tokens"), []);
    }

    #[test]
    fn the_first_token_is_made_once_and_does_not_come_back() {
        let mut a = Accounts::in_memory(NOW).expect("accounts");
        let failed = a.first_token(NOW, |_| Err(AccountsError::BadReason));
        failed.expect_err("not kept");
        assert_eq!(a.tokens().expect("tokens"), []);
        let mut kept = String::new();
        let made = a.first_token::<AccountsError>(NOW, |token| {
            kept = token.to_owned();
            Ok(())
        });
        assert!(made.expect("made"));
        let bearer = a.bearer(&kept, NOW).expect("read").expect("known");
        assert_eq!(bearer.role, Role::Operator);
        a.remove_token("first-start", NOW).expect("removed");
        let again = a.first_token::<AccountsError>(NOW, |_| panic!("once"));
        assert!(!again.expect("not again"));
    }
}
