//! An exchange taken over: calls through it while nobody is in the office, from its own
//! address or the intruder's, under its own name.

use super::super::dice::Dice;
use super::super::generate::Attempt;
use super::super::habits::{HOUR, is_weekend};
use super::super::population::{Kind, Subscriber};
use super::{Campaign, Channels};

/// Local hours in which nobody looks.
const NIGHT: [i64; 7] = [22, 23, 0, 1, 2, 3, 4];
/// At the weekend, any hour is as good.
const WEEKEND: [i64; 12] = [0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22];

pub(super) fn calls(campaign: &Campaign<'_>, dice: &mut Dice) -> Vec<Attempt> {
    let Some(victim) = victim(campaign, dice) else {
        return Vec::new();
    };
    let mut access = victim.at_home(campaign.world.seed, campaign.day);
    if dice.chance(0.3) {
        access.source_ip = *dice.pick(&campaign.data.addresses);
    }
    let targets = campaign.targets(dice);
    let noon = (campaign.day * 1_440 + 720) as i64 + victim.home.utc_offset_minutes;
    let hours: &[i64] = if is_weekend(noon) { &WEEKEND } else { &NIGHT };
    let begin = campaign.at_local_hour(victim, hours, dice);
    let mut slots = Vec::new();
    let mut blitz_from = begin;
    if dice.chance(0.5) {
        // The intruder first tries whether the route goes through.
        let trial = Channels {
            channels: 1,
            calls: dice.between(1, 3),
            pause_ms: 120_000.0,
            talk_s: 8.0,
            answered: 0.6,
        };
        slots = trial.slots(begin, dice);
        blitz_from += dice.between(HOUR / 2, 4 * HOUR);
    }
    slots.extend(strength(campaign.is_quiet, dice).slots(blitz_from, dice));
    slots
        .into_iter()
        .map(|slot| {
            let number: &String = dice.pick(&targets);
            let dialed = victim.dial(number);
            campaign.through(victim, &access, dialed, slot, dice.bits())
        })
        .collect()
}

/// Loud: dozens of calls up within two minutes. Quiet: one or two at a time, all night.
fn strength(is_quiet: bool, dice: &mut Dice) -> Channels {
    if is_quiet {
        return Channels {
            channels: dice.between(1, 2),
            calls: dice.between(8, 35),
            pause_ms: dice.scale(120_000.0, 1_200_000.0),
            talk_s: dice.scale(60.0, 420.0),
            answered: 0.85,
        };
    }
    Channels {
        channels: dice.between(12, 50),
        calls: dice.between(40, 170),
        pause_ms: dice.scale(1_000.0, 15_000.0),
        talk_s: dice.scale(120.0, 900.0),
        answered: dice.scale(0.5, 0.9),
    }
}

/// Exchanges only; the first that comes up, by chance.
fn victim<'a>(campaign: &Campaign<'a>, dice: &mut Dice) -> Option<&'a Subscriber> {
    let exchanges: Vec<_> = campaign
        .world
        .subscribers
        .iter()
        .filter(|who| who.kind != Kind::Household)
        .collect();
    (!exchanges.is_empty()).then(|| *dice.pick(&exchanges))
}
