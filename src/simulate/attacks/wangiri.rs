//! Missed calls from abroad, and many honest subscribers of several tenants who return them with
//! their own telephones. The calls that are returned are the fraud.

use super::super::dice::Dice;
use super::super::generate::Attempt;
use super::super::habits::{DAY, HOUR};
use super::super::subscriber::Kind;
use super::gang::Gang;
use super::{Campaign, Slot};

const VICTIMS: [Kind; 3] = [Kind::Household, Kind::Office, Kind::Softphone];

pub(super) fn calls(campaign: &Campaign<'_>, dice: &mut Dice) -> Vec<Attempt> {
    let range = campaign.target(dice).to_owned();
    let everybody = campaign.world.subscribers.len() as u64;
    let victims = campaign.strength.pick(
        dice.between(6, 15),
        dice.between(20, 50),
        dice.between(60, 150),
    );
    let begin = campaign.day * DAY + dice.between(6, 18) * HOUR;
    let hours = dice.between(1, 8);
    let mut calls = Vec::new();
    for _ in 0..victims.min(everybody.div_ceil(4)) {
        let victim = campaign.victim(&VICTIMS, dice);
        let world = campaign.world;
        let home = world.at_home(victim, campaign.day);
        // Everybody was rung by some number of the range.
        let number = Gang::number(&range, 3, dice);
        let mut at_ms = begin + dice.below(hours * HOUR).min(dice.below(hours * HOUR));
        let user = dice.pick(&victim.users);
        for _ in 0..*dice.pick(&[1, 1, 1, 2, 3]) {
            let mut access = home.clone();
            if let Some(carried) = world.carried(victim, &home, campaign.day)
                && dice.chance(0.4)
            {
                access = carried;
                access.source_ip = world.roaming_address(victim, victim.home, at_ms);
            }
            let slot = Slot::drawn(at_ms, dice.scale(20.0, 240.0), 0.85, dice);
            let dialed = victim.dial(&number);
            calls.push(campaign.call(victim, user, &access, dialed, slot, dice));
            at_ms += u64::from(slot.talk_s) * 1_000 + dice.between(20_000, 900_000);
        }
    }
    calls
}
