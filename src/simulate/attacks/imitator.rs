//! A thief with the victim's user agent, network or country, working hours and number of calls:
//! only whom he calls, and what the victim never did, tells.

use super::super::dice::Dice;
use super::super::generate::Attempt;
use super::super::habits::moment;
use super::super::numbers::domestic;
use super::super::subscriber::{Access, Kind};
use super::{Campaign, Slot};
use std::net::IpAddr;

const VICTIMS: [Kind; 4] = [Kind::Office, Kind::Hotel, Kind::CallCentre, Kind::Softphone];

pub(super) fn calls(campaign: &Campaign<'_>, dice: &mut Dice) -> Vec<Attempt> {
    let victim = campaign.victim(&VICTIMS, dice);
    let own = campaign.world.at_home(victim, campaign.day);
    let access = Access {
        source_ip: match dice.chance(0.4) {
            true => neighbour(own.source_ip, dice),
            false => victim.home.broadband(dice),
        },
        ..own
    };
    let days = dice.between(2, 6);
    let a_day = campaign.strength.pick(
        dice.scale(2.0, 4.0),
        dice.scale(4.0, 10.0),
        dice.scale(10.0, 24.0),
    );
    let talk_s = dice.scale(150.0, 700.0);
    let user = dice.pick(&victim.users);
    let mut calls = Vec::new();
    for day in campaign.day..campaign.day + days {
        let (hours, volume) = victim.habits.hours(victim.market, day);
        for _ in 0..dice.count(a_day * volume.clamp(0.2, 1.0)) {
            let at_ms = moment(&hours, day, dice);
            let slot = Slot::drawn(at_ms, talk_s, 0.8, dice);
            // A third of them to nobody in particular.
            let number = match dice.chance(0.33) {
                true => domestic(victim.market, dice),
                false => campaign.target(dice).to_owned(),
            };
            let dialed = victim.dial(&number);
            calls.push(campaign.call(victim, user, &access, dialed, slot, dice));
        }
    }
    calls
}

/// Another address of the same 256.
fn neighbour(address: IpAddr, dice: &mut Dice) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            IpAddr::from([a, b, c, dice.between(1, 254) as u8])
        }
        IpAddr::V6(_) => address,
    }
}
