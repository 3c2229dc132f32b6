//! Passwords over the command line.

use std::fs;

use super::{LONDON, PASSWORD, service, with_input};
use crate::support::{TestService, eventually};

/// Status and body of the web service for a user and password.
fn ask(service: &TestService, user: &str) -> (String, String) {
    super::web::curl(
        service,
        "http",
        user,
        &format!("dialed_number={LONDON}&from_user=x"),
    )
}

#[test]
fn a_new_password_is_in_force_within_a_second_and_the_old_one_is_not() {
    let service = service("digest_passwords", None);
    let old = format!("alice:{PASSWORD}");
    assert_eq!(ask(&service, &old).0, "200");
    let made = service.tfps_ok(&["subscriber", "password", "alice@itsp.example", "--generate"]);
    let made = made.strip_suffix('\n').expect("one line");
    assert_eq!(made.len(), 24, "nothing but the password: {made}");
    let new = format!("alice:{made}");
    eventually("the new password", || {
        (ask(&service, &new).0 == "200").then_some(())
    });
    assert_eq!(ask(&service, &old).0, "403");
    service.tfps_ok(&["subscriber", "password", "alice@itsp.example", "--remove"]);
    eventually("no password", || {
        (ask(&service, &new).0 == "403").then_some(())
    });
    // It stands nowhere, not even in the log.
    for file in walk(&service.data()) {
        let bytes = fs::read(&file).unwrap_or_default();
        for secret in [PASSWORD, made] {
            let found = bytes.windows(secret.len()).any(|w| w == secret.as_bytes());
            assert!(!found, "{} holds a password", file.display());
        }
    }
    assert!(!service.log().contains(PASSWORD) && !service.log().contains(made));
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        match entry.path() {
            path if path.is_dir() => files.extend(walk(&path)),
            path => files.push(path),
        }
    }
    files
}

#[test]
fn a_bad_password_or_user_is_refused_and_changes_nothing() {
    let service = TestService::prepare();
    service.tfps_ok(&["domain", "add", "itsp.example"]);
    let long = "x".repeat(2_000);
    for (user, input, said) in [
        (
            "alice@itsp.example",
            "short\n",
            "password: expected 8 to 128",
        ),
        ("alice@itsp.example", "", "password: expected 8 to 128"),
        ("alice@itsp.example", &long, "password: expected 8 to 128"),
        (
            "alice@itsp.example",
            "two\nlines here",
            "password: expected 8 to 128",
        ),
        (
            "alice@itsp.example",
            "pässword",
            "password: expected 8 to 128",
        ),
        (
            "alice@itsp.example",
            " spaces around ",
            "password: expected 8 to 128",
        ),
        ("alice", PASSWORD, "expected user@domain"),
        ("al ice@itsp.example", PASSWORD, "user `al ice`"),
        ("al:ice@itsp.example", PASSWORD, "user `al:ice`"),
        (
            "alice@nosuch.example",
            PASSWORD,
            "no domain `nosuch.example`",
        ),
    ] {
        let add = ["subscriber", "add", user, "--password-stdin"];
        let refused = with_input(&service, &add, input);
        let stderr = String::from_utf8_lossy(&refused.stderr);
        assert_eq!(refused.status.code(), Some(1), "{user}: {stderr}");
        assert!(stderr.contains(said), "{user}: {stderr}");
        let text = input.trim();
        assert!(text.is_empty() || !stderr.contains(text), "{stderr}");
    }
    let refused = service.tfps(&["subscriber", "password", "bob@itsp.example", "--generate"]);
    assert!(
        refused.stderr.contains("no subscriber `bob@itsp.example`"),
        "{refused:?}"
    );
    assert_eq!(refused.stdout, "", "no password is shown that is not set");
    assert_eq!(
        service.tfps_ok(&["subscriber", "list", "--json"]).trim(),
        "[]"
    );
}

#[test]
fn a_lost_secret_is_told_and_lets_nobody_in() {
    let mut service = service("digest_lost_secret", None);
    let right = format!("alice:{PASSWORD}");
    assert_eq!(ask(&service, &right).0, "200");
    assert!(service.terminate().success());
    fs::remove_file(service.data().join("secret")).expect("removed");
    service.start_again();
    assert_eq!(ask(&service, &right).0, "403");
    assert!(
        service.log().contains("passwords cannot be opened"),
        "{}",
        service.log()
    );
    let rejected = service.metric("tfps_rejected_total", &["reason=\"unusable-password\""]);
    assert_eq!(rejected, 1);
    let listed = service.tfps(&["subscriber", "list"]);
    assert!(listed.stdout.contains("unusable"), "{listed:?}");
    assert!(listed.stderr.contains("alice@itsp.example"), "{listed:?}");
    let set = ["subscriber", "password", "alice@itsp.example"];
    assert!(with_input(&service, &set, PASSWORD).status.success());
    eventually("the password set anew", || {
        (ask(&service, &right).0 == "200").then_some(())
    });
}
