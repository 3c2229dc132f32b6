//! All that is remembered, and what it comes to.

use super::candidate::{Candidate, Said};
use super::ordinary::{Day, Life, MOST_NEEDED, Ordinary, Witnessed, day_of};
use super::table::Candidates;
use super::{Accusation, Evidence, Keys, Subject, SubjectKind, WitnessKind, words};
use crate::domain::Timestamp;
use uuid::Uuid;

/// Days that ordinary life is watched before numbers, blocks or user agents are listed: what is
/// ordinary must be known first.
const WATCHED: Day = 14;
/// What rounding may lose of a weight.
const EPSILON: f32 = 1e-4;

/// How much is remembered, at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Candidates; some 200 bytes each, 1.5 KiB with all the witnesses there may be.
    pub candidates: usize,
    /// Subjects of ordinary life; some 120 bytes each, 600 with all their tenants.
    pub ordinary: usize,
}

impl Default for Sizes {
    fn default() -> Self {
        Self {
            candidates: 65_536,
            ordinary: 262_144,
        }
    }
}

/// Evidence and ordinary life.
#[derive(Debug)]
pub struct Learned {
    keys: Keys,
    candidates: Candidates,
    ordinary: Ordinary,
    /// The first day of ordinary life.
    since: Option<Day>,
    /// The day ordinary life was last cleared of what is over.
    swept: Day,
    /// Verdicts up to this one are in.
    pub heard: Heard,
}

/// The last verdict that is in, in the order they are read in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Heard {
    /// When it came into ClickHouse, seconds since the epoch.
    pub inserted_at: i64,
    /// The call it is about.
    pub id: Uuid,
    /// When it was given, microseconds since the epoch.
    pub at: i64,
}

/// Whether what there is enough evidence against may be listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing speaks against it.
    Guilty,
    /// It has an ordinary life.
    Protected(Witnessed),
    /// What is ordinary here is not known yet.
    TooSoon {
        /// Days it has been watched.
        days: u32,
        /// Tenants that are established.
        tenants: usize,
    },
}

/// A subject that there is enough evidence against.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// What.
    pub subject: Subject,
    /// Whether it may be listed.
    pub standing: Standing,
    /// Whether the honeypot's evidence would be enough without any other.
    pub by_honeypot: bool,
    /// What all evidence weighs.
    pub weight: f32,
    /// Independent parties that say so.
    pub parties: usize,
    /// What each kind of witness weighs, in the order of [`WitnessKind::ALL`].
    pub against: [f32; 6],
    /// The evidence in words, for the entry: at most 200 characters.
    pub reason: String,
    /// When it was first spoken of.
    pub first: Timestamp,
    /// When last.
    pub last: Timestamp,
    /// Until when it stands, if nothing new is said.
    pub expires: Timestamp,
}

/// As it is saved.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Saved {
    pub(super) since: Option<Day>,
    pub(super) heard: Heard,
    pub(super) candidates: Vec<Candidate>,
    pub(super) lives: Vec<(u64, Life)>,
    pub(super) tenants: Vec<(u64, super::ordinary::Days)>,
}

impl Learned {
    /// Nothing remembered.
    #[must_use]
    pub fn new(sizes: Sizes, keys: Keys) -> Self {
        Self {
            keys,
            candidates: Candidates::new(sizes.candidates, keys),
            ordinary: Ordinary::new(sizes.ordinary),
            since: None,
            swept: 0,
            heard: Heard::default(),
        }
    }

    /// What the hashes are made with.
    #[must_use]
    pub const fn keys(&self) -> Keys {
        self.keys
    }

    /// Takes evidence in.
    pub fn hear(&mut self, evidence: &Evidence) {
        match evidence {
            Evidence::Ordinary(call) => {
                self.since.get_or_insert_with(|| day_of(call.at.secs()));
                self.ordinary.note(call);
            }
            Evidence::Accusation(accusation) => self.accuse(accusation),
            Evidence::Withdrawal(word) => {
                for (subject, by) in word.subjects(self.keys) {
                    self.candidates.forget(&subject, word.kind, by);
                }
            }
        }
    }

    fn accuse(&mut self, accusation: &Accusation) {
        for (subject, by) in accusation.subjects(self.keys) {
            let said = Said {
                kind: accusation.kind,
                by,
                innocent: accusation.innocent,
                probe: accusation.probe,
                number: accusation.number,
                at: accusation.at,
            };
            self.candidates.hear(subject, &said);
        }
    }

    /// Forgets what is over, and says against what there is enough evidence now, the heaviest
    /// first.
    pub fn review(&mut self, now: Timestamp) -> Vec<Finding> {
        self.candidates.expire(now);
        let today = day_of(now.secs());
        if today != self.swept {
            self.swept = today;
            self.ordinary.expire(today);
        }
        let tenants = self.ordinary.established(today);
        let mut findings: Vec<Finding> = self
            .candidates
            .iter()
            .filter_map(|candidate| self.finding(candidate, tenants, now))
            .collect();
        findings.sort_by(|a, b| b.weight.total_cmp(&a.weight).then(b.last.cmp(&a.last)));
        findings
    }

    fn finding(&self, candidate: &Candidate, tenants: usize, now: Timestamp) -> Option<Finding> {
        let kind = candidate.subject.kind();
        let sum = candidate.sum(now);
        let needs = kind.needs();
        let enough = |weight: f32, parties: usize| {
            weight + EPSILON >= needs.weight && parties >= needs.parties
        };
        if !enough(sum.weight, sum.parties) || sum.numbers < needs.numbers {
            return None;
        }
        let honeypots = candidate.parties(now, |w| w.kind == WitnessKind::Honeypot);
        Some(Finding {
            standing: self.standing(candidate, tenants, now),
            by_honeypot: enough(sum.against[0].min(sum.weight), honeypots),
            weight: sum.weight,
            parties: sum.parties,
            against: sum.against,
            reason: words::reason(candidate, &sum, now),
            first: Timestamp::from_secs(candidate.first),
            last: Timestamp::from_secs(candidate.last),
            expires: Timestamp::from_secs(candidate.ends()),
            subject: candidate.subject.clone(),
        })
    }

    fn standing(&self, candidate: &Candidate, tenants: usize, now: Timestamp) -> Standing {
        let today = day_of(now.secs());
        let kind = candidate.subject.kind();
        let key = candidate.subject.key(self.keys);
        // Who speaks against it himself is no witness of its ordinary life.
        let life = self
            .ordinary
            .life(key, kind, today, |tenant| !candidate.is_accused_by(tenant));
        let against = Against {
            tenants: candidate.parties(now, |w| w.kind.is_tenant()),
            established: candidate.parties(now, |w| {
                w.kind.is_tenant() && self.ordinary.knows(w.party, today)
            }),
            analysts: candidate.parties(now, |w| w.kind == WitnessKind::Analyst),
        };
        let needed = tenants_needed(tenants);
        if let Some(life) = life.filter(|life| protects(life, kind, needed, against)) {
            return Standing::Protected(life);
        }
        let days = today.saturating_sub(self.since.unwrap_or(today));
        let by_itself = matches!(kind, SubjectKind::Address | SubjectKind::Network);
        match by_itself || (days >= WATCHED && tenants > 0) {
            true => Standing::Guilty,
            false => Standing::TooSoon { days, tenants },
        }
    }

    /// Candidates, subjects of ordinary life, candidates that made room, and names for which
    /// there was none.
    #[must_use]
    pub fn sizes(&self) -> (usize, usize, u64, u64) {
        (
            self.candidates.len(),
            self.ordinary.len(),
            self.candidates.evicted,
            self.candidates.refused,
        )
    }

    pub(super) fn saved(&self) -> Saved {
        let (lives, tenants) = self.ordinary.saved();
        Saved {
            since: self.since,
            heard: self.heard,
            candidates: self.candidates.iter().cloned().collect(),
            lives,
            tenants,
        }
    }

    pub(super) fn restore(&mut self, saved: Saved) {
        self.since = saved.since;
        self.heard = saved.heard;
        self.ordinary.restore(saved.lives, saved.tenants);
        for candidate in saved.candidates {
            self.candidates.restore(candidate);
        }
    }

    #[cfg(test)]
    pub(super) fn sum(&self, subject: &Subject, now: Timestamp) -> super::candidate::Sum {
        let candidate = self.candidates.get(subject);
        candidate.map(|c| c.sum(now)).unwrap_or_default()
    }
}

/// How many tenants protect a number: a third of those that are established, five at most. So a
/// few accounts protect nothing where there are many, and a service for one company protects what
/// that company calls.
fn tenants_needed(established: usize) -> usize {
    established.div_ceil(3).clamp(1, MOST_NEEDED)
}

/// Who of the house speaks against a candidate.
#[derive(Clone, Copy, Debug)]
struct Against {
    tenants: usize,
    established: usize,
    analysts: usize,
}

/// Whether a life is ordinary enough. A number's must be known to twice as many tenants as speak
/// against it.
///
/// Against strangers the life of one established tenant is enough, else those could cut him off
/// from what nobody else calls: it holds until an analyst speaks against it, or more established
/// tenants than have such a life.
fn protects(life: &Witnessed, kind: SubjectKind, needed: usize, against: Against) -> bool {
    let (tenants, callers, days) = match kind {
        SubjectKind::Address | SubjectKind::Network => return life.tenants >= 1,
        SubjectKind::Agent => (needed.min(2), 5, 3),
        SubjectKind::Number | SubjectKind::Block => (needed.max(2 * against.tenants), 5, 3),
    };
    let together = life.tenants >= tenants && life.callers >= callers && life.days >= days;
    let alone = life.alone >= against.established.max(1) && against.analysts == 0;
    together || alone
}

impl Finding {
    /// What each kind of witness that says anything weighs.
    pub fn witnesses(&self) -> impl Iterator<Item = (WitnessKind, f32)> {
        let kinds = WitnessKind::ALL.into_iter().zip(self.against);
        kinds.filter(|(_, weight)| *weight > 0.0)
    }
}
