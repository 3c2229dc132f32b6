//! Addresses that say little about who calls: hosting, anonymous networks, shared mobile gateways.
//!
//! Honest customers and attackers come from the same ones. The networks are generally known to
//! belong to hosting companies; an address in them is nobody's in particular.

use super::atlas::{Net, Place, address, net};
use super::dice::{Dice, Purpose};
use std::net::IpAddr;

/// Hosting companies of Europe and North America, and some of Asia.
const HOSTING: [Net; 34] = [
    net(51, 38, 0, 0, 16),
    net(51, 68, 0, 0, 16),
    net(51, 77, 0, 0, 16),
    net(54, 36, 0, 0, 16),
    net(137, 74, 0, 0, 16),
    net(145, 239, 0, 0, 16),
    net(88, 198, 0, 0, 16),
    net(95, 216, 0, 0, 16),
    net(138, 201, 0, 0, 16),
    net(144, 76, 0, 0, 16),
    net(148, 251, 0, 0, 16),
    net(104, 131, 0, 0, 16),
    net(138, 68, 0, 0, 16),
    net(159, 65, 0, 0, 16),
    net(167, 99, 0, 0, 16),
    net(134, 209, 0, 0, 16),
    net(45, 33, 0, 0, 17),
    net(172, 104, 0, 0, 15),
    net(45, 32, 0, 0, 16),
    net(45, 76, 0, 0, 16),
    net(62, 171, 128, 0, 17),
    net(207, 180, 192, 0, 18),
    net(208, 109, 0, 0, 16),
    net(163, 172, 0, 0, 16),
    net(51, 15, 0, 0, 16),
    net(3, 64, 0, 0, 12),
    net(18, 192, 0, 0, 13),
    net(34, 240, 0, 0, 13),
    net(52, 208, 0, 0, 13),
    net(20, 50, 0, 0, 15),
    net(13, 80, 0, 0, 15),
    net(47, 88, 0, 0, 14),
    net(119, 28, 0, 0, 15),
    net(43, 128, 0, 0, 14),
];

/// Providers of anonymous access.
const ANONYMOUS: [Net; 5] = [
    net(37, 120, 128, 0, 17),
    net(89, 187, 160, 0, 19),
    net(146, 70, 0, 0, 16),
    net(185, 220, 100, 0, 22),
    net(193, 32, 248, 0, 22),
];

/// Exits of anonymous networks in use: few, so that many share each.
const EXITS: u64 = 60;
/// Addresses behind which all mobiles of a country are.
const GATEWAYS: u64 = 24;

/// A rented machine.
pub(super) fn hosting(dice: &mut Dice) -> IpAddr {
    address(&HOSTING, dice)
}

/// One of the exits that everybody shares who hides where he is.
pub(super) fn anonymous(seed: u64, dice: &mut Dice) -> IpAddr {
    let exit = dice.below(EXITS);
    address(&ANONYMOUS, &mut Dice::new(seed, Purpose::Networks, &[exit]))
}

/// One of the gateways behind which a mobile network hides its customers.
pub(super) fn mobile_gateway(seed: u64, place: &Place, dice: &mut Dice) -> IpAddr {
    let country = place
        .country
        .bytes()
        .fold(1, |sum, byte| sum * 256 + u64::from(byte));
    let about = [country, dice.below(GATEWAYS)];
    place.cellular(&mut Dice::new(seed, Purpose::Networks, &about))
}

#[cfg(test)]
mod tests {
    use super::super::atlas::place;
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn shared_addresses_are_few_and_hosting_is_wide() {
        let mut dice = Dice::new(1, Purpose::Lease, &[]);
        let mut distinct = |draw: &dyn Fn(&mut Dice) -> IpAddr| {
            let drawn: HashSet<_> = (0..2_000).map(|_| draw(&mut dice)).collect();
            drawn.len()
        };
        assert!(distinct(&|dice| anonymous(7, dice)) <= EXITS as usize);
        let spain = place("ES");
        assert!(distinct(&|dice| mobile_gateway(7, spain, dice)) <= GATEWAYS as usize);
        assert!(distinct(&hosting) > 1_900);
    }
}
