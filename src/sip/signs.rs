//! What an INVITE looks like, apart from what it asks: the oddities of tools.
//!
//! They are those of the message as it came. One that a softswitch wrote shows the softswitch's
//! hand; at the honeypot, and where devices or raw mirrors speak to a port, the caller's own.
//! What each means stands in [`Sign::words`]. Nothing is allocated.

use super::address::Address;
use super::message::Request;
use super::text::{split_once, trim};
use super::uri::Uri;
use crate::domain::{Sign, Signs, is_tool_name};
use std::net::{IpAddr, Ipv4Addr};

/// An address that tools write where they have none of their own; who owns it places no calls.
const MADE_UP: IpAddr = IpAddr::V4(Ipv4Addr::new(1, 1, 1, 1));
/// Characters of the shortest tag that can be text in hexadecimal digits: eight bytes of text by
/// chance are one tag in two thousand.
const HEX_TAG: usize = 16;
/// Byte by which a well-known scanner divides what it hides in a tag.
const DIVIDER: u8 = 1;
/// Last digits by which two numbers are compared: what stands before is often rewritten.
const LAST_DIGITS: usize = 7;
/// Fewer digits than this are no number.
const FEW_DIGITS: usize = 4;

/// The signs of an INVITE that `peer` sent.
pub(super) fn signs(request: &Request<'_>, peer: IpAddr) -> Signs {
    let envelope = &request.envelope;
    let from_host = address_of(request.from.host);
    let contact = request.contact.map(contact_host);
    Signs::of_call_id(std::str::from_utf8(envelope.call_id).unwrap_or_default())
        .with_if(
            is_tool(envelope.from)
                || from_host == Some(MADE_UP)
                || contact.flatten().and_then(address_of) == Some(MADE_UP),
            Sign::ToolName,
        )
        .with_if(
            contact.is_none_or(|host| host.is_none_or(|host| is_unusable(host, peer))),
            Sign::ContactUnusable,
        )
        .with_if(envelope.from_tag.is_empty(), Sign::NoFromTag)
        .with_if(is_text_in_hex(envelope.from_tag), Sign::HexTag)
        .with_if(request.max_forwards.is_none(), Sign::NoMaxForwards)
        .with_if(!envelope.via.has_cookie(), Sign::OldBranch)
        .with_if(is_unusable(envelope.via.host, peer), Sign::ViaUnusable)
        .with_if(
            are_other_numbers(&request.uri, &request.to),
            Sign::ToDiffers,
        )
        .with_if(!request.tells_abilities, Sign::NoAllow)
        .with_all(media(request, peer))
}

/// What the session description shows (RFC 8866), also as a part of a larger body.
fn media(request: &Request<'_>, peer: IpAddr) -> Signs {
    let direct = request.hints.received.is_none() && request.hints.bundle.is_none();
    let mut signs = Signs::NONE;
    let (mut described, mut audio) = (false, false);
    for line in request.body.split(|byte| *byte == b'\n') {
        match trim(line) {
            [b'v', b'=', ..] => described = true,
            [b'm', b'=', media @ ..] => audio |= media.starts_with(b"audio "),
            [b'o' | b's', b'=', name @ ..] if is_tool_name(name) => {
                signs = signs.with(Sign::ToolName);
            }
            [b'c', b'=', connection @ ..] => {
                let host = connection.rsplit(|byte| *byte == b' ').next();
                let host = host.map_or(connection, |host| split_once(host, b'/').0);
                let private = address_of(host).is_some_and(is_private) && !is_private(peer);
                signs = signs
                    .with_if(is_unusable(host, peer), Sign::SdpUnusable)
                    .with_if(direct && private, Sign::SdpPrivate);
            }
            _ => {}
        }
    }
    signs
        .with_if(!described, Sign::NoSdp)
        .with_if(described && !audio, Sign::SdpNoAudio)
}

/// The name before the URI of From, or the user in it.
fn is_tool(from: &[u8]) -> bool {
    let name = trim(from);
    let name = name.strip_prefix(b"\"").unwrap_or(name);
    let uri = Address::parse(from).and_then(|address| Uri::parse(address.uri));
    is_tool_name(name) || uri.and_then(|uri| uri.user).is_some_and(is_tool_name)
}

/// Host of a Contact; `None`: `*`, or nothing that can be read.
fn contact_host(contact: &[u8]) -> Option<&[u8]> {
    let first = split_once(contact, b',').0;
    let uri = Uri::parse(Address::parse(first)?.uri)?;
    (!uri.host.is_empty()).then_some(uri.host)
}

fn address_of(host: &[u8]) -> Option<IpAddr> {
    let address: IpAddr = std::str::from_utf8(host).ok()?.parse().ok()?;
    Some(address.to_canonical())
}

/// Whether nobody but the machine itself can be reached at a host. Names may be anything.
fn is_unusable(host: &[u8], peer: IpAddr) -> bool {
    let own = host.eq_ignore_ascii_case(b"localhost") && !peer.is_loopback();
    own || address_of(host).is_some_and(|address| {
        let reachable = match address {
            IpAddr::V4(address) => !address.is_broadcast(),
            IpAddr::V6(_) => true,
        };
        !reachable
            || address == MADE_UP
            || address.is_unspecified()
            || address.is_multicast()
            || (address.is_loopback() && !peer.is_loopback())
    })
}

/// Private, shared and link-local addresses (RFC 1918, 6598, 4193), and loopback.
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let [a, b, ..] = address.octets();
            let shared = a == 100 && (64..128).contains(&b);
            address.is_private() || address.is_link_local() || address.is_loopback() || shared
        }
        IpAddr::V6(address) => {
            address.is_unique_local() || address.is_unicast_link_local() || address.is_loopback()
        }
    }
}

/// Whether a tag is printable text, written as hexadecimal digits.
fn is_text_in_hex(tag: &[u8]) -> bool {
    let value = |digit: u8| char::from(digit).to_digit(16);
    tag.len() >= HEX_TAG
        && tag.len().is_multiple_of(2)
        && tag.chunks_exact(2).all(|pair| {
            let byte = match pair {
                [high, low] => value(*high).zip(value(*low)),
                _ => None,
            };
            byte.is_some_and(|(high, low)| {
                let byte = high * 16 + low;
                byte == u32::from(DIVIDER) || (0x20..0x7f).contains(&byte)
            })
        })
}

/// Whether two URIs name numbers that end differently.
fn are_other_numbers(one: &Uri<'_>, other: &Uri<'_>) -> bool {
    let digits = |uri: &Uri<'_>| {
        let user = uri.user.unwrap_or_default();
        let mut last = [0; LAST_DIGITS];
        let mut count = 0;
        let digits = user.iter().rev().filter(|byte| byte.is_ascii_digit());
        for (place, digit) in last.iter_mut().zip(digits) {
            *place = *digit;
            count += 1;
        }
        (last, count)
    };
    let ((one, ones), (other, others)) = (digits(one), digits(other));
    let common = ones.min(others);
    common >= FEW_DIGITS && one[..common] != other[..common]
}
