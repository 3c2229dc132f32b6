//! The store against a real engine. Each test has a database of its own.

use crate::support;
use clickhouse::Row;
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;
use tfps::domain::{
    CallAttempt, CallEvent, Check, CheckOutcome, Code, Country, Decision, Destination, DialPrefix,
    FeatureVector, Ingress, Number, NumberClass, Outcome, Reason, Timestamp, Verdict,
};
use tfps::ship::{RealPace, ShipOptions, Shipper};
use tfps::spool::{self, SpoolOptions};
use tfps::store::{
    FeatureNamesError, MigrateError, Placed, Source, Store, StoreSettings, VerdictEntry,
};
use tfps::telemetry::Telemetry;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const MARCH: Timestamp = Timestamp::from_secs(1_709_294_400);
const MONTH: i64 = 31 * 86_400;

async fn store(database: &str) -> Store {
    let settings = StoreSettings {
        database: database.into(),
        ..StoreSettings::default()
    };
    Store::new(&support::clickhouse().await, &settings)
}

async fn migrated(database: &str) -> Store {
    let store = store(database).await;
    store.migrate().await.expect("migrates");
    store
}

fn event(number: u128, at: Timestamp) -> CallEvent {
    CallEvent {
        at,
        attempt: CallAttempt {
            id: Uuid::from_u128(number),
            ingress: Ingress::Prevention,
            call_id: format!("call-{number}@it's \t\"quoted\""),
            peer: [192, 0, 2, 1].into(),
            source_ip: "2001:db8::1".parse().expect("an address"),
            user: "alice".into(),
            domain: "a.example".into(),
            policy_user: Some(("bob".into(), "b.example".into())),
            dialed: "+447012345678".into(),
            user_agent: "phone".into(),
            concurrent: Some(3),
            signs: tfps::domain::Signs::NONE,
        },
        subscriber: String::new(),
        account: "a.example".into(),
        policy: "default".into(),
        used: None,
        destination: Destination {
            number: Number::parse("447012345678").ok(),
            calling_code: 44,
            country: Country::parse("GB").expect("a country"),
            class: NumberClass::PersonalNumber,
            dial_prefix: DialPrefix::Plus,
        },
        origin: Country::UNKNOWN,
        features: FeatureVector {
            version: 7,
            values: vec![0.5, 1.5],
        },
        decision: Decision {
            code: Code::Refused(Check::R13),
            whitelisted: false,
            checks: vec![
                CheckOutcome {
                    check: Check::R13,
                    outcome: Outcome::Refuse,
                    evidence: "4 in 60 s".into(),
                },
                CheckOutcome {
                    check: Check::R15,
                    outcome: Outcome::Pass,
                    evidence: String::new(),
                },
            ],
            score: Some(0.25),
            model: "m1".into(),
            reasons: vec![Reason {
                tag: "burst-1m".into(),
                contribution: 1.25,
            }],
            novelty: Some(0.5),
        },
        price: Some(0.5),
        latency_us: 12,
    }
}

fn placed(events: &[CallEvent]) -> impl Iterator<Item = (&CallEvent, Source)> {
    events.iter().zip(0..).map(|(event, offset)| {
        (
            event,
            Source {
                file: u64::MAX,
                offset,
            },
        )
    })
}

const ALL: Placed = Placed {
    file: u64::MAX,
    start: 0,
    end: 1 << 40,
    first: Timestamp(0),
    last: Timestamp::from_secs(4_000_000_000),
};

#[derive(Debug, Row, Deserialize)]
struct Column {
    place: String,
    kind: String,
    comment: String,
}

#[tokio::test]
async fn the_schema_is_the_golden_one_and_every_column_is_explained() {
    let store = migrated("it_schema").await;
    let query = store.query(
        "SELECT concat(table, '.', name) AS place, type AS kind, comment FROM system.columns \
         WHERE database = currentDatabase() ORDER BY table, position",
    );
    let columns = store.rows::<Column>(query).await.expect("lists");
    let is_view = |c: &Column| {
        [
            "call_features",
            "calls_labelled",
            "verdict_suggestions_open",
            "verdicts_latest",
        ]
        .iter()
        .any(|v| c.place.starts_with(&format!("{v}.")))
    };
    for column in columns.iter().filter(|c| !is_view(c)) {
        let generated = column.place.ends_with("inserted_at");
        assert!(
            generated || !column.comment.is_empty(),
            "{} says nothing",
            column.place
        );
    }
    let lines: Vec<_> = columns
        .iter()
        .map(|c| format!("{} {}", c.place, c.kind))
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[tokio::test]
async fn migrations_are_applied_once_even_by_two() {
    let store = store("it_migrate").await;
    let (one, two) = tokio::join!(store.migrate(), store.migrate());
    one.expect("migrates");
    two.expect("migrates too");
    assert!(store.migrate().await.expect("looks").is_empty());

    let newer = "INSERT INTO schema_migrations (version, name, checksum) SELECT 999, 'x', 'y'";
    store.query(newer).execute().await.expect("notes");
    let refused = store.migrate().await;
    assert!(
        matches!(refused, Err(MigrateError::Newer { found: 999, .. })),
        "{refused:?}"
    );

    let store = migrated("it_migrate_changed").await;
    let edited = "INSERT INTO schema_migrations (version, name, checksum) SELECT 1, 'x', 'y'";
    store.query(edited).execute().await.expect("notes");
    let refused = store.migrate().await;
    assert!(
        matches!(refused, Err(MigrateError::Changed { .. })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_token_makes_a_batch_over_months_arrive_once() {
    let store = migrated("it_token").await;
    let events: Vec<_> = (0..20_000u128)
        .map(|n| event(n, MARCH.plus_secs(MONTH * (n % 5) as i64 + n as i64)))
        .collect();
    for _ in 0..2 {
        store
            .insert_calls(placed(&events), "t1")
            .await
            .expect("takes");
        let present = store.present(&ALL).await.expect("looks");
        assert_eq!(present, (0..20_000).collect::<Vec<_>>());
    }
    // One part lost (as after a crash between two parts): the same again heals it.
    store
        .query("ALTER TABLE calls DROP PARTITION 202404")
        .execute()
        .await
        .expect("drops");
    let left = store.present(&ALL).await.expect("looks").len();
    assert_eq!(left, 16_000);
    store
        .insert_calls(placed(&events), "t1")
        .await
        .expect("takes");
    let present = store.present(&ALL).await.expect("looks");
    assert_eq!(present, (0..20_000).collect::<Vec<_>>());
}

#[derive(Debug, PartialEq, Row, Deserialize)]
struct Read {
    at: i64,
    peer: String,
    source_ip: String,
    check: String,
    off: String,
    evidence: String,
    tags: Vec<String>,
    contributions: Vec<f32>,
    policy_user: String,
    call_id: String,
    concurrent: Option<u32>,
    score: Option<f32>,
    number: u64,
    prefix: String,
}

#[tokio::test]
async fn a_row_reads_back_as_it_was() {
    let store = migrated("it_row").await;
    let events = [event(1, Timestamp(MARCH.0 + 7))];
    store
        .insert_calls(placed(&events), "t1")
        .await
        .expect("takes");
    let query = store.query(
        "SELECT toUnixTimestamp64Micro(at) AS at, toString(peer) AS peer, \
         toString(source_ip) AS source_ip, toString(checks['R13']) AS check, \
         toString(checks['R01']) AS off, evidence['R13'] AS evidence, reasons.tag AS tags, \
         reasons.contribution AS contributions, policy_user, call_id, concurrent, score, number, \
         toString(dial_prefix) AS prefix FROM calls WHERE id = {id:UUID}",
    );
    let query = query.param("id", events[0].attempt.id.to_string());
    let rows = store.rows::<Read>(query).await.expect("reads");
    insta::assert_debug_snapshot!(rows);
}

#[tokio::test]
async fn the_latest_verdict_counts_and_features_have_names() {
    let store = migrated("it_verdicts").await;
    let events = [event(1, MARCH), event(2, MARCH)];
    store
        .insert_calls(placed(&events), "t1")
        .await
        .expect("takes");
    let verdict = |verdict, secs| VerdictEntry {
        id: events[0].attempt.id,
        verdict,
        campaign: "wave".into(),
        by: "ann".into(),
        source: "analyst".into(),
        note: String::new(),
        at: MARCH.plus_secs(secs),
    };
    let entries = [verdict(Verdict::Legitimate, 5), verdict(Verdict::Fraud, 9)];
    for _ in 0..2 {
        store.insert_verdicts(&entries, "v1").await.expect("takes");
    }
    let labelled = "SELECT concat(toString(id), ' ', toString(verdict), ' ', campaign, ' ', code) FROM calls_labelled";
    let labelled = store
        .rows::<String>(store.query(labelled))
        .await
        .expect("reads");
    assert_eq!(
        labelled,
        ["00000000-0000-0000-0000-000000000001 fraud wave R13"]
    );
    let count = store
        .rows::<u64>(store.query("SELECT count() FROM verdicts"))
        .await;
    assert_eq!(count.expect("counts"), [2]);

    let names = [("hour", "hour of the day"), ("burst", "calls in a minute")];
    store.describe_features(7, &names).await.expect("notes");
    store.describe_features(7, &names).await.expect("knows");
    let changed = store.describe_features(7, &names[..1]).await;
    assert!(matches!(
        changed,
        Err(FeatureNamesError::Changed { version: 7 })
    ));
    let query = "SELECT concat(name, '=', toString(value)) AS x FROM call_features \
                 WHERE toString(id) LIKE '%1' ORDER BY x";
    let features = store
        .rows::<String>(store.query(query))
        .await
        .expect("reads");
    assert_eq!(features, ["burst=1.5", "hour=0.5"]);
}

#[tokio::test]
async fn arrow_is_bounded() {
    let store = migrated("it_arrow").await;
    let query = || {
        store
            .query("SELECT number, toString(number) AS text FROM numbers({n:UInt64})")
            .param("n", 200_000)
    };
    let bytes = store.arrow(query(), 1 << 26).await.expect("reads");
    assert!(bytes.len() > 2_000_000);
    let refused = store.arrow(query(), 1_000).await;
    assert!(matches!(
        refused,
        Err(tfps::store::StoreError::TooLarge(1_000))
    ));
}

#[tokio::test]
async fn the_shipper_carries_a_spool_into_the_engine_exactly_once() {
    let store = store("it_ship").await;
    let dir = tempfile::tempdir().expect("dir");
    let telemetry = Arc::new(Telemetry::new());
    let mut expected = 0;
    for round in 0..4u64 {
        let options = SpoolOptions::new(round);
        let (mut spool, reader) =
            spool::open::<CallEvent>(dir.path(), options, telemetry.clone()).expect("opens");
        let events: Vec<_> = (0..700)
            .map(|n| event(n + 10_000 * u128::from(round), MARCH))
            .collect();
        spool.append(&events, MARCH).expect("takes");
        expected += events.len() as u64;
        let pace = RealPace::new(|| MARCH, rand_pcg::Pcg64::new(1, 1));
        let options = ShipOptions {
            max_records: 300,
            ..ShipOptions::default()
        };
        let shipper = Shipper::new(reader, store.clone(), pace, options, telemetry.clone());
        let shutdown = CancellationToken::new();
        shutdown.cancel();
        // Some rounds are killed at a deadline that falls anywhere in an insert.
        let drain = if round == 3 {
            Duration::from_secs(60)
        } else {
            Duration::from_millis(30 * round)
        };
        shipper.run(shutdown, drain).await;
    }
    let count = "SELECT count(), uniqExact(source_file, source_offset), uniqExact(id) FROM calls";
    let counts = store
        .query(count)
        .fetch_one::<(u64, u64, u64)>()
        .await
        .expect("counts");
    assert_eq!(counts, (expected, expected, expected));
}
