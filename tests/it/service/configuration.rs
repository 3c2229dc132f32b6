//! A configuration that is wrong ends everything with 64 and says what and where.

use std::fs;

use crate::support::{Finished, TestService};

fn run(service: &TestService, command: &str, toml: &str) -> Finished {
    let file = service.folder().join("tfps.toml");
    fs::write(&file, toml).expect("written");
    service.tfps(&[command, "--config", &file.to_string_lossy()])
}

#[test]
fn a_wrong_key_or_value_ends_it_with_64_and_is_named() {
    let service = TestService::prepare();
    let cases = [
        ("[prevention]\nlitsen = \"127.0.0.1:9090\"\n", "litsen"),
        ("[preventoin]\nlisten = \"127.0.0.1:9090\"\n", "preventoin"),
        ("[detection]\nanswer = \"200\"\n", "detection.answer"),
        (
            "[[detection.peers]]\nnetwork = \"10.0.0.0/8\"\nanswer = 302\n",
            "`detection.peers[0].answer`: `302`",
        ),
        ("[spool]\nmax_mib = \"much\"\n", "spool.max_mib"),
        ("[spool]\nmax_mib = 1\n", "spool.max_mib"),
        ("[log]\nlevel = \"[\"\n", "log.level"),
        ("[http\n", "tfps.toml"),
    ];
    for (toml, named) in cases {
        for command in ["serve", "check", "migrate"] {
            let ended = run(&service, command, toml);
            assert_eq!(ended.code, Some(64), "{command} {toml}: {ended:?}");
            assert!(ended.stderr.contains(named), "{command} {toml}: {ended:?}");
        }
    }
    // Nothing was begun.
    assert!(!service.data().exists());
}

#[test]
fn value_and_expectation_are_told() {
    let service = TestService::prepare();
    for (toml, value, expected) in [
        ("[spool]\nmax_mib = 1\n", "1", "at least 128"),
        ("[detection]\nanswer = \"200\"\n", "200", "503"),
        (
            "[embedded]\nlisten = \"192.0.2.1:8123\"\n",
            "192.0.2.1:8123",
            "loopback",
        ),
    ] {
        let service = service_without_embedded(&service, toml);
        let said = service.stderr;
        assert!(said.contains(value) && said.contains(expected), "{said}");
    }
}

/// Without the environment's listen keys, which go before the file.
fn service_without_embedded(service: &TestService, toml: &str) -> Finished {
    let file = service.folder().join("tfps.toml");
    fs::write(&file, toml).expect("written");
    let output = service
        .command(&["check", "--config", &file.to_string_lossy()])
        .env_remove("TFPS_EMBEDDED__LISTEN")
        .output()
        .expect("runs");
    Finished {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

#[test]
fn the_environment_goes_before_the_file_and_is_held_to_the_same() {
    let service = TestService::prepare().with("TFPS_DETECTION__ANSWER", "599");
    let good = run(&service, "check", "[detection]\nanswer = \"487\"\n");
    assert_eq!(good.code, Some(0), "{good:?}");

    let service = TestService::prepare().with("TFPS_DETECTION__ANSWRE", "599");
    let ended = service.tfps(&["check"]);
    assert_eq!(ended.code, Some(64), "{ended:?}");
    assert!(ended.stderr.contains("answre"), "{ended:?}");

    let service = TestService::prepare().with("TFPS_HTTP__LISTEN", "nowhere");
    let ended = service.tfps(&["serve"]);
    assert_eq!(ended.code, Some(64), "{ended:?}");
    assert!(ended.stderr.contains("http.listen"), "{ended:?}");
}

#[test]
fn a_good_one_is_told_back_without_any_network() {
    let service = TestService::prepare();
    let good = run(
        &service,
        "check",
        "[store]\nurl = \"http://192.0.2.1:8123\"\n",
    );
    assert_eq!(good.code, Some(0), "{good:?}");
    assert!(good.stdout.contains("http://192.0.2.1:8123"), "{good:?}");
    assert!(good.stdout.ends_with("good\n"), "{good:?}");

    let peers = "[detection]\nanswer = 580\n\
                 [[detection.peers]]\nnetwork = \"192.0.2.7\"\nanswer = \"silent\"\n";
    let good = run(&service, "check", peers);
    for line in ["answers 580\n", "answers silent to 192.0.2.7/32\n"] {
        assert!(good.stdout.contains(line), "{good:?}");
    }
}

#[test]
fn the_answer_of_the_free_port_is_configured() {
    for (answer, status) in [("487", 487), ("580", 580), ("599", 599)] {
        let service = TestService::prepare_on_shared(&format!("answer_{answer}"))
            .with("TFPS_DETECTION__ANSWER", answer)
            .started();
        let phone = crate::support::Phone::new(service.detection());
        assert_eq!(phone.call("5548987654321").status(), Some(status));
    }
}
