//! Providers of telephony: the large ones that stay, and small ones that come and go.

use super::atlas::{self, Place};
use super::call_id::Form;
use super::dice::{Dice, Purpose};
use super::networks;
use super::numbers::domestic;
use std::net::IpAddr;
use std::sync::Arc;

/// Where the large tenants are at home.
pub(super) const HOMES: [&str; 12] = [
    "GB", "DE", "US", "ES", "BR", "FR", "IT", "NL", "PL", "AU", "ZA", "PT",
];

/// Small tenants at any time.
pub(super) const NEWCOMERS: u64 = 4;
/// How long each of them stays, days; one comes every fortnight.
const STAY: u64 = 56;

/// A provider of telephony, as of one day.
#[derive(Debug)]
pub(super) struct Tenant {
    /// Its domain.
    pub(super) domain: Arc<str>,
    /// Where most of its subscribers live.
    pub(super) home: &'static Place,
    /// What its softswitch leaves before an E.164 number.
    pub(super) dial_prefix: &'static str,
    /// Addresses behind which its subscribers stand; none: their own are seen.
    pub(super) borders: Vec<IpAddr>,
    /// The Call-IDs its softswitch writes over those of the devices, where it does.
    pub(super) rewrites: Option<Form>,
    /// Where its subscribers listen to what was left for them: E.164, or a code.
    pub(super) voicemail: String,
    /// Day since the epoch on which it was connected; a large one has always been there.
    pub(super) connected: Option<u64>,
    /// The last night in which all devices were replaced.
    pub(super) migration: Migration,
}

/// When a tenant last replaced everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Migration {
    /// Differs from one to the next.
    pub(super) number: u64,
    /// Day since the epoch; `None`: too long ago to matter.
    pub(super) day: Option<u64>,
}

impl Migration {
    /// Days in which a tenant migrates once, or not at all.
    const PERIOD: u64 = 45;
    /// Periods looked back.
    const LOOK_BACK: u64 = 12;

    fn of(seed: u64, tenant: u64, day: u64) -> Self {
        let phase = Dice::new(seed, Purpose::Migration, &[tenant]).below(Self::PERIOD);
        let now = day + phase;
        let latest = now / Self::PERIOD;
        let earliest = latest.saturating_sub(Self::LOOK_BACK);
        let nights = (earliest..=latest).rev().filter_map(|period| {
            let mut dice = Dice::new(seed, Purpose::Migration, &[tenant, period]);
            let happens = dice.chance(0.55);
            let night = period * Self::PERIOD + dice.below(Self::PERIOD);
            (happens && night <= now).then_some((period, night))
        });
        let mut nights = nights;
        nights
            .next()
            .map_or_else(Self::default, |(number, night)| Self {
                number,
                day: night.checked_sub(phase),
            })
    }
}

impl Tenant {
    /// One of the large ones, counted from 0.
    pub(super) fn large(seed: u64, number: u32, day: u64) -> Self {
        let number = u64::from(number);
        let mut dice = Dice::new(seed, Purpose::Tenant, &[number]);
        // The first tenants get different homes: neighbours in the list, from a place the seed
        // says.
        let homes = HOMES.len() as u64;
        let first = Dice::new(seed, Purpose::Tenant, &[]).below(homes);
        let home = atlas::place(HOMES[((first + number) % homes) as usize]);
        let migration = Migration::of(seed, number, day);
        let networks = [number, migration.number];
        Self::drawn(
            format!("itsp-{}.example", number + 1),
            home,
            &mut dice,
            &mut Dice::new(seed, Purpose::Tenant, &networks),
        )
        .with(None, migration)
    }

    /// The small one in that place (0 to [`NEWCOMERS`] - 1) on that day.
    pub(super) fn newcomer(seed: u64, place: u64, day: u64) -> Self {
        let (number, connected) = Self::newcomer_since(seed, place, day);
        let mut dice = Dice::new(seed, Purpose::Newcomer, &[number]);
        let home = atlas::place(dice.pick::<&str>(&HOMES));
        let domain = format!("itsp-n{number}.example");
        let mut networks = Dice::new(seed, Purpose::Newcomer, &[number, 1]);
        Self::drawn(domain, home, &mut dice, &mut networks)
            .with(Some(connected), Migration::default())
    }

    /// Number of the small tenant in that place, and the day on which it was connected.
    pub(super) fn newcomer_since(seed: u64, place: u64, day: u64) -> (u64, u64) {
        let shift = Dice::new(seed, Purpose::Newcomer, &[]).below(STAY);
        let now = day + STAY + shift - place * (STAY / NEWCOMERS);
        let number = now / STAY * NEWCOMERS + place;
        (number, day.saturating_sub(now % STAY))
    }

    /// Whether the softswitch of that domain says how many calls a caller has up: one in three
    /// never does.
    pub(super) fn counts_calls(seed: u64, domain: &str) -> bool {
        let letters: Vec<u64> = domain.bytes().map(u64::from).collect();
        !Dice::new(seed, Purpose::Counting, &letters).chance(1.0 / 3.0)
    }

    fn drawn(domain: String, home: &'static Place, dice: &mut Dice, networks: &mut Dice) -> Self {
        let dial_prefix = match dice.below(10) {
            0..6 => "",
            6..8 => "+",
            _ => "00",
        };
        let has_borders = dice.chance(0.3);
        let rewrites = dice
            .chance(0.25)
            .then(|| *dice.pick(&[Form::Uuid, Form::HexAtHost, Form::Decimal]));
        let voicemail = if dice.chance(0.2) {
            "*97".to_owned()
        } else {
            domestic(home, dice)
        };
        let borders = if has_borders {
            let count = networks.between(2, 4);
            let is_hosted = networks.chance(0.5);
            let mut border = || match is_hosted {
                true => networks::hosting(networks),
                false => home.broadband(networks),
            };
            (0..count).map(|_| border()).collect()
        } else {
            Vec::new()
        };
        Self {
            domain: domain.into(),
            home,
            dial_prefix,
            borders,
            rewrites,
            voicemail,
            connected: None,
            migration: Migration::default(),
        }
    }

    fn with(self, connected: Option<u64>, migration: Migration) -> Self {
        Self {
            connected,
            migration,
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_third_of_the_tenants_never_say_how_many_calls_are_up() {
        let domain = |number: u64| format!("itsp-{number}.example");
        let silent = |seed| {
            let domains = (1..=300).map(domain);
            domains.filter(move |domain| !Tenant::counts_calls(seed, domain))
        };
        assert!((70..130).contains(&silent(7).count()));
        assert!(!silent(7).eq(silent(8)));
    }

    #[test]
    fn a_migration_is_remembered_until_the_next() {
        let mut nights = 0;
        let mut before = Migration::of(7, 3, 20_000);
        for day in 20_001..20_450 {
            let now = Migration::of(7, 3, day);
            if now != before {
                assert_eq!(now.day, Some(day));
                nights += 1;
            }
            before = now;
        }
        assert!((2..=10).contains(&nights), "{nights}");
    }

    #[test]
    fn a_small_tenant_comes_every_fortnight_and_stays_for_eight_weeks() {
        let mut seen = Vec::new();
        for day in 20_000..20_112 {
            for place in 0..NEWCOMERS {
                let (number, connected) = Tenant::newcomer_since(7, place, day);
                assert!(connected <= day && day - connected < STAY);
                if connected == day {
                    seen.push(number);
                    let tenant = Tenant::newcomer(7, place, day);
                    assert_eq!(tenant.connected, Some(day));
                }
            }
        }
        assert_eq!(seen.len(), 8, "{seen:?}");
        seen.dedup();
        assert_eq!(seen.len(), 8, "{seen:?}");
    }
}
