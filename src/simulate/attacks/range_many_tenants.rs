//! One range called through many tenants at once, so few calls each that no tenant sees more than
//! an odd hour.

use super::super::dice::Dice;
use super::super::generate::Attempt;
use super::super::habits::{DAY, HOUR};
use super::super::subscriber::Kind;
use super::gang::Gang;
use super::{Campaign, Slot};

const VICTIMS: [Kind; 4] = [Kind::Household, Kind::Office, Kind::Hotel, Kind::Softphone];

pub(super) fn calls(campaign: &Campaign<'_>, dice: &mut Dice) -> Vec<Attempt> {
    let range = campaign.target(dice).to_owned();
    let digits = dice.between(2, 4) as usize;
    let accounts = campaign.strength.pick(
        dice.between(3, 6),
        dice.between(8, 18),
        dice.between(20, 50),
    );
    let most = dice.between(1, 6);
    let begin = campaign.day * DAY + dice.below(DAY);
    let window = dice.between(HOUR / 2, 4 * HOUR);
    let talk_s = dice.scale(120.0, 900.0);
    let everybody = campaign.world.subscribers.len() as u64;
    let mut calls = Vec::new();
    for _ in 0..accounts.min(everybody.div_ceil(4)) {
        let victim = campaign.victim(&VICTIMS, dice);
        let user = dice.pick(&victim.users);
        let access = match dice.chance(0.35) {
            true => campaign.world.at_home(victim, campaign.day),
            false => campaign.intruder(victim, dice),
        };
        for _ in 0..dice.between(1, most) {
            let at_ms = begin + dice.below(window);
            let slot = Slot::drawn(at_ms, talk_s, 0.85, dice);
            let number = Gang::number(&range, digits, dice);
            let dialed = campaign.dial(victim, &number, dice);
            calls.push(campaign.call(victim, user, &access, dialed, slot, dice));
        }
    }
    calls
}
