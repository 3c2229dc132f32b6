//! Every code over the wire: by SIP, by the web service and by `POST /v1/decisions`, one row a
//! code, the same answer by all three.

use serde_json::{Value, json};

use super::limits::zone_at_noon;
use crate::support::{Message, Phone, TestService, code_of, eventually, http};

const LONDON: &str = "442071838750";

/// How a code comes about.
#[derive(Default)]
struct Row {
    code: &'static str,
    /// What the policy of the row's own domain says beyond what every policy begins with.
    policy: &'static [&'static str],
    /// Arguments of `tfps list add`; `OWN` stands for the row's policy.
    list: &'static [&'static str],
    number: Option<&'static str>,
    source_ip: Option<&'static str>,
    agent: Option<&'static str>,
    calls: Option<u32>,
    /// A first call, which is approved, uses up what there is.
    uses_up: bool,
}

const ALWAYS_OFF: &str = "00:00-00:00";

/// In the order of `docs/policies.md`. What is listed in the system's lists is named by its own row
/// only.
fn rows() -> Vec<Row> {
    vec![
        Row {
            code: "A00",
            ..Row::default()
        },
        Row {
            code: "R01",
            list: &["black", "agent", "^friendly-scanner"],
            agent: Some("Friendly-Scanner 1.8"),
            ..Row::default()
        },
        Row {
            code: "R02",
            list: &["black", "network", "203.0.113.0/24"],
            source_ip: Some("203.0.113.77"),
            ..Row::default()
        },
        Row {
            code: "R03",
            list: &["black", "number", "4930901820"],
            number: Some("4930901820"),
            ..Row::default()
        },
        Row {
            code: "R04",
            policy: &["--mode", "R04=enforce", "--origin-only", "BR"],
            // Google's resolver: in the United States in every database there is.
            source_ip: Some("8.8.8.8"),
            ..Row::default()
        },
        Row {
            code: "R05",
            policy: &["--mode", "R05=enforce", "--origin-only", "BR"],
            source_ip: Some("10.1.2.3"),
            ..Row::default()
        },
        Row {
            code: "R06",
            policy: &["--mode", "R06=enforce", "--destination-except", "GB"],
            ..Row::default()
        },
        Row {
            code: "R07",
            number: Some("999123456789"),
            ..Row::default()
        },
        Row {
            code: "R08",
            policy: &[
                "--mode",
                "R08=enforce",
                "--off-hours",
                ALWAYS_OFF,
                "--concurrent",
                "9",
                "--concurrent-off-hours",
                "2",
            ],
            calls: Some(2),
            ..Row::default()
        },
        Row {
            code: "R09",
            policy: &[
                "--mode",
                "R09=enforce",
                "--off-hours",
                ALWAYS_OFF,
                "--daily-quota-off-hours",
                "1",
            ],
            uses_up: true,
            ..Row::default()
        },
        Row {
            code: "R10",
            policy: &["--mode", "R10=enforce", "--concurrent", "2"],
            calls: Some(2),
            ..Row::default()
        },
        Row {
            code: "R11",
            policy: &["--mode", "R11=enforce", "--daily-quota", "1"],
            uses_up: true,
            ..Row::default()
        },
        Row {
            code: "R12",
            list: &["group", "network", "198.51.100.0/24"],
            source_ip: Some("198.51.100.8"),
            ..Row::default()
        },
        Row {
            code: "R13",
            policy: &["--mode", "R13=enforce", "--same-number", "1/86400"],
            uses_up: true,
            ..Row::default()
        },
        Row {
            code: "R14",
            list: &["black", "prefix", "4420", "--of", "OWN"],
            ..Row::default()
        },
        Row {
            code: "R15",
            policy: &["--mode", "R15=enforce", "--risk-threshold", "0"],
            ..Row::default()
        },
    ]
}

impl Row {
    fn domain(&self) -> String {
        format!("{}.example", self.code.to_ascii_lowercase())
    }

    fn number(&self) -> &'static str {
        self.number.unwrap_or(LONDON)
    }

    fn set_up(&self, service: &TestService) {
        let domain = self.domain();
        service.tfps_ok(&["domain", "add", &domain]);
        let set = |options: &[&str]| {
            service.tfps_ok(&[&["policy", "set", &domain, "default"], options].concat());
        };
        if !self.policy.is_empty() {
            set(self.policy);
        }
        if self.uses_up {
            set(&["--zone", &zone_at_noon()]);
        }
        if !self.list.is_empty() {
            let own = format!("{domain}/default");
            let mut add = vec!["list", "add"];
            add.extend(self.list.iter().map(|&a| if a == "OWN" { &own } else { a }));
            add.extend(["--reason", "a row of the table"]);
            service.tfps_ok(&add);
        }
    }

    /// What differs from an ordinary call, by the name of each way to ask.
    fn by_sip(&self, phone: &Phone) -> Message {
        let mut invite = phone.invite(self.number());
        for (name, value) in &mut invite.headers {
            if name == "From" {
                *value = value.replace("itsp.example", &self.domain());
            }
        }
        let hints = [
            ("P-Received", self.source_ip.map(str::to_owned)),
            ("P-UA", self.agent.map(str::to_owned)),
            ("P-Calls", self.calls.map(|calls| calls.to_string())),
        ];
        for (name, value) in hints {
            if let Some(value) = value {
                invite = invite.with(name, value);
            }
        }
        invite
    }

    fn by_web(&self) -> String {
        let domain = self.domain();
        let mut path = format!(
            "/?dialed_number={}&from_user=alice&domain={domain}",
            self.number()
        );
        if let Some(source) = self.source_ip {
            path.push_str(&format!("&source_ip={source}"));
        }
        if let Some(agent) = self.agent {
            path.push_str(&format!("&user_agent={}", agent.replace(' ', "%20")));
        }
        if let Some(calls) = self.calls {
            path.push_str(&format!("&sim_calls={calls}"));
        }
        path
    }

    fn as_json(&self) -> Value {
        let mut question = json!({"dialed_number": self.number(), "from_user": "alice",
            "domain": self.domain()});
        for (name, value) in [
            ("source_ip", self.source_ip.map(Value::from)),
            ("user_agent", self.agent.map(Value::from)),
            ("calls", self.calls.map(Value::from)),
        ] {
            if let Some(value) = value {
                question[name] = value;
            }
        }
        question
    }
}

#[test]
fn every_code_by_sip_by_the_web_and_as_json() {
    let service = TestService::prepare_on_shared("codes");
    let rows = rows();
    for row in &rows {
        row.set_up(&service);
    }
    let service = service.started();
    let phone = Phone::new(service.prevention());
    let mut told = Vec::new();
    let mut calls = 0;
    for row in &rows {
        if row.uses_up {
            assert_eq!(code_of(&phone.ask(&row.by_sip(&phone))), "A00");
            calls += 1;
        }
        let answer = phone.ask(&row.by_sip(&phone));
        assert_eq!(answer.status(), Some(302), "{answer}");
        let contact = answer.header("Contact").expect("a Contact").to_owned();
        let expected = format!("<sip:{}{}@{}>", row.code, row.number(), row.domain());
        assert_eq!(contact, expected);

        let web = http::get(service.detection(), &row.by_web()).expect("answered");
        assert_eq!(web.header("content-type"), "text/plain", "{web:?}");

        let body = row.as_json().to_string();
        let headers = [("Content-Type", "application/json")];
        let address = service.addresses().http;
        let json = http::request(address, "POST", "/v1/decisions", &headers, body.as_bytes());
        let json = json.expect("answered");
        assert_eq!(json.status, 200, "{json:?}");
        let code = json.json()["code"].as_str().unwrap_or_default().to_owned();
        told.push([row.code.to_owned(), code_of(&answer), web.body, code]);
        calls += 3;
    }
    let wrong: Vec<_> = told
        .iter()
        .filter(|row| row.iter().any(|code| *code != row[0]))
        .collect();
    assert!(wrong.is_empty(), "row, SIP, web, JSON: {wrong:#?}");
    assert_eq!(told.len(), 16);

    // Each is stored, with the outcome of the check that refused.
    eventually("every call is a row", || {
        (service.number("SELECT uniqExact(id) FROM calls")? == calls).then_some(())
    });
    for ingress in ["prevention", "web"] {
        let stored = format!(
            "SELECT uniqExact(code) FROM calls \
             WHERE ingress = '{ingress}' AND (code = 'A00' OR checks[code] = 'refuse')"
        );
        assert_eq!(service.sql(&stored), "16", "{ingress}");
    }
}

#[test]
fn decline_mode_says_503_and_603() {
    let service = TestService::prepare_on_shared("codes_decline");
    service.tfps_ok(&["policy", "set", "root", "default", "--answer", "decline"]);
    let service = service.started();
    let phone = Phone::new(service.prevention());
    let approved = phone.call(LONDON);
    assert_eq!(approved.status(), Some(503));
    assert_eq!(approved.header("Retry-After"), None);
    assert_eq!(phone.call("999123456789").status(), Some(603));
    // The web service has letters for it, whatever the mode.
    let web = |number: &str| {
        let path = format!("/?dialed_number={number}&from_user=alice");
        http::get(service.detection(), &path)
            .expect("answered")
            .body
    };
    assert_eq!(
        (web(LONDON).as_str(), web("999123456789").as_str()),
        ("A00", "R07")
    );
}

#[test]
fn what_a_policy_whitelists_passes_the_systems_lists_and_its_own_rules() {
    let service = TestService::prepare_on_shared("codes_white");
    let add = |rest: &[&str]| {
        service.tfps_ok(&[&["list", "add"], rest, &["--reason", "a test"]].concat());
    };
    add(&["black", "prefix", "4420"]);
    add(&["white", "number", LONDON, "--of", "root/default"]);
    service.tfps_ok(&["domain", "add", "other.example"]);
    let rules = ["--mode", "R06=enforce", "--destination-except", "GB"];
    service.tfps_ok(&[&["policy", "set", "root", "default"], &rules[..]].concat());
    let service = service.started();
    let web = |number: &str, domain: &str| {
        let path = format!("/?dialed_number={number}&from_user=alice&domain={domain}");
        http::get(service.detection(), &path)
            .expect("answered")
            .body
    };
    assert_eq!(web(LONDON, "root"), "A00");
    assert_eq!(web("442071838751", "root"), "R03", "only the number itself");
    assert_eq!(web(LONDON, "other.example"), "R03", "only for that policy");
}
