//! What a file of calls comes to: what would have been refused, which campaigns there seem to be,
//! what it cost, where it went.
//!
//! Built while the calls are walked through, in memory that does not grow with the file: tables
//! keep their largest rows (`top`), campaigns are closed when nothing comes of them any more.

mod campaigns;
mod findings;
mod page;
mod top;
mod write;

pub use campaigns::Campaign;
pub use page::{Section, sections};
pub use top::Tally;
pub use write::{campaigns_csv, html, markdown};

use super::Row;
use crate::domain::{CallEvent, Code, Outcome, REFUSAL_ORDER, Timestamp, Verdict};
use campaigns::Campaigns;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use top::Top;

/// Callers told apart.
const CALLERS: usize = 1_000_000;
/// Pairs of a domain and a country.
const PAIRS: usize = 200_000;
/// Rows of each table of the report.
pub(super) const ROWS: usize = 20;

/// From which score on a call is suspected, and the thresholds that are shown beside.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Thresholds {
    /// Id of the model.
    pub model: String,
    /// What R15 takes by itself.
    pub default: f32,
    /// For at most 0.1 % of legitimate calls.
    pub one_in_thousand: f32,
    /// For at most 0.01 % of legitimate calls.
    pub one_in_ten_thousand: f32,
}

/// A code and how many calls had it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CodeCount {
    /// `A00`, `R01` and so on.
    pub code: &'static str,
    /// What it means.
    pub description: &'static str,
    /// Calls with this code: they would have been refused, or approved.
    pub calls: u64,
    /// Calls of which the check would have said so, were it not in audit.
    pub audit: u64,
}

/// Calls above a score.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Band {
    /// Which threshold.
    pub name: &'static str,
    /// The score.
    pub above: f32,
    /// How many.
    pub tally: Tally,
}

/// A country a domain called for the first time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NewCountry {
    /// The domain.
    pub domain: String,
    /// ISO 3166-1.
    pub country: String,
    /// First call, RFC 3339.
    pub first: String,
    /// Calls since.
    pub tally: Tally,
}

/// What the file's own verdicts say of what was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Verdicts {
    /// Calls the file calls fraud.
    pub fraud: Tally,
    /// Of them suspected.
    pub fraud_found: Tally,
    /// Calls the file calls legitimate.
    pub legitimate: Tally,
    /// Of them suspected.
    pub legitimate_suspected: Tally,
}

/// All of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Name of the file.
    pub file: String,
    /// First call, RFC 3339; empty: there is none.
    pub from: String,
    /// Last call.
    pub to: String,
    /// All calls.
    pub all: Tally,
    /// Calls whose length is known.
    pub with_length: u64,
    /// Calls whose destination has a price.
    pub with_price: u64,
    /// Callers.
    pub callers: usize,
    /// Whether there were more than were told apart.
    pub callers_at_least: bool,
    /// Calls that would have been refused.
    pub refused: Tally,
    /// Calls refused, or refused were a check not in audit, or above the model's threshold.
    pub suspected: Tally,
    /// By code.
    pub codes: Vec<CodeCount>,
    /// The model that scored; `None`: none.
    pub model: Option<Thresholds>,
    /// By score.
    pub scores: Vec<Band>,
    /// Groups of suspected calls, the dearest first.
    pub campaigns: Vec<Campaign>,
    /// Campaigns beyond those listed.
    pub more_campaigns: u64,
    /// Suspected calls that stand alone.
    pub single: u64,
    /// Countries by what their calls cost, or how many minutes or calls they were.
    pub destinations: Vec<(String, Tally)>,
    /// Callers, in the same order.
    pub top_callers: Vec<(String, Tally)>,
    /// Whether small rows were dropped on the way, so that the last ones may be too low.
    pub tops_are_approximate: bool,
    /// Countries first called after the first week, or the first quarter of a short file.
    pub new_countries: Vec<NewCountry>,
    /// What the file's verdicts say; `None`: it has none.
    pub verdicts: Option<Verdicts>,
}

/// Takes the calls of a file in order of their time.
#[derive(Debug)]
pub struct Audit {
    thresholds: Option<Thresholds>,
    first: Option<Timestamp>,
    last: Timestamp,
    all: Tally,
    with_length: u64,
    with_price: u64,
    refused: Tally,
    suspected: Tally,
    codes: BTreeMap<&'static str, (u64, u64)>,
    above: [Tally; 3],
    callers: HashSet<u64>,
    destinations: Top,
    top_callers: Top,
    countries: HashMap<(String, String), (Timestamp, Tally)>,
    campaigns: Campaigns,
    verdicts: Verdicts,
}

impl Audit {
    /// Before the first call; `thresholds` are those of the model that scores.
    #[must_use]
    pub fn new(thresholds: Option<Thresholds>) -> Self {
        Self {
            thresholds,
            first: None,
            last: Timestamp::default(),
            all: Tally::default(),
            with_length: 0,
            with_price: 0,
            refused: Tally::default(),
            suspected: Tally::default(),
            codes: BTreeMap::new(),
            above: Default::default(),
            callers: HashSet::new(),
            destinations: Top::default(),
            top_callers: Top::default(),
            countries: HashMap::new(),
            campaigns: Campaigns::default(),
            verdicts: Verdicts::default(),
        }
    }

    /// Takes a call and what was decided of it.
    pub fn take(&mut self, row: &Row, event: &CallEvent) {
        let tally = Tally::of(row.record.duration_s, event.price);
        let caller = caller(event);
        self.first.get_or_insert(event.at);
        self.last = self.last.max(event.at);
        self.all.add(tally);
        self.with_length += u64::from(row.record.duration_s.is_some());
        self.with_price += u64::from(event.price.is_some());
        if self.callers.len() < CALLERS {
            let mut hasher = DefaultHasher::new();
            caller.hash(&mut hasher);
            self.callers.insert(hasher.finish());
        }
        let country = event.destination.country.to_string();
        self.destinations.add(&country, tally);
        self.top_callers.add(&caller, tally);
        self.see_country(event, country, tally);
        self.count_code(event, tally);
        self.count_score(event, tally);
        let suspected = self.is_suspected(event);
        if suspected {
            self.suspected.add(tally);
            self.campaigns.take(caller, event, tally);
        }
        if let Some(verdict) = row.record.verdict {
            let (all, found) = match verdict {
                Verdict::Fraud => (&mut self.verdicts.fraud, &mut self.verdicts.fraud_found),
                Verdict::Legitimate => (
                    &mut self.verdicts.legitimate,
                    &mut self.verdicts.legitimate_suspected,
                ),
            };
            all.add(tally);
            if suspected {
                found.add(tally);
            }
        }
    }

    fn is_suspected(&self, event: &CallEvent) -> bool {
        let decision = &event.decision;
        let audited = |outcome: Outcome| outcome == Outcome::Audit;
        let above = match (&self.thresholds, decision.score) {
            (Some(thresholds), Some(score)) => score > thresholds.default,
            _ => false,
        };
        !decision.whitelisted
            && (!decision.code.is_approved()
                || above
                || decision.checks.iter().any(|check| audited(check.outcome)))
    }

    fn see_country(&mut self, event: &CallEvent, country: String, tally: Tally) {
        let key = (event.attempt.domain.clone(), country);
        if self.countries.len() >= PAIRS && !self.countries.contains_key(&key) {
            return;
        }
        let seen = self.countries.entry(key);
        seen.or_insert((event.at, Tally::default())).1.add(tally);
    }

    fn count_code(&mut self, event: &CallEvent, tally: Tally) {
        let decision = &event.decision;
        self.codes.entry(decision.code.as_str()).or_default().0 += 1;
        if !decision.code.is_approved() {
            self.refused.add(tally);
        }
        for check in &decision.checks {
            if check.outcome == Outcome::Audit {
                self.codes.entry(check.check.as_str()).or_default().1 += 1;
            }
        }
    }

    fn count_score(&mut self, event: &CallEvent, tally: Tally) {
        let (Some(thresholds), Some(score)) = (&self.thresholds, event.decision.score) else {
            return;
        };
        let bounds = [
            thresholds.default,
            thresholds.one_in_thousand,
            thresholds.one_in_ten_thousand,
        ];
        for (above, bound) in self.above.iter_mut().zip(bounds) {
            if score > bound {
                above.add(tally);
            }
        }
    }

    /// All of it, of a file of this name.
    #[must_use]
    pub fn finish(self, file: &str) -> Report {
        let names = ["default", "1 in 1,000", "1 in 10,000"];
        let scores = self.thresholds.iter().flat_map(|t| {
            let bounds = [t.default, t.one_in_thousand, t.one_in_ten_thousand];
            names.into_iter().zip(bounds).zip(self.above)
        });
        let scores = scores.map(|((name, above), tally)| Band { name, above, tally });
        let campaigns = self.campaigns.finish();
        let time = |at: Option<Timestamp>| at.map_or_else(String::new, Timestamp::to_rfc3339);
        let judged = self.verdicts.fraud.calls + self.verdicts.legitimate.calls > 0;
        let scores = scores.collect();
        Report {
            file: file.to_owned(),
            from: time(self.first),
            to: time(self.first.map(|_| self.last)),
            all: self.all,
            with_length: self.with_length,
            with_price: self.with_price,
            callers: self.callers.len(),
            callers_at_least: self.callers.len() >= CALLERS,
            refused: self.refused,
            suspected: self.suspected,
            codes: codes(&self.codes),
            scores,
            model: self.thresholds,
            campaigns: campaigns.listed,
            more_campaigns: campaigns.more,
            single: campaigns.single,
            tops_are_approximate: self.destinations.is_approximate()
                || self.top_callers.is_approximate(),
            destinations: self.destinations.first(ROWS),
            top_callers: self.top_callers.first(ROWS),
            new_countries: new_countries(self.countries, self.first, self.last),
            verdicts: judged.then_some(self.verdicts),
        }
    }
}

/// Who calls, in words.
fn caller(event: &CallEvent) -> String {
    format!("{}@{}", event.attempt.user, event.attempt.domain)
}

fn codes(counts: &BTreeMap<&'static str, (u64, u64)>) -> Vec<CodeCount> {
    let all = REFUSAL_ORDER.into_iter().map(Code::Refused);
    let known = [Code::A00].into_iter().chain(all);
    known
        .filter_map(|code| {
            let (calls, audit) = *counts.get(code.as_str())?;
            Some(CodeCount {
                code: code.as_str(),
                description: code.description(),
                calls,
                audit,
            })
        })
        .collect()
}

fn new_countries(
    countries: HashMap<(String, String), (Timestamp, Tally)>,
    first: Option<Timestamp>,
    last: Timestamp,
) -> Vec<NewCountry> {
    const WEEK: i64 = 7 * 86_400 * Timestamp::SECOND;
    let Some(first) = first else {
        return Vec::new();
    };
    let known_until = Timestamp(first.0 + WEEK.min((last.0 - first.0) / 4));
    let mut new: Vec<_> = countries
        .into_iter()
        .filter(|(_, (at, _))| *at > known_until)
        .collect();
    new.sort_by(|a, b| {
        b.1.1
            .weight()
            .total_cmp(&a.1.1.weight())
            .then_with(|| a.0.cmp(&b.0))
    });
    new.truncate(ROWS);
    new.into_iter()
        .map(|((domain, country), (at, tally))| NewCountry {
            domain,
            country,
            first: at.to_rfc3339(),
            tally,
        })
        .collect()
}

#[cfg(test)]
mod tests;
