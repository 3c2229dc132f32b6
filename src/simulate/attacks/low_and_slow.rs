//! A few calls an hour for days, in working hours too: below any threshold, long enough to pay.

use super::super::dice::Dice;
use super::super::generate::Attempt;
use super::super::habits::DAY;
use super::super::subscriber::Kind;
use super::{Campaign, Slot};

const VICTIMS: [Kind; 4] = [Kind::Office, Kind::Hotel, Kind::Household, Kind::Softphone];

pub(super) fn calls(campaign: &Campaign<'_>, dice: &mut Dice) -> Vec<Attempt> {
    let victim = campaign.victim(&VICTIMS, dice);
    let own = campaign.world.at_home(victim, campaign.day);
    // Half of the time a machine of the victim's own makes the calls.
    let access = match dice.chance(0.5) {
        true => own,
        false => campaign.intruder(victim, dice),
    };
    let per_hour = campaign.strength.pick(
        dice.scale(0.15, 0.5),
        dice.scale(0.5, 1.2),
        dice.scale(1.2, 3.5),
    );
    let hours = dice.between(30, 120);
    let talk_s = dice.scale(200.0, 1_200.0);
    let user = dice.pick(&victim.users);
    let mut calls = Vec::new();
    let mut at_ms = campaign.day * DAY + dice.below(DAY);
    let end = at_ms + hours * 3_600_000;
    while at_ms < end {
        let slot = Slot::drawn(at_ms, talk_s, 0.85, dice);
        let number = campaign.target(dice).to_owned();
        let dialed = campaign.dial(victim, &number, dice);
        calls.push(campaign.call(victim, user, &access, dialed, slot, dice));
        at_ms += 60_000 + dice.waiting(3_600_000.0 / per_hour) as u64;
    }
    calls
}
