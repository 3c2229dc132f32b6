//! The routes without a socket: requests go straight to the router, over accounts in a folder.

mod counted;
mod countries;
mod document;
mod hostile;
mod passwords;
mod resources;
mod roles;
mod verdicts;

use super::question_tests::Service;
use super::{Desk, router};
use crate::accounts::file::Included;
use crate::accounts::{Accounts, AuditFilter, NewToken, Role, Subscriber, Vault};
use crate::domain::Timestamp;
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, header};
use futures_util::StreamExt;
use serde_json::Value;
use std::sync::Arc;
use tempfile::TempDir;
use tower::ServiceExt;

const NOW: Timestamp = Timestamp::from_secs(1_760_000_000);

/// A router over accounts with two domains.
pub(super) struct Bench {
    router: Router,
    /// Decides by the accounts as they were at first.
    pub(super) calls: Arc<Service>,
    folder: TempDir,
    /// Open, so that a look at them costs little.
    accounts: Accounts,
    pub(super) operator: String,
}

pub(super) use verdicts::Shelf;

/// An answer.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    headers: HeaderMap,
    text: String,
}

impl Reply {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {}", self.text))
    }

    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().expect("text"))
    }

    /// The field of a problem, which this must be.
    fn field(&self) -> String {
        assert_eq!(
            self.header("content-type"),
            "application/problem+json",
            "{self:?}"
        );
        let problem = self.json();
        assert_eq!(problem["status"], self.status, "{self:?}");
        assert!(problem["detail"].is_string() && problem["title"].is_string());
        problem["field"].as_str().unwrap_or_default().to_owned()
    }
}

impl Bench {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let mut accounts = Accounts::open(folder.path(), NOW).expect("accounts");
        for domain in ["a.example", "b.example"] {
            accounts.add_domain(domain, &[], NOW).expect("domain");
            let alice = Subscriber::User("alice");
            accounts
                .set_subscriber(alice, domain, "default", NOW)
                .expect("subscriber");
            let caller = Subscriber::Ani("442079460000");
            accounts
                .set_subscriber(caller, domain, "default", NOW)
                .expect("caller");
        }
        let operator = token(&mut accounts, "boss", Role::Operator, None);
        let vault = Vault::new([7; 32]);
        let calls = Service::over(&accounts, vault.clone());
        Self {
            router: router(Desk::new(
                folder.path(),
                vault,
                calls.clone(),
                Arc::new(Shelf::default()),
                || NOW,
            )),
            calls,
            folder,
            accounts,
            operator,
        }
    }

    fn accounts(&self) -> Accounts {
        Accounts::open(self.folder.path(), NOW).expect("accounts")
    }

    pub(super) fn token(&self, name: &str, role: Role, domain: Option<&str>) -> String {
        token(&mut self.accounts(), name, role, domain)
    }

    /// Everything an edit could change.
    fn state(&self) -> (String, usize, usize) {
        let accounts = &self.accounts;
        let file = accounts.export(Included::All).expect("exported");
        let filter = AuditFilter {
            limit: u32::MAX,
            ..AuditFilter::default()
        };
        (
            file.to_toml().expect("toml"),
            accounts.audit_log(&filter).expect("log").len(),
            accounts.tokens().expect("tokens").len(),
        )
    }

    pub(super) async fn ask(
        &self,
        token: Option<&str>,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Reply {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(body.into()).expect("a request");
        let response = self.router.clone().oneshot(request).await;
        let (parts, body) = response.expect("infallible").into_parts();
        let mut chunks = body.into_data_stream();
        let mut bytes = Vec::new();
        while let Some(chunk) = chunks.next().await {
            bytes.extend_from_slice(&chunk.expect("a chunk"));
        }
        Reply {
            status: parts.status.as_u16(),
            headers: parts.headers,
            text: String::from_utf8(bytes).expect("UTF-8"),
        }
    }

    /// As the operator, without a body.
    async fn plain(&self, method: &str, path: &str) -> Reply {
        let token = Some(self.operator.as_str());
        self.ask(token, method, path, &[], Body::empty()).await
    }

    /// As the operator, with a JSON body.
    async fn json(&self, method: &str, path: &str, body: &Value) -> Reply {
        let headers = [("content-type", "application/json")];
        let token = Some(self.operator.as_str());
        self.ask(token, method, path, &headers, body.to_string())
            .await
    }
}

fn token(accounts: &mut Accounts, name: &str, role: Role, domain: Option<&str>) -> String {
    let new = NewToken {
        name: name.parse().expect("a name"),
        role,
        domain: domain.map(|domain| domain.parse().expect("a domain")),
        expires: None,
    };
    accounts.add_token(&new, NOW).expect("made").0
}

/// The description as it is served.
async fn document(bench: &Bench) -> Value {
    let reply = bench
        .ask(None, "GET", "/openapi.json", &[], Body::empty())
        .await;
    assert_eq!(reply.status, 200);
    reply.json()
}

/// A described route.
struct Described {
    method: String,
    path: String,
    operation: Value,
}

impl Described {
    /// The path with names of what is there.
    fn filled(&self) -> String {
        self.path
            .replace("{domain}", "a.example")
            .replace("{policy}", "default")
            .replace("{user}", "alice")
            .replace("{number}", "442079460000")
            .replace("{plan}", "free")
            .replace("{country}", "TN")
            .replace("{name}", "boss")
            .replace("{id}", verdicts::OURS)
    }

    /// Schema of its JSON body, and the body's type.
    fn body(&self) -> Option<(Value, String)> {
        let content = self.operation["requestBody"]["content"].as_object()?;
        let (media, body) = content.iter().find(|(media, _)| media.ends_with("json"))?;
        Some((body["schema"].clone(), media.clone()))
    }
}

fn described(document: &Value) -> Vec<Described> {
    let paths = document["paths"].as_object().expect("paths");
    paths
        .iter()
        .flat_map(|(path, item)| {
            let operations = item.as_object().expect("operations").iter();
            operations.map(|(method, operation)| Described {
                method: method.to_uppercase(),
                path: path.clone(),
                operation: operation.clone(),
            })
        })
        .collect()
}

/// What a schema refers to.
fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(name) => {
            let pointer = name.trim_start_matches('#');
            let found = document.pointer(pointer);
            resolved(document, found.unwrap_or_else(|| panic!("{name}")))
        }
        None => schema,
    }
}
