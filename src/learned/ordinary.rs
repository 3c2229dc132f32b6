//! Ordinary life: who calls what, day by day, without anything being wrong with it.
//!
//! Kept of paying customers' calls only. What several of them call over days, from many callers,
//! is no fraud range, whatever is said about it. A tenant counts once he is established: an account
//! that was opened to protect something must first live for weeks. Of an address that calls came
//! from any tenant's word is taken, but only of the packets' own: what a header says of where a call
//! came from could be anybody's address.

use super::{OrdinaryCall, Party, SubjectKind};
use crate::domain::Prehashed;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::hash::BuildHasherDefault;

/// Tenants kept of one subject: three times as many as protect it.
const TENANTS: usize = 16;
/// Neighbours an eviction looks at.
const SAMPLE: usize = 16;
/// Days since its first call, and days with calls, after which a tenant is established.
const ESTABLISHED: (u32, u16) = (14, 7);
/// Days without a call after which a subject's life or a tenant's is forgotten.
const FORGOTTEN: u32 = 60;
/// What makes a subject an ordinary one of one tenant alone: days, and callers or calls. A tenant
/// behind one trunk has a single caller.
const ALONE: (u16, u32, u32) = (3, 5, 50);
/// Tenants that always protect.
pub(super) const MOST_NEEDED: usize = 5;

type ByHash<T> = HashMap<u64, T, BuildHasherDefault<Prehashed>>;

/// Values by their keys, to be saved.
type Saved<T> = Vec<(u64, T)>;

/// Days since the epoch.
pub(super) type Day = u32;

/// From when to when, and on how many days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Days {
    first: Day,
    last: Day,
    count: u16,
}

/// What one tenant's calls show of a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    days: Days,
    calls: u32,
    /// One bit for each of 32 groups of callers.
    callers: u32,
    /// Whether a packet came from the address itself.
    direct: bool,
}

/// The ordinary life of one subject.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Life {
    tenants: Vec<(Party, Known)>,
    days: Days,
    /// One bit for each of 64 groups of callers: linear counting (Whang et al. 1990).
    callers: u64,
}

/// What ordinary life there is, of tenants that are asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Witnessed {
    /// Tenants.
    pub tenants: usize,
    /// Those of them whose own calls alone are an ordinary life: on 3 days, and of 5 callers or
    /// 50 of them.
    pub alone: usize,
    /// Callers, about.
    pub callers: u32,
    /// Days.
    pub days: u16,
}

/// All ordinary lives, at most so many.
#[derive(Debug)]
pub(super) struct Ordinary {
    capacity: usize,
    index: ByHash<usize>,
    slots: Vec<(u64, Life)>,
    hand: usize,
    tenants: ByHash<Days>,
}

impl Days {
    const fn new(day: Day) -> Self {
        Self {
            first: day,
            last: day,
            count: 1,
        }
    }

    fn note(&mut self, day: Day) {
        if day > self.last {
            self.last = day;
            self.count = self.count.saturating_add(1);
        }
    }
}

impl Known {
    const fn new(day: Day) -> Self {
        Self {
            days: Days::new(day),
            calls: 0,
            callers: 0,
            direct: false,
        }
    }

    fn note(&mut self, call: &OrdinaryCall, day: Day) {
        self.days.note(day);
        self.calls = self.calls.saturating_add(1);
        self.callers |= 1 << (call.caller % 32);
        self.direct |= call.direct;
    }

    fn is_life_alone(&self) -> bool {
        let (days, callers, calls) = ALONE;
        let about = counted(self.callers.count_ones(), u32::BITS);
        self.days.count >= days && (about >= callers || self.calls >= calls)
    }
}

impl Life {
    fn new(call: &OrdinaryCall, day: Day) -> Self {
        let mut life = Self {
            tenants: Vec::with_capacity(1),
            days: Days::new(day),
            callers: 0,
        };
        life.note(call, day);
        life
    }

    fn note(&mut self, call: &OrdinaryCall, day: Day) {
        self.days.note(day);
        self.callers |= 1 << (call.caller % 64);
        let there = self.tenants.iter().position(|(t, _)| *t == call.tenant);
        if let Some(known) = there.map_or_else(|| self.place(call.tenant, day), Some) {
            self.tenants[known].1.note(call, day);
        }
    }

    /// A place for a tenant that is new here. Among too many the one with the fewest days makes
    /// room, if that is older news.
    fn place(&mut self, tenant: Party, day: Day) -> Option<usize> {
        let new = (tenant, Known::new(day));
        if self.tenants.len() < TENANTS {
            self.tenants.push(new);
            return Some(self.tenants.len() - 1);
        }
        let days = |at: usize| self.tenants[at].1.days;
        let least = (0..self.tenants.len()).min_by_key(|&at| (days(at).count, days(at).last))?;
        let makes_room = days(least).count == 1 && days(least).last < day;
        makes_room.then(|| {
            self.tenants[least] = new;
            least
        })
    }

    /// About how many different callers.
    fn callers(&self) -> u32 {
        counted(self.callers.count_ones(), u64::BITS)
    }
}

/// About how many different things have set `ones` of so many bits.
fn counted(ones: u32, bits: u32) -> u32 {
    if ones == bits {
        return 4 * bits;
    }
    let bits_f = f64::from(bits);
    let empty = f64::from(bits - ones) / bits_f;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "below five times the bits"
    )]
    let about = (-bits_f * empty.ln()).round() as u32;
    about
}

impl Ordinary {
    /// For so many subjects, at least 64.
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity: capacity.max(64),
            index: HashMap::default(),
            slots: Vec::new(),
            hand: 0,
            tenants: HashMap::default(),
        }
    }

    pub fn note(&mut self, call: &OrdinaryCall) {
        let day = day_of(call.at.secs());
        self.tenants
            .entry(call.tenant.0)
            .or_insert_with(|| Days::new(day))
            .note(day);
        for key in call.subjects.into_iter().flatten() {
            match self.index.get(&key) {
                Some(&at) => self.slots[at].1.note(call, day),
                None => self.insert(key, Life::new(call, day)),
            }
        }
    }

    /// Tenants that have called for long enough to be asked.
    pub fn established(&self, today: Day) -> usize {
        let tenants = self.tenants.values();
        tenants.filter(|days| is_established(days, today)).count()
    }

    /// Whether an account has called for long enough to be asked.
    pub fn knows(&self, tenant: Party, today: Day) -> bool {
        let days = self.tenants.get(&tenant.0);
        days.is_some_and(|days| is_established(days, today))
    }

    /// What ordinary life a subject has; `asked` says which tenants count besides that they are
    /// established, where that is asked for.
    pub fn life(
        &self,
        key: u64,
        kind: SubjectKind,
        today: Day,
        asked: impl Fn(Party) -> bool,
    ) -> Option<Witnessed> {
        let life = &self.slots.get(*self.index.get(&key)?)?.1;
        // Who calls from an address says so by calling; a new customer's must be safe at once.
        let any = matches!(kind, SubjectKind::Address | SubjectKind::Network);
        let counts = |party: Party, known: &Known| {
            known.days.count >= 2 && ((any && known.direct) || self.knows(party, today))
        };
        let tenants = life.tenants.iter();
        let tenants = tenants.filter(|(party, known)| counts(*party, known) && asked(*party));
        Some(Witnessed {
            tenants: tenants.clone().count(),
            alone: tenants.filter(|(_, known)| known.is_life_alone()).count(),
            callers: life.callers(),
            days: life.days.count,
        })
    }

    /// Forgets what is long over.
    pub fn expire(&mut self, today: Day) {
        let over = |days: &Days| today.saturating_sub(days.last) > FORGOTTEN;
        self.tenants.retain(|_, days| !over(days));
        let mut at = 0;
        while at < self.slots.len() {
            match over(&self.slots[at].1.days) {
                true => self.remove(at),
                false => at += 1,
            }
        }
    }

    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// All there is, to be saved.
    pub fn saved(&self) -> (Saved<Life>, Saved<Days>) {
        let tenants = self.tenants.iter();
        (
            self.slots.clone(),
            tenants.map(|(party, days)| (*party, *days)).collect(),
        )
    }

    /// Puts back what was saved.
    pub fn restore(&mut self, lives: Vec<(u64, Life)>, tenants: Vec<(u64, Days)>) {
        self.tenants.extend(tenants);
        for (key, life) in lives {
            if !self.index.contains_key(&key) && self.slots.len() < self.capacity {
                self.push(key, life);
            }
        }
    }

    /// Of a few that are looked at, the one the fewest tenants know makes room: a flood by one
    /// account pushes out itself.
    fn insert(&mut self, key: u64, life: Life) {
        if self.slots.len() >= self.capacity {
            let len = self.slots.len();
            let start = self.hand;
            self.hand = (start + SAMPLE) % len;
            let victim = (start..start + SAMPLE)
                .map(|at| at % len)
                .min_by_key(|&at| {
                    let life = &self.slots[at].1;
                    (life.tenants.len(), life.days.count, life.days.last)
                });
            self.remove(victim.unwrap_or(start % len));
        }
        self.push(key, life);
    }

    fn push(&mut self, key: u64, life: Life) {
        self.index.insert(key, self.slots.len());
        self.slots.push((key, life));
    }

    fn remove(&mut self, at: usize) {
        let (key, _) = self.slots.swap_remove(at);
        self.index.remove(&key);
        if let Some((moved, _)) = self.slots.get(at) {
            self.index.insert(*moved, at);
        }
    }
}

fn is_established(days: &Days, today: Day) -> bool {
    let (age, count) = ESTABLISHED;
    today.saturating_sub(days.first) >= age && days.count >= count
}

/// The day of a time in seconds since the epoch.
pub(super) fn day_of(secs: i64) -> Day {
    Day::try_from(secs.div_euclid(86_400)).unwrap_or_default()
}
