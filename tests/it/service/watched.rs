//! The model in force is watched: drift of live calls, and verdicts against scores.

use serde_json::Value;

use super::learning::school;
use super::models::{force, wait_in_force};
use crate::support::{Api, Load, TestService, eventually};

/// The status as a person asks for it.
fn status(service: &TestService) -> Value {
    let status = service.tfps_ok(&["models", "status", "--json"]);
    serde_json::from_str(&status).expect("JSON")
}

/// Habits begin empty here, so live calls are nothing like those of the training: the alarm
/// must come from customers' calls, once, and from strangers' never.
#[test]
fn drift_and_broken_promises_are_told_once_and_strangers_move_nothing() {
    const CALLS: u64 = 1_500;
    let service = TestService::prepare_on_shared("life_watched")
        .with("TFPS_MODELS__VERDICTS_SECS", "1")
        .started();
    school().hand_models_to(&service);
    let id = &school().models[0];
    force(&service, id);
    wait_in_force(&service, id);
    let accounts_read = || service.log().matches("accounts in force").count();

    // Nobody trusts this machine now: its copies are a stranger's.
    let before = accounts_read();
    service.tfps_ok(&["domain", "untrust", "root", "127.0.0.0/8"]);
    eventually("the edit is in force", || {
        (accounts_read() > before).then_some(())
    });
    drop(Load::start(&service, service.detection(), CALLS).finish());
    let told = eventually("strangers' calls are counted", || {
        let told = status(&service);
        let calls = told["drift"]["free"]["hour"]["calls"].as_f64();
        (calls > Some(900.0)).then_some(told)
    });
    assert_eq!(told["model"]["id"], **id);
    assert_eq!(told["drift"]["alarm"], false, "{told}");
    assert!(told["drift"]["free"]["day"]["score"].as_f64() > Some(0.25));
    assert_eq!(
        told["drift"]["customers"]["day"]["calls"].as_f64(),
        Some(0.0)
    );
    assert_eq!(service.metric("tfps_model_drift_alarms_total", &[]), 0);

    service.tfps_ok(&["domain", "trust", "root", "127.0.0.0/8"]);
    eventually("the edit is in force", || {
        (accounts_read() > before + 1).then_some(())
    });
    let others = ["--days", "60", "--seed", "8"];
    let sent = Load::start_with(&service, service.prevention(), CALLS, &others).finish();
    assert_eq!(sent.by_status.get(&302), Some(&CALLS), "{sent:?}");
    eventually("the alarm is raised", || {
        (service.metric("tfps_model_drift_alarms_total", &[]) == 1).then_some(())
    });
    let told = Api::new(&service).get("/v1/models/status").json();
    assert_eq!(told["drift"]["alarm"], true);
    let named = told["drift"]["customers"]["day"]["features"].as_array();
    assert!(named.is_some_and(|features| !features.is_empty()), "{told}");
    assert_eq!(service.metric("tfps_model_drift_alarm", &[]), 1);

    // Verdicts that contradict every score.
    let paid = "ingress = 'prevention'";
    service.wait_for_rows(2 * CALLS);
    service.sql(&format!(
        "INSERT INTO verdicts (id, verdict, campaign, by, source, note, at) \
         SELECT id, if(score > 0.5, 'legitimate', 'fraud'), '', 'test', 'analyst', '', now64(6) \
         FROM calls WHERE {paid}"
    ));
    eventually("broken promises are told", || {
        (service.metric("tfps_model_calibration_alarms_total", &[]) == 1).then_some(())
    });
    let told = status(&service);
    assert_eq!(told["observed"]["state"], "off");
    assert_eq!(told["observed"]["calls"], CALLS);
    let by_hand = service.number(&format!(
        "SELECT countIf(score <= 0.5) FROM calls WHERE {paid}"
    ));
    assert_eq!(told["observed"]["fraud"].as_u64(), by_hand);
    // Each is told once, however often it is looked at.
    let looks = service
        .log()
        .matches("customers' calls are not like")
        .count();
    assert_eq!(looks, 1);
    assert_eq!(service.metric("tfps_model_drift_alarms_total", &[]), 1);
    let shown = service.tfps_ok(&["models", "status"]);
    assert!(shown.contains("ALARM: customers' calls"), "{shown}");
    assert!(shown.contains("ALARM: clearly not as predicted"), "{shown}");

    // Without a service the files are asked.
    let mut service = service;
    assert!(service.terminate().success());
    let told = status(&service);
    assert_eq!(told["model"]["id"], **id);
    assert_eq!(told["drift"], Value::Null);
}
