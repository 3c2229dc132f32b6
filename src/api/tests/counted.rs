//! What somebody has used, and setting it to nothing.

use super::*;
use serde_json::json;

const PATH: &str = "/v1/domains/a.example/usage/alice";

async fn call(bench: &Bench) {
    let body =
        json!({"dialed_number": "442071838750", "from_user": "alice", "domain": "a.example"});
    let decided = bench.json("POST", "/v1/decisions", &body).await;
    assert_eq!(decided.json()["code"], "A00", "{decided:?}");
}

#[tokio::test]
async fn calls_are_counted_told_and_forgotten() {
    let bench = Bench::new();
    let used = async || bench.plain("GET", PATH).await.json()["normal"]["used"].clone();
    assert_eq!(used().await, 0);
    call(&bench).await;
    call(&bench).await;
    assert_eq!(used().await, 2);
    let own = bench.token("own", Role::Domain, Some("a.example"));
    let reset = bench
        .ask(Some(&own), "DELETE", PATH, &[], Body::empty())
        .await;
    assert_eq!(
        (reset.status, reset.json()["normal"]["used"].clone()),
        (200, json!(0))
    );
    assert_eq!(used().await, 0);
    let log = bench.plain("GET", "/v1/audit?limit=1").await.json();
    let line = &log["items"][0];
    assert_eq!(
        (line["action"].as_str(), line["subject"].as_str()),
        (Some("usage reset"), Some("alice@a.example"))
    );
    assert_eq!(line["actor"], "token:own");
    // The default user and a mapped caller number are counted too; nobody else is.
    for (name, status) in [("default", 200), ("442079460000", 200), ("bob", 404)] {
        let path = PATH.replace("alice", name);
        assert_eq!(bench.plain("GET", &path).await.status, status, "{name}");
        assert_eq!(bench.plain("DELETE", &path).await.status, status, "{name}");
    }
    let elsewhere = PATH.replace("a.example", "nosuch.example");
    assert_eq!(bench.plain("GET", &elsewhere).await.status, 404);
}
