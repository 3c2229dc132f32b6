//! What a softswitch tells by headers, and what it is told by them.

use crate::support::{Phone, TestService, code_of, eventually};

const LONDON: &str = "442071838750";

/// As the open-source tfps 3 sends it; the User-Agent may hold semicolons.
#[test]
fn the_bundle_tells_all_five_at_once() {
    let service = TestService::prepare_on_shared("told_bundle");
    service.tfps_ok(&["domain", "add", "bundle.example", "--trust", "127.0.0.1"]);
    let rules = ["--mode", "R10=enforce", "--concurrent", "7"];
    let set = ["policy", "set", "bundle.example", "default"];
    service.tfps_ok(&[&set[..], &rules].concat());
    let service = service.started();
    let phone = Phone::new(service.prevention());
    let with = |bundle: &str| phone.invite(LONDON).with("P-TFPS", bundle);
    let bundle = "bob;bundle.example;203.0.113.5;Phone; model 2;";
    assert_eq!(code_of(&phone.ask(&with(&format!("{bundle}7")))), "R10");
    assert_eq!(code_of(&phone.ask(&with(&format!("{bundle}6")))), "A00");
    // What stands in a header of its own wins.
    let own = with(&format!("{bundle}7")).with("P-Calls", "2");
    assert_eq!(code_of(&phone.ask(&own)), "A00");
    // Too few fields say nothing, and are counted.
    assert_eq!(code_of(&phone.ask(&with("bob;bundle.example"))), "A00");
    let bad = service.metric("tfps_bad_headers_total", &["name=\"P-TFPS\""]);
    assert_eq!(bad, 1);

    service.wait_for_rows(4);
    let rows = service.sql(
        "SELECT account, policy_user, source_ip, user_agent, concurrent FROM calls ORDER BY at",
    );
    let told = "bundle.example\tbob@bundle.example\t::ffff:203.0.113.5\tPhone; model 2\t";
    let lines: Vec<_> = rows.lines().collect();
    assert_eq!(
        lines[..3],
        [7, 6, 2].map(|calls| format!("{told}{calls}")),
        "{rows}"
    );
    assert!(lines[3].ends_with("\t::ffff:127.0.0.1\t\t\\N"), "{rows}");
}

#[test]
fn plans_that_see_scores_are_told_score_and_reasons() {
    let service = TestService::start_on_shared("told_score");
    let phone = Phone::new(service.prevention());
    // A number of a satellite network, from a device of a known tool: some risk.
    let asking = || {
        phone
            .invite("881612345678")
            .with("P-UA", "friendly-caller")
            .with("P-Received", "203.0.113.66")
    };
    let answer = phone.ask(&asking());
    assert_eq!(answer.status(), Some(302));
    let score = answer.header("P-TFPS-Score").expect("a score").to_owned();
    let reasons = answer.header("P-TFPS-Reason").unwrap_or_default();
    assert!(!reasons.is_empty(), "{answer}");
    service.wait_for_rows(1);
    let row = service.sql(
        "SELECT leftPad(toString(toDecimal64(round(score, 3), 3)), 5, '0'), arrayStringConcat(reasons.tag, ',') FROM calls",
    );
    let (stored, tags) = row.split_once('\t').expect("two columns");
    assert_eq!(reasons, tags);
    let number = |text: &str| text.parse::<f64>().expect("a number");
    assert_eq!(score.len(), "0.123".len(), "{score}");
    assert!((0.0..=1.0).contains(&number(&score)), "{score}");
    assert!((number(&score) - number(stored)).abs() < 0.0015, "{row}");

    // A plan that does not see them is not told, nor is a proxy that forks its calls.
    service.tfps_ok(&["policy", "set", "root", "default", "--plan", "basic"]);
    eventually("the plan is in force", || {
        let answer = phone.ask(&asking());
        let told = ["P-TFPS-Score", "P-TFPS-Reason"].map(|name| answer.header(name).is_some());
        assert_eq!(told[0], told[1], "{answer}");
        (!told[0]).then_some(())
    });
    let forked = Phone::new(service.detection()).ask(&asking());
    assert_eq!(forked.header("P-TFPS-Score"), None);
}
