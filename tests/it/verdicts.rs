//! Verdicts by command and over HTTP, and what they suggest, against the real ClickHouse.

use crate::import::{HEADER, import, json, text, written};
use crate::support::{Api, TestService};
use serde_json::{Value, json};

/// Calls that belong to a campaign and calls that do not, named by their Call-ID.
///
/// Alice calls Britain as ever. In one night her account calls Somalia, from a new address with a
/// tool; bob, of the same domain, is called for from there too; carol of another domain calls the
/// same thousand numbers. What looks alike and is not: dave calls that block as he always did; eve
/// called it a month ago; bob's own telephone; fred's account has no history, in which all would be new.
const CALLS: &str = "\
2026-02-05T10:00:00Z,a.example,alice,442071838750,192.0.2.1,phone,old-britain
2026-02-05T11:00:00Z,b.example,carol,442071838750,192.0.2.30,phone,old-carol
2026-02-25T10:00:00Z,c.example,dave,252617700001,192.0.2.40,phone,daves-own
2026-02-26T10:00:00Z,a.example,bob,442071838750,192.0.2.2,phone,bobs-old
2026-03-10T10:00:00Z,a.example,bob,442071838751,192.0.2.2,phone,bobs-own
2026-03-10T11:00:00Z,a.example,alice,442071838750,192.0.2.1,phone,day-britain
2026-03-11T01:00:00Z,a.example,alice,252617700001,198.51.100.9,tool,seed
2026-03-11T01:01:00Z,a.example,alice,252617700002,198.51.100.9,tool,same-block
2026-03-11T01:02:00Z,a.example,alice,252619900002,192.0.2.1,phone,same-country
2026-03-11T01:03:00Z,a.example,bob,37120000000,198.51.100.9,tool,same-tool
2026-03-11T01:04:00Z,b.example,carol,252617700009,192.0.2.30,phone,other-tenant
2026-03-11T01:04:30Z,d.example,fred,252617700008,192.0.2.50,phone,fresh-tenant
2026-03-11T01:05:00Z,c.example,dave,252617700003,192.0.2.40,phone,daves-habit
2026-03-11T09:00:00Z,a.example,alice,252619900003,192.0.2.1,phone,too-late
2026-03-11T10:00:00Z,a.example,alice,442071838750,192.0.2.1,phone,next-britain
";

fn service(database: &str) -> TestService {
    let service = TestService::start_on_shared(database);
    for domain in ["a.example", "b.example", "c.example", "d.example"] {
        service.tfps_ok(&["domain", "add", domain]);
    }
    let header = HEADER.trim_end().replace(
        "user_agent,calls,verdict,campaign",
        "user_agent,call_id,calls,verdict,campaign",
    );
    let rows: Vec<String> = CALLS.lines().map(|line| format!("{line},,,")).collect();
    let file = written(
        &service,
        "calls.csv",
        format!("{header}\n{}\n", rows.join("\n")),
    );
    let said = import(&service, &file, &[]);
    assert_eq!(said["imported"]["calls"], 15);
    assert_eq!(text(&file).rsplit('/').next(), Some("calls.csv"));
    service
}

fn id(service: &TestService, call_id: &str) -> String {
    let id = service.sql(&format!("SELECT id FROM calls WHERE call_id = '{call_id}'"));
    assert_eq!(id.len(), 36, "{call_id}: {id}");
    id
}

/// Call-ID and rule of each open suggestion.
fn suggested(service: &TestService) -> Vec<(String, String)> {
    let rows = service.sql(
        "SELECT c.call_id, s.rule FROM verdict_suggestions_open AS s INNER JOIN calls AS c ON c.id = s.id \
         ORDER BY c.at",
    );
    let pairs = rows.lines().filter_map(|line| line.split_once('\t'));
    pairs
        .map(|(call, rule)| (call.to_owned(), rule.to_owned()))
        .collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected
        .iter()
        .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
        .collect()
}

fn labelled(service: &TestService) -> String {
    service.sql("SELECT call_id, toString(verdict), campaign FROM calls_labelled ORDER BY at")
}

#[test]
fn fraud_suggests_its_campaign_and_nothing_becomes_a_label_by_itself() {
    let service = service("verdicts_cli");
    let seed = id(&service, "seed");
    let noted = service.tfps(&[
        "verdict",
        "fraud",
        "--call-id",
        "seed",
        "--campaign",
        "night",
        "--by",
        "ann",
        "--json",
    ]);
    assert_eq!(json(&noted, 0), json!({"calls": 1, "suggested": 4}));
    let expected = [
        ("same-block", "caller-block"),
        ("same-country", "caller-country"),
        ("same-tool", "source-tool"),
        ("other-tenant", "block-tenants"),
    ];
    assert_eq!(suggested(&service), pairs(&expected));
    assert_eq!(labelled(&service), "seed\tfraud\tnight");

    let shown = json(&service.tfps(&["verdict", "suggestions", "--json"]), 0);
    let reasons: Vec<&str> = shown
        .as_array()
        .expect("rows")
        .iter()
        .filter_map(|row| row["reason"].as_str())
        .collect();
    assert!(
        reasons.iter().all(|reason| reason.contains(&seed)),
        "{reasons:?}"
    );
    assert!(reasons.contains(
        &format!("the same caller to the same thousand numbers, 60 s after call {seed}").as_str()
    ));

    let fresh = &shown.as_array().expect("rows")[0];
    assert_eq!(fresh["call"]["called_country"], "SO");
    let table = service.tfps_ok(&["verdict", "suggestions"]);
    for told in ["alice@a.example", "252617700002", "caller", "score"] {
        assert!(table.contains(told), "{told}: {table}");
    }

    // The same word again suggests nothing twice.
    service.tfps_ok(&["verdict", "fraud", &seed, "--campaign", "night"]);
    assert_eq!(suggested(&service).len(), 4);

    service.tfps_ok(&[
        "verdict",
        "suggestions",
        "--accept",
        &id(&service, "same-block"),
        "--by",
        "ann",
    ]);
    service.tfps_ok(&[
        "verdict",
        "suggestions",
        "--dismiss",
        &id(&service, "same-country"),
    ]);
    assert_eq!(
        labelled(&service),
        "seed\tfraud\tnight\nsame-block\tfraud\tnight"
    );
    let again = service.tfps(&[
        "verdict",
        "suggestions",
        "--accept",
        &id(&service, "same-country"),
    ]);
    assert_eq!(again.code, Some(1));
    assert!(again.stderr.contains("no suggestion waits"), "{again:?}");
    // What was dismissed is not suggested again, and what rests on a withdrawn word no longer.
    service.tfps_ok(&["verdict", "fraud", &seed]);
    assert_eq!(suggested(&service), pairs(&expected[2..]));
    service.tfps_ok(&["verdict", "withdraw", &seed]);
    assert_eq!(suggested(&service), []);
    assert_eq!(labelled(&service), "same-block\tfraud\tnight");
    service.tfps_ok(&["verdict", "fraud", &seed, "--campaign", "night"]);
    assert_eq!(suggested(&service), pairs(&expected[2..]));
    let all = ["verdict", "suggestions", "--accept-all", "--because", &seed];
    let one = service.tfps(&[&all[..], &["--limit", "1", "--json"]].concat());
    assert_eq!(
        json(&one, 0),
        json!({"accepted": 1}),
        "as many as are shown"
    );
    assert!(one.stderr.contains("more wait"), "{one:?}");
    let log = json(&service.tfps(&["audit", "--json", "--limit", "1"]), 0);
    assert_eq!(log[0]["change"]["after"]["campaign"], "night");
    service.tfps_ok(&all);
    assert_eq!(suggested(&service), []);
    assert_eq!(labelled(&service).lines().count(), 4);

    let history = json(&service.tfps(&["verdict", "history", &seed, "--json"]), 0);
    let said: Vec<&str> = history
        .as_array()
        .expect("rows")
        .iter()
        .filter_map(|row| row["said"].as_str())
        .collect();
    assert_eq!(said, ["fraud", "withdrawn", "fraud", "fraud", "fraud"]);
    assert_eq!(history[4]["by"], "ann");
    let log = json(&service.tfps(&["audit", "--json", "--limit", "1"]), 0);
    assert_eq!(
        (&log[0]["action"], &log[0]["actor"]),
        (&json!("verdict"), &json!("cli"))
    );
    assert_eq!(log[0]["change"]["after"]["calls"], 1);
}

#[test]
fn by_what_is_known_of_calls_and_only_after_a_yes() {
    let service = service("verdicts_found");
    let night = [
        "--user",
        "alice",
        "--from",
        "2026-03-11T00:00:00Z",
        "--to",
        "2026-03-11T02:00:00Z",
        "--number-prefix",
        "2526",
    ];
    let asked = service.tfps(&[&["verdict", "fraud"], &night[..]].concat());
    assert_eq!(asked.code, Some(1));
    assert!(
        asked.stderr.contains("3 calls: repeat it with --yes"),
        "{asked:?}"
    );
    assert!(
        asked
            .stderr
            .contains("alice@a.example to 252617700001 (SO)"),
        "{asked:?}"
    );
    assert_eq!(labelled(&service), "");
    service.tfps_ok(&[&["verdict", "fraud", "--yes"], &night[..]].concat());
    assert_eq!(labelled(&service).lines().count(), 3);
    for (options, told) in [
        (&["verdict", "fraud"][..], "which calls"),
        (&["verdict", "fraud", "--user", "nobody"], "no such call"),
        (
            &["verdict", "fraud", "00000000-0000-0000-0000-000000000000"],
            "no such call",
        ),
    ] {
        let ended = service.tfps(options);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.stderr.contains(told), "{ended:?}");
    }
}

#[test]
fn a_customer_judges_his_own_calls_and_hears_of_no_others() {
    let service = service("verdicts_api");
    let token = |name: &str, domain: &str| {
        let made = service.tfps_ok(&["token", "add", name, "--role", "domain", "--domain", domain]);
        Api::with_token(&service, made.trim())
    };
    let (own, other) = (token("own", "a.example"), token("other", "b.example"));
    let operator = Api::new(&service);
    let ids = |reply: Value| -> Vec<String> {
        let rows = reply.as_array().expect("rows").iter();
        rows.map(|row| row["id"].as_str().expect("an id").to_owned())
            .collect()
    };
    let seed = id(&service, "seed");
    let body = json!({"calls": [seed], "verdict": "fraud", "campaign": "night"});
    assert_eq!(other.send("POST", "/v1/verdicts", &body).status, 404);
    let noted = own.send("POST", "/v1/verdicts", &body);
    // Not the other tenant's call: it is not his to hear of.
    assert_eq!(
        (noted.status, noted.json()),
        (200, json!({"calls": 1, "suggested": 3}))
    );
    assert_eq!(ids(own.get("/v1/verdicts/suggestions").json()).len(), 3);
    assert_eq!(ids(other.get("/v1/verdicts/suggestions").json()).len(), 0);
    // An operator's word finds it, and makes the others an analyst's; still its owner is not told why.
    let noted = operator.send("POST", "/v1/verdicts", &body);
    assert_eq!(noted.json()["suggested"], 4);
    assert_eq!(
        ids(operator.get("/v1/verdicts/suggestions").json()).len(),
        4
    );
    assert_eq!(ids(other.get("/v1/verdicts/suggestions").json()).len(), 0);
    let theirs = format!("/v1/verdicts/suggestions/{}", id(&service, "other-tenant"));
    let accept = json!({"action": "accept"});
    assert_eq!(own.send("POST", &theirs, &accept).status, 404);
    assert_eq!(other.send("POST", &theirs, &accept).status, 404);
    let block = format!("/v1/verdicts/suggestions/{}", id(&service, "same-block"));
    assert_eq!(
        own.send("POST", &block, &accept).json(),
        json!({"settled": 1})
    );
    assert_eq!(own.send("POST", &block, &accept).status, 404, "settled");

    let rows = own.get("/v1/verdicts?verdict=fraud").json();
    assert_eq!(rows.as_array().expect("rows").len(), 2);
    assert_eq!(other.get("/v1/verdicts").json(), json!([]));
    let history = own.get(&format!("/v1/verdicts?call={seed}")).json();
    let said: Vec<_> = history
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| (row["by"].clone(), row["source"].clone()))
        .collect();
    assert_eq!(
        said,
        [
            (json!(""), json!("analyst")),
            (json!("token:own"), json!("customer"))
        ]
    );
    assert_eq!(other.get(&format!("/v1/verdicts?call={seed}")).status, 404);
    let undone = json!({"calls": [seed], "verdict": "withdrawn"});
    assert_eq!(own.send("POST", "/v1/verdicts", &undone).status, 200);
    // What the operator said stands.
    assert_eq!(labelled(&service), "seed\tfraud\tnight\nsame-block\tfraud");
    let log = operator.get("/v1/audit?actor=token:own").json();
    assert_eq!(log["items"].as_array().expect("lines").len(), 3);
}

#[test]
fn a_customer_neither_talks_over_an_analyst_nor_keeps_calls_from_him() {
    let service = service("verdicts_rank");
    let made = service.tfps_ok(&[
        "token",
        "add",
        "own",
        "--role",
        "domain",
        "--domain",
        "a.example",
    ]);
    let (own, operator) = (Api::with_token(&service, made.trim()), Api::new(&service));
    let seed = id(&service, "seed");
    let say = |who: &Api, call: &str, said: &str| {
        let body = json!({"calls": [call], "verdict": said});
        let noted = who.send("POST", "/v1/verdicts", &body);
        assert_eq!(noted.status, 200, "{noted:?}");
        noted.json()["suggested"].as_u64().expect("a number")
    };
    // Every order of the two: the customer's word first, last, and taken back.
    say(&own, &seed, "legitimate");
    assert_eq!(labelled(&service), "seed\tlegitimate");
    // What the customer calls legitimate beforehand is suggested to the analysts all the same.
    say(&own, &id(&service, "same-country"), "legitimate");
    assert_eq!(say(&operator, &seed, "fraud"), 4);
    let of_seed =
        || service.sql("SELECT verdict, verdict_source FROM calls_labelled WHERE call_id = 'seed'");
    assert_eq!(of_seed(), "fraud\tanalyst");
    for said in ["legitimate", "withdrawn"] {
        say(&own, &seed, said);
        assert_eq!(of_seed(), "fraud\tanalyst", "{said}");
    }
    say(&own, &seed, "legitimate");
    say(&operator, &seed, "withdrawn");
    assert_eq!(
        of_seed(),
        "legitimate\tcustomer",
        "the analyst's own is taken back"
    );
    assert_eq!(say(&operator, &seed, "fraud"), 0, "all four wait again");

    // He dismisses one, and accepts another only to take it back: the analysts still see both.
    let settle = |call: &str, action: &str| {
        let path = format!("/v1/verdicts/suggestions/{}", id(&service, call));
        own.send("POST", &path, &json!({"action": action})).status
    };
    let seen = || {
        own.get("/v1/verdicts/suggestions")
            .json()
            .as_array()
            .map(Vec::len)
    };
    assert_eq!(seen(), Some(2), "one he judged");
    assert_eq!(settle("same-tool", "dismiss"), 200);
    assert_eq!(settle("same-tool", "dismiss"), 404, "he settled it");
    assert_eq!(settle("same-block", "accept"), 200);
    assert_eq!(seen(), Some(0));
    say(&own, &id(&service, "same-block"), "withdrawn");
    assert_eq!(suggested(&service).len(), 4);
    assert_eq!(seen(), Some(0), "what he settled he is not asked again");
    // An analyst's own dismissal binds.
    service.tfps_ok(&[
        "verdict",
        "suggestions",
        "--dismiss",
        &id(&service, "same-tool"),
    ]);
    assert_eq!(say(&operator, &seed, "fraud"), 0);
    assert_eq!(suggested(&service).len(), 3);
}
