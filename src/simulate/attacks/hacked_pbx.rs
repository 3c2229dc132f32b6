//! An exchange taken over: calls through it while nobody is in the office, from its own address
//! or the intruder's, under its own name.

use super::super::calendar;
use super::super::dice::Dice;
use super::super::generate::Attempt;
use super::super::habits::HOUR;
use super::super::subscriber::Kind;
use super::{Campaign, Channels, Strength};

pub(super) const EXCHANGES: [Kind; 3] = [Kind::Office, Kind::Hotel, Kind::CallCentre];

/// Local hours in which nobody looks.
const NIGHT: [u64; 7] = [22, 23, 0, 1, 2, 3, 4];
/// On days off, any hour is as good.
const DAY_OFF: [u64; 12] = [0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22];

pub(super) fn calls(campaign: &Campaign<'_>, dice: &mut Dice) -> Vec<Attempt> {
    let victim = campaign.victim(&EXCHANGES, dice);
    let own = campaign.world.at_home(victim, campaign.day);
    let access = match dice.below(10) {
        0..6 => own,
        _ => campaign.intruder(victim, dice),
    };
    let noon = calendar::local_minutes(victim.market, campaign.day * 1_440 + 720);
    let hours: &[u64] = match calendar::is_day_off(victim.market, noon) {
        true => &DAY_OFF,
        false => &NIGHT,
    };
    let mut blitz_from = campaign.at_local_hour(victim, hours, dice);
    let mut slots = Vec::new();
    if dice.chance(0.5) {
        // The intruder first tries whether the route goes through.
        let trial = Channels {
            channels: 1,
            calls: dice.between(1, 3),
            pause_ms: 120_000.0,
            talk_s: 8.0,
            answered: 0.6,
        };
        slots = trial.slots(blitz_from, dice);
        blitz_from += dice.between(HOUR / 2, 4 * HOUR);
    }
    slots.extend(strength(campaign.strength, dice).slots(blitz_from, dice));
    let user = dice.pick(&victim.users);
    slots
        .into_iter()
        .map(|slot| {
            let number = campaign.target(dice).to_owned();
            let dialed = campaign.dial(victim, &number, dice);
            campaign.call(victim, user, &access, dialed, slot, dice)
        })
        .collect()
}

/// Loud: dozens of calls up within two minutes. Quiet: one or two at a time, all night.
pub(super) fn strength(strength: Strength, dice: &mut Dice) -> Channels {
    match strength {
        Strength::Quiet => Channels {
            channels: dice.between(1, 2),
            calls: dice.between(8, 35),
            pause_ms: dice.scale(120_000.0, 1_200_000.0),
            talk_s: dice.scale(60.0, 420.0),
            answered: 0.85,
        },
        Strength::Medium => Channels {
            channels: dice.between(3, 10),
            calls: dice.between(30, 90),
            pause_ms: dice.scale(10_000.0, 120_000.0),
            talk_s: dice.scale(120.0, 700.0),
            answered: dice.scale(0.6, 0.9),
        },
        Strength::Loud => Channels {
            channels: dice.between(15, 60),
            calls: dice.between(80, 260),
            pause_ms: dice.scale(1_000.0, 15_000.0),
            talk_s: dice.scale(120.0, 900.0),
            answered: dice.scale(0.5, 0.9),
        },
    }
}
