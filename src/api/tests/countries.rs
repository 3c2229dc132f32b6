//! Risk classes of countries.

use super::*;
use serde_json::json;

async fn tunisia(bench: &Bench) -> Value {
    let all = bench.plain("GET", "/v1/countries").await.json();
    let all = all.as_array().expect("all").clone();
    assert!(all.len() > 200, "{} countries", all.len());
    let found = all.into_iter().find(|row| row["country"] == "TN");
    found.expect("among them")
}

#[tokio::test]
async fn a_country_is_judged_otherwise_and_as_usual_again() {
    let bench = Bench::new();
    let usual =
        json!({"country": "TN", "continent": "AF", "risk": "high", "usual": "high", "own": false});
    assert_eq!(tunisia(&bench).await, usual);
    let path = "/v1/countries/TN";
    let low = bench.json("PUT", path, &json!({"risk": "low"})).await;
    let own =
        json!({"country": "TN", "continent": "AF", "risk": "low", "usual": "high", "own": true});
    assert_eq!((low.status, low.json()), (200, own.clone()));
    assert_eq!(tunisia(&bench).await, own);
    // However it is written; and once more changes nothing.
    let before = bench.state();
    let again = bench
        .json("PUT", "/v1/countries/tn", &json!({"risk": "low"}))
        .await;
    assert_eq!((again.status, bench.state()), (200, before));
    let back = bench.json("PUT", path, &json!({"risk": null})).await;
    assert_eq!((back.status, back.json()), (200, usual));
    let log = bench.plain("GET", "/v1/audit?limit=1").await.json();
    assert_eq!(log["items"][0]["action"], "country risk");
    assert_eq!(log["items"][0]["actor"], "token:boss");
}

#[tokio::test]
async fn a_body_without_a_class_and_a_country_there_is_not_are_refused() {
    let bench = Bench::new();
    let before = bench.state();
    for (path, body, field) in [
        ("/v1/countries/TN", json!({}), "risk"),
        ("/v1/countries/TN", json!({"risk": "huge"}), "risk"),
        ("/v1/countries/ZZ", json!({"risk": "low"}), "country"),
        ("/v1/countries/Tunisia", json!({"risk": "low"}), "country"),
    ] {
        let reply = bench.json("PUT", path, &body).await;
        assert_eq!(reply.status, 400, "{path} {body}: {reply:?}");
        assert!(reply.text.contains(field), "{reply:?}");
    }
    assert_eq!(bench.state(), before);
}
