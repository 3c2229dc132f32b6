//! Limits over several calls: what counts, what does not, and what clocks and crashes do to it.

use super::*;
use crate::accounts::{LimitRules, OffHoursRules, PeriodRules, PolicyRules, SameNumberRules};
use crate::domain::{Code, Outcome};
use crate::usage::{Piece, ResetJournal};

const LONDON: &str = "442079460123";
const BERLIN: &str = "4930123456";

/// The root domain's default policy, changed, with the limits' checks enforced.
fn accounts_with(change: impl FnOnce(&mut PolicyRules)) -> Accounts {
    let mut accounts = Accounts::in_memory(NOW).expect("accounts");
    accounts
        .change_policy("root", "default", NOW, |rules| {
            use Check::{R08, R09, R10, R11, R13};
            for check in [R08, R09, R10, R11, R13] {
                rules.set_mode(check, Mode::Enforce);
            }
            change(rules);
            Ok(())
        })
        .expect("changed");
    accounts
}

fn with(change: impl FnOnce(&mut PolicyRules)) -> Engine {
    let accounts = accounts_with(change);
    engine(|made| *made = accounts)
}

fn quota(calls: u32) -> impl Fn(&mut PolicyRules) {
    move |rules| {
        rules.daily_quota = LimitRules {
            normal: Some(calls),
            off_hours: None,
        };
    }
}

fn ask(engine: &Engine, ingress: Ingress, dialed: &str, now: Timestamp) -> CallEvent {
    let decided = engine.decide(call(ingress, "127.0.0.1", dialed), now);
    decided.event.expect("checked")
}

fn code(engine: &Engine, dialed: &str, now: Timestamp) -> &'static str {
    let event = ask(engine, Ingress::Prevention, dialed, now);
    event.decision.code.as_str()
}

/// Codes of so many calls a second apart.
fn codes(engine: &Engine, calls: i64, from: Timestamp) -> Vec<&'static str> {
    (0..calls)
        .map(|at| code(engine, LONDON, from.plus_secs(at)))
        .collect()
}

fn at(rfc3339: &str) -> Timestamp {
    let at = chrono::DateTime::parse_from_rfc3339(rfc3339).expect("a time");
    at.to_utc().into()
}

fn used(engine: &Engine, now: Timestamp) -> u32 {
    let allowance = engine.usage("root", "default", now).expect("there");
    allowance.normal.used
}

#[test]
fn a_refused_call_uses_up_nothing() {
    let engine = with(quota(2));
    assert_eq!(codes(&engine, 4, NOW), ["A00", "A00", "R11", "R11"]);
    assert_eq!(used(&engine, NOW), 2);
    let raised = accounts_with(quota(3));
    engine.swap_accounts(Snapshot::load(&raised).expect("snapshot"));
    assert_eq!(codes(&engine, 2, NOW.plus_secs(9)), ["A00", "R11"]);

    let engine = with(quota(2));
    assert_eq!(code(&engine, "999123456789", NOW), "R07");
    assert_eq!(codes(&engine, 3, NOW), ["A00", "A00", "R11"]);
}

#[test]
fn what_is_approved_counts_whatever_approved_it() {
    let mut accounts = accounts_with(quota(2));
    let own = Scope::Policy {
        domain: "root".into(),
        policy: "default".into(),
    };
    let (white, prefix) = (ListKind::White, EntryKind::Prefix);
    accounts
        .list_add(&own, white, prefix, "49", "ours", "test", None, NOW)
        .expect("listed");
    let engine = engine(|made| *made = accounts);
    for _ in 0..3 {
        assert_eq!(code(&engine, BERLIN, NOW), "A00", "whitelisted");
    }
    assert_eq!(used(&engine, NOW), 3);
    assert_eq!(code(&engine, LONDON, NOW), "R11");
}

#[test]
fn in_audit_nobody_is_held_back_and_the_count_goes_on() {
    let engine = with(|rules| {
        quota(1)(rules);
        rules.set_mode(Check::R11, Mode::Audit);
    });
    let told = |now| {
        let event = ask(&engine, Ingress::Prevention, LONDON, now);
        let mut checks = event.decision.checks.into_iter();
        let r11 = checks.find(|c| c.check == Check::R11);
        let r11 = r11.expect("kept");
        (event.decision.code, r11.outcome, r11.evidence)
    };
    assert_eq!(told(NOW), (Code::A00, Outcome::Pass, String::new()));
    for call in 2..4 {
        let evidence = format!("{call} of 1 calls today, normal hours (UTC)");
        assert_eq!(told(NOW), (Code::A00, Outcome::Audit, evidence));
    }
}

#[test]
fn a_forked_copy_is_checked_against_the_counts_and_changes_none() {
    let engine = with(quota(1));
    for ingress in [Ingress::Detection, Ingress::Honeypot] {
        for _ in 0..3 {
            let event = ask(&engine, ingress, LONDON, NOW);
            assert_eq!((event.decision.code, event.used), (Code::A00, None));
        }
    }
    assert_eq!(codes(&engine, 2, NOW), ["A00", "R11"]);
    let copy = ask(&engine, Ingress::Detection, LONDON, NOW);
    assert_eq!(copy.decision.code.as_str(), "R11");
    let stranger = call(Ingress::Detection, "192.0.2.1", LONDON);
    let stranger = engine.decide(stranger, NOW).event.expect("checked");
    assert_eq!(stranger.decision.code, Code::A00, "nobody's count is his");
}

#[test]
fn a_file_of_calls_uses_up_what_nobody_else_has() {
    let engine = with(quota(2));
    let codes: Vec<_> = (0..4)
        .map(|day| {
            let now = NOW.plus_secs(day / 3 * 86_400);
            let event = ask(&engine, Ingress::Import, LONDON, now);
            event.decision.code.as_str()
        })
        .collect();
    assert_eq!(codes, ["A00", "A00", "R11", "A00"]);
}

#[test]
fn more_calls_in_a_second_than_allowed_are_not_even_looked_at() {
    let engine = with(|rules| {
        rules.calls_per_second = Some(2);
        quota(3)(rules);
    });
    let ask = |ingress, now| engine.decide(call(ingress, "127.0.0.1", LONDON), now);
    for _ in 0..2 {
        assert!(ask(Ingress::Prevention, NOW).event.is_some());
    }
    let before = engine.window_sizes();
    for ingress in [Ingress::Prevention, Ingress::Web] {
        let busy = ask(ingress, NOW);
        assert_eq!(busy.answer, Answer::Busy { retry_after: 1 });
        assert!(busy.event.is_none());
    }
    assert_eq!(engine.window_sizes(), before);
    for _ in 0..5 {
        assert!(ask(Ingress::Detection, NOW).event.is_some(), "a copy");
        assert!(ask(Ingress::Import, NOW.plus_secs(-86_400)).event.is_some());
    }
    assert_eq!(used(&engine, NOW), 2, "busy used up nothing");
    assert!(ask(Ingress::Prevention, NOW.plus_secs(1)).event.is_some());
}

#[test]
fn one_caller_may_call_one_number_so_often() {
    let engine = with(|rules| {
        rules.same_number = Some(SameNumberRules {
            calls: 2,
            seconds: 60,
        });
    });
    let from = |user: &str, dialed: &str, at: i64| {
        let mut attempt = call(Ingress::Prevention, "127.0.0.1", dialed);
        attempt.user = user.into();
        let decided = engine.decide(attempt, NOW.plus_secs(at));
        decided.event.expect("checked").decision.code.as_str()
    };
    assert_eq!(from("alice", LONDON, 0), "A00");
    assert_eq!(from("alice", "+442079460123", 10), "A00");
    assert_eq!(from("alice", LONDON, 59), "R13");
    assert_eq!(from("alice", BERLIN, 59), "A00", "another number");
    assert_eq!(from("bob", LONDON, 59), "A00", "another caller");
    // The first call is a minute ago, the refused one was never made.
    assert_eq!(from("alice", LONDON, 60), "A00");
    assert_eq!(from("alice", LONDON, 69), "R13");
    assert_eq!(from("alice", LONDON, 70), "A00");
}

#[test]
fn hours_are_counted_apart_and_by_the_policys_clock() {
    let engine = with(|rules| {
        rules.daily_quota = LimitRules {
            normal: Some(2),
            off_hours: Some(1),
        };
        rules.concurrent = LimitRules {
            normal: None,
            off_hours: Some(1),
        };
        rules.off_hours = Some(OffHoursRules {
            zone: "America/Sao_Paulo".into(),
            periods: vec![PeriodRules {
                months: None,
                weekdays: None,
                from: "18:00".into(),
                to: "08:00".into(),
            }],
        });
    });
    let code_with = |now: &str, up: u32| {
        let mut attempt = call(Ingress::Prevention, "127.0.0.1", LONDON);
        attempt.concurrent = Some(up);
        let event = engine.decide(attempt, at(now)).event.expect("checked");
        event.decision.code.as_str()
    };
    // São Paulo is three hours behind UTC.
    assert_eq!(code_with("2026-03-04T10:59:59Z", 0), "A00", "off: the one");
    assert_eq!(code_with("2026-03-04T10:59:59Z", 0), "R09");
    assert_eq!(code_with("2026-03-04T10:59:59Z", 1), "R08", "before R09");
    assert_eq!(code_with("2026-03-04T11:00:00Z", 9), "A00", "normal: two");
    assert_eq!(code_with("2026-03-04T11:00:01Z", 9), "A00");
    assert_eq!(code_with("2026-03-04T11:00:02Z", 9), "R11");
    assert_eq!(code_with("2026-03-04T21:00:00Z", 0), "R09", "the same day");
    assert_eq!(code_with("2026-03-05T02:59:59Z", 0), "R09");
    assert_eq!(code_with("2026-03-05T03:00:00Z", 0), "A00", "midnight");
}

/// The day on which clocks change has 23 or 25 hours, and one quota.
#[test]
fn a_day_with_a_change_of_clocks_is_one_day() {
    for (first, last) in [
        ("2026-03-28T23:00:00Z", "2026-03-29T21:59:59Z"),
        ("2026-10-24T22:00:00Z", "2026-10-25T22:59:59Z"),
    ] {
        let engine = with(|rules| {
            quota(2)(rules);
            rules.off_hours = Some(OffHoursRules {
                zone: "Europe/Berlin".into(),
                periods: Vec::new(),
            });
        });
        let (first, last) = (at(first), at(last));
        assert_eq!(code(&engine, LONDON, first.plus_secs(-1)), "A00");
        assert_eq!(code(&engine, LONDON, first), "A00");
        assert_eq!(code(&engine, LONDON, first.plus_secs(2 * 3_600)), "A00");
        assert_eq!(code(&engine, LONDON, last), "R11");
        let allowance = engine.usage("root", "default", last).expect("there");
        assert_eq!(allowance.renews_at, last.plus_secs(1).to_rfc3339());
        assert_eq!(codes(&engine, 3, last.plus_secs(1)), ["A00", "A00", "R11"]);
    }
}

#[test]
fn a_clock_that_is_wrong_for_a_while_gives_no_new_quota() {
    const DAY: i64 = 86_400;
    let engine = with(quota(2));
    assert_eq!(codes(&engine, 3, NOW), ["A00", "A00", "R11"]);
    // Back a day: that day had its calls too.
    let yesterday = NOW.plus_secs(-DAY);
    assert_eq!(codes(&engine, 3, yesterday), ["A00", "A00", "R11"]);
    assert_eq!(code(&engine, LONDON, NOW.plus_secs(60)), "R11");
    // Forward a year, and home.
    assert_eq!(
        codes(&engine, 3, NOW.plus_secs(365 * DAY)),
        ["A00", "A00", "R11"]
    );
    assert_eq!(code(&engine, LONDON, NOW.plus_secs(120)), "R11");
    assert_eq!(code(&engine, LONDON, yesterday.plus_secs(120)), "R11");
    assert_eq!(code(&engine, LONDON, NOW.plus_secs(DAY)), "A00");
}

fn saved(engine: &Engine) -> Vec<Piece> {
    let mut pieces = Vec::new();
    engine.copy_usage(|piece| pieces.push(piece));
    pieces
}

#[test]
fn after_a_crash_each_call_is_counted_once() {
    let limits = |rules: &mut PolicyRules| {
        quota(6)(rules);
        rules.same_number = Some(SameNumberRules {
            calls: 6,
            seconds: 3_600,
        });
    };
    let before = with(limits);
    let event = |at| ask(&before, Ingress::Prevention, LONDON, NOW.plus_secs(at));
    let mut events: Vec<_> = (0..3).map(event).collect();
    let pieces = saved(&before);
    events.extend((3..5).map(event));

    let after = with(limits);
    after.restore_usage(pieces, None, &[]);
    for event in events.iter().rev().chain(&events) {
        after.remember(event);
    }
    let now = NOW.plus_secs(10);
    assert_eq!(used(&after, now), 5);
    assert_eq!(
        codes(&after, 2, now),
        ["A00", "R13"],
        "five of six were there"
    );

    let nothing_saved = with(limits);
    events
        .iter()
        .for_each(|event| nothing_saved.remember(event));
    assert_eq!(used(&nothing_saved, now), 5);
}

#[test]
fn a_reset_holds_also_after_a_crash() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("resets");
    let limits = |rules: &mut PolicyRules| {
        quota(3)(rules);
        rules.same_number = Some(SameNumberRules {
            calls: 3,
            seconds: 3_600,
        });
    };
    let before = with(limits);
    let open =
        |engine: &Engine| ResetJournal::open(&path, engine.usage_key_check()).expect("opens");
    before.restore_usage(Vec::new(), Some(open(&before).0), &[]);
    let event = |at| ask(&before, Ingress::Prevention, LONDON, NOW.plus_secs(at));
    let mut events: Vec<_> = (0..3).map(event).collect();
    assert_eq!(event(3).decision.code.as_str(), "R13");
    let pieces = saved(&before);
    let allowance = before.reset_usage("root", "default", NOW).expect("reset");
    assert_eq!(allowance.normal.used, 0);
    events.push(event(4));

    let after = with(limits);
    let (journal, noted) = open(&after);
    after.restore_usage(pieces, Some(journal), &noted);
    events.iter().for_each(|event| after.remember(event));
    assert_eq!(used(&after, NOW), 1);
    assert_eq!(codes(&after, 3, NOW.plus_secs(9)), ["A00", "A00", "R13"]);

    let nobody = before.reset_usage("root", "nobody", NOW).expect_err("none");
    assert!(nobody.to_string().contains("`nobody`"), "{nobody}");
    before
        .reset_usage("nosuch.example", "default", NOW)
        .expect_err("none");
}

#[test]
fn no_two_sockets_take_the_last_call() {
    let engine = with(quota(100));
    let approved = || {
        (0..100)
            .filter(|_| code(&engine, LONDON, NOW) == "A00")
            .count()
    };
    let approved: usize = std::thread::scope(|scope| {
        let sockets: Vec<_> = (0..4).map(|_| scope.spawn(approved)).collect();
        let approved = sockets.into_iter().map(|s| s.join().expect("ends"));
        approved.sum()
    });
    assert_eq!(approved, 100);
    assert_eq!(used(&engine, NOW), 100);
}

#[test]
fn what_is_used_and_what_may_be_is_told() {
    let engine = with(|rules| {
        quota(5)(rules);
        rules.concurrent.normal = Some(7);
        rules.calls_per_second = Some(50);
    });
    codes(&engine, 2, NOW);
    let told = engine.usage("root", "default", NOW).expect("there");
    assert_eq!(
        serde_json::to_value(&told).expect("json"),
        serde_json::json!({
            "policy": "default", "hours": "normal", "zone": "UTC", "day": "2025-10-09",
            "renews_at": "2025-10-10T00:00:00.000Z",
            "normal": {"used": 2, "quota": 5}, "off_hours": {"used": 0},
            "concurrent": 7, "calls_per_second": 50
        })
    );
    assert_eq!(engine.usage("root", "alice", NOW), None);
    assert_eq!(engine.usage("a.example", "default", NOW), None);
}
