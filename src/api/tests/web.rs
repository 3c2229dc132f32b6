//! The web service.

use super::*;

#[tokio::test]
async fn three_letters_and_nothing_else() {
    let service = service();
    for (number, code) in [
        (NUMBER, "A00"),
        ("252612345678", "R03"),
        ("999123456789", "R07"),
    ] {
        let query = format!("dialed_number={number}&from_user=alice");
        let reply = get(&service, TRUSTED, &query).await;
        assert_eq!((reply.status, reply.body.as_str()), (StatusCode::OK, code));
        assert_eq!(reply.header("content-type"), "text/plain");
    }
}

#[tokio::test]
async fn a_question_is_a_call_like_any_other() {
    let service = service();
    let query = format!(
        "dialed_number=%2B{NUMBER}&from_user=bob&source_ip=192.0.2.10&user_agent=Phone/1&sim_calls=3"
    );
    get(&service, TRUSTED, &query).await;
    get(&service, TRUSTED, &format!("{query}&domain=ITSP.example")).await;
    let events = service.events.lock().expect("not poisoned");
    let first = &events[0].attempt;
    assert_eq!(first.ingress, Ingress::Web);
    assert!(!first.ingress.is_shadow(), "a paid call");
    assert_eq!(
        (first.user.as_str(), first.domain.as_str()),
        ("bob", "root")
    );
    assert_eq!(first.dialed, format!("+{NUMBER}"));
    assert_eq!(first.source_ip.to_string(), "192.0.2.10");
    assert_eq!(first.user_agent, "Phone/1");
    assert_eq!(first.concurrent, Some(3));
    assert_eq!(events[1].account, "itsp.example");
    assert_ne!(first.id, events[1].attempt.id, "each is a call of its own");
}

#[tokio::test]
async fn what_is_wrong_is_told_and_nothing_is_decided() {
    let service = service();
    let reply = get(&service, TRUSTED, "dialed_number=1").await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    assert!(
        reply.body.starts_with("from_user: is missing"),
        "{}",
        reply.body
    );
    for method in ["HEAD", "POST", "PUT", "DELETE", "OPTIONS"] {
        let request = Request::builder().method(method);
        let request = request.uri(format!("/?dialed_number={NUMBER}&from_user=alice"));
        let request = request.body(Body::empty()).expect("a request");
        let reply = send(web::router(service.clone()), TRUSTED, request).await;
        assert_eq!(reply.status, StatusCode::METHOD_NOT_ALLOWED, "{method}");
        assert_eq!(reply.header("allow"), "GET", "{method}");
    }
    let request = Request::get("/nothing")
        .body(Body::empty())
        .expect("a request");
    let reply = send(web::router(service.clone()), TRUSTED, request).await;
    assert_eq!(reply.status, StatusCode::NOT_FOUND);
    assert!(service.events.lock().expect("not poisoned").is_empty());
}

#[tokio::test]
async fn a_stranger_is_asked_for_proof_of_this_very_request() {
    let service = service();
    let query = format!("dialed_number={NUMBER}&from_user=bob&domain=itsp.example");
    let target = format!("/?{query}");
    let ask = |header: String| {
        let request = Request::get(&target).header("Authorization", header);
        let request = request.body(Body::empty()).expect("a request");
        send(web::router(service.clone()), STRANGER, request)
    };
    let asked = get(&service, STRANGER, &query).await;
    assert_eq!(asked.status, StatusCode::UNAUTHORIZED);
    let challenge = asked.header("www-authenticate");
    assert!(
        challenge.starts_with("Digest realm=\"itsp.example\", "),
        "{challenge}"
    );
    let other = target.replace("bob", "eve");
    for (header, status) in [
        (
            proof(&asked, "GET", &other, "correct horse"),
            StatusCode::UNAUTHORIZED,
        ),
        (
            proof(&asked, "POST", &target, "correct horse"),
            StatusCode::FORBIDDEN,
        ),
        (
            proof(&asked, "GET", &target, "incorrect horse"),
            StatusCode::FORBIDDEN,
        ),
        (
            proof(&asked, "GET", &target, "correct horse"),
            StatusCode::OK,
        ),
        // Replayed.
        (
            proof(&asked, "GET", &target, "correct horse"),
            StatusCode::UNAUTHORIZED,
        ),
    ] {
        let reply = ask(header.clone()).await;
        assert_eq!(reply.status, status, "{header}");
    }
    let events = service.events.lock().expect("not poisoned").clone();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].subscriber, "alice");
    // A domain that is not served: nothing to prove.
    let query = format!("dialed_number={NUMBER}&from_user=bob");
    let elsewhere = format!("{query}&domain=elsewhere.example");
    let reply = get(&service, STRANGER, &elsewhere).await;
    assert_eq!(reply.status, StatusCode::FORBIDDEN);
    assert_eq!(
        (reply.body.as_str(), reply.header("www-authenticate")),
        ("forbidden", "")
    );
    // None at all: the root's, so that the shortest URL is of use to its subscribers.
    let reply = get(&service, STRANGER, &query).await;
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
    let challenge = reply.header("www-authenticate");
    assert!(
        challenge.starts_with("Digest realm=\"root\", "),
        "{challenge}"
    );
}

#[tokio::test]
async fn too_many_calls_per_second_are_told_when_to_come_back() {
    for (calls, status, retry) in [
        (Always(|| Answer::Busy { retry_after: 7 }), 503, "7"),
        (Always(|| Answer::Forbidden), 403, ""),
        (Always(|| panic!("a defect")), 500, ""),
    ] {
        let calls: Arc<dyn Calls> = Arc::new(calls);
        let request = Request::get(format!("/?dialed_number={NUMBER}&from_user=a"));
        let request = request.body(Body::empty()).expect("a request");
        let reply = send(web::router(calls.clone()), TRUSTED, request).await;
        assert_eq!(
            (reply.status.as_u16(), reply.header("retry-after")),
            (status, retry)
        );
        let body = json!({"dialed_number": NUMBER, "from_user": "a"});
        let request = Request::post("/v1/decisions").header("Content-Type", "application/json");
        let request = request.body(body.to_string().into()).expect("a request");
        let reply = send(api(calls), TRUSTED, request).await;
        assert_eq!(
            (reply.status.as_u16(), reply.header("retry-after")),
            (status, retry)
        );
        assert_eq!(reply.json()["status"], status);
    }
}

#[tokio::test]
async fn bad_hints_keep_no_call_from_being_checked() {
    let service = service();
    let long = "x".repeat(2_000);
    let query = format!(
        "dialed_number={NUMBER}&from_user=bob&source_ip=nowhere&sim_calls=1e3&user_agent={long}%zz"
    );
    let reply = get(&service, TRUSTED, &query).await;
    assert_eq!((reply.status, reply.body.as_str()), (StatusCode::OK, "A00"));
    let events = service.events.lock().expect("not poisoned");
    let call = &events[0].attempt;
    assert_eq!((call.source_ip, call.concurrent), (call.peer, None));
    assert_eq!(call.user_agent, long[..256]);
    let noted = service.bad_hints.lock().expect("not poisoned");
    assert_eq!(*noted, ["source_ip", "user_agent", "sim_calls"]);
}
