//! Suspected calls that belong together: a caller's to a country without a long pause, and many
//! callers' to the same thousand numbers.

use super::findings::finding;
use super::{ROWS, Tally};
use crate::domain::{CallEvent, Check, Code, Outcome, Timestamp};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};

/// A campaign is over after so long without a suspected call, seconds.
const PAUSE: f64 = 6.0 * 3_600.0;
/// Campaigns that go on at once.
const OPEN: usize = 10_000;
/// Campaigns that are over and kept; when there are twice as many the smaller half goes.
const CLOSED: usize = 10_000;
/// Sources, blocks and reasons told apart in one campaign.
const PARTS: usize = 32;
/// So many callers to the same thousand numbers are one campaign.
const TOGETHER: usize = 3;

/// Suspected calls that belong together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Campaign {
    /// Who called; with several callers the first.
    pub caller: String,
    /// How many callers.
    pub callers: usize,
    /// Addresses the calls came from, the most frequent first.
    pub sources: Vec<String>,
    /// Country, ISO 3166-1.
    pub country: String,
    /// Thousand numbers that were called most: what stands before the last three digits.
    pub block: String,
    /// How many such blocks; 32 and more are told as 32.
    pub blocks: usize,
    /// First call, RFC 3339.
    pub from: String,
    /// Last call.
    pub to: String,
    /// All of them.
    pub tally: Tally,
    /// Of them refused: they would have cost nothing.
    pub refused: Tally,
    /// Why, in words: what refused them, and then what raised their scores, the most frequent
    /// first.
    pub reasons: Vec<String>,
}

/// One that may go on.
#[derive(Clone, Debug)]
struct Group {
    caller: String,
    callers: usize,
    country: String,
    from: Timestamp,
    to: Timestamp,
    tally: Tally,
    refused: Tally,
    sources: BTreeMap<String, u64>,
    blocks: BTreeMap<u64, u64>,
    refusals: BTreeMap<&'static str, u64>,
    reasons: BTreeMap<&'static str, u64>,
}

/// What came of all of them.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) listed: Vec<Campaign>,
    pub(super) more: u64,
    pub(super) single: u64,
}

/// Groups of suspected calls, in order of their time.
#[derive(Debug, Default)]
pub(super) struct Campaigns {
    open: HashMap<(String, String), Group>,
    closed: Vec<Group>,
    dropped: u64,
}

impl Campaigns {
    pub(super) fn take(&mut self, caller: String, event: &CallEvent, tally: Tally) {
        let country = event.destination.country.to_string();
        let key = (caller.clone(), country.clone());
        let goes_on = |group: &Group| event.at.seconds_since(group.to) <= PAUSE;
        if let Some(group) = self.open.get_mut(&key).filter(|group| goes_on(group)) {
            return group.add(event, tally);
        }
        if let Some(over) = self.open.remove(&key) {
            self.close(over);
        }
        if self.open.len() >= OPEN {
            self.make_room(event.at);
        }
        let mut group = Group::new(caller, country, event.at);
        group.add(event, tally);
        self.open.insert(key, group);
    }

    /// Closes what is over; where nothing is, the tenth that was quiet for longest.
    fn make_room(&mut self, now: Timestamp) {
        let mut last: Vec<Timestamp> = self.open.values().map(|group| group.to).collect();
        let (_, quiet, _) = last.select_nth_unstable(OPEN / 10);
        let quiet = *quiet;
        let is_over = |group: &Group| now.seconds_since(group.to) > PAUSE || group.to <= quiet;
        let over = self.open.extract_if(|_, group| is_over(group));
        let over: Vec<Group> = over.map(|(_, group)| group).collect();
        over.into_iter().for_each(|group| self.close(group));
    }

    fn close(&mut self, group: Group) {
        if self.closed.len() >= 2 * CLOSED {
            self.closed
                .sort_by(|a, b| b.tally.weight().total_cmp(&a.tally.weight()));
            self.closed.truncate(CLOSED);
            self.dropped += CLOSED as u64;
        }
        self.closed.push(group);
    }

    pub(super) fn finish(mut self) -> Found {
        let open = std::mem::take(&mut self.open);
        open.into_values().for_each(|group| self.close(group));
        let groups = together(self.closed);
        let (mut many, single): (Vec<Group>, Vec<Group>) =
            groups.into_iter().partition(|group| group.tally.calls > 1);
        many.sort_by(|a, b| {
            let weight = b.tally.weight().total_cmp(&a.tally.weight());
            weight.then_with(|| (a.from, &a.caller).cmp(&(b.from, &b.caller)))
        });
        let more = many.len().saturating_sub(ROWS) as u64 + self.dropped;
        many.truncate(ROWS);
        Found {
            listed: many.into_iter().map(Campaign::from).collect(),
            more,
            single: single.len() as u64,
        }
    }
}

/// Joins the groups of many callers to one block.
fn together(groups: Vec<Group>) -> Vec<Group> {
    let mut by_block: BTreeMap<u64, Vec<Group>> = BTreeMap::new();
    let mut joined = Vec::new();
    for group in groups {
        match group.blocks.first_key_value() {
            Some((block, _)) if group.blocks.len() == 1 && *block != 0 => {
                by_block.entry(*block).or_default().push(group);
            }
            _ => joined.push(group),
        }
    }
    for mut groups in by_block.into_values() {
        groups.sort_by_key(|group| group.from);
        let mut runs: Vec<Vec<Group>> = Vec::new();
        for group in groups {
            match runs.last_mut() {
                Some(run) if run.iter().any(|g| group.from.seconds_since(g.to) <= PAUSE) => {
                    run.push(group);
                }
                _ => runs.push(vec![group]),
            }
        }
        for run in runs {
            let callers: std::collections::BTreeSet<&String> =
                run.iter().map(|group| &group.caller).collect();
            let many = callers.len();
            match many >= TOGETHER {
                false => joined.extend(run),
                true => joined.extend(run.into_iter().reduce(Group::join).map(|group| Group {
                    callers: many,
                    ..group
                })),
            }
        }
    }
    joined
}

impl Group {
    fn new(caller: String, country: String, at: Timestamp) -> Self {
        Self {
            caller,
            callers: 1,
            country,
            from: at,
            to: at,
            tally: Tally::default(),
            refused: Tally::default(),
            sources: BTreeMap::new(),
            blocks: BTreeMap::new(),
            refusals: BTreeMap::new(),
            reasons: BTreeMap::new(),
        }
    }

    fn add(&mut self, event: &CallEvent, tally: Tally) {
        self.to = self.to.max(event.at);
        self.tally.add(tally);
        let decision = &event.decision;
        if !decision.code.is_approved() {
            self.refused.add(tally);
            if decision.code != Code::Refused(Check::R15) {
                count(&mut self.refusals, decision.code.description(), 1);
            }
        }
        for check in &decision.checks {
            // Nearly every campaign's score is above the threshold: what raised it says more.
            if check.outcome == Outcome::Audit && check.check != Check::R15 {
                count(&mut self.refusals, check.check.description(), 1);
            }
        }
        for reason in decision
            .reasons
            .iter()
            .filter(|reason| reason.contribution > 0.0)
        {
            if let Some(found) = finding(&reason.tag) {
                count(&mut self.reasons, found, 1);
            }
        }
        count(&mut self.sources, event.attempt.source_ip.to_string(), 1);
        let number = event.destination.number.map_or(0, |number| number.as_u64());
        count(&mut self.blocks, number / 1_000, 1);
    }

    fn join(mut self, other: Self) -> Self {
        self.from = self.from.min(other.from);
        self.to = self.to.max(other.to);
        self.tally.add(other.tally);
        self.refused.add(other.refused);
        for (source, calls) in other.sources {
            count(&mut self.sources, source, calls);
        }
        for (block, calls) in other.blocks {
            count(&mut self.blocks, block, calls);
        }
        for (refusal, calls) in other.refusals {
            count(&mut self.refusals, refusal, calls);
        }
        for (reason, calls) in other.reasons {
            count(&mut self.reasons, reason, calls);
        }
        self
    }
}

/// Counts within bounds: what comes after the first [`PARTS`] is not told apart.
fn count<K: Ord>(counts: &mut BTreeMap<K, u64>, key: K, more: u64) {
    if counts.len() < PARTS || counts.contains_key(&key) {
        *counts.entry(key).or_default() += more;
    }
}

/// The most frequent, the first first.
fn frequent<K: Clone>(counts: &BTreeMap<K, u64>, most: usize) -> Vec<K> {
    let mut all: Vec<(&K, &u64)> = counts.iter().collect();
    all.sort_by_key(|(_, calls)| std::cmp::Reverse(**calls));
    all.into_iter()
        .take(most)
        .map(|(key, _)| key.clone())
        .collect()
}

impl From<Group> for Campaign {
    fn from(group: Group) -> Self {
        let block = frequent(&group.blocks, 1)
            .first()
            .copied()
            .unwrap_or_default();
        Self {
            caller: group.caller,
            callers: group.callers,
            sources: frequent(&group.sources, 3),
            country: group.country,
            block: match block {
                0 => String::new(),
                block => block.to_string(),
            },
            blocks: group.blocks.len(),
            from: group.from.to_rfc3339(),
            to: group.to.to_rfc3339(),
            tally: group.tally,
            refused: group.refused,
            reasons: frequent(&group.refusals, 2)
                .into_iter()
                .chain(frequent(&group.reasons, 3))
                .map(str::to_owned)
                .collect(),
        }
    }
}
