//! Whether one trivial attribute gives the label away: then a model would learn the simulator.
//!
//! No model is trained. A value of an attribute is a rule ("this user agent is fraud"); the best
//! such rule must not be good, neither alone nor together with the next best ones. Names that
//! only tools of the trade have are left out: real scanners are as easy to tell by them.

use super::tests::{START, plain};
use super::{AttackData, Scenario, generate};
use crate::domain::{CallRecord, Verdict};
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::LazyLock;

/// A rule that finds so much of the fraud must not be this precise.
const RECALL: f64 = 0.2;
const PRECISION: f64 = 0.9;

/// An attribute of a call, as text.
type Attribute = (&'static str, fn(&CallRecord) -> String);

const ATTRIBUTES: [Attribute; 8] = [
    ("user agent", |call| call.user_agent.clone()),
    ("make of device", |call| {
        let make = call.user_agent.split([' ', '/', '-']).next();
        make.unwrap_or_default().to_owned()
    }),
    ("network", |call| match call.source_ip {
        IpAddr::V4(address) => format!("{:?}", &address.octets()[..2]),
        IpAddr::V6(address) => format!("{:?}", &address.segments()[..2]),
    }),
    ("destination", |call| {
        plain(&call.dialed_number).chars().take(3).collect()
    }),
    ("hour", |call| (call.time.secs() / 3_600 % 24).to_string()),
    ("dial prefix", |call| {
        let dialed = &call.dialed_number;
        dialed[..dialed.len() - plain(dialed).len()].to_owned()
    }),
    ("form of the Call-ID", |call| {
        form(call.call_id.as_deref().unwrap_or_default())
    }),
    ("length of the caller", |call| call.user.len().to_string()),
];

/// Digits, letters and signs, without how many of them.
fn form(call_id: &str) -> String {
    let mut form = String::new();
    for character in call_id.chars() {
        let class = match character {
            '0'..='9' => '0',
            'a'..='f' => 'f',
            'g'..='z' => 'z',
            'A'..='F' => 'F',
            'G'..='Z' => 'Z',
            other => other,
        };
        if !form.contains(class) {
            form.push(class);
        }
    }
    let mut classes: Vec<_> = form.chars().collect();
    classes.sort_unstable();
    classes.push(if call_id.len() < 30 { '<' } else { '>' });
    classes.into_iter().collect()
}

fn is_fraud(call: &CallRecord) -> bool {
    call.verdict == Some(Verdict::Fraud)
}

/// Calls and fraudulent calls by value.
fn tally(calls: &[CallRecord], of: fn(&CallRecord) -> String) -> HashMap<String, (f64, f64)> {
    let mut tally: HashMap<_, (f64, f64)> = HashMap::new();
    for call in calls {
        let (all, fraud) = tally.entry(of(call)).or_default();
        *all += 1.0;
        *fraud += f64::from(u8::from(is_fraud(call)));
    }
    tally
}

/// Three weeks of calls in which no tool of the trade names itself; more attacks than usual, so
/// that chance decides less.
static CALLS: LazyLock<Vec<CallRecord>> = LazyLock::new(|| {
    let data = AttackData::built_in();
    let tools: HashSet<_> = data.agents.iter().collect();
    let scenario = Scenario {
        subscribers: 500,
        attacks_per_day: 5.0,
        ..Scenario::new(11, START, 21)
    };
    generate(&scenario, &data)
        .filter(|call| !call.honeypot && !tools.contains(&call.record.user_agent))
        .map(|call| call.record)
        .collect()
});

/// The earlier and the later half.
fn halves() -> (&'static [CallRecord], &'static [CallRecord]) {
    CALLS.split_at(CALLS.len() / 2)
}

#[test]
fn no_single_value_is_a_good_rule() {
    let fraud = CALLS.iter().filter(|call| is_fraud(call)).count() as f64;
    for (name, of) in ATTRIBUTES {
        for (value, (all, found)) in tally(&CALLS, of) {
            let (precision, recall) = (found / all, found / fraud);
            assert!(
                precision < PRECISION || recall <= RECALL,
                "{name} `{value}`: precision {precision:.3}, recall {recall:.3}"
            );
        }
    }
}

/// The values that were worst in the earlier half, taken together in the later half.
#[test]
fn nor_are_the_worst_values_together() {
    let (earlier, later) = halves();
    let fraud = later.iter().filter(|call| is_fraud(call)).count() as f64;
    for (name, of) in ATTRIBUTES {
        let learned = tally(earlier, of);
        let mut worst: Vec<_> = learned
            .iter()
            .map(|(value, (all, found))| ((found + 0.01) / (all + 1.0), value))
            .collect();
        worst.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
        let met = tally(later, of);
        let (mut all, mut found) = (0.0, 0.0);
        for (_, value) in worst {
            let (calls, frauds) = met.get(value).copied().unwrap_or_default();
            all += calls;
            found += frauds;
            let (precision, recall) = (found / all, found / fraud);
            if recall > RECALL {
                assert!(
                    precision < PRECISION,
                    "{name} up to `{value}`: precision {precision:.3}, recall {recall:.3}"
                );
                break;
            }
        }
    }
}
