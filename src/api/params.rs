//! Names in the path and parameters of the query, each checked by name.

use super::Problem;
use super::refused::wrong;
use crate::accounts::AccountsError;
use axum::extract::{FromRequestParts, Path, Query};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::Serialize;
use std::str::FromStr;
use utoipa::{IntoParams, ToSchema};

/// Most rows of one answer.
const ROWS: u32 = 1_000;

/// What the path names.
#[derive(Clone, Debug)]
pub(super) struct Names(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Names {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<Vec<(String, String)>>::from_request_parts(parts, state).await;
        match path {
            Ok(Path(names)) => Ok(Self(names)),
            Err(_) => Err(Problem::new(
                StatusCode::BAD_REQUEST,
                "path: expected UTF-8 behind its percent signs",
            )
            .in_field("path")),
        }
    }
}

impl Names {
    /// The text at a place of the path.
    pub(super) fn text(&self, place: &str) -> &str {
        let text = self.0.iter().find(|(name, _)| name == place);
        text.map_or("", |(_, text)| text.as_str())
    }

    /// The name at a place of the path, in its stored form.
    pub(super) fn get<T: FromStr<Err = AccountsError>>(&self, place: &str) -> Result<T, Problem> {
        self.text(place)
            .parse()
            .map_err(|error: AccountsError| Problem::from(error.at(place)))
    }
}

/// The parameters of a query; each is taken once, and none may be left over.
#[derive(Clone, Debug)]
pub(super) struct Params(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        match Query::<Vec<(String, String)>>::try_from_uri(&parts.uri) {
            Ok(Query(all)) => Ok(Self(all)),
            Err(_) => Err(Problem::new(
                StatusCode::BAD_REQUEST,
                "query: expected name=value, in UTF-8 behind its percent signs",
            )
            .in_field("query")),
        }
    }
}

impl Params {
    /// A parameter's text, if it is there.
    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, Problem> {
        let Some(at) = self.0.iter().position(|(known, _)| known == name) else {
            return Ok(None);
        };
        let (_, value) = self.0.swap_remove(at);
        if self.0.iter().any(|(known, _)| known == name) {
            return Err(wrong(name, &value, "it just once"));
        }
        Ok(Some(value))
    }

    /// A parameter's value, if it is there.
    pub(super) fn value<T>(
        &mut self,
        name: &str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let text = self.text(name)?;
        text.map(|text| parse(&text).ok_or_else(|| wrong(name, &text, expected)))
            .transpose()
    }

    /// As [`value`](Self::value), of what must be there.
    pub(super) fn needed<T>(
        &mut self,
        name: &str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, Problem> {
        self.value(name, expected, parse)?
            .ok_or_else(|| wrong(name, "", expected))
    }

    /// How many rows: `limit`, 100 without it.
    pub(super) fn limit(&mut self) -> Result<u32, Problem> {
        let limit = self.value("limit", "a number from 1 to 1000", |text| {
            let limit = text.parse().ok()?;
            (1..=ROWS).contains(&limit).then_some(limit)
        })?;
        Ok(limit.unwrap_or(100))
    }

    /// Nothing may be left: a mistyped parameter would silently do nothing.
    pub(super) fn end(self) -> Result<(), Problem> {
        match self.0.into_iter().next() {
            None => Ok(()),
            Some((name, _)) => {
                let name = crate::accounts::shortened(&name, 60);
                let detail = format!("{name}: no such parameter: see /openapi.json");
                Err(Problem::new(StatusCode::BAD_REQUEST, detail).in_field(name))
            }
        }
    }

    /// `limit` and `cursor`, and nothing else.
    pub(super) fn page(mut self) -> Result<(u32, Option<String>), Problem> {
        let page = (self.limit()?, self.text("cursor")?);
        self.end()?;
        Ok(page)
    }
}

/// Which rows of a list.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what `Params::page` takes")]
pub(super) struct Paging {
    /// At most so many rows, 1 to 1000.
    #[param(default = 100, minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Some rows of a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Page<T: ToSchema> {
    /// The rows.
    pub(super) items: Vec<T>,
    /// The `cursor` of those that follow; absent: there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "itsp.example")]
    pub(super) next: Option<String>,
}

impl<T: ToSchema> Page<T> {
    /// A page of `limit` rows out of one row more, if there is one.
    pub(super) fn of(mut items: Vec<T>, limit: u32, name: impl Fn(&T) -> String) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(name);
        Self { items, next }
    }
}
