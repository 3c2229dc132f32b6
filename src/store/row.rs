//! A call event as a row of `calls`.

use super::Source;
use crate::domain::{CallEvent, Outcome};
use clickhouse::Row;
use serde::Serialize;
use std::net::{IpAddr, Ipv6Addr};
use uuid::Uuid;

/// One row of `calls`; the columns are explained in `sql/migrations/0001_calls.sql`.
#[derive(Debug, Row, Serialize)]
#[expect(missing_docs, reason = "the columns carry their comments in SQL, once")]
pub struct CallRow<'a> {
    #[serde(with = "clickhouse::serde::uuid")]
    pub id: Uuid,
    pub at: i64,
    pub ingress: &'a str,
    pub account: &'a str,
    pub subscriber: &'a str,
    pub policy: &'a str,
    pub call_id: &'a str,
    pub user: &'a str,
    pub domain: &'a str,
    pub policy_user: String,
    pub dialed: &'a str,
    pub number: u64,
    pub calling_code: u16,
    pub country: &'a str,
    pub class: &'a str,
    pub dial_prefix: &'a str,
    pub price: Option<f32>,
    pub peer: Ipv6Addr,
    pub source_ip: Ipv6Addr,
    pub origin: &'a str,
    pub user_agent: &'a str,
    pub concurrent: Option<u32>,
    pub signs: u16,
    pub features_version: u16,
    pub features: &'a [f32],
    pub score: Option<f32>,
    pub novelty: Option<f32>,
    pub model: &'a str,
    #[serde(rename = "reasons.tag")]
    pub reason_tags: Vec<&'a str>,
    #[serde(rename = "reasons.contribution")]
    pub reason_contributions: Vec<f32>,
    pub code: &'a str,
    pub whitelisted: bool,
    pub checks: Vec<(&'a str, i8)>,
    pub evidence: Vec<(&'a str, &'a str)>,
    pub latency_us: u32,
    pub source_file: u64,
    pub source_offset: u64,
}

impl<'a> CallRow<'a> {
    /// The event, and where it comes from.
    #[must_use]
    pub fn new(event: &'a CallEvent, source: Source) -> Self {
        let CallEvent {
            attempt,
            destination,
            decision,
            ..
        } = event;
        let policy_user = attempt.policy_user.as_ref();
        let with_evidence = decision.checks.iter().filter(|c| !c.evidence.is_empty());
        Self {
            id: attempt.id,
            at: event.at.0,
            ingress: attempt.ingress.as_str(),
            account: &event.account,
            subscriber: &event.subscriber,
            policy: &event.policy,
            call_id: &attempt.call_id,
            user: &attempt.user,
            domain: &attempt.domain,
            policy_user: policy_user.map_or_else(String::new, |(u, d)| format!("{u}@{d}")),
            dialed: &attempt.dialed,
            number: destination.number.map_or(0, |number| number.as_u64()),
            calling_code: destination.calling_code,
            country: destination.country.as_str(),
            class: destination.class.as_str(),
            dial_prefix: destination.dial_prefix.as_str(),
            price: event.price,
            peer: ipv6(attempt.peer),
            source_ip: ipv6(attempt.source_ip),
            origin: event.origin.as_str(),
            user_agent: &attempt.user_agent,
            concurrent: attempt.concurrent,
            signs: attempt.signs.bits(),
            features_version: event.features.version,
            features: &event.features.values,
            score: decision.score,
            novelty: decision.novelty,
            model: &decision.model,
            reason_tags: decision.reasons.iter().map(|r| r.tag.as_str()).collect(),
            reason_contributions: decision.reasons.iter().map(|r| r.contribution).collect(),
            code: decision.code.as_str(),
            whitelisted: decision.whitelisted,
            checks: decision
                .checks
                .iter()
                .map(|c| (c.check.as_str(), outcome(c.outcome)))
                .collect(),
            evidence: with_evidence
                .map(|c| (c.check.as_str(), c.evidence.as_str()))
                .collect(),
            latency_us: event.latency_us,
            source_file: source.file,
            source_offset: source.offset,
        }
    }
}

/// Value of the column's `Enum8`.
const fn outcome(outcome: Outcome) -> i8 {
    match outcome {
        Outcome::Off => 0,
        Outcome::Pass => 1,
        Outcome::Refuse => 2,
        Outcome::Audit => 3,
    }
}

/// IPv4 addresses are stored mapped, as ClickHouse itself converts them.
const fn ipv6(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped(),
        IpAddr::V6(v6) => v6,
    }
}
