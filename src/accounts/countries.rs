//! Risk classes of countries, where the operator judges otherwise than is usual.

use super::{Accounts, AccountsError};
use crate::domain::{Country, CountryRisks, RiskClass, Timestamp};
use rusqlite::params;

impl Accounts {
    /// The class of every country.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn country_risks(&self) -> Result<CountryRisks, AccountsError> {
        let mut statement = self
            .connection
            .prepare("SELECT country, risk FROM country_risk")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let mut own = Vec::new();
        for row in rows {
            let (country, risk): (String, String) = row?;
            let parsed = Country::parse(&country).zip(RiskClass::parse(&risk));
            own.push(parsed.ok_or(AccountsError::BadCountry(country))?);
        }
        Ok(own.into_iter().collect())
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
        let found = Country::parse(country).filter(|country| country.exists());
        let found = found.ok_or_else(|| AccountsError::BadCountry(country.to_owned()))?;
        let name = risk.map_or("usual", RiskClass::as_str);
        self.edit(now, "country risk", &format!("{found} {name}"), |tx| {
            match risk {
                Some(risk) => tx.execute(
                    "INSERT INTO country_risk (country, risk) VALUES (?1, ?2)
                     ON CONFLICT DO UPDATE SET risk = excluded.risk",
                    params![found.as_str(), risk.as_str()],
                )?,
                None => tx.execute(
                    "DELETE FROM country_risk WHERE country = ?1",
                    [found.as_str()],
                )?,
            };
            Ok(())
        })
    }
}
