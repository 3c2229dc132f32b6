//! Both services over a real engine, and over stand-ins for what an engine seldom says.

use super::{Calls, decisions, web};
use crate::accounts::{Accounts, EntryKind, ListKind, Password, Scope, Snapshot, Vault};
use crate::decide::{Authenticator, Decided, Engine, WindowSizes};
use crate::digest::{Gate, GateSettings};
use crate::domain::{Answer, Asked, CallEvent, DigestAlgorithm, Ingress, NeutralAnswer, Timestamp};
use crate::geo::Geo;
use crate::model::ModelSlot;
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Request, StatusCode};
use serde_json::{Value, json};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use tower::ServiceExt as _;

const NOW: Timestamp = Timestamp::from_secs(1_760_000_000);
const TRUSTED: &str = "127.0.0.1";
const STRANGER: &str = "198.51.100.8";
const NUMBER: &str = "442079460123";

/// An engine; what it decided is kept.
struct Service {
    engine: Engine,
    events: Mutex<Vec<CallEvent>>,
}

impl Calls for Service {
    fn ask(&self, asked: Asked) -> Decided {
        let decided = self.engine.decide(asked, NOW);
        let mut events = self.events.lock().expect("not poisoned");
        events.extend(decided.event.clone());
        decided
    }

    fn domain_of_peer(&self, peer: IpAddr) -> Option<String> {
        self.engine.domain_of_peer(peer)
    }

    fn sees_scores(&self, event: &CallEvent) -> bool {
        self.engine.sees_scores(event)
    }
}

/// itsp.example with alice, whom nobody is trusted for; +252 61 is blacklisted.
fn service() -> Arc<Service> {
    let mut accounts = Accounts::in_memory(NOW).expect("accounts");
    let vault = Vault::new([7; 32]);
    let password = Password::parse("correct horse").expect("a password");
    accounts
        .add_domain("itsp.example", &[], NOW)
        .expect("added");
    accounts
        .add_subscriber(
            "alice",
            "itsp.example",
            None,
            Some((&password, &vault)),
            NOW,
        )
        .expect("added");
    let (black, prefix) = (ListKind::Black, EntryKind::Prefix);
    accounts
        .list_add(
            &Scope::System,
            black,
            prefix,
            "25261",
            "IRSF",
            "test",
            None,
            NOW,
        )
        .expect("listed");
    let settings = GateSettings {
        nonce_secs: 300,
        max_nonces: 100,
        algorithms: Arc::new([DigestAlgorithm::Md5]),
    };
    let sizes = WindowSizes {
        tracks: 1_000,
        key: [7; 16],
    };
    let model = Arc::new(ModelSlot::new(None));
    let snapshot = Snapshot::load(&accounts).expect("snapshot");
    let engine = Engine::new(
        snapshot,
        Geo::default(),
        sizes,
        model,
        NeutralAnswer::default(),
    );
    let gate = Gate::new([1; 32], 1, settings);
    let authenticator = Authenticator::new(gate, vault).expect("a decoy");
    Arc::new(Service {
        engine: engine.with_authenticator(authenticator),
        events: Mutex::default(),
    })
}

struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Reply {
    fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).map(|value| value.to_str());
        value.and_then(Result::ok).unwrap_or_default()
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }
}

async fn send(router: Router, peer: &str, mut request: Request<Body>) -> Reply {
    let peer = SocketAddr::new(peer.parse().expect("address"), 1);
    request.extensions_mut().insert(ConnectInfo(peer));
    let response = router.oneshot(request).await.expect("infallible");
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.expect("a body");
    Reply {
        status: parts.status,
        headers: parts.headers,
        body: String::from_utf8(body.into()).expect("UTF-8"),
    }
}

async fn get(service: &Arc<Service>, peer: &str, query: &str) -> Reply {
    let request = Request::get(format!("/?{query}"));
    let request = request.body(Body::empty()).expect("a request");
    send(web::router(service.clone()), peer, request).await
}

async fn post(service: &Arc<Service>, peer: &str, body: impl ToString) -> Reply {
    let request = Request::post("/v1/decisions").header("Content-Type", "application/json");
    let request = request.body(body.to_string().into()).expect("a request");
    send(decisions::router(service.clone()), peer, request).await
}

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

/// What a client answers with, MD5.
fn proof(reply: &Reply, method: &str, target: &str, password: &str) -> String {
    use md5::Digest as _;
    let hash = |text: String| -> String {
        let bytes = md5::Md5::digest(text);
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    };
    let challenge = reply.header("www-authenticate");
    let nonce = challenge
        .split("nonce=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next());
    let nonce = nonce.expect("a nonce");
    let ha1 = hash(format!("alice:itsp.example:{password}"));
    let ha2 = hash(format!("{method}:{target}"));
    let response = hash(format!("{ha1}:{nonce}:00000001:c:auth:{ha2}"));
    format!(
        "Digest username=\"alice\", realm=\"itsp.example\", nonce=\"{nonce}\", uri=\"{target}\", \
         response=\"{response}\", cnonce=\"c\", nc=00000001, qop=auth"
    )
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
    // A domain that is not served, and none at all: nothing to prove.
    for more in ["&domain=elsewhere.example", ""] {
        let query = format!("dialed_number={NUMBER}&from_user=bob{more}");
        let reply = get(&service, STRANGER, &query).await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN, "{query}");
        assert_eq!(
            (reply.body.as_str(), reply.header("www-authenticate")),
            ("forbidden", "")
        );
    }
}

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
            json!({"dialed_number": "1", "from_user": "a", "call_id": "\n"}),
            Some("call_id"),
            "control",
        ),
        (
            json!({"dialed_number": "1", "from_user": "a", "colour": 1}),
            Some("colour"),
            "unknown field",
        ),
        (
            json!(["1", "a", null, null, null, null, null]),
            None,
            "JSON object",
        ),
        (json!("text"), None, "JSON object"),
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
    let reply = post(&service, TRUSTED, "x".repeat(65 * 1024)).await;
    assert_eq!(reply.status, StatusCode::PAYLOAD_TOO_LARGE);
    let plain = Request::post("/v1/decisions")
        .body(Body::from("{}"))
        .expect("a request");
    let reply = send(decisions::router(service.clone()), TRUSTED, plain).await;
    assert_eq!(reply.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let get = Request::get("/v1/decisions")
        .body(Body::empty())
        .expect("a request");
    let reply = send(decisions::router(service.clone()), TRUSTED, get).await;
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
    let reply = send(decisions::router(service.clone()), STRANGER, request).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
    assert_eq!(reply.json()["subscriber"], "alice@itsp.example");
}

/// Answers every question in the same way.
struct Always(fn() -> Answer);

impl Calls for Always {
    fn ask(&self, _: Asked) -> Decided {
        Decided {
            event: None,
            answer: self.0(),
            unchecked: "test",
        }
    }

    fn domain_of_peer(&self, _: IpAddr) -> Option<String> {
        None
    }

    fn sees_scores(&self, _: &CallEvent) -> bool {
        false
    }
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
        let reply = send(decisions::router(calls), TRUSTED, request).await;
        assert_eq!(
            (reply.status.as_u16(), reply.header("retry-after")),
            (status, retry)
        );
        assert_eq!(reply.json()["status"], status);
    }
}
