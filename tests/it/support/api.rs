//! The REST API of a running service, in the name of a token.

use std::net::SocketAddr;

use serde_json::Value;

use super::{Reply, TestService, http};

/// Where it is and who asks.
pub struct Api {
    address: SocketAddr,
    token: String,
}

impl Api {
    /// As the operator: with the token a first start left in the data folder.
    pub fn new(service: &TestService) -> Self {
        let path = service.data().join("api-token");
        let token = std::fs::read_to_string(path).expect("api-token");
        Self::with_token(service, token.trim())
    }

    /// With any token.
    pub fn with_token(service: &TestService, token: &str) -> Self {
        Self {
            address: service.addresses().http,
            token: token.to_owned(),
        }
    }

    pub fn get(&self, path: &str) -> Reply {
        self.ask("GET", path, "", b"")
    }

    pub fn delete(&self, path: &str) -> Reply {
        self.ask("DELETE", path, "", b"")
    }

    /// With a JSON body.
    pub fn send(&self, method: &str, path: &str, body: &Value) -> Reply {
        let body = body.to_string();
        self.ask(method, path, "application/json", body.as_bytes())
    }

    /// With any body.
    pub fn ask(&self, method: &str, path: &str, media: &str, body: &[u8]) -> Reply {
        let bearer = format!("Bearer {}", self.token);
        let headers = [("Authorization", bearer.as_str()), ("Content-Type", media)];
        let reply = http::request(self.address, method, path, &headers, body);
        reply.unwrap_or_else(|| panic!("{method} {path}: no answer"))
    }
}
