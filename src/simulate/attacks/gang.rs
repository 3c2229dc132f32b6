//! Who attacks: gangs that use their ranges, machines and tools again for weeks, and strangers
//! who are seen once.

use super::super::atlas::{self, PLACES};
use super::super::attack_data::AttackData;
use super::super::call_id::Form;
use super::super::devices::{self, Model};
use super::super::dice::{Dice, Purpose};
use super::super::networks;
use super::super::subscriber::Access;
use super::super::world::World;
use std::net::IpAddr;
use std::sync::Arc;

/// Gangs at any time.
const GANGS: u64 = 14;
/// Of a hundred campaigns, those of gangs.
const OF_GANGS: u64 = 65;
/// Of a hundred ranges, those that look like anybody's mobile in Europe.
const CHEAP_LOOKING: u64 = 25;
const EUROPE: [&str; 14] = [
    "GB", "DE", "FR", "ES", "IT", "PT", "BE", "CH", "AT", "PL", "LV", "LT", "BA", "RO",
];

/// What a gang has on a day.
#[derive(Debug)]
pub(super) struct Gang {
    /// Numbers of which all but the last digits stay.
    pub(super) ranges: Vec<String>,
    pub(super) addresses: Vec<IpAddr>,
    pub(super) tools: Vec<Tool>,
}

/// What calls are made with.
#[derive(Clone, Debug)]
pub(super) struct Tool {
    pub(super) agent: Arc<str>,
    pub(super) form: Form,
}

impl Tool {
    /// A model as anybody has it.
    pub(super) fn ordinary(models: &'static [Model], day: u64, dice: &mut Dice) -> Self {
        let model = dice.pick(models);
        Self {
            agent: model.agent(day.saturating_sub(dice.below(devices::OLDEST))),
            form: model.form,
        }
    }

    /// A tool of the trade.
    pub(super) fn of_trade(data: &AttackData, dice: &mut Dice) -> Self {
        Self {
            agent: dice.pick(&data.agents).as_str().into(),
            form: devices::form_of_tool(dice),
        }
    }

    pub(super) fn at(&self, source_ip: IpAddr) -> Access {
        Access {
            source_ip,
            user_agent: Arc::clone(&self.agent),
            form: self.form,
        }
    }
}

impl Gang {
    /// A gang, or a stranger whom nobody else is like.
    pub(super) fn drawn(
        world: &World,
        data: &AttackData,
        [day, campaign]: [u64; 2],
        dice: &mut Dice,
    ) -> Self {
        let number = if dice.below(100) < OF_GANGS {
            dice.below(GANGS)
        } else {
            GANGS + day * 1_000 + campaign
        };
        let seed = world.seed;
        Self {
            ranges: kept(seed, [number, 1], 8, [8, 40], day, |dice| range(data, dice)),
            addresses: kept(seed, [number, 2], 12, [3, 30], day, |dice| {
                address(seed, data, dice)
            }),
            tools: kept(seed, [number, 3], 4, [20, 90], day, |dice| {
                tool(data, day, dice)
            }),
        }
    }

    /// A number of one of its ranges: the last `digits` are drawn.
    pub(super) fn number(range: &str, digits: usize, dice: &mut Dice) -> String {
        let kept = range.len().saturating_sub(digits).max(1);
        let tail = dice.digits(&"#".repeat(range.len() - kept));
        format!("{}{tail}", &range[..kept])
    }
}

/// So many things, each kept for a while (from so many days to so many) and then replaced.
fn kept<T>(
    seed: u64,
    [gang, what]: [u64; 2],
    count: u64,
    [least, most]: [u64; 2],
    day: u64,
    draw: impl Fn(&mut Dice) -> T,
) -> Vec<T> {
    (0..count)
        .map(|at| {
            let mut life = Dice::new(seed, Purpose::Gang, &[gang, what, at]);
            let days = life.between(least, most);
            let period = (day + life.below(days)) / days;
            draw(&mut Dice::new(
                seed,
                Purpose::Gang,
                &[gang, what, at, period],
            ))
        })
        .collect()
}

fn range(data: &AttackData, dice: &mut Dice) -> String {
    if dice.below(100) < CHEAP_LOOKING {
        return atlas::place(dice.pick::<&str>(&EUROPE)).number(dice, true);
    }
    dice.pick(&data.numbers).clone()
}

/// Rented machines, hijacked routers, anonymous exits; some of a list.
fn address(seed: u64, data: &AttackData, dice: &mut Dice) -> IpAddr {
    match dice.below(100) {
        0..38 => networks::hosting(dice),
        38..48 => networks::anonymous(seed, dice),
        48..68 => *dice.pick(&data.addresses),
        68..76 => networks::mobile_gateway(seed, dice.pick(&PLACES), dice),
        _ => dice.pick(&PLACES).broadband(dice),
    }
}

fn tool(data: &AttackData, day: u64, dice: &mut Dice) -> Tool {
    match dice.below(100) {
        0..35 => Tool::of_trade(data, dice),
        35..75 => Tool::ordinary(&devices::SOFTPHONE, day, dice),
        _ => Tool::ordinary(&devices::OFFICE, day, dice),
    }
}
