//! An end and a new start lose nothing: neither calls nor what is known of callers.

use crate::support::{Load, Phone, TestService, eventually, is_alive};

const CALLS: u64 = 10_000;

#[test]
fn sigterm_under_load_loses_no_call() {
    let mut service = TestService::start_on_shared("restart_sigterm");
    let load = Load::start(&service, service.detection(), CALLS);
    eventually("calls are decided", || {
        (service.decided() >= CALLS / 3).then_some(())
    });
    assert!(service.terminate().success());
    service.start_again();
    let sent = load.finish();
    assert_eq!(sent.by_status.get(&503), Some(&CALLS), "{sent:?}");
    service.wait_for_rows(CALLS);
}

/// `user_known` as served: ln(1 + calls of this caller, decayed over 30 days).
fn known(service: &TestService, calls: u64) -> Vec<u64> {
    service.wait_for_rows(calls);
    let rows = service.sql(
        "SELECT toUInt64(round(exp(value) - 1)) FROM call_features \
         WHERE name = 'user_known' ORDER BY at",
    );
    rows.lines().map(|n| n.parse().expect("a number")).collect()
}

#[test]
fn a_known_caller_stays_known() {
    let mut service = TestService::start_on_shared("restart_known");
    let call = |service: &TestService| {
        Phone::new(service.prevention()).call("5548987654321");
    };
    for _ in 0..3 {
        call(&service);
    }
    assert!(service.terminate().success());
    service.start_again();
    call(&service);
    // Not saved before the kill: it comes back from the spool.
    service.kill();
    service.start_again();
    call(&service);
    assert_eq!(known(&service, 5), [0, 1, 2, 3, 4]);
}

/// The sender did not hear the answer: it asks again, and another service is there.
#[test]
fn a_retransmission_across_a_restart_gets_the_same_answer_and_is_no_new_call() {
    let mut service = TestService::start_on_shared("restart_retransmission");
    let phone = Phone::new(service.prevention());
    let invite = phone.invite("5548987654321");
    let first = phone.ask(&invite).to_string();
    for kill in [true, false] {
        if kill {
            service.kill();
        } else {
            assert!(service.terminate().success());
        }
        service.start_again();
        assert_eq!(phone.ask(&invite).to_string(), first);
        assert_eq!(service.decided(), 0);
    }
    service.wait_for_rows(1);
}

/// The killed service's engine ends by itself, but first lets its statement end: seconds in which
/// it still has the port and the data.
#[test]
fn a_service_that_follows_a_killed_one_waits_for_its_engine() {
    let mut service = TestService::start();
    Phone::new(service.prevention()).call("5548987654321");
    service.wait_for_rows(1);
    let engine = service.engine_pids();
    let _cut_off =
        service.sql_meanwhile("SELECT sleepEachRow(1) FROM numbers(3) SETTINGS max_block_size = 1");
    eventually("the statement runs", || {
        let running = "SELECT count() FROM system.processes WHERE query LIKE 'SELECT sleepEach%'";
        (service.number(running) == Some(1)).then_some(())
    });
    service.kill();
    assert!(is_alive(engine[0]));
    service.start_again();
    assert!(!is_alive(engine[0]));
    service.wait_for_rows(1);
}
