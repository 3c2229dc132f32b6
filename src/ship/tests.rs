//! The shipper against a scripted store that honours tokens as ClickHouse does: per part.

use super::*;
use crate::domain::Timestamp;
use crate::spool::{self, Batch, Record, Spool, SpoolOptions, SpoolReader};
use crate::store::StoreError;
use crate::telemetry::Telemetry;
use clickhouse::error::Error;
use futures_util::FutureExt;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::{HashSet, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const NOW: Timestamp = Timestamp::from_secs(1_000);
/// A record no store takes.
const POISON: u32 = u32::MAX;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Note(u32);

impl Record for Note {
    const KIND: [u8; 4] = *b"note";
    const SCHEMA: u16 = 1;
}

/// What the store does with the next insert.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Act {
    Take,
    /// No answer, nothing stored.
    Refuse,
    /// No answer, all stored.
    TakeAndTimeOut,
    /// One of the two parts stored, then an error.
    TakeAPart,
    /// Says done, has noted the token, and kept half.
    Lie,
    /// The program is killed before the rows arrive.
    DieBefore,
    /// The program is killed when the rows have arrived.
    DieAfter,
    NoTable,
}

#[derive(Default)]
struct World {
    script: VecDeque<Act>,
    /// Segment id, offset, value, in order of arrival.
    rows: Vec<(u64, u64, u32)>,
    /// Token and part.
    tokens: HashSet<(String, u64)>,
    batches: Vec<usize>,
}

impl World {
    fn store(&mut self, batch: &Batch<Note>, part: u64, keep: impl Fn(usize) -> bool) {
        if !self.tokens.insert((batch.token.clone(), part)) {
            return;
        }
        let id = batch.range.segment.id;
        let of_part = batch
            .records
            .iter()
            .enumerate()
            .filter(|(_, s)| s.offset % 2 == part);
        let rows = of_part
            .filter(|(at, _)| keep(*at))
            .map(|(_, s)| (id, s.offset, s.record.0));
        self.rows.extend(rows);
    }

    fn values(&self) -> Vec<u32> {
        let mut values: Vec<_> = self.rows.iter().map(|row| row.2).collect();
        values.sort_unstable();
        values
    }
}

#[derive(Clone, Default)]
struct Fake(Arc<Mutex<World>>);

impl Fake {
    fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().expect("not poisoned")
    }
}

fn unreachable() -> StoreError {
    StoreError::Unreachable(Error::BadResponse("gone".into()))
}

impl Sink<Note> for Fake {
    async fn prepare(&mut self) -> Result<(), PrepareError> {
        Ok(())
    }

    async fn insert(&mut self, batch: &Batch<Note>) -> Result<(), StoreError> {
        let act = {
            let mut world = self.world();
            world.batches.push(batch.records.len());
            if batch.records.iter().any(|stored| stored.record.0 == POISON) {
                return Err(StoreError::Rejected(Error::BadResponse("poison".into())));
            }
            let act = world.script.pop_front().unwrap_or(Act::Take);
            match act {
                Act::Refuse | Act::DieBefore | Act::NoTable => {}
                Act::Take | Act::TakeAndTimeOut | Act::DieAfter => {
                    world.store(batch, 0, |_| true);
                    world.store(batch, 1, |_| true);
                }
                Act::TakeAPart => world.store(batch, 0, |_| true),
                Act::Lie => {
                    world.store(batch, 0, |at| at % 2 == 0);
                    world.store(batch, 1, |at| at % 2 == 0);
                }
            }
            act
        };
        match act {
            Act::Take | Act::Lie => Ok(()),
            Act::Refuse | Act::TakeAPart => Err(unreachable()),
            Act::TakeAndTimeOut => Err(StoreError::Timeout),
            Act::NoTable => Err(StoreError::Schema(Error::BadResponse("no table".into()))),
            Act::DieBefore | Act::DieAfter => std::future::pending().await,
        }
    }

    async fn present(&mut self, batch: &Batch<Note>) -> Result<Vec<u64>, StoreError> {
        let range = batch.range;
        let world = self.world();
        let of_range = world
            .rows
            .iter()
            .filter(|row| row.0 == range.segment.id && (range.start..range.end).contains(&row.1));
        let mut offsets: Vec<_> = of_range.map(|row| row.1).collect();
        offsets.sort_unstable();
        Ok(offsets)
    }
}

/// Time does not pass, the dice always say the same.
struct Still(f64);

impl Pace for Still {
    fn now(&mut self) -> Timestamp {
        NOW
    }
    fn jitter(&mut self) -> f64 {
        self.0
    }
    async fn pause(&mut self, _: Duration) {}
}

struct Bench {
    dir: tempfile::TempDir,
    fake: Fake,
    telemetry: Arc<Telemetry>,
    seed: u64,
}

impl Bench {
    fn new(script: &[Act]) -> Self {
        let fake = Fake::default();
        fake.world().script = script.iter().copied().collect();
        Self {
            dir: tempfile::tempdir().expect("dir"),
            fake,
            telemetry: Arc::new(Telemetry::new()),
            seed: 0,
        }
    }

    fn open(&mut self, max: usize) -> (Spool<Note>, Shipper<Note, Fake, Still>) {
        self.seed += 1;
        let (spool, reader) = open_spool(self.dir.path(), self.seed);
        (spool, self.shipper(reader, max))
    }

    fn shipper(&self, reader: SpoolReader<Note>, max: usize) -> Shipper<Note, Fake, Still> {
        let options = ShipOptions {
            max_records: max,
            ..ShipOptions::default()
        };
        Shipper::new(
            reader,
            self.fake.clone(),
            Still(1.0),
            options,
            self.telemetry.clone(),
        )
    }

    fn metric(&self, line: &str) -> bool {
        let metrics = self.telemetry.encode().expect("encodes");
        metrics.lines().any(|l| l == line)
    }
}

fn open_spool(dir: &Path, seed: u64) -> (Spool<Note>, SpoolReader<Note>) {
    let options = SpoolOptions {
        segment_bytes: 200,
        sync_every: None,
        ..SpoolOptions::new(seed)
    };
    spool::open(dir, options, Arc::new(Telemetry::new())).expect("opens")
}

fn append(spool: &mut Spool<Note>, values: impl IntoIterator<Item = u32>) {
    let notes: Vec<_> = values.into_iter().map(Note).collect();
    spool.append(&notes, NOW).expect("takes");
}

/// `None`: the program was killed in the middle of the step.
fn step(shipper: &mut Shipper<Note, Fake, Still>) -> Option<Step> {
    shipper.step().now_or_never()
}

fn settle(shipper: &mut Shipper<Note, Fake, Still>) {
    for _ in 0..10_000 {
        if step(shipper) == Some(Step::Idle) {
            return;
        }
    }
    panic!("never idle");
}

#[test]
fn a_batch_that_failed_goes_again_and_is_stored_once() {
    for act in [
        Act::Refuse,
        Act::TakeAndTimeOut,
        Act::TakeAPart,
        Act::NoTable,
    ] {
        let mut bench = Bench::new(&[act]);
        let (mut spool, mut shipper) = bench.open(10);
        append(&mut spool, 0..4);
        assert!(
            matches!(step(&mut shipper), Some(Step::Failed(_))),
            "{act:?}"
        );
        append(&mut spool, 4..6);
        assert_eq!(
            step(&mut shipper),
            Some(Step::Shipped { more: false }),
            "{act:?}"
        );
        assert_eq!(bench.fake.world().values(), [0, 1, 2, 3], "{act:?}");
        settle(&mut shipper);
        assert_eq!(bench.fake.world().values(), [0, 1, 2, 3, 4, 5], "{act:?}");
    }
}

#[test]
fn a_claim_of_success_is_not_believed() {
    let mut bench = Bench::new(&[Act::Lie]);
    let (mut spool, mut shipper) = bench.open(10);
    append(&mut spool, 0..8);
    assert!(matches!(step(&mut shipper), Some(Step::Failed(_))));
    settle(&mut shipper);
    assert_eq!(bench.fake.world().values(), [0, 1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(
        bench.fake.world().batches,
        [8, 8, 8, 8, 8, 4],
        "whole, and at last what lacks"
    );
    assert!(bench.metric("tfps_shipped_rows_total 8"));
}

#[test]
fn one_poisoned_record_is_set_aside_and_no_other() {
    let mut bench = Bench::new(&[]);
    let (mut spool, mut shipper) = bench.open(16);
    append(&mut spool, (0..6).chain([POISON]).chain(6..12));
    settle(&mut shipper);
    assert_eq!(bench.fake.world().values(), (0..12).collect::<Vec<_>>());
    assert!(bench.metric("tfps_shipped_rows_total 12"));
    let kept = std::fs::read_dir(bench.dir.path().join("quarantine")).expect("is there");
    assert_eq!(kept.count(), 2, "the bytes and the reason");
}

#[test]
fn pauses_double_up_to_a_bound_and_end_with_success() {
    let mut bench = Bench::new(&[Act::Refuse; 9]);
    let (mut spool, mut shipper) = bench.open(10);
    append(&mut spool, 0..1);
    let mut pauses = Vec::new();
    while let Some(Step::Failed(pause)) = step(&mut shipper) {
        pauses.push(pause.as_millis());
    }
    assert_eq!(
        pauses,
        [250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]
    );
    assert!(bench.metric("tfps_store_up 1"));
    bench.fake.world().script.push_back(Act::Refuse);
    append(&mut spool, 1..2);
    assert_eq!(
        step(&mut shipper),
        Some(Step::Failed(Duration::from_millis(250)))
    );
    assert!(bench.metric("tfps_store_up 0"));
}

#[test]
fn a_lost_cursor_stores_nothing_twice() {
    let mut bench = Bench::new(&[]);
    let (mut spool, mut shipper) = bench.open(3);
    append(&mut spool, 0..5);
    step(&mut shipper);
    drop((spool, shipper));
    std::fs::remove_file(bench.dir.path().join("cursor")).expect("removes");
    let (mut spool, mut shipper) = bench.open(100);
    append(&mut spool, 5..7);
    settle(&mut shipper);
    assert_eq!(bench.fake.world().values(), (0..7).collect::<Vec<_>>());
    assert_eq!(
        bench.fake.world().batches,
        [3, 2, 2],
        "only what lacks is sent"
    );
}

#[tokio::test]
async fn a_shutdown_drains_what_is_left_and_counts_it_down() {
    let mut bench = Bench::new(&[]);
    let (mut spool, shipper) = bench.open(100);
    append(&mut spool, 0..50);
    drop((spool, shipper));
    let (_spool, shipper) = bench.open(7);
    let shutdown = CancellationToken::new();
    shutdown.cancel();
    shipper.run(shutdown, Duration::from_secs(3_600)).await;
    assert_eq!(bench.fake.world().values(), (0..50).collect::<Vec<_>>());
    assert!(bench.metric("tfps_spool_backlog_records 0"));
}

#[tokio::test]
async fn a_drain_ends_at_its_deadline() {
    let mut bench = Bench::new(&[Act::DieBefore]);
    let (mut spool, shipper) = bench.open(7);
    append(&mut spool, 0..3);
    let shutdown = CancellationToken::new();
    shutdown.cancel();
    shipper.run(shutdown, Duration::ZERO).await;
    assert!(bench.fake.world().values().is_empty());
    drop(spool);
    let (_spool, mut shipper) = bench.open(7);
    settle(&mut shipper);
    assert_eq!(bench.fake.world().values(), [0, 1, 2]);
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => Just(Act::Take),
        1 => Just(Act::Refuse),
        1 => Just(Act::TakeAndTimeOut),
        1 => Just(Act::TakeAPart),
        2 => Just(Act::DieBefore),
        2 => Just(Act::DieAfter),
        1 => Just(Act::NoTable),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Exactly once, whatever the store does and wherever the program is killed.
    #[test]
    fn exactly_once(
        script in prop::collection::vec(act(), 0..30),
        counts in prop::collection::vec(1..25u32, 1..8),
        max in 1..20usize,
    ) {
        let mut bench = Bench::new(&script);
        let mut next = 0;
        let (mut spool, mut shipper) = bench.open(max);
        for count in counts {
            append(&mut spool, next..next + count);
            next += count;
            loop {
                match step(&mut shipper) {
                    Some(Step::Idle) => break,
                    Some(_) => {}
                    None => {
                        drop((spool, shipper));
                        (spool, shipper) = bench.open(max);
                    }
                }
            }
        }
        prop_assert_eq!(bench.fake.world().values(), (0..next).collect::<Vec<_>>());
        prop_assert!(bench.metric("tfps_surplus_rows_total 0"));
    }
}
