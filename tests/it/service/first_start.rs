//! `tfps serve` with no configuration and an empty folder.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

use crate::support::{Phone, TestService, code_of, eventually, signal};

const NUMBER: &str = "5548987654321";

#[test]
fn a_call_from_this_machine_is_approved_and_recorded() {
    let service = TestService::start();

    let answer = Phone::new(service.prevention()).call(NUMBER);
    assert_eq!(answer.start, "SIP/2.0 302 Moved Temporarily");
    assert_eq!(
        answer.header("Contact"),
        Some("<sip:A005548987654321@itsp.example>")
    );

    service.wait_for_rows(1);
    let row = "SELECT ingress, account, policy, user, domain, dialed, country, code FROM calls";
    assert_eq!(
        service.sql(row),
        "prevention\troot\tdefault\talice\titsp.example\t5548987654321\tBR\tA00"
    );
}

#[test]
fn a_forked_copy_gets_503_at_once_and_is_recorded() {
    let service = TestService::start_on_shared("first_fork");
    let answer = Phone::new(service.detection()).call(NUMBER);
    assert_eq!(answer.start, "SIP/2.0 503 Service Unavailable");
    assert_eq!(answer.header("Retry-After"), None);
    assert_eq!(answer.header("Contact"), None);
    service.wait_for_rows(1);
    assert_eq!(
        service.sql("SELECT ingress, code FROM calls"),
        "detection\tA00"
    );
}

#[test]
fn the_web_port_tells_how_it_is() {
    let service = TestService::start_on_shared("first_web");
    let healthy = service.get("/healthz");
    assert_eq!((healthy.status, healthy.body.trim()), (200, "ok"));
    assert_eq!(service.get("/nosuch").status, 404);

    Phone::new(service.prevention()).call(NUMBER);
    Phone::new(service.detection()).call("999123456789");
    assert_eq!(
        service.metric(
            "tfps_calls_total",
            &["ingress=\"prevention\"", "code=\"A00\""]
        ),
        1
    );
    assert_eq!(
        service.metric(
            "tfps_calls_total",
            &["ingress=\"detection\"", "code=\"R07\""]
        ),
        1
    );
    service.wait_for_rows(2);
    eventually("all is shipped", || {
        let ready: serde_json::Value = serde_json::from_str(&service.get("/readyz").body).ok()?;
        assert_eq!(ready["ready"], true);
        (ready["store_up"] == true && ready["spool_backlog"] == 0).then_some(())
    });

    let page = service.get("/");
    assert_eq!(page.status, 200);
    for text in [
        "<title>TFPS</title>".to_owned(),
        service.prevention().to_string(),
        service.detection().to_string(),
        "<th scope=row>calls checked<td>2".to_owned(),
        "<th scope=row>of them refused<td>1".to_owned(),
    ] {
        assert!(page.body.contains(&text), "{text} is not on {}", page.body);
    }
}

/// Its working directory, its home and the system's folder for temporary files stay empty.
#[test]
fn everything_it_writes_is_under_the_data_folder() {
    let mut service = TestService::prepare();
    let outside = ["home", "temporary"].map(|name| service.folder().join(name));
    for folder in &outside {
        fs::create_dir(folder).expect("a folder");
    }
    // Where libchdb is, which is otherwise looked for below HOME.
    let cache = std::env::var("TFPS_CACHE")
        .or_else(|_| std::env::var("XDG_CACHE_HOME").map(|cache| format!("{cache}/tfps")))
        .or_else(|_| std::env::var("HOME").map(|home| format!("{home}/.cache/tfps")));
    service = service
        .with("TFPS_CACHE", &cache.expect("a home"))
        .with("HOME", &outside[0].to_string_lossy())
        .with("TMPDIR", &outside[1].to_string_lossy())
        .started();
    Phone::new(service.prevention()).call(NUMBER);
    service.wait_for_rows(1);
    assert!(service.terminate().success());

    for folder in &outside {
        assert_eq!(names_in(folder), [""; 0], "{}", folder.display());
    }
    assert_eq!(
        names_in(service.folder()),
        ["data", "home", "log", "temporary"]
    );
    let data = names_in(&service.data());
    for name in ["accounts.sqlite", "clickhouse", "models", "spool", "state"] {
        assert!(data.iter().any(|n| n == name), "{name} is not in {data:?}");
    }
}

/// Also when a command made the folder before, and only once.
#[test]
fn the_first_start_is_told() {
    let service = TestService::prepare_on_shared("first_told").with_accounts();
    let first = greeting(&service);
    for told in ["First start in", "domain untrust root", "one GET"] {
        assert!(first.contains(told), "{told}: {first}");
    }
    let second = greeting(&service);
    assert!(!second.contains("First start"), "{second}");
}

/// What a service prints until it answers calls.
fn greeting(service: &TestService) -> String {
    let mut serve = service
        .command(&["serve"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let out = serve.stdout.take().expect("a pipe");
    let mut text = String::new();
    for line in BufReader::new(out).lines() {
        let line = line.expect("text");
        text.push_str(&line);
        text.push('\n');
        if line.contains("Stop with Ctrl-C") {
            signal(serve.id(), "-TERM");
        }
    }
    assert!(serve.wait().expect("ends").success(), "{text}");
    text
}

#[test]
fn an_edit_says_whether_a_service_takes_it() {
    let mut service = TestService::prepare_on_shared("first_edits");
    let edit = ["list", "add", "black", "prefix", "999", "--reason", "x"];
    assert!(service.tfps_ok(&edit).contains("no service runs on"));
    service.start_again();
    assert!(service.tfps_ok(&edit).contains("in force within a second"));
    assert!(service.terminate().success());
    assert!(service.tfps_ok(&edit).contains("no service runs on"));
}

#[test]
fn commands_that_only_look_make_no_folder() {
    let service = TestService::prepare();
    for looking in [
        &["domain", "list"][..],
        &["policy", "list"],
        &["policy", "show", "root", "default"],
        &["policy", "export"],
        &["country", "list"],
        &["subscriber", "list"],
        &["plan", "list"],
        &["token", "list"],
        &["list", "show"],
        &["list", "check", "44"],
        &["list", "export"],
        &["models", "list"],
        &["audit"],
        &["check"],
    ] {
        let ended = service.tfps(looking);
        if looking != ["check"] {
            assert_eq!(ended.code, Some(1), "{looking:?}: {ended:?}");
            assert!(ended.stderr.contains("no data folder"), "{ended:?}");
        }
        assert!(!service.data().exists(), "{looking:?}");
    }
}

#[test]
fn a_listing_that_is_cut_says_so() {
    let service = TestService::prepare();
    for value in ["441", "442", "443"] {
        service.tfps_ok(&["list", "add", "black", "prefix", value, "--reason", "x"]);
    }
    let cut = service.tfps(&["list", "show", "--limit", "1"]);
    assert!(cut.stderr.contains("... and 2 more; --limit"), "{cut:?}");
    let whole = service.tfps(&["list", "show", "--limit", "3"]);
    assert!(!whole.stderr.contains("more"), "{whole:?}");
    let cut = service.tfps(&["audit", "--limit", "1"]);
    assert!(cut.stderr.contains("at least 1 more; --limit"), "{cut:?}");
}

/// A trusted peer's From domain that is not served falls to the root domain; the root domain
/// has no limits and no country rules.
#[test]
fn whoever_is_here_may_call_anywhere() {
    let service = TestService::start_on_shared("first_anywhere");
    let phone = Phone::from_address("127.0.0.9", service.prevention());
    for number in [
        "+442071838750",
        "00351211234567",
        "01112025550143",
        "870773123456",
    ] {
        assert_eq!(code_of(&phone.call(number)), "A00", "{number}");
    }
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder").flatten();
    let mut names: Vec<_> = entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}
