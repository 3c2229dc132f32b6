//! A forwarding set to a number that pays: every call that comes in becomes one that goes out,
//! through the victim's own exchange, under its number or that of whoever called.

use super::super::dice::Dice;
use super::super::generate::Attempt;
use super::super::habits::DAY;
use super::super::numbers::Abroad;
use super::super::subscriber::Kind;
use super::{Campaign, Channels, Strength};
use std::sync::Arc;

const VICTIMS: [Kind; 3] = [Kind::Office, Kind::Household, Kind::Hotel];

pub(super) fn calls(campaign: &Campaign<'_>, dice: &mut Dice) -> Vec<Attempt> {
    let victim = campaign.victim(&VICTIMS, dice);
    let access = campaign.world.at_home(victim, campaign.day);
    let own = dice.pick(&victim.users);
    // Who rings the victim: shown as the caller, by exchanges that do so.
    let strangers: Vec<Arc<str>> = (0..dice.between(3, 40))
        .map(|_| Abroad::any(victim.market, 20, dice).number(dice).into())
        .collect();
    let shows_strangers = dice.chance(0.5);
    let number = campaign.target(dice).to_owned();
    let from = campaign.day * DAY + dice.below(DAY);
    let slots = strength(campaign.strength, dice).slots(from, dice);
    slots
        .into_iter()
        .map(|slot| {
            let user = match shows_strangers {
                true => dice.pick(&strangers),
                false => own,
            };
            // One number all the time: a forwarding has no other.
            campaign.call(victim, user, &access, victim.dial(&number), slot, dice)
        })
        .collect()
}

/// A burst of short legs, or a few that are held for an hour.
fn strength(strength: Strength, dice: &mut Dice) -> Channels {
    let held = dice.chance(0.5);
    let talk_s = match held {
        true => dice.scale(1_500.0, 3_400.0),
        false => dice.scale(40.0, 300.0),
    };
    let (channels, calls, pause_ms) = match strength {
        Strength::Quiet => (1, dice.between(4, 14), 1_800_000.0),
        Strength::Medium => (dice.between(2, 5), dice.between(12, 45), 180_000.0),
        Strength::Loud => (dice.between(8, 30), dice.between(40, 160), 20_000.0),
    };
    Channels {
        channels,
        calls,
        pause_ms: pause_ms * dice.scale(0.5, 1.5),
        talk_s,
        answered: 0.9,
    }
}
