//! Routes and their OpenAPI 3.1 description, which are one list: a handler is put in by its
//! description, so that neither can be without the other.

use super::{Desk, Problem};
use crate::accounts::file::Included;
use crate::accounts::{CallerNumber, DomainName, EntryKind, ListKind, Name, UserName};
use crate::domain::Plan;
use axum::handler::Handler;
use axum::routing::{MethodFilter, on};
use axum::{Extension, Router};
use std::sync::Arc;
use utoipa::openapi::path::{HttpMethod, Operation, Paths};
use utoipa::openapi::schema::Schema;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    Components, ContentBuilder, InfoBuilder, OpenApi, OpenApiBuilder, Ref, RefOr, Response,
    ResponseBuilder, SecurityRequirement,
};
use utoipa::{Path, ToSchema};
// How a derived description tells the schemas it refers to; utoipa has no other way yet.
use utoipa::__dev::SchemaReferences;

/// The path of a route as it is described, put into every request that came by it.
#[derive(Clone, Debug)]
pub(super) struct Route(pub(super) Arc<str>);

/// Routes being collected.
#[derive(Default)]
pub(super) struct Api {
    router: Router<Desk>,
    paths: Paths,
    schemas: Vec<(String, RefOr<Schema>)>,
}

impl Api {
    /// Adds a handler where its description `P` says.
    pub(super) fn on<P, H, T>(mut self, _description: P, handler: H) -> Self
    where
        P: Path + SchemaReferences,
        H: Handler<T, Desk>,
        T: 'static,
    {
        let path = P::path();
        for method in P::methods() {
            let told = Extension(Route(path.as_str().into()));
            let route = on(filter(&method), handler.clone()).layer(told);
            self.router = self.router.route(&path, route);
        }
        self.paths
            .add_path_operation(&path, P::methods(), described::<P>());
        P::schemas(&mut self.schemas);
        self
    }

    /// The routes, and the description as JSON.
    pub(super) fn finish(self) -> (Router<Desk>, String) {
        let (router, document) = self.parts();
        // Of plain texts and maps by text: nothing in it that JSON cannot say.
        let text = document.to_pretty_json().unwrap_or_default();
        (router, text)
    }

    fn parts(self) -> (Router<Desk>, OpenApi) {
        let mut components = Components::new();
        components.schemas.extend(self.schemas);
        let named = [
            named::<Problem>(),
            // Of parameters, which tell of no schemas.
            named::<DomainName>(),
            named::<Name>(),
            named::<UserName>(),
            named::<CallerNumber>(),
            named::<ListKind>(),
            named::<EntryKind>(),
            named::<Included>(),
            named::<Plan>(),
        ];
        components.schemas.extend(named);
        let token = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("`tfps token add`, or api-token in the data folder"))
            .build();
        components.add_security_scheme("token", SecurityScheme::Http(token));
        let digest = HttpBuilder::new()
            .scheme(HttpAuthScheme::Digest)
            .description(Some("user name and password of a subscriber"))
            .build();
        components.add_security_scheme("digest", SecurityScheme::Http(digest));
        let info = InfoBuilder::new()
            .title("TFPS")
            .version(env!("CARGO_PKG_VERSION"))
            .description(Some(
                "A service that stops telephone fraud: decisions on calls, and its accounts: domains, \
                 policies, subscribers, lists. An edit is in force within a second.",
            ))
            .build();
        let no_scopes: [&str; 0] = [];
        let document = OpenApiBuilder::new()
            .info(info)
            .paths(self.paths)
            .components(Some(components))
            .security(Some([SecurityRequirement::new("token", no_scopes)]))
            .build();
        (self.router, document)
    }
}

fn named<T: ToSchema>() -> (String, RefOr<Schema>) {
    (T::name().into_owned(), T::schema())
}

/// A description with the answers every route has.
fn described<P: Path>() -> Operation {
    let mut operation = P::operation();
    let common = [
        ("401", "No token, or none that is known"),
        ("403", "The token does not allow it"),
        ("default", "What is wrong, and with which field"),
    ];
    for (status, text) in common {
        let answers = &mut operation.responses.responses;
        answers
            .entry(status.to_owned())
            .or_insert_with(|| RefOr::T(problem(text)));
    }
    operation
}

fn problem(text: &str) -> Response {
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("Problem")))
        .build();
    ResponseBuilder::new()
        .description(text)
        .content("application/problem+json", content)
        .build()
}

const fn filter(method: &HttpMethod) -> MethodFilter {
    match method {
        HttpMethod::Get => MethodFilter::GET,
        HttpMethod::Put => MethodFilter::PUT,
        HttpMethod::Post => MethodFilter::POST,
        HttpMethod::Delete => MethodFilter::DELETE,
        HttpMethod::Patch => MethodFilter::PATCH,
        HttpMethod::Head => MethodFilter::HEAD,
        HttpMethod::Options => MethodFilter::OPTIONS,
        HttpMethod::Trace => MethodFilter::TRACE,
    }
}
