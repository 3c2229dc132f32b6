//! The web service and `POST /v1/decisions`, with curl's digest.

use std::process::Command;

use super::{LONDON, PASSWORD, counted_to_alice, service, stored};
use crate::support::TestService;

/// Status and body of a question, asked with `user:password` for itsp.example.
pub(super) fn curl(
    service: &TestService,
    scheme: &str,
    user: &str,
    query: &str,
) -> (String, String) {
    let web = service.detection();
    let url = format!("{scheme}://{web}/?{query}&domain=itsp.example");
    run(&["--digest", "-u", user, &url])
}

/// Status and body, as curl gets them in the end.
fn run(arguments: &[&str]) -> (String, String) {
    let output = Command::new("curl")
        .args(["-s", "-m", "20", "-w", "\n%{http_code}"])
        .args(arguments)
        .output()
        .expect("curl is not installed; `make setup` installs it");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (body, status) = text.rsplit_once('\n').unwrap_or_default();
    (status.to_owned(), body.to_owned())
}

fn said(status: &str, body: &str) -> (String, String) {
    (status.to_owned(), body.to_owned())
}

#[test]
fn curl_asks_with_either_algorithm() {
    // It takes the first challenge.
    for (name, algorithms) in [("md5", None), ("sha256", Some("SHA-256,MD5"))] {
        let service = service(&format!("digest_curl_{name}"), algorithms);
        service.tfps_ok(&[
            "list", "add", "black", "prefix", "25261", "--reason", "IRSF",
        ]);
        let alice = format!("alice:{PASSWORD}");
        let ask = |user: &str, number: &str| {
            curl(
                &service,
                "http",
                user,
                &format!("dialed_number={number}&from_user=bob"),
            )
        };
        assert_eq!(ask(&alice, LONDON), said("200", "A00"));
        crate::support::eventually("the list is in force", || {
            (ask(&alice, "252612345678").1 == "R03").then_some(())
        });
        let asked = service.decided();
        assert_eq!(
            ask("alice:incorrect-horse", LONDON),
            said("403", "forbidden")
        );
        assert_eq!(
            ask(&format!("nobody:{PASSWORD}"), LONDON),
            said("403", "forbidden")
        );
        counted_to_alice(&service, asked);
        let doors = service.sql("SELECT DISTINCT ingress, user FROM calls");
        assert_eq!(doors, "web\tbob");
    }
}

#[test]
fn a_trusted_address_needs_no_password() {
    let service = service("digest_web_trusted", None);
    let web = service.detection();
    let from = |address: &str, query: &str| {
        let url = format!("http://{web}/?dialed_number={LONDON}&from_user=bob{query}");
        run(&["--interface", address, &url])
    };
    // itsp.example trusts it; absent, the domain is the one that does.
    assert_eq!(from("127.0.0.9", ""), said("200", "A00"));
    assert_eq!(
        from("127.0.0.9", "&domain=elsewhere.example"),
        said("200", "A00")
    );
    assert_eq!(from("127.0.0.2", "&domain=itsp.example").0, "401");
    assert_eq!(
        from("127.0.0.2", "&domain=nosuch.example"),
        said("403", "forbidden")
    );
    // The root's subscribers need not name it.
    assert_eq!(from("127.0.0.2", "").0, "401");
    stored(&service, 2);
    let who = service.sql("SELECT subscriber, account, domain FROM calls ORDER BY at");
    let rows = "default\titsp.example\titsp.example\ndefault\titsp.example\telsewhere.example";
    assert_eq!(who, rows);
}

#[test]
fn what_is_no_question_is_refused_by_name() {
    let service = service("digest_web_bad", None);
    let web = service.detection();
    let ask = |arguments: &[&str], target: &str| {
        let url = format!("http://{web}{target}");
        run(&[&["--interface", "127.0.0.9"], arguments, &[&*url]].concat())
    };
    let good = format!("/?dialed_number={LONDON}&from_user=bob");
    for (target, parameter) in [
        ("/".to_owned(), "dialed_number"),
        (format!("/?dialed_number={LONDON}"), "from_user"),
        (format!("{good}&from_user=eve"), "from_user"),
        (
            format!("{good}&source_ip=192.0.2.1&source_ip=192.0.2.2"),
            "source_ip",
        ),
        (format!("{good}&domain=a+b"), "domain"),
    ] {
        let (status, body) = ask(&[], &target);
        assert_eq!(status, "400", "{target}");
        assert!(
            body.starts_with(&format!("{parameter}: ")),
            "{target}: {body}"
        );
    }
    assert_eq!(ask(&["-X", "POST"], &good).0, "405");
    assert_eq!(ask(&["-I"], &good).0, "405");
    assert_eq!(ask(&[], "/v1/decisions").0, "404");
    assert_eq!(service.decided(), 0);
    assert_eq!(ask(&[], &good), said("200", "A00"), "and it still answers");
    // Hints of no use keep no call from being checked, and are counted.
    let hints = format!(
        "&source_ip=nowhere&sim_calls=1e3&user_agent={}",
        "x".repeat(8_000)
    );
    assert_eq!(ask(&[], &format!("{good}{hints}")), said("200", "A00"));
    assert_eq!(service.decided(), 2);
    for hint in ["source_ip", "sim_calls"] {
        let label = format!("name=\"{hint}\"");
        assert_eq!(service.metric("tfps_bad_headers_total", &[&label]), 1);
    }
}

#[test]
fn a_decision_as_json() {
    let service = service("digest_decisions", None);
    let url = format!("http://{}/v1/decisions", service.addresses().http);
    let body = format!(
        "{{\"dialed_number\":\"+{LONDON}\",\"from_user\":\"bob\",\"domain\":\"itsp.example\",\"call_id\":\"abc\"}}"
    );
    let post = |more: &[&str]| {
        let fixed = ["-H", "Content-Type: application/json", "-d", &body, &url];
        run(&[more, &fixed].concat())
    };
    let alice = format!("alice:{PASSWORD}");
    assert_eq!(post(&[]).0, "401");
    // `--digest` alone would send an empty body first, to save it: nobody can say whose that is.
    assert_eq!(post(&["--digest", "-u", &alice]).0, "400");
    assert_eq!(post(&["--anyauth", "-u", "alice:incorrect-horse"]).0, "403");
    let (status, body) = post(&["--anyauth", "-u", &alice]);
    assert_eq!(status, "200", "{body}");
    let decision: serde_json::Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(decision["code"], "A00");
    assert_eq!(decision["country"], "GB");
    assert_eq!(decision["subscriber"], "alice@itsp.example");
    counted_to_alice(&service, 1);
    let stored = service.sql("SELECT id, call_id FROM calls");
    assert_eq!(
        stored,
        format!("{}\tabc", decision["id"].as_str().expect("an id"))
    );
}
