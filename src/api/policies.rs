//! `/v1/domains/{domain}/policies`
//!
//! A policy carries an ETag; with it in `If-Match` nobody overwrites what he has not seen. What
//! is paid for, the plan and calls per second of one's own, only operators change.

use super::body::{Body, MergePatch, from_value};
use super::caller::Caller;
use super::openapi::Api;
use super::params::{Names, Params};
use super::refused::{forbidden, wrong};
use super::{Desk, Problem};
use crate::accounts::{
    Accounts, AccountsError, DomainName, Expect, Fault, Name, PolicyRow, PolicyRules,
};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

/// How often a patch is merged again when somebody else was quicker.
const TRIES: usize = 5;

pub(super) fn routes(api: Api) -> Api {
    api.on(__path_list, list)
        .on(__path_add, add)
        .on(__path_get, get)
        .on(__path_put, put)
        .on(__path_patch, patch)
        .on(__path_remove, remove)
}

/// A policy to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "strict"}))]
struct NewPolicy {
    /// Its name.
    name: Name,
    /// Its rules; absent: those a domain begins with.
    #[serde(default, deserialize_with = "crate::accounts::given")]
    #[schema(nullable = false)]
    rules: Option<PolicyRules>,
}

/// All policies of a domain.
#[utoipa::path(get, path = "/v1/domains/{domain}/policies", tag = "policies",
    operation_id = "list_policies",
    params(("domain" = DomainName, Path, description = "The domain")),
    responses((status = 200, description = "All of them", body = Vec<PolicyRow>)))]
async fn list(
    State(desk): State<Desk>,
    caller: Caller,
    names: Names,
    params: Params,
) -> Result<Json<Vec<PolicyRow>>, Problem> {
    params.end()?;
    let domain: DomainName = names.get("domain")?;
    let found = desk.work(caller.actor(), move |accounts, _| {
        accounts.policies_of(domain.as_str())
    });
    found.await.map(Json)
}

/// Make a policy.
#[utoipa::path(post, path = "/v1/domains/{domain}/policies", tag = "policies",
    operation_id = "add_policy", request_body = NewPolicy,
    params(("domain" = DomainName, Path, description = "The domain")),
    responses((status = 201, description = "Made", body = PolicyRules),
        (status = 409, description = "There is one of that name", body = Problem,
            content_type = "application/problem+json")))]
async fn add(
    State(desk): State<Desk>,
    caller: Caller,
    names: Names,
    Body(new): Body<NewPolicy>,
) -> Result<Response, Problem> {
    let domain: DomainName = names.get("domain")?;
    let location = format!("/v1/domains/{domain}/policies/{}", new.name);
    let made = desk.work(caller.actor(), move |accounts, now| {
        let like = paid_like(accounts, &domain, None)?;
        let rules = new.rules.unwrap_or_else(|| PolicyRules {
            plan: match caller.is_operator() {
                true => PolicyRules::initial().plan,
                false => like.plan,
            },
            ..PolicyRules::initial()
        });
        check_paid(&caller, &like, &rules, "rules.")?;
        accounts
            .put_policy(&domain, &new.name, &rules, &Expect::Absent, now)
            .map_err(|error| match error.fault() {
                Fault::Value => error.at("rules"),
                _ => error,
            })?;
        Ok::<_, Problem>(rules)
    });
    let mut response = tagged(&made.await?, StatusCode::CREATED)?;
    if let Ok(location) = location.parse() {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// One policy, with its ETag.
#[utoipa::path(get, path = "/v1/domains/{domain}/policies/{policy}", tag = "policies",
    operation_id = "get_policy",
    params(("domain" = DomainName, Path, description = "The domain"),
        ("policy" = Name, Path, description = "The policy")),
    responses((status = 200, description = "Everything of it but its lists", body = PolicyRules,
        headers(("ETag" = String, description = "For If-Match")))))]
async fn get(State(desk): State<Desk>, caller: Caller, names: Names) -> Result<Response, Problem> {
    let (domain, policy) = both(&names)?;
    let found = desk.work(caller.actor(), move |accounts, _| {
        accounts.policy(domain.as_str(), policy.as_str())
    });
    tagged(&found.await?, StatusCode::OK)
}

/// Write a policy whole, or make it.
#[utoipa::path(put, path = "/v1/domains/{domain}/policies/{policy}", tag = "policies",
    operation_id = "put_policy", request_body = PolicyRules,
    params(("domain" = DomainName, Path, description = "The domain"),
        ("policy" = Name, Path, description = "The policy"),
        ("If-Match" = Option<String>, Header, description = "ETags; write only over one of these"),
        ("If-None-Match" = Option<String>, Header, description = "`*`: write only if there is none")),
    responses((status = 200, description = "As it is now", body = PolicyRules),
        (status = 201, description = "Made", body = PolicyRules),
        (status = 412, description = "It has changed meanwhile", body = Problem,
            content_type = "application/problem+json")))]
async fn put(
    State(desk): State<Desk>,
    caller: Caller,
    names: Names,
    headers: HeaderMap,
    Body(rules): Body<PolicyRules>,
) -> Result<Response, Problem> {
    let (domain, policy) = both(&names)?;
    let expect = expected(&headers)?;
    let written = desk.work(caller.actor(), move |accounts, now| {
        let before = found(accounts.policy(domain.as_str(), policy.as_str()))?;
        let like = paid_like(accounts, &domain, before.as_ref())?;
        check_paid(&caller, &like, &rules, "")?;
        let put = accounts.put_policy(&domain, &policy, &rules, &expect, now);
        put.map_err(|error| unmet(error, &expect))?;
        let status = match before {
            None => StatusCode::CREATED,
            Some(_) => StatusCode::OK,
        };
        Ok::<_, Problem>((rules, status))
    });
    let (rules, status) = written.await?;
    tagged(&rules, status)
}

/// Change fields of a policy: a JSON merge patch (RFC 7396), in which `null` gives a field the
/// value it has when nothing is said.
#[utoipa::path(patch, path = "/v1/domains/{domain}/policies/{policy}", tag = "policies",
    operation_id = "change_policy",
    request_body(content(
        (PolicyRules = "application/merge-patch+json"),
        (PolicyRules = "application/json"))),
    params(("domain" = DomainName, Path, description = "The domain"),
        ("policy" = Name, Path, description = "The policy"),
        ("If-Match" = Option<String>, Header, description = "ETags; change only one of these")),
    responses((status = 200, description = "As it is now", body = PolicyRules),
        (status = 412, description = "It has changed meanwhile", body = Problem,
            content_type = "application/problem+json")))]
async fn patch(
    State(desk): State<Desk>,
    caller: Caller,
    names: Names,
    headers: HeaderMap,
    MergePatch(patch): MergePatch,
) -> Result<Response, Problem> {
    let (domain, policy) = both(&names)?;
    let expect = expected(&headers)?;
    let changed = desk.work(caller.actor(), move |accounts, now| {
        let mut tries = 0;
        loop {
            tries += 1;
            let before = accounts.policy(domain.as_str(), policy.as_str())?;
            let tag = before.tag()?;
            if matches!(&expect, Expect::Tag(tags) if !tags.contains(&tag)) {
                return Err(AccountsError::Stale(format!("{domain}/{policy}")).into());
            }
            let rules = merged(&before, &patch)?;
            check_paid(&caller, &before, &rules, "")?;
            let seen = Expect::Tag(vec![tag]);
            match accounts.put_policy(&domain, &policy, &rules, &seen, now) {
                Ok(()) => return Ok::<_, Problem>(rules),
                // Somebody else was quicker; whoever did not ask for a version gets the next.
                Err(AccountsError::Stale(_))
                    if !matches!(expect, Expect::Tag(_)) && tries < TRIES => {}
                Err(error) => return Err(error.into()),
            }
        }
    });
    tagged(&changed.await?, StatusCode::OK)
}

/// Remove a policy that nobody has, and its lists.
#[utoipa::path(delete, path = "/v1/domains/{domain}/policies/{policy}", tag = "policies",
    operation_id = "remove_policy",
    params(("domain" = DomainName, Path, description = "The domain"),
        ("policy" = Name, Path, description = "The policy"),
        ("If-Match" = Option<String>, Header, description = "ETags; remove only one of these")),
    responses((status = 204, description = "Removed"),
        (status = 409, description = "Somebody has it", body = Problem,
            content_type = "application/problem+json")))]
async fn remove(
    State(desk): State<Desk>,
    caller: Caller,
    names: Names,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let (domain, policy) = both(&names)?;
    let expect = expected(&headers)?;
    let removed = desk.work(caller.actor(), move |accounts, now| {
        accounts.remove_policy_if(domain.as_str(), policy.as_str(), &expect, now)
    });
    removed.await.map(|()| StatusCode::NO_CONTENT)
}

fn both(names: &Names) -> Result<(DomainName, Name), Problem> {
    Ok((names.get("domain")?, names.get("policy")?))
}

fn tagged(rules: &PolicyRules, status: StatusCode) -> Result<Response, Problem> {
    let tag = format!("\"{}\"", rules.tag()?);
    Ok((status, [(header::ETAG, tag)], Json(rules)).into_response())
}

/// What `If-Match` and `If-None-Match` ask for (RFC 9110, 13.1).
fn expected(headers: &HeaderMap) -> Result<Expect, Problem> {
    let text = |name: &HeaderName| -> Result<Option<String>, Problem> {
        let values: Result<Vec<&str>, _> =
            headers.get_all(name).iter().map(|v| v.to_str()).collect();
        let values = values.map_err(|_| wrong(name.as_str(), "", "ETags in quotation marks"))?;
        Ok((!values.is_empty()).then(|| values.join(",")))
    };
    let none = text(&header::IF_NONE_MATCH)?;
    match (text(&header::IF_MATCH)?.as_deref(), none.as_deref()) {
        (None, None) => Ok(Expect::Anything),
        (None, Some("*")) => Ok(Expect::Absent),
        (None, Some(other)) => Err(wrong("If-None-Match", other, "`*`")),
        (Some("*"), None) => Ok(Expect::Present),
        (Some(tags), None) => tags
            .split(',')
            .map(|tag| {
                // A weak tag is no tag here: they are compared strongly.
                let plain = tag.trim().strip_prefix('"')?.strip_suffix('"')?;
                Some(plain.to_owned())
            })
            .collect::<Option<Vec<_>>>()
            .map(Expect::Tag)
            .ok_or_else(|| wrong("If-Match", tags, "ETags in quotation marks, or `*`")),
        (Some(_), Some(other)) => Err(wrong("If-None-Match", other, "If-Match or it, not both")),
    }
}

/// What was asked for in a header and does not hold is 412, whatever it was.
fn unmet(error: AccountsError, expect: &Expect) -> Problem {
    let asked = matches!(
        (&error, expect),
        (AccountsError::Exists(_), Expect::Absent)
            | (AccountsError::NoPolicy { .. }, Expect::Present)
    );
    match asked {
        true => AccountsError::Stale("policy".to_owned()).into(),
        false => error.into(),
    }
}

fn found(policy: Result<PolicyRules, AccountsError>) -> Result<Option<PolicyRules>, AccountsError> {
    match policy {
        Ok(rules) => Ok(Some(rules)),
        Err(AccountsError::NoPolicy { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What is paid for by a policy as it was; by a new one, as by the domain's default policy.
fn paid_like(
    accounts: &Accounts,
    domain: &DomainName,
    before: Option<&PolicyRules>,
) -> Result<PolicyRules, AccountsError> {
    match before {
        Some(rules) => Ok(rules.clone()),
        None => {
            let default = accounts.domain(domain.as_str())?.default_policy;
            Ok(PolicyRules {
                plan: accounts.policy(domain.as_str(), &default)?.plan,
                ..PolicyRules::initial()
            })
        }
    }
}

/// What is paid for is for operators to change.
fn check_paid(
    caller: &Caller,
    like: &PolicyRules,
    rules: &PolicyRules,
    place: &str,
) -> Result<(), Problem> {
    let field = if rules.plan != like.plan {
        "plan"
    } else if rules.calls_per_second != like.calls_per_second {
        "calls_per_second"
    } else {
        return Ok(());
    };
    match caller.is_operator() {
        true => Ok(()),
        false => Err(forbidden().in_field(format!("{place}{field}"))),
    }
}

/// The rules with a patch merged in.
fn merged(before: &PolicyRules, patch: &Value) -> Result<PolicyRules, Problem> {
    let mut rules = serde_json::to_value(before).map_err(AccountsError::NotJson)?;
    merge(&mut rules, patch);
    from_value(rules)
}

/// RFC 7396, section 2. The depth is bounded: the patch was read from text.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(fields) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let Value::Object(target) = target else {
        return;
    };
    for (name, value) in fields {
        match value {
            Value::Null => {
                target.remove(name);
            }
            value => merge(target.entry(name).or_insert(Value::Null), value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Appendix A of RFC 7396, what of it is about objects.
    #[test]
    fn a_patch_is_merged_as_the_rfc_says() {
        for (target, patch, result) in [
            (json!({"a":"b"}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"b"}), json!({"b":"c"}), json!({"a":"b","b":"c"})),
            (json!({"a":"b"}), json!({"a":null}), json!({})),
            (
                json!({"a":"b","b":"c"}),
                json!({"a":null}),
                json!({"b":"c"}),
            ),
            (json!({"a":["b"]}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"c"}), json!({"a":["b"]}), json!({"a":["b"]})),
            (
                json!({"a":{"b":"c"}}),
                json!({"a":{"b":"d","c":null}}),
                json!({"a":{"b":"d"}}),
            ),
            (json!({"a":[{"b":"c"}]}), json!({"a":[1]}), json!({"a":[1]})),
            (
                json!({}),
                json!({"a":{"bb":{"ccc":null}}}),
                json!({"a":{"bb":{}}}),
            ),
        ] {
            let mut merged = target.clone();
            merge(&mut merged, &patch);
            assert_eq!(merged, result, "{target} with {patch}");
        }
    }
}
