//! Passwords of subscribers: set, told to nobody.

use super::*;
use serde_json::json;

const PATH: &str = "/v1/domains/a.example/subscribers/alice/password";
const SECRET: &str = "correct horse battery";

async fn has_one(bench: &Bench) -> bool {
    let view = bench
        .plain("GET", "/v1/domains/a.example/subscribers/alice")
        .await;
    let list = bench
        .plain("GET", "/v1/domains/a.example/subscribers")
        .await;
    let listed = list.json()["items"][0]["password"].clone();
    assert_eq!(view.json()["password"], listed);
    listed.as_bool().expect("a boolean")
}

#[tokio::test]
async fn a_password_is_set_and_taken_away_by_who_may() {
    let bench = Bench::new();
    assert!(!has_one(&bench).await);
    let own = bench.token("own", Role::Domain, Some("a.example"));
    let headers = [("content-type", "application/json")];
    let body = json!({"password": SECRET}).to_string();
    let set = bench.ask(Some(&own), "PUT", PATH, &headers, body).await;
    assert_eq!((set.status, set.text.as_str()), (204, ""));
    assert!(has_one(&bench).await);
    // It is the one digest asks for.
    let unusable = bench.accounts().unusable_passwords(&Vault::new([7; 32]));
    assert_eq!(unusable.expect("read"), Vec::<String>::new());
    // A policy that is put keeps it.
    let path = "/v1/domains/a.example/subscribers/alice";
    let put = bench.json("PUT", path, &json!({"policy": "default"})).await;
    assert_eq!(put.json()["password"], true);
    assert_eq!(bench.plain("DELETE", PATH).await.status, 204);
    assert!(!has_one(&bench).await);
    let nobody = PATH.replace("alice", "nobody");
    let missing = bench
        .json("PUT", &nobody, &json!({"password": SECRET}))
        .await;
    assert_eq!(missing.status, 404);
}

#[tokio::test]
async fn what_was_sent_as_a_password_stands_nowhere() {
    let bench = Bench::new();
    let good = bench.json("PUT", PATH, &json!({"password": SECRET})).await;
    assert_eq!(good.status, 204);
    for body in [
        json!({"password": "tiny#77"}),
        json!({"password": "tiny#77 \u{e9}tiny#77"}),
        json!({"password": 7_719_283_746_u64}),
        json!({"password": ["tiny#77"]}),
        json!({"password": {"tiny#77": 1}}),
    ] {
        let reply = bench.json("PUT", PATH, &body).await;
        assert_eq!(reply.status, 400, "{body}");
        assert_eq!(reply.field(), "password", "{body}");
        let shown = reply.text.contains("tiny#77") || reply.text.contains("7719283746");
        assert!(!shown, "{}", reply.text);
    }
    let (file, ..) = bench.state();
    let log = bench.plain("GET", "/v1/audit").await;
    assert_eq!(log.json()["items"][0]["action"], "subscriber password");
    assert!(!file.contains(SECRET) && !log.text.contains(SECRET));
}
