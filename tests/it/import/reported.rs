//! A customer's month, audited in one command.

use super::{HEADER, json, text, written};
use crate::support::TestService;

/// A quiet fortnight of one caller, then a night of calls to a listed range.
fn month() -> String {
    let mut rows = HEADER.trim_end().to_owned() + ",duration_s\n";
    for day in 1..=14 {
        rows.push_str(&format!(
            "2026-03-{day:02}T10:00:00Z,a.example,alice,442071838750,192.0.2.1,phone,0,legitimate,,60\n"
        ));
    }
    for minute in 0..20 {
        rows.push_str(&format!(
            "2026-03-15T02:{minute:02}:00Z,a.example,\"=alice|<b>\",2526177{minute:04},198.51.100.9,tool,0,fraud,night,120\n"
        ));
    }
    rows
}

#[test]
fn without_clickhouse_as_a_page_and_as_json() {
    let service = TestService::prepare_on_shared("import_reported").with_accounts();
    // Nothing is there to be asked.
    let service = service.with("TFPS_STORE__URL", "http://127.0.0.1:9");
    service.tfps_ok(&[
        "list",
        "add",
        "black",
        "prefix",
        "2526177",
        "--reason",
        "revenue share",
    ]);
    let file = written(&service, "march.csv", month());
    let said = service.tfps(&["import", "--json", text(&file), "--dry-run", "--report"]);
    let said = json(&said, 0);
    assert!(said["imported"].is_null());
    let report = &said["report"];
    assert_eq!(
        (&report["all"]["calls"], &report["refused"]["calls"]),
        (&34.into(), &20.into())
    );
    assert_eq!(report["verdicts"]["fraud_found"]["calls"], 20);
    let r03 = report["codes"]
        .as_array()
        .expect("codes")
        .iter()
        .find(|code| code["code"] == "R03");
    assert_eq!(r03.expect("listed")["calls"], 20);
    let campaign = &report["campaigns"][0];
    assert_eq!(
        (&campaign["caller"], &campaign["tally"]["calls"]),
        (&"=alice|<b>@a.example".into(), &20.into())
    );
    assert_eq!(campaign["tally"]["minutes"], 40.0);
    assert_eq!(campaign["country"], "SO");
    // The estimates that come with the program: what is long has a cost.
    assert_eq!(report["with_price"], 34);
    let cost = campaign["tally"]["cost"].as_f64().expect("a number");
    assert!(cost > 0.4, "forty minutes to Somalia: {cost}");
    assert_eq!(campaign["reasons"][0], "called number blacklisted");

    for (name, held) in [
        ("march.html", "=alice|&lt;b&gt;"),
        ("march.md", "=alice\\|&lt;b>"),
        ("march-campaigns.csv", "'=alice|<b>"),
        ("march.json", "\"=alice|<b>@a.example\""),
    ] {
        let out = service.folder().join(name);
        let option = format!("--report={}", text(&out));
        let said = service.tfps_ok(&["import", text(&file), "--dry-run", &option]);
        assert!(said.contains("the report is in"), "{said}");
        let page = std::fs::read_to_string(&out).expect("written");
        assert!(page.contains(held), "{page}");
    }
    let table = service.tfps_ok(&["import", text(&file), "--dry-run", "--report"]);
    assert!(!table.contains("cost -"), "{table}");
    assert!(
        table.contains("Suspected campaigns") && table.contains("R03"),
        "{table}"
    );

    let same = format!("--report={}", text(&file));
    for option in [same.as_str(), "--report=march.exe"] {
        let ended = service.tfps(&["import", text(&file), "--dry-run", option]);
        assert_eq!(ended.code, Some(1), "{ended:?}");
    }
    assert_eq!(std::fs::read_to_string(&file).expect("there"), month());
}
