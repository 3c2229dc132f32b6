//! Quotas told and set to nothing over HTTP.

use serde_json::json;

use crate::support::{Api, Phone, TestService, code_of, eventually};

const LONDON: &str = "442071838750";
const USAGE: &str = "/v1/domains/root/usage/default";

#[test]
fn a_reset_gives_the_quota_back_once_and_survives_a_kill() {
    let mut service = TestService::start_on_shared("api_usage");
    let api = Api::new(&service);
    let call = |service: &TestService| code_of(&Phone::new(service.prevention()).call(LONDON));
    let quota = json!({"modes": {"R11": "enforce"}, "daily_quota": {"normal": 1}});
    let policy = "/v1/domains/root/policies/default";
    assert_eq!(api.send("PATCH", policy, &quota).status, 200);
    eventually("the quota is in force", || {
        (api.get(USAGE).json()["normal"]["quota"] == 1).then_some(())
    });
    assert_eq!([call(&service), call(&service)], ["A00", "R11"]);
    assert_eq!(
        api.get(USAGE).json()["normal"],
        json!({"used": 1, "quota": 1})
    );
    let reset = api.delete(USAGE);
    assert_eq!(reset.status, 200, "{reset:?}");
    assert_eq!(reset.json()["normal"], json!({"used": 0, "quota": 1}));
    // Nothing of it is saved but what the reset itself wrote down.
    service.kill();
    service.start_again();
    assert_eq!(api.get(USAGE).json()["normal"]["used"], 0);
    assert_eq!(call(&service), "A00");
    service.kill();
    service.start_again();
    assert_eq!([call(&service), call(&service)], ["R11"; 2]);
    let log = service.tfps_ok(&["audit", "--actor", "token:first-start", "--json"]);
    assert!(log.contains("usage reset"), "{log}");
    assert_eq!(api.get("/v1/domains/root/usage/nobody").status, 404);
}
