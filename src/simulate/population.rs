//! Who lives in the simulated world: it depends on the seed alone, so that a history and a
//! later day belong together.

use super::atlas::{self, Place};
use super::dice::{Dice, Purpose};
use super::habits::{self, Habits};
use std::collections::HashSet;
use std::net::IpAddr;

/// A provider of telephony.
#[derive(Debug)]
pub(super) struct Tenant {
    /// Its domain.
    pub(super) domain: String,
    /// Where its subscribers live.
    pub(super) home: &'static Place,
    /// What its softswitch leaves before an E.164 number.
    dial_prefix: &'static str,
}

/// What kind of customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Household,
    Office,
    CallCentre,
}

/// A customer with habits.
#[derive(Debug)]
pub(super) struct Subscriber {
    index: u64,
    /// Position of the tenant.
    pub(super) tenant: usize,
    /// Own number: the caller.
    pub(super) user: String,
    pub(super) kind: Kind,
    pub(super) home: &'static Place,
    pub(super) habits: &'static Habits,
    /// Calls on an ordinary weekday.
    pub(super) calls_per_day: f64,
    /// Model of the telephone or exchange, `{}` for its firmware.
    device: &'static str,
    /// Model of a telephone on a mobile, if there is one.
    app: Option<&'static str>,
    dial_prefix: &'static str,
    /// Days until the provider gives another address.
    lease_days: u64,
    /// Days between firmwares.
    firmware_days: u64,
    /// Shifts the periods, so that not everybody changes on the same day.
    phase: u64,
    /// Numbers at home called again and again, the closest first.
    pub(super) contacts: Vec<String>,
    /// Numbers abroad called again and again.
    pub(super) contacts_abroad: Vec<String>,
}

/// From where, and with what, a call is made.
#[derive(Clone, Debug)]
pub(super) struct Access {
    pub(super) source_ip: IpAddr,
    pub(super) user_agent: String,
}

/// Everybody.
#[derive(Debug)]
pub(super) struct World {
    pub(super) seed: u64,
    pub(super) tenants: Vec<Tenant>,
    pub(super) subscribers: Vec<Subscriber>,
}

impl World {
    /// The first subscribers are the same whatever their number.
    pub(super) fn new(seed: u64, tenants: u32, subscribers: u32) -> Self {
        let tenants: Vec<_> = (0..tenants).map(|n| tenant(seed, n)).collect();
        let mut taken = HashSet::new();
        let subscribers = (0..u64::from(subscribers))
            .filter(|_| !tenants.is_empty())
            .map(|index| subscriber(seed, index, &tenants, &mut taken))
            .collect();
        Self {
            seed,
            tenants,
            subscribers,
        }
    }
}

const HOMES: [&str; 12] = [
    "GB", "DE", "US", "ES", "BR", "FR", "IT", "NL", "PL", "AU", "ZA", "PT",
];

fn tenant(seed: u64, number: u32) -> Tenant {
    let mut dice = Dice::new(seed, Purpose::Tenant, &[u64::from(number)]);
    // The first tenants get different homes: neighbours in the list, from a place the seed says.
    let first = Dice::new(seed, Purpose::Tenant, &[]).below(HOMES.len() as u64) as usize;
    let home = atlas::place(HOMES[(first + number as usize) % HOMES.len()]);
    let dial_prefix = match dice.below(10) {
        0..6 => "",
        6..8 => "+",
        _ => "00",
    };
    Tenant {
        domain: format!("itsp-{}.example", number + 1),
        home,
        dial_prefix,
    }
}

const HOUSEHOLD_DEVICES: [&str; 8] = [
    "AVM FRITZ!Box 7590 154.07.{}",
    "AVM FRITZ!Box 7530 164.07.{}",
    "Grandstream HT801 1.0.{}.5",
    "Cisco/SPA112-1.4.{}",
    "Gigaset N510 IP PRO/42.{}",
    "Yealink W60B 77.85.0.{}",
    "snomD735/10.1.{}.13",
    "Fanvil X3S 2.12.{}",
];
const OFFICE_DEVICES: [&str; 8] = [
    "Asterisk PBX 18.{}.0",
    "FPBX-16.0.{}(18.20.0)",
    "3CXPhoneSystem 18.0.{}.0",
    "FreeSWITCH-mod_sofia/1.10.{}-release",
    "Cisco-SIPGateway/IOS-16.12.{}",
    "Mitel-5000-ICP-6.3.{}",
    "AVAYA-SM-8.1.{}",
    "Starface 7.1.{}",
];
const CALL_CENTRE_DEVICES: [&str; 3] = [
    "Asterisk PBX 16.{}.0",
    "FreeSWITCH-mod_sofia/1.10.{}-release",
    "Genesys/8.5.{}",
];
const APPS: [&str; 5] = [
    "Zoiper rv2.10.{}",
    "Linphone Android/5.0.{}",
    "Bria Mobile 6.{}",
    "GS Wave 1.0.{}",
    "Acrobits Groundwire/6.{}",
];

fn subscriber(
    seed: u64,
    index: u64,
    tenants: &[Tenant],
    taken: &mut HashSet<String>,
) -> Subscriber {
    let mut dice = Dice::new(seed, Purpose::Subscriber, &[index]);
    let position = dice.below(tenants.len() as u64) as usize;
    let tenant = &tenants[position];
    let kind = match dice.below(100) {
        0..71 => Kind::Household,
        71..96 => Kind::Office,
        _ => Kind::CallCentre,
    };
    let user = loop {
        let number = tenant.home.number(&mut dice, false);
        if taken.insert(number.clone()) {
            break number;
        }
    };
    let volume = dice.waiting(0.7) + 0.3;
    let has_app = kind == Kind::Household && dice.chance(0.35);
    let app = has_app.then(|| *dice.pick(&APPS));
    let round_the_clock = kind == Kind::Office && dice.chance(0.1);
    let (calls_per_day, device, contacts, habits) = match kind {
        Kind::Household => (6.0, *dice.pick(&HOUSEHOLD_DEVICES), 25, &habits::HOUSEHOLD),
        Kind::Office if round_the_clock => (45.0, *dice.pick(&OFFICE_DEVICES), 60, &habits::HOTEL),
        Kind::Office => (38.0, *dice.pick(&OFFICE_DEVICES), 80, &habits::OFFICE),
        Kind::CallCentre => (
            190.0,
            *dice.pick(&CALL_CENTRE_DEVICES),
            40,
            &habits::CALL_CENTRE,
        ),
    };
    Subscriber {
        index,
        tenant: position,
        user,
        kind,
        home: tenant.home,
        habits,
        calls_per_day: calls_per_day * volume,
        device,
        app,
        dial_prefix: tenant.dial_prefix,
        lease_days: match kind {
            Kind::Household => *dice.pick(&[1, 1, 7, 30, 180]),
            Kind::Office | Kind::CallCentre => *dice.pick(&[90, 1_000, 3_000]),
        },
        firmware_days: dice.between(90, 400),
        phase: dice.below(5_000),
        contacts: (0..contacts)
            .map(|_| domestic(tenant.home, &mut dice))
            .collect(),
        contacts_abroad: contacts_abroad(tenant.home, kind, &mut dice),
    }
}

/// A number at home: mobiles and fixed lines about evenly.
pub(super) fn domestic(home: &Place, dice: &mut Dice) -> String {
    let mobile = dice.chance(0.55);
    home.number(dice, mobile)
}

/// Most have nobody abroad; some have family just where fraud likes to go.
fn contacts_abroad(home: &Place, kind: Kind, dice: &mut Dice) -> Vec<String> {
    let countries = match kind {
        Kind::Household => *dice.pick(&[0, 0, 0, 1, 1, 2]),
        Kind::Office => dice.between(0, 4),
        Kind::CallCentre => dice.between(0, 2),
    };
    (0..countries)
        .flat_map(|_| {
            let place = if dice.chance(0.15) {
                atlas::risky(dice)
            } else {
                atlas::abroad(home, dice)
            };
            let people = dice.between(1, 4);
            (0..people)
                .map(|_| domestic(place, dice))
                .collect::<Vec<_>>()
        })
        .collect()
}

impl Subscriber {
    /// The stream of draws for one purpose of this subscriber in one period.
    pub(super) fn dice(&self, seed: u64, purpose: Purpose, period: u64) -> Dice {
        Dice::new(seed, purpose, &[self.index, period])
    }

    /// The dialled string for a number in E.164.
    pub(super) fn dial(&self, number: &str) -> String {
        format!("{}{number}", self.dial_prefix)
    }

    /// The usual telephone at the usual place, on that day since the epoch.
    pub(super) fn at_home(&self, seed: u64, day: u64) -> Access {
        let lease = (day + self.phase) / self.lease_days;
        let mut dice = self.dice(seed, Purpose::Lease, lease);
        Access {
            source_ip: self.home.broadband(&mut dice),
            user_agent: self.firmware(self.device, seed, day),
        }
    }

    /// The telephone on the mobile, if there is one: the network gives another address every day.
    pub(super) fn on_the_move(&self, seed: u64, day: u64, place: &Place) -> Option<Access> {
        let mut dice = self.dice(seed, Purpose::MobileAddress, day);
        Some(Access {
            source_ip: place.cellular(&mut dice),
            user_agent: self.firmware(self.app?, seed, day),
        })
    }

    /// Where this subscriber spends that day when on holiday abroad: of each 90 days, some
    /// take 4 to 14 off.
    pub(super) fn holiday(&self, seed: u64, day: u64) -> Option<&'static Place> {
        const PERIOD: u64 = 90;
        self.app?;
        let (period, at) = ((day + self.phase) / PERIOD, (day + self.phase) % PERIOD);
        let mut dice = self.dice(seed, Purpose::Holiday, period);
        let goes = dice.chance(0.3);
        let place = atlas::abroad(self.home, &mut dice);
        let from = dice.below(PERIOD - 14);
        let days = dice.between(4, 14);
        (goes && (from..from + days).contains(&at)).then_some(place)
    }

    fn firmware(&self, model: &str, seed: u64, day: u64) -> String {
        let release = (day + self.phase) / self.firmware_days;
        let first = self.dice(seed, Purpose::Firmware, 0).below(40);
        model.replace("{}", &(first + release % 60).to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_subscribers_leave_the_first_ones_as_they_were() {
        let (few, many) = (World::new(3, 4, 20), World::new(3, 4, 50));
        for (a, b) in few.subscribers.iter().zip(&many.subscribers) {
            assert_eq!(
                (&a.user, a.device, &a.contacts),
                (&b.user, b.device, &b.contacts)
            );
        }
    }

    #[test]
    fn every_home_is_in_the_table() {
        assert!(HOMES.iter().all(|home| atlas::place(home).country == *home));
    }

    #[test]
    fn addresses_and_firmware_change_now_and_then() {
        let world = World::new(3, 4, 200);
        let changes = |of: fn(Access) -> String| {
            let changed = |s: &&Subscriber| of(s.at_home(3, 20_000)) != of(s.at_home(3, 20_021));
            world.subscribers.iter().filter(changed).count()
        };
        let (addresses, agents) = (
            changes(|access| access.source_ip.to_string()),
            changes(|access| access.user_agent),
        );
        assert!((60..140).contains(&addresses), "{addresses}");
        assert!((5..50).contains(&agents), "{agents}");
    }
}
