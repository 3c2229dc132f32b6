//! A model file is used whole or refused whole.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::learning::school;
use crate::support::{Phone, TestService, code_of, eventually};

/// A service with the two models of the school in its folder.
fn with_models(database: &str) -> (TestService, [String; 2]) {
    let service = TestService::prepare_on_shared(database);
    school().hand_models_to(&service);
    (service, school().models.clone())
}

fn path_of(service: &TestService, id: &str) -> PathBuf {
    service.data().join(format!("models/{id}.json"))
}

/// Changes one digit of one weight; the file stays good JSON of the same length.
fn change_one_byte(path: &Path) {
    let mut bytes = fs::read(path).expect("a model");
    let start = bytes.len() / 2;
    let at = (start..bytes.len()).find(|&at| bytes[at].is_ascii_digit());
    let at = at.expect("a digit");
    bytes[at] = if bytes[at] == b'1' { b'2' } else { b'1' };
    // As an editor does: another file in the place of the old one.
    let draft = path.with_extension("draft");
    fs::write(&draft, bytes).expect("written");
    fs::rename(draft, path).expect("moved");
}

fn in_force(service: &TestService) -> Value {
    let ready: Value = serde_json::from_str(&service.get("/readyz").body).expect("JSON");
    ready["model"].clone()
}

/// Puts a model in force whatever any comparison says.
pub fn force(service: &TestService, id: &str) {
    service.tfps_ok(&["models", "promote", id, "--force", "--why", "a test"]);
}

pub fn wait_in_force(service: &TestService, id: &str) {
    eventually("the model is in force", || {
        (in_force(service) == id).then_some(())
    });
}

#[test]
fn promote_refuses_a_changed_file_and_says_why() {
    let (service, [good, bad]) = with_models("models_promote");
    change_one_byte(&path_of(&service, &bad));
    force(&service, &good);
    let pointer = service.data().join("models/in-force.json");
    let before = fs::read(&pointer).expect("the pointer");

    let forced = ["models", "promote", &bad, "--force", "--why", "a test"];
    let ended = service.tfps(&forced);
    assert_eq!(ended.code, Some(1));
    assert!(
        ended.stderr.contains("changed since it was written"),
        "{ended:?}"
    );
    assert_eq!(fs::read(&pointer).expect("the pointer"), before);

    let listed = service.tfps_ok(&["models", "list", "--json"]);
    let listed: Value = serde_json::from_str(&listed).expect("JSON");
    let row = |id: &str| {
        let rows = listed.as_array().expect("rows").iter();
        rows.clone()
            .find(|row| row["id"] == id)
            .expect("listed")
            .clone()
    };
    assert_eq!(row(&good)["in_force"], true);
    assert!(
        row(&bad)["refused"]
            .as_str()
            .expect("why")
            .contains("sha256")
    );
    let ended = service.tfps(&["models", "promote", "nosuch"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended.stderr.contains("no such model: `nosuch`"),
        "{ended:?}"
    );
    for known in [&good, &bad] {
        assert!(ended.stderr.contains(known), "{ended:?}");
    }
}

#[test]
fn the_service_refuses_a_changed_file_and_goes_on_with_the_old_one() {
    let (service, [good, bad]) = with_models("models_serve");
    let mut service = service.started();
    force(&service, &good);
    wait_in_force(&service, &good);

    // Good when it was promoted, changed before the service looks: as by a damaged disk.
    let pointer = service.data().join("models/in-force.json");
    let ours = fs::read_to_string(&pointer).expect("the pointer");
    force(&service, &bad);
    let theirs = fs::read_to_string(&pointer).expect("the pointer");
    fs::write(&pointer, &ours).expect("written");
    wait_in_force(&service, &good);
    let swaps = service.metric("tfps_model_swaps_total", &[]);
    change_one_byte(&path_of(&service, &bad));
    fs::write(&pointer, &theirs).expect("written");

    eventually("the refusal is counted", || {
        (service.metric("tfps_model_refusals_total", &[]) == 1).then_some(())
    });
    let log = service.log();
    assert!(
        log.contains("model refused, the one in force stays"),
        "{log}"
    );
    assert!(log.contains("changed since it was written"), "{log}");
    assert_eq!(in_force(&service), *good);
    assert_eq!(service.metric("tfps_model_swaps_total", &[]), swaps);
    let answer = Phone::new(service.prevention()).call("5548987654321");
    assert_eq!(code_of(&answer), "A00");
    service.wait_for_rows(1);
    assert_eq!(service.sql("SELECT model FROM calls"), good);

    // A service that starts so has the shipped one to serve with, and counts the refusal too.
    assert!(service.terminate().success());
    service.start_again();
    assert_eq!(service.metric("tfps_model_refusals_total", &[]), 1);
    assert_ne!(in_force(&service), *bad);
    let answer = Phone::new(service.prevention()).call("5548987654321");
    assert_eq!(code_of(&answer), "A00");

    // And back: the one before.
    service.tfps_ok(&["models", "roll-back"]);
    wait_in_force(&service, &good);
}
