//! A search for a dial prefix that goes through: a few numbers, each behind many prefixes, as
//! callers that mostly do not exist, over several tenants from one address.

use super::super::devices;
use super::super::dice::Dice;
use super::super::generate::Attempt;
use super::super::habits::DAY;
use super::super::subscriber::Kind;
use super::gang::Tool;
use super::{Campaign, Slot};
use std::sync::Arc;

/// Exit codes, trunk prefixes and what people put before them.
const PREFIXES: [&str; 40] = [
    "", "+", "00", "011", "9", "900", "9011", "000", "0011", "90", "9000", "99", "9900", "990",
    "8", "800", "8011", "88", "0", "0000", "1", "100", "1011", "10", "2", "200", "3", "300", "5",
    "500", "6", "600", "7", "700", "810", "09", "0900", "*9", "#9", "001",
];

/// Extensions that badly kept exchanges have.
const CALLERS: [&str; 16] = [
    "100", "101", "102", "200", "201", "300", "1000", "1001", "1234", "2000", "4001", "admin",
    "test", "user", "sip", "500",
];

pub(super) fn calls(campaign: &Campaign<'_>, dice: &mut Dice) -> Vec<Attempt> {
    let tool = tool(campaign, dice);
    let tenants = campaign.world.tenants.len() as u64;
    let first = dice.below(tenants);
    let visited = dice.between(1, campaign.strength.pick(1, 2, 5).min(tenants));
    let attempts = campaign.strength.pick(
        dice.between(6, 15),
        dice.between(15, 50),
        dice.between(40, 200),
    );
    let pause_ms = campaign.strength.pick(
        dice.scale(60_000.0, 1_200_000.0),
        dice.scale(3_000.0, 60_000.0),
        dice.scale(150.0, 2_000.0),
    );
    let mut scan = Scan::new(
        attempts,
        pause_ms,
        campaign.day * DAY + dice.below(DAY),
        dice,
    );
    let mut calls = Vec::new();
    for place in 0..visited {
        let tenant = &campaign.world.tenants[((first + place) % tenants) as usize];
        let mut access = tool.at(campaign.machine);
        access.form = tenant.rewrites.unwrap_or(access.form);
        let user = caller(campaign, dice);
        for _ in 0..attempts / visited {
            let (dialed, slot) = scan.next(&campaign.targets, dice);
            calls.push(campaign.attempt(&tenant.domain, &user, &access, dialed, slot, dice));
        }
    }
    calls
}

/// What it is done with: tools mostly, and what passes for a telephone.
pub(super) fn tool(campaign: &Campaign<'_>, dice: &mut Dice) -> Tool {
    match dice.below(10) {
        0..4 => Tool::of_trade(campaign.data, dice),
        4..6 => dice.pick(&campaign.gang.tools).clone(),
        6..8 => Tool::ordinary(&devices::OFFICE, campaign.day, dice),
        _ => Tool::ordinary(&devices::SOFTPHONE, campaign.day, dice),
    }
}

/// An extension that may exist, or a subscriber's number from a directory.
pub(super) fn caller(campaign: &Campaign<'_>, dice: &mut Dice) -> Arc<str> {
    match dice.below(10) {
        0..5 => (*dice.pick(&CALLERS)).into(),
        5..7 => dice.digits("N###").into(),
        _ => {
            let kinds = [Kind::Household, Kind::Office];
            Arc::clone(campaign.victim(&kinds, dice).user())
        }
    }
}

/// One prefix after the other, from some place in the list on.
pub(super) struct Scan {
    turn: usize,
    pause_ms: f64,
    at_ms: u64,
    /// Numbers it calls with: one or two.
    numbers: usize,
}

impl Scan {
    pub(super) fn new(attempts: u64, pause_ms: f64, from_ms: u64, dice: &mut Dice) -> Self {
        Self {
            turn: dice.below(PREFIXES.len() as u64 + attempts) as usize,
            pause_ms,
            at_ms: from_ms,
            numbers: dice.between(1, 2) as usize,
        }
    }

    pub(super) fn next(&mut self, targets: &[String], dice: &mut Dice) -> (String, Slot) {
        self.at_ms += 1 + dice.waiting(self.pause_ms) as u64;
        let prefix = PREFIXES[self.turn % PREFIXES.len()];
        let number = &targets[(self.turn / PREFIXES.len()) % self.numbers.min(targets.len())];
        self.turn += 1;
        let slot = Slot {
            at_ms: self.at_ms,
            ring_ms: dice.between(100, 2_000) as u32,
            talk_s: 0,
            answered: false,
        };
        (format!("{prefix}{number}"), slot)
    }
}
