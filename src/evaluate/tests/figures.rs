use super::*;
use crate::evaluate::figures::{Measured, measure};
use crate::evaluate::peers;

/// Two attacks of money 10 and 4, and a legitimate call between them.
fn two_attacks() -> Calls {
    made(&[
        Made::fraud(0, "wangiri/1", 1),
        Made::fraud(10, "wangiri/1", 2),
        Made::honest(20, 1),
        Made::fraud(30, "wangiri/1", 7),
        Made::fraud(40, "low-and-slow/1", 4),
        Made::honest(50, 1),
        Made::honest(60, 2),
    ])
}

fn measured(calls: &Calls, scores: &[f64], thresholds: [f64; 2], draws: usize) -> Measured {
    let rows: Vec<usize> = (0..calls.len()).collect();
    let trial = Trial::new(calls, &rows, scores, thresholds, true);
    let draws = vec![Draw::several(calls, &rows, draws, 1)];
    measure(&[trial], &Draw::all(calls), &draws)
}

#[test]
fn blocks_money_and_victims_are_as_worked_out_by_hand() {
    let calls = two_attacks();
    // At 0.5: wangiri is refused from its second call on, the other never; one customer is hit
    // twice. At 0.25 the other is refused at once.
    let scores = [0.1, 0.6, 0.7, 0.9, 0.3, 0.8, 0.2];
    let found = measured(&calls, &scores, [0.5, 0.25], 0);
    let strict = |name| found.overall.one_in_10_000[name].value;
    assert_eq!(strict("recall"), Some(0.5));
    assert_eq!(strict("false_positive_rate"), Some(2.0 / 3.0));
    assert_eq!(strict("money_leaked"), Some(5.0 / 14.0));
    assert_eq!(strict("volume_money_leaked"), Some(1.0 / 10.0));
    // Of {2, never} the lower median is 2, the 95th percentile never.
    assert_eq!(strict("first_block_call_median"), Some(2.0));
    assert_eq!(strict("first_block_call_p95"), Some(f64::INFINITY));
    assert_eq!(strict("first_block_seconds_median"), Some(10.0));
    assert_eq!(strict("attacks"), Some(2.0));
    assert_eq!(strict("attacks_never_blocked"), Some(1.0));
    assert_eq!(strict("legitimate_calls_hit"), Some(2.0));
    assert_eq!(strict("customers_hit"), Some(1.0));
    let loose = |name| found.overall.one_in_1_000[name].value;
    assert_eq!(loose("recall"), Some(0.75));
    assert_eq!(loose("money_leaked"), Some(1.0 / 14.0));
    assert_eq!(loose("first_block_call_median"), Some(1.0));
    // Mean of the squares: .9, .4, .7, .1, .7, .8, .2.
    let squares = 0.81 + 0.16 + 0.49 + 0.01 + 0.49 + 0.64 + 0.04;
    let brier = found.overall.ranking["brier"].value.expect("probabilities");
    assert!((brier - squares / 7.0).abs() < 1e-12);
    // By family: the legitimate calls are the same.
    let slow = calls
        .families
        .iter()
        .position(|f| f == "low-and-slow")
        .expect("there");
    let slow = &found.by_family[&slow];
    assert_eq!(slow.fraud, 1);
    assert_eq!(slow.one_in_10_000["money_leaked"].value, Some(1.0));
    // Above it two of three legitimate calls: precision 1/3.
    assert_eq!(slow.ranking["average_precision"].value, Some(1.0 / 3.0));
}

/// 400 legitimate calls of 40 customers, and 20 attacks of 5 calls.
fn many() -> Calls {
    const NAMES: [&str; 20] = [
        "wangiri/1",
        "wangiri/2",
        "wangiri/3",
        "wangiri/4",
        "wangiri/5",
        "wangiri/6",
        "wangiri/7",
        "wangiri/8",
        "wangiri/9",
        "wangiri/10",
        "imitator/1",
        "imitator/2",
        "imitator/3",
        "imitator/4",
        "imitator/5",
        "imitator/6",
        "imitator/7",
        "imitator/8",
        "imitator/9",
        "imitator/10",
    ];
    let mut all = Vec::new();
    for at in 0..500 {
        all.push(match usize::try_from(at % 5) {
            Ok(0) => Made::fraud(at, NAMES[usize::try_from(at).expect("small") / 25], 1),
            _ => Made::honest(at, usize::try_from(at).expect("small") % 40),
        });
    }
    made(&all)
}

#[test]
fn a_perfect_score_has_perfect_figures_without_doubt() {
    let calls = many();
    let scores: Vec<f64> = calls
        .data
        .y
        .iter()
        .map(|y| f64::from(u8::from(*y)))
        .collect();
    let found = measured(&calls, &scores, [0.5, 0.5], 50);
    let is = |e: Estimate, value: f64| {
        assert_eq!(
            (e.value, e.low, e.high),
            (Some(value), Some(value), Some(value))
        );
    };
    is(found.overall.ranking["average_precision"], 1.0);
    is(found.overall.ranking["recall_at_0_01_percent"], 1.0);
    is(found.overall.ranking["brier"], 0.0);
    is(found.overall.one_in_10_000["money_leaked"], 0.0);
    is(found.overall.one_in_10_000["first_block_call_p95"], 1.0);
    is(found.overall.one_in_10_000["customers_hit"], 0.0);
}

#[test]
fn a_score_that_knows_nothing_has_the_figures_of_chance() {
    let calls = many();
    // Equally spread and unrelated to the verdict: a permutation of the rows.
    let scores: Vec<f64> = (0..calls.len())
        .map(|row| f64::from(u32::try_from(row * 263 % 500).expect("small")) / 500.0)
        .collect();
    let found = measured(&calls, &scores, [0.9, 0.9], 200);
    let ap = found.overall.ranking["average_precision"];
    assert!((ap.value.expect("fraud") - 0.2).abs() < 0.05, "{ap:?}");
    assert!(ap.low < ap.value && ap.value < ap.high, "{ap:?}");
    let recall = found.overall.one_in_10_000["recall"];
    let refused = found.overall.one_in_10_000["false_positive_rate"];
    assert!(
        (recall.value.expect("fraud") - 0.1).abs() < 0.06,
        "{recall:?}"
    );
    assert!(
        (refused.value.expect("some") - 0.1).abs() < 0.03,
        "{refused:?}"
    );
}

#[test]
fn attacks_are_drawn_within_their_family_and_customers_among_customers() {
    let calls = many();
    let rows: Vec<usize> = (0..calls.len()).collect();
    let draws = Draw::several(&calls, &rows, 20, 3);
    assert_eq!(draws, Draw::several(&calls, &rows, 20, 3));
    let wangiri = calls
        .families
        .iter()
        .position(|f| f == "wangiri")
        .expect("there");
    for draw in &draws {
        assert_eq!(
            draw.customers.iter().sum::<u32>(),
            32,
            "those with legitimate calls"
        );
        let of = (1..calls.data.campaign.count()).filter(|c| calls.family_of[*c] == wangiri);
        assert_eq!(of.map(|c| draw.campaigns[c]).sum::<u32>(), 10);
    }
    // Rows that share their legitimate calls draw the same customers.
    let without = rows
        .iter()
        .copied()
        .filter(|row| calls.family(*row) != Some(wangiri));
    let without: Vec<usize> = without.collect();
    let others = Draw::several(&calls, &without, 20, 3);
    assert!(
        draws
            .iter()
            .zip(&others)
            .all(|(a, b)| a.customers == b.customers)
    );
}

#[test]
fn limits_are_over_when_the_module_would_call_it_critical() {
    // A weekday at midnight: 4 a minute, 20 a night, 4 at once, 15 in a row.
    let abroad = |at: i64, number: u64| Made {
        country: "CU",
        number,
        ..Made::honest(at, 0)
    };
    let mut all: Vec<Made> = (0..30).map(|_| Made::honest(0, 1)).collect();
    all.extend((0..4).map(|n| abroad(15 * n, 53_000 + n.unsigned_abs())));
    // An hour later, the same number again and again.
    all.extend((0..15).map(|n| abroad(4_000 + 100 * n, 53_777)));
    let scores = peers::limits(&made(&all));
    assert!(
        scores[..30].iter().all(|score| *score == 0.0),
        "home is not limited"
    );
    assert_eq!(scores[30..34], [0.25, 0.5, 0.75, 1.0]);
    // An hour later all have left the minute; 5 of 20 calls is what counts most.
    assert_eq!(scores[34], 0.25);
    let last = scores.last().copied().expect("some");
    assert_eq!(last, 15.0 / 15.0);
}

#[test]
fn deviations_are_from_the_accounts_own_closed_days() {
    // Four days of two calls (two hours apart), then a burst.
    let mut all = Vec::new();
    for day in 0..4 {
        all.push(Made::honest(day * 86_400, 0));
        all.push(Made::honest(day * 86_400 + 7_200, 0));
    }
    all.extend((0..6).map(|n| Made::honest(4 * 86_400 + n, 0)));
    let scores = peers::sigma(&made(&all));
    // Before three days are closed, and of a usual day: nothing unusual by days. By hours the
    // mean is 8 calls in 96 hours, the deviation below the smallest that is believed: 1.
    assert_eq!(scores[0], 0.0);
    let usual_hour = 8.0 / 96.0;
    assert!(
        (scores[8] - (1.0 - usual_hour)).abs() < 1e-12,
        "{}",
        scores[8]
    );
    // Six calls: by hours 6 - 1/12, by days 6 - 2; the prices come to 6 - 2 by a tenth: 40.
    assert!((scores[13] - 40.0).abs() < 1e-9, "{}", scores[13]);
}

#[test]
fn what_an_attack_does_after_its_part_has_ended_is_not_learned_from() {
    let calls = made(&[
        Made::honest(10, 1),
        Made::fraud(15, "low-and-slow/1", 0),
        Made::fraud(25, "low-and-slow/1", 0),
        Made::fraud(26, "low-and-slow/2", 0),
        Made::honest(27, 1),
        Made::fraud(35, "low-and-slow/1", 0),
        Made::fraud(36, "low-and-slow/2", 0),
        Made::fraud(37, "low-and-slow/3", 0),
        Made::fraud(39, "low-and-slow/3", 0),
    ]);
    let at = |seconds: i64| Timestamp::from_secs(1_772_409_600 + seconds);
    let parts = Parts::at(&calls, [at(0), at(20), at(30), at(39)]);
    assert_eq!(parts.train, [0, 1]);
    assert_eq!(parts.calibrate, [3, 4]);
    assert_eq!(parts.test, [7, 8]);
}
