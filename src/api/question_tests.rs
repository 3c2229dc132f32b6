//! Both services over a real engine, and over stand-ins for what an engine seldom says.

#[path = "tests/decisions.rs"]
mod of_decisions;
#[path = "tests/web.rs"]
mod of_web;

use super::tests::Bench;
use super::{Calls, Desk, router, web};
use crate::accounts::{Accounts, EntryKind, ListKind, Password, Role, Scope, Snapshot, Vault};
use crate::decide::{Allowance, Authenticator, Decided, Engine, ResetError, WindowSizes};
use crate::digest::{Algorithms, DigestSettings, Gate};
use crate::domain::{
    Answer, Asked, CallEvent, DigestAlgorithm, Ingress, Mode, NeutralAnswer, Plan, Timestamp,
};
use crate::features::{CATALOGUE, VERSION};
use crate::geo::Geo;
use crate::model::{Model, ModelSlot};
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
pub(super) struct Service {
    engine: Engine,
    events: Mutex<Vec<CallEvent>>,
    bad_hints: Mutex<Vec<&'static str>>,
}

impl Calls for Service {
    fn ask(&self, asked: Asked) -> Decided {
        let decided = self.engine.decide(asked, NOW);
        let mut events = self.events.lock().expect("not poisoned");
        events.extend(decided.event.clone());
        decided
    }

    fn domain_of_peer(&self, peer: IpAddr) -> String {
        self.engine.domain_of_peer(peer)
    }

    fn note_bad_hint(&self, name: &'static str) {
        self.bad_hints.lock().expect("not poisoned").push(name);
    }

    fn usage(&self, domain: &str, name: &str) -> Option<Allowance> {
        self.engine.usage(domain, name, NOW)
    }

    fn reset_usage(&self, domain: &str, name: &str) -> Result<Allowance, ResetError> {
        self.engine.reset_usage(domain, name, NOW)
    }

    fn model_status(&self) -> crate::model::ModelStatus {
        self.engine.model().status()
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
    Service::over(&accounts, vault)
}

impl Service {
    /// Over accounts as they are now.
    pub(super) fn over(accounts: &Accounts, vault: Vault) -> Arc<Self> {
        Self::scoring(accounts, vault, None)
    }

    fn scoring(accounts: &Accounts, vault: Vault, model: Option<Model>) -> Arc<Self> {
        let settings = DigestSettings {
            nonce_secs: 300,
            max_nonces: 100,
            algorithms: Algorithms(vec![DigestAlgorithm::Md5]),
        };
        let sizes = WindowSizes {
            tracks: 1_000,
            key: [7; 16],
        };
        let model = Arc::new(ModelSlot::new(model.map(Arc::new)));
        let snapshot = Snapshot::load(accounts).expect("snapshot");
        let engine = Engine::new(
            snapshot,
            Geo::default(),
            sizes,
            model,
            NeutralAnswer::default(),
        );
        let gate = Gate::new([1; 32], 1, &settings);
        let authenticator = Authenticator::new(gate, vault).expect("a decoy");
        Arc::new(Self {
            engine: engine.with_authenticator(authenticator),
            events: Mutex::default(),
            bad_hints: Mutex::default(),
        })
    }
}

impl Service {
    /// Calls decided.
    pub(super) fn decided(&self) -> usize {
        self.events.lock().expect("not poisoned").len()
    }
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

/// The API over a service; of accounts it has none.
fn api(calls: Arc<dyn Calls>) -> Router {
    let nowhere = std::path::Path::new("/nonexistent");
    let book = std::sync::Arc::new(super::tests::Shelf::default());
    router(Desk::new(nowhere, Vault::new([7; 32]), calls, book, || NOW))
}

async fn post(service: &Arc<Service>, peer: &str, body: impl ToString) -> Reply {
    let request = Request::post("/v1/decisions").header("Content-Type", "application/json");
    let request = request.body(body.to_string().into()).expect("a request");
    send(api(service.clone()), peer, request).await
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

/// Answers every question in the same way.
struct Always(fn() -> Answer);

impl Calls for Always {
    fn ask(&self, _: Asked) -> Decided {
        Decided {
            event: None,
            answer: self.0(),
            unchecked: "test",
            novel: false,
        }
    }

    fn domain_of_peer(&self, _: IpAddr) -> String {
        "root".to_owned()
    }

    fn note_bad_hint(&self, _: &'static str) {}

    fn usage(&self, _: &str, _: &str) -> Option<Allowance> {
        None
    }

    fn reset_usage(&self, domain: &str, name: &str) -> Result<Allowance, ResetError> {
        Err(ResetError::NoSubscriber {
            domain: domain.to_owned(),
            name: name.to_owned(),
        })
    }

    fn model_status(&self) -> crate::model::ModelStatus {
        ModelSlot::default().status()
    }

    fn sees_scores(&self, _: &CallEvent) -> bool {
        false
    }
}
