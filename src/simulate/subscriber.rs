//! One customer: who he is, what he calls with, whom he knows.

use super::atlas::{self, Place};
use super::call_id::Form;
use super::devices::{self, Model};
use super::dice::{Dice, Purpose};
use super::habits::{self, Habits};
use super::numbers::{Abroad, domestic, satellite};
use super::tenant::{NEWCOMERS, Tenant};
use std::net::IpAddr;
use std::sync::Arc;

/// What kind of customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Household,
    Office,
    CallCentre,
    Hotel,
    /// A carrier's trunk: the callers are customers of others.
    Wholesale,
    /// A program on a computer or mobile that is carried about.
    Softphone,
}

const KINDS: [Kind; 6] = [
    Kind::Household,
    Kind::Office,
    Kind::CallCentre,
    Kind::Hotel,
    Kind::Wholesale,
    Kind::Softphone,
];
/// Of a thousand subscribers.
const SHARES: [u32; 6] = [615, 240, 20, 25, 10, 90];

/// How a customer reaches the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// Through a line of his own.
    Own,
    /// From a rented machine: the exchange is hosted.
    Hosted,
    /// Through the gateway of a mobile network, with many others.
    Gateway,
    /// Through an anonymous network, with many others.
    Anonymous,
}

/// A customer with habits.
#[derive(Debug)]
pub(super) struct Subscriber {
    pub(super) index: u64,
    /// Customers who had this place before.
    pub(super) generation: u64,
    /// Position of the tenant.
    pub(super) tenant: usize,
    /// The callers: his number, extensions, rooms. The first is the main one.
    pub(super) users: Vec<Arc<str>>,
    pub(super) kind: Kind,
    /// Where he is, and in whose network.
    pub(super) home: &'static Place,
    /// Whose people he calls, and whose clock he keeps.
    pub(super) market: &'static Place,
    pub(super) habits: &'static Habits,
    /// Calls on an ordinary weekday.
    pub(super) calls_per_day: f64,
    /// A program on a mobile besides, if there is one.
    pub(super) app: Option<&'static Model>,
    pub(super) dial_prefix: &'static str,
    pub(super) line: Line,
    /// Whether the provider's border is seen in his place, where there is one.
    pub(super) is_behind_border: bool,
    /// Days until the provider gives another address.
    pub(super) lease_days: u64,
    /// Days between firmwares.
    firmware_days: u64,
    /// Shifts the periods, so that not everybody changes on the same day.
    pub(super) phase: u64,
    /// Day since the epoch on which he became a customer; `None`: long ago.
    pub(super) joined: Option<u64>,
    /// Numbers at home called again and again, the closest first.
    pub(super) contacts: Vec<String>,
    /// Numbers abroad called again and again.
    pub(super) contacts_abroad: Vec<String>,
    /// Share of his calls that go to these.
    pub(super) abroad: f64,
    pub(super) extras: Extras,
}

/// What some have and others have not.
#[derive(Debug)]
pub(super) struct Extras {
    /// Minute of the local night at which an alarm reports, and to whom.
    pub(super) alarm: Option<(u64, String)>,
    /// Where a fax sends its reports at night.
    pub(super) fax: Vec<String>,
    /// Ships or rigs that are called.
    pub(super) at_sea: Vec<String>,
    /// A tool that calls an echo number every half hour.
    pub(super) monitor: Option<(&'static Model, String)>,
}

/// From where, and with what, a call is made.
#[derive(Clone, Debug)]
pub(super) struct Access {
    pub(super) source_ip: IpAddr,
    pub(super) user_agent: Arc<str>,
    pub(super) form: Form,
}

/// Who has a place in the world on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tenancy {
    pub(super) generation: u64,
    pub(super) joined: Option<u64>,
    /// Place of the small tenant he belongs to.
    pub(super) newcomer: Option<u64>,
}

impl Tenancy {
    /// Of a hundred places, those of small tenants.
    const NEWCOMERS_PERCENT: u64 = 4;

    pub(super) fn of(seed: u64, index: u64, day: u64) -> Self {
        let mut dice = Dice::new(seed, Purpose::Tenure, &[index]);
        if dice.below(100) < Self::NEWCOMERS_PERCENT {
            let place = dice.below(NEWCOMERS);
            let (generation, _) = Tenant::newcomer_since(seed, place, day);
            return Self {
                generation,
                joined: None,
                newcomer: Some(place),
            };
        }
        let moves = dice.chance(0.35);
        let tenure = dice.between(120, 900);
        let now = day + dice.below(tenure);
        Self {
            generation: if moves { now / tenure } else { 0 },
            joined: day.checked_sub(now % tenure).filter(|_| moves),
            newcomer: None,
        }
    }
}

impl Subscriber {
    /// The first subscribers are the same whatever their number.
    pub(super) fn new(seed: u64, index: u64, tenancy: Tenancy, tenants: &[Tenant]) -> Self {
        let Tenancy { generation, .. } = tenancy;
        let mut dice = Dice::new(seed, Purpose::Subscriber, &[index, generation]);
        let large = tenants.len() as u64 - NEWCOMERS;
        let tenant = match tenancy.newcomer {
            Some(place) => large + place,
            None => dice.below(large),
        } as usize;
        let market = tenants[tenant].home;
        let kind = KINDS[dice.weighted(&SHARES)];
        let home = home(kind, market, &mut dice);
        let (low, doublings) = volume(kind);
        Self {
            index,
            generation,
            tenant,
            users: users(kind, market, &mut dice),
            kind,
            home,
            market: if kind == Kind::Hotel { home } else { market },
            habits: habits::of(kind),
            calls_per_day: dice.magnitude(low, doublings),
            app: (kind == Kind::Household && dice.chance(0.3))
                .then(|| dice.pick(&devices::SOFTPHONE)),
            dial_prefix: dial_prefix(kind, &tenants[tenant], &mut dice),
            line: line(kind, &mut dice),
            is_behind_border: dice.chance(0.7),
            lease_days: match kind {
                Kind::Household => *dice.pick(&[1, 1, 7, 30, 180]),
                Kind::Softphone => *dice.pick(&[1, 7, 30]),
                _ => *dice.pick(&[90, 1_000, 3_000]),
            },
            firmware_days: dice.between(90, devices::OLDEST),
            phase: dice.below(5_000),
            joined: tenancy.joined,
            contacts: (0..contacts(kind))
                .map(|_| domestic(if kind == Kind::Hotel { home } else { market }, &mut dice))
                .collect(),
            abroad: abroad(kind, &mut dice),
            contacts_abroad: contacts_abroad(market, kind, &mut dice),
            extras: extras(kind, market, &mut dice),
        }
    }

    /// The stream of draws for one purpose of this subscriber in one period.
    pub(super) fn dice(&self, seed: u64, purpose: Purpose, period: u64) -> Dice {
        Dice::new(seed, purpose, &[self.index, self.generation, period])
    }

    /// The main caller.
    pub(super) fn user(&self) -> &Arc<str> {
        &self.users[0]
    }

    /// The dialled string for a number in E.164.
    pub(super) fn dial(&self, number: &str) -> String {
        format!("{}{number}", self.dial_prefix)
    }

    /// What a model calls itself on that day: it is updated now and then.
    pub(super) fn agent(&self, model: &Model, day: u64) -> Arc<str> {
        model.agent(day.saturating_sub((day + self.phase) % self.firmware_days))
    }

    /// Whether something that happens to some in each period, for some days, happens to him
    /// today: the day it is in (from 0), and the draws about it.
    pub(super) fn event(&self, seed: u64, event: Event, day: u64) -> Option<(u64, Dice)> {
        let (period, days, chance) = (event.period, event.days, event.chance);
        let shifted = day + self.phase;
        let about = [self.index, self.generation, event.tag, shifted / period];
        let mut dice = Dice::new(seed, Purpose::Event, &about);
        let happens = dice.chance(chance);
        let from = dice.below(period - days + 1);
        let at = shifted % period;
        (happens && (from..from + days).contains(&at)).then(|| (at - from, dice))
    }
}

/// Something that happens now and then to some.
#[derive(Clone, Copy, Debug)]
pub(super) struct Event {
    /// Tells it from others.
    pub(super) tag: u64,
    /// Days in which it happens once, or not at all.
    pub(super) period: u64,
    /// Days it lasts.
    pub(super) days: u64,
    /// How likely it is in a period.
    pub(super) chance: f64,
}

/// Least calls on a weekday, and how often that may double.
const fn volume(kind: Kind) -> (f64, u64) {
    match kind {
        Kind::Household => (0.5, 4),
        Kind::Office => (2.0, 6),
        Kind::CallCentre => (60.0, 4),
        Kind::Hotel => (10.0, 3),
        Kind::Wholesale => (100.0, 3),
        Kind::Softphone => (0.7, 4),
    }
}

const fn contacts(kind: Kind) -> u64 {
    match kind {
        Kind::Household | Kind::Softphone => 25,
        Kind::Office => 80,
        Kind::CallCentre | Kind::Hotel => 40,
        Kind::Wholesale => 1,
    }
}

/// Most live where their provider is; call centres and hotels need not.
fn home(kind: Kind, market: &'static Place, dice: &mut Dice) -> &'static Place {
    const OFFSHORE: [&str; 8] = ["IN", "PH", "MA", "RO", "ZA", "TN", "EG", "CO"];
    const RESORTS: [&str; 8] = ["ES", "PT", "TH", "MV", "GR", "EG", "AE", "TR"];
    let elsewhere: Option<&&str> = match kind {
        Kind::CallCentre if dice.chance(0.45) => Some(dice.pick(&OFFSHORE)),
        Kind::Hotel if dice.chance(0.4) => Some(dice.pick(&RESORTS)),
        _ => None,
    };
    match (elsewhere, kind) {
        (Some(country), _) => atlas::place(country),
        (None, Kind::Office | Kind::Softphone) if dice.chance(0.08) => atlas::abroad(market, dice),
        _ => market,
    }
}

/// Softswitches send what their customers dialled in one form; some customers go round that.
fn dial_prefix(kind: Kind, tenant: &Tenant, dice: &mut Dice) -> &'static str {
    let is_american = tenant.home.calling_code == "1";
    match (kind, dice.below(100)) {
        (Kind::Office | Kind::Hotel, 0) if is_american => "9011",
        (Kind::Office | Kind::Hotel, 0) => "900",
        (_, 1) if is_american => "011",
        (_, 1 | 2) => "00",
        (_, 3 | 4) => "+",
        (_, 5 | 6) => "",
        _ => tenant.dial_prefix,
    }
}

fn line(kind: Kind, dice: &mut Dice) -> Line {
    let [hosted, gateway, anonymous] = match kind {
        Kind::Household => [1, 6, 2],
        Kind::Office => [28, 2, 2],
        Kind::CallCentre | Kind::Wholesale => [50, 0, 3],
        Kind::Hotel => [15, 2, 0],
        Kind::Softphone => [0, 30, 12],
    };
    match dice.weighted(&[
        hosted,
        gateway,
        anonymous,
        100 - hosted - gateway - anonymous,
    ]) {
        0 => Line::Hosted,
        1 => Line::Gateway,
        2 => Line::Anonymous,
        _ => Line::Own,
    }
}

fn users(kind: Kind, market: &Place, dice: &mut Dice) -> Vec<Arc<str>> {
    const NAMES: [&str; 8] = [
        "anna", "joao", "mira", "pat", "office", "sales", "tom", "lena",
    ];
    let main = market.number(dice, false);
    match kind {
        Kind::Household | Kind::CallCentre | Kind::Wholesale => vec![main.into()],
        Kind::Softphone if dice.chance(0.3) => {
            vec![format!("{}{}", dice.pick(&NAMES), dice.between(1, 999)).into()]
        }
        Kind::Softphone => vec![main.into()],
        Kind::Office => {
            let first: u64 = main.parse().unwrap_or_default();
            let extensions = dice.magnitude(1.0, 4) as u64;
            (0..extensions)
                .map(|extension| (first + extension).to_string().into())
                .collect()
        }
        Kind::Hotel => {
            let floor = *dice.pick(&[100, 100, 1_000]);
            let mut room = || dice.between(1, 8) * floor + dice.between(1, 30);
            (0..48).map(|_| room().to_string().into()).collect()
        }
    }
}

/// Some have family, or customers, just where fraud likes to go.
fn contacts_abroad(home: &Place, kind: Kind, dice: &mut Dice) -> Vec<String> {
    let countries = match kind {
        Kind::Household => *dice.pick(&[0, 0, 0, 1, 1, 2]),
        Kind::Softphone => dice.between(1, 3),
        Kind::Office => dice.between(0, 5),
        Kind::CallCentre => dice.between(0, 2),
        Kind::Hotel => 4,
        Kind::Wholesale => 0,
    };
    let mut numbers = Vec::new();
    for _ in 0..countries {
        let country = Abroad::any(home, 30, dice);
        let people = dice.between(1, 5);
        numbers.extend((0..people).map(|_| country.number(dice)));
    }
    numbers
}

/// Share of the calls that go abroad, of those who know somebody there.
fn abroad(kind: Kind, dice: &mut Dice) -> f64 {
    match kind {
        Kind::Household => *dice.pick(&[0.03, 0.08, 0.4]),
        Kind::Office => *dice.pick(&[0.02, 0.06, 0.06, 0.35]),
        Kind::CallCentre => 0.03,
        Kind::Hotel => 0.12,
        Kind::Wholesale => 0.0,
        Kind::Softphone => *dice.pick(&[0.1, 0.3, 0.5]),
    }
}

fn extras(kind: Kind, market: &Place, dice: &mut Dice) -> Extras {
    let is_office = matches!(kind, Kind::Office | Kind::CallCentre | Kind::Hotel);
    let alarm = dice.chance(if is_office { 0.08 } else { 0.03 });
    let alarm = alarm.then(|| (dice.between(0, 359), domestic(market, dice)));
    let faxes = if is_office && dice.chance(0.12) {
        dice.between(1, 6)
    } else {
        0
    };
    let fax = (0..faxes)
        .map(|_| match dice.chance(0.25) {
            true => Abroad::any(market, 25, dice).number(dice),
            false => market.number(dice, false),
        })
        .collect();
    let ships = if kind == Kind::Office && dice.chance(0.02) {
        dice.between(1, 4)
    } else {
        0
    };
    let at_sea = (0..ships).map(|_| satellite(dice)).collect();
    let monitor = (is_office && dice.chance(0.015))
        .then(|| (dice.pick(&devices::MONITOR), market.number(dice, false)));
    Extras {
        alarm,
        fax,
        at_sea,
        monitor,
    }
}
