//! Single short calls to test numbers, and days later the attack: from the same account or another.

use super::super::dice::Dice;
use super::super::generate::Attempt;
use super::super::habits::{DAY, HOUR};
use super::super::subscriber::Kind;
use super::hacked_pbx::{self, EXCHANGES};
use super::{Campaign, Slot, stolen_credentials};

const VICTIMS: [Kind; 4] = [Kind::Office, Kind::Hotel, Kind::Household, Kind::Softphone];

pub(super) fn calls(campaign: &Campaign<'_>, dice: &mut Dice) -> Vec<Attempt> {
    let victim = campaign.victim(&VICTIMS, dice);
    let user = dice.pick(&victim.users);
    let access = campaign.intruder(victim, dice);
    let mut calls = Vec::new();
    let mut at_ms = campaign.day * DAY + dice.below(DAY);
    for _ in 0..dice.between(1, 5) {
        let slot = Slot::drawn(at_ms, dice.scale(3.0, 25.0), 0.7, dice);
        let number = campaign.target(dice).to_owned();
        let dialed = campaign.dial(victim, &number, dice);
        calls.push(campaign.call(victim, user, &access, dialed, slot, dice));
        at_ms += dice.between(HOUR / 4, 14 * HOUR);
    }
    let from = at_ms + dice.between(12 * HOUR, 84 * HOUR);
    // Numbers that went through are kept; the account may be burnt.
    let (victim, user, access) = match dice.chance(0.6) {
        true => (victim, user, access),
        false => {
            let other = campaign.victim(&EXCHANGES, dice);
            let access = campaign.intruder(other, dice);
            (other, dice.pick(&other.users), access)
        }
    };
    let pace = match EXCHANGES.contains(&victim.kind) {
        true => hacked_pbx::strength(campaign.strength, dice),
        false => stolen_credentials::strength(campaign.strength, dice),
    };
    for slot in pace.slots(from, dice) {
        let number = campaign.target(dice).to_owned();
        let dialed = campaign.dial(victim, &number, dice);
        calls.push(campaign.call(victim, user, &access, dialed, slot, dice));
    }
    calls
}
