//! A PBX to scanners, fraud to the training, and evidence for lists.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tfps::train::{DATASET_SQL, HONEYPOT_SQL};

use crate::support::{Api, Message, Phone, StreamPhone, TestService, eventually};

const NUMBER: &str = "900442079460123";

/// Long enough that every answer fits.
fn invite(phone: &Phone, extension: &str) -> Message {
    let from = format!("<sip:{extension}@pbx>;tag={extension}");
    phone
        .invite(NUMBER)
        .changed("From", from)
        .with("User-Agent", "friendly-scanner")
        .with("Subject", "x".repeat(900))
}

/// An extension that is challenged: most are.
fn challenged(phone: &Phone) -> String {
    (100..200)
        .map(|extension: u32| extension.to_string())
        .find(|extension| phone.ask(&invite(phone, extension)).status() == Some(401))
        .expect("one")
}

/// A scanner that answers challenges, from an address of its own.
fn scan(service: &TestService, own: &str, extension: &str, calls: u32) {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sipp");
    let output = Command::new("sipp")
        .arg("-sf")
        .arg(data.join("honeypot.xml"))
        .arg("-inf")
        .arg(data.join("numbers.csv"))
        .args(["-m", &calls.to_string(), "-r", "5", "-l", "2", "-i", own])
        .args(["-timeout", "20s", "-timeout_error", "-nostdin"])
        .args(["-key", "ext", extension])
        .args(["-au", extension, "-ap", "kW9!rqLz0"])
        .arg(service.honeypot().to_string())
        .current_dir(service.folder())
        .env("TERM", "dumb")
        .output()
        .expect("sipp is installed: `make setup` installs it");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

fn learned(service: &TestService) -> Vec<Value> {
    let shown = service.tfps_ok(&["list", "learned", "--json"]);
    serde_json::from_str(&shown).expect("JSON")
}

fn state_of(service: &TestService, value: &str) -> Option<String> {
    let rows = learned(service);
    let row = rows.iter().find(|row| row["value"] == value)?;
    Some(row["state"].as_str().expect("a state").to_owned())
}

#[test]
fn a_scanners_tools_find_a_pbx() {
    let service = TestService::prepare_on_shared("honeypot_tools")
        .with_honeypot()
        .started();
    let uri = format!("sip:100@{}", service.honeypot());
    let sipsak = Command::new("sipsak")
        .args(["-vv", "-s", &uri])
        .output()
        .expect("sipsak is installed: `make setup` installs it");
    let said = String::from_utf8_lossy(&sipsak.stdout);
    assert!(sipsak.status.success(), "{said}");
    assert!(said.contains("200 OK"), "{said}");
    let phone = Phone::from_address("127.0.0.9", service.honeypot());
    let extension = challenged(&phone);
    scan(&service, "127.0.0.9", &extension, 5);
    assert_eq!(service.metric("tfps_honeypot_probes_total", &[]), 1);
    // Over TCP too; the call ends at once, whatever the extension.
    let mut stream = StreamPhone::connect(service.honeypot());
    let answer = stream.call(NUMBER);
    let status = answer.status().expect("an answer");
    assert!([401, 404, 480, 486, 503].contains(&status), "{answer}");
    for answer in [answer, phone.ask(&invite(&phone, &extension))] {
        let text = answer.to_string().to_ascii_uppercase();
        assert!(!text.contains("TFPS"), "{answer}");
    }
}

#[test]
fn a_call_rings_and_ends_and_each_is_one_row() {
    let service = TestService::prepare_on_shared("honeypot_rings")
        .with_honeypot()
        .started();
    // Trusted as a peer, and nobody's customer here all the same.
    let phone = Phone::new(service.honeypot());
    let mut calls = 0;
    let ended = (100..200).find_map(|extension: u32| {
        calls += 1;
        let status = phone
            .ask(&invite(&phone, &extension.to_string()))
            .status()?;
        (status != 401).then_some(status)
    });
    assert!([404, 480, 486, 503].contains(&ended.expect("open ones are there")));
    assert_eq!(service.decided(), calls);
    eventually("they are rows", || {
        (service.number("SELECT count() FROM calls") == Some(calls)).then_some(())
    });
    let doors = "SELECT DISTINCT ingress, account, number FROM calls";
    assert_eq!(service.sql(doors), "honeypot\t\t442079460123");
}

#[test]
fn calls_at_the_honeypot_are_shown_to_a_training_only_where_it_asks_for_them() {
    let service = TestService::prepare_on_shared("honeypot_labels")
        .with_honeypot()
        .started();
    let scanner = Phone::from_address("127.0.0.7", service.honeypot());
    (0..3).for_each(|n| {
        scanner.ask(&invite(&scanner, &format!("{n}")));
    });
    assert_eq!(
        Phone::new(service.prevention())
            .call("442079460123")
            .status(),
        Some(302)
    );
    eventually("they are rows", || {
        (service.number("SELECT count() FROM calls") == Some(4)).then_some(())
    });
    let some = "SELECT toString(max(id)) FROM calls WHERE ingress = 'honeypot'";
    service.tfps_ok(&["verdict", "legitimate", &service.sql(some)]);
    let paid = "SELECT toString(id) FROM calls WHERE ingress != 'honeypot'";
    service.tfps_ok(&["verdict", "legitimate", &service.sql(paid)]);
    let asked = |sql: &str, limit: &str| {
        let (rows, _) = sql.split_once("FORMAT").expect("a format");
        let rows = rows
            .replace(
                "{features_version:UInt16}",
                "(SELECT max(features_version) FROM calls)",
            )
            .replace("{from:DateTime64(6, 'UTC')}", "toDateTime64(0, 6, 'UTC')")
            .replace("{to:DateTime64(6, 'UTC')}", "now64(6) + 1")
            .replace("{limit:UInt64}", limit)
            // These came in a datagram, and nothing shows who sent it.
            .replace("bitAnd(c.signs, 16384) = 0", "1");
        service.sql(&format!(
            "SELECT verdict, account, replaceRegexpOne(campaign, '20..-..-..$', 'DAY'), count() \
             FROM ({rows}) GROUP BY ALL ORDER BY ALL"
        ))
    };
    assert_eq!(asked(DATASET_SQL, "100"), "legitimate\troot\t\t1");
    let shown = "fraud\thoneypot\thoneypot/127.0.0.7/DAY";
    assert_eq!(asked(HONEYPOT_SQL, "100"), format!("{shown}\t2"));
    assert_eq!(asked(HONEYPOT_SQL, "1"), format!("{shown}\t1"));
}

#[test]
fn an_address_that_proves_itself_is_listed_until_an_analyst_rejects_it() {
    let mut service = TestService::prepare_on_shared("honeypot_lists")
        .with_honeypot()
        .with_accounts();
    service.tfps_ok(&["domain", "untrust", "root", "127.0.0.0/8"]);
    service.start_again();
    let unproven = Phone::from_address("127.0.0.8", service.honeypot());
    let extension = challenged(&unproven);
    scan(&service, "127.0.0.9", &extension, 2);
    let value = "127.0.0.9/32";
    eventually("it is listed", || {
        (state_of(&service, value)? == "listed").then_some(())
    });
    assert_eq!(
        state_of(&service, "127.0.0.8/32"),
        None,
        "it has proved nothing"
    );
    let api = Api::new(&service);
    let shown = api.get("/v1/lists/learned?state=listed").body;
    let shown: Value = serde_json::from_str(&shown).expect("JSON");
    let reason = shown[0]["reason"].as_str().expect("words");
    assert!(reason.starts_with("learned: 1 honeypot source"), "{reason}");
    let entries = "/v1/lists?list=black&source=learned";
    assert!(api.get(entries).body.contains(value));
    // Whoever calls from it is refused at once.
    let said = service.tfps_ok(&["list", "check", "127.0.0.9"]);
    assert!(said.contains("R02"), "{said}");

    let reject = json!({"kind": "network", "value": value, "decision": "reject"});
    assert_eq!(api.send("POST", "/v1/lists/learned", &reject).status, 204);
    assert!(!api.get(entries).body.contains(value));
    // What it does from then on changes nothing, also after a restart.
    assert!(service.terminate().success());
    service.start_again();
    scan(&service, "127.0.0.9", &extension, 2);
    scan(&service, "127.0.0.10", &extension, 1);
    eventually("the other is listed", || {
        (state_of(&service, "127.0.0.10/32")? == "listed").then_some(())
    });
    assert_eq!(state_of(&service, value).as_deref(), Some("rejected"));
    let audit = service.tfps_ok(&["audit"]);
    assert!(
        audit.contains("learned reject") && audit.contains("list add"),
        "{audit}"
    );
}

#[test]
fn a_trusted_peers_address_is_only_proposed() {
    let service = TestService::prepare_on_shared("honeypot_trusted")
        .with_honeypot()
        .started();
    let phone = Phone::from_address("127.0.0.8", service.honeypot());
    let extension = challenged(&phone);
    scan(&service, "127.0.0.9", &extension, 2);
    eventually("it is proposed", || {
        (state_of(&service, "127.0.0.9/32")? == "proposed").then_some(())
    });
}

#[test]
fn what_three_analysts_say_of_a_call_is_evidence_about_its_number() {
    let service = TestService::start_on_shared("honeypot_verdicts");
    let number = "252612345678";
    Phone::new(service.prevention()).call(number);
    eventually("it is a row", || {
        (service.number("SELECT count() FROM calls") == Some(1)).then_some(())
    });
    let id = service.sql("SELECT toString(id) FROM calls");
    for by in ["ann", "ann", "bob", "cyd"] {
        service.tfps_ok(&["verdict", "fraud", &id, "--by", by]);
    }
    eventually("it is proposed", || {
        (state_of(&service, number)? == "proposed").then_some(())
    });
    let rows = learned(&service);
    let row = rows.iter().find(|row| row["value"] == number).expect("it");
    // Whether the call is evidence by itself is the model's affair.
    assert_eq!(row["evidence"]["analysts"], 4.0);
    assert!(row["parties"].as_u64() >= Some(3), "{row}");
    let why = row["why"].as_str().expect("words");
    assert!(why.contains("watched for 0 days"), "{why}");
}

#[test]
fn a_honeypot_stands_alone() {
    let mut service = TestService::prepare_on_shared("honeypot_alone")
        .honeypot_only()
        .started();
    assert_eq!(service.addresses().prevention, None);
    assert_eq!(service.addresses().detection, None);
    let phone = Phone::new(service.honeypot());
    phone.ask(&invite(&phone, "100"));
    assert!(service.terminate().success());
    service.start_again();
    eventually("it is a row", || {
        (service.number("SELECT count() FROM calls") == Some(1)).then_some(())
    });
}
