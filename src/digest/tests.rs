use super::*;
use crate::domain::{Challenge, DigestAlgorithm, Timestamp};
use std::cell::Cell;

thread_local! {
    /// Responses computed by this thread: the work that a judged claim costs.
    pub(super) static WORK: Cell<u32> = const { Cell::new(0) };
}

const NOW: Timestamp = Timestamp::from_secs(1_760_000_000);
const REALM: &str = "itsp.example";

fn settings() -> DigestSettings {
    DigestSettings {
        nonce_secs: 300,
        max_nonces: 100,
        algorithms: Algorithms(vec![DigestAlgorithm::Sha256, DigestAlgorithm::Md5]),
    }
}

fn gate() -> Gate {
    Gate::new([7; 32], 1, &settings())
}

/// What a client answers a challenge with. The response is computed by other code than the one
/// under test: plain text, hashed at one go.
fn answer(challenge: &Challenge, algorithm: DigestAlgorithm, password: &str, nc: u32) -> String {
    use md5::Digest as _;
    let hash = |text: String| match algorithm {
        DigestAlgorithm::Md5 => hex(&md5::Md5::digest(text)),
        DigestAlgorithm::Sha256 => hex(&sha2::Sha256::digest(text)),
    };
    let nonce = &challenge.nonce;
    let ha1 = hash(format!("alice:{REALM}:{password}"));
    let ha2 = hash("INVITE:sip:5548@host".to_owned());
    let response = hash(format!("{ha1}:{nonce}:{nc:08x}:c:auth:{ha2}"));
    format!(
        "Digest username=\"alice\", realm=\"{REALM}\", nonce=\"{nonce}\", uri=\"sip:5548@host\", \
         response=\"{response}\", algorithm={}, cnonce=\"c\", nc={nc:08x}, qop=auth",
        algorithm.as_str()
    )
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn judge(gate: &Gate, header: &str, now: Timestamp) -> Option<Result<(), Refused>> {
    let claim = gate.claim(REALM, &[header.to_owned()])?;
    let ha1 = Ha1::of("alice", REALM, "correct horse");
    Some(gate.check(&claim, "INVITE", &ha1, true, now))
}

/// RFC 7616 section 3.9.1: the example that both algorithms are computed for.
#[test]
fn the_example_of_the_rfc() {
    let ha1 = Ha1::of("Mufasa", "http-auth@example.org", "Circle of Life");
    let signed = ha1::Signed {
        method: "GET",
        uri: "/dir/index.html",
        nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
        count: "00000001",
        client_nonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
    };
    for (algorithm, response) in [
        (DigestAlgorithm::Md5, "8ca523f5e9506fed4657c9700eebdbec"),
        (
            DigestAlgorithm::Sha256,
            "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
        ),
    ] {
        let expected = ha1::Response::expected(&ha1, algorithm, &signed);
        let sent = ha1::Response::parse(response, algorithm).expect("hexadecimal");
        assert!(bool::from(expected.matches(&sent)), "{algorithm:?}");
        let wrong = response.replacen('7', "6", 1);
        let wrong = ha1::Response::parse(&wrong, algorithm).expect("hexadecimal");
        assert!(!bool::from(expected.matches(&wrong)), "{algorithm:?}");
    }
}

#[test]
fn the_right_password_passes_once_with_either_algorithm() {
    let gate = gate();
    for (random, algorithm) in [(1, DigestAlgorithm::Md5), (2, DigestAlgorithm::Sha256)] {
        let challenge = gate.challenge(REALM, false, random, NOW);
        let header = answer(&challenge, algorithm, "correct horse", 1);
        assert_eq!(judge(&gate, &header, NOW), Some(Ok(())));
        assert_eq!(judge(&gate, &header, NOW), Some(Err(Refused::Replayed)));
        let next = answer(&challenge, algorithm, "correct horse", 2);
        assert_eq!(judge(&gate, &next, NOW), Some(Ok(())));
        let wrong = answer(&challenge, algorithm, "incorrect horse", 3);
        assert_eq!(judge(&gate, &wrong, NOW), Some(Err(Refused::Wrong)));
    }
}

#[test]
fn a_wrong_password_is_told_nothing_of_the_nonce_and_uses_no_count() {
    let gate = gate();
    let challenge = gate.challenge(REALM, false, 1, NOW);
    let wrong = answer(&challenge, DigestAlgorithm::Md5, "guess", 1);
    let late = NOW.plus_secs(10_000);
    assert_eq!(judge(&gate, &wrong, NOW), Some(Err(Refused::Wrong)));
    assert_eq!(judge(&gate, &wrong, late), Some(Err(Refused::Wrong)));
    let right = answer(&challenge, DigestAlgorithm::Md5, "correct horse", 1);
    assert_eq!(judge(&gate, &right, late), Some(Err(Refused::Stale)));
}

#[test]
fn a_nonce_is_good_for_its_life_to_the_microsecond() {
    let gate = gate();
    let challenge = gate.challenge(REALM, false, 1, NOW);
    let header = |nc| answer(&challenge, DigestAlgorithm::Md5, "correct horse", nc);
    let last = NOW.plus_secs(300);
    assert_eq!(judge(&gate, &header(1), last), Some(Ok(())));
    let after = Timestamp(last.0 + 1);
    assert_eq!(judge(&gate, &header(2), after), Some(Err(Refused::Stale)));
}

#[test]
fn nonces_of_an_earlier_process_are_stale_not_forged() {
    let before = Gate::new([7; 32], 1, &settings());
    let after = Gate::new([7; 32], 2, &settings());
    let header = answer(
        &before.challenge(REALM, false, 1, NOW),
        DigestAlgorithm::Md5,
        "correct horse",
        1,
    );
    assert_eq!(judge(&after, &header, NOW), Some(Err(Refused::Stale)));
}

#[test]
fn a_clock_that_is_set_back_opens_no_gate_and_shuts_none() {
    let gate = gate();
    let ask = |random, now| {
        let challenge = gate.challenge(REALM, false, random, now);
        answer(&challenge, DigestAlgorithm::Md5, "correct horse", 1)
    };
    let first = ask(1, NOW);
    assert_eq!(judge(&gate, &first, NOW), Some(Ok(())));
    // A small step: what was used stays used.
    let little = Timestamp(NOW.0 - Timestamp::SECOND / 2);
    assert_eq!(judge(&gate, &first, little), Some(Err(Refused::Replayed)));
    // A day: what was given out before is stale, for good, and new nonces are taken.
    let yesterday = NOW.plus_secs(-86_400);
    assert_eq!(judge(&gate, &first, yesterday), Some(Err(Refused::Stale)));
    let second = ask(2, yesterday);
    assert_eq!(judge(&gate, &second, yesterday), Some(Ok(())));
    assert_eq!(judge(&gate, &first, NOW), Some(Err(Refused::Stale)));
    // A year ahead and back again.
    let third = ask(3, NOW.plus_secs(365 * 86_400));
    let fourth = ask(4, NOW);
    assert_eq!(judge(&gate, &fourth, NOW), Some(Ok(())));
    assert_eq!(judge(&gate, &third, NOW), Some(Err(Refused::Stale)));
}

#[test]
fn only_what_is_ours_is_a_claim() {
    let gate = gate();
    let challenge = gate.challenge(REALM, false, 1, NOW);
    let good = answer(&challenge, DigestAlgorithm::Md5, "correct horse", 1);
    let elsewhere = gate.challenge("other.example", false, 1, NOW);
    let stranger = Gate::new([8; 32], 1, &settings()).challenge(REALM, false, 1, NOW);
    let mut turned = challenge.nonce.clone().into_bytes();
    turned[0] = if turned[0] == b'A' { b'B' } else { b'A' };
    let turned = String::from_utf8(turned).expect("ASCII");
    for (what, nonce) in [
        ("another realm's", elsewhere.nonce.as_str()),
        ("another key's", stranger.nonce.as_str()),
        ("changed", turned.as_str()),
        ("cut", &challenge.nonce[1..]),
        ("none", "x"),
    ] {
        let header = good.replace(&challenge.nonce, nonce);
        assert!(gate.claim(REALM, &[header]).is_none(), "{what}");
    }
    let other_realm = good.replace(REALM, "other.example");
    let headers = ["Basic x".to_owned(), other_realm, good];
    let claim = gate.claim(REALM, &headers).expect("the one of ours");
    assert_eq!(claim.user(), "alice");
    assert!(gate.claim(REALM, &headers[..2]).is_none());
    assert!(claim.signs_number("5548") && !claim.signs_number("5549"));
    assert!(signs_target(&headers[2], "sip:5548@host"));
    assert!(!signs_target(&headers[2], "sip:5548@host2"));
}

#[test]
fn what_is_not_offered_is_not_taken() {
    let strict = DigestSettings {
        algorithms: Algorithms(vec![DigestAlgorithm::Sha256]),
        ..settings()
    };
    let gate = Gate::new([7; 32], 1, &strict);
    let challenge = gate.challenge(REALM, false, 1, NOW);
    assert_eq!(headers(&challenge).len(), 1);
    let header = answer(&challenge, DigestAlgorithm::Md5, "correct horse", 1);
    assert_eq!(judge(&gate, &header, NOW), None);
}

#[test]
fn a_challenge_is_one_header_an_algorithm_the_preferred_first() {
    let challenge = gate().challenge(REALM, true, 1, NOW);
    let nonce = &challenge.nonce;
    assert_eq!(nonce.len(), 48);
    assert_eq!(
        headers(&challenge),
        ["SHA-256", "MD5"].map(|algorithm| format!(
            "Digest realm=\"itsp.example\", nonce=\"{nonce}\", qop=\"auth\", algorithm={algorithm}, stale=true"
        ))
    );
    let fresh = gate().challenge("a\"b\\\r\nc", false, 1, NOW);
    let header = &headers(&fresh)[0];
    assert!(header.starts_with("Digest realm=\"abc\", "), "{header}");
    assert!(!header.contains("stale"), "{header}");
}

#[test]
fn an_unknown_user_costs_the_same_work() {
    let gate = gate();
    let challenge = gate.challenge(REALM, false, 1, NOW);
    let header = answer(&challenge, DigestAlgorithm::Sha256, "correct horse", 1);
    let claim = gate.claim(REALM, &[header]).expect("ours");
    let ha1 = Ha1::of("alice", REALM, "correct horse");
    let work = |known| {
        let before = WORK.get();
        let judged = gate.check(&claim, "INVITE", &ha1, known, NOW);
        (judged, WORK.get() - before)
    };
    assert_eq!(work(false), (Err(Refused::Wrong), 1));
    assert_eq!(work(true), (Ok(()), 1));
}
