//! Long calls by the hundred to one number or range that shares its revenue, from accounts whose
//! owners are in it or know nothing, by dialling machines.

use super::super::dice::Dice;
use super::super::generate::Attempt;
use super::super::habits::DAY;
use super::super::subscriber::Kind;
use super::gang::Gang;
use super::{Campaign, Channels};

const VICTIMS: [Kind; 3] = [Kind::Household, Kind::Office, Kind::Softphone];

pub(super) fn calls(campaign: &Campaign<'_>, dice: &mut Dice) -> Vec<Attempt> {
    let first = campaign.victim(&VICTIMS, dice);
    // In the country where the accounts are, or abroad.
    let range = match dice.chance(0.4) {
        true => first.market.number(dice, false),
        false => campaign.target(dice).to_owned(),
    };
    let spread = dice.below(4) as usize;
    let accounts = campaign
        .strength
        .pick(1, dice.between(1, 3), dice.between(2, 6));
    let total = campaign.strength.pick(
        dice.between(12, 30),
        dice.between(30, 90),
        dice.between(90, 250),
    );
    let talk_s = dice.scale(500.0, 3_000.0);
    let mut calls = Vec::new();
    for account in 0..accounts {
        let victim = match account {
            0 => first,
            _ => campaign.victim(&VICTIMS, dice),
        };
        let user = dice.pick(&victim.users);
        let access = match dice.chance(0.5) {
            true => campaign.world.at_home(victim, campaign.day),
            false => campaign.intruder(victim, dice),
        };
        let pace = Channels {
            channels: campaign
                .strength
                .pick(1, dice.between(1, 3), dice.between(4, 15)),
            calls: total / accounts,
            pause_ms: dice.scale(2_000.0, 90_000.0),
            talk_s,
            answered: 0.95,
        };
        let from = campaign.day * DAY + dice.below(DAY);
        for slot in pace.slots(from, dice) {
            let dialed = victim.dial(&Gang::number(&range, spread, dice));
            calls.push(campaign.call(victim, user, &access, dialed, slot, dice));
        }
    }
    calls
}
