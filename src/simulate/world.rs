//! Everybody, as of one day: it depends on the seed and the day alone, so that a history and a
//! later day belong together.

use super::atlas::{self, Place};
use super::devices::{self, Model};
use super::dice::{Dice, Purpose};
use super::networks;
use super::subscriber::{Access, Kind, Line, Subscriber, Tenancy};
use super::tenant::{NEWCOMERS, Tenant};
use std::net::IpAddr;

/// Tenants and subscribers.
#[derive(Debug)]
pub(super) struct World {
    pub(super) seed: u64,
    /// The large ones, then the small ones that come and go.
    pub(super) tenants: Vec<Tenant>,
    pub(super) subscribers: Vec<Subscriber>,
    /// Those of the tenants that are large.
    large: u32,
    tenancies: Vec<Tenancy>,
}

impl World {
    /// The first subscribers are the same whatever their number.
    pub(super) fn new(seed: u64, tenants: u32, subscribers: u32, day: u64) -> Self {
        let mut world = Self {
            seed,
            tenants: tenants_on(seed, tenants, day),
            subscribers: Vec::new(),
            large: tenants,
            tenancies: Vec::new(),
        };
        if tenants > 0 {
            for index in 0..u64::from(subscribers) {
                let tenancy = Tenancy::of(seed, index, day);
                let who = Subscriber::new(seed, index, tenancy, &world.tenants);
                world.tenancies.push(tenancy);
                world.subscribers.push(who);
            }
        }
        world
    }

    /// Makes it the world of that day: customers leave, others come.
    pub(super) fn turn_to(&mut self, day: u64) {
        self.tenants = tenants_on(self.seed, self.large, day);
        for (index, tenancy) in self.tenancies.iter_mut().enumerate() {
            let now = Tenancy::of(self.seed, index as u64, day);
            if now != *tenancy {
                *tenancy = now;
                self.subscribers[index] =
                    Subscriber::new(self.seed, index as u64, now, &self.tenants);
            }
        }
    }

    /// The usual telephone at the usual place, on that day since the epoch.
    pub(super) fn at_home(&self, who: &Subscriber, day: u64) -> Access {
        let tenant = &self.tenants[who.tenant];
        let model = self.model(who);
        Access {
            source_ip: self.line_address(who, tenant, day),
            user_agent: who.agent(model, day),
            form: tenant.rewrites.unwrap_or(model.form),
        }
    }

    /// What he carries about, if he does: a program besides the telephone, or the telephone.
    pub(super) fn carried(&self, who: &Subscriber, home: &Access, day: u64) -> Option<Access> {
        if who.kind == Kind::Softphone {
            return Some(home.clone());
        }
        let app = who.app?;
        Some(Access {
            source_ip: home.source_ip,
            user_agent: who.agent(app, day),
            form: self.tenants[who.tenant].rewrites.unwrap_or(app.form),
        })
    }

    /// The address of what is carried about, in that country, at that moment (milliseconds since
    /// the epoch): it changes by the hour or the day.
    pub(super) fn roaming_address(&self, who: &Subscriber, country: &Place, at_ms: u64) -> IpAddr {
        let hours = [1, 3, 6, 24][(who.phase % 4) as usize];
        let mut dice = who.dice(self.seed, Purpose::Roaming, at_ms / (hours * 3_600_000));
        match dice.below(100) {
            0..8 => networks::anonymous(self.seed, &mut dice),
            8..55 => networks::mobile_gateway(self.seed, country, &mut dice),
            55..70 => country.cellular(&mut dice),
            _ => country.broadband(&mut dice),
        }
    }

    /// Where this subscriber spends that day when abroad: some take days off, and those with a
    /// softphone travel for their work.
    pub(super) fn travels(&self, who: &Subscriber, day: u64) -> Option<&'static Place> {
        let (period, most, goes) = match who.kind {
            Kind::Softphone => (40, 12, 0.5),
            Kind::Household if who.app.is_some() => (90, 14, 0.3),
            _ => return None,
        };
        let (number, at) = ((day + who.phase) / period, (day + who.phase) % period);
        let mut dice = who.dice(self.seed, Purpose::Holiday, number);
        let goes = dice.chance(goes);
        let country = if dice.chance(0.2) {
            atlas::risky(&mut dice)
        } else {
            atlas::abroad(who.home, &mut dice)
        };
        let from = dice.below(period - most);
        let days = dice.between(2, most);
        (goes && (from..from + days).contains(&at)).then_some(country)
    }

    /// What he calls with; all of a tenant's change when it migrates.
    fn model(&self, who: &Subscriber) -> &'static Model {
        let migration = self.tenants[who.tenant].migration.number;
        let mut dice = who.dice(self.seed, Purpose::Device, migration);
        match who.kind {
            Kind::Household => dice.pick(&devices::HOUSEHOLD),
            Kind::Office => dice.pick(&devices::OFFICE),
            Kind::CallCentre => dice.pick(&devices::CALL_CENTRE),
            Kind::Hotel => dice.pick(&devices::HOTEL),
            Kind::Wholesale => dice.pick(&devices::CARRIER),
            Kind::Softphone => dice.pick(&devices::SOFTPHONE),
        }
    }

    fn line_address(&self, who: &Subscriber, tenant: &Tenant, day: u64) -> IpAddr {
        if who.is_behind_border && !tenant.borders.is_empty() {
            let border = who.index as usize % tenant.borders.len();
            return tenant.borders[border];
        }
        let lease = (day + who.phase) / who.lease_days;
        let mut dice = who.dice(self.seed, Purpose::Lease, lease);
        match who.line {
            Line::Own => who.home.broadband(&mut dice),
            Line::Hosted => networks::hosting(&mut dice),
            Line::Gateway => networks::mobile_gateway(self.seed, who.home, &mut dice),
            Line::Anonymous => networks::anonymous(self.seed, &mut dice),
        }
    }

    /// How many times as much people of that country call on that day, if it is a peak.
    pub(super) fn peak(&self, country: &Place, day: u64) -> Option<f64> {
        const PERIOD: u64 = 28;
        let country = country
            .country
            .bytes()
            .fold(0, |sum, b| sum * 256 + u64::from(b));
        let about = [country, day / PERIOD];
        let mut dice = Dice::new(self.seed, Purpose::CountryEvent, &about);
        let is_storm = dice.chance(0.45) && dice.below(PERIOD) == day % PERIOD;
        let factor = dice.scale(5.0, 8.0);
        (is_storm || super::calendar::is_new_year(day as i64)).then_some(factor)
    }
}

fn tenants_on(seed: u64, large: u32, day: u64) -> Vec<Tenant> {
    (0..large)
        .map(|number| Tenant::large(seed, number, day))
        .chain((0..NEWCOMERS).map(|place| Tenant::newcomer(seed, place, day)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 20_000;

    #[test]
    fn more_subscribers_leave_the_first_ones_as_they_were() {
        let (few, many) = (World::new(3, 4, 20, DAY), World::new(3, 4, 50, DAY));
        for (a, b) in few.subscribers.iter().zip(&many.subscribers) {
            assert_eq!(
                (&a.users, a.kind, &a.contacts),
                (&b.users, b.kind, &b.contacts)
            );
        }
    }

    #[test]
    fn a_world_that_was_lived_through_is_the_world_of_its_day() {
        let mut lived = World::new(3, 4, 300, DAY);
        let first: Vec<_> = lived
            .subscribers
            .iter()
            .map(|who| who.users[0].clone())
            .collect();
        for day in DAY + 1..=DAY + 60 {
            lived.turn_to(day);
        }
        let fresh = World::new(3, 4, 300, DAY + 60);
        let mut stayed = 0;
        for ((a, b), before) in lived.subscribers.iter().zip(&fresh.subscribers).zip(first) {
            assert_eq!((&a.users, a.joined), (&b.users, b.joined));
            let (x, y) = (lived.at_home(a, DAY + 60), fresh.at_home(b, DAY + 60));
            assert_eq!((x.source_ip, x.user_agent), (y.source_ip, y.user_agent));
            stayed += usize::from(a.users[0] == before);
        }
        // In two months some left, and all the small tenants' customers.
        assert!((250..295).contains(&stayed), "{stayed}");
    }

    #[test]
    fn addresses_and_firmware_change_now_and_then() {
        let world = World::new(3, 4, 200, DAY);
        let changes = |of: fn(Access) -> String| {
            let changed =
                |s: &&Subscriber| of(world.at_home(s, DAY)) != of(world.at_home(s, DAY + 21));
            world.subscribers.iter().filter(changed).count()
        };
        let (addresses, agents) = (
            changes(|access| access.source_ip.to_string()),
            changes(|access| access.user_agent.to_string()),
        );
        assert!((40..140).contains(&addresses), "{addresses}");
        assert!((3..50).contains(&agents), "{agents}");
    }

    #[test]
    fn peaks_are_rare_and_hit_a_country_at_a_time() {
        let world = World::new(3, 4, 1, DAY);
        let storms = |country| {
            let place = atlas::place(country);
            (DAY..DAY + 360)
                .filter(|&day| world.peak(place, day).is_some())
                .count()
        };
        let all: Vec<_> = ["GB", "DE", "US", "ES"].map(storms).to_vec();
        assert!(all.iter().all(|&days| (2..16).contains(&days)), "{all:?}");
    }
}
