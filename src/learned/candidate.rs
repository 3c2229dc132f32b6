//! One thing that evidence is about, with its witnesses.

use super::{Party, Subject, SubjectKind, WitnessKind};
use crate::domain::{Number, Timestamp};
use serde::{Deserialize, Serialize};

/// Witnesses kept of one candidate; far more than it takes to be listed.
const WITNESSES: usize = 24;
/// Numbers kept of one block.
const NUMBERS: usize = 8;
const DAY: i64 = 86_400;

/// What is said once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Said {
    pub kind: WitnessKind,
    pub by: Party,
    pub innocent: bool,
    pub probe: bool,
    pub number: Option<Number>,
    pub at: Timestamp,
}

/// What one party says, in all.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Witness {
    pub kind: WitnessKind,
    pub party: Party,
    pub innocent: bool,
    /// As it was when he last said so.
    weight: f32,
    /// The day he last said so, since the epoch, and what he weighed on it.
    day: i64,
    today: f32,
    /// When, seconds since the epoch.
    at: i64,
}

/// A candidate for a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Candidate {
    pub subject: Subject,
    pub witnesses: Vec<Witness>,
    /// Different numbers, of a block.
    numbers: Vec<Number>,
    /// Who brought it in.
    pub owner: Party,
    /// Whether it was brought in by a door that anybody may knock at.
    pub open: bool,
    /// Seconds since the epoch.
    pub first: i64,
    pub last: i64,
}

/// What the witnesses of a candidate come to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Sum {
    /// By kind, in the order of [`WitnessKind::ALL`], each capped.
    pub against: [f32; 6],
    /// All of it, less what speaks for.
    pub weight: f32,
    /// Independent parties against, of the doors that not anybody may knock at.
    pub parties: usize,
    /// Different numbers, of a block.
    pub numbers: usize,
}

impl Witness {
    fn new(said: &Said) -> Self {
        Self {
            kind: said.kind,
            party: said.by,
            innocent: said.innocent,
            weight: 0.0,
            day: said.at.secs().div_euclid(DAY),
            today: 0.0,
            at: said.at.secs(),
        }
    }

    /// He says so again: within what he may weigh in a day and in all.
    fn again(&mut self, said: &Said, about: SubjectKind) {
        let caps = said.kind.caps(about, said.probe);
        let day = said.at.secs().div_euclid(DAY);
        if day != self.day {
            (self.day, self.today) = (day, 0.0);
        }
        let more = caps.each.min((caps.day - self.today).max(0.0));
        self.today += more;
        self.weight = (self.faded(said.at, about) + more).min(caps.party);
        self.at = self.at.max(said.at.secs());
    }

    /// What it weighs now: all of it for half the lifetime of an entry, then less day by day.
    pub fn faded(&self, now: Timestamp, about: SubjectKind) -> f32 {
        let half = about.lifetime_secs() / 2;
        let past = (now.secs() - self.at - half).clamp(0, half);
        #[expect(clippy::cast_precision_loss, reason = "days in seconds")]
        let left = 1.0 - past as f32 / half as f32;
        self.weight * left
    }
}

impl Candidate {
    pub fn new(subject: Subject, said: &Said) -> Self {
        let mut new = Self {
            subject,
            witnesses: Vec::with_capacity(1),
            numbers: Vec::new(),
            owner: said.by,
            open: said.kind.is_open(),
            first: said.at.secs(),
            last: said.at.secs(),
        };
        new.hear(said);
        new
    }

    /// Adds what is said. One party has one word of a kind: who says that it is innocent takes
    /// back what he said against it, and the other way round.
    pub fn hear(&mut self, said: &Said) {
        let about = self.subject.kind();
        let contradicts = |w: &Witness| w.party == said.by && w.innocent != said.innocent;
        self.witnesses
            .retain(|w| !(contradicts(w) && w.kind <= said.kind));
        let is_same = |w: &Witness| w.party == said.by && w.kind == said.kind;
        let at = match self.witnesses.iter().position(is_same) {
            Some(at) => at,
            None => match self.place(said) {
                Some(at) => at,
                None => return,
            },
        };
        self.witnesses[at].again(said, about);
        self.last = self.last.max(said.at.secs());
        if let (SubjectKind::Block, false, false, Some(number)) =
            (about, said.innocent, said.kind.is_open(), said.number)
            && self.numbers.len() < NUMBERS
            && !self.numbers.contains(&number)
        {
            self.numbers.push(number);
        }
    }

    /// A party no longer says what it said, for or against.
    pub fn forget(&mut self, kind: WitnessKind, by: Party) {
        self.witnesses.retain(|w| w.party != by || w.kind != kind);
    }

    /// A place for a new witness; among too many the one that weighs least makes room, but
    /// never to one of a lighter kind.
    fn place(&mut self, said: &Said) -> Option<usize> {
        if self.witnesses.len() < WITNESSES {
            self.witnesses.push(Witness::new(said));
            return Some(self.witnesses.len() - 1);
        }
        let about = self.subject.kind();
        let rank = |w: &Witness| (w.kind, w.faded(said.at, about));
        let least = (0..self.witnesses.len()).min_by(|&a, &b| {
            let (a, b) = (rank(&self.witnesses[a]), rank(&self.witnesses[b]));
            a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
        })?;
        if self.witnesses[least].kind > said.kind {
            return None;
        }
        self.witnesses[least] = Witness::new(said);
        Some(least)
    }

    /// What the witnesses come to now.
    pub fn sum(&self, now: Timestamp) -> Sum {
        let about = self.subject.kind();
        let of = |kind: WitnessKind, innocent: bool| {
            let witnesses = self.witnesses.iter();
            let said = witnesses.filter(|w| w.kind == kind && w.innocent == innocent);
            let sum: f32 = said.map(|w| w.faded(now, about)).sum();
            sum.min(kind.caps(about, false).kind)
        };
        let against = WitnessKind::ALL.map(|kind| of(kind, false));
        let [honeypot, analyst, customer, refusal, free, unproven] = against;
        // A customer's word for it weighs against what customers and strangers say, never
        // against the honeypot or an analyst; an analyst's weighs against all.
        let by_customers = (customer + refusal + free - of(WitnessKind::Customer, true)).max(0.0);
        let analysts_for = 2.0 * of(WitnessKind::Analyst, true);
        let weight = honeypot + analyst + by_customers + unproven - analysts_for;
        Sum {
            against,
            weight: weight.max(0.0),
            parties: self.parties(now, |w| !w.kind.is_open()),
            numbers: self.numbers.len(),
        }
    }

    /// Different parties against, of those that are asked about.
    pub fn parties(&self, now: Timestamp, asked: impl Fn(&Witness) -> bool) -> usize {
        let about = self.subject.kind();
        let mut parties: Vec<Party> = self
            .witnesses
            .iter()
            .filter(|w| !w.innocent && w.faded(now, about) > 0.0 && asked(w))
            .map(|w| w.party)
            .collect();
        parties.sort_unstable();
        parties.dedup();
        parties.len()
    }

    /// Whether an account speaks against it.
    pub fn is_accused_by(&self, tenant: Party) -> bool {
        self.witnesses
            .iter()
            .any(|w| w.kind.is_tenant() && !w.innocent && w.party == tenant)
    }

    /// When it has nothing more to say, seconds since the epoch: its last word from a door that
    /// not anybody may knock at counts, if there is one.
    pub fn ends(&self) -> i64 {
        let last = |open: bool| {
            let witnesses = self.witnesses.iter();
            let said = witnesses.filter(|w| !w.innocent && w.kind.is_open() == open);
            said.map(|w| w.at).max()
        };
        let last = last(false).or_else(|| last(true)).unwrap_or(self.last);
        last + self.subject.kind().lifetime_secs()
    }
}
