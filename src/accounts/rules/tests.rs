use super::*;
use crate::domain::{Country, CountryRule, Hours, RiskClass, Timestamp};
use serde_json::{Value, json};

fn read(json: Value) -> PolicyRules {
    serde_json::from_value(json).expect("rules")
}

fn built(json: Value) -> Policy {
    read(json)
        .build("p", &CountryRisks::default())
        .expect("a policy")
}

fn country(code: &str) -> Country {
    Country::parse(code).expect("letters")
}

#[test]
fn rules_of_an_earlier_program_can_be_read() {
    let old = json!({
        "plan": "itsp", "answer": "redirect", "modes": {"R03": "enforce", "R15": "audit"},
        "risk_threshold": null, "origin": {}, "destination": {"except": ["CU", "XG"]}
    });
    let policy = built(old);
    assert_eq!(policy.mode(Check::R03), Mode::Enforce);
    assert_eq!(policy.mode(Check::R11), Mode::Off);
    assert!(!policy.destination.allows(country("XG")));
    assert_eq!(policy.calls_per_second, None);
    assert_eq!(policy.daily_quota, Limits::default());
}

#[test]
fn everything_set_survives_being_stored() {
    let all = json!({
        "plan": "basic", "answer": "decline", "risk_threshold": 0.5, "calls_per_second": 20,
        "modes": {"R11": "enforce"},
        "origin": {"only": ["BR"]}, "destination": {"only": ["continent:EU"], "except": ["risk:high"]},
        "concurrent": {"normal": 10, "off_hours": 2}, "daily_quota": {"off_hours": 0},
        "same_number": {"calls": 5, "seconds": 60},
        "off_hours": {"zone": "America/Sao_Paulo", "periods": [
            {"months": "oct-mar", "weekdays": "mon-fri", "from": "18:00", "to": "08:00"},
            {"from": "00:00", "to": "24:00"}]},
        "report": {"recipients": ["noc@itsp.example"], "period": "daily"}
    });
    let rules = read(all.clone());
    rules
        .build("p", &CountryRisks::default())
        .expect("a policy");
    assert_eq!(serde_json::to_value(&rules).expect("json"), all);
}

#[test]
fn rules_that_say_nothing_of_modes_begin_with_the_initial_ones() {
    assert_eq!(read(json!({})), PolicyRules::initial());
    let limited = read(json!({"concurrent": {"normal": 10}}));
    assert_eq!(limited.mode(Check::R03), Mode::Enforce);
    assert_eq!(limited.mode(Check::R15), Mode::Audit);
    assert_eq!(limited.mode(Check::R10), Mode::Off);
    let toml: PolicyRules = toml::from_str("plan = \"free\"\n").expect("rules");
    assert_eq!(toml.modes, PolicyRules::initial().modes);
}

#[test]
fn every_check_off_stays_so_however_it_is_stored() {
    let off = read(json!({"modes": {}}));
    assert!(REFUSAL_ORDER.iter().all(|&c| off.mode(c) == Mode::Off));
    assert_eq!(off, PolicyRules::default());
    let stored = serde_json::to_value(&off).expect("json");
    assert_eq!(read(stored), off);
    let stored = toml::to_string_pretty(&off).expect("toml");
    assert_eq!(toml::from_str::<PolicyRules>(&stored).expect("rules"), off);
}

#[test]
fn countries_are_resolved_when_the_policy_is_built() {
    let policy = built(json!({
        "destination": {"only": ["continent:EU", "br"], "except": ["risk:high", "CH"]},
        "origin": {"except": ["continent:AF"]}
    }));
    let to = |code| policy.destination.allows(country(code));
    assert!(to("DE") && to("BR"));
    assert!(!to("LV"), "in Europe, and of high risk");
    assert!(!to("CH") && !to("US") && !to("XG"));
    assert!(policy.origin.allows(country("DE")) && !policy.origin.allows(country("TN")));
    assert_eq!(built(json!({})).origin, CountryRule::Any);
}

#[test]
fn the_operators_risk_classes_are_used() {
    let rules = read(json!({"destination": {"except": ["risk:high"]}}));
    let own = [
        (country("TN"), RiskClass::Low),
        (country("DE"), RiskClass::High),
    ];
    let to = |risks: &CountryRisks| rules.build("p", risks).expect("a policy").destination;
    let (usual, own) = (to(&CountryRisks::default()), to(&own.into_iter().collect()));
    assert!(!usual.allows(country("TN")) && usual.allows(country("DE")));
    assert!(own.allows(country("TN")) && !own.allows(country("DE")));
}

#[test]
fn off_hours_are_what_they_say() {
    let policy = built(
        json!({"off_hours": {"zone": "America/Sao_Paulo", "periods": [
        {"months": "nov-feb,jul", "weekdays": "fri-mon", "from": "18:00", "to": "08:00"}]}}),
    );
    let [period] = policy.off_hours.periods[..] else {
        panic!("one");
    };
    assert_eq!(period.months, 0b1100_0100_0011);
    assert_eq!(period.weekdays, 0b111_0001);
    assert_eq!((period.from, period.to), (18 * 60, 8 * 60));
    // 2026-01-02 is a Friday; São Paulo is three hours behind UTC.
    let at = |utc: i64| policy.off_hours.local(Timestamp::from_secs(utc)).hours;
    let friday_1759 = 1_767_387_540;
    assert_eq!(at(friday_1759), Hours::Normal);
    assert_eq!(at(friday_1759 + 60), Hours::Off);
}

#[test]
fn every_error_names_the_field_the_value_and_what_was_expected() {
    let period = |period: Value| json!({"off_hours": {"zone": "UTC", "periods": [period]}});
    let long = "x".repeat(10_000_000);
    for (rules, field, value) in [
        (json!({"risk_threshold": 1.5}), "risk_threshold", "1.5"),
        (json!({"calls_per_second": 0}), "calls_per_second", "0"),
        (
            json!({"calls_per_second": 100_001}),
            "calls_per_second",
            "100001",
        ),
        (json!({"modes": {"R99": "enforce"}}), "modes", "R99"),
        (json!({"modes": {"r03": "enforce"}}), "modes", "r03"),
        (
            json!({"same_number": {"calls": 0, "seconds": 1}}),
            "same_number.calls",
            "0",
        ),
        (
            json!({"same_number": {"calls": 101, "seconds": 1}}),
            "same_number.calls",
            "101",
        ),
        (
            json!({"same_number": {"calls": 1, "seconds": 0}}),
            "same_number.seconds",
            "0",
        ),
        (
            json!({"same_number": {"calls": 1, "seconds": 604_801}}),
            "same_number.seconds",
            "604801",
        ),
        (
            json!({"off_hours": {"zone": "Mars/Base"}}),
            "off_hours.zone",
            "Mars/Base",
        ),
        (json!({"off_hours": {"zone": ""}}), "off_hours.zone", ""),
        (
            period(json!({"from": "24:00", "to": "08:00"})),
            "off_hours.periods[0].from",
            "24:00",
        ),
        (
            period(json!({"from": "8:00", "to": "09:00"})),
            "off_hours.periods[0].from",
            "8:00",
        ),
        (
            period(json!({"from": "08:00", "to": "24:01"})),
            "off_hours.periods[0].to",
            "24:01",
        ),
        (
            period(json!({"from": "08:00", "to": "09:60"})),
            "off_hours.periods[0].to",
            "09:60",
        ),
        (
            period(json!({"from": "08:00", "to": "+9:00"})),
            "off_hours.periods[0].to",
            "+9:00",
        ),
        (
            period(json!({"months": "", "from": "08:00", "to": "09:00"})),
            "off_hours.periods[0].months",
            "",
        ),
        (
            period(json!({"months": "jan-", "from": "08:00", "to": "09:00"})),
            "off_hours.periods[0].months",
            "jan-",
        ),
        (
            period(json!({"weekdays": "mo", "from": "08:00", "to": "09:00"})),
            "off_hours.periods[0].weekdays",
            "mo",
        ),
        (
            json!({"origin": {"only": ["BR", "XG"]}}),
            "origin.only[1]",
            "XG",
        ),
        (json!({"origin": {"only": ["ZZ"]}}), "origin.only[0]", "ZZ"),
        (
            json!({"destination": {"except": ["UK"]}}),
            "destination.except[0]",
            "UK",
        ),
        (
            json!({"destination": {"only": ["AQ"]}}),
            "destination.only[0]",
            "AQ",
        ),
        (
            json!({"destination": {"only": [""]}}),
            "destination.only[0]",
            "",
        ),
        (
            json!({"destination": {"only": ["continent:XX"]}}),
            "destination.only[0]",
            "continent:XX",
        ),
        (
            json!({"destination": {"only": ["risk:huge"]}}),
            "destination.only[0]",
            "risk:huge",
        ),
        (
            json!({"destination": {"only": ["price:9"]}}),
            "destination.only[0]",
            "price:9",
        ),
        (
            json!({"destination": {"only": vec!["BR"; 301]}}),
            "destination.only",
            "301",
        ),
        (
            json!({"destination": {"only": [long]}}),
            "destination.only[0]",
            "xxx",
        ),
        (
            json!({"report": {"recipients": []}}),
            "report.recipients",
            "0",
        ),
        (
            json!({"report": {"recipients": vec!["a@b"; 21]}}),
            "report.recipients",
            "21",
        ),
        (
            json!({"report": {"recipients": ["a@b.example", "noc"]}}),
            "report.recipients[1]",
            "noc",
        ),
        (
            json!({"report": {"recipients": ["a@b\r\nBcc: c@d"]}}),
            "report.recipients[0]",
            "a@b\\r\\nBcc: c@d",
        ),
        (
            json!({"report": {"recipients": [".a@b.example"]}}),
            "report.recipients[0]",
            ".a@b.example",
        ),
    ] {
        let error = read(rules)
            .build("p", &CountryRisks::default())
            .expect_err(field)
            .to_string();
        assert!(error.starts_with(&format!("{field} `")), "{field}: {error}");
        assert!(error.contains(value), "{field}: {error}");
        assert!(error.contains("expected "), "{field}: {error}");
        assert!(error.len() < 300, "{field}: {} bytes", error.len());
    }
}

#[test]
fn unknown_fields_are_refused_wherever_they_stand() {
    for json in [
        json!({"nosuch": 1}),
        json!({"concurrent": {"normal": 1, "nosuch": 1}}),
        json!({"same_number": {"calls": 1, "seconds": 1, "nosuch": 1}}),
        json!({"off_hours": {"zone": "UTC", "nosuch": 1}}),
        json!({"off_hours": {"zone": "UTC", "periods": [{"from": "", "to": "", "nosuch": 1}]}}),
        json!({"report": {"recipients": [], "nosuch": 1}}),
        json!({"origin": {"nosuch": []}}),
        json!({"daily_quota": {"normal": -1}}),
        json!({"daily_quota": {"normal": 1.5}}),
        json!({"daily_quota": {"normal": 4_294_967_296u64}}),
        json!({"same_number": {"calls": 1}}),
        json!({"report": {"recipients": [], "period": "hourly"}}),
    ] {
        let text = json.to_string();
        serde_json::from_value::<PolicyRules>(json).expect_err(&text);
    }
}

#[test]
fn a_period_is_written_as_it_is_read() {
    for text in [
        "oct-mar mon-fri 18:00-08:00",
        "sat,sun 00:00-24:00",
        "jul 09:00-09:00",
        "12:00-13:30",
    ] {
        let period: PeriodRules = text.parse().expect(text);
        assert_eq!(period.to_string(), text);
    }
    for text in [
        "",
        "mon-fri",
        "18:00",
        "18:00-25:00",
        "mon tue 18:00-19:00",
        "foo 18:00-19:00",
    ] {
        text.parse::<PeriodRules>().expect_err(text);
    }
}

#[test]
fn the_schema_explains_every_field() {
    use utoipa::{PartialSchema, ToSchema};
    let mut parts = vec![(String::from("PolicyRules"), PolicyRules::schema())];
    PolicyRules::schemas(&mut parts);
    assert!(parts.len() >= 10, "{} parts", parts.len());
    for (name, part) in parts {
        let part = serde_json::to_value(part).expect("json");
        let told = part["description"].as_str().unwrap_or_default();
        assert!(!told.is_empty(), "{name}");
        let fields = part["properties"].as_object().into_iter().flatten();
        for (field, schema) in fields {
            // Of a part that may be absent it stands with the part.
            let told = [&schema["description"], &schema["oneOf"][0]["description"]];
            let told = told.iter().any(|told| told.as_str().is_some());
            assert!(told, "{name}.{field}: {schema}");
        }
    }
}
