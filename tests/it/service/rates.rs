//! Rate decks: taken over while calls go on, whole or not at all, and kept with each call.

use crate::support::{Phone, TestService, eventually};

const LONDON: &str = "442071838750";

/// The price that was kept with the latest call, as ClickHouse writes it.
fn price_of_a_call(service: &TestService, phone: &Phone) -> String {
    let before = service.number("SELECT count() FROM calls").unwrap_or(0);
    phone.call(LONDON);
    service.wait_for_rows(before + 1);
    service.sql("SELECT price FROM calls ORDER BY at DESC LIMIT 1")
}

#[test]
fn a_deck_is_in_force_without_a_restart() {
    let service = TestService::start_on_shared("rates_in_force");
    let phone = Phone::new(service.prevention());
    let estimate = price_of_a_call(&service, &phone);
    assert_eq!(estimate, "0.008");

    let deck = service.folder().join("deck.csv");
    let deck_name = deck.to_str().expect("UTF-8");
    let import = ["rates", "import", deck_name, "--currency", "usd"];
    std::fs::write(&deck, "Prefix;Rate\n44;0,5\n1;0,01\n").expect("written");
    let told = service.tfps_ok(&import);
    assert!(told.contains("2 prefixes, prices in USD"), "{told}");
    assert!(told.contains("in force within"), "{told}");
    eventually("the deck is in force", || {
        (service.metric("tfps_rates_swaps_total", &[]) == 1).then_some(())
    });
    assert_eq!(price_of_a_call(&service, &phone), "0.5");
    let shown = service.tfps_ok(&["rates", "show", LONDON, "4930123456", "--json"]);
    let shown: serde_json::Value = serde_json::from_str(&shown).expect("JSON");
    assert_eq!(shown[0]["prefix"], "44");
    assert_eq!(shown[0]["price"], 0.5);
    assert_eq!(shown[0]["currency"], "USD");
    assert_eq!(
        (&shown[1]["price"], &shown[1]["own"]),
        (&().into(), &true.into())
    );

    // A bad row, and nothing is taken over: the command says which and why.
    std::fs::write(&deck, "Prefix;Rate\n44;0,7\n49;free\n").expect("written");
    let refused = service.tfps(&import);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    let reason = "deck.csv: line 3: price `free`: expected a number";
    assert!(refused.stderr.contains(reason), "{refused:?}");

    // The same by another hand: the service refuses it, and the last good one stays.
    std::fs::write(service.data().join("rates.csv"), "prefix,price\n44,x\n").expect("written");
    eventually("the file is refused", || {
        (service.metric("tfps_rates_refusals_total", &[]) == 1).then_some(())
    });
    assert!(
        service.log().contains("line 2: price `x`"),
        "{}",
        service.log()
    );
    assert_eq!(price_of_a_call(&service, &phone), "0.5");

    service.tfps_ok(&["rates", "reset"]);
    eventually("the estimates are in force", || {
        (service.metric("tfps_rates_swaps_total", &[]) == 2).then_some(())
    });
    assert_eq!(price_of_a_call(&service, &phone), estimate);
    let listed = service.tfps_ok(&["rates", "list", "--prefix", "88", "--json"]);
    let listed: serde_json::Value = serde_json::from_str(&listed).expect("JSON");
    let listed = listed.as_array().expect("a list");
    assert!(listed.len() > 5, "{listed:?}");
    let begins =
        |row: &serde_json::Value| row["prefix"].as_str().is_some_and(|p| p.starts_with("88"));
    assert!(listed.iter().all(begins), "{listed:?}");
}

/// What a service would refuse on its own, a file of calls is not scored under.
#[test]
fn a_service_starts_under_a_bad_deck_and_a_file_is_not_scored_under_it() {
    let service = TestService::prepare_on_shared("rates_bad").with_accounts();
    std::fs::write(service.data().join("rates.csv"), "prefix\n44\n").expect("written");
    let calls = service.folder().join("calls.csv");
    let header = "time,domain,user,dialed_number,source_ip,user_agent,calls,verdict,campaign";
    let row = "2026-03-01T09:30:00Z,a.example,alice,442071838750,192.0.2.1,Phone,,,";
    std::fs::write(&calls, format!("{header}\n{row}\n")).expect("written");
    let scored = service.tfps(&["score", calls.to_str().expect("UTF-8")]);
    assert_eq!(scored.code, Some(1), "{scored:?}");
    assert!(
        scored.stderr.contains("no column for the price"),
        "{scored:?}"
    );
    let service = service.started();
    let phone = Phone::new(service.prevention());
    assert_eq!(price_of_a_call(&service, &phone), "0.008");
    assert!(service.metric("tfps_rates_refusals_total", &[]) >= 1);
}
