//! `/v1/countries`: how risky each is taken to be, which policies go by (`risk:high`).

use super::body::Body;
use super::caller::Caller;
use super::openapi::Api;
use super::params::{Names, Params};
use super::{Desk, Problem};
use crate::accounts::AccountsError;
use crate::domain::{Continent, Country, CountryRisks, RiskClass};
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use std::str::FromStr;
use utoipa::ToSchema;

pub(super) fn routes(api: Api) -> Api {
    api.on(__path_list, list).on(__path_change, change)
}

/// A country, and how risky calls to it are taken to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
struct CountryView {
    /// ISO 3166-1; `XG`: satellite and global numbers.
    #[schema(example = "TN")]
    country: String,
    /// As in rules; absent: on none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "AF")]
    continent: Option<&'static str>,
    /// The class in force.
    risk: RiskClass,
    /// The class it has without the operator's say.
    usual: RiskClass,
    /// Whether the operator has given it one.
    own: bool,
}

impl CountryView {
    fn of(country: Country, risks: &CountryRisks) -> Self {
        Self {
            country: country.to_string(),
            continent: Continent::of(country).map(Continent::as_str),
            risk: risks.class(country),
            usual: RiskClass::usual(country),
            own: risks.own(country).is_some(),
        }
    }
}

/// Which class.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"risk": "high"}))]
struct RiskChoice {
    /// `null`: the usual one again.
    #[serde(deserialize_with = "there")]
    #[schema(required)]
    risk: Option<RiskClass>,
}

/// What must be there, if only as `null`: a body without it says nothing.
fn there<'de, D: serde::Deserializer<'de>>(value: D) -> Result<Option<RiskClass>, D::Error> {
    Option::deserialize(value)
}

/// A country by its code, of either case.
struct Named(Country);

impl FromStr for Named {
    type Err = AccountsError;

    fn from_str(text: &str) -> Result<Self, AccountsError> {
        Country::parse(text)
            .filter(|country| country.exists())
            .map(Self)
            .ok_or_else(|| AccountsError::BadCountry(text.to_owned()))
    }
}

/// Every country, by code.
#[utoipa::path(get, path = "/v1/countries", tag = "countries", operation_id = "list_countries",
    responses((status = 200, description = "All of them", body = Vec<CountryView>)))]
async fn list(
    State(desk): State<Desk>,
    caller: Caller,
    params: Params,
) -> Result<Json<Vec<CountryView>>, Problem> {
    params.end()?;
    let found = desk.work(caller.actor(), |accounts, _| accounts.country_risks());
    let risks = found.await?;
    let mut all: Vec<_> = Country::every()
        .map(|country| CountryView::of(country, &risks))
        .collect();
    all.sort_by(|a, b| a.country.cmp(&b.country));
    Ok(Json(all))
}

/// Give a country another risk class; every policy that names risk classes follows.
#[utoipa::path(put, path = "/v1/countries/{country}", tag = "countries",
    operation_id = "change_country", request_body = RiskChoice,
    params(("country" = String, Path, description = "ISO 3166-1, or XG", example = "TN")),
    responses((status = 200, description = "As it is now", body = CountryView)))]
async fn change(
    State(desk): State<Desk>,
    caller: Caller,
    names: Names,
    Body(choice): Body<RiskChoice>,
) -> Result<Json<CountryView>, Problem> {
    let Named(country) = names.get("country")?;
    let changed = desk.work(caller.actor(), move |accounts, now| {
        accounts.set_country_risk(country.as_str(), choice.risk, now)?;
        accounts.country_risks()
    });
    Ok(Json(CountryView::of(country, &changed.await?)))
}
