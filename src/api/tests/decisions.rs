//! `POST /v1/decisions`.

use super::*;

#[tokio::test]
async fn a_decision_with_all_that_is_known_of_it() {
    let service = service();
    let body = json!({
        "dialed_number": "+252612345678", "from_user": "bob", "domain": "itsp.example",
        "source_ip": "2001:db8::1", "user_agent": "Phone/1", "calls": 2, "call_id": "abc",
    });
    let reply = post(&service, TRUSTED, body).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
    let event = service.events.lock().expect("not poisoned").remove(0);
    let said = reply.json();
    for (field, value) in [
        ("id", json!(event.attempt.id)),
        ("code", json!("R03")),
        ("description", json!("called number blacklisted")),
        ("number", json!("252612345678")),
        ("country", json!("SO")),
        ("score", Value::Null),
        ("reasons", json!([])),
        ("model", Value::Null),
        ("policy", json!("default")),
        ("subscriber", json!("default@itsp.example")),
    ] {
        assert_eq!(said[field], value, "{field}");
    }
    let checks = said["checks"].as_array().expect("checks");
    assert_eq!(checks.len(), 15);
    let r03 = checks.iter().find(|check| check["check"] == "R03");
    let r03 = r03.expect("among them");
    assert_eq!(r03["outcome"], "refuse");
    assert!(r03["evidence"].to_string().contains("IRSF"), "{r03}");
    assert_eq!(event.attempt.call_id, "abc");
    assert_eq!(event.attempt.concurrent, Some(2));
    assert_eq!(event.attempt.source_ip.to_string(), "2001:db8::1");
}

#[tokio::test]
async fn a_bad_decision_request_names_its_field() {
    let service = service();
    let long = "x".repeat(257);
    for (body, field, said) in [
        (
            json!({"from_user": "a"}),
            Some("dialed_number"),
            "is missing",
        ),
        (
            json!({"dialed_number": 5, "from_user": "a"}),
            Some("dialed_number"),
            "expected a string",
        ),
        (
            json!({"dialed_number": "", "from_user": "a"}),
            Some("dialed_number"),
            "is missing or empty",
        ),
        (
            json!({"dialed_number": long, "from_user": "a"}),
            Some("dialed_number"),
            "is longer",
        ),
        (
            json!({"dialed_number": "1", "from_user": "a\u{0}"}),
            Some("from_user"),
            "control",
        ),
        (
            json!({"dialed_number": "1", "from_user": "a", "domain": "a b"}),
            Some("domain"),
            "white space",
        ),
        (
            json!({"dialed_number": "1", "from_user": "a", "source_ip": "1.2"}),
            Some("source_ip"),
            "IP address",
        ),
        (
            json!({"dialed_number": "1", "from_user": "a", "calls": -1}),
            Some("calls"),
            "expected u32",
        ),
        (
            json!({"dialed_number": "1", "from_user": "a", "calls": 4_294_967_296_u64}),
            Some("calls"),
            "expected u32",
        ),
        (
            json!({"dialed_number": "1", "from_user": "a", "colour": 1}),
            Some("colour"),
            "unknown field",
        ),
        (
            json!(["1", "a", null, null, null, null, null]),
            Some("body"),
            "sequence",
        ),
        (json!("text"), Some("body"), "string"),
    ] {
        let reply = post(&service, TRUSTED, &body).await;
        assert_eq!(
            reply.status,
            StatusCode::BAD_REQUEST,
            "{body}: {}",
            reply.body
        );
        assert_eq!(reply.header("content-type"), "application/problem+json");
        let problem = reply.json();
        assert_eq!(problem["status"], 400);
        assert_eq!(problem["field"].as_str(), field, "{body}: {problem}");
        let detail = problem["detail"].as_str().expect("a text");
        assert!(detail.contains(said), "{body}: {problem}");
    }
    for body in ["", "{", "{}{}", "\u{0}"] {
        let reply = post(&service, TRUSTED, body).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{body}");
    }
    let reply = post(&service, TRUSTED, "x".repeat((1 << 20) + 1)).await;
    assert_eq!(reply.status, StatusCode::PAYLOAD_TOO_LARGE);
    let plain = Request::post("/v1/decisions")
        .body(Body::from("{}"))
        .expect("a request");
    let reply = send(api(service.clone()), TRUSTED, plain).await;
    assert_eq!(reply.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let get = Request::get("/v1/decisions")
        .body(Body::empty())
        .expect("a request");
    let reply = send(api(service.clone()), TRUSTED, get).await;
    assert_eq!(reply.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(reply.header("allow"), "POST");
    assert!(service.events.lock().expect("not poisoned").is_empty());
}

#[tokio::test]
async fn a_stranger_proves_himself_to_the_api_too() {
    let service = service();
    let body = json!({"dialed_number": NUMBER, "from_user": "bob", "domain": "itsp.example"});
    let asked = post(&service, STRANGER, &body).await;
    assert_eq!(asked.status, StatusCode::UNAUTHORIZED);
    assert_eq!(asked.header("content-type"), "application/problem+json");
    let request = Request::post("/v1/decisions")
        .header("Content-Type", "application/json; charset=utf-8")
        .header(
            "Authorization",
            proof(&asked, "POST", "/v1/decisions", "correct horse"),
        )
        .body(body.to_string().into());
    let request = request.expect("a request");
    let reply = send(api(service.clone()), STRANGER, request).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
    assert_eq!(reply.json()["subscriber"], "alice@itsp.example");
}

/// With a token of `itsp.example`, of an operator and of a reader; from where does not matter.
#[tokio::test]
async fn a_token_speaks_for_its_domain() {
    let bench = Bench::new();
    let own = bench.token("own", Role::Domain, Some("a.example"));
    let reader = bench.token("reader", Role::Reader, None);
    let boss = bench.operator.clone();
    let ask = async |token: &str, domain: Option<&str>| {
        let body = json!({"dialed_number": NUMBER, "from_user": "alice", "domain": domain});
        let headers = [("content-type", "application/json")];
        let reply = bench.ask(
            Some(token),
            "POST",
            "/v1/decisions",
            &headers,
            body.to_string(),
        );
        let reply = reply.await;
        let counted = reply.json()["subscriber"].as_str().map(str::to_owned);
        (reply.status, counted.unwrap_or_default())
    };
    for (token, domain, status, counted) in [
        (&own, None, 200, "alice@a.example"),
        (&own, Some("A.example"), 200, "alice@a.example"),
        (&own, Some("b.example"), 403, ""),
        (&own, Some("nosuch.example"), 403, ""),
        (&boss, Some("a.example"), 200, "alice@a.example"),
        (&boss, Some("b.example"), 200, "alice@b.example"),
        (&boss, Some("root"), 200, "default@root"),
        (&boss, Some("nosuch.example"), 404, ""),
        (&reader, Some("a.example"), 403, ""),
        (&"tfps_wrong".to_owned(), Some("a.example"), 401, ""),
    ] {
        let said = ask(token, domain).await;
        assert_eq!(said, (status, counted.to_owned()), "{token} {domain:?}");
    }
    assert_eq!(bench.calls.decided(), 5);
}

/// Whoever does not see scores does not learn one from what R15 says either.
#[tokio::test]
async fn the_score_is_told_to_plans_that_see_it_and_nowhere_to_others() {
    let mut accounts = Accounts::in_memory(NOW).expect("accounts");
    for (domain, plan) in [("basic.example", Plan::Basic), ("itsp.example", Plan::Itsp)] {
        accounts.add_domain(domain, &[], NOW).expect("added");
        let audited = accounts.change_policy(domain, "default", NOW, |rules| {
            rules.plan = plan;
            rules.risk_threshold = Some(0.0);
            rules.modes.insert("R15".to_owned(), Mode::Audit);
            Ok(())
        });
        audited.expect("changed");
    }
    let file = include_bytes!("../../../models/default.json");
    let model = Model::from_bytes(file, CATALOGUE, VERSION).expect("the shipped model");
    let service = Service::scoring(&accounts, Vault::new([7; 32]), Some(model));
    for (domain, sees) in [("itsp.example", true), ("basic.example", false)] {
        let body = json!({"dialed_number": NUMBER, "from_user": "bob", "domain": domain});
        let reply = post(&service, TRUSTED, body).await;
        let said = reply.json();
        let checks = said["checks"].as_array().expect("checks");
        let r15 = checks.iter().find(|check| check["check"] == "R15");
        let r15 = r15.expect("among them");
        assert_eq!(r15["outcome"], "audit", "{said}");
        assert_eq!(!r15["evidence"].as_str().expect("text").is_empty(), sees);
        assert_eq!(said["score"].is_number(), sees, "{said}");
        assert_eq!(said["model"].is_string(), sees);
        let events = service.events.lock().expect("not poisoned");
        let score = events.last().and_then(|event| event.decision.score);
        let told = format!("{:.3}", score.expect("scored"));
        assert_eq!(reply.body.contains(&told), sees, "{told}: {said}");
    }
}

#[tokio::test]
async fn what_the_calling_device_says_of_itself_is_cut_not_refused() {
    let service = service();
    let long = "x".repeat(5_000);
    let body = json!({"dialed_number": NUMBER, "from_user": "bob", "user_agent": long,
        "call_id": format!("a\nb{long}")});
    let reply = post(&service, TRUSTED, body).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
    let events = service.events.lock().expect("not poisoned");
    assert_eq!(events[0].attempt.user_agent, long[..256]);
    assert_eq!(events[0].attempt.call_id, format!("a b{}", &long[..253]));
}
