//! Who may what: every route with every role.

use super::*;
use crate::accounts::Expiry;
use serde_json::json;

/// Whether a token of `a.example` may use a route of that domain.
fn is_under_own_domain(route: &Described) -> bool {
    match route.path.as_str() {
        "/v1/domains" => route.method == "GET",
        // Which domain, its body says.
        "/v1/decisions" => true,
        // Calls of others are not there for it: `verdicts` has the tests.
        path if path.starts_with("/v1/verdicts") => true,
        "/v1/domains/{domain}" => route.method != "DELETE",
        path => path.starts_with("/v1/domains/{domain}/"),
    }
}

#[tokio::test]
async fn every_route_with_every_role() {
    let bench = Bench::new();
    let document = document(&bench).await;
    let reader = bench.token("reader", Role::Reader, None);
    let own = bench.token("own", Role::Domain, Some("a.example"));
    let other = bench.token("other", Role::Domain, Some("b.example"));
    for route in described(&document) {
        let name = format!("{} {}", route.method, route.path);
        let reads = route.method == "GET" && !route.path.starts_with("/v1/tokens");
        let under = is_under_own_domain(&route);
        let cases = [
            (&bench.operator, true),
            (&reader, reads),
            (&own, under),
            (&other, under && !route.path.contains("{domain}")),
        ];
        for (token, may) in cases {
            // With a parameter there is none of, what is allowed does nothing.
            let path = format!("{}?nonsense=1", route.filled());
            let headers = [("content-type", "text/nonsense")];
            if may && route.method == "DELETE" && !route.path.ends_with("/lists") {
                continue;
            }
            let reply = bench
                .ask(Some(token), &route.method, &path, &headers, Body::empty())
                .await;
            assert_eq!(reply.status != 403, may, "{name}: {reply:?}");
            if !may {
                assert_eq!(reply.json()["detail"], "forbidden", "nothing about why");
                assert_eq!(reply.field(), "");
            }
        }
    }
}

#[tokio::test]
async fn a_reader_s_head_is_a_get() {
    let bench = Bench::new();
    let reader = bench.token("reader", Role::Reader, None);
    let head = bench
        .ask(Some(&reader), "HEAD", "/v1/domains", &[], Body::empty())
        .await;
    assert_eq!((head.status, head.text.as_str()), (200, ""));
}

#[tokio::test]
async fn another_domain_is_forbidden_whether_it_is_there_or_not() {
    let bench = Bench::new();
    let own = bench.token("own", Role::Domain, Some("a.example"));
    let mut answers = Vec::new();
    for domain in [
        "b.example",
        "nosuch.example",
        "root",
        "%00",
        "a.example.",
        "",
    ] {
        for below in ["", "/policies", "/policies/default", "/subscribers/alice"] {
            let path = format!("/v1/domains/{domain}{below}");
            let reply = bench
                .ask(Some(&own), "GET", &path, &[], Body::empty())
                .await;
            // Without a domain it is no route at all.
            let expected = if domain.is_empty() { 404 } else { 403 };
            if domain.is_empty() && below.starts_with("/policies") {
                continue;
            }
            assert!(
                reply.status == expected || reply.status == 403 || domain.is_empty(),
                "{path}: {reply:?}"
            );
            if !domain.is_empty() {
                answers.push(reply.text);
            }
        }
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    // However its own is written.
    let path = "/v1/domains/A.EXAMPLE";
    let reply = bench.ask(Some(&own), "GET", path, &[], Body::empty()).await;
    assert_eq!(reply.status, 200);
}

#[tokio::test]
async fn a_domain_sees_itself_only() {
    let bench = Bench::new();
    let own = bench.token("own", Role::Domain, Some("a.example"));
    let reply = bench
        .ask(Some(&own), "GET", "/v1/domains", &[], Body::empty())
        .await;
    let names: Vec<_> = reply.json()["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|domain| domain["name"].clone())
        .collect();
    assert_eq!(names, ["a.example"]);
}

#[tokio::test]
async fn what_is_paid_for_and_who_may_ask_is_for_operators() {
    let bench = Bench::new();
    let own = bench.token("own", Role::Domain, Some("a.example"));
    let headers = [("content-type", "application/json")];
    let before = bench.state();
    let policy = "/v1/domains/a.example/policies/default";
    let policies = "/v1/domains/a.example/policies";
    for (method, path, body, field) in [
        (
            "PATCH",
            "/v1/domains/a.example",
            json!({"trusted_peers": ["0.0.0.0/0"]}),
            "trusted_peers",
        ),
        ("PATCH", policy, json!({"plan": "itsp"}), "plan"),
        (
            "PATCH",
            policy,
            json!({"calls_per_second": 1_000_000}),
            "calls_per_second",
        ),
        ("PUT", policy, json!({"plan": "itsp"}), "plan"),
        (
            "PUT",
            "/v1/domains/a.example/policies/new",
            json!({"plan": "itsp"}),
            "plan",
        ),
        (
            "POST",
            policies,
            json!({"name": "new", "rules": {"plan": "itsp"}}),
            "rules.plan",
        ),
        (
            "POST",
            policies,
            json!({"name": "new", "rules": {"calls_per_second": 9}}),
            "rules.calls_per_second",
        ),
    ] {
        let reply = bench
            .ask(Some(&own), method, path, &headers, body.to_string())
            .await;
        assert_eq!(reply.status, 403, "{method} {path} {body}: {reply:?}");
        assert_eq!(reply.field(), field);
        assert_eq!(bench.state(), before);
    }
    for (method, path, body) in [
        (
            "PATCH",
            "/v1/domains/a.example",
            json!({"dial_prefixes": ["9"]}),
        ),
        ("PATCH", policy, json!({"answer": "decline"})),
        (
            "PUT",
            policy,
            json!({"plan": "basic", "answer": "redirect"}),
        ),
        ("POST", policies, json!({"name": "new"})),
    ] {
        let reply = bench
            .ask(Some(&own), method, path, &headers, body.to_string())
            .await;
        assert!(reply.status < 300, "{method} {path} {body}: {reply:?}");
    }
    // A new policy has the plan of the domain's default policy, not a dearer one.
    let free = bench.json("PATCH", policy, &json!({"plan": "free"})).await;
    assert_eq!(free.status, 200);
    let body = json!({"name": "cheap"}).to_string();
    let made = bench
        .ask(Some(&own), "POST", policies, &headers, body)
        .await;
    assert_eq!(made.json()["plan"], "free");
}

#[tokio::test]
async fn no_token_and_a_wrong_one_are_told_the_same() {
    let bench = Bench::new();
    let ended = {
        let new = NewToken {
            name: "ended".parse().expect("a name"),
            role: Role::Operator,
            domain: None,
            expires: Some(Expiry::from_secs(NOW.secs())),
        };
        let earlier = Timestamp::from_secs(NOW.secs() - 60);
        bench.accounts().add_token(&new, earlier).expect("made").0
    };
    let removed = bench.token("removed", Role::Operator, None);
    bench.accounts().remove_token("removed", NOW).expect("gone");
    let good = bench.operator.clone();
    let long = "x".repeat(10_000);
    let mut answers = Vec::new();
    for value in [
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        "Basic dXNlcjpwYXNz",
        "Bearer '; DROP TABLE token; --",
        &format!("Bearer {}", &good[..good.len() - 1]),
        &format!("Bearer {ended}"),
        &format!("Bearer {removed}"),
        &format!("Bearer {long}"),
        &format!("Token {good}"),
    ] {
        let headers = [("authorization", value)];
        let reply = bench
            .ask(None, "GET", "/v1/domains", &headers, Body::empty())
            .await;
        assert_eq!(reply.status, 401, "{value}");
        answers.push(reply.text);
    }
    let twice = [("authorization", "Bearer x"), ("authorization", "Bearer y")];
    let reply = bench
        .ask(None, "GET", "/v1/domains", &twice, Body::empty())
        .await;
    answers.push(reply.text);
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    let small = format!("bearer {good}");
    let headers = [("authorization", small.as_str())];
    let reply = bench
        .ask(None, "GET", "/v1/domains", &headers, Body::empty())
        .await;
    assert_eq!(reply.status, 200, "the scheme's case does not matter");
}

#[tokio::test]
async fn the_actor_of_an_edit_is_the_token() {
    let bench = Bench::new();
    bench
        .json("POST", "/v1/domains", &json!({"name": "c.example"}))
        .await;
    let log = bench
        .plain("GET", "/v1/audit?actor=token:boss")
        .await
        .json();
    assert_eq!(log["items"][0]["action"], "domain add");
    assert_eq!(log["items"][0]["subject"], "c.example");
    assert_eq!(log["items"][0]["change"]["after"]["name"], "c.example");
}
