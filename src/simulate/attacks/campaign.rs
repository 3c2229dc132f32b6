//! One attack: who is behind it, what it has, and how its calls are put together.

use super::super::attack_data::AttackData;
use super::super::calendar;
use super::super::devices;
use super::super::dice::Dice;
use super::super::family::Family;
use super::super::generate::Attempt;
use super::super::habits::DAY;
use super::super::networks;
use super::super::subscriber::{Access, Kind, Subscriber};
use super::super::world::World;
use super::gang::{Gang, Tool};
use super::{Slot, Strength};
use std::net::IpAddr;
use std::sync::Arc;

/// One attack.
pub(super) struct Campaign<'a> {
    pub(super) world: &'a World,
    pub(super) data: &'a AttackData,
    pub(super) family: Family,
    pub(super) strength: Strength,
    /// UTC day on which it is prepared.
    pub(super) begun: u64,
    /// UTC day on which customers feel it.
    pub(super) day: u64,
    pub(super) name: Arc<str>,
    pub(super) gang: Gang,
    /// The address it mostly comes from where it comes from its own.
    pub(super) machine: IpAddr,
    /// Numbers that pay: neighbours in one range, or several from all over.
    pub(super) targets: Vec<String>,
}

impl<'a> Campaign<'a> {
    /// `number` is the UTC day it begins on and its number on that day.
    pub(super) fn new(
        world: &'a World,
        data: &'a AttackData,
        family: Family,
        strength: Strength,
        number: [u64; 2],
        dice: &mut Dice,
    ) -> Self {
        let [begun, at] = number;
        let gang = Gang::drawn(world, data, number, dice);
        Self {
            world,
            data,
            family,
            strength,
            begun,
            day: begun + dice.below(3),
            name: format!("{family}/{begun}{at:03}").into(),
            machine: *dice.pick(&gang.addresses),
            targets: targets(&gang, dice),
            gang,
        }
    }

    /// One of the customers of these kinds, by chance; of any kind where there are none.
    pub(super) fn victim(&self, kinds: &[Kind], dice: &mut Dice) -> &'a Subscriber {
        let all = &self.world.subscribers;
        let wanted: Vec<_> = all.iter().filter(|who| kinds.contains(&who.kind)).collect();
        match wanted.is_empty() {
            true => dice.pick(all),
            false => dice.pick::<&Subscriber>(&wanted),
        }
    }

    /// Where an intruder who has the victim's password calls from, and with what.
    pub(super) fn intruder(&self, victim: &Subscriber, dice: &mut Dice) -> Access {
        let own = self.world.at_home(victim, self.day);
        let source_ip = match dice.below(100) {
            0..45 => self.machine,
            45..60 => *dice.pick(&self.gang.addresses),
            // A proxy where the victim is.
            60..80 => victim.home.broadband(dice),
            80..92 => networks::mobile_gateway(self.world.seed, victim.home, dice),
            _ => networks::anonymous(self.world.seed, dice),
        };
        let tool = match dice.below(100) {
            0..35 => dice.pick(&self.gang.tools).clone(),
            35..75 => Tool::ordinary(&devices::SOFTPHONE, self.day, dice),
            // The whole configuration was stolen, name and all.
            _ => Tool {
                agent: Arc::clone(&own.user_agent),
                form: own.form,
            },
        };
        self.through(victim, tool.at(source_ip))
    }

    /// As the victim's softswitch shows it.
    pub(super) fn through(&self, victim: &Subscriber, access: Access) -> Access {
        let tenant = &self.world.tenants[victim.tenant];
        Access {
            form: tenant.rewrites.unwrap_or(access.form),
            ..access
        }
    }

    /// The string for a number: as the victim would dial it, mostly.
    pub(super) fn dial(&self, victim: &Subscriber, number: &str, dice: &mut Dice) -> String {
        if dice.chance(0.85) {
            return victim.dial(number);
        }
        format!("{}{number}", dice.pick(&["", "+", "00"]))
    }

    /// One of the targets.
    pub(super) fn target(&self, dice: &mut Dice) -> &str {
        dice.pick::<String>(&self.targets)
    }

    /// A call as that caller of the victim's tenant.
    pub(super) fn call(
        &self,
        victim: &Subscriber,
        user: &Arc<str>,
        access: &Access,
        dialed: String,
        slot: Slot,
        dice: &mut Dice,
    ) -> Attempt {
        let tenant = &self.world.tenants[victim.tenant];
        self.attempt(&tenant.domain, user, access, dialed, slot, dice)
    }

    /// A call as anybody.
    pub(super) fn attempt(
        &self,
        domain: &Arc<str>,
        user: &Arc<str>,
        access: &Access,
        dialed: String,
        slot: Slot,
        dice: &mut Dice,
    ) -> Attempt {
        Attempt {
            at_ms: slot.at_ms,
            domain: Arc::clone(domain),
            user: Arc::clone(user),
            dialed,
            access: access.clone(),
            ring_ms: slot.ring_ms,
            talk_s: slot.talk_s,
            answered: slot.answered,
            call_id: dice.bits(),
            campaign: Some(Arc::clone(&self.name)),
            honeypot: false,
            surprise: None,
        }
    }

    /// A moment of the attack's day at one of these hours of the victim's clock; milliseconds.
    pub(super) fn at_local_hour(&self, who: &Subscriber, hours: &[u64], dice: &mut Dice) -> u64 {
        let local = (*dice.pick(hours) * 60 + dice.below(60)) as i64;
        let offset = calendar::utc_offset_minutes(who.market, self.day);
        let utc = (local - offset).rem_euclid(1_440) as u64;
        self.day * DAY + utc * 60_000 + dice.below(60_000)
    }
}

fn targets(gang: &Gang, dice: &mut Dice) -> Vec<String> {
    let count = dice.between(1, 10);
    if dice.chance(0.55) {
        let range = dice.pick(&gang.ranges);
        let digits = dice.between(2, 3) as usize;
        return (0..count)
            .map(|_| Gang::number(range, digits, dice))
            .collect();
    }
    (0..count)
        .map(|_| {
            let range = dice.pick(&gang.ranges);
            Gang::number(range, 2, dice)
        })
        .collect()
}
