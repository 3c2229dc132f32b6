//! Risk classes of countries that the operator judges otherwise than is usual, in a policy file.
//! Accounts of a program that keeps none have no table of them: then there are none to write,
//! and a file that brings some is refused.

use super::{FileError, Wrong};
use crate::accounts::AccountsError;
use crate::accounts::audit::Edit;
use crate::domain::Country;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Class by country.
pub(super) type CountryRisk = BTreeMap<CountryCode, Risk>;

/// ISO 3166-1, two upper-case letters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct CountryCode(String);

impl TryFrom<String> for CountryCode {
    type Error = AccountsError;

    fn try_from(text: String) -> Result<Self, AccountsError> {
        match Country::parse(&text) {
            Some(country) => Ok(Self(country.to_string())),
            None => Err(AccountsError::BadCountry(text)),
        }
    }
}

/// How much fraud goes there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Risk {
    /// Less than elsewhere.
    Low,
    /// Some.
    Medium,
    /// Much.
    High,
}

impl Risk {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// As the audit log shows it.
#[derive(Serialize)]
struct Judged {
    risk: Risk,
}

fn is_kept(db: &Connection) -> Result<bool, AccountsError> {
    let sql = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'country_risk'";
    Ok(db.prepare_cached(sql)?.exists([])?)
}

/// The operator's own judgements.
pub(super) fn read(db: &Connection) -> Result<CountryRisk, AccountsError> {
    if !is_kept(db)? {
        return Ok(CountryRisk::new());
    }
    let mut statement = db.prepare_cached("SELECT country, risk FROM country_risk")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.map(|row| {
        let (country, risk): (String, String) = row?;
        let risk = match risk.as_str() {
            "low" => Risk::Low,
            "medium" => Risk::Medium,
            _ => Risk::High,
        };
        Ok((CountryCode::try_from(country)?, risk))
    })
    .collect()
}

/// Makes them equal to the file's.
pub(super) fn apply(edit: &Edit<'_>, wanted: &CountryRisk) -> Result<(), AccountsError> {
    if !is_kept(edit)? {
        return match wanted.is_empty() {
            true => Ok(()),
            false => Err(FileError::at("country_risk", Wrong::NoCountryRisk).into()),
        };
    }
    let there = read(edit)?;
    for (country, risk) in there.iter().filter(|(c, _)| !wanted.contains_key(*c)) {
        edit.execute("DELETE FROM country_risk WHERE country = ?1", [&country.0])?;
        let before = Judged { risk: *risk };
        edit.log_change("country risk", &country.0, Some(&before), None)?;
    }
    for (country, risk) in wanted {
        let before = there.get(country).map(|risk| Judged { risk: *risk });
        if there.get(country) == Some(risk) {
            continue;
        }
        edit.execute(
            "INSERT INTO country_risk (country, risk) VALUES (?1, ?2)
             ON CONFLICT DO UPDATE SET risk = excluded.risk",
            [country.0.as_str(), risk.as_str()],
        )?;
        let after = Judged { risk: *risk };
        edit.log_change("country risk", &country.0, before.as_ref(), Some(&after))?;
    }
    Ok(())
}
