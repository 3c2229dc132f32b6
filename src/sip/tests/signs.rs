//! What is odd about messages, told by messages.

use super::*;
use crate::domain::{Sign, Signs};

const TELEPHONE: &str = include_str!("../../../tests/data/sip/telephone.sip");
const SCANNER: &str = include_str!("../../../tests/data/sip/scanner.sip");
const DIALLER: &str = include_str!("../../../tests/data/sip/dialler.sip");

/// With the right Content-Length, whatever a test made of the body.
fn signs_of(text: &str) -> Vec<Sign> {
    let (head, body) = text.split_once("\n\n").expect("a body");
    let body = body.replace('\n', "\r\n");
    let head: Vec<String> = head
        .lines()
        .map(|line| match line.split_once(": ") {
            Some(("Content-Length", _)) => format!("Content-Length: {}", body.len()),
            _ => line.to_owned(),
        })
        .collect();
    let text = format!("{}\n\n{}", head.join("\n"), body.replace("\r\n", "\n"));
    attempt_of(&text).0.signs.iter().collect()
}

fn changed(from: &str, to: &str) -> Vec<Sign> {
    assert!(TELEPHONE.contains(from), "{from}");
    signs_of(&TELEPHONE.replacen(from, to, 1))
}

#[test]
fn a_telephone_has_none() {
    assert_eq!(signs_of(TELEPHONE), []);
    let relayed = TELEPHONE.replacen("Max-", "P-Received: 203.0.113.7\nMax-", 1);
    assert_eq!(
        signs_of(&relayed.replace("IP4 192.0.2.7", "IP4 10.0.0.5")),
        []
    );
}

#[test]
fn known_tools_have_several() {
    assert_eq!(
        signs_of(SCANNER),
        [
            Sign::NoSdp,
            Sign::ToolName,
            Sign::ContactUnusable,
            Sign::HexTag,
            Sign::DecimalCallId,
            Sign::ViaUnusable,
            Sign::NoAllow,
        ]
    );
    assert_eq!(
        signs_of(DIALLER),
        [Sign::SdpPrivate, Sign::ToolName, Sign::NoAllow]
    );
}

#[test]
fn each_sign_has_its_change() {
    let all =
        "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, REFER, NOTIFY\nSupported: replaces, timer\n";
    for (from, to, sign) in [
        ("v=0\n", "", Sign::NoSdp),
        ("m=audio", "m=image", Sign::SdpNoAudio),
        ("c=IN IP4 192.0.2.7", "c=IN IP4 0.0.0.0", Sign::SdpUnusable),
        (
            "c=IN IP4 192.0.2.7",
            "c=IN IP4 224.2.1.1/127",
            Sign::SdpUnusable,
        ),
        (
            "c=IN IP4 192.0.2.7",
            "c=IN IP4 192.168.1.9",
            Sign::SdpPrivate,
        ),
        ("s=call", "s=sipcli", Sign::ToolName),
        ("\"Reception\"", "\"sipvicious\"", Sign::ToolName),
        ("alice@itsp.example>;", "100@1.1.1.1>;", Sign::ToolName),
        (
            "Contact: <sip:alice@192.0.2.7:5060>\n",
            "",
            Sign::ContactUnusable,
        ),
        (
            "Contact: <sip:alice@192.0.2.7:5060>",
            "Contact: *",
            Sign::ContactUnusable,
        ),
        (
            "<sip:alice@192.0.2.7:5060>",
            "<sip:a@0.0.0.0>",
            Sign::ContactUnusable,
        ),
        (";tag=8c1d2f40", "", Sign::NoFromTag),
        ("tag=8c1d2f40", "tag=3139382e35312e3101333134", Sign::HexTag),
        (
            "0_3320894417@192.0.2.7",
            "559204811736209417738052",
            Sign::DecimalCallId,
        ),
        ("Max-Forwards: 70\n", "", Sign::NoMaxForwards),
        ("z9hG4bK1f0c77a1", "1f0c77a1", Sign::OldBranch),
        ("UDP 192.0.2.7", "UDP localhost", Sign::ViaUnusable),
        (
            "To: <sip:442079460123",
            "To: <sip:442079460999",
            Sign::ToDiffers,
        ),
        (all, "", Sign::NoAllow),
    ] {
        assert_eq!(changed(from, to), [sign], "{from} -> {to}");
    }
}

#[test]
fn what_looks_alike_is_none() {
    for (from, to) in [
        ("tag=8c1d2f40", "tag=8c1d2f40a7b399e0f1c2d3e4"),
        ("To: <sip:442079460123", "To: <sip:02079460123"),
        ("To: <sip:442079460123", "To: <sip:reception"),
        (
            "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, REFER, NOTIFY\n",
            "",
        ),
        ("c=IN IP4 192.0.2.7", "c=IN IP6 2001:db8::7"),
        ("s=call", "s=sip media"),
        ("v=0\n", "--part\nContent-Type: application/sdp\n\nv=0\n"),
    ] {
        assert_eq!(changed(from, to), [], "{from} -> {to}");
    }
}

/// Every call of a machine's own tests comes from loopback.
#[test]
fn loopback_may_name_itself() {
    let text = wire(&TELEPHONE.replace("192.0.2.7", "127.0.0.1"));
    let source = "127.0.0.1:5060".parse().expect("address");
    let mut endpoint = endpoint(Ingress::Prevention);
    let Outcome::Decide(call) = endpoint.receive(&text, source, now()) else {
        panic!("a call");
    };
    assert_eq!(call.asked.attempt.signs, Signs::NONE);
}
