//! 20,000 calls as fast as they are taken: every answered call is exactly one row, whatever is
//! killed meanwhile.

use crate::support::{Load, Sent, TestService, eventually, is_alive, signal};

const CALLS: u64 = 20_000;
/// So many are answered before anything is killed.
const BEFORE: u64 = 6_000;
/// Datagrams of one batch, at most.
const BATCH: u64 = 64;

fn assert_all_recorded(service: &TestService, sent: &Sent) {
    assert_eq!(sent.sent, CALLS);
    assert_eq!(sent.by_status.get(&503), Some(&CALLS), "{sent:?}");
    service.wait_for_rows(CALLS);
    for counter in ["surplus_rows", "spool_lost_events", "quarantined_records"] {
        assert_eq!(service.metric(&format!("tfps_{counter}_total"), &[]), 0);
    }
    eprintln!(
        "{CALLS} calls in {:.2} s, {} retransmissions",
        sent.elapsed_s, sent.retransmissions
    );
}

fn wait_for_decisions(service: &TestService, calls: u64) {
    eventually("calls are decided", || {
        (service.decided() >= calls).then_some(())
    });
}

#[test]
fn undisturbed() {
    let service = TestService::start();
    let load = Load::start(&service, service.detection(), CALLS);
    assert_all_recorded(&service, &load.finish());
    assert_eq!(service.decided(), CALLS);
}

#[test]
fn with_the_service_killed_in_the_middle() {
    let mut service = TestService::start();
    let load = Load::start(&service, service.detection(), CALLS);
    wait_for_decisions(&service, BEFORE);
    let engine = service.engine_pids();
    service.kill();
    // At once, while the old engine may still be ending.
    service.start_again();
    let sent = load.finish();
    assert!(sent.retransmissions > 0, "{sent:?}");
    assert_all_recorded(&service, &sent);
    let decided = service.decided();
    // A batch is counted before it is written: one that the kill cut off is decided again.
    assert!(
        (1..=CALLS - BEFORE + BATCH).contains(&decided),
        "{decided} decided after the restart"
    );
    assert!(engine.iter().all(|&pid| !is_alive(pid)));
}

#[test]
fn with_only_its_clickhouse_killed_in_the_middle() {
    let service = TestService::start();
    let load = Load::start(&service, service.detection(), CALLS);
    wait_for_decisions(&service, BEFORE);
    let engine = service.engine_pids();
    assert_eq!(engine.len(), 1);
    signal(engine[0], "-KILL");
    let sent = load.finish();
    assert_all_recorded(&service, &sent);
    assert_eq!(service.decided(), CALLS);
    assert_ne!(service.engine_pids(), engine);
}
