//! Each resource does what it says.

use super::*;
use serde_json::json;

const POLICY: &str = "/v1/domains/a.example/policies/default";

#[tokio::test]
async fn a_domain_from_its_beginning_to_its_end() {
    let bench = Bench::new();
    let new =
        json!({"name": "C.example", "trusted_peers": ["192.0.2.9/24"], "dial_prefixes": ["9"]});
    let made = bench.json("POST", "/v1/domains", &new).await;
    assert_eq!(
        (made.status, made.header("location")),
        (201, "/v1/domains/c.example")
    );
    let expected = json!({"name": "c.example", "root": false, "default_policy": "default",
        "default_user": "default", "trusted_peers": ["192.0.2.0/24"], "dial_prefixes": ["9"]});
    assert_eq!(made.json(), expected);
    assert_eq!(bench.json("POST", "/v1/domains", &new).await.status, 409);

    let path = "/v1/domains/c.example";
    let changed = bench
        .json("PATCH", path, &json!({"dial_prefixes": []}))
        .await;
    assert_eq!(changed.json()["dial_prefixes"], json!([]));
    assert_eq!(
        changed.json()["trusted_peers"],
        json!(["192.0.2.0/24"]),
        "it stays"
    );
    let wrong = bench
        .json("PATCH", path, &json!({"default_policy": "nope"}))
        .await;
    assert_eq!(
        (wrong.status, wrong.field().as_str()),
        (400, "default_policy")
    );

    assert_eq!(bench.plain("DELETE", path).await.status, 204);
    assert_eq!(bench.plain("GET", path).await.status, 404);
    assert_eq!(bench.plain("DELETE", path).await.status, 404);
    assert_eq!(bench.plain("DELETE", "/v1/domains/root").await.status, 409);
}

#[tokio::test]
async fn a_list_is_read_page_by_page() {
    let bench = Bench::new();
    let mut names = Vec::new();
    let mut path = "/v1/domains?limit=1".to_owned();
    loop {
        let page = bench.plain("GET", &path).await.json();
        let items = page["items"].as_array().expect("items");
        assert_eq!(items.len(), 1);
        names.push(items[0]["name"].as_str().expect("a name").to_owned());
        let Some(next) = page["next"].as_str() else {
            break;
        };
        path = format!("/v1/domains?limit=1&cursor={next}");
    }
    assert_eq!(names, ["a.example", "b.example", "root"]);
    let log = bench.plain("GET", "/v1/audit?limit=2").await.json();
    let next = log["next"].as_str().expect("more");
    let rest = bench
        .plain("GET", &format!("/v1/audit?limit=1&cursor={next}"))
        .await
        .json();
    let id = |log: &Value, at: usize| log["items"][at]["id"].as_i64().expect("an id");
    assert_eq!(id(&rest, 0), id(&log, 1) - 1);
}

#[tokio::test]
async fn a_policy_is_patched_and_put_under_its_tag() {
    let bench = Bench::new();
    let first = bench.plain("GET", POLICY).await;
    let tag = first.header("etag").to_owned();
    assert!(tag.starts_with('"') && tag.ends_with('"'), "{tag}");

    let patch = json!({"risk_threshold": 0.7, "modes": {"R15": "enforce", "R01": null},
        "destination": {"except": ["CU"]}});
    let changed = bench.json("PATCH", POLICY, &patch).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    let rules = changed.json();
    assert_eq!(rules["modes"]["R15"], "enforce");
    assert_eq!(rules["modes"]["R02"], "enforce", "what is not named stays");
    assert_eq!(rules["modes"]["R01"], Value::Null);
    assert_eq!(rules["risk_threshold"].to_string(), "0.7");
    let now = changed.header("etag").to_owned();
    assert_ne!(now, tag);
    assert_eq!(bench.plain("GET", POLICY).await.header("etag"), now);

    let with = |method: &'static str, name: &'static str, value: String, body: Value| {
        let bench = &bench;
        async move {
            let headers = [("content-type", "application/json"), (name, value.as_str())];
            let token = Some(bench.operator.as_str());
            bench
                .ask(token, method, POLICY, &headers, body.to_string())
                .await
        }
    };
    let state = bench.state();
    let body = || json!({"answer": "decline"});
    for method in ["PUT", "PATCH", "DELETE"] {
        let stale = with(method, "if-match", tag.clone(), body()).await;
        assert_eq!(stale.status, 412, "{method}");
        let weak = with(method, "if-match", format!("W/{now}"), body()).await;
        assert_eq!(
            (weak.status, weak.field().as_str()),
            (400, "If-Match"),
            "{method}"
        );
    }
    assert_eq!(
        with("PUT", "if-none-match", "*".into(), body())
            .await
            .status,
        412
    );
    assert_eq!(bench.state(), state);
    let several = format!("\"other\", {now}");
    assert_eq!(with("PATCH", "if-match", several, body()).await.status, 200);
    assert_eq!(
        with("PUT", "if-match", "*".into(), body()).await.status,
        200
    );

    let missing = "/v1/domains/a.example/policies/missing";
    let headers = [("content-type", "application/json"), ("if-match", "*")];
    let token = Some(bench.operator.as_str());
    let reply = bench.ask(token, "PUT", missing, &headers, "{}").await;
    assert_eq!(reply.status, 412, "there is none to match");
    assert_eq!(bench.json("PATCH", missing, &json!({})).await.status, 404);
    assert_eq!(bench.json("PUT", missing, &json!({})).await.status, 201);
    assert_eq!(bench.plain("DELETE", missing).await.status, 204);
    assert_eq!(
        bench.plain("DELETE", POLICY).await.status,
        409,
        "it is in use"
    );
}

#[tokio::test]
async fn a_merge_patch_may_say_what_it_is() {
    let bench = Bench::new();
    let token = Some(bench.operator.as_str());
    for (media, status) in [
        ("application/merge-patch+json", 200),
        ("application/json; charset=utf-8", 200),
        ("Application/JSON", 200),
        ("application/json-patch+json", 415),
        ("text/plain", 415),
        ("", 415),
    ] {
        let headers = [("content-type", media)];
        let body = json!({"answer": "decline"}).to_string();
        let reply = bench.ask(token, "PATCH", POLICY, &headers, body).await;
        assert_eq!(reply.status, status, "{media}");
    }
}

#[tokio::test]
async fn subscribers_and_callers_get_their_policy() {
    let bench = Bench::new();
    for (path, name, value) in [
        (
            "/v1/domains/a.example/subscribers/bob%40home",
            "user",
            "bob@home",
        ),
        (
            "/v1/domains/a.example/callers/%2B442079461111",
            "number",
            "442079461111",
        ),
    ] {
        let choice = json!({"policy": "default"});
        let added = bench.json("PUT", path, &choice).await;
        assert_eq!(added.status, 201, "{added:?}");
        let mut expected = json!({name: value, "policy": "default"});
        if name == "user" {
            expected["password"] = json!(false);
        }
        assert_eq!(added.json(), expected);
        assert_eq!(bench.json("PUT", path, &choice).await.status, 200);
        assert_eq!(bench.plain("GET", path).await.json(), added.json());
        let wrong = bench.json("PUT", path, &json!({"policy": "nope"})).await;
        assert_eq!((wrong.status, wrong.field().as_str()), (400, "policy"));
        let (all, _) = path.rsplit_once('/').expect("a path");
        let items = bench.plain("GET", all).await.json()["items"].clone();
        assert_eq!(items.as_array().expect("items").len(), 2);
        assert_eq!(bench.plain("DELETE", path).await.status, 204);
        assert_eq!(bench.plain("DELETE", path).await.status, 404);
        let elsewhere = path.replace("a.example", "nosuch.example");
        assert_eq!(bench.json("PUT", &elsewhere, &choice).await.status, 404);
    }
}

#[tokio::test]
async fn a_full_plan_is_a_conflict() {
    let bench = Bench::new();
    let plan = bench
        .json("PATCH", "/v1/plans/basic", &json!({"seats": 1}))
        .await;
    assert_eq!(plan.json(), json!({"calls_per_second": 100, "seats": 1}));
    let path = "/v1/domains/a.example/subscribers/bob";
    let full = bench.json("PUT", path, &json!({"policy": "default"})).await;
    assert_eq!((full.status, full.field().as_str()), (409, "policy"));
    let detail = full.json()["detail"].to_string();
    for part in ["plan basic", "1 seats", "has 1 subscribers"] {
        assert!(detail.contains(part), "{part}: {detail}");
    }
    let unlimited = bench
        .json("PATCH", "/v1/plans/basic", &json!({"seats": null}))
        .await;
    assert_eq!(
        unlimited.json(),
        json!({"calls_per_second": 100, "seats": null})
    );
    assert_eq!(
        bench
            .json("PUT", path, &json!({"policy": "default"}))
            .await
            .status,
        201
    );
    let none = bench.json("PATCH", "/v1/plans/gold", &json!({})).await;
    assert_eq!((none.status, none.field().as_str()), (400, "plan"));
}

#[tokio::test]
async fn entries_are_listed_all_or_none() {
    let bench = Bench::new();
    for path in ["/v1/lists", "/v1/domains/a.example/policies/default/lists"] {
        let entry =
            |value: &str| json!({"list": "black", "kind": "prefix", "value": value, "reason": "x"});
        let before = bench.state();
        let half = json!({"entries": [entry("25261"), entry("25262x")]});
        let refused = bench.json("POST", path, &half).await;
        assert_eq!(
            (refused.status, refused.field().as_str()),
            (400, "entries[1].value")
        );
        assert_eq!(bench.state(), before);

        let both = json!({"entries": [entry("+25261"), entry("25262")]});
        assert_eq!(
            bench.json("POST", path, &both).await.json(),
            json!({"changed": 2})
        );
        assert_eq!(
            bench.json("POST", path, &both).await.json(),
            json!({"changed": 0})
        );
        let found = bench
            .plain("GET", &format!("{path}?value=25262&list=black"))
            .await
            .json();
        assert_eq!(found[0]["source"], "token:boss");
        assert_eq!(found.as_array().expect("entries").len(), 1);
        let one = format!("{path}?list=black&kind=prefix&value=25261");
        assert_eq!(bench.plain("DELETE", &one).await.status, 204);
        assert_eq!(bench.plain("DELETE", &one).await.status, 404);

        let many: Vec<_> = (0..1_001).map(|n| entry(&format!("1{n:04}"))).collect();
        let refused = bench.json("POST", path, &json!({"entries": many})).await;
        assert_eq!((refused.status, refused.field().as_str()), (400, "entries"));
        let none = bench.json("POST", path, &json!({"entries": []})).await;
        assert_eq!((none.status, none.field().as_str()), (400, "entries"));
        let most = json!({"entries": many[..1_000]});
        assert_eq!(
            bench.json("POST", path, &most).await.json(),
            json!({"changed": 1_000})
        );
    }
    let white =
        json!({"entries": [{"list": "white", "kind": "number", "value": "44", "reason": "x"}]});
    let refused = bench.json("POST", "/v1/lists", &white).await;
    assert_eq!(
        (refused.status, refused.field().as_str()),
        (400, "entries[0].list")
    );
}

#[tokio::test]
async fn a_token_is_told_once_and_works_until_it_is_removed() {
    let bench = Bench::new();
    let made = bench
        .json(
            "POST",
            "/v1/tokens",
            &json!({"name": "t", "role": "reader"}),
        )
        .await;
    let token = made.json()["token"].as_str().expect("a token").to_owned();
    let list = bench.plain("GET", "/v1/tokens").await;
    assert!(
        list.text.contains("\"t\"") && !list.text.contains(&token),
        "{list:?}"
    );
    let ask = || bench.ask(Some(&token), "GET", "/v1/domains", &[], Body::empty());
    assert_eq!(ask().await.status, 200);
    assert_eq!(bench.plain("DELETE", "/v1/tokens/t").await.status, 204);
    assert_eq!(ask().await.status, 401);
}

#[tokio::test]
async fn what_is_exported_is_imported_and_shown_before() {
    let bench = Bench::new();
    let token = Some(bench.operator.as_str());
    let toml = [("content-type", "application/toml")];
    let exported = bench.plain("GET", "/v1/export").await;
    assert_eq!(exported.header("content-type"), "application/toml");
    let same = bench
        .ask(token, "POST", "/v1/import", &toml, exported.text.clone())
        .await;
    assert_eq!(same.json(), json!({"changes": 0}));

    let changed = exported.text.replace("seats = 10\n", "seats = 11\n");
    let before = bench.state();
    let dry = bench
        .ask(
            token,
            "POST",
            "/v1/import?dry_run=true",
            &toml,
            changed.clone(),
        )
        .await;
    assert_eq!(dry.json()["changes"], 1);
    let diff = dry.json()["diff"].as_str().expect("a diff").to_owned();
    assert!(diff.contains("-seats = 10\n+seats = 11\n"), "{diff}");
    assert_eq!(bench.state(), before);
    let done = bench
        .ask(token, "POST", "/v1/import", &toml, changed.clone())
        .await;
    assert_eq!(done.json(), json!({"changes": 1}));
    assert_eq!(bench.plain("GET", "/v1/export").await.text, changed);

    let wrong = changed.replace("plan = \"itsp\"", "plan = \"gold\"");
    let refused = bench.ask(token, "POST", "/v1/import", &toml, wrong).await;
    assert_eq!(
        (refused.status, refused.field().as_str()),
        (400, "domains.root.policies.default.plan")
    );
    assert!(refused.text.contains("line "), "{refused:?}");
}
