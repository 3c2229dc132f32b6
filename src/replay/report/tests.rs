//! What calls come to, counted by hand; and texts of attackers in the pages.

use super::*;
use crate::domain::{
    CallAttempt, CheckOutcome, Country, Decision, Destination, DialPrefix, FeatureVector, Ingress,
    Number, NumberClass, Reason, Signs,
};
use crate::replay::concurrent::tests::row;
use uuid::Uuid;

/// A call of so many seconds, decided.
struct Made {
    row: Row,
    event: CallEvent,
}

fn call(user: &str, secs: i64, number: u64, duration: u32) -> Made {
    let mut row = row(user, secs, Some(duration), 1);
    row.record.duration_s = Some(duration);
    let event = CallEvent {
        at: row.record.time,
        attempt: CallAttempt {
            id: Uuid::nil(),
            ingress: Ingress::Import,
            call_id: String::new(),
            peer: row.record.source_ip,
            source_ip: row.record.source_ip,
            user: user.to_owned(),
            domain: "a.example".to_owned(),
            policy_user: None,
            dialed: number.to_string(),
            user_agent: String::new(),
            concurrent: None,
            signs: Signs::NONE,
        },
        account: "a.example".to_owned(),
        subscriber: String::new(),
        policy: "default".to_owned(),
        used: None,
        destination: Destination {
            number: Number::from_u64(number),
            calling_code: 252,
            country: Country::parse("SO").expect("a country"),
            class: NumberClass::Mobile,
            dial_prefix: DialPrefix::None,
        },
        origin: Country::UNKNOWN,
        features: FeatureVector {
            version: 1,
            values: Vec::new(),
        },
        decision: Decision {
            code: Code::A00,
            whitelisted: false,
            checks: Vec::new(),
            score: Some(0.1),
            model: "m".to_owned(),
            reasons: Vec::new(),
            novelty: None,
        },
        price: Some(0.5),
        latency_us: 0,
    };
    Made { row, event }
}

impl Made {
    fn refused(mut self) -> Self {
        self.event.decision.code = Code::Refused(crate::domain::Check::R03);
        self
    }

    fn scored(mut self, score: f32) -> Self {
        self.event.decision.score = Some(score);
        self.event.decision.reasons = vec![Reason {
            tag: "new-country".to_owned(),
            contribution: 1.0,
        }];
        self
    }

    fn audited(mut self) -> Self {
        self.event.decision.checks = vec![CheckOutcome {
            check: crate::domain::Check::R15,
            outcome: Outcome::Audit,
            evidence: String::new(),
        }];
        self
    }

    fn to(mut self, country: &str) -> Self {
        self.event.destination.country = Country::parse(country).expect("a country");
        self
    }

    fn judged(mut self, verdict: Verdict) -> Self {
        self.row.record.verdict = Some(verdict);
        self
    }
}

fn thresholds() -> Thresholds {
    Thresholds {
        model: "m".to_owned(),
        default: 0.5,
        one_in_thousand: 0.7,
        one_in_ten_thousand: 0.9,
    }
}

fn report(calls: &[Made]) -> Report {
    let mut audit = Audit::new(Some(thresholds()));
    calls
        .iter()
        .for_each(|call| audit.take(&call.row, &call.event));
    audit.finish("calls.csv")
}

const HOUR: i64 = 3_600;

#[test]
fn counts_are_those_of_the_calls() {
    let calls = [
        call("ann", 0, 252_611_111_111, 60).judged(Verdict::Legitimate),
        call("ann", 60, 252_611_111_111, 120)
            .refused()
            .judged(Verdict::Fraud),
        call("ann", 120, 252_611_111_222, 0)
            .scored(0.8)
            .judged(Verdict::Fraud),
        call("bob", 180, 442_079_460_123, 600)
            .to("GB")
            .judged(Verdict::Fraud),
        call("bob", 240, 442_079_460_123, 60).to("GB").audited(),
    ];
    let report = report(&calls);
    assert_eq!(
        (report.all.calls, report.all.minutes, report.all.cost),
        (5, 14.0, 7.0)
    );
    assert_eq!((report.refused.calls, report.refused.cost), (1, 1.0));
    assert_eq!(report.suspected.calls, 3);
    assert_eq!((report.callers, report.callers_at_least), (2, false));
    let codes: Vec<_> = report
        .codes
        .iter()
        .map(|c| (c.code, c.calls, c.audit))
        .collect();
    assert_eq!(codes, [("A00", 4, 0), ("R03", 1, 0), ("R15", 0, 1)]);
    let bands: Vec<_> = report.scores.iter().map(|band| band.tally.calls).collect();
    assert_eq!(bands, [1, 1, 0]);
    let destinations: Vec<_> = report
        .destinations
        .iter()
        .map(|(c, t)| (c.as_str(), t.cost))
        .collect();
    assert_eq!(destinations, [("GB", 5.5), ("SO", 1.5)]);
    assert_eq!(report.top_callers[0].0, "bob@a.example");
    let verdicts = report.verdicts.expect("the file has some");
    assert_eq!((verdicts.fraud.calls, verdicts.fraud_found.calls), (3, 2));
    assert_eq!(
        (
            verdicts.legitimate.calls,
            verdicts.legitimate_suspected.calls
        ),
        (1, 0)
    );
    assert_eq!(
        (report.from.as_str(), report.to.as_str()),
        ("1970-01-01T00:00:00.000Z", "1970-01-01T00:04:00.000Z")
    );
}

#[test]
fn a_pause_ends_a_campaign_and_many_callers_to_one_block_are_one() {
    let mut calls: Vec<Made> = (0..4)
        .map(|n| call("ann", n * HOUR, 252_611_111_000 + n as u64 * 5_000, 60).scored(0.8))
        .collect();
    calls.extend((0..2).map(|n| call("ann", (20 + n) * HOUR, 252_611_111_000, 30).scored(0.8)));
    let users = ["u1", "u2", "u3"];
    calls.extend(
        users
            .iter()
            .zip(30..)
            .map(|(user, hour)| call(user, hour * HOUR, 252_699_999_123, 300).refused()),
    );
    calls.push(call("eve", 40 * HOUR, 252_600_000_001, 1).refused());
    let report = report(&calls);
    let found: Vec<_> = report
        .campaigns
        .iter()
        .map(|c| {
            (
                c.caller.as_str(),
                c.callers,
                c.tally.calls,
                c.blocks,
                c.refused.calls,
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            ("u1@a.example", 3, 3, 1, 3),
            ("ann@a.example", 1, 4, 4, 0),
            ("ann@a.example", 1, 2, 1, 0),
        ]
    );
    assert_eq!((report.single, report.more_campaigns), (1, 0));
    let many = &report.campaigns[0];
    assert_eq!(
        (many.block.as_str(), many.country.as_str()),
        ("252699999", "SO")
    );
    assert_eq!(many.reasons, ["called number blacklisted"]);
    assert_eq!(
        report.campaigns[1].reasons[0],
        "a country new to the caller"
    );
}

#[test]
fn a_country_is_new_when_it_comes_after_the_first_while() {
    let day = 24 * HOUR;
    let calls = [
        call("ann", 0, 442_079_460_123, 60).to("GB"),
        call("ann", day, 442_079_460_123, 60).to("DE"),
        call("ann", 20 * day, 442_079_460_123, 60).to("FR"),
        call("ann", 40 * day, 442_079_460_123, 60).to("GB"),
    ];
    let report = report(&calls);
    let new: Vec<_> = report
        .new_countries
        .iter()
        .map(|new| new.country.as_str())
        .collect();
    assert_eq!(new, ["FR"]);
}

#[test]
fn memory_is_bounded_and_nothing_is_lost_from_the_sums() {
    let mut audit = Audit::new(Some(thresholds()));
    let many = 45_000;
    for n in 0..many {
        let made = call(&format!("u{n}"), n, 252_000_000_000 + n as u64 * 1_000, 1).refused();
        audit.take(&made.row, &made.event);
    }
    let report = audit.finish("calls.csv");
    assert!(report.tops_are_approximate);
    assert_eq!(report.suspected.calls, many as u64);
    assert_eq!(report.top_callers.len(), ROWS);
}

#[test]
fn texts_of_attackers_stay_texts() {
    let evil = "=HYPERLINK(\"x\")<script>alert(1)</script>|`a`";
    let calls = [
        call(evil, 0, 252_611_111_111, 60).refused(),
        call(evil, 1, 252_611_111_111, 60).refused(),
    ];
    let mut report = report(&calls);
    report.file = "<img src=x onerror=y>.csv".to_owned();
    let page = html(&report);
    assert!(
        !page.contains("<script") && !page.contains("<img"),
        "{page}"
    );
    assert!(page.contains("&lt;script&gt;") && page.contains("default-src 'none'"));
    assert!(!page.contains("http://") && !page.contains("https://"));
    let text = markdown(&report);
    assert!(!text.contains("<script"));
    assert!(
        text.lines().any(|line| line.contains("\\|\\`a\\`")),
        "{text}"
    );
    let csv = campaigns_csv(&report).expect("written");
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let row = reader
        .records()
        .next()
        .expect("a row")
        .expect("well-formed");
    assert!(row[0].starts_with("'=HYPERLINK"), "{}", &row[0]);
    assert_eq!(&row[6], "2", "a number stays one");
}

#[test]
fn what_is_not_known_is_a_dash() {
    let mut made = call("ann", 0, 252_611_111_111, 60);
    made.row.record.duration_s = None;
    made.event.price = None;
    let report = report(&[made]);
    let overview = &sections(&report)[0];
    let all = overview
        .rows
        .iter()
        .find(|row| row[0] == "all")
        .expect("there");
    assert_eq!(all[1], "1 calls, - min, cost -");
    assert!(overview.rows.iter().any(|row| row[0] == "price not known"));
}
