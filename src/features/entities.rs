//! The things a call touches, as keyed hashes.

use super::Context;
use crate::domain::{Number, Timestamp};
use chrono::{Datelike, Timelike};
use siphasher::sip::SipHasher13;
use std::hash::{Hash, Hasher};
use std::net::{IpAddr, Ipv6Addr};

/// Digits of the prefix whose history is kept: country, operator and range.
const PREFIX_DIGITS: u32 = 6;
/// Numbers of a block: those that differ in the last three digits only. Ranges are assigned, and
/// rented out, by the thousand.
const BLOCK: u64 = 1_000;
/// Last digits of the dialled string that stay the same while a scanner varies what precedes.
const SUFFIX_DIGITS: usize = 8;
/// How far a number may be from another to be next to it.
const NEIGHBOURS: [i64; 4] = [-1, 1, -2, 2];

/// What is tracked; part of the key. The discriminants are part of the saved state.
#[derive(Clone, Copy)]
#[repr(u64)]
pub(super) enum Kind {
    User = 1,
    Source,
    Tenant,
    Prefix,
    Number,
    UserCountry,
    TenantCountry,
    UserPrefix,
    TenantPrefix,
    UserNumber,
    UserSource,
    UserOrigin,
    UserAgent,
    TenantAgent,
    TenantSource,
    UserSlot,
    Beginning,
    UserNumbers,
    UserPrefixes,
    UserCountries,
    UserNovel,
    PrefixTenants,
    NumberCallers,
    SourceUsers,
    SourceTenants,
    Beginnings,
    Block,
    UserBlock,
    BlockCallers,
    TenantBlock,
    BlockTenants,
    Country,
    CountryLength,
    UserNet,
    TenantNet,
    UserSources,
    UserFamily,
    AgentTenants,
    UserWeekSlot,
    UserDays,
    TenantSlot,
    UserForeign,
    UserRun,
    UserConcurrent,
    UserSpend,
    TenantSpend,
    UserPriceClass,
    TenantPriceClass,
    UserExpensive,
    HoneypotPrefix,
    HoneypotPrefixNet,
    HoneypotBlock,
    HoneypotBlockNet,
    HoneypotSource,
    HoneypotNet,
    HoneypotAgent,
    HoneypotAgentNet,
}

/// Keyed hashes of the things a call touches.
pub(super) struct Entities {
    pub(super) user: u64,
    pub(super) tenant: u64,
    pub(super) source: u64,
    pub(super) net: u64,
    pub(super) country: u64,
    pub(super) prefix: u64,
    pub(super) block: u64,
    pub(super) number: u64,
    /// Of numbers next to this one.
    pub(super) neighbours: [Option<u64>; NEIGHBOURS.len()],
    /// Of the number's length.
    pub(super) length: u64,
    pub(super) agent: u64,
    /// Of the device's make.
    pub(super) family: u64,
    pub(super) origin: u64,
    /// Two hours of the day.
    pub(super) slot: u64,
    /// Two hours of working days or of weekends.
    pub(super) week_slot: u64,
    /// Working day or weekend.
    pub(super) day_kind: u64,
    pub(super) suffix: u64,
    pub(super) beginning: u64,
}

impl Entities {
    pub(super) fn new(hash: Hash64<'_>, c: &Context<'_>, now: Timestamp) -> Self {
        let attempt = c.attempt;
        let dialed = attempt.dialed.as_str();
        let split = dialed
            .char_indices()
            .rev()
            .nth(SUFFIX_DIGITS - 1)
            .map_or(0, |(at, _)| at);
        let at = now.to_datetime();
        let slot = at.hour() / 2;
        let weekend = is_weekend(now);
        let number = c.destination.number;
        let of_number = |part: fn(Number) -> u64| match number {
            Some(number) => hash.of(part(number)),
            None => hash.of(dialed),
        };
        Self {
            user: hash.of((c.account, c.scope, &attempt.user, &attempt.domain)),
            // A stranger may claim any domain; his address he cannot choose.
            tenant: match c.scope {
                Some(peer) => hash.of(peer),
                None => hash.of((c.account, &attempt.domain)),
            },
            source: hash.of(attempt.source_ip.to_canonical()),
            net: hash.of(network(attempt.source_ip)),
            country: hash.of(c.destination.country),
            prefix: of_number(|number| number.prefix(PREFIX_DIGITS)),
            block: of_number(|number| number.as_u64() / BLOCK),
            number: of_number(Number::as_u64),
            neighbours: NEIGHBOURS.map(|step| {
                let near = number?.as_u64().checked_add_signed(step)?;
                Some(hash.of(Number::from_u64(near)?.as_u64()))
            }),
            length: hash.of(number.map_or(0, Number::digits)),
            agent: hash.of(&attempt.user_agent),
            family: hash.of(Family(&attempt.user_agent)),
            origin: hash.of(c.origin),
            slot: hash.of(slot),
            week_slot: hash.of((slot, weekend)),
            day_kind: hash.of(weekend),
            suffix: hash.of(&dialed[split..]),
            beginning: hash.of(&dialed[..split]),
        }
    }
}

/// Saturday and Sunday, UTC.
pub(super) fn is_weekend(now: Timestamp) -> bool {
    now.to_datetime().weekday().number_from_monday() > 5
}

/// The /24 of an IPv4 address, the /48 of an IPv6 one.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            [a, b, c, 0].into()
        }
        IpAddr::V6(address) => {
            let [a, b, c, ..] = address.segments();
            Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0).into()
        }
    }
}

/// The make of a device: the first word of its user agent, of either case. Versions and models
/// change with every update; the make with the device.
struct Family<'a>(&'a str);

impl Hash for Family<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let ends = |b: &u8| matches!(b, b' ' | b'/' | b'-' | b'_' | b'(' | b';');
        for byte in self.0.bytes().take_while(|byte| !ends(byte)) {
            state.write_u8(byte.to_ascii_lowercase());
        }
    }
}

/// Hashes under a key that nobody outside knows.
#[derive(Clone, Copy)]
pub(super) struct Hash64<'k>(pub(super) &'k [u8; 16]);

impl Hash64<'_> {
    pub(super) fn of(self, value: impl Hash) -> u64 {
        let mut hasher = SipHasher13::new_with_key(self.0);
        value.hash(&mut hasher);
        hasher.finish()
    }
}

/// Key of a kind of track over one or two entities. Both are keyed hashes already, so a
/// multiplication mixes them well enough.
pub(super) fn key(kind: Kind, a: u64, b: u64) -> u64 {
    let left = a ^ (kind as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let right = b.rotate_left(32) ^ 0xd6e8_feb8_6659_fd93;
    let product = u128::from(left) * u128::from(right | 1);
    #[expect(clippy::cast_possible_truncation, reason = "folding the two halves")]
    let folded = (product as u64) ^ ((product >> 64) as u64);
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_make_of_a_device_outlives_its_updates() {
        let hash = Hash64(&[3; 16]);
        let family = |agent| hash.of(Family(agent));
        assert_eq!(
            family("Yealink SIP-T46S 66.84.0.15"),
            family("yealink SIP-T46U 108.86")
        );
        assert_eq!(family("Asterisk PBX 18.2"), family("Asterisk/20"));
        assert_ne!(family("Yealink SIP-T46S"), family("Grandstream GXP1625"));
    }

    #[test]
    fn networks() {
        let of = |text: &str| network(text.parse().expect("address")).to_string();
        assert_eq!(of("198.51.100.77"), "198.51.100.0");
        assert_eq!(of("::ffff:198.51.100.77"), "198.51.100.0");
        assert_eq!(of("2001:db8:1:2::3"), "2001:db8:1::");
    }
}
