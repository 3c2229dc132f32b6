//! Attacks, family by family: each campaign has its own drawn parameters, a third are quiet, a
//! third medium, a third loud.

mod call_forward;
mod campaign;
mod channels;
mod gang;
mod hacked_pbx;
mod honeypot;
mod imitator;
mod low_and_slow;
mod prefix_scanner;
mod range_many_tenants;
mod stolen_credentials;
mod test_calls;
mod toll_free_pumping;
mod traffic_pumping;
mod wangiri;

use super::attack_data::AttackData;
use super::dice::{Dice, Purpose};
use super::family::Family;
use super::generate::Attempt;
use super::habits::DAY;
use super::scenario::Scenario;
use super::world::World;
use campaign::Campaign;
use channels::{Channels, Slot};

/// No campaign has calls on more UTC days than this, honeypots and trials included.
pub(super) const LONGEST_DAYS: u64 = 10;

/// How much an attack does to be noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Strength {
    /// Few calls, far apart.
    Quiet,
    Medium,
    /// As much as goes through.
    Loud,
}

impl Strength {
    const ALL: [Self; 3] = [Self::Quiet, Self::Medium, Self::Loud];

    /// What belongs to it.
    fn pick<T>(self, quiet: T, medium: T, loud: T) -> T {
        match self {
            Self::Quiet => quiet,
            Self::Medium => medium,
            Self::Loud => loud,
        }
    }
}

/// All calls of the attacks begun on a day, in no order.
pub(super) fn begun_on(
    world: &World,
    data: &AttackData,
    scenario: &Scenario,
    day: u64,
) -> Vec<Attempt> {
    let mut calls = Vec::new();
    if world.subscribers.is_empty() || scenario.families.is_empty() {
        return calls;
    }
    // Attacks are counted from the epoch, so that a seed's rounds are the same whenever it starts.
    let until = |day: u64| (day as f64 * scenario.attacks_per_day) as u64;
    for number in 0..(until(day + 1) - until(day)).min(999) {
        let (family, strength) = turn(world.seed, until(day) + number);
        if !scenario.families.contains(&family) {
            continue;
        }
        let mut dice = Dice::new(world.seed, Purpose::Campaign, &[day, number]);
        let campaign = Campaign::new(world, data, family, strength, [day, number], &mut dice);
        calls.extend(attack(&campaign, &mut dice));
        calls.extend(honeypot::visits(&campaign, &mut dice));
    }
    if scenario.attacks_per_day > 0.0 && scenario.families.contains(&Family::PrefixScanner) {
        calls.extend(honeypot::background(world, data, day));
    }
    let end = (day + LONGEST_DAYS) * DAY;
    calls.retain(|call| call.at_ms < end);
    calls
}

/// Whose turn it is: in each round, every family once in some order, its strength going round.
fn turn(seed: u64, number: u64) -> (Family, Strength) {
    let families = Family::ALL.len() as u64;
    let (round, at) = (number / families, number % families);
    let mut dice = Dice::new(seed, Purpose::Order, &[round]);
    let mut order: Vec<u64> = (0..families).collect();
    for last in (1..families).rev() {
        order.swap(last as usize, dice.below(last + 1) as usize);
    }
    let family = order[at as usize];
    let strength = Strength::ALL[((round + family) % 3) as usize];
    (Family::ALL[family as usize], strength)
}

fn attack(campaign: &Campaign<'_>, dice: &mut Dice) -> Vec<Attempt> {
    match campaign.family {
        Family::HackedPbx => hacked_pbx::calls(campaign, dice),
        Family::LowAndSlow => low_and_slow::calls(campaign, dice),
        Family::StolenCredentials => stolen_credentials::calls(campaign, dice),
        Family::PrefixScanner => prefix_scanner::calls(campaign, dice),
        Family::TestCalls => test_calls::calls(campaign, dice),
        Family::CallForward => call_forward::calls(campaign, dice),
        Family::Wangiri => wangiri::calls(campaign, dice),
        Family::TrafficPumping => traffic_pumping::calls(campaign, dice),
        Family::RangeManyTenants => range_many_tenants::calls(campaign, dice),
        Family::TollFreePumping => toll_free_pumping::calls(campaign, dice),
        Family::Imitator => imitator::calls(campaign, dice),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_family_has_its_turn_in_every_strength() {
        let turns: HashSet<_> = (0..33)
            .map(|number| turn(7, number))
            .map(|(family, strength)| format!("{family} {strength:?}"))
            .collect();
        assert_eq!(turns.len(), 33);
    }
}
