//! Limits of use over the wire: in force within a second, and whole after an end of any kind.

use std::fs::{self, File};
use std::path::PathBuf;
use std::sync::Arc;

use chrono::Timelike;
use tfps::domain::{CallEvent, Timestamp};
use tfps::spool::{self, SpoolOptions};
use tfps::telemetry::Telemetry;

use crate::support::{Message, Phone, TestService, code_of, eventually};

const LONDON: &str = "442071838750";
const BERLIN: &str = "4930901820";

/// A time zone in which it is about noon: no day may end while a test counts its calls.
pub(super) fn zone_at_noon() -> String {
    let hour = tfps::app::clock::now().to_datetime().hour();
    match hour {
        // The signs of these names are those of POSIX: `-5` is five hours ahead of UTC.
        0..=12 => format!("Etc/GMT-{}", 12 - hour),
        _ => format!("Etc/GMT+{}", hour - 12),
    }
}

/// Sets what is given, then asks with `probe` until it gets `code`.
fn set(service: &TestService, options: &[&str], probe: impl Fn() -> Message, code: &str) {
    service.tfps_ok(&[&["policy", "set", "root", "default"], options].concat());
    let phone = Phone::new(service.prevention());
    eventually(&format!("{code} after {options:?}"), || {
        (code_of(&phone.ask(&probe())) == code).then_some(())
    });
}

/// Codes of so many calls.
fn codes(service: &TestService, calls: usize) -> Vec<String> {
    let phone = Phone::new(service.prevention());
    (0..calls).map(|_| code_of(&phone.call(LONDON))).collect()
}

/// A service whose subscribers may make so many calls a day; none is made yet.
fn with_quota(database: &str, calls: &str) -> TestService {
    let service = TestService::prepare_on_shared(database);
    let zone = zone_at_noon();
    let quota = [
        "--mode",
        "R11=enforce",
        "--daily-quota",
        calls,
        "--zone",
        &zone,
    ];
    service.tfps_ok(&[&["policy", "set", "root", "default"], &quota[..]].concat());
    service.started()
}

#[test]
fn a_daily_quota_holds_across_kill_9() {
    let mut service = with_quota("limits_kill", "20");
    assert_eq!(codes(&service, 12), ["A00"; 12]);
    service.kill();
    service.start_again();
    assert_eq!(codes(&service, 5), ["A00"; 5]);
    service.kill();
    service.start_again();
    assert_eq!(codes(&service, 4), ["A00", "A00", "A00", "R11"]);
    service.kill();
    service.start_again();
    assert_eq!(codes(&service, 2), ["R11"; 2]);
    // A quota of one more is one more call.
    let phone = Phone::new(service.prevention());
    let more = ["--daily-quota", "21"];
    set(&service, &more, || phone.invite(LONDON), "A00");
    assert_eq!(codes(&service, 1), ["R11"]);

    eventually("all approved calls are stored", || {
        service
            .number("SELECT countIf(code = 'A00') = 21 FROM calls")
            .filter(|&n| n == 1)
    });
    let evidence = service.sql("SELECT DISTINCT evidence['R11'] FROM calls WHERE code = 'R11'");
    assert!(
        evidence.contains("21 of 20 calls today, normal hours"),
        "{evidence}"
    );
}

/// Nothing of it is left in the spool: only the saved counts know.
#[test]
fn a_daily_quota_holds_across_an_orderly_end() {
    let mut service = with_quota("limits_saved", "1");
    assert_eq!(codes(&service, 2), ["A00", "R11"]);
    service.wait_for_rows(2);
    assert!(service.terminate().success());
    std::fs::remove_dir_all(service.data().join("spool")).expect("removed");
    service.start_again();
    assert_eq!(codes(&service, 1), ["R11"]);
}

#[test]
fn damaged_counts_are_set_aside_and_calls_go_on() {
    let mut service = with_quota("limits_damaged", "1000");
    codes(&service, 1);
    assert!(service.terminate().success());
    let state = service.data().join("state/usage");
    let mut bytes = std::fs::read(&state).expect("saved");
    let last = bytes.last_mut().expect("not empty");
    *last ^= 1;
    std::fs::write(&state, &bytes).expect("damaged");
    service.start_again();
    assert_eq!(codes(&service, 1), ["A00"]);
    assert!(service.log().contains("counts of use not restored"));
    assert_eq!(
        std::fs::read(state.with_extension("damaged")).expect("kept"),
        bytes
    );
    assert!(service.terminate().success());
    assert!(state.exists(), "saved anew");
}

#[test]
fn each_limit_gives_its_code() {
    let service = TestService::start_on_shared("limits_codes");
    let zone = zone_at_noon();
    let phone = Phone::new(service.prevention());
    let with_calls = |up: &'static str| {
        let phone = &phone;
        move || phone.invite(LONDON).with("P-Calls", up)
    };
    let asked = |up| code_of(&phone.ask(&with_calls(up)()));
    let to = |number: &'static str| {
        let phone = &phone;
        move || phone.invite(number)
    };

    let normal = [
        "--mode",
        "R10=enforce",
        "--concurrent",
        "3",
        "--zone",
        &zone,
    ];
    set(&service, &normal, with_calls("3"), "R10");
    assert_eq!(asked("2"), "A00");
    assert_eq!(asked("4"), "R10");
    assert_eq!(code_of(&phone.call(LONDON)), "A00", "nobody knows how many");

    let off = [
        "--mode",
        "R08=enforce",
        "--concurrent-off-hours",
        "2",
        "--off-hours",
        "00:00-24:00",
    ];
    set(&service, &off, with_calls("2"), "R08");
    assert_eq!(asked("1"), "A00");
    let quota_off = ["--mode", "R09=enforce", "--daily-quota-off-hours", "1"];
    set(&service, &quota_off, with_calls("1"), "R09");
    assert_eq!(asked("2"), "R08", "earlier in the order");
    let quota = [
        "--mode",
        "R11=enforce",
        "--daily-quota",
        "0",
        "--off-hours",
        "",
    ];
    set(&service, &quota, with_calls("1"), "R11");
    assert_eq!(asked("3"), "R10", "earlier in the order");

    let same = [
        "--mode",
        "R13=enforce",
        "--same-number",
        "1/604800",
        "--daily-quota",
        "none",
        "--concurrent",
        "none",
    ];
    set(&service, &same, to(LONDON), "R13");
    assert_eq!(
        code_of(&phone.call("442071838751")),
        "A00",
        "another number"
    );
    assert_eq!(code_of(&phone.call("442071838751")), "R13");

    let risky = ["--mode", "R06=enforce", "--destination-except", "risk:high"];
    set(&service, &risky, to("21671123456"), "R06");
    service.tfps_ok(&["country", "risk", "TN", "low"]);
    eventually("Tunisia is no risk any more", || {
        let code = code_of(&phone.call("21671123456"));
        (code == "A00" || code == "R13").then_some(())
    });
    let known = ["--mode", "R05=enforce", "--origin-only", "continent:SA,BR"];
    set(&service, &known, to(BERLIN), "R05");

    let calls = service.decided();
    service.wait_for_rows(calls);
    let told = |code: &str| {
        service.sql(&format!(
            "SELECT any(evidence['{code}']) FROM calls WHERE code = '{code}'"
        ))
    };
    for (code, evidence) in [
        ("R08", "2 other calls up, 2 allowed, off hours"),
        ("R09", "of 1 calls today, off hours"),
        ("R10", "other calls up, 3 allowed, normal hours"),
        ("R11", "of 0 calls today, normal hours"),
        ("R13", "to this number within 604800 s, 1 allowed"),
    ] {
        let told = told(code);
        assert!(told.contains(evidence), "{code}: {told}");
    }
}

#[test]
fn more_calls_in_a_second_than_allowed_get_503() {
    let service = TestService::start_on_shared("limits_rate");
    service.tfps_ok(&[
        "policy",
        "set",
        "root",
        "default",
        "--calls-per-second",
        "1",
    ]);
    let phone = Phone::new(service.prevention());
    let busy = eventually("a second call in one second", || {
        let answer = phone.call(LONDON);
        (answer.status() == Some(503)).then_some(answer)
    });
    assert_eq!(busy.header("Retry-After"), Some("1"));
    assert_eq!(busy.header("Contact"), None);
    assert!(service.metric("tfps_rejected_total", &["reason=\"calls-per-second\""]) > 0);
    eventually("the next second", || {
        (code_of(&phone.call(LONDON)) == "A00").then_some(())
    });
    let calls = service.decided();
    service.wait_for_rows(calls);
    let free = Phone::new(service.detection());
    for _ in 0..3 {
        let answer = free.call(LONDON);
        assert_eq!(answer.header("Retry-After"), None, "a copy is never busy");
    }
    service.wait_for_rows(calls + 3);
}

/// Puts what a service that has ended left in its spool so many seconds into the past.
fn age_the_spool(service: &TestService, seconds: u32) {
    let folder = service.data().join("spool");
    let segments = || -> Vec<PathBuf> {
        let entries = fs::read_dir(&folder).expect("a folder").flatten();
        let paths = entries.map(|entry| entry.path());
        let segments = paths.filter(|path| path.extension().is_some_and(|e| e == "seg"));
        segments.collect()
    };
    let open = |seed| {
        let telemetry = Arc::new(Telemetry::new());
        spool::open::<CallEvent>(&folder, SpoolOptions::new(seed), telemetry).expect("a spool")
    };
    let as_left = segments();
    let (spool, reader) = open(1);
    let all = spool.recent(Timestamp::default(), |event| event.at);
    let mut events: Vec<CallEvent> = all.expect("a list").collect();
    drop((spool, reader));
    for event in &mut events {
        event.at = event.at.plus_secs(-i64::from(seconds));
    }
    let now = tfps::app::clock::now();
    let (mut spool, reader) = open(2);
    spool.append(&events, now).expect("taken");
    drop((spool, reader));
    for segment in as_left {
        fs::remove_file(segment).expect("removed");
    }
    let then = now.plus_secs(-i64::from(seconds)).to_datetime();
    for segment in segments() {
        let file = File::options().write(true).open(segment);
        file.expect("a file")
            .set_modified(then.into())
            .expect("aged");
    }
}

/// A fresh service that is killed before it first saves its counts, and one whose counts are damaged.
#[test]
fn without_saved_counts_all_that_is_spooled_is_counted() {
    for (database, damaged) in [("limits_fresh", false), ("limits_damaged", true)] {
        let mut service = with_quota(database, "5");
        assert_eq!(codes(&service, 3), ["A00"; 3]);
        service.kill();
        age_the_spool(&service, 600);
        let saved = service.data().join("state/usage");
        if damaged {
            fs::write(&saved, "no counts").expect("written");
        } else {
            let _ = fs::remove_file(&saved);
        }
        service.start_again();
        assert_eq!(codes(&service, 3), ["A00", "A00", "R11"], "{database}");
        assert_eq!(saved.with_extension("damaged").exists(), damaged);
    }
}
