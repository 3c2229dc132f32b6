//! The spool against a model, with crashes and flipped bytes.

use super::*;
use crate::domain::{
    CallAttempt, CallEvent, Check, CheckOutcome, Code, Country, Decision, Destination, DialPrefix,
    FeatureVector, Ingress, Number, NumberClass, Outcome, Reason, Signs, Timestamp, Used,
};
use crate::telemetry::Telemetry;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

const NOW: Timestamp = Timestamp::from_secs(1_000);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Note {
    at: Timestamp,
    text: String,
}

impl Record for Note {
    const KIND: [u8; 4] = *b"note";
    const SCHEMA: u16 = 1;
}

fn note(number: usize) -> Note {
    Note {
        at: NOW,
        text: format!("note {number} {}", "x".repeat(number % 40)),
    }
}

fn options(seed: u64) -> SpoolOptions {
    SpoolOptions {
        segment_bytes: 400,
        sync_every: None,
        ..SpoolOptions::new(seed)
    }
}

fn open_at(dir: &Path, seed: u64) -> (Spool<Note>, SpoolReader<Note>) {
    open(dir, options(seed), Arc::new(Telemetry::new())).expect("opens")
}

fn append(spool: &mut Spool<Note>, numbers: std::ops::Range<usize>) {
    let notes: Vec<_> = numbers.map(note).collect();
    spool.append(&notes, NOW).expect("takes");
}

/// Ships everything there is, in batches of at most `max`.
fn drain(reader: &mut SpoolReader<Note>, max: usize) -> Vec<Note> {
    let mut shipped = Vec::new();
    while let Some(batch) = reader.next_batch(max).expect("reads") {
        shipped.extend(batch.records.iter().map(|stored| stored.record.clone()));
        reader.commit(batch.range).expect("commits");
    }
    shipped
}

fn notes(numbers: impl IntoIterator<Item = usize>) -> Vec<Note> {
    numbers.into_iter().map(note).collect()
}

fn segments(dir: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(dir)
        .expect("lists")
        .map(|e| e.expect("entry").path());
    let mut segments: Vec<_> = files
        .filter(|p| p.extension().is_some_and(|e| e == "seg"))
        .collect();
    segments.sort();
    segments
}

fn quarantined(dir: &Path) -> usize {
    fs::read_dir(dir.join("quarantine")).map_or(0, |files| files.count() / 2)
}

#[test]
fn records_come_out_in_order_over_segments_and_restarts() {
    let dir = tempfile::tempdir().expect("dir");
    let (mut spool, mut reader) = open_at(dir.path(), 1);
    append(&mut spool, 0..3);
    append(&mut spool, 3..40);
    append(&mut spool, 40..41);
    assert_eq!(drain(&mut reader, 7), notes(0..41));
    assert!(segments(dir.path()).len() > 1);
    append(&mut spool, 41..60);
    drop((spool, reader));

    let (mut spool, mut reader) = open_at(dir.path(), 2);
    append(&mut spool, 60..61);
    assert_eq!(reader.left_behind().expect("counts"), 19);
    assert_eq!(drain(&mut reader, 1_000), notes(41..61));
}

#[test]
fn a_second_owner_is_refused() {
    let dir = tempfile::tempdir().expect("dir");
    let (spool, reader) = open_at(dir.path(), 1);
    let second = || open::<Note>(dir.path(), options(2), Arc::new(Telemetry::new())).map(drop);
    assert!(matches!(second(), Err(SpoolError::Locked(_))));
    drop(spool);
    assert!(
        matches!(second(), Err(SpoolError::Locked(_))),
        "the reader owns it too"
    );
    drop(reader);
    second().expect("free again");
}

#[test]
fn a_batch_in_flight_is_offered_again_byte_for_byte() {
    let dir = tempfile::tempdir().expect("dir");
    let (mut spool, mut reader) = open_at(dir.path(), 1);
    append(&mut spool, 0..5);
    let first = reader.next_batch(3).expect("reads").expect("a batch");
    assert_eq!(first.certainty, Certainty::Fresh);
    append(&mut spool, 5..9);
    drop((spool, reader));

    let (_spool, mut reader) = open_at(dir.path(), 2);
    let again = reader.next_batch(1_000).expect("reads").expect("a batch");
    assert_eq!(again.certainty, Certainty::InFlight);
    assert_eq!((again.range, &again.records), (first.range, &first.records));
    assert_eq!(again.range.token(), first.range.token());

    reader.withdraw().expect("withdraws");
    let other = reader.next_batch(1).expect("reads").expect("a batch");
    assert_ne!(other.range.token(), first.range.token());
    reader.commit(other.range).expect("commits");
    assert_eq!(drain(&mut reader, 2), notes(1..9));
}

#[test]
fn what_is_set_aside_is_kept_and_passed_by() {
    let dir = tempfile::tempdir().expect("dir");
    let (mut spool, mut reader) = open_at(dir.path(), 1);
    append(&mut spool, 0..5);
    let batch = reader.next_batch(2).expect("reads").expect("a batch");
    reader
        .set_aside(batch.range, "refused")
        .expect("sets aside");
    assert_eq!(drain(&mut reader, 9), notes(2..5));
    assert_eq!(quarantined(dir.path()), 1);
}

#[test]
fn full_until_shipped_and_deleted() {
    let dir = tempfile::tempdir().expect("dir");
    let options = SpoolOptions {
        max_bytes: 1_000,
        ..options(1)
    };
    let telemetry = Arc::new(Telemetry::new());
    let (mut spool, mut reader) = open::<Note>(dir.path(), options, telemetry).expect("opens");
    let mut taken = 0;
    let refused = loop {
        match spool.append(&[note(taken)], NOW) {
            Ok(()) => taken += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, SpoolError::Full { bytes } if bytes <= 1_000));
    assert_eq!(drain(&mut reader, 5), notes(0..taken));
    // The files are written to under the real clock; long after it they are old.
    let later = Timestamp::from_secs(1 << 40);
    reader.delete_shipped(later).expect("deletes");
    spool.append(&[note(taken)], later).expect("takes again");
    assert_eq!(drain(&mut reader, 5), notes([taken]));
}

/// Whoever may not fill all of it leaves a quarter to those who may.
#[test]
fn the_last_quarter_is_not_for_everybody() {
    let dir = tempfile::tempdir().expect("dir");
    let options = SpoolOptions {
        max_bytes: 1_000,
        ..options(1)
    };
    let telemetry = Arc::new(Telemetry::new());
    let (mut spool, mut reader) = open::<Note>(dir.path(), options, telemetry).expect("opens");
    let mut taken = 0;
    let mut fill = |spool: &mut Spool<Note>, share| loop {
        let mut frames = Frames::default();
        frames.push(&note(taken)).expect("encoded");
        match spool.append_frames(&frames, share, NOW) {
            Ok(()) => taken += 1,
            Err(error) => break (error, taken),
        }
    };
    let (refused, free) = fill(&mut spool, Share::ThreeQuarters);
    assert!(
        matches!(refused, SpoolError::Reserved { bytes } if (600..=750).contains(&bytes)),
        "{refused}"
    );
    let (refused, all) = fill(&mut spool, Share::Whole);
    assert!(
        matches!(refused, SpoolError::Full { bytes } if bytes > 850),
        "{refused}"
    );
    assert!(all > free);
    assert_eq!(drain(&mut reader, 100), notes(0..all));
}

#[test]
fn shipped_segments_are_kept_while_young() {
    let dir = tempfile::tempdir().expect("dir");
    let (mut spool, mut reader) = open_at(dir.path(), 1);
    append(&mut spool, 0..30);
    append(&mut spool, 30..31);
    assert_eq!(drain(&mut reader, 100).len(), 31);
    let old = &segments(dir.path())[0];
    let age = |secs: u32| {
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000 - u64::from(secs));
        let file = fs::File::options().write(true).open(old).expect("opens");
        file.set_modified(at).expect("ages");
    };
    age(63);
    reader.delete_shipped(NOW).expect("looks");
    assert!(old.exists());
    age(64);
    reader.delete_shipped(NOW).expect("deletes");
    assert!(!old.exists());
    assert_eq!(segments(dir.path()).len(), 1, "the one being read stays");
}

#[test]
fn the_last_records_are_remembered_shipped_or_not() {
    let dir = tempfile::tempdir().expect("dir");
    let (mut spool, mut reader) = open_at(dir.path(), 1);
    let at = |secs: i64| Note {
        at: NOW.plus_secs(secs),
        text: secs.to_string(),
    };
    spool
        .append(&[at(-40), at(-31), at(-5)], NOW)
        .expect("takes");
    drain(&mut reader, 9);
    spool.append(&[at(0)], NOW).expect("takes");
    drop((spool, reader));
    let (spool, _reader) = open_at(dir.path(), 2);
    let recent = spool.recent(NOW.plus_secs(-32), |n| n.at).expect("lists");
    assert_eq!(recent.collect::<Vec<_>>(), [at(-31), at(-5), at(0)]);
}

#[test]
fn a_lost_cursor_means_compare_and_a_damaged_one_is_refused() {
    let dir = tempfile::tempdir().expect("dir");
    let (mut spool, mut reader) = open_at(dir.path(), 1);
    append(&mut spool, 0..3);
    assert_eq!(drain(&mut reader, 9).len(), 3);
    drop((spool, reader));
    let cursor = dir.path().join("cursor");
    let text = fs::read_to_string(&cursor).expect("reads");
    fs::write(&cursor, text.replace("\"offset\":", "\"offset\":1")).expect("damages");
    let opened = open::<Note>(dir.path(), options(2), Arc::new(Telemetry::new())).map(drop);
    assert!(matches!(opened, Err(SpoolError::Cursor(_))));

    fs::remove_file(&cursor).expect("removes");
    let (mut spool, mut reader) = open_at(dir.path(), 3);
    append(&mut spool, 3..4);
    let batch = reader.next_batch(9).expect("reads").expect("a batch");
    assert_eq!(
        (batch.certainty, batch.records.len()),
        (Certainty::Recheck, 3)
    );
    reader.commit(batch.range).expect("commits");
    let batch = reader.next_batch(9).expect("reads").expect("a batch");
    assert_eq!(
        (batch.certainty, batch.records.len()),
        (Certainty::Fresh, 1)
    );
}

#[test]
fn age_ends_a_segment() {
    let dir = tempfile::tempdir().expect("dir");
    let (mut spool, _reader) = open_at(dir.path(), 1);
    for secs in [0, 59, 60, -500] {
        spool
            .append(&[note(0)], NOW.plus_secs(secs))
            .expect("takes");
    }
    assert_eq!(segments(dir.path()).len(), 3);
}

#[test]
fn records_of_another_version_are_set_aside_as_one_run() {
    #[derive(Debug, Serialize, Deserialize)]
    struct Newer(u8);
    impl Record for Newer {
        const KIND: [u8; 4] = *b"note";
        const SCHEMA: u16 = 2;
    }
    let dir = tempfile::tempdir().expect("dir");
    let telemetry = Arc::new(Telemetry::new());
    let (mut spool, reader) = open::<Newer>(dir.path(), options(1), telemetry).expect("opens");
    spool
        .append(&[Newer(1), Newer(2), Newer(3)], NOW)
        .expect("takes");
    drop((spool, reader));
    let (mut spool, mut reader) = open_at(dir.path(), 2);
    append(&mut spool, 0..2);
    assert_eq!(drain(&mut reader, 9), notes(0..2));
    assert_eq!(quarantined(dir.path()), 1);
}

#[test]
fn a_foreign_file_is_set_aside() {
    let dir = tempfile::tempdir().expect("dir");
    fs::write(dir.path().join("0000000001-00000000000000aa.seg"), [7; 100]).expect("writes");
    fs::write(dir.path().join("0000000002-00000000000000ab.seg"), [7; 10]).expect("writes");
    let (mut spool, mut reader) = open_at(dir.path(), 2);
    append(&mut spool, 0..2);
    assert_eq!(drain(&mut reader, 9), notes(0..2));
    assert_eq!(quarantined(dir.path()), 1);
}

#[test]
fn too_large_a_record_leaves_its_batch_as_it_was() {
    let mut frames = Frames::<Note>::default();
    frames.push(&note(1)).expect("fits");
    let giant = Note {
        at: NOW,
        text: "x".repeat(MAX_RECORD),
    };
    assert!(matches!(frames.push(&giant), Err(SpoolError::TooLarge(_))));
    frames.push(&note(2)).expect("fits");
    assert_eq!(frames.len(), 2);
    let dir = tempfile::tempdir().expect("dir");
    let (mut spool, mut reader) = open_at(dir.path(), 1);
    spool
        .append_frames(&frames, Share::Whole, NOW)
        .expect("takes");
    assert_eq!(drain(&mut reader, 9), notes([1, 2]));
}

#[test]
fn the_background_thread_syncs_and_ends() {
    let dir = tempfile::tempdir().expect("dir");
    let options = SpoolOptions {
        sync_every: Some(Duration::from_millis(1)),
        ..options(1)
    };
    let telemetry = Arc::new(Telemetry::new());
    let (mut spool, reader) = open::<Note>(dir.path(), options, telemetry.clone()).expect("opens");
    append(&mut spool, 0..50);
    append(&mut spool, 50..60);
    drop((spool, reader));
    let metrics = telemetry.encode().expect("encodes");
    assert!(
        metrics.contains("tfps_spool_sync_failures_total 0"),
        "{metrics}"
    );
    assert!(
        metrics.contains("tfps_spool_backlog_records 60"),
        "{metrics}"
    );
}

/// When this fails, `CallEvent` is written differently than before: raise its `Record::SCHEMA`,
/// teach `Record::decode` the former form, and only then accept the new bytes.
#[test]
fn the_written_form_of_a_call_is_frozen() {
    let event = CallEvent {
        at: Timestamp(1_700_000_000_123_456),
        attempt: CallAttempt {
            id: uuid::Uuid::from_u128(7),
            ingress: Ingress::Detection,
            call_id: "c1".into(),
            peer: [10, 0, 0, 1].into(),
            source_ip: std::net::Ipv6Addr::LOCALHOST.into(),
            user: "alice".into(),
            domain: "a.example".into(),
            policy_user: Some(("bob".into(), "b.example".into())),
            dialed: "0044".into(),
            user_agent: "ua".into(),
            concurrent: Some(300),
            signs: Signs::NONE,
        },
        account: "acc".into(),
        subscriber: "sub".into(),
        policy: "pol".into(),
        used: Some(Used {
            off_hours: true,
            day: 739_000,
            count: 300,
            resets: 1,
            same_number: 5,
        }),
        destination: Destination {
            number: Number::parse("44").ok(),
            calling_code: 44,
            country: Country::parse("GB").expect("a country"),
            class: NumberClass::Satellite,
            dial_prefix: DialPrefix::DoubleZero,
        },
        origin: Country::UNKNOWN,
        features: FeatureVector {
            version: 1,
            values: vec![0.5],
        },
        decision: Decision {
            code: Code::Refused(Check::R13),
            whitelisted: false,
            checks: vec![CheckOutcome {
                check: Check::R13,
                outcome: Outcome::Refuse,
                evidence: "e".into(),
            }],
            score: Some(0.25),
            model: "m".into(),
            reasons: vec![Reason {
                tag: "t".into(),
                contribution: -1.0,
            }],
            novelty: Some(0.5),
        },
        price: Some(0.5),
        latency_us: 130,
    };
    let bytes = postcard::to_allocvec(&event).expect("encodes");
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    insta::assert_snapshot!(hex, @"8089818283898506100000000000000000000000000000000701026331000a000001010000000000000000000000000000000105616c69636509612e6578616d706c650103626f6209622e6578616d706c65043030343402756101ac0200036163630373756203706f6c0101f09a5aac020105012c2c47420a025a5a01010000003f010c00010c020165010000803e016d010174000080bf010000003f010000003f8201");
    assert_eq!(
        CallEvent::decode(CallEvent::SCHEMA, &bytes).expect("decodes"),
        event
    );
    assert!(CallEvent::decode(CallEvent::SCHEMA, &[bytes.as_slice(), &[0]].concat()).is_err());

    // What schema 3 added, taken out again.
    let second = hex.replacen("2756101ac0200", "2756101ac02", 1).replacen(
        "74000080bf010000003f010000003f8201",
        "74000080bf8201",
        1,
    );
    let plain = CallEvent {
        attempt: CallAttempt {
            signs: Signs::NONE,
            ..event.attempt.clone()
        },
        price: None,
        decision: Decision {
            novelty: None,
            ..event.decision.clone()
        },
        ..event
    };
    assert_eq!(
        CallEvent::decode(2, &unhex(&second)).expect("decodes"),
        plain
    );
    let first = second
        .replacen("03737562", "", 1)
        .replacen("0101f09a5aac020105", "", 1);
    let unnamed = CallEvent {
        subscriber: String::new(),
        used: None,
        ..plain
    };
    assert_eq!(
        CallEvent::decode(1, &unhex(&first)).expect("decodes"),
        unnamed
    );
    assert!(CallEvent::decode(4, &unhex(&first)).is_err());
}

fn unhex(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2)
        .map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).expect("hex"))
        .collect()
}

/// What happens to a spool.
#[derive(Clone, Debug)]
enum Step {
    Append(usize),
    Ship(usize),
    /// Shipped as far as the store, killed before the commit.
    ShipAndDie(usize),
    /// Killed in the middle of a write: the newest segment ends at this part (in 1/1000) of the
    /// bytes that were never acknowledged.
    Torn(usize),
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1..12usize).prop_map(Step::Append),
        3 => (1..20usize).prop_map(Step::Ship),
        1 => (1..20usize).prop_map(Step::ShipAndDie),
        2 => (0..1000usize).prop_map(Step::Torn),
        1 => Just(Step::Restart),
    ]
}

proptest! {
    // Every commit is an fsync, so few cases and long ones.
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever is killed, each acknowledged record is shipped, in order, and a store that
    /// honours tokens has it once.
    #[test]
    fn acknowledged_records_survive_any_crash(steps in prop::collection::vec(step(), 1..40)) {
        let dir = tempfile::tempdir().expect("dir");
        let mut seed = 0;
        let mut parts = Some(open_at(dir.path(), seed));
        let mut acknowledged = Vec::new();
        let mut stored = Vec::new();
        let mut tokens = std::collections::HashSet::new();
        let mut number = 0;
        for step in steps.into_iter().chain([Step::Restart, Step::Ship(1_000)]) {
            let (mut spool, mut reader) = parts.take().expect("open");
            let mut die = false;
            match step {
                Step::Append(count) => {
                    append(&mut spool, number..number + count);
                    acknowledged.extend(number..number + count);
                    number += count;
                }
                Step::Ship(max) | Step::ShipAndDie(max) => {
                    die = matches!(step, Step::ShipAndDie(_));
                    while let Some(batch) = reader.next_batch(max).expect("reads") {
                        if tokens.insert(batch.range.token()) {
                            stored.extend(batch.records.iter().map(|s| s.record.clone()));
                        }
                        if die {
                            break;
                        }
                        reader.commit(batch.range).expect("commits");
                    }
                }
                Step::Torn(part) => {
                    // Bytes that an unacknowledged append would have written, cut anywhere.
                    let mut frames = Frames::default();
                    frames.push(&note(999_999)).expect("fits");
                    let half = &frames.bytes[..frames.bytes.len() * part / 1000];
                    if let Some(newest) = segments(dir.path()).last() {
                        let mut bytes = fs::read(newest).expect("reads");
                        bytes.extend_from_slice(half);
                        fs::write(newest, bytes).expect("tears");
                    }
                    die = true;
                }
                Step::Restart => die = true,
            }
            if die {
                drop((spool, reader));
                seed += 1;
                parts = Some(open_at(dir.path(), seed));
            } else {
                parts = Some((spool, reader));
            }
        }
        prop_assert_eq!(stored, notes(acknowledged));
        prop_assert_eq!(quarantined(dir.path()), 0);
    }

    /// Power lost: the newest segment ends anywhere. What is left is a prefix, cut at a record.
    #[test]
    fn a_cut_segment_is_a_prefix(counts in prop::collection::vec(1..9usize, 1..12), cut in 0..=1000usize) {
        let dir = tempfile::tempdir().expect("dir");
        let (mut spool, reader) = open_at(dir.path(), 1);
        let mut number = 0;
        for count in counts {
            append(&mut spool, number..number + count);
            number += count;
        }
        drop((spool, reader));
        let newest = segments(dir.path()).pop().expect("a segment");
        let bytes = fs::read(&newest).expect("reads");
        fs::write(&newest, &bytes[..bytes.len() * cut / 1000]).expect("cuts");

        let (mut spool, mut reader) = open_at(dir.path(), 2);
        append(&mut spool, 5_000..5_003);
        let shipped = drain(&mut reader, 4);
        let (after, before) = (&shipped[shipped.len() - 3..], &shipped[..shipped.len() - 3]);
        prop_assert_eq!(before, &notes(0..number)[..before.len()]);
        prop_assert_eq!(after, &notes(5_000..5_003)[..]);
        prop_assert_eq!(quarantined(dir.path()), 0);
    }

    /// One byte of a sealed segment flips: nothing is invented, what stands before it and in
    /// the other segments is shipped, the rest is set aside.
    #[test]
    fn a_flipped_byte_costs_one_segment_at_most(which in 0..1000usize, at in 0..1000usize, bit in 0..8u8) {
        let dir = tempfile::tempdir().expect("dir");
        let (mut spool, mut reader) = open_at(dir.path(), 1);
        for number in 0..60 {
            append(&mut spool, number..number + 1);
        }
        spool.seal();
        append(&mut spool, 60..61);
        let files = segments(dir.path());
        let victim = &files[which * (files.len() - 1) / 1000];
        let mut bytes = fs::read(victim).expect("reads");
        let place = at * bytes.len() / 1000;
        bytes[place] ^= 1 << bit;
        fs::write(victim, &bytes).expect("flips");

        let shipped = drain(&mut reader, 7);
        let all = notes(0..61);
        let mut rest = all.iter();
        prop_assert!(shipped.iter().all(|s| rest.any(|a| a == s)), "in order, none invented");
        prop_assert_eq!(shipped.last(), all.last());
        prop_assert_eq!(quarantined(dir.path()), 1);
        // Where the lengths still lead on, it costs the one record.
        let lost = all.len() - shipped.len();
        prop_assert!(lost >= 1);
        let mut frame = 32;
        while frame + 8 <= place {
            let size: [u8; 4] = bytes[frame..frame + 4].try_into().expect("four");
            let next = frame + 8 + u32::from_le_bytes(size) as usize;
            if place < next {
                prop_assert!(place < frame + 8 || lost == 1, "lost {}", lost);
                break;
            }
            frame = next;
        }
    }
}
