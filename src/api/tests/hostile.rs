//! Every field of every body, every name in every path and every parameter, with values of wrong
//! types and with hostile ones. The table is the description itself, so that a new field is in it.

use super::*;
use serde_json::json;

/// Wrong types and hostile texts. Whether a field may take one, its schema says.
fn values() -> Vec<Value> {
    let deep = (0..100).fold(json!(1), |inner, _| json!([inner]));
    vec![
        Value::Null,
        json!(true),
        json!(7),
        json!(-1),
        json!(1.5),
        json!(u64::MAX),
        json!(1e300),
        json!([]),
        json!([null]),
        json!({}),
        json!({"a": {"b": 1}}),
        deep,
        json!(""),
        json!("\0"),
        json!("a\0b"),
        json!("\u{1b}[31m\r\nX-Injected: 1"),
        json!("\u{202e}elpmaxe"),
        json!("\u{200b}"),
        json!("'; DROP TABLE policy; --"),
        json!("../../../etc/passwd"),
        json!("%00%2e%2e%2f"),
        json!("x".repeat(100_000)),
        json!("("),
        json!("(a{1000}){1000}"),
    ]
}

/// Where a value stands in a body.
#[derive(Clone, Debug)]
enum Step {
    Key(String),
    First,
}

/// Every place of a schema, itself not.
fn places(document: &Value, schema: &Value, at: &[Step], found: &mut Vec<(Vec<Step>, Value)>) {
    let mut below = |step: Step, schema: &Value| {
        let mut place = at.to_vec();
        place.push(step);
        found.push((place.clone(), schema.clone()));
        if place.len() < 6 {
            places(document, schema, &place, found);
        }
    };
    let schema = resolved(document, schema);
    for (name, part) in schema["properties"].as_object().into_iter().flatten() {
        below(Step::Key(name.clone()), part);
    }
    if schema["items"].is_object() {
        below(Step::First, &schema["items"]);
    }
    if schema["additionalProperties"].is_object() {
        below(Step::Key("R01".into()), &schema["additionalProperties"]);
    }
    for key in ["oneOf", "allOf", "anyOf"] {
        for part in schema[key].as_array().into_iter().flatten() {
            places(document, part, at, found);
        }
    }
}

/// Whether a schema takes values of this type.
fn takes(document: &Value, schema: &Value, value: &Value) -> bool {
    let schema = resolved(document, schema);
    for key in ["oneOf", "anyOf", "allOf"] {
        if let Some(all) = schema[key].as_array() {
            return all.iter().any(|part| takes(document, part, value));
        }
    }
    if let Some(all) = schema["enum"].as_array() {
        return all.contains(value);
    }
    let is = |kind: &str| match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => true,
    };
    match &schema["type"] {
        Value::String(kind) => is(kind),
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).any(is),
        _ => true,
    }
}

fn put(body: &mut Value, place: &[Step], value: Value) {
    let Some((first, rest)) = place.split_first() else {
        *body = value;
        return;
    };
    match first {
        Step::Key(key) => {
            if !body.is_object() {
                *body = json!({});
            }
            put(&mut body[key.as_str()], rest, value);
        }
        Step::First => {
            if body.as_array().is_none_or(Vec::is_empty) {
                *body = json!([null]);
            }
            put(&mut body[0], rest, value);
        }
    }
}

fn text_of(place: &[Step]) -> String {
    let mut text = String::new();
    for step in place {
        match step {
            Step::Key(key) if text.is_empty() => text.push_str(key),
            Step::Key(key) => text.push_str(&format!(".{key}")),
            Step::First => text.push_str("[0]"),
        }
    }
    text
}

/// An answer that refuses in few words, obeys nothing and names the field.
fn assert_refused(reply: &Reply, place: &str, what: &str) {
    assert!((400..500).contains(&reply.status), "{what}: {reply:?}");
    let field = reply.field();
    let outer = place.split(['.', '[']).next().unwrap_or_default();
    // A field that is there too often, or not at all, is known by the object it is missing in.
    assert!(
        field.starts_with(outer) || place.starts_with(&field),
        "{what}: field `{field}`: {reply:?}"
    );
    assert!(!field.is_empty(), "{what}: {reply:?}");
    assert!(
        reply.text.len() < 4_000,
        "{what}: {} bytes",
        reply.text.len()
    );
    let detail = reply.json()["detail"].as_str().expect("text").to_owned();
    let obeyed = |c: char| c.is_control() || c == '\u{202e}' || c == '\u{200b}';
    assert!(!detail.contains(obeyed), "{what}: {detail:?}");
}

#[tokio::test]
async fn every_field_of_every_body() {
    let mut bench = Bench::new();
    let document = document(&bench).await;
    let mut before = bench.state();
    let mut tried = 0;
    for route in described(&document) {
        let Some((schema, _)) = route.body() else {
            continue;
        };
        let content = &route.operation["requestBody"]["content"];
        let patches = content["application/merge-patch+json"].is_object();
        let mut found = Vec::new();
        places(&document, &schema, &[], &mut found);
        assert!(!found.is_empty(), "{} has no fields", route.path);
        let whole = resolved(&document, &schema)["example"].clone();
        let whole = if whole.is_null() { json!({}) } else { whole };
        for (place, schema) in found {
            for value in values() {
                // In a merge patch it gives the field what it has when nothing is said.
                let resets = value.is_null() && patches;
                let mut body = whole.clone();
                put(&mut body, &place, value.clone());
                let reply = bench.json(&route.method, &route.filled(), &body).await;
                let shown: String = value.to_string().chars().take(60).collect();
                let what = format!(
                    "{} {} {} = {shown}",
                    route.method,
                    route.path,
                    text_of(&place)
                );
                tried += 1;
                if (200..300).contains(&reply.status) {
                    let may = takes(&document, &schema, &value) || resets;
                    assert!(may, "{what} was taken: {reply:?}");
                    bench = Bench::new();
                    before = bench.state();
                    continue;
                }
                assert_refused(&reply, &text_of(&place), &what);
                assert_eq!(bench.state(), before, "{what}");
            }
        }
        let mut body = whole.clone();
        put(&mut body, &[Step::Key("nonsense".into())], json!(1));
        let reply = bench.json(&route.method, &route.filled(), &body).await;
        assert_refused(&reply, "nonsense", &route.path);
        assert_eq!(reply.field(), "nonsense", "{}", route.path);
        assert_eq!(bench.state(), before);
    }
    assert!(tried > 500, "only {tried} tried");
}

#[tokio::test]
async fn every_body_that_is_none() {
    let bench = Bench::new();
    let document = document(&bench).await;
    let before = bench.state();
    let token = Some(bench.operator.as_str());
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let large = format!("\"{}\"", "x".repeat(2 << 20));
    for route in described(&document) {
        let Some((_, media)) = route.body() else {
            continue;
        };
        let bodies: [(&[u8], u16); 10] = [
            (b"", 400),
            (b"{", 400),
            (b"[]", 400),
            (b"null", 400),
            (b"\"text\"", 400),
            (b"{} {}", 400),
            (b"\xff\xfe{}", 400),
            (b"{} //", 400),
            (deep.as_bytes(), 400),
            (large.as_bytes(), 413),
        ];
        for (body, status) in bodies {
            let headers = [("content-type", media.as_str())];
            let path = route.filled();
            let reply = bench
                .ask(token, &route.method, &path, &headers, body.to_vec())
                .await;
            let shown = String::from_utf8_lossy(&body[..body.len().min(20)]);
            assert_eq!(reply.status, status, "{} {path} {shown}", route.method);
            assert_refused(&reply, "body", &route.path);
        }
        let headers = [("content-type", "text/plain")];
        let path = route.filled();
        let reply = bench.ask(token, &route.method, &path, &headers, "{}").await;
        assert_eq!(
            (reply.status, reply.field().as_str()),
            (415, "Content-Type")
        );
    }
    assert_eq!(bench.state(), before);
}

#[tokio::test]
async fn every_name_in_every_path() {
    let bench = Bench::new();
    let document = document(&bench).await;
    let before = bench.state();
    let long = "x".repeat(5_000);
    let mut tried = 0;
    for route in described(&document) {
        let names = route.operation["parameters"].as_array().cloned();
        for parameter in names.unwrap_or_default() {
            if parameter["in"] != "path" {
                continue;
            }
            let name = parameter["name"].as_str().expect("a name");
            for hostile in [
                "%00",
                "a%00b",
                "%FF",
                "%E2%80%AE",
                "..%2F..%2Fetc",
                "a%20b",
                "a%2Fb",
                "%0D%0AX",
                &long,
            ] {
                let path = route.path.replace(&format!("{{{name}}}"), hostile);
                let filled = Described {
                    path,
                    method: route.method.clone(),
                    operation: Value::Null,
                }
                .filled();
                let example = route
                    .body()
                    .map(|(schema, _)| resolved(&document, &schema)["example"].clone());
                let body = example
                    .filter(|example| !example.is_null())
                    .unwrap_or(json!({}));
                let reply = bench.json(&route.method, &filled, &body).await;
                let what = format!("{} {filled:.80}", route.method);
                let expected = if hostile == "%FF" { "path" } else { name };
                assert_refused(&reply, expected, &what);
                assert_eq!(reply.field(), expected, "{what}");
                tried += 1;
            }
        }
    }
    assert!(tried > 100, "only {tried} tried");
    assert_eq!(bench.state(), before);
}

#[tokio::test]
async fn every_parameter_of_every_query() {
    let bench = Bench::new();
    let document = document(&bench).await;
    let before = bench.state();
    let long = "x".repeat(5_000);
    let mut tried = 0;
    for route in described(&document) {
        let good = match route.method.as_str() {
            "DELETE" => "list=black&kind=prefix&value=1&",
            _ => "",
        };
        let parameters = route.operation["parameters"].as_array().cloned();
        for parameter in parameters.unwrap_or_default() {
            if parameter["in"] != "query" {
                continue;
            }
            let name = parameter["name"].as_str().expect("a name");
            let schema = &parameter["schema"];
            for hostile in [
                "",
                "%00",
                "-1",
                "0",
                "1.5",
                "99999999999999999999",
                "%E2%80%AE",
                "'%3B--",
                "..%2F",
                &long,
            ] {
                let rest = good
                    .split_inclusive('&')
                    .filter(|pair| !pair.starts_with(&format!("{name}=")));
                let rest: String = rest.collect();
                let path = format!("{}?{rest}{name}={hostile}", route.filled());
                let reply = bench.plain(&route.method, &path).await;
                let what = format!("{} {path:.120}", route.method);
                tried += 1;
                let text = json!("any text");
                if takes(&document, schema, &text) && schema["format"].is_null() {
                    assert!(reply.status < 500, "{what}: {reply:?}");
                } else {
                    assert_refused(&reply, name, &what);
                    assert_eq!(reply.field(), name, "{what}");
                }
            }
        }
        if route.method == "GET" && !route.path.ends_with('}') {
            let path = format!("{}?nonsense=1", route.filled());
            let reply = bench.plain("GET", &path).await;
            assert_eq!((reply.status, reply.field().as_str()), (400, "nonsense"));
            let path = format!("{}?limit=1&limit=2", route.filled());
            let reply = bench.plain("GET", &path).await;
            assert_eq!((reply.status, reply.field().as_str()), (400, "limit"));
        }
    }
    assert!(tried > 100, "only {tried} tried");
    assert_eq!(bench.state(), before);
}
