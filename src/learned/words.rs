//! Evidence as an analyst reads it.

use super::WitnessKind;
use super::candidate::{Candidate, Sum};
use crate::domain::Timestamp;

/// The evidence against a candidate: how many of whom, how many numbers, from when to when.
pub(super) fn reason(candidate: &Candidate, sum: &Sum, now: Timestamp) -> String {
    let mut parts: Vec<String> = WitnessKind::ALL
        .into_iter()
        .filter_map(|kind| {
            let parties = candidate.parties(now, |w| w.kind == kind);
            (parties > 0).then(|| of_kind(kind, parties))
        })
        .collect();
    if sum.numbers > 0 {
        parts.push(format!("{} numbers", sum.numbers));
    }
    let date = |secs: i64| Timestamp::from_secs(secs).to_datetime().format("%Y-%m-%d");
    let said = parts.join(", ");
    format!(
        "learned: {said}; {} to {}",
        date(candidate.first),
        date(candidate.last)
    )
}

fn of_kind(kind: WitnessKind, parties: usize) -> String {
    let (one, many) = match kind {
        WitnessKind::Honeypot => ("honeypot source", "honeypot sources"),
        WitnessKind::Analyst => ("analyst", "analysts"),
        WitnessKind::Customer => ("customer's verdict", "customers' verdicts"),
        WitnessKind::Refusal => ("customer's refusals", "customers' refusals"),
        WitnessKind::Free => ("free network", "free networks"),
        WitnessKind::Unproven => ("unproven source", "unproven sources"),
    };
    format!("{parties} {}", if parties == 1 { one } else { many })
}
