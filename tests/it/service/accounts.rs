//! Accounts edited from the command line are in force in the running service.

use std::time::{Duration, Instant};

use crate::support::{Message, Phone, TestService, code_of, eventually};

const LONDON: &str = "442071838750";

/// Longest time until an edit is in force: the accounts are looked at every quarter of a second.
const IN_FORCE: Duration = Duration::from_secs(3);

/// Edits, then asks with `invite` until the answer is `code`.
fn in_force(service: &TestService, edit: &[&str], code: &str, invite: impl Fn() -> Message) {
    service.tfps_ok(edit);
    let edited = Instant::now();
    let phone = Phone::new(service.prevention());
    eventually(&format!("{code} after {edit:?}"), || {
        let answer = phone.ask(&invite());
        (code_of(&answer) == code).then_some(())
    });
    let took = edited.elapsed();
    assert!(took < IN_FORCE, "{code} {took:?} after {edit:?}");
}

#[test]
fn lists_and_rules_are_in_force_within_a_second() {
    let service = TestService::start_on_shared("accounts_codes");
    let phone = Phone::new(service.prevention());
    let call = |number: &'static str| {
        let phone = &phone;
        move || phone.invite(number)
    };
    let from = |name: &'static str, value: &'static str| {
        let phone = &phone;
        move || phone.invite(LONDON).with(name, value)
    };
    let asked = |number: &str| code_of(&phone.call(number));
    assert_eq!(asked(LONDON), "A00");
    assert_eq!(asked("999123456789"), "R07");

    let add = |rest: &[&'static str]| [&["list", "add"], rest, &["--reason", "a test"]].concat();
    in_force(
        &service,
        &add(&["black", "prefix", "4420"]),
        "R03",
        call(LONDON),
    );
    // The policy's whitelist overrides the system's list.
    let white = ["white", "number", LONDON, "--of", "root/default"];
    in_force(&service, &add(&white), "A00", call(LONDON));
    assert_eq!(
        asked("442071838751"),
        "R03",
        "the neighbour is not whitelisted"
    );
    let remove = |list, kind, value| vec!["list", "remove", list, kind, value];
    let off = [
        remove("white", "number", LONDON),
        vec!["--of", "root/default"],
    ]
    .concat();
    in_force(&service, &off, "R03", call(LONDON));
    in_force(
        &service,
        &remove("black", "prefix", "4420"),
        "A00",
        call(LONDON),
    );

    let own = ["black", "prefix", "3491", "--of", "root/default"];
    in_force(&service, &add(&own), "R14", call("34911222333"));
    let agent = ["black", "agent", "^friendly-scanner"];
    in_force(
        &service,
        &add(&agent),
        "R01",
        from("P-UA", "Friendly-Scanner 1.8"),
    );
    let network = ["black", "network", "203.0.113.0/24"];
    in_force(
        &service,
        &add(&network),
        "R02",
        from("P-Received", "203.0.113.77"),
    );
    let group = ["group", "network", "198.51.100.0/24"];
    in_force(
        &service,
        &add(&group),
        "R12",
        from("P-Received", "198.51.100.8"),
    );

    let set = |options: &[&'static str]| [&["policy", "set", "root", "default"], options].concat();
    let not_to_britain = set(&["--mode", "R06=enforce", "--destination-except", "GB"]);
    in_force(&service, &not_to_britain, "R06", call(LONDON));
    assert_eq!(asked("4930901820"), "A00");
    let audit = set(&["--mode", "R06=audit"]);
    in_force(&service, &audit, "A00", call(LONDON));

    // What was decided, and why, stands with the calls.
    let rows = service.decided();
    service.wait_for_rows(rows);
    for (code, evidence) in [
        ("R03", "a test"),
        ("R14", "a test"),
        ("R01", "friendly-scanner"),
        ("R02", "203.0.113.0/24"),
        ("R12", "a test"),
        ("R06", "GB"),
        ("R07", "999"),
    ] {
        let stored = service.sql(&format!(
            "SELECT any(evidence['{code}']) FROM calls \
             WHERE code = '{code}' AND checks['{code}'] = 'refuse'"
        ));
        assert!(stored.contains(evidence), "{code}: {stored}");
    }
    let audited = "SELECT count() > 0 FROM calls WHERE code = 'A00' AND checks['R06'] = 'audit'";
    assert_eq!(service.sql(audited), "1");
}

/// Where a call comes from is read from the address, by Debian's tor-geoipdb (`make setup` installs it). Without a
/// database nobody knows, which is R05's business.
#[test]
fn a_country_of_origin_is_refused_by_the_address() {
    for (database, enabled, code) in [
        ("accounts_origin", "true", "R04"),
        ("accounts_no_origin", "false", "R05"),
    ] {
        let service = TestService::prepare_on_shared(database).with("TFPS_GEO__ENABLED", enabled);
        let service = service.started();
        let phone = Phone::new(service.prevention());
        let from = |address: &str| phone.invite(LONDON).with("P-Received", address);
        let (american, own) = ("8.8.8.8", "10.1.2.3");
        assert_eq!(code_of(&phone.ask(&from(american))), "A00", "{database}");

        let set = ["policy", "set", "root", "default", "--origin-except", "US"];
        let rule = [
            &set[..],
            &["--mode", "R04=enforce", "--mode", "R05=enforce"],
        ]
        .concat();
        in_force(&service, &rule, code, || from(american));
        // A private address is of no country, whatever the database.
        assert_eq!(code_of(&phone.ask(&from(own))), "R05", "{database}");
        let known = [&set[..], &["--mode", "R05=off"]].concat();
        in_force(&service, &known, "A00", || from(own));
        let american = code_of(&phone.ask(&from(american)));
        assert_eq!(american == "R04", code == "R04", "{database}: {american}");

        service.wait_for_rows(service.decided());
        let origin = "SELECT DISTINCT origin FROM calls WHERE code = 'R04'";
        let expected = if code == "R04" { "US" } else { "" };
        assert_eq!(service.sql(origin), expected, "{database}");
    }
}

#[test]
fn an_edit_that_cannot_be_is_refused_and_changes_nothing() {
    let service = TestService::prepare().with_accounts();
    for (edit, said) in [
        (
            &["list", "add", "black", "number", "12a", "--reason", "x"][..],
            "12a",
        ),
        (
            &["list", "add", "black", "agent", "(", "--reason", "x"][..],
            "(",
        ),
        (
            &[
                "list",
                "add",
                "white",
                "network",
                "10.0.0.0/8",
                "--reason",
                "x",
            ][..],
            "10.0.0.0/8",
        ),
        (
            &["policy", "set", "root", "nosuch", "--mode", "R03=off"][..],
            "nosuch",
        ),
        (
            &["policy", "set", "root", "default", "--same-number", "0/60"][..],
            "same_number.calls `0`: expected from 1 to 100",
        ),
        (
            &["policy", "set", "root", "default", "--zone", "Mars/Base"][..],
            "off_hours.zone `Mars/Base`: expected an IANA time zone",
        ),
        (
            &["policy", "set", "root", "default", "--origin-only", "XG"][..],
            "origin.only[0] `XG`: expected a country code",
        ),
        (&["country", "risk", "ZZ", "low"][..], "country `ZZ`"),
        (
            &["policy", "set", "root", "default", "--risk-threshold", "2"][..],
            "2",
        ),
        (
            &["domain", "trust", "nosuch.example", "10.0.0.0/8"][..],
            "nosuch.example",
        ),
    ] {
        let before = service.tfps_ok(&["policy", "show", "root", "default", "--json"]);
        let ended = service.tfps(edit);
        assert_eq!(ended.code, Some(1), "{edit:?}: {ended:?}");
        assert!(ended.stderr.contains(said), "{edit:?}: {ended:?}");
        let after = service.tfps_ok(&["policy", "show", "root", "default", "--json"]);
        assert_eq!(before, after);
    }
    assert_eq!(service.tfps_ok(&["list", "show", "--json"]).trim(), "[]");
}

#[test]
fn a_peer_nobody_trusts_gets_403_and_nothing_about_why() {
    let service = TestService::start_on_shared("accounts_trust");
    let stranger = Phone::from_address("127.0.0.2", service.prevention());
    assert_eq!(code_of(&stranger.call(LONDON)), "A00");

    service.tfps_ok(&["domain", "trust", "root", "127.0.0.1"]);
    service.tfps_ok(&["domain", "untrust", "root", "127.0.0.0/8"]);
    let refused = eventually("403", || {
        let answer = stranger.call(LONDON);
        (answer.status() == Some(403)).then_some(answer)
    });
    assert_eq!(refused.start, "SIP/2.0 403 Forbidden");
    for told in ["Contact", "Reason", "Warning", "WWW-Authenticate"] {
        assert_eq!(refused.header(told), None);
    }
    assert_eq!(
        code_of(&Phone::new(service.prevention()).call(LONDON)),
        "A00"
    );
    assert!(service.metric("tfps_rejected_total", &["reason=\"not-served\""]) > 0);

    // The free port is open to strangers all the same; nobody's account is charged with it.
    let free = Phone::from_address("127.0.0.2", service.detection());
    assert_eq!(free.call(LONDON).status(), Some(503));
    let calls = service.decided();
    service.wait_for_rows(calls);
    assert_eq!(
        service.sql("SELECT account FROM calls WHERE ingress = 'detection'"),
        ""
    );
}

#[test]
fn a_domain_of_its_own_has_its_own_rules() {
    let service = TestService::start_on_shared("accounts_domain");
    for edit in [
        &["domain", "add", "itsp.example", "--trust", "127.0.0.3"][..],
        &["policy", "create", "itsp.example", "strict"],
        &[
            "policy",
            "set",
            "itsp.example",
            "strict",
            "--answer",
            "decline",
        ],
        &[
            "list",
            "add",
            "black",
            "prefix",
            "44",
            "--of",
            "itsp.example/strict",
            "--reason",
            "x",
        ],
        &["subscriber", "set", "bob@itsp.example", "strict"],
    ] {
        service.tfps_ok(edit);
    }
    let phone = Phone::from_address("127.0.0.3", service.prevention());
    let by = |user: &str, number: &str| {
        let mut invite = phone.invite(number);
        for (name, value) in &mut invite.headers {
            if name == "From" {
                *value = value.replace("sip:alice@", &format!("sip:{user}@"));
            }
        }
        phone.ask(&invite)
    };
    eventually("bob is declined", || {
        (by("bob", LONDON).status() == Some(603)).then_some(())
    });
    assert_eq!(by("bob", "4930901820").status(), Some(503), "503 approves");
    assert_eq!(code_of(&by("alice", LONDON)), "A00");
    let account = phone.invite(LONDON).with("X-TFPS", "bob@itsp.example");
    assert_eq!(
        phone.ask(&account).status(),
        Some(603),
        "X-TFPS says whose policy applies"
    );

    let calls = service.decided();
    service.wait_for_rows(calls);
    let rows = service.sql(
        "SELECT DISTINCT account, policy, code FROM calls \
         WHERE account = 'itsp.example' ORDER BY policy, code",
    );
    assert_eq!(
        rows,
        "itsp.example\tdefault\tA00\nitsp.example\tstrict\tA00\nitsp.example\tstrict\tR14"
    );
}
