//! What was made: counted while it passes, told at the end.

use crate::domain::{Timestamp, Verdict};
use crate::simulate::send::SendReport;
use crate::simulate::{Scenario, Simulated};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use std::collections::{BTreeMap, HashSet};

/// Calls between two movements of the progress bar.
const PROGRESS_EVERY: u64 = 512;

/// What was made.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    seed: u64,
    start: String,
    end: String,
    subscribers: u32,
    tenants: u32,
    attack_data: String,
    calls: u64,
    fraud: u64,
    campaigns: usize,
    /// Fraudulent calls by family.
    families: BTreeMap<String, u64>,
    /// Legitimate calls by the innocent surprise they are part of.
    surprises: BTreeMap<&'static str, u64>,
    /// Calls that rang at honeypots; not among `calls`.
    honeypot: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    send: Option<SendReport>,
}

/// Counts what passes, and moves the progress bar.
pub(super) struct Tally {
    start: Timestamp,
    calls: u64,
    fraud: u64,
    campaigns: HashSet<String>,
    families: BTreeMap<String, u64>,
    surprises: BTreeMap<&'static str, u64>,
    honeypot: u64,
    bar: ProgressBar,
}

impl Tally {
    /// The bar draws on a terminal's standard error only, unless it is to be hidden.
    pub(super) fn new(scenario: &Scenario, is_hidden: bool) -> Self {
        let bar = if is_hidden {
            ProgressBar::hidden()
        } else {
            ProgressBar::new(u64::from(scenario.days) * 24)
        };
        let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} hours {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self {
            start: scenario.start,
            calls: 0,
            fraud: 0,
            campaigns: HashSet::new(),
            families: BTreeMap::new(),
            surprises: BTreeMap::new(),
            honeypot: 0,
            bar,
        }
    }

    pub(super) fn add(&mut self, call: &Simulated) {
        self.calls += 1;
        if let Some(surprise) = call.surprise {
            *self.surprises.entry(surprise).or_default() += 1;
        }
        let call = &call.record;
        if call.verdict == Some(Verdict::Fraud) {
            self.fraud += 1;
            let family = call.campaign.split('/').next().unwrap_or_default();
            *self.families.entry(family.to_owned()).or_default() += 1;
            if !self.campaigns.contains(&call.campaign) {
                self.campaigns.insert(call.campaign.clone());
            }
        }
        if self.calls.is_multiple_of(PROGRESS_EVERY) {
            let hours = call.time.seconds_since(self.start) / 3_600.0;
            self.bar.set_position(hours as u64);
            self.bar.set_message(format!("{} calls", self.calls));
        }
    }

    /// Takes the bar away; so many calls rang at honeypots.
    pub(super) fn finish(&mut self, honeypot: u64) {
        self.honeypot = honeypot;
        self.bar.finish_and_clear();
    }

    pub(super) fn summary(
        self,
        scenario: &Scenario,
        attack_data: String,
        send: Option<SendReport>,
    ) -> Summary {
        Summary {
            seed: scenario.seed,
            start: scenario.start.to_rfc3339(),
            end: scenario
                .start
                .plus_secs(i64::from(scenario.days) * 86_400)
                .to_rfc3339(),
            subscribers: scenario.subscribers,
            tenants: scenario.tenants,
            attack_data,
            calls: self.calls,
            fraud: self.fraud,
            campaigns: self.campaigns.len(),
            families: self.families,
            surprises: self.surprises,
            honeypot: self.honeypot,
            send,
        }
    }
}

impl Summary {
    /// For people.
    pub(super) fn describe(&self) -> String {
        let Summary {
            calls,
            fraud,
            campaigns,
            start,
            end,
            ..
        } = self;
        let mut text = format!(
            "{calls} calls from {start} to {end}, {fraud} of them fraud in {campaigns} campaigns"
        );
        for (family, calls) in &self.families {
            text.push_str(&format!("\n  {family}: {calls}"));
        }
        if !self.surprises.is_empty() {
            text.push_str("\nof the others, part of an innocent surprise:");
        }
        for (surprise, calls) in &self.surprises {
            text.push_str(&format!("\n  {surprise}: {calls}"));
        }
        text.push_str(&format!("\n{} more rang at honeypots", self.honeypot));
        if let Some(send) = &self.send {
            text.push_str(&format!(
                "\nsent {} in {:.1} s: {} answered, {} unanswered, {} retransmissions",
                send.sent, send.elapsed_s, send.answered, send.unanswered, send.retransmissions
            ));
            let latency = send.latency;
            text.push_str(&format!(
                "\nlatency, us: p50 {}, p90 {}, p99 {}, max {}",
                latency.p50_us, latency.p90_us, latency.p99_us, latency.max_us
            ));
            for (status, calls) in &send.by_status {
                text.push_str(&format!("\n  {status}: {calls}"));
            }
            for (code, calls) in &send.by_code {
                text.push_str(&format!("\n  {code}: {calls}"));
            }
        }
        text
    }
}
