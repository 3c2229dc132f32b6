//! The same attackers at a honeypot: scanners above all, others when they try a number.
//!
//! What rings there is fraud by the nature of the place. Some addresses, numbers and names are
//! seen there before customers see them, some after, and some never.

use super::super::attack_data::AttackData;
use super::super::dice::{Dice, Purpose};
use super::super::family::Family;
use super::super::generate::{Attempt, HONEYPOT_DOMAIN};
use super::super::habits::{DAY, HOUR};
use super::super::world::World;
use super::gang::Gang;
use super::prefix_scanner::{self, Scan};
use super::{Campaign, Strength};

/// Scanners that never find a customer, a day.
const BACKGROUND_A_DAY: f64 = 1.5;

/// What of a campaign rings at honeypots; often nothing.
pub(super) fn visits(campaign: &Campaign<'_>, dice: &mut Dice) -> Vec<Attempt> {
    let (chance, least, most) = match campaign.family {
        Family::PrefixScanner => (0.8, 8, 60),
        Family::HackedPbx
        | Family::LowAndSlow
        | Family::StolenCredentials
        | Family::TestCalls
        | Family::RangeManyTenants => (0.5, 2, 12),
        Family::TrafficPumping | Family::Imitator => (0.2, 2, 6),
        // Their callers are not their own.
        Family::CallForward | Family::Wangiri | Family::TollFreePumping => (0.0, 0, 0),
    };
    if !dice.chance(chance) {
        return Vec::new();
    }
    // Most come before, while they look for a way.
    let before = campaign.begun * DAY + dice.below((campaign.day - campaign.begun + 1) * DAY);
    let after = campaign.day * DAY + dice.below(36 * HOUR);
    let from_ms = if dice.chance(0.7) { before } else { after };
    ring(campaign, from_ms, dice.between(least, most), dice)
}

/// The scanners of the day that no customer sees.
pub(super) fn background(world: &World, data: &AttackData, day: u64) -> Vec<Attempt> {
    let mut dice = Dice::new(world.seed, Purpose::Background, &[day]);
    let mut calls = Vec::new();
    for number in 0..dice.count(BACKGROUND_A_DAY).min(99) {
        let family = Family::PrefixScanner;
        let at = [day, 100_000 + number];
        let mut campaign = Campaign::new(world, data, family, Strength::Medium, at, &mut dice);
        campaign.name = format!("{family}/9{day}{number:03}").into();
        let attempts = dice.between(5, 60);
        let from_ms = day * DAY + dice.below(DAY);
        calls.extend(ring(&campaign, from_ms, attempts, &mut dice));
    }
    calls
}

fn ring(campaign: &Campaign<'_>, from_ms: u64, attempts: u64, dice: &mut Dice) -> Vec<Attempt> {
    let source_ip = match dice.chance(0.7) {
        true => campaign.machine,
        false => *dice.pick(&campaign.gang.addresses),
    };
    let access = prefix_scanner::tool(campaign, dice).at(source_ip);
    // Numbers of the attack, or others of the same gang.
    let numbers = match dice.chance(0.7) {
        true => campaign.targets.clone(),
        false => vec![Gang::number(
            dice.pick::<String>(&campaign.gang.ranges),
            2,
            dice,
        )],
    };
    let pause_ms = dice.scale(300.0, 120_000.0);
    let mut scan = Scan::new(attempts, pause_ms, from_ms, dice);
    let user = prefix_scanner::caller(campaign, dice);
    let domain = HONEYPOT_DOMAIN.into();
    (0..attempts)
        .map(|_| {
            let (dialed, slot) = scan.next(&numbers, dice);
            let call = campaign.attempt(&domain, &user, &access, dialed, slot, dice);
            Attempt {
                honeypot: true,
                ..call
            }
        })
        .collect()
}
