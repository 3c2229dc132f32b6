//! The description and the routes are the same, and what the description says is true.

use super::*;
use serde_json::json;

const ROUTES: &[&str] = &[
    "DELETE /v1/domains/{domain}",
    "DELETE /v1/domains/{domain}/callers/{number}",
    "DELETE /v1/domains/{domain}/policies/{policy}",
    "DELETE /v1/domains/{domain}/policies/{policy}/lists",
    "DELETE /v1/domains/{domain}/subscribers/{user}",
    "DELETE /v1/domains/{domain}/subscribers/{user}/password",
    "DELETE /v1/domains/{domain}/usage/{name}",
    "DELETE /v1/lists",
    "DELETE /v1/tokens/{name}",
    "GET /v1/audit",
    "GET /v1/countries",
    "GET /v1/domains",
    "GET /v1/domains/{domain}",
    "GET /v1/domains/{domain}/callers",
    "GET /v1/domains/{domain}/callers/{number}",
    "GET /v1/domains/{domain}/policies",
    "GET /v1/domains/{domain}/policies/{policy}",
    "GET /v1/domains/{domain}/policies/{policy}/lists",
    "GET /v1/domains/{domain}/subscribers",
    "GET /v1/domains/{domain}/subscribers/{user}",
    "GET /v1/domains/{domain}/usage/{name}",
    "GET /v1/export",
    "GET /v1/lists",
    "GET /v1/lists/learned",
    "GET /v1/models/status",
    "GET /v1/plans",
    "GET /v1/tokens",
    "GET /v1/verdicts",
    "GET /v1/verdicts/suggestions",
    "PATCH /v1/domains/{domain}",
    "PATCH /v1/domains/{domain}/policies/{policy}",
    "PATCH /v1/plans/{plan}",
    "POST /v1/decisions",
    "POST /v1/domains",
    "POST /v1/domains/{domain}/policies",
    "POST /v1/domains/{domain}/policies/{policy}/lists",
    "POST /v1/import",
    "POST /v1/lists",
    "POST /v1/lists/learned",
    "POST /v1/tokens",
    "POST /v1/verdicts",
    "POST /v1/verdicts/suggestions/{id}",
    "PUT /v1/countries/{country}",
    "PUT /v1/domains/{domain}/callers/{number}",
    "PUT /v1/domains/{domain}/policies/{policy}",
    "PUT /v1/domains/{domain}/subscribers/{user}",
    "PUT /v1/domains/{domain}/subscribers/{user}/password",
];

#[tokio::test]
async fn every_route_is_described_and_every_description_has_a_route() {
    let bench = Bench::new();
    let document = document(&bench).await;
    let routes = described(&document);
    let mut told: Vec<_> = routes
        .iter()
        .map(|route| format!("{} {}", route.method, route.path))
        .collect();
    told.sort();
    assert_eq!(told, ROUTES);
    for route in &routes {
        // Without a token: nothing is done, and a route that is not there would be 404.
        let path = route.filled();
        let reply = bench
            .ask(None, &route.method, &path, &[], Body::empty())
            .await;
        if route.path == "/v1/decisions" {
            // Whom to ask for proof the body would say.
            assert_eq!(reply.status, 415);
            continue;
        }
        assert_eq!(reply.status, 401, "{} {}", route.method, route.path);
        assert_eq!(reply.header("www-authenticate"), "Bearer");
    }
}

#[tokio::test]
async fn what_is_no_route_and_no_method_of_one_is_a_problem() {
    let bench = Bench::new();
    for path in ["/v1", "/v1/", "/v1/nosuch", "/v1/domains/", "/nosuch"] {
        let reply = bench.plain("GET", path).await;
        assert_eq!((reply.status, reply.field().as_str()), (404, ""), "{path}");
    }
    let document = document(&bench).await;
    let routes = described(&document);
    for route in &routes {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"] {
            let known = |r: &&Described| r.path == route.path && r.method == method;
            if routes.iter().any(|r| known(&r)) {
                continue;
            }
            let reply = bench.plain(method, &route.filled()).await;
            assert_eq!(reply.status, 405, "{method} {}", route.path);
            assert_eq!(reply.field(), "");
            let allowed = reply.header("allow");
            assert!(allowed.contains(&route.method), "{allowed}: {}", route.path);
        }
    }
}

#[tokio::test]
async fn the_description_is_openapi_3_1_and_says_who_may() {
    let document = document(&Bench::new()).await;
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["security"], json!([{"token": []}]));
    assert_eq!(
        document["components"]["securitySchemes"]["token"]["scheme"],
        "bearer"
    );
    let mut names = std::collections::BTreeSet::new();
    for route in described(&document) {
        let operation = &route.operation;
        let name = operation["operationId"].as_str().expect("a name");
        assert!(names.insert(name.to_owned()), "{name} twice");
        assert!(operation["summary"].is_string(), "{name} is not described");
        for status in ["401", "403", "default"] {
            let content = &operation["responses"][status]["content"];
            assert!(content["application/problem+json"].is_object(), "{name}");
        }
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let text = parameter["description"].as_str().unwrap_or_default();
            assert!(!text.is_empty(), "{name}: {parameter}");
        }
    }
}

#[tokio::test]
async fn every_reference_is_kept_and_every_schema_is_told_by_example() {
    let document = document(&Bench::new()).await;
    references(&document, &document);
    let schemas = document["components"]["schemas"].as_object().expect("all");
    for (name, schema) in schemas {
        let Some(properties) = schema["properties"].as_object() else {
            continue;
        };
        for (property, part) in properties {
            let refers = part["oneOf"].is_array() || resolved(&document, part) != part;
            assert!(
                part["description"].is_string() || refers,
                "{name}.{property} is not described"
            );
        }
        let told = !schema["example"].is_null()
            || properties.values().all(|part| is_told(&document, part));
        assert!(told, "{name} has no example: {schema}");
    }
}

/// Whether a reader sees what such a value looks like.
fn is_told(document: &Value, schema: &Value) -> bool {
    let schema = resolved(document, schema);
    let any = |key: &str| schema[key].as_array().is_some_and(|all| !all.is_empty());
    !schema["example"].is_null()
        || any("enum")
        || any("oneOf")
        || any("allOf")
        || schema["format"].is_string()
        || schema["items"].is_object()
        || schema["properties"].is_object()
        || schema["additionalProperties"].is_object()
        || schema["type"] == "object"
        || schema["type"] == json!(["object", "null"])
        || schema["type"] == "boolean"
}

fn references(document: &Value, value: &Value) {
    match value {
        Value::Object(fields) => {
            resolved(document, value);
            fields
                .values()
                .for_each(|value| references(document, value));
        }
        Value::Array(all) => all.iter().for_each(|value| references(document, value)),
        _ => {}
    }
}

#[tokio::test]
async fn the_example_of_every_body_is_taken() {
    let first = Bench::new();
    let document = document(&first).await;
    let mut taken = 0;
    for route in described(&document) {
        let Some((schema, _)) = route.body() else {
            continue;
        };
        let schema = resolved(&document, &schema);
        let example = match &schema["example"] {
            Value::Null => json!({}),
            example => example.clone(),
        };
        let bench = Bench::new();
        let reply = bench.json(&route.method, &route.filled(), &example).await;
        assert!(
            (200..300).contains(&reply.status),
            "{} {} with {example}: {reply:?}",
            route.method,
            route.path
        );
        taken += 1;
    }
    assert!(taken >= 10, "only {taken} bodies");
}
