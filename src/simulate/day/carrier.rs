//! A carrier's trunk: many callers of many countries behind a few addresses, to everywhere.

use super::super::dice::{Dice, Purpose};
use super::super::generate::Attempt;
use super::super::habits::moment;
use super::super::numbers::{self, Abroad, domestic};
use super::super::subscriber::Access;
use super::{Plan, Today};
use std::sync::Arc;

/// Callers that are seen again and again.
const REGULARS: u64 = 600;

pub(super) fn calls(today: &Today<'_>, dice: &mut Dice, calls: &mut Vec<Attempt>) {
    let habits = today.who.habits;
    let gateways = gateways(today);
    for _ in 0..dice.count(today.who.calls_per_day * today.volume) {
        let plan = Plan {
            at_ms: moment(&today.hours, today.day, dice),
            user: caller(today, dice),
            dialed: today.who.dial(&number(today, dice)),
            talk_s: habits.talk_s,
            answered: habits.answered,
        };
        let mut at_ms = plan.at_ms;
        for _ in 0..4 {
            let gateway = dice.pick_early(&gateways);
            let call = today.call(&plan, at_ms, gateway, dice);
            let (answered, rang) = (call.answered, u64::from(call.ring_ms));
            calls.push(call);
            if answered || !dice.chance(habits.redials) {
                break;
            }
            at_ms += rang + dice.between(2_000, 60_000);
        }
    }
}

/// Two to four addresses, all of the same make.
fn gateways(today: &Today<'_>) -> Vec<Access> {
    let mut dice = today.who.dice(today.world.seed, Purpose::Carrier, 0);
    let count = dice.between(1, 3);
    let mut gateways = vec![today.home.clone()];
    for number in 1..=count {
        // Of further leases of his line: other days' addresses, at the same time.
        let day = today.day + number * today.who.lease_days;
        let mut gateway = today.world.at_home(today.who, day);
        gateway.user_agent = Arc::clone(&today.home.user_agent);
        gateways.push(gateway);
    }
    gateways
}

/// Regulars mostly; some are never seen again.
fn caller(today: &Today<'_>, dice: &mut Dice) -> Arc<str> {
    let regular = dice.below(REGULARS).min(dice.below(REGULARS));
    let mut own = today
        .who
        .dice(today.world.seed, Purpose::Carrier, 1 + regular);
    let dice = if dice.chance(0.8) { &mut own } else { dice };
    let market = today.who.market;
    let number = if dice.chance(0.65) {
        domestic(market, dice)
    } else {
        Abroad::any(market, 10, dice).number(dice)
    };
    number.into()
}

fn number(today: &Today<'_>, dice: &mut Dice) -> String {
    let (market, habits) = (today.who.market, today.who.habits);
    if dice.chance(habits.freephone) {
        numbers::freephone(market, dice)
    } else if dice.chance(habits.premium) {
        numbers::premium(market, dice)
    } else if dice.chance(0.004) {
        numbers::satellite(dice)
    } else if dice.chance(0.35) {
        domestic(market, dice)
    } else {
        Abroad::any(market, 22, dice).number(dice)
    }
}
