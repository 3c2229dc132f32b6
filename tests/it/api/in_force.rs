//! What is edited over HTTP is in force on the SIP port within a second, and no call is lost
//! meanwhile.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{Api, Load, Phone, TestService, code_of, eventually};

const LONDON: &str = "442071838750";
/// Edits must be in force in it. The quickest of several is looked at: a busy machine may take
/// the processor away for any time.
const A_SECOND: Duration = Duration::from_secs(1);

#[test]
fn within_a_second() {
    let service = TestService::start_on_shared("api_in_force");
    let api = Api::new(&service);
    let phone = Phone::new(service.prevention());
    let mut times = Vec::new();
    let mut wait = |code: &str| {
        let edited = Instant::now();
        eventually(code, || {
            (code_of(&phone.call(LONDON)) == code).then_some(())
        });
        times.push(edited.elapsed());
    };
    let policy = "/v1/domains/root/policies/default";
    for _ in 0..3 {
        let entry = json!({"entries": [
            {"list": "black", "kind": "prefix", "value": "4420", "reason": "a test"}]});
        assert_eq!(api.send("POST", "/v1/lists", &entry).status, 200);
        wait("R03");
        let removed = api.delete("/v1/lists?list=black&kind=prefix&value=4420");
        assert_eq!(removed.status, 204, "{removed:?}");
        wait("A00");
        let not_to_britain =
            json!({"modes": {"R06": "enforce"}, "destination": {"except": ["GB"]}});
        assert_eq!(api.send("PATCH", policy, &not_to_britain).status, 200);
        wait("R06");
        let anywhere = json!({"modes": {"R06": null}, "destination": null});
        assert_eq!(api.send("PATCH", policy, &anywhere).status, 200);
        wait("A00");
    }
    let quickest = times.iter().min().expect("some");
    assert!(*quickest < A_SECOND, "{times:?}");
    times.sort();
    assert!(times[times.len() / 2] < A_SECOND, "{times:?}");
}

#[test]
fn a_subscriber_of_a_new_domain_has_his_policy() {
    let service = TestService::start_on_shared("api_subscriber");
    let api = Api::new(&service);
    let new = json!({"name": "new.example", "trusted_peers": ["127.0.0.3"]});
    assert_eq!(api.send("POST", "/v1/domains", &new).status, 201);
    let decline = json!({"name": "decline", "rules": {"answer": "decline"}});
    let policies = "/v1/domains/new.example/policies";
    assert_eq!(api.send("POST", policies, &decline).status, 201);
    let path = "/v1/domains/new.example/subscribers/bob";
    assert_eq!(
        api.send("PUT", path, &json!({"policy": "decline"})).status,
        201
    );
    let phone = Phone::from_address("127.0.0.3", service.prevention());
    let as_bob = || phone.invite(LONDON).with("X-TFPS", "bob@new.example");
    eventually("bob's policy declines", || {
        (phone.ask(&as_bob()).status() == Some(503)).then_some(())
    });
    assert_eq!(code_of(&phone.call(LONDON)), "A00", "alice's does not");
    assert_eq!(api.delete(path).status, 204);
    eventually("bob has the default policy again", || {
        (phone.ask(&as_bob()).status() == Some(302)).then_some(())
    });
}

/// Two thousand calls a second, a rule that refuses them all switched on and off, and a look at
/// what was decided when: by ClickHouse, whose rows bear the time of each decision.
#[test]
fn a_rule_is_in_force_within_a_second_under_load() {
    const CALLS: u64 = 24_000;
    const EDITS: u64 = 5;
    let service = TestService::start_on_shared("api_rate");
    let api = Api::new(&service);
    let policy = "/v1/domains/root/policies/default";
    let nowhere = json!({"destination": {"only": ["XG"]}});
    assert_eq!(api.send("PATCH", policy, &nowhere).status, 200);
    let options = ["--days", "60", "--seed", "7", "--rate", "2000"];
    let load = Load::start_with(&service, service.prevention(), CALLS, &options);
    let mut edited = Vec::new();
    for edit in 0..EDITS {
        eventually("some thousand more calls are decided", || {
            (service.decided() >= (edit + 1) * CALLS / (EDITS + 1)).then_some(())
        });
        let mode = if edit % 2 == 0 {
            json!("enforce")
        } else {
            json!(null)
        };
        let patch = json!({"modes": {"R06": mode}});
        assert_eq!(api.send("PATCH", policy, &patch).status, 200);
        edited.push(tfps::app::clock::now().0);
    }
    let sent = load.finish();
    assert_eq!((sent.sent, sent.answered), (CALLS, CALLS));
    service.wait_for_rows(CALLS);

    // Whether R06 was in force is said by every call, whatever else refused it.
    edited.push(i64::MAX);
    let mut delays = Vec::new();
    for (edit, times) in edited.windows(2).enumerate() {
        let before = if edit % 2 == 0 { "=" } else { "!=" };
        let sql = format!(
            "SELECT max(toUnixTimestamp64Micro(at)) FROM calls WHERE checks['R06'] {before} 'off' \
             AND toUnixTimestamp64Micro(at) BETWEEN {} AND {}",
            times[0], times[1]
        );
        let last = service.number(&sql).expect("a number").cast_signed();
        delays.push(Duration::from_micros(
            (last - times[0]).max(0).cast_unsigned(),
        ));
    }
    let refused = "SELECT countIf(code = 'R06') FROM calls";
    assert!(
        service.number(refused) > Some(CALLS / 4),
        "the rule refuses"
    );
    delays.sort();
    assert!(delays[delays.len() / 2] < A_SECOND, "{delays:?}");
}

#[test]
fn no_call_is_lost_while_rules_change() {
    const CALLS: u64 = 10_000;
    let service = TestService::start_on_shared("api_load");
    let api = Api::new(&service);
    let load = Load::start(&service, service.prevention(), CALLS);
    let policy = "/v1/domains/root/policies/default";
    let mut edits = 0;
    while service.decided() < CALLS {
        let mode = if edits % 2 == 0 { "audit" } else { "enforce" };
        let patch = json!({"modes": {"R07": mode}});
        assert_eq!(api.send("PATCH", policy, &patch).status, 200);
        edits += 1;
    }
    // Every call was answered, or `finish` says so.
    let sent = load.finish();
    assert_eq!((sent.sent, service.decided()), (CALLS, CALLS));
    assert!(edits > 3, "only {edits} edits meanwhile");
    service.wait_for_rows(CALLS);
}
