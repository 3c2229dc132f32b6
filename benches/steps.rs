//! What each step of a decision costs, with habits of 10,000 callers known: `make bench`.
#![allow(
    missing_docs,
    reason = "criterion's macros write undocumented functions"
)]
#![allow(
    clippy::expect_used,
    reason = "a benchmark that cannot be set up should say where and stop"
)]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use std::net::SocketAddr;
use std::sync::Arc;
use tfps::accounts::{Accounts, Snapshot};
use tfps::decide::{Engine, WindowSizes};
use tfps::domain::lists::{Listed, NumberList, NumberListBuilder};
use tfps::domain::{CallAttempt, CallEvent, Ingress, NeutralAnswer, Number, Timestamp};
use tfps::geo::Geo;
use tfps::model::ModelSlot;
use tfps::sip::{Endpoint, Limits, Outcome, Secret, parse};
use tfps::spool::{self, Frames, SpoolOptions};
use tfps::telemetry::Telemetry;
use uuid::Uuid;

const START: Timestamp = Timestamp::from_secs(1_760_000_000);
const CALLERS: u64 = 10_000;
const LISTED: u64 = 10_000_000;

fn attempt(n: u64) -> CallAttempt {
    let caller = n % CALLERS;
    let [_, _, a, b] = u32::try_from(caller).unwrap_or(0).to_be_bytes();
    CallAttempt {
        id: Uuid::from_u128(n.into()),
        ingress: Ingress::Prevention,
        call_id: format!("call-{n}"),
        peer: [127, 0, 0, 1].into(),
        source_ip: [198, 51, a, b].into(),
        user: format!("user-{caller}"),
        domain: format!("itsp-{}.example", caller % 20),
        policy_user: None,
        dialed: format!("4420794{:05}", n % 90_000),
        user_agent: "Phone/1.2".into(),
        concurrent: Some(2),
        signs: tfps::domain::Signs::NONE,
    }
}

fn engine() -> Engine {
    let accounts = Accounts::in_memory(START).expect("accounts");
    let engine = Engine::new(
        Snapshot::load(&accounts).expect("snapshot"),
        Geo::default(),
        WindowSizes {
            tracks: 1_000_000,
            key: [1; 16],
        },
        Arc::new(ModelSlot::new(tfps::app::shipped_model())),
        NeutralAnswer::default(),
    );
    for n in 0..3 * CALLERS {
        engine.decide(
            attempt(n),
            START.plus_secs(i64::try_from(n / 10).unwrap_or(0)),
        );
    }
    engine
}

fn invite(n: u64) -> Vec<u8> {
    let a = attempt(n);
    format!(
        "INVITE sip:{dialed}@127.0.0.1:9090 SIP/2.0\r\n\
         Via: SIP/2.0/UDP 127.0.0.1:5070;rport;branch=z9hG4bK-{n}\r\nMax-Forwards: 70\r\n\
         From: <sip:{user}@{domain}>;tag=t{n}\r\nTo: <sip:{dialed}@127.0.0.1:9090>\r\n\
         Call-ID: {call_id}\r\nCSeq: 1 INVITE\r\nContact: <sip:{user}@127.0.0.1:5070>\r\n\
         P-Received: {source}\r\nP-UA: {agent}\r\nP-Calls: 2\r\nContent-Length: 0\r\n\r\n",
        dialed = a.dialed,
        user = a.user,
        domain = a.domain,
        call_id = a.call_id,
        source = a.source_ip,
        agent = a.user_agent,
    )
    .into_bytes()
}

fn steps(c: &mut Criterion) {
    let engine = engine();
    let model = tfps::app::shipped_model().expect("the shipped model");
    let now = START.plus_secs(10_000);
    let mut group = c.benchmark_group("steps");
    group.throughput(Throughput::Elements(1));

    let bytes = invite(1);
    group.bench_function("sip parse", |b| b.iter(|| parse(black_box(&bytes)).is_ok()));
    group.bench_function("numbering locate", |b| {
        b.iter(|| tfps::numbering::locate(black_box("442079460123"), &[]));
    });
    let mut n = 0;
    group.bench_function("decide", |b| {
        b.iter_batched(
            || {
                n += 1;
                attempt(n)
            },
            |attempt| engine.decide(attempt, now),
            BatchSize::SmallInput,
        );
    });
    let event = engine.decide(attempt(1), now).event.expect("decided");
    group.bench_function("score and reasons", |b| {
        b.iter(|| model.explain(black_box(&event.features), 5).is_ok());
    });
    datagram_to_answer(&mut group, &engine, now);
    look_up(&mut group, now);
    append(&mut group, &event, now);
    group.finish();
}

type Group<'a> = criterion::BenchmarkGroup<'a, criterion::measurement::WallTime>;

fn datagram_to_answer(group: &mut Group<'_>, engine: &Engine, now: Timestamp) {
    let peer = SocketAddr::from(([127, 0, 0, 1], 5070));
    let mut endpoint = Endpoint::new(Ingress::Prevention, Secret::new([2; 16]), Limits::default());
    let mut n = 0;
    group.bench_function("datagram to answer", |b| {
        b.iter_batched(
            || {
                n += 1;
                invite(n)
            },
            |bytes| {
                let Outcome::Decide(call) = endpoint.receive(&bytes, peer, now) else {
                    return None;
                };
                let decided = engine.decide(call.asked, now);
                endpoint.complete(&call.pending, &decided.answer)
            },
            BatchSize::SmallInput,
        );
    });
}

/// The n-th listed number, all of them even.
fn listed(n: u64) -> Option<Number> {
    Number::from_u64(40_210_000_000 + n % LISTED * 74)
}

fn ten_million() -> NumberList {
    let mut builder = NumberListBuilder::default();
    let note = builder.note(&"benchmark".into(), &"bench".into());
    for number in (0..LISTED).filter_map(listed) {
        builder.push(Listed::Number(number), note, None);
    }
    builder.finish()
}

fn look_up(group: &mut Group<'_>, now: Timestamp) {
    let list = ten_million();
    for (name, odd) in [("hit", 0), ("miss", 1)] {
        let mut n = 0;
        group.bench_function(format!("look-up in ten million, {name}"), |b| {
            b.iter_batched(
                || {
                    n += 7_919_317;
                    listed(n).and_then(|even| Number::from_u64(even.as_u64() + odd))
                },
                |number| list.find(number?, now),
                BatchSize::SmallInput,
            );
        });
    }
}

fn append(group: &mut Group<'_>, event: &CallEvent, now: Timestamp) {
    let folder = tempfile::tempdir().expect("folder");
    let options = SpoolOptions {
        max_bytes: 64 << 30,
        ..SpoolOptions::new(1)
    };
    let (mut spool, _reader) =
        spool::open::<CallEvent>(folder.path(), options, Arc::new(Telemetry::new()))
            .expect("spool");
    group.throughput(Throughput::Elements(32));
    group.bench_function("spool append, 32 at once", |b| {
        b.iter(|| {
            let mut frames = Frames::default();
            for _ in 0..32 {
                frames.push(event).expect("encoded");
            }
            let appended = spool.append_frames(&frames, spool::Share::Whole, now);
            appended.expect("appended");
        });
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(30)
        .warm_up_time(std::time::Duration::from_secs(1))
        .measurement_time(std::time::Duration::from_secs(3));
    targets = steps
}
criterion_main!(benches);
