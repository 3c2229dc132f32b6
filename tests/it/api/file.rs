//! The policy file, by command and over HTTP.

use std::fs;

use serde_json::json;

use crate::support::{Api, TestService};

/// Edits that leave something of everything in the accounts.
fn fill(service: &TestService) {
    for edit in [
        &["domain", "add", "itsp.example", "--trust", "192.0.2.0/24"][..],
        &["domain", "set", "itsp.example", "--dial-prefix", "9"],
        &["policy", "create", "itsp.example", "strict"],
        &[
            "policy",
            "set",
            "itsp.example",
            "strict",
            "--risk-threshold",
            "0.7",
        ],
        &[
            "policy",
            "set",
            "itsp.example",
            "strict",
            "--destination-except",
            "CU,SO",
        ],
        &["subscriber", "set", "alice@itsp.example", "strict"],
        &[
            "subscriber",
            "set",
            "--ani",
            "442079460000@itsp.example",
            "strict",
        ],
        &[
            "list",
            "add",
            "black",
            "prefix",
            "25261",
            "--reason",
            "revenue \"share\"",
        ],
        &[
            "list",
            "add",
            "white",
            "number",
            "442071838750",
            "--reason",
            "x",
            "--of",
            "itsp.example/strict",
        ],
        &[
            "plan",
            "set",
            "free",
            "--calls-per-second",
            "5",
            "--seats",
            "unlimited",
        ],
    ] {
        service.tfps_ok(edit);
    }
}

#[test]
fn what_one_service_exports_another_imports_to_the_byte() {
    let one = TestService::prepare();
    fill(&one);
    let path = one.folder().join("accounts.toml");
    one.tfps_ok(&["policy".as_ref(), "export".as_ref(), path.as_os_str()]);
    let exported = fs::read_to_string(&path).expect("written");
    assert_eq!(one.tfps_ok(&["policy", "export"]), exported);

    let other = TestService::start_on_shared("api_file");
    let api = Api::new(&other);
    let import = |query: &str| {
        let path = format!("/v1/import{query}");
        api.ask("POST", &path, "application/toml", exported.as_bytes())
    };
    let before = api.get("/v1/export").body;
    let dry = import("?dry_run=true").json();
    assert!(
        dry["diff"]
            .as_str()
            .expect("a diff")
            .contains("+[domains.\"itsp.example\"]")
    );
    assert_eq!(api.get("/v1/export").body, before);
    assert_eq!(import("").json()["changes"], dry["changes"]);
    let reply = api.get("/v1/export");
    assert_eq!(reply.header("content-type"), "application/toml");
    assert_eq!(reply.body, exported);
    assert_eq!(import("").json(), json!({"changes": 0}));
    // The operator still gets in: tokens are in no file.
    assert_eq!(api.get("/v1/tokens").status, 200);
}

#[test]
fn a_dry_run_by_command_shows_and_changes_nothing() {
    let service = TestService::prepare();
    fill(&service);
    let exported = service.tfps_ok(&["policy", "export"]);
    let path = service.folder().join("changed.toml");
    let path_text = path.to_str().expect("UTF-8");
    fs::write(&path, exported.replace("\"CU\"", "\"KP\"")).expect("written");
    let shown = service.tfps_ok(&["policy", "import", path_text, "--dry-run"]);
    assert!(shown.contains("-    \"CU\",\n+    \"KP\",\n"), "{shown}");
    assert!(
        !shown.contains('\u{1b}'),
        "colours are for terminals: {shown}"
    );
    assert_eq!(service.tfps_ok(&["policy", "export"]), exported);

    service.tfps_ok(&["policy", "import", path_text]);
    let log = service.tfps_ok(&["audit", "--actor", "import", "--json"]);
    let log: serde_json::Value = serde_json::from_str(&log).expect("JSON");
    assert_eq!(log[1]["subject"], "itsp.example/strict");
    let lines = |service: &TestService| service.tfps_ok(&["audit", "--json", "--limit", "999"]);
    let before = lines(&service);
    let again = service.tfps_ok(&["policy", "import", path_text]);
    assert!(again.contains("nothing changes"), "{again}");
    assert_eq!(lines(&service), before, "the same file twice is no edit");
}

#[test]
fn a_file_that_does_not_do_is_refused_with_line_and_place() {
    let service = TestService::prepare();
    fill(&service);
    let exported = service.tfps_ok(&["policy", "export"]);
    let path = service.folder().join("wrong.toml");
    let path_text = path.to_str().expect("UTF-8");
    let huge = "x".repeat(10 << 20);
    for (right, wrong, said) in [
        (
            "plan = \"itsp\"",
            "plan = \"gold\"",
            "domains.root.policies.default.plan",
        ),
        (
            "policy = \"strict\"",
            "policy = \"nope\"",
            "domains.\"itsp.example\".subscribers.alice.policy",
        ),
        ("\"25261\"", "\"2526x\"", "lists[0].values[0]"),
        ("\"25261\"", huge.as_str(), "line "),
        ("format = 1", "format = 1\nnonsense = true", "nonsense"),
    ] {
        assert!(exported.contains(right), "{right} is not in {exported}");
        fs::write(&path, exported.replacen(right, wrong, 1)).expect("written");
        let refused = service.tfps(&["policy", "import", path_text]);
        assert_eq!(refused.code, Some(1), "{refused:?}");
        assert!(refused.stderr.contains(said), "{said}: {}", refused.stderr);
        assert!(
            refused.stderr.len() < 2_000,
            "{} bytes",
            refused.stderr.len()
        );
        assert_eq!(service.tfps_ok(&["policy", "export"]), exported, "{said}");
    }
    let missing = service.tfps(&["policy", "import", "nosuch.toml"]);
    assert_eq!(missing.code, Some(1));
    assert!(missing.stderr.contains("nosuch.toml"), "{missing:?}");
}
