//! `/v1/lists`, the system's, and `/v1/domains/{domain}/policies/{policy}/lists`, a policy's own.

use super::body::Body;
use super::caller::Caller;
use super::openapi::Api;
use super::params::{Names, Params};
use super::{Desk, Problem};
use crate::accounts::{
    DomainName, EntryKind, EntryQuery, Expiry, ListEntry, ListKind, Name, NewEntry, Scope,
};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

pub(super) fn routes(api: Api) -> Api {
    api.on(__path_find, find)
        .on(__path_add, add)
        .on(__path_remove, remove)
        .on(__path_find_own, find_own)
        .on(__path_add_own, add_own)
        .on(__path_remove_own, remove_own)
}

/// An entry of a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct Entry {
    /// `system`, or `domain/policy`.
    #[schema(example = "system")]
    of: String,
    /// Which list.
    list: ListKind,
    /// What kind of value.
    kind: EntryKind,
    /// What is listed.
    #[schema(example = "25261")]
    value: String,
    /// Why; of a group: its name.
    #[schema(example = "revenue share")]
    reason: String,
    /// Who listed it.
    #[schema(example = "token:console")]
    source: String,
    /// When it ends.
    expires: Option<Expiry>,
}

impl From<ListEntry> for Entry {
    fn from(entry: ListEntry) -> Self {
        let list = [ListKind::Black, ListKind::White, ListKind::Group]
            .into_iter()
            .find(|list| list.as_str() == entry.list);
        let kind = [EntryKind::Number, EntryKind::Prefix, EntryKind::Network]
            .into_iter()
            .find(|kind| kind.as_str() == entry.kind);
        Self {
            of: match entry.scope.is_empty() {
                true => "system".to_owned(),
                false => entry.scope,
            },
            list: list.unwrap_or(ListKind::Black),
            kind: kind.unwrap_or(EntryKind::Agent),
            value: entry.value,
            reason: entry.reason,
            source: entry.source,
            expires: entry.expires_at.map(Expiry::from_secs),
        }
    }
}

/// Entries to be listed, all or none.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"entries": [
    {"list": "black", "kind": "prefix", "value": "25261", "reason": "revenue share"}]}))]
struct NewEntries {
    /// 1 to 1,000.
    #[schema(min_items = 1, max_items = 1000)]
    entries: Vec<NewEntry>,
}

/// What became of them.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct Listed {
    /// How many are new, or have another reason, source or expiry now.
    #[schema(example = 1)]
    changed: usize,
}

/// Which entries.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what `filter` takes")]
struct Filter {
    /// Only of this list.
    list: Option<ListKind>,
    /// Only of this kind.
    kind: Option<EntryKind>,
    /// Only listed by this source.
    source: Option<String>,
    /// Only values that begin so.
    value: Option<String>,
    /// At most so many, 1 to 1000.
    #[param(default = 100, minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// Which entry.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what `one` takes")]
struct One {
    /// Its list.
    list: ListKind,
    /// Its kind.
    kind: EntryKind,
    /// Its value.
    value: String,
}

const LISTS: &str = "black, white or group";
const KINDS: &str = "number, prefix, network or agent";

fn filter(mut params: Params, scope: Scope) -> Result<EntryQuery, Problem> {
    let filter = EntryQuery {
        scope,
        list: params.value("list", LISTS, ListKind::parse)?,
        kind: params.value("kind", KINDS, EntryKind::parse)?,
        source: params.text("source")?,
        begins: params.text("value")?,
        limit: params.limit()?,
    };
    params.end()?;
    Ok(filter)
}

fn one(mut params: Params) -> Result<(ListKind, EntryKind, String), Problem> {
    let one = (
        params.needed("list", LISTS, ListKind::parse)?,
        params.needed("kind", KINDS, EntryKind::parse)?,
        params.needed("value", "what is listed", |text| {
            (!text.is_empty()).then(|| text.to_owned())
        })?,
    );
    params.end()?;
    Ok(one)
}

fn own(names: &Names) -> Result<Scope, Problem> {
    let (domain, policy): (DomainName, Name) = (names.get("domain")?, names.get("policy")?);
    Ok(Scope::Policy {
        domain: domain.to_string(),
        policy: policy.to_string(),
    })
}

/// Entries of the system's lists.
#[utoipa::path(get, path = "/v1/lists", tag = "lists", operation_id = "find_system_entries",
    params(Filter), responses((status = 200, description = "Those that fit", body = Vec<Entry>)))]
async fn find(
    State(desk): State<Desk>,
    caller: Caller,
    params: Params,
) -> Result<Json<Vec<Entry>>, Problem> {
    find_in(&desk, &caller, params, Scope::System).await
}

/// Put entries on the system's lists, all or none.
#[utoipa::path(post, path = "/v1/lists", tag = "lists", operation_id = "add_system_entries",
    request_body = NewEntries,
    responses((status = 200, description = "Listed", body = Listed)))]
async fn add(
    State(desk): State<Desk>,
    caller: Caller,
    Body(new): Body<NewEntries>,
) -> Result<Json<Listed>, Problem> {
    add_to(&desk, &caller, new, Scope::System).await
}

/// Take an entry off the system's lists.
#[utoipa::path(delete, path = "/v1/lists", tag = "lists", operation_id = "remove_system_entry",
    params(One), responses((status = 204, description = "No longer listed")))]
async fn remove(
    State(desk): State<Desk>,
    caller: Caller,
    params: Params,
) -> Result<StatusCode, Problem> {
    remove_from(&desk, &caller, params, Scope::System).await
}

/// Entries of a policy's own lists.
#[utoipa::path(get, path = "/v1/domains/{domain}/policies/{policy}/lists", tag = "lists",
    operation_id = "find_entries",
    params(("domain" = DomainName, Path, description = "The domain"),
        ("policy" = Name, Path, description = "The policy"), Filter),
    responses((status = 200, description = "Those that fit", body = Vec<Entry>)))]
async fn find_own(
    State(desk): State<Desk>,
    caller: Caller,
    names: Names,
    params: Params,
) -> Result<Json<Vec<Entry>>, Problem> {
    find_in(&desk, &caller, params, own(&names)?).await
}

/// Put entries on a policy's own lists, all or none.
#[utoipa::path(post, path = "/v1/domains/{domain}/policies/{policy}/lists", tag = "lists",
    operation_id = "add_entries", request_body = NewEntries,
    params(("domain" = DomainName, Path, description = "The domain"),
        ("policy" = Name, Path, description = "The policy")),
    responses((status = 200, description = "Listed", body = Listed)))]
async fn add_own(
    State(desk): State<Desk>,
    caller: Caller,
    names: Names,
    Body(new): Body<NewEntries>,
) -> Result<Json<Listed>, Problem> {
    add_to(&desk, &caller, new, own(&names)?).await
}

/// Take an entry off a policy's own lists.
#[utoipa::path(delete, path = "/v1/domains/{domain}/policies/{policy}/lists", tag = "lists",
    operation_id = "remove_entry",
    params(("domain" = DomainName, Path, description = "The domain"),
        ("policy" = Name, Path, description = "The policy"), One),
    responses((status = 204, description = "No longer listed")))]
async fn remove_own(
    State(desk): State<Desk>,
    caller: Caller,
    names: Names,
    params: Params,
) -> Result<StatusCode, Problem> {
    remove_from(&desk, &caller, params, own(&names)?).await
}

async fn find_in(
    desk: &Desk,
    caller: &Caller,
    params: Params,
    scope: Scope,
) -> Result<Json<Vec<Entry>>, Problem> {
    let filter = filter(params, scope)?;
    let found = desk.work(caller.actor(), move |accounts, _| {
        accounts.find_entries(&filter)
    });
    let found = found.await?.into_iter().map(Entry::from);
    Ok(Json(found.collect()))
}

async fn add_to(
    desk: &Desk,
    caller: &Caller,
    new: NewEntries,
    scope: Scope,
) -> Result<Json<Listed>, Problem> {
    let source = caller.actor().to_string();
    let added = desk.work(caller.actor(), move |accounts, now| {
        accounts.add_entries(&scope, &new.entries, &source, now)
    });
    let changed = added.await?;
    Ok(Json(Listed { changed }))
}

async fn remove_from(
    desk: &Desk,
    caller: &Caller,
    params: Params,
    scope: Scope,
) -> Result<StatusCode, Problem> {
    let (list, kind, value) = one(params)?;
    let removed = desk.work(caller.actor(), move |accounts, now| {
        accounts.list_remove(&scope, list, kind, &value, now)
    });
    removed.await.map(|()| StatusCode::NO_CONTENT)
}
