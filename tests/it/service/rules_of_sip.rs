//! What RFC 3261 asks of a UAS that redirects, by the real service: CANCEL, extensions, and copies
//! of one request by several ways, which must not become a way around a refusal.

use crate::support::{Phone, TestService, code_of, eventually};

const NUMBER: &str = "5548987654321";
/// Of no country: R07.
const REFUSED: &str = "999123456789";
/// The only address that is trusted, where one is.
const SOFTSWITCH: &str = "127.0.0.9";

fn merged(service: &TestService) -> u64 {
    service.metric("tfps_rejected_total", &["reason=\"merged"])
}

#[test]
fn a_cancel_comes_too_late_and_is_told_so_politely() {
    let service = TestService::start_on_shared("sip_cancel");
    let phone = Phone::new(service.prevention());
    let invite = phone.invite(NUMBER);
    let answer = phone.ask_only(&invite);
    assert_eq!(code_of(&answer), "A00");
    let cancelled = phone.ask_only(&invite.as_method("CANCEL"));
    assert_eq!(cancelled.status(), Some(200));
    assert_eq!(cancelled.header("To"), answer.header("To"), "one To tag");
    // The INVITE's final answer stands.
    assert_eq!(phone.ask(&invite).to_string(), answer.to_string());
    let unknown = phone.invite(NUMBER).as_method("CANCEL");
    assert_eq!(phone.ask_only(&unknown).status(), Some(481));
    assert_eq!(service.decided(), 1);
}

#[test]
fn extensions_that_are_not_known_are_named() {
    let service = TestService::start_on_shared("sip_require");
    let phone = Phone::new(service.prevention());
    let requiring = |tags: &str| phone.ask(&phone.invite(NUMBER).with("Require", tags));
    let answer = requiring("100rel, telepathy, x");
    assert_eq!(answer.status(), Some(420));
    assert_eq!(answer.header("Unsupported"), Some("telepathy, x"));
    assert_eq!(code_of(&requiring("100rel,timer")), "A00");
    let options = phone.invite(NUMBER).as_method("OPTIONS");
    assert_eq!(phone.ask_only(&options).status(), Some(200));
}

#[test]
fn a_copy_of_an_approved_call_is_merged_until_the_first_is_acknowledged() {
    let service = TestService::start_on_shared("sip_merged");
    let phone = Phone::new(service.prevention());
    let (first, other) = (phone.invite(NUMBER), phone.invite(NUMBER));
    let copy = first.by_another_way();
    let answer = phone.ask_only(&first);
    assert_eq!(code_of(&answer), "A00");
    assert_eq!(phone.ask(&copy).status(), Some(482));
    // Neither another number nor another call is a copy.
    let elsewhere = first
        .by_another_way()
        .by_another_way()
        .about("442071838750");
    assert_eq!(code_of(&phone.ask(&elsewhere)), "A00");
    assert_eq!(code_of(&phone.ask(&other)), "A00");
    assert_eq!((service.decided(), merged(&service)), (3, 1));

    phone.acknowledge(&first, &answer);
    let later = copy.by_another_way();
    assert_eq!(code_of(&phone.ask(&later)), "A00", "asked anew");
    assert_eq!(
        phone.ask(&copy).status(),
        Some(482),
        "the same answer again"
    );
}

#[test]
fn a_copy_of_a_refused_call_is_refused_the_same_and_counted_once() {
    let service = TestService::start_on_shared("sip_merged_refused");
    let phone = Phone::new(service.prevention());
    let first = phone.invite(REFUSED);
    let answer = phone.ask_only(&first);
    assert_eq!(code_of(&answer), "R07");
    let mut copy = first.clone();
    for n in 1..=5 {
        copy = copy.by_another_way();
        let again = phone.ask_only(&copy);
        assert_eq!(again.header("Contact"), answer.header("Contact"));
        assert_eq!((service.decided(), merged(&service)), (1, n));
    }
    // In decline mode it is a 603.
    service.tfps_ok(&["policy", "set", "root", "default", "--answer", "decline"]);
    let declined = eventually("the mode is in force", || {
        let invite = phone.invite(REFUSED);
        (phone.ask_only(&invite).status() == Some(603)).then_some(invite)
    });
    let copy = declined.by_another_way();
    assert_eq!(phone.ask(&copy).status(), Some(603));
}

/// Who is going to call by the softswitch asks first himself, with all that he knows of what it
/// is going to ask.
#[test]
fn what_a_stranger_asked_changes_nothing_for_the_softswitch() {
    let service = TestService::prepare_on_shared("sip_merged_stranger");
    service.tfps_ok(&["domain", "untrust", "root", "127.0.0.0/8"]);
    service.tfps_ok(&["domain", "trust", "root", SOFTSWITCH]);
    let service = service.started();
    let stranger = Phone::new(service.prevention());
    let softswitch = Phone::from_address(SOFTSWITCH, service.prevention());
    for (number, code) in [(REFUSED, "R07"), (NUMBER, "A00")] {
        let invite = softswitch.invite(number);
        for asked in [&invite, &invite.by_another_way()] {
            let status = stranger.ask_only(asked).status();
            assert!(matches!(status, Some(401 | 403)), "{status:?}");
            // Again, as nothing of it is remembered.
            assert_eq!(stranger.ask_only(asked).status(), status);
        }
        assert_eq!(code_of(&softswitch.ask(&invite)), code);
    }
    assert_eq!((service.decided(), merged(&service)), (2, 0));
    assert_eq!(service.metric("tfps_retransmissions_total", &[]), 0);
}
