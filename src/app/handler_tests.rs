//! What is kept of calls when the spool runs full.

use super::*;
use crate::accounts::{Accounts, Snapshot};
use crate::decide::WindowSizes;
use crate::domain::{CallAttempt, NeutralAnswer};
use crate::geo::Geo;
use crate::model::ModelSlot;
use crate::spool::{self, SpoolOptions};
use uuid::Uuid;

const NOW: Timestamp = Timestamp::from_secs(1_760_000_000);

fn call(ingress: Ingress) -> Asked {
    let peer = IpAddr::from([127, 0, 0, 1]);
    Asked::from(CallAttempt {
        id: Uuid::nil(),
        ingress,
        call_id: String::new(),
        peer,
        source_ip: peer,
        user: "alice".into(),
        domain: "itsp.example".into(),
        policy_user: None,
        dialed: "442071838750".into(),
        user_agent: String::new(),
        concurrent: None,
        signs: crate::domain::Signs::NONE,
    })
}

#[test]
fn a_flood_of_free_calls_leaves_room_for_those_that_are_paid_for() {
    let folder = tempfile::tempdir().expect("folder");
    let telemetry = Arc::new(Telemetry::new());
    let options = SpoolOptions {
        max_bytes: 64 * 1024,
        segment_bytes: 1_024,
        ..SpoolOptions::new(1)
    };
    let opened = spool::open::<CallEvent>(folder.path(), options, Arc::clone(&telemetry));
    let (spool, mut reader) = opened.expect("a spool");
    let accounts = Accounts::in_memory(NOW).expect("accounts");
    let sizes = WindowSizes {
        tracks: 1_000,
        key: [7; 16],
    };
    let engine = Engine::new(
        Snapshot::load(&accounts).expect("snapshot"),
        Geo::default(),
        sizes,
        Arc::new(ModelSlot::new(None)),
        NeutralAnswer::default(),
    );
    let handler = Handler::new(Arc::new(engine), Mutex::new(spool), Arc::clone(&telemetry));
    let lost = |reason: &str| {
        let line = format!("tfps_spool_lost_events_total{{reason=\"{reason}\"}} ");
        let text = telemetry.encode().expect("text");
        let count = text
            .lines()
            .find_map(|l| l.strip_prefix(&line)?.parse().ok());
        count.unwrap_or(0_u64)
    };
    let mut asked = 0;
    while lost("free-share") == 0 {
        let answers = handler.decide(vec![call(Ingress::Detection)], NOW);
        assert!(
            matches!(answers[..], [Answer::Neutral(_)]),
            "answered all the same"
        );
        asked += 1;
    }
    assert!(asked > 10, "{asked}");
    // Both kinds in one batch: one is kept, the other is not.
    let both = vec![call(Ingress::Honeypot), call(Ingress::Prevention)];
    assert_eq!(handler.decide(both, NOW).len(), 2);
    assert_eq!(lost("free-share"), 2);
    for ingress in [Ingress::Prevention, Ingress::Web] {
        assert!(handler.ask(call(ingress)).event.is_some());
    }
    assert_eq!(lost("refused"), 0);
    let mut doors = std::collections::BTreeMap::new();
    while let Some(batch) = reader.next_batch(1_000).expect("read") {
        for stored in &batch.records {
            *doors
                .entry(stored.record.attempt.ingress.as_str())
                .or_insert(0) += 1;
        }
        reader.commit(batch.range).expect("committed");
    }
    let kept = [("detection", asked - 1), ("prevention", 2), ("web", 1)];
    assert_eq!(doors, kept.into_iter().collect());
    // The last quarter is all of the room that is left, and has an end.
    while lost("refused") == 0 {
        handler.decide(vec![call(Ingress::Prevention)], NOW);
    }
}

#[test]
fn what_anybody_can_cause_is_told_once_a_minute_with_its_count() {
    let untold = Untold::default();
    let after = |seconds| untold.tell(NOW.plus_secs(seconds));
    assert_eq!(after(0), Some(1));
    assert_eq!((after(1), after(59)), (None, None));
    assert_eq!(after(60), Some(3));
    assert_eq!(after(61), None);
}
