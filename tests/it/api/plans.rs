//! A policy without calls per second of its own has its plan's, on the wire.

use serde_json::json;

use crate::support::{Api, Phone, TestService, eventually};

const LONDON: &str = "442071838750";

#[test]
fn more_calls_than_the_plan_has_are_told_to_come_back() {
    let service = TestService::prepare_on_shared("api_plans");
    service.tfps_ok(&["plan", "set", "free", "--calls-per-second", "1"]);
    service.tfps_ok(&["policy", "set", "root", "default", "--plan", "free"]);
    let service = service.started();
    let phone = Phone::new(service.prevention());
    // Two calls within one second: a busy machine may need more than one try for that.
    let busy = eventually("a call too many", || {
        let answer = phone.call(LONDON);
        (answer.status() == Some(503)).then_some(answer)
    });
    assert_eq!(busy.header("Retry-After"), Some("1"));
    assert!(busy.header("Contact").is_none(), "{busy}");
    let checked = service.decided();
    assert!(checked >= 1);
    assert!(service.metric("tfps_rejected_total", &["calls-per-second"]) >= 1);

    // A limit of one's own goes before the plan's.
    let api = Api::new(&service);
    let own = json!({"calls_per_second": 100_000});
    let policy = "/v1/domains/root/policies/default";
    assert_eq!(api.send("PATCH", policy, &own).status, 200);
    eventually("ten calls in a row", || {
        let calls = (0..10).map(|_| phone.call(LONDON).status());
        calls
            .into_iter()
            .all(|status| status == Some(302))
            .then_some(())
    });
}
