//! Robocalls under invented callers to freephone numbers, whose owners pay: over a whole day, in
//! hours in which people call, through a trunk that looks like a carrier's or is one.

use super::super::devices;
use super::super::dice::Dice;
use super::super::generate::Attempt;
use super::super::habits::{self, moment};
use super::super::numbers::{self, Abroad, domestic};
use super::super::subscriber::{Access, Kind, Subscriber};
use super::gang::Tool;
use super::{Campaign, Slot};
use std::sync::Arc;

pub(super) fn calls(campaign: &Campaign<'_>, dice: &mut Dice) -> Vec<Attempt> {
    let victim = campaign.victim(&[Kind::Wholesale], dice);
    let trunks = trunks(campaign, victim, dice);
    let called: Vec<_> = (0..dice.between(1, 12))
        .map(|_| numbers::freephone(victim.market, dice))
        .collect();
    let total = campaign.strength.pick(
        dice.between(12, 40),
        dice.between(40, 110),
        dice.between(120, 350),
    );
    let days = campaign.strength.pick(3, 2, 1);
    let talk_s = dice.scale(20.0, 500.0);
    let callers: Vec<Arc<str>> = (0..dice.between(5, 200))
        .map(|_| caller(victim, dice))
        .collect();
    (0..total)
        .map(|_| {
            let day = campaign.day + dice.below(days);
            let (hours, _) = habits::of(Kind::Household).hours(victim.market, day);
            let at_ms = moment(&hours, day, dice);
            let slot = Slot::drawn(at_ms, talk_s, 0.93, dice);
            let user = match dice.chance(0.6) {
                true => caller(victim, dice),
                false => Arc::clone(dice.pick(&callers)),
            };
            let dialed = victim.dial(dice.pick::<String>(&called));
            let access = dice.pick_early(&trunks);
            campaign.call(victim, &user, access, dialed, slot, dice)
        })
        .collect()
}

/// A carrier's own trunk, when a customer of the carrier is behind it, or a rented one.
fn trunks(campaign: &Campaign<'_>, victim: &Subscriber, dice: &mut Dice) -> Vec<Access> {
    let own = campaign.world.at_home(victim, campaign.day);
    if victim.kind == Kind::Wholesale && dice.chance(0.5) {
        return vec![own];
    }
    let tool = match dice.chance(0.5) {
        true => Tool::ordinary(&devices::CARRIER, campaign.day, dice),
        false => Tool::ordinary(&devices::OFFICE, campaign.day, dice),
    };
    (0..dice.between(1, 3))
        .map(|_| campaign.through(victim, tool.at(*dice.pick(&campaign.gang.addresses))))
        .collect()
}

fn caller(victim: &Subscriber, dice: &mut Dice) -> Arc<str> {
    let number = match dice.chance(0.65) {
        true => domestic(victim.market, dice),
        false => Abroad::any(victim.market, 10, dice).number(dice),
    };
    number.into()
}
