//! A subscriber's password used from elsewhere: another address, mostly another telephone and
//! country, while the owner goes on calling.

use super::super::dice::Dice;
use super::super::generate::Attempt;
use super::super::numbers::domestic;
use super::super::subscriber::Kind;
use super::{Campaign, Channels, Strength};

const VICTIMS: [Kind; 5] = [
    Kind::Household,
    Kind::Office,
    Kind::Hotel,
    Kind::CallCentre,
    Kind::Softphone,
];

pub(super) fn calls(campaign: &Campaign<'_>, dice: &mut Dice) -> Vec<Attempt> {
    let victim = campaign.victim(&VICTIMS, dice);
    let user = dice.pick(&victim.users);
    let mut accesses = vec![campaign.intruder(victim, dice)];
    // Further machines run the same program.
    for _ in 0..dice.below(3) {
        let mut access = campaign.intruder(victim, dice);
        access.user_agent = accesses[0].user_agent.clone();
        access.form = accesses[0].form;
        accesses.push(access);
    }
    // Some of a quiet thief's calls look like anybody's.
    let disguise = campaign.strength.pick(0.25, 0.05, 0.0);
    let hour = dice.below(24);
    let from = campaign.at_local_hour(victim, &[hour, hour, 1, 3], dice);
    let slots = strength(campaign.strength, dice).slots(from, dice);
    slots
        .into_iter()
        .map(|slot| {
            let number = match dice.chance(disguise) {
                true => domestic(victim.market, dice),
                false => campaign.target(dice).to_owned(),
            };
            let dialed = campaign.dial(victim, &number, dice);
            let access = dice.pick_early(&accesses);
            campaign.call(victim, user, access, dialed, slot, dice)
        })
        .collect()
}

/// Loud: as many calls as the account allows. Quiet: a call now and then over a day or two.
pub(super) fn strength(strength: Strength, dice: &mut Dice) -> Channels {
    match strength {
        Strength::Quiet => Channels {
            channels: 1,
            calls: dice.between(5, 20),
            pause_ms: dice.scale(600_000.0, 5_400_000.0),
            talk_s: dice.scale(60.0, 400.0),
            answered: 0.9,
        },
        Strength::Medium => Channels {
            channels: dice.between(2, 5),
            calls: dice.between(20, 60),
            pause_ms: dice.scale(20_000.0, 240_000.0),
            talk_s: dice.scale(60.0, 600.0),
            answered: dice.scale(0.6, 0.9),
        },
        Strength::Loud => Channels {
            channels: dice.between(5, 25),
            calls: dice.between(50, 160),
            pause_ms: dice.scale(2_000.0, 30_000.0),
            talk_s: dice.scale(60.0, 600.0),
            answered: dice.scale(0.5, 0.9),
        },
    }
}
