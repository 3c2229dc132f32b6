//! `/v1/domains`

use super::body::Body;
use super::caller::Caller;
use super::openapi::Api;
use super::params::{Names, Page, Paging, Params};
use super::refused::forbidden;
use super::{Desk, Problem};
use crate::accounts::{DomainChange, DomainName, DomainRow, NewDomain};
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

pub(super) fn routes(api: Api) -> Api {
    api.on(__path_list, list)
        .on(__path_add, add)
        .on(__path_get, get)
        .on(__path_change, change)
        .on(__path_remove, remove)
}

/// Domains by name; with a token of one domain, that one.
#[utoipa::path(get, path = "/v1/domains", tag = "domains", operation_id = "list_domains",
    params(Paging), responses((status = 200, description = "Some of them", body = Page<DomainRow>)))]
async fn list(
    State(desk): State<Desk>,
    caller: Caller,
    params: Params,
) -> Result<Json<Page<DomainRow>>, Problem> {
    let (limit, cursor) = params.page()?;
    if let Some(own) = caller.own_domain().map(str::to_owned) {
        let items = desk.work(caller.actor(), move |accounts, _| {
            accounts.domain(&own).map(|domain| vec![domain])
        });
        let items = items.await?;
        return Ok(Json(Page { items, next: None }));
    }
    let rows = desk.work(caller.actor(), move |accounts, _| {
        accounts.domains_after(cursor.as_deref(), limit + 1)
    });
    let page = Page::of(rows.await?, limit, |domain| domain.name.clone());
    Ok(Json(page))
}

/// Serve a domain; it gets a policy `default` of its own.
#[utoipa::path(post, path = "/v1/domains", tag = "domains", operation_id = "add_domain",
    request_body = NewDomain,
    responses((status = 201, description = "Served", body = DomainRow),
        (status = 409, description = "It is served already", body = Problem,
            content_type = "application/problem+json")))]
async fn add(
    State(desk): State<Desk>,
    caller: Caller,
    Body(new): Body<NewDomain>,
) -> Result<Response, Problem> {
    let added = desk.work(caller.actor(), move |accounts, now| {
        accounts.create_domain(&new, now)?;
        accounts.domain(new.name.as_str())
    });
    let domain = added.await?;
    let location = format!("/v1/domains/{}", domain.name);
    let headers = [(header::LOCATION, location)];
    Ok((StatusCode::CREATED, headers, Json(domain)).into_response())
}

/// One domain.
#[utoipa::path(get, path = "/v1/domains/{domain}", tag = "domains", operation_id = "get_domain",
    params(("domain" = DomainName, Path, description = "The domain")),
    responses((status = 200, description = "The domain", body = DomainRow),
        (status = 404, description = "There is none", body = Problem,
            content_type = "application/problem+json")))]
async fn get(
    State(desk): State<Desk>,
    caller: Caller,
    names: Names,
) -> Result<Json<DomainRow>, Problem> {
    let domain: DomainName = names.get("domain")?;
    let found = desk.work(caller.actor(), move |accounts, _| {
        accounts.domain(domain.as_str())
    });
    found.await.map(Json)
}

/// Change a domain; fields that are absent stay. Who may ask for it (`trusted_peers`) is for
/// operators to say.
#[utoipa::path(patch, path = "/v1/domains/{domain}", tag = "domains",
    operation_id = "change_domain", request_body = DomainChange,
    params(("domain" = DomainName, Path, description = "The domain")),
    responses((status = 200, description = "As it is now", body = DomainRow)))]
async fn change(
    State(desk): State<Desk>,
    caller: Caller,
    names: Names,
    Body(change): Body<DomainChange>,
) -> Result<Json<DomainRow>, Problem> {
    let domain: DomainName = names.get("domain")?;
    if change.trusted_peers.is_some() && !caller.is_operator() {
        return Err(forbidden().in_field("trusted_peers"));
    }
    let changed = desk.work(caller.actor(), move |accounts, now| {
        accounts.change_domain(domain.as_str(), &change, now)
    });
    changed.await.map(Json)
}

/// Stop serving a domain; its policies, subscribers, lists and tokens go with it.
#[utoipa::path(delete, path = "/v1/domains/{domain}", tag = "domains",
    operation_id = "remove_domain",
    params(("domain" = DomainName, Path, description = "The domain")),
    responses((status = 204, description = "No longer served"),
        (status = 409, description = "The root domain stays", body = Problem,
            content_type = "application/problem+json")))]
async fn remove(
    State(desk): State<Desk>,
    caller: Caller,
    names: Names,
) -> Result<StatusCode, Problem> {
    let domain: DomainName = names.get("domain")?;
    let removed = desk.work(caller.actor(), move |accounts, now| {
        accounts.remove_domain(domain.as_str(), now)
    });
    removed.await.map(|()| StatusCode::NO_CONTENT)
}
