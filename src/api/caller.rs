//! Who asks, and whether he may: one table for all routes, looked at before anything of the
//! request is. A route that is not in it is the operator's.

use super::openapi::Route;
use super::params::Names;
use super::refused::forbidden;
use super::{Desk, Problem};
use crate::accounts::{Actor, Bearer, DomainName, Role};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// Longest token that is looked up, bytes.
const TOKEN: usize = 256;

/// Somebody whose token allows this very request.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    bearer: Bearer,
}

impl Caller {
    /// In whose name the audit log notes it.
    pub(super) fn actor(&self) -> Actor {
        Actor::Token(self.bearer.name.clone())
    }

    /// The one domain he may see; none: all.
    pub(super) fn own_domain(&self) -> Option<&str> {
        self.bearer.domain.as_deref()
    }

    /// Whether he may change who may ask for a domain, and what is paid for.
    pub(super) fn is_operator(&self) -> bool {
        self.bearer.role == Role::Operator
    }
}

impl Caller {
    /// The caller where one may also ask without a token; `None`: the request has none. What is
    /// a token and no good is refused all the same.
    pub(super) async fn if_any(parts: &mut Parts, desk: &Desk) -> Result<Option<Self>, Response> {
        let mut values = parts.headers.get_all(header::AUTHORIZATION).iter();
        let is_bearer = |value: &HeaderValue| {
            let scheme = value.as_bytes().split(|b| *b == b' ').next();
            scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"bearer"))
        };
        match values.any(is_bearer) {
            true => Self::from_request_parts(parts, desk).await.map(Some),
            false => Ok(None),
        }
    }
}

impl FromRequestParts<Desk> for Caller {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, desk: &Desk) -> Result<Self, Response> {
        let bearer = match token(&parts.headers) {
            None => None,
            Some(token) => desk
                .bearer(token)
                .await
                .map_err(IntoResponse::into_response)?,
        };
        let Some(bearer) = bearer else {
            return Err(unauthorized());
        };
        let route = parts.extensions.get::<Route>().cloned();
        let names = Names::from_request_parts(parts, desk).await;
        let domain = names.ok().and_then(|n| n.get::<DomainName>("domain").ok());
        let route = route.as_ref().map_or("", |Route(path)| path);
        match may(&bearer, &parts.method, route, domain.as_ref()) {
            true => Ok(Self { bearer }),
            false => Err(forbidden().into_response()),
        }
    }
}

/// Whether a token allows a method on a route, whose path names `domain`.
pub(super) fn may(
    bearer: &Bearer,
    method: &Method,
    route: &str,
    domain: Option<&DomainName>,
) -> bool {
    let reads = matches!(*method, Method::GET | Method::HEAD);
    let is_own = domain.is_some_and(|domain| bearer.domain.as_deref() == Some(domain.as_str()));
    match bearer.role {
        Role::Operator => true,
        Role::Reader => reads && !route.starts_with("/v1/tokens"),
        Role::Domain => match route {
            // The list shows him his own.
            "/v1/domains" => reads,
            // The body names the domain: looked at there.
            super::decisions::PATH => true,
            // Calls of other domains are not there for him: looked at there.
            _ if route.starts_with(super::verdicts::PATH) => true,
            "/v1/domains/{domain}" => is_own && (reads || *method == Method::PATCH),
            _ => route.starts_with("/v1/domains/{domain}/") && is_own,
        },
    }
}

/// The token of a request, if it has one that could be.
fn token(headers: &HeaderMap) -> Option<String> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (value, None) = (values.next()?, values.next()) else {
        return None;
    };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    let fine = scheme.eq_ignore_ascii_case("bearer") && token.len() <= TOKEN;
    fine.then(|| token.trim().to_owned())
}

/// The same for no token, a wrong one and one that has ended.
fn unauthorized() -> Response {
    let problem = Problem::new(StatusCode::UNAUTHORIZED, "expected a bearer token");
    ([(header::WWW_AUTHENTICATE, "Bearer")], problem).into_response()
}
