//! What machines and habits do every day: voicemail, alarms, faxes, monitors, calls in rounds.

use super::super::calendar;
use super::super::devices::Model;
use super::super::dice::{Dice, Purpose};
use super::super::generate::Attempt;
use super::super::habits::{DAY, moment};
use super::super::numbers::{Abroad, domestic};
use super::super::subscriber::{Access, Kind};
use super::{Plan, Today};
use std::sync::Arc;

pub(super) fn calls(today: &Today<'_>, calls: &mut Vec<Attempt>) {
    let mut dice = today
        .who
        .dice(today.world.seed, Purpose::Routine, today.day);
    voicemail(today, &mut dice, calls);
    night(today, &mut dice, calls);
    monitor(today, &mut dice, calls);
    rounds(today, &mut dice, calls);
}

fn plan(today: &Today<'_>, at_ms: u64, number: &str, talk_s: f64, answered: f64) -> Plan {
    Plan {
        at_ms,
        user: Arc::clone(today.who.user()),
        dialed: today.who.dial(number),
        talk_s,
        answered,
    }
}

fn voicemail(today: &Today<'_>, dice: &mut Dice, calls: &mut Vec<Attempt>) {
    let number = &today.world.tenants[today.who.tenant].voicemail;
    for _ in 0..dice.count(today.who.habits.voicemail * today.volume.min(2.0)) {
        let at_ms = moment(&today.hours, today.day, dice);
        let mut plan = plan(today, at_ms, number, 45.0, 0.99);
        plan.user = today.user(dice);
        if number.starts_with('*') {
            plan.dialed.clone_from(number);
        }
        today.call_until_answered(&plan, dice, calls);
    }
}

/// An alarm that reports every night at its minute, a fax that sends what was left over.
fn night(today: &Today<'_>, dice: &mut Dice, calls: &mut Vec<Attempt>) {
    let offset = calendar::utc_offset_minutes(today.who.home, today.day);
    let at_local = |minute: u64| {
        let utc = (minute as i64 - offset).rem_euclid(1_440) as u64;
        today.day * DAY + utc * 60_000
    };
    if let Some((minute, number)) = &today.who.extras.alarm {
        let at_ms = at_local(*minute) + dice.below(20_000);
        let plan = plan(today, at_ms, number, 12.0, 0.9);
        calls.push(today.call(&plan, at_ms, &today.home, dice));
    }
    for number in &today.who.extras.fax {
        if dice.chance(0.6) {
            let at_ms = at_local(dice.below(330)) + dice.below(60_000);
            let plan = plan(today, at_ms, number, 60.0, 0.75);
            machine_redials(today, &plan, at_ms, dice, calls);
        }
    }
}

/// A fax tries five times, three minutes apart.
fn machine_redials(
    today: &Today<'_>,
    plan: &Plan,
    mut at_ms: u64,
    dice: &mut Dice,
    calls: &mut Vec<Attempt>,
) {
    for _ in 0..5 {
        let call = today.call(plan, at_ms, &today.home, dice);
        at_ms += u64::from(call.ring_ms) + 180_000;
        let answered = call.answered;
        calls.push(call);
        if answered {
            break;
        }
    }
}

/// A tool that watches the line by an echo number.
fn monitor(today: &Today<'_>, dice: &mut Dice, calls: &mut Vec<Attempt>) {
    let Some((model, number)) = &today.who.extras.monitor else {
        return;
    };
    let access = tool(today, model);
    for half_hour in 0..48 {
        let at_ms = today.day * DAY + half_hour * 1_800_000 + dice.below(5_000);
        let plan = plan(today, at_ms, number, 5.0, 0.97);
        calls.push(today.call(&plan, at_ms, &access, dice));
    }
}

fn tool(today: &Today<'_>, model: &Model) -> Access {
    Access {
        source_ip: today.home.source_ip,
        user_agent: today.who.agent(model, today.day),
        form: model.form,
    }
}

/// A country never called before; many people at once.
fn rounds(today: &Today<'_>, dice: &mut Dice, calls: &mut Vec<Attempt>) {
    let who = today.who;
    if today.volume > 0.0 && dice.chance(who.habits.new_country) {
        let number = Abroad::any(who.market, 20, dice).number(dice);
        let first = moment(&today.hours, today.day, dice);
        for attempt in 0..dice.between(1, 4) {
            let at_ms = first + attempt * dice.between(60_000, 900_000);
            let plan = plan(today, at_ms, &number, 240.0, 0.7);
            calls.push(today.call(&plan, at_ms, &today.home, dice));
        }
    }
    if today.volume > 0.0 && dice.chance(who.habits.round_call) {
        let first = moment(&today.hours, today.day, dice);
        let most = if who.kind == Kind::CallCentre {
            120
        } else {
            40
        };
        for _ in 0..dice.between(15, most) {
            let at_ms = first + dice.below(240_000);
            let plan = plan(today, at_ms, &domestic(who.market, dice), 60.0, 0.6);
            calls.push(today.call(&plan, at_ms, &today.home, dice));
        }
    }
}
