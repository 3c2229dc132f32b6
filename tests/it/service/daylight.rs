//! Days on which the clocks change, under a file's own time: quotas of a day of 23 and of 25 hours,
//! off hours by the local clock, and the hour that comes twice.

use std::fs;

use chrono::{DateTime, Duration, Utc};

use crate::support::TestService;

const LONDON: &str = "442071838750";
const POLICY: [&str; 3] = ["set", "root", "default"];

/// Decides a call every quarter of an hour from `begin` on; time (UTC) and code of each.
fn decided(rules: &[&str], begin: &str, hours: i64) -> Vec<(DateTime<Utc>, String)> {
    let service = TestService::prepare();
    service.tfps_ok(&[&["policy"], &POLICY[..], rules].concat());
    let begin: DateTime<Utc> = begin.parse().expect("a time");
    let mut calls = String::from(
        "time,domain,user,dialed_number,source_ip,user_agent,calls,verdict,campaign\n",
    );
    for quarter in 0..hours * 4 {
        let at = begin + Duration::minutes(15 * quarter);
        calls.push_str(&format!(
            "{},itsp.example,alice,{LONDON},192.0.2.1,phone,1,,\n",
            at.to_rfc3339()
        ));
    }
    let [input, output] = ["calls.csv", "scored.csv"].map(|name| service.folder().join(name));
    fs::write(&input, calls).expect("written");
    let paths = [&input, &output].map(|path| path.to_str().expect("a path"));
    service.tfps_ok(&["score", paths[0], "--out", paths[1]]);
    let mut reader = csv::Reader::from_path(&output).expect("scored");
    let headers = reader.headers().expect("headers").clone();
    let column = |name: &str| headers.iter().position(|h| h == name).expect(name);
    let (time, code) = (column("time"), column("code"));
    reader
        .records()
        .map(|row| row.expect("a row"))
        .map(|row| (row[time].parse().expect("a time"), row[code].to_owned()))
        .collect()
}

/// Approved calls between two times (UTC).
fn approved(calls: &[(DateTime<Utc>, String)], from: &str, to: &str) -> usize {
    let [from, to]: [DateTime<Utc>; 2] = [from, to].map(|t| t.parse().expect("a time"));
    calls
        .iter()
        .filter(|(at, code)| (from..to).contains(at) && code == "A00")
        .count()
}

/// Berlin, 29 March 2026: the day has 23 hours, and begins at 23:00 UTC, the next at 22:00.
#[test]
fn the_short_day_has_a_whole_quota_and_ends_an_hour_earlier() {
    let rules = [
        "--mode",
        "R11=enforce",
        "--daily-quota",
        "95",
        "--zone",
        "Europe/Berlin",
    ];
    let calls = decided(&rules, "2026-03-28T23:00:00Z", 48);
    // 92 quarters: the quota of 95 is not used up on the short day ...
    let short = approved(&calls, "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z");
    assert_eq!(short, 92);
    // ... and is by the 96 of the next, which begins an hour earlier.
    let next = approved(&calls, "2026-03-29T22:00:00Z", "2026-03-30T22:00:00Z");
    assert_eq!(next, 95);
    let first = calls.iter().find(|(_, code)| code == "R11").expect("one");
    assert_eq!(first.0.to_rfc3339(), "2026-03-30T21:45:00+00:00");
}

/// Berlin, 25 October 2026: 25 hours, from 22:00 UTC to 23:00 UTC.
#[test]
fn the_long_day_has_one_quota_for_its_25_hours() {
    let rules = [
        "--mode",
        "R11=enforce",
        "--daily-quota",
        "96",
        "--zone",
        "Europe/Berlin",
    ];
    let calls = decided(&rules, "2026-10-24T22:00:00Z", 49);
    let long = approved(&calls, "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z");
    assert_eq!(long, 96, "of 100 quarters");
    let next = approved(&calls, "2026-10-25T23:00:00Z", "2026-10-26T23:00:00Z");
    assert_eq!(next, 96);
}

/// Off hours from 02:00 to 03:00 by the local clock, in which nobody may call at all: an hour that
/// does not exist in March, and that comes twice in October.
#[test]
fn an_hour_that_is_skipped_is_never_off_hours_and_one_that_repeats_is_twice() {
    let rules = [
        "--mode",
        "R09=enforce",
        "--daily-quota-off-hours",
        "0",
        "--zone",
        "Europe/Berlin",
        "--off-hours",
        "02:00-03:00",
    ];
    let refused = |begin: &str| {
        let calls = decided(&rules, begin, 24);
        let refused = calls.into_iter().filter(|(_, code)| code == "R09");
        refused
            .map(|(at, _)| at.format("%H:%M").to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(refused("2026-03-28T23:00:00Z"), [""; 0]);
    let usual = ["01:00", "01:15", "01:30", "01:45"];
    assert_eq!(refused("2026-03-27T23:00:00Z"), usual);
    let twice = [
        "00:00", "00:15", "00:30", "00:45", "01:00", "01:15", "01:30", "01:45",
    ];
    assert_eq!(refused("2026-10-24T22:00:00Z"), twice);
}
