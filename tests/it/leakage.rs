//! No feature sees the future, or the label.
//!
//! One checker walks simulated traffic through the pipeline and asks of every feature whether it
//! would have been the same had the later calls been others, and had every label and everything
//! that is known only after a call been something else. Leaky features, made for the purpose,
//! show that the checker finds them.

use proptest::prelude::*;
use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};
use tfps::accounts::{Accounts, Snapshot};
use tfps::decide::{Engine, WindowSizes};
use tfps::domain::{CallRecord, Ingress, NeutralAnswer, Timestamp, Verdict};
use tfps::features::{CATALOGUE, COUNT, Feature};
use tfps::geo::Geo;
use tfps::model::ModelSlot;
use tfps::replay::{self, Row};
use tfps::simulate::{AttackData, Scenario, generate};
use uuid::Uuid;

/// 2026-03-06, a Friday, noon: working hours, then the first hours of a weekend.
const START: Timestamp = Timestamp::from_secs(1_772_798_400);
/// Simulated calls of a walk.
const CALLS: usize = 1_200;
/// One attacking call in so many rings at a honeypot, for the neighbourhood to have something.
const AT_HONEYPOT: usize = 3;

/// A call, and whether it rings at a honeypot.
#[derive(Clone, Debug)]
struct Call {
    record: CallRecord,
    honeypot: bool,
}

/// The bits of one call's features.
type Vector = Vec<u32>;

/// Traffic of two days with many attacks.
static TRAFFIC: LazyLock<Vec<Call>> = LazyLock::new(|| traffic(11));
/// The same people on the same days, in another world.
static ELSEWHERE: LazyLock<Vec<Call>> = LazyLock::new(|| traffic(12));

fn traffic(seed: u64) -> Vec<Call> {
    let scenario = Scenario {
        subscribers: 40,
        tenants: 3,
        attacks_per_day: 12.0,
        ..Scenario::new(seed, START, 2)
    };
    let data = AttackData::built_in();
    let calls: Vec<Call> = generate(&scenario, &data)
        .enumerate()
        .map(|(at, call)| Call {
            honeypot: at % AT_HONEYPOT == 0 && call.record.verdict == Some(Verdict::Fraud),
            record: call.record,
        })
        .take(CALLS)
        .collect();
    assert!(calls.iter().any(|call| call.honeypot), "nothing to be near");
    with_oddities(calls)
}

/// With calls of one subscriber that move what everyday traffic and the attacks may leave alone:
/// rows of numbers, costly classes of them, no user agent, a tool's Call-ID, a weekend.
fn with_oddities(mut calls: Vec<Call>) -> Vec<Call> {
    let legitimate = |call: &&Call| call.record.verdict == Some(Verdict::Legitimate);
    let of = calls
        .iter()
        .find(legitimate)
        .expect("everyday calls")
        .clone();
    let odd = |at: Timestamp, number: &str| {
        let mut call = of.clone();
        call.record.time = at;
        number.clone_into(&mut call.record.dialed_number);
        call
    };
    let middle = calls.len() / 2;
    let at = calls[middle].record.time;
    let numbers = [
        "442079460123",
        "442079460124",
        "442079460125",
        "881612345678",
        "449098765432",
        "448001111111",
    ];
    let mut some: Vec<Call> = numbers.iter().map(|number| odd(at, number)).collect();
    some[3].record.user_agent.clear();
    some[4].record.calls = None;
    some[5].record.call_id = Some("559204811736209417738052".to_owned());
    let last = calls.last().map_or(START, |call| call.record.time);
    let saturday = START.plus_secs(86_400).max(last);
    calls.splice(middle + 1..middle + 1, some);
    calls.push(odd(saturday, numbers[0]));
    calls
}

/// The features of calls as the pipeline serves them.
fn served(calls: &[Call]) -> Vec<Vector> {
    let accounts = Accounts::in_memory(START).expect("accounts");
    let engine = Engine::new(
        Snapshot::load(&accounts).expect("snapshot"),
        Geo::default(),
        WindowSizes {
            tracks: 400_000,
            key: [5; 16],
        },
        Arc::new(ModelSlot::new(None)),
        NeutralAnswer::default(),
    );
    let decide = |call: &Call| {
        let event = if call.honeypot {
            let mut attempt = replay::attempt_of_record(&call.record, Uuid::nil());
            attempt.ingress = Ingress::Honeypot;
            engine.decide(attempt, call.record.time).event
        } else {
            replay::decide(&engine, &Row::of_table(call.record.clone(), 1), Uuid::nil())
        };
        let values = event.expect("checked").features.values;
        values.into_iter().map(f32::to_bits).collect()
    };
    calls.iter().map(decide).collect()
}

/// What the same calls would be, had something been otherwise that nobody can know when they are
/// decided; `at` is the last call that is the same.
#[derive(Clone, Copy, Debug)]
enum Otherwise {
    /// Nobody calls any more.
    NoFuture,
    /// Others call, others than before.
    AnotherFuture,
    /// Every second later call does not come.
    Thinned,
    /// Each later call comes twice.
    Doubled,
    /// Every verdict, before and after, is the opposite.
    OppositeVerdicts,
    /// Nothing was ever judged.
    NoVerdicts,
    /// Every campaign has another name.
    OtherCampaigns,
    /// Who answered, and for how long they talked, is another matter.
    OtherOutcomes,
}

const WAYS: [Otherwise; 8] = [
    Otherwise::NoFuture,
    Otherwise::AnotherFuture,
    Otherwise::Thinned,
    Otherwise::Doubled,
    Otherwise::OppositeVerdicts,
    Otherwise::NoVerdicts,
    Otherwise::OtherCampaigns,
    Otherwise::OtherOutcomes,
];

impl Otherwise {
    fn of(self, calls: &[Call], at: usize) -> Vec<Call> {
        let (past, future) = calls.split_at(at + 1);
        let later: Vec<Call> = match self {
            Self::NoFuture => Vec::new(),
            Self::AnotherFuture => {
                let now = past.last().map_or(START, |call| call.record.time);
                let later = ELSEWHERE.iter().filter(|call| call.record.time >= now);
                later.cloned().collect()
            }
            Self::Thinned => future.iter().step_by(2).cloned().collect(),
            Self::Doubled => future
                .iter()
                .flat_map(|call| [call.clone(), call.clone()])
                .collect(),
            _ => return calls.iter().map(|call| self.relabelled(call)).collect(),
        };
        past.iter().cloned().chain(later).collect()
    }

    fn relabelled(self, call: &Call) -> Call {
        let mut call = call.clone();
        let record = &mut call.record;
        match self {
            Self::OppositeVerdicts => {
                record.verdict = Some(match record.verdict {
                    Some(Verdict::Fraud) => Verdict::Legitimate,
                    _ => Verdict::Fraud,
                });
            }
            Self::NoVerdicts => record.verdict = None,
            Self::OtherCampaigns => record.campaign = format!("other/{}", record.campaign),
            Self::OtherOutcomes => {
                record.answered = record.answered.map(|answered| !answered);
                record.duration_s = Some(record.duration_s.map_or(77, |s| s / 2 + 1));
            }
            _ => {}
        }
        call
    }
}

/// Features of the calls up to `at` that would have been others, by position.
fn leaks(
    walk: impl Fn(&[Call]) -> Vec<Vector>,
    calls: &[Call],
    at: usize,
    way: Otherwise,
) -> BTreeSet<usize> {
    let (before, after) = (walk(calls), walk(&way.of(calls, at)));
    let pairs = before.iter().zip(&after).take(at + 1);
    pairs
        .flat_map(|(one, other)| (0..one.len()).filter(move |&f| one[f] != other[f]))
        .collect()
}

fn names(leaks: &BTreeSet<usize>) -> Vec<&'static str> {
    leaks
        .iter()
        .map(|&f| CATALOGUE.get(f).map_or("the planted one", |spec| spec.name))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]

    #[test]
    fn no_feature_sees_the_future_or_the_label(at in 0..CALLS - 1, way in 0..WAYS.len()) {
        let found = leaks(served, &TRAFFIC, at, WAYS[way]);
        prop_assert!(found.is_empty(), "{:?} after call {}: {:?}", WAYS[way], at, names(&found));
    }
}

/// Every way, whatever the cases above happened to be.
#[test]
fn each_way_leaves_every_feature_as_it_was() {
    for way in WAYS {
        let found = leaks(served, &TRAFFIC, CALLS / 2, way);
        assert!(found.is_empty(), "{way:?}: {:?}", names(&found));
    }
}

/// Features that know what they must not, each with the ways that must find it.
#[test]
fn planted_leaks_are_found() {
    type Plant = fn(&[Call], usize) -> f32;
    // How many calls will come from this address.
    let next_hour: Plant = |calls, at| {
        let now = &calls[at].record;
        let later = calls[at + 1..].iter().map(|call| &call.record);
        later
            .filter(|call| call.source_ip == now.source_ip)
            .map(|_| 1.0)
            .sum()
    };
    // Whether the call before was fraud, as a verdict given at once would say.
    let verdict: Plant = |calls, at| {
        let before = at.checked_sub(1).map(|before| &calls[before].record);
        f32::from(before.is_some_and(|call| call.verdict == Some(Verdict::Fraud)))
    };
    let campaign: Plant = |calls, at| calls[at].record.campaign.len() as f32;
    // How long calls before talked: known when they have ended, and never in time.
    let talk: Plant = |calls, at| {
        let before = calls[..at].iter().map(|call| &call.record);
        before.filter_map(|call| call.duration_s).sum::<u32>() as f32
    };
    let answered: Plant = |calls, at| f32::from(calls[at].record.answered == Some(true));
    for (plant, ways) in [
        (next_hour, &WAYS[..4]),
        (verdict, &WAYS[4..6]),
        (campaign, &WAYS[6..7]),
        (talk, &WAYS[7..]),
        (answered, &WAYS[7..]),
    ] {
        let walk = |calls: &[Call]| -> Vec<Vector> {
            let planted = |at| {
                vec![0; COUNT]
                    .into_iter()
                    .chain([plant(calls, at).to_bits()])
            };
            (0..calls.len()).map(|at| planted(at).collect()).collect()
        };
        for way in ways {
            let found = leaks(walk, &TRAFFIC, CALLS / 2, *way);
            assert_eq!(found.into_iter().collect::<Vec<_>>(), [COUNT], "{way:?}");
        }
    }
}

/// The value of a feature for one call that comes over and over at the same moment.
fn repeated(walk: impl Fn(&[Call]) -> Vec<Vector>, feature: Feature) -> impl Iterator<Item = f32> {
    let call = TRAFFIC.iter().find(|call| !call.honeypot).expect("a call");
    let vectors = walk(&vec![call.clone(); 5]);
    let values = vectors.into_iter();
    values.map(move |vector| f32::from_bits(vector[feature as usize]))
}

/// Whether a walk takes a call's features before it counts the call.
fn counts_afterwards(walk: impl Fn(&[Call]) -> Vec<Vector>) -> bool {
    let novel = repeated(&walk, Feature::CountryNewForUser).next() == Some(1.0);
    let counts = repeated(&walk, Feature::User1h);
    let right = |(before, value): (u8, f32)| (value - f32::from(before).ln_1p()).abs() < 1e-6;
    novel && (0..).zip(counts).all(right)
}

#[test]
fn a_call_is_counted_after_its_features_are_taken() {
    assert!(counts_afterwards(served));
    // Counted first, a call would see itself: the next one's vector is what it would have got.
    let too_early = |calls: &[Call]| {
        let more: Vec<Call> = calls.iter().chain(calls.last()).cloned().collect();
        served(&more).split_off(1)
    };
    assert!(!counts_afterwards(too_early));
}

#[test]
fn two_engines_that_see_the_same_calls_say_the_same_to_the_bit() {
    assert_eq!(served(&TRAFFIC), served(&TRAFFIC));
    let finite = |vector: &Vector| vector.iter().all(|v| f32::from_bits(*v).is_finite());
    assert!(served(&TRAFFIC).iter().all(finite));
}

/// What the checker looks at is alive: a feature that never moves cannot be found to leak.
#[test]
fn the_traffic_moves_nearly_every_feature() {
    let vectors = served(&TRAFFIC);
    let dead: Vec<&str> = (0..COUNT)
        .filter(|&f| vectors.iter().all(|vector| vector[f] == vectors[0][f]))
        .map(|f| CATALOGUE[f].name)
        .collect();
    // No file has them: messages, and addresses of known countries without a database.
    let excused = [
        "origin_unknown",
        "origin_new_user",
        "signs_media",
        "signs_header",
    ];
    let dead: Vec<_> = dead
        .into_iter()
        .filter(|name| !excused.contains(name))
        .collect();
    assert!(dead.is_empty(), "{dead:?}");
}
