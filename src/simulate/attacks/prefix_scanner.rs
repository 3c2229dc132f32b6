//! A search for a dial prefix that goes through: a few numbers, each behind many prefixes, as
//! callers that mostly do not exist, over several tenants from one address.

use super::super::dice::Dice;
use super::super::generate::Attempt;
use super::Campaign;
use std::sync::Arc;

/// Exit codes, trunk prefixes and what people put before them.
const PREFIXES: [&str; 40] = [
    "", "+", "00", "011", "9", "900", "9011", "000", "0011", "90", "9000", "99", "9900", "990",
    "8", "800", "8011", "88", "0", "0000", "1", "100", "1011", "10", "2", "200", "3", "300", "5",
    "500", "6", "600", "7", "700", "810", "09", "0900", "*9", "#9", "001",
];

/// Extensions that badly kept exchanges have.
const CALLERS: [&str; 14] = [
    "100", "101", "102", "200", "201", "300", "1000", "1001", "1234", "2000", "admin", "test",
    "user", "sip",
];

pub(super) fn calls(campaign: &Campaign<'_>, dice: &mut Dice) -> Vec<Attempt> {
    let source_ip = *dice.pick(&campaign.data.addresses);
    let user_agent = dice.pick(&campaign.data.agents).clone();
    let numbers: Vec<_> = (0..dice.between(1, 2))
        .map(|_| dice.pick(&campaign.data.numbers).clone())
        .collect();
    let tenants = campaign.world.tenants.len() as u64;
    let visited = dice.between(1, tenants.min(3));
    let first = dice.below(tenants);
    let prefixes = if campaign.is_quiet {
        dice.between(6, 15)
    } else {
        dice.between(15, PREFIXES.len() as u64)
    };
    // Mean between two calls: loud ones make some calls a second.
    let pause_ms = if campaign.is_quiet {
        dice.scale(60_000.0, 1_200_000.0)
    } else {
        dice.scale(200.0, 3_000.0)
    };
    let mut at_ms = campaign.day * super::DAY + dice.below(super::DAY);
    let mut calls = Vec::new();
    for tenant in 0..visited {
        let user = (*dice.pick(&CALLERS)).to_owned();
        let shift = dice.below(PREFIXES.len() as u64);
        for turn in 0..prefixes {
            at_ms += 1 + dice.waiting(pause_ms) as u64;
            let prefix = PREFIXES[((turn + shift) % PREFIXES.len() as u64) as usize];
            calls.push(Attempt {
                at_ms,
                tenant: ((first + tenant) % tenants) as usize,
                user: user.clone(),
                dialed: format!("{prefix}{}", dice.pick(&numbers)),
                source_ip,
                user_agent: user_agent.clone(),
                ring_ms: dice.between(100, 2_000) as u32,
                talk_s: 0,
                answered: false,
                call_id: dice.bits(),
                campaign: Some(Arc::clone(&campaign.name)),
            });
        }
    }
    calls
}
