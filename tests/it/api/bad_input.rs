//! Bad input by command and over a socket; what is in the bodies is `api`'s own tests' matter.

use serde_json::json;

use crate::support::{Api, Phone, TestService, code_of, http};

/// Arguments that do not do, and what must be said of them.
const WRONG: &[(&[&str], &str)] = &[
    (&["domain", "add", "a b"], "domain `a b`"),
    (&["domain", "add", "../x"], "domain `../x`"),
    (
        &["domain", "add", "x.example", "--trust", "here"],
        "network `here`",
    ),
    (
        &["domain", "set", "root", "--dial-prefix", "abc"],
        "dial prefix `abc`",
    ),
    (
        &["domain", "set", "root", "--default-policy", "nope"],
        "default_policy",
    ),
    (
        &["domain", "set", "root"],
        "nothing to change: give --dial-prefix",
    ),
    (
        &["domain", "add", "acme.example:5060"],
        "domain `acme.example:5060`: expected a host name or address without port",
    ),
    (
        &[
            "policy",
            "set",
            "root",
            "default",
            "--destination-only",
            "europe",
        ],
        "continent:EU",
    ),
    (
        &["list", "add", "black", "agent", "(", "--reason", "x"],
        "user-agent pattern `(`: expected a regular expression: unclosed group\n",
    ),
    (
        &["list", "add", "black", "number", "44x", "--reason", "x"],
        "`x`, which is no digit",
    ),
    (
        &["list", "add", "group", "network", "10.0.0.0/8"],
        "--group <NAME> is missing",
    ),
    (
        &["models", "promote", "NONSENSE"],
        "no such model: `NONSENSE`",
    ),
    (&["domain", "remove", "root"], "root domain stays"),
    (
        &["policy", "create", "root", "'; DROP TABLE policy; --"],
        "name `'; DROP",
    ),
    (&["policy", "create", "root", ".."], "name `..`"),
    (
        &["policy", "create", "nosuch.example", "x"],
        "nosuch.example",
    ),
    (
        &["policy", "set", "root", "default", "--risk-threshold", "7"],
        "risk_threshold",
    ),
    (
        &["subscriber", "set", "alice", "default"],
        "subscriber `alice`",
    ),
    (
        &["subscriber", "set", "a\u{202e}b@root", "default"],
        "\\u{202e}",
    ),
    (&["subscriber", "set", "alice@root", "nope"], "nope"),
    (
        &["subscriber", "set", "--ani", "abc@root", "default"],
        "number `abc`",
    ),
    (
        &["list", "add", "black", "number", "0", "--reason", "x"],
        "value: number `0`",
    ),
    (
        &[
            "list",
            "add",
            "black",
            "number",
            "44",
            "--reason",
            "\u{1b}[31m",
        ],
        "reason",
    ),
    (&["plan", "set", "free"], "nothing to change"),
    (
        &["plan", "set", "free", "--calls-per-second", "0"],
        "calls_per_second: 0 calls per second: expected at least 1, or no limit (`unlimited`",
    ),
    (&["plan", "set", "free", "--seats=-1"], "--seats"),
    (&["plan", "set", "gold", "--seats", "1"], "gold"),
    (&["token", "add", "a b"], "name `a b`"),
    (&["token", "add", "x", "--role", "king"], "king"),
    (&["token", "add", "x", "--role", "domain"], "domain"),
    (&["token", "add", "x", "--domain", "root"], "domain"),
    (&["token", "add", "x", "--expires", "soon"], "time `soon`"),
    (
        &["token", "add", "x", "--expires", "2001-01-01T00:00:00Z"],
        "expires",
    ),
    (&["token", "remove", "nosuch"], "token `nosuch`"),
    (&["audit", "--since", "soon"], "--since"),
    (&["audit", "--limit=-1"], "--limit"),
];

#[test]
fn arguments_that_do_not_do_are_told_and_change_nothing() {
    let service = TestService::prepare().with_accounts();
    let state = || {
        let export = service.tfps_ok(&["policy", "export"]);
        let audit = service.tfps_ok(&["audit", "--json"]);
        (export, audit, service.tfps_ok(&["token", "list", "--json"]))
    };
    let before = state();
    for (arguments, said) in WRONG {
        let refused = service.tfps(arguments);
        assert!(
            matches!(refused.code, Some(1 | 2)),
            "{arguments:?}: {refused:?}"
        );
        assert!(refused.stderr.contains(said), "{arguments:?}: {refused:?}");
        assert!(!refused.stderr.contains('\u{202e}'), "{refused:?}");
    }
    let long = "x".repeat(100_000);
    for arguments in [
        &["domain", "add", &long][..],
        &["policy", "create", "root", &long],
        &["token", "add", &long],
        &["list", "add", "black", "agent", &long, "--reason", "x"],
        &["list", "add", "black", "prefix", "44", "--reason", &long],
    ] {
        let refused = service.tfps(arguments);
        assert_eq!(refused.code, Some(1), "{}", arguments[0]);
        assert!(
            refused.stderr.len() < 1_000,
            "{} bytes",
            refused.stderr.len()
        );
    }
    assert_eq!(state(), before);
}

#[test]
fn a_body_that_is_too_large_is_refused_and_the_service_goes_on() {
    let service = TestService::start_on_shared("api_large");
    let api = Api::new(&service);
    let before = api.get("/v1/export").body;
    let large = vec![b'x'; 10 << 20];
    let reply = api.ask("POST", "/v1/domains", "application/json", &large);
    assert_eq!(reply.status, 413, "{reply:?}");
    assert_eq!(reply.json()["field"], "body");
    let file = vec![b'#'; (64 << 20) + 1];
    let reply = api.ask("POST", "/v1/import", "application/toml", &file);
    assert_eq!(reply.status, 413, "{reply:?}");
    let reply = api.ask("POST", "/v1/import", "text/plain", b"");
    assert_eq!(reply.status, 415, "{reply:?}");
    let reply = api.ask("POST", "/v1/import", "application/toml", b"\xff\xfe");
    assert_eq!(reply.status, 400, "{reply:?}");
    // What is no HTTP is refused before it reaches a route.
    let headers = [
        ("Content-Type", "application/json"),
        ("Content-Length", "nonsense"),
    ];
    let broken = http::request(
        service.addresses().http,
        "GET",
        "/v1/domains",
        &headers,
        b"",
    );
    assert_eq!(broken.map(|reply| reply.status), Some(400));
    assert_eq!(api.get("/v1/export").body, before);
    assert_eq!(
        code_of(&Phone::new(service.prevention()).call("442071838750")),
        "A00"
    );
}

#[test]
fn two_editors_at_once_lose_nothing() {
    let service = TestService::start_on_shared("api_two");
    let api = &Api::new(&service);
    std::thread::scope(|scope| {
        for editor in 0..4 {
            scope.spawn(move || {
                for number in 0..10 {
                    let path = format!("/v1/domains/root/subscribers/u{editor}-{number}");
                    let set = api.send("PUT", &path, &json!({"policy": "default"}));
                    assert_eq!(set.status, 201, "{set:?}");
                }
            });
        }
    });
    let all = api.get("/v1/domains/root/subscribers?limit=100").json();
    assert_eq!(all["items"].as_array().map(Vec::len), Some(40));
    let log = api.get("/v1/audit?subject=@root&limit=100").json();
    assert_eq!(log["items"].as_array().map(Vec::len), Some(40));
}
