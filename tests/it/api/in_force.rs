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

/// Two thousand calls a second, a rule that refuses them all, and one look at what was decided
/// when: by ClickHouse, whose rows bear the time of each decision.
#[test]
fn a_rule_is_in_force_within_a_second_under_load() {
    const CALLS: u64 = 16_000;
    let service = TestService::start_on_shared("api_rate");
    let api = Api::new(&service);
    let options = ["--days", "60", "--seed", "7", "--rate", "2000"];
    let load = Load::start_with(&service, service.prevention(), CALLS, &options);
    eventually("a quarter of the calls are decided", || {
        (service.decided() >= CALLS / 4).then_some(())
    });
    let nowhere = json!({"modes": {"R06": "enforce"}, "destination": {"only": ["XG"]}});
    let policy = "/v1/domains/root/policies/default";
    assert_eq!(api.send("PATCH", policy, &nowhere).status, 200);
    let edited = tfps::app::clock::now();
    let sent = load.finish();
    assert_eq!((sent.sent, sent.answered), (CALLS, CALLS));
    service.wait_for_rows(CALLS);

    let at = |count: &str, from: i64| {
        let sql = format!(
            "SELECT {count} FROM calls WHERE toUnixTimestamp64Micro(at) >= {}",
            edited.0 + from
        );
        service.number(&sql).expect("a number")
    };
    // Whether R06 was in force is said by every call, whatever else refused it.
    let without = "countIf(checks['R06'] = 'off')";
    let rate = at("count()", 0) as f64 / sent.elapsed_s;
    assert!(at("count()", 1_000_000) > 2_000, "the load went on: {rate}");
    assert_eq!(at(without, 1_000_000), 0, "calls under the old rule");
    assert!(at("countIf(code = 'R06')", 1_000_000) > 1_000);
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
