//! The simulated world as a whole.

use super::*;
use crate::domain::{CallRecord, Column, Timestamp, Verdict};
use sha2::{Digest, Sha256};
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// 2026-03-02, a Monday, midnight UTC.
const START: Timestamp = Timestamp::from_secs(1_772_409_600);

/// SHA-256 of the first 5,000 rows of seed 7 and all its attacks as text. It changes only when the simulated world
/// is meant to change.
const GOLDEN: &str = "62e2e94a4f05804c977cf458bf57abe03dcfccf972729fa188c9a3b21a1cede1";

/// Generated once for all tests.
static THREE_WEEKS: LazyLock<Vec<CallRecord>> = LazyLock::new(|| {
    let data = AttackData::built_in();
    records(&Scenario::new(7, START, 21), &data).collect()
});

fn records(scenario: &Scenario, data: &AttackData) -> impl Iterator<Item = CallRecord> {
    generate(scenario, data).map(|call| call.record)
}

/// Everything a file would say.
fn text(calls: &[CallRecord]) -> String {
    let rows = calls
        .iter()
        .map(|call| Column::ALL.map(|column| call.field(column)).join(","));
    rows.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_same_seed_gives_the_same_bytes_for_ever() {
    let fraud = THREE_WEEKS
        .iter()
        .filter(|c| c.verdict == Some(Verdict::Fraud));
    let calls: Vec<_> = THREE_WEEKS
        .iter()
        .take(5_000)
        .chain(fraud)
        .cloned()
        .collect();
    let hash = Sha256::digest(text(&calls));
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, GOLDEN);
    let data = AttackData::built_in();
    let other: Vec<_> = records(&Scenario::new(8, START, 1), &data)
        .take(100)
        .collect();
    assert_ne!(other, THREE_WEEKS[..100]);
}

#[test]
fn three_weeks_are_in_order_labelled_and_mostly_honest() {
    let calls = &*THREE_WEEKS;
    assert!(calls.is_sorted_by_key(|call| call.time));
    assert!(
        calls
            .iter()
            .all(|c| c.time >= START && c.time < START.plus_secs(21 * 86_400))
    );
    assert!((80_000..170_000).contains(&calls.len()), "{}", calls.len());
    let fraud = calls
        .iter()
        .filter(|c| c.verdict == Some(Verdict::Fraud))
        .count();
    let share = fraud as f64 / calls.len() as f64;
    assert!((0.008..0.03).contains(&share), "{share}");
    for call in calls {
        assert_eq!(
            call.verdict == Some(Verdict::Fraud),
            !call.campaign.is_empty()
        );
        assert_eq!(call.answered, Some(call.duration_s > Some(0)));
    }
    let ids: HashSet<_> = calls.iter().map(|call| &call.call_id).collect();
    assert_eq!(ids.len(), calls.len());
}

#[test]
fn every_family_attacks_loud_and_quiet() {
    let mut sizes: HashMap<String, Vec<u32>> = HashMap::new();
    let mut campaigns: HashMap<String, u32> = HashMap::new();
    for call in &*THREE_WEEKS {
        *campaigns.entry(call.campaign.clone()).or_default() += 1;
    }
    campaigns.remove("");
    for (name, calls) in campaigns {
        let (family, number) = name.split_once('/').expect("family/NNN");
        assert!(number.bytes().all(|b| b.is_ascii_digit()), "{name}");
        sizes.entry(family.to_owned()).or_default().push(calls);
    }
    for family in Family::ALL {
        let sizes = &sizes[family.as_str()];
        assert!(sizes.iter().any(|&n| n < 36), "{family}: {sizes:?}");
        assert!(sizes.iter().any(|&n| n >= 36), "{family}: {sizes:?}");
    }
}

#[test]
fn a_later_start_finds_the_same_world() {
    let data = AttackData::built_in();
    let whole: Vec<_> = records(&Scenario::new(7, START, 6), &data).collect();
    // Not at midnight, so that days are cut.
    let noon = START.plus_secs(3 * 86_400 + 43_200);
    let later: Vec<_> = records(&Scenario::new(7, noon, 2), &data).collect();
    let end = noon.plus_secs(2 * 86_400);
    let cut: Vec<_> = whole
        .into_iter()
        .filter(|call| (noon..end).contains(&call.time))
        .collect();
    assert!(!later.is_empty());
    assert_eq!(later, cut);
}

#[test]
fn leaving_calls_out_changes_none_of_the_others() {
    let data = AttackData::built_in();
    let scenario = Scenario::new(7, START, 4);
    let both: Vec<_> = records(&scenario, &data).collect();
    for (only, verdict) in [
        (Only::Fraud, Verdict::Fraud),
        (Only::Legitimate, Verdict::Legitimate),
    ] {
        let scenario = Scenario {
            only,
            ..scenario.clone()
        };
        let part: Vec<_> = records(&scenario, &data).collect();
        let expected = both.iter().filter(|call| call.verdict == Some(verdict));
        assert!(part.iter().eq(expected));
    }
}

#[test]
fn calls_counts_those_that_are_up() {
    let calls = &*THREE_WEEKS;
    let most = |verdict| {
        let of = calls.iter().filter(|call| call.verdict == Some(verdict));
        of.filter_map(|call| call.calls).max().expect("counted")
    };
    assert!(most(Verdict::Fraud) >= 20, "{}", most(Verdict::Fraud));
    // Calls in quick succession, before any can have ended, count up by one.
    let mut up: HashMap<(&str, &str), (i64, u32)> = HashMap::new();
    for call in calls {
        let key = (call.domain.as_str(), call.user.as_str());
        let now = (call.time.0, call.calls.expect("known"));
        if let Some((before, count)) = up.insert(key, now)
            && now.0 - before < 100_000
        {
            assert!(now.1 <= count + 1);
        }
    }
}

#[test]
fn ordinary_calls_have_valid_numbers() {
    let data = AttackData::built_in();
    let scenario = Scenario {
        only: Only::Legitimate,
        ..Scenario::new(7, START, 1)
    };
    let (mut valid, mut all) = (0, 0);
    for call in records(&scenario, &data) {
        let digits = call.dialed_number.trim_start_matches('+');
        let digits = digits.strip_prefix("00").unwrap_or(digits);
        let parsed = rlibphonenumber::PHONE_NUMBER_UTIL.parse(format!("+{digits}"), None);
        valid += u32::from(parsed.is_ok_and(|number| number.is_valid()));
        all += 1;
    }
    assert!(valid * 100 >= all * 95, "{valid} of {all}");
}

#[test]
fn surprises_are_innocent_too() {
    let calls = &*THREE_WEEKS;
    let mut agents: HashMap<&str, HashSet<&str>> = HashMap::new();
    let mut addresses: HashMap<&str, HashSet<String>> = HashMap::new();
    for call in calls
        .iter()
        .filter(|c| c.verdict == Some(Verdict::Legitimate))
    {
        agents
            .entry(&call.user)
            .or_default()
            .insert(&call.user_agent);
        addresses
            .entry(&call.user)
            .or_default()
            .insert(call.source_ip.to_string());
    }
    let changed = |n: usize| n > 1;
    assert!(agents.values().filter(|of| changed(of.len())).count() > 20);
    assert!(addresses.values().filter(|of| changed(of.len())).count() > 60);
}

#[test]
fn scenarios_that_cannot_be_are_refused() {
    let good = Scenario::new(1, START, 1);
    assert_eq!(good.check(), Ok(()));
    let refused = [
        Scenario {
            subscribers: 0,
            ..good.clone()
        },
        Scenario {
            tenants: 0,
            ..good.clone()
        },
        Scenario {
            days: 0,
            ..good.clone()
        },
        Scenario {
            attacks_per_day: f64::NAN,
            ..good.clone()
        },
        Scenario {
            start: Timestamp(0),
            ..good
        },
    ];
    assert!(refused.iter().all(|scenario| scenario.check().is_err()));
}
