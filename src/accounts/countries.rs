//! Risk classes of countries, where the operator judges otherwise than is usual.

use super::audit::Edit;
use super::{Accounts, AccountsError};
use crate::domain::{Country, CountryRisks, RiskClass, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, params};
use serde_json::json;
use std::collections::BTreeMap;

impl Accounts {
    /// The class of every country.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn country_risks(&self) -> Result<CountryRisks, AccountsError> {
        read(&self.connection)?
            .into_iter()
            .map(|(country, risk)| {
                let parsed = Country::parse(&country);
                let country = parsed.ok_or(AccountsError::BadCountry(country))?;
                Ok((country, risk))
            })
            .collect()
    }

    /// Gives a country another class than the usual one; `None`: the usual one again.
    ///
    /// # Errors
    /// There is no such country.
    pub fn set_country_risk(
        &mut self,
        country: &str,
        risk: Option<RiskClass>,
        now: Timestamp,
    ) -> Result<(), AccountsError> {
        let found = checked(country)?;
        self.transact(now, |edit| write(edit, found, risk))
    }
}

fn checked(country: &str) -> Result<Country, AccountsError> {
    Country::parse(country)
        .filter(|found| found.exists())
        .ok_or_else(|| AccountsError::BadCountry(country.to_owned()))
}

/// The classes that are other than usual, by country.
pub(super) fn read(db: &Connection) -> Result<BTreeMap<String, RiskClass>, AccountsError> {
    let mut statement = db.prepare("SELECT country, risk FROM country_risk")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut found = BTreeMap::new();
    for row in rows {
        let (country, risk): (String, String) = row?;
        let risk = RiskClass::parse(&risk);
        let risk = risk.ok_or_else(|| AccountsError::BadCountry(country.clone()))?;
        found.insert(country, risk);
    }
    Ok(found)
}

/// Makes the classes that are other than usual just these.
pub(super) fn make(
    edit: &Edit<'_>,
    wanted: &BTreeMap<String, RiskClass>,
) -> Result<(), AccountsError> {
    let at = |code: &str, error: AccountsError| error.at(&format!("country_risk.{code}"));
    for country in read(edit)?
        .keys()
        .filter(|code| !wanted.contains_key(*code))
    {
        write(edit, checked(country)?, None)?;
    }
    for (code, risk) in wanted {
        let country = checked(code).map_err(|error| at(code, error))?;
        if country.as_str() != code {
            return Err(at(code, AccountsError::BadCountry(code.clone())));
        }
        write(edit, country, Some(*risk))?;
    }
    Ok(())
}

fn write(edit: &Edit<'_>, country: Country, risk: Option<RiskClass>) -> Result<(), AccountsError> {
    let before: Option<String> = edit
        .prepare_cached("SELECT risk FROM country_risk WHERE country = ?1")?
        .query_row([country.as_str()], |row| row.get(0))
        .optional()?;
    match risk {
        Some(risk) => edit.execute(
            "INSERT INTO country_risk (country, risk) VALUES (?1, ?2)
             ON CONFLICT DO UPDATE SET risk = excluded.risk",
            params![country.as_str(), risk.as_str()],
        )?,
        None => edit.execute(
            "DELETE FROM country_risk WHERE country = ?1",
            [country.as_str()],
        )?,
    };
    let given = |risk: &str| json!({"risk": risk});
    let before = before.as_deref().map(given);
    let after = risk.map(RiskClass::as_str).map(given);
    edit.log_change(
        "country risk",
        country.as_str(),
        before.as_ref(),
        after.as_ref(),
    )?;
    Ok(())
}
