//! `/v1/domains/{domain}/subscribers` and `/v1/domains/{domain}/callers`: who has a policy of his
//! own, by user name or by caller number.

use super::body::Body;
use super::caller::Caller;
use super::openapi::Api;
use super::params::{Names, Page, Paging, Params};
use super::{Desk, Problem};
use crate::accounts::{
    AccountsError, CallerNumber, DomainName, Name, Subscriber, SubscriberRow, UserName,
};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub(super) fn routes(api: Api) -> Api {
    api.on(__path_list, list)
        .on(__path_get, get)
        .on(__path_put, put)
        .on(__path_remove, remove)
        .on(__path_list_callers, list_callers)
        .on(__path_get_caller, get_caller)
        .on(__path_put_caller, put_caller)
        .on(__path_remove_caller, remove_caller)
}

/// A subscriber of a domain.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct SubscriberView {
    /// User name.
    #[schema(example = "alice")]
    user: String,
    /// His policy.
    #[schema(example = "strict")]
    policy: String,
    /// Whether he has a password, and so may ask from any address.
    password: bool,
}

/// A caller number of a domain.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct CallerView {
    /// E.164, digits only.
    #[schema(example = "442079460000")]
    number: String,
    /// Its policy.
    #[schema(example = "strict")]
    policy: String,
}

impl From<SubscriberRow> for SubscriberView {
    fn from(row: SubscriberRow) -> Self {
        Self {
            user: row.subscriber,
            policy: row.policy,
            password: row.password,
        }
    }
}

impl From<SubscriberRow> for CallerView {
    fn from(row: SubscriberRow) -> Self {
        Self {
            number: row.subscriber,
            policy: row.policy,
        }
    }
}

/// Which policy.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"policy": "default"}))]
struct PolicyChoice {
    /// A policy of the same domain.
    policy: Name,
}

/// Subscribers with a policy of their own, by user name.
#[utoipa::path(get, path = "/v1/domains/{domain}/subscribers", tag = "subscribers",
    operation_id = "list_subscribers",
    params(("domain" = DomainName, Path, description = "The domain"), Paging),
    responses((status = 200, description = "Some of them", body = Page<SubscriberView>)))]
async fn list(
    State(desk): State<Desk>,
    caller: Caller,
    names: Names,
    params: Params,
) -> Result<Json<Page<SubscriberView>>, Problem> {
    let domain: DomainName = names.get("domain")?;
    let (limit, cursor) = params.page()?;
    let rows = desk.work(caller.actor(), move |accounts, _| {
        accounts.subscribers_after(domain.as_str(), cursor.as_deref(), limit + 1)
    });
    let rows = rows.await?.into_iter();
    let rows = rows.map(SubscriberView::from);
    let page = Page::of(rows.collect(), limit, |row| row.user.clone());
    Ok(Json(page))
}

/// One subscriber.
#[utoipa::path(get, path = "/v1/domains/{domain}/subscribers/{user}", tag = "subscribers",
    operation_id = "get_subscriber",
    params(("domain" = DomainName, Path, description = "The domain"),
        ("user" = UserName, Path, description = "User name")),
    responses((status = 200, description = "The subscriber", body = SubscriberView)))]
async fn get(
    State(desk): State<Desk>,
    caller: Caller,
    names: Names,
) -> Result<Json<SubscriberView>, Problem> {
    let (domain, user): (DomainName, UserName) = (names.get("domain")?, names.get("user")?);
    let found = desk.work(caller.actor(), move |accounts, _| {
        let who = Subscriber::User(user.as_str());
        accounts.subscriber(who, domain.as_str())
    });
    found.await.map(|found| Json(found.into()))
}

/// Give a subscriber a policy.
#[utoipa::path(put, path = "/v1/domains/{domain}/subscribers/{user}", tag = "subscribers",
    operation_id = "put_subscriber", request_body = PolicyChoice,
    params(("domain" = DomainName, Path, description = "The domain"),
        ("user" = UserName, Path, description = "User name")),
    responses((status = 200, description = "Has another policy", body = SubscriberView),
        (status = 201, description = "Added", body = SubscriberView),
        (status = 409, description = "The plan has no seat left", body = Problem,
            content_type = "application/problem+json")))]
async fn put(
    State(desk): State<Desk>,
    caller: Caller,
    names: Names,
    Body(choice): Body<PolicyChoice>,
) -> Result<(StatusCode, Json<SubscriberView>), Problem> {
    let (domain, user): (DomainName, UserName) = (names.get("domain")?, names.get("user")?);
    let (status, row) = set(&desk, &caller, Who::User(user), domain, choice.policy).await?;
    Ok((status, Json(row.into())))
}

/// Take a subscriber's own policy away; the domain's default holds then.
#[utoipa::path(delete, path = "/v1/domains/{domain}/subscribers/{user}", tag = "subscribers",
    operation_id = "remove_subscriber",
    params(("domain" = DomainName, Path, description = "The domain"),
        ("user" = UserName, Path, description = "User name")),
    responses((status = 204, description = "Removed")))]
async fn remove(
    State(desk): State<Desk>,
    caller: Caller,
    names: Names,
) -> Result<StatusCode, Problem> {
    let (domain, user): (DomainName, UserName) = (names.get("domain")?, names.get("user")?);
    take(&desk, &caller, Who::User(user), domain).await
}

/// Caller numbers with a policy of their own, by number.
#[utoipa::path(get, path = "/v1/domains/{domain}/callers", tag = "callers",
    operation_id = "list_callers",
    params(("domain" = DomainName, Path, description = "The domain"), Paging),
    responses((status = 200, description = "Some of them", body = Page<CallerView>)))]
async fn list_callers(
    State(desk): State<Desk>,
    caller: Caller,
    names: Names,
    params: Params,
) -> Result<Json<Page<CallerView>>, Problem> {
    let domain: DomainName = names.get("domain")?;
    let (limit, cursor) = params.page()?;
    let rows = desk.work(caller.actor(), move |accounts, _| {
        accounts.callers_after(domain.as_str(), cursor.as_deref(), limit + 1)
    });
    let rows = rows.await?.into_iter();
    let rows = rows.map(CallerView::from);
    let page = Page::of(rows.collect(), limit, |row| row.number.clone());
    Ok(Json(page))
}

/// One caller number.
#[utoipa::path(get, path = "/v1/domains/{domain}/callers/{number}", tag = "callers",
    operation_id = "get_caller",
    params(("domain" = DomainName, Path, description = "The domain"),
        ("number" = CallerNumber, Path, description = "Caller number, E.164")),
    responses((status = 200, description = "The caller number", body = CallerView)))]
async fn get_caller(
    State(desk): State<Desk>,
    caller: Caller,
    names: Names,
) -> Result<Json<CallerView>, Problem> {
    let (domain, number): (DomainName, CallerNumber) = (names.get("domain")?, names.get("number")?);
    let found = desk.work(caller.actor(), move |accounts, _| {
        let who = Subscriber::Ani(number.as_str());
        accounts.subscriber(who, domain.as_str())
    });
    found.await.map(|found| Json(found.into()))
}

/// Give a caller number a policy, whatever user name it comes with.
#[utoipa::path(put, path = "/v1/domains/{domain}/callers/{number}", tag = "callers",
    operation_id = "put_caller", request_body = PolicyChoice,
    params(("domain" = DomainName, Path, description = "The domain"),
        ("number" = CallerNumber, Path, description = "Caller number, E.164")),
    responses((status = 200, description = "Has another policy", body = CallerView),
        (status = 201, description = "Added", body = CallerView)))]
async fn put_caller(
    State(desk): State<Desk>,
    caller: Caller,
    names: Names,
    Body(choice): Body<PolicyChoice>,
) -> Result<(StatusCode, Json<CallerView>), Problem> {
    let (domain, number): (DomainName, CallerNumber) = (names.get("domain")?, names.get("number")?);
    let (status, row) = set(&desk, &caller, Who::Ani(number), domain, choice.policy).await?;
    Ok((status, Json(row.into())))
}

/// Take a caller number's own policy away.
#[utoipa::path(delete, path = "/v1/domains/{domain}/callers/{number}", tag = "callers",
    operation_id = "remove_caller",
    params(("domain" = DomainName, Path, description = "The domain"),
        ("number" = CallerNumber, Path, description = "Caller number, E.164")),
    responses((status = 204, description = "Removed")))]
async fn remove_caller(
    State(desk): State<Desk>,
    caller: Caller,
    names: Names,
) -> Result<StatusCode, Problem> {
    let (domain, number): (DomainName, CallerNumber) = (names.get("domain")?, names.get("number")?);
    take(&desk, &caller, Who::Ani(number), domain).await
}

/// Whom a request names.
enum Who {
    User(UserName),
    Ani(CallerNumber),
}

impl Who {
    fn subscriber(&self) -> Subscriber<'_> {
        match self {
            Self::User(user) => Subscriber::User(user.as_str()),
            Self::Ani(number) => Subscriber::Ani(number.as_str()),
        }
    }
}

async fn set(
    desk: &Desk,
    caller: &Caller,
    who: Who,
    domain: DomainName,
    policy: Name,
) -> Result<(StatusCode, SubscriberRow), Problem> {
    let set = desk.work(caller.actor(), move |accounts, now| {
        accounts.domain(domain.as_str())?;
        let new = accounts
            .set_subscriber(who.subscriber(), domain.as_str(), policy.as_str(), now)
            .map_err(|error| match error {
                // The body names it.
                error @ AccountsError::NoPolicy { .. } => error.at("policy"),
                error => error,
            })?;
        let row = accounts.subscriber(who.subscriber(), domain.as_str())?;
        Ok::<_, AccountsError>((new, row))
    });
    let (new, row) = set.await?;
    let status = match new {
        true => StatusCode::CREATED,
        false => StatusCode::OK,
    };
    Ok((status, row))
}

async fn take(
    desk: &Desk,
    caller: &Caller,
    who: Who,
    domain: DomainName,
) -> Result<StatusCode, Problem> {
    let removed = desk.work(caller.actor(), move |accounts, now| {
        accounts.domain(domain.as_str())?;
        accounts.remove_subscriber(who.subscriber(), domain.as_str(), now)
    });
    removed.await.map(|()| StatusCode::NO_CONTENT)
}
