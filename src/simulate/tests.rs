//! The simulated world as a whole.

use super::*;
use crate::domain::{CallRecord, Column, Timestamp, Verdict};
use sha2::{Digest, Sha256};
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// 2026-03-02, a Monday, midnight UTC.
pub(super) const START: Timestamp = Timestamp::from_secs(1_772_409_600);

/// SHA-256 of the first 5,000 rows of seed 7 and all its attacks as text. It changes only when the simulated world
/// is meant to change.
const GOLDEN: &str = "66445fa7d7b641c85dd85d384d9341f7b0a2d2dec7ff6d6b9ff23413b49a64b1";

/// Generated once for all tests; honeypots left out.
static THREE_WEEKS: LazyLock<Vec<CallRecord>> = LazyLock::new(|| {
    let data = AttackData::built_in();
    records(&Scenario::new(7, START, 21), &data).collect()
});

fn records(scenario: &Scenario, data: &AttackData) -> impl Iterator<Item = CallRecord> {
    let calls = generate(scenario, data).filter(|call| !call.honeypot);
    calls.map(|call| call.record)
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
    assert!((80_000..220_000).contains(&calls.len()), "{}", calls.len());
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
    let mut campaigns: HashMap<&str, usize> = HashMap::new();
    for call in THREE_WEEKS.iter().filter(|call| !call.campaign.is_empty()) {
        *campaigns.entry(&call.campaign).or_default() += 1;
    }
    for family in Family::ALL {
        let of = campaigns
            .iter()
            .filter(|(name, _)| Family::of_campaign(name) == Some(family));
        let sizes: Vec<_> = of.map(|(_, &calls)| calls).collect();
        assert!(sizes.len() >= 2, "{family}: {sizes:?}");
        let (least, most) = (sizes.iter().min(), sizes.iter().max());
        assert!(least.map(|n| n * 2) < most.copied(), "{family}: {sizes:?}");
    }
}

#[test]
fn a_family_left_out_changes_none_of_the_others() {
    let data = AttackData::built_in();
    let scenario = Scenario {
        only: Only::Fraud,
        attacks_per_day: 20.0,
        ..Scenario::new(7, START, 3)
    };
    let all: Vec<_> = generate(&scenario, &data).collect();
    for group in FamilyGroup::ALL {
        let held_out: Vec<_> = group.families().collect();
        let families = Family::ALL.into_iter();
        let families = families
            .filter(|family| !held_out.contains(family))
            .collect();
        let without = Scenario {
            families,
            ..scenario.clone()
        };
        let is_left = |call: &&Simulated| {
            let family = Family::of_campaign(&call.record.campaign);
            !held_out.contains(&family.expect("fraud has a family"))
        };
        // How many calls a caller has up may change; nothing else.
        let bare = |call: &Simulated| {
            let mut call = call.clone();
            call.record.calls = None;
            call
        };
        let left: Vec<_> = all.iter().filter(is_left).map(bare).collect();
        let alone: Vec<_> = generate(&without, &data).map(|call| bare(&call)).collect();
        assert!(left == alone, "{group}");
    }
}

#[test]
fn honeypots_are_rung_by_the_attackers_of_customers() {
    let data = AttackData::built_in();
    let scenario = Scenario {
        only: Only::Fraud,
        attacks_per_day: 10.0,
        ..Scenario::new(7, START, 21)
    };
    let (traps, customers): (Vec<_>, Vec<_>) =
        generate(&scenario, &data).partition(|call| call.honeypot);
    assert!(traps.len() > 500, "{}", traps.len());
    for call in &traps {
        assert_eq!(call.record.domain, HONEYPOT_DOMAIN);
        assert_eq!(call.record.verdict, Some(Verdict::Fraud));
        assert!(Family::of_campaign(&call.record.campaign).is_some());
    }
    // What of a campaign was seen at a honeypot before its first call to a customer.
    let block = |call: &CallRecord| {
        let number = plain(&call.dialed_number);
        number[..number.len().saturating_sub(3)].to_owned()
    };
    let mut campaigns: HashMap<_, Vec<_>> = HashMap::new();
    for call in customers.iter().map(|call| &call.record) {
        campaigns.entry(&call.campaign).or_default().push(call);
    }
    let (mut addresses, mut blocks) = (0, 0);
    for calls in campaigns.values() {
        let seen: Vec<_> = traps
            .iter()
            .map(|call| &call.record)
            .filter(|trap| trap.time < calls[0].time)
            .collect();
        let by_address = |call: &&CallRecord| seen.iter().any(|t| t.source_ip == call.source_ip);
        let by_block = |call: &&CallRecord| seen.iter().any(|t| block(t).ends_with(&block(call)));
        addresses += usize::from(calls.iter().copied().any(|call| by_address(&call)));
        blocks += usize::from(calls.iter().copied().any(|call| by_block(&call)));
    }
    let all = campaigns.len();
    assert!(
        (all / 10..all / 2).contains(&addresses),
        "{addresses} of {all}"
    );
    assert!(
        (all / 10..all * 3 / 4).contains(&blocks),
        "{blocks} of {all}"
    );
}

#[test]
fn every_surprise_happens_and_none_is_fraud() {
    let data = AttackData::built_in();
    let scenario = Scenario {
        subscribers: 600,
        ..Scenario::new(7, START, 28)
    };
    let mut days: HashMap<&str, HashSet<i64>> = HashMap::new();
    let mut calls: HashMap<&str, u32> = HashMap::new();
    for call in generate(&scenario, &data) {
        let Some(name) = call.surprise else { continue };
        assert_eq!(call.record.verdict, Some(Verdict::Legitimate));
        days.entry(name)
            .or_default()
            .insert(call.record.time.secs() / 86_400);
        *calls.entry(name).or_default() += 1;
    }
    for name in surprises::ALL {
        assert!(calls.get(name) >= Some(&20), "{name}: {calls:?}");
    }
    let quiet = days.values().filter(|days| days.len() < 2).count();
    assert!(quiet <= 1, "{days:?}");
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
        let Some(now) = call.calls.map(|up| (call.time.0, up)) else {
            continue;
        };
        if let Some((before, count)) = up.insert(key, now)
            && now.0 - before < 100_000
        {
            assert!(now.1 <= count + 1);
        }
    }
}

#[test]
fn some_tenants_never_say_how_many_calls_are_up_and_the_others_always_do() {
    let mut told: HashMap<&str, HashSet<bool>> = HashMap::new();
    for call in &*THREE_WEEKS {
        let said = told.entry(&call.domain).or_default();
        said.insert(call.calls.is_some());
    }
    assert!(told.values().all(|said| said.len() == 1));
    let silent = told.values().filter(|said| said.contains(&false)).count();
    assert!(silent * 6 >= told.len() && silent * 2 <= told.len());
    // Attackers come to both kinds.
    for counted in [true, false] {
        let is = |c: &&CallRecord| c.calls.is_some() == counted;
        let calls = || THREE_WEEKS.iter().filter(is);
        let fraud = calls().filter(|c| c.verdict == Some(Verdict::Fraud));
        assert!(fraud.count() * 400 > calls().count(), "{counted}");
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
        let number = plain(&call.dialed_number);
        if number.len() < 7 {
            continue;
        }
        let parsed = rlibphonenumber::PHONE_NUMBER_UTIL.parse(format!("+{number}"), None);
        valid += u32::from(parsed.is_ok_and(|number| number.is_valid()));
        all += 1;
    }
    assert!(valid * 100 >= all * 93, "{valid} of {all}");
}

/// The number behind `+`, an exit code or an outside line.
pub(super) fn plain(dialed: &str) -> &str {
    let exits = ["+", "9011", "900", "00", "011"];
    let exit = exits.iter().find_map(|exit| dialed.strip_prefix(exit));
    exit.unwrap_or(dialed)
}

#[test]
fn volumes_are_spread_over_orders_of_magnitude() {
    let mut volumes: HashMap<(&str, &str), u32> = HashMap::new();
    let honest = |call: &&CallRecord| call.verdict == Some(Verdict::Legitimate);
    for call in THREE_WEEKS.iter().filter(honest) {
        *volumes.entry((&call.domain, &call.user)).or_default() += 1;
    }
    let at_least = |least| volumes.values().filter(|&&calls| calls >= least).count();
    assert!(at_least(2_000) >= 2 && at_least(200) >= 20 && at_least(20) >= 150);
    // Wholesale callers are seen once or twice.
    assert!(volumes.len() > 2_000, "{}", volumes.len());
}

#[test]
fn the_smallest_and_the_earliest_world_can_be_lived_in() {
    let data = AttackData::built_in();
    let scenario = Scenario {
        subscribers: 1,
        tenants: 1,
        attacks_per_day: 40.0,
        ..Scenario::new(1, Timestamp::from_secs(31 * 86_400), 3)
    };
    assert_eq!(scenario.check(), Ok(()));
    let families: HashSet<_> = generate(&scenario, &data)
        .filter_map(|call| Family::of_campaign(&call.record.campaign))
        .collect();
    assert_eq!(families.len(), Family::ALL.len());
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
