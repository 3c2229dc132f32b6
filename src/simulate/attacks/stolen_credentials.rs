//! A subscriber's password used from elsewhere: another address and country, mostly another
//! telephone, while the owner goes on calling.

use super::super::dice::Dice;
use super::super::generate::Attempt;
use super::super::population::Access;
use super::super::population::domestic;
use super::{Campaign, Channels};

/// Telephones that anybody may have.
const ORDINARY_AGENTS: [&str; 5] = [
    "Zoiper rv2.10.20.2",
    "MicroSIP/3.21.3",
    "X-Lite release 1103k stamp 53621",
    "Linphone Desktop/5.1.2",
    "Bria 6.5.1",
];

pub(super) fn calls(campaign: &Campaign<'_>, dice: &mut Dice) -> Vec<Attempt> {
    let victim = dice.pick(&campaign.world.subscribers);
    let own = victim.at_home(campaign.world.seed, campaign.day);
    let user_agent = match dice.below(100) {
        0..55 => dice.pick(&campaign.data.agents).clone(),
        55..85 => (*dice.pick(&ORDINARY_AGENTS)).to_owned(),
        // The telephone's whole configuration was stolen, name and all.
        _ => own.user_agent,
    };
    let addresses = dice.between(1, 3);
    let accesses: Vec<_> = (0..addresses)
        .map(|_| Access {
            source_ip: *dice.pick(&campaign.data.addresses),
            user_agent: user_agent.clone(),
        })
        .collect();
    let targets = campaign.targets(dice);
    let prefix = *dice.pick(&["", "", "+", "00"]);
    // Some of a quiet thief's calls look like anybody's.
    let disguise = if campaign.is_quiet { 0.25 } else { 0.0 };
    let hour = dice.below(24) as i64;
    let from = campaign.at_local_hour(victim, &[hour, 1, 2, 3], dice);
    let slots = strength(campaign.is_quiet, dice).slots(from, dice);
    slots
        .into_iter()
        .map(|slot| {
            let number = if dice.chance(disguise) {
                domestic(victim.home, dice)
            } else {
                dice.pick(&targets).clone()
            };
            let access = dice.pick_early(&accesses);
            let dialed = format!("{prefix}{number}");
            campaign.through(victim, access, dialed, slot, dice.bits())
        })
        .collect()
}

/// Loud: as many calls as the account allows. Quiet: a call now and then over a day or two.
fn strength(is_quiet: bool, dice: &mut Dice) -> Channels {
    if is_quiet {
        return Channels {
            channels: 1,
            calls: dice.between(4, 18),
            pause_ms: dice.scale(600_000.0, 7_200_000.0),
            talk_s: dice.scale(60.0, 300.0),
            answered: 0.9,
        };
    }
    Channels {
        channels: dice.between(2, 20),
        calls: dice.between(20, 110),
        pause_ms: dice.scale(2_000.0, 40_000.0),
        talk_s: dice.scale(60.0, 600.0),
        answered: dice.scale(0.5, 0.9),
    }
}
