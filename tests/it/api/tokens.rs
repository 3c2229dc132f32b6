//! Who may use the API, with tokens made by command and by a first start.

use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use crate::support::{Api, TestService};

#[test]
fn a_first_start_leaves_the_operator_his_token() {
    let mut service = TestService::start_on_shared("api_first");
    let path = service.data().join("api-token");
    let mode = path.metadata().expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let api = Api::new(&service);
    let domains = api.get("/v1/domains");
    assert_eq!(domains.status, 200, "{domains:?}");
    assert_eq!(domains.json()["items"][0]["name"], "root");
    assert!(
        !service
            .log()
            .contains(&std::fs::read_to_string(&path).expect("read"))
    );

    // Nobody is let in by a token that was removed, and none comes back by itself.
    service.tfps_ok(&["token", "remove", "first-start"]);
    assert_eq!(api.get("/v1/domains").status, 401);
    service.terminate();
    std::fs::remove_file(&path).expect("removed");
    service.start_again();
    assert!(!path.exists());
    assert_eq!(service.tfps_ok(&["token", "list", "--json"]).trim(), "[]");
}

#[test]
fn roles_of_tokens_made_by_command() {
    let service = TestService::start_on_shared("api_roles");
    service.tfps_ok(&["domain", "add", "a.example"]);
    service.tfps_ok(&["domain", "add", "b.example"]);
    let token = |options: &[&str]| {
        let made = service.tfps_ok(&[&["token", "add"], options].concat());
        Api::with_token(&service, made.trim())
    };
    let operator = token(&["boss", "--role", "operator"]);
    let reader = token(&["eyes"]);
    let own = token(&["own", "--role", "domain", "--domain", "a.example"]);
    let prefix = json!({"dial_prefixes": ["9"]});
    for (api, method, path, status) in [
        (&operator, "GET", "/v1/tokens", 200),
        (&reader, "GET", "/v1/tokens", 403),
        (&own, "GET", "/v1/tokens", 403),
        (&operator, "PATCH", "/v1/domains/b.example", 200),
        (&reader, "GET", "/v1/domains/b.example", 200),
        (&reader, "PATCH", "/v1/domains/b.example", 403),
        (&own, "GET", "/v1/domains/a.example", 200),
        (&own, "PATCH", "/v1/domains/a.example", 200),
        (&own, "DELETE", "/v1/domains/a.example", 403),
        (&own, "GET", "/v1/domains/b.example", 403),
        (&own, "PATCH", "/v1/domains/b.example", 403),
        (&own, "GET", "/v1/plans", 403),
        (&own, "GET", "/v1/lists", 403),
        (&own, "GET", "/v1/audit", 403),
        (&own, "GET", "/v1/export", 403),
    ] {
        let reply = api.send(method, path, &prefix);
        assert_eq!(reply.status, status, "{method} {path}: {reply:?}");
    }
    let nobody = Api::with_token(&service, "tfps_nonsense");
    let reply = nobody.get("/v1/domains");
    assert_eq!(
        (reply.status, reply.header("www-authenticate")),
        (401, "Bearer")
    );
    assert_eq!(service.get("/v1/domains").status, 401);
    assert_eq!(service.get("/healthz").status, 200);

    // What was edited, by whom and how, without a token in it.
    let log = service.tfps_ok(&["audit", "--actor", "token:own", "--json"]);
    let log: serde_json::Value = serde_json::from_str(&log).expect("JSON");
    assert_eq!(log[0]["subject"], "a.example");
    assert_eq!(log[0]["change"]["after"], prefix);
    assert_eq!(log.as_array().map(Vec::len), Some(1));
}

#[test]
fn the_description_is_for_everybody() {
    let service = TestService::start_on_shared("api_described");
    let reply = service.get("/openapi.json");
    assert_eq!(
        (reply.status, reply.header("content-type")),
        (200, "application/json")
    );
    assert_eq!(reply.json()["openapi"], "3.1.0");
    let nothing = service.get("/v1/nosuch");
    assert_eq!(nothing.status, 404);
    assert_eq!(nothing.header("content-type"), "application/problem+json");
}

#[test]
fn a_policy_that_has_changed_is_not_overwritten() {
    let service = TestService::start_on_shared("api_etag");
    let api = Api::new(&service);
    let path = "/v1/domains/root/policies/default";
    let first = api.get(path);
    let tag = first.header("etag").to_owned();
    service.tfps_ok(&["policy", "set", "root", "default", "--answer", "decline"]);
    let token = std::fs::read_to_string(service.data().join("api-token")).expect("token");
    let put = |tag: &str| {
        let bearer = format!("Bearer {}", token.trim());
        let headers = [
            ("Authorization", bearer.as_str()),
            ("Content-Type", "application/json"),
            ("If-Match", tag),
        ];
        let (address, body) = (service.addresses().http, first.body.as_bytes());
        crate::support::http::request(address, "PUT", path, &headers, body).expect("an answer")
    };
    assert_eq!(put(&tag).status, 412);
    let now = api.get(path).header("etag").to_owned();
    let written = put(&now);
    assert_eq!(
        (written.status, written.header("etag")),
        (200, tag.as_str())
    );
}
