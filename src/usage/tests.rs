use super::*;
use crate::domain::{Hours, Ingress, Number};
use uuid::Uuid;

const NOW: Timestamp = Timestamp::from_secs(1_760_000_000);
const LIMIT: SameNumber = SameNumber {
    calls: 2,
    seconds: 60,
};

fn attempt(user: &str) -> CallAttempt {
    let peer = [127, 0, 0, 1].into();
    CallAttempt {
        id: Uuid::nil(),
        ingress: Ingress::Prevention,
        call_id: String::new(),
        peer,
        source_ip: peer,
        user: user.into(),
        domain: "a.example".into(),
        policy_user: None,
        dialed: "442079460123".into(),
        user_agent: String::new(),
        concurrent: None,
        signs: crate::domain::Signs::NONE,
    }
}

fn london() -> Destination {
    Destination {
        number: Number::parse("442079460123").ok(),
        ..Destination::default()
    }
}

fn local(day: i32) -> LocalTime {
    let date = chrono::NaiveDate::from_num_days_from_ce_opt(day).expect("a date");
    LocalTime {
        clock: date.into(),
        hours: Hours::Normal,
    }
}

/// One call of `alice`, counted to `subscriber`; what was used before it.
fn call(usage: &Usage, subscriber: &str, at: i64) -> (Counts, Used) {
    let (attempt, destination) = (attempt("alice"), london());
    let mut held = usage.hold(Asking {
        account: "a.example",
        subscriber,
        attempt: &attempt,
        destination: &destination,
        local: local(739_000),
        same_number: Some(LIMIT),
        now: NOW.plus_secs(at),
    });
    (held.counts(), held.count())
}

#[test]
fn a_caller_is_the_same_whoever_pays() {
    let usage = Usage::new([1; 16]);
    let counts = |(counts, _): (Counts, Used)| (counts.today, counts.same_number);
    assert_eq!(counts(call(&usage, "alice", 0)), (0, 0));
    assert_eq!(counts(call(&usage, "alice", 1)), (1, 1));
    assert_eq!(counts(call(&usage, "bob", 2)), (0, 2));
    assert_eq!(counts(call(&usage, "alice", 61)), (2, 1));
    assert_eq!(usage.of_day("a.example", "alice", 739_000).normal, 3);
    assert_eq!(usage.of_day("b.example", "alice", 739_000).normal, 0);
    assert_eq!(usage.of_day("a.example", "alice", 739_001).normal, 0);
}

#[test]
fn nothing_is_remembered_of_pairs_where_no_limit_looks() {
    let usage = Usage::new([1; 16]);
    let attempt = attempt("alice");
    let (destination, same_number) = (london(), None);
    let mut held = usage.hold(Asking {
        account: "",
        subscriber: "",
        attempt: &attempt,
        destination: &destination,
        local: local(739_000),
        same_number,
        now: NOW,
    });
    assert_eq!(held.counts(), Counts::default());
    assert_eq!(held.count().same_number, 0);
    assert_eq!(usage.sizes().rows, 1);
}

#[test]
fn what_is_only_looked_at_leaves_nothing() {
    let usage = Usage::new([1; 16]);
    let attempt = attempt("alice");
    let destination = london();
    let asking = Asking {
        account: "a.example",
        subscriber: "alice",
        attempt: &attempt,
        destination: &destination,
        local: local(739_000),
        same_number: Some(LIMIT),
        now: NOW,
    };
    assert_eq!(usage.hold(asking).counts(), Counts::default());
    assert_eq!(usage.sizes().rows, 0);
}

#[test]
fn a_copy_is_as_good() {
    let (usage, other) = (Usage::new([1; 16]), Usage::new([1; 16]));
    for at in 0..3 {
        call(&usage, "alice", at);
    }
    usage.copy(|piece| other.restore(piece));
    assert_eq!(call(&other, "alice", 3), call(&usage, "alice", 3));
}

#[test]
fn a_reset_forgets_the_day_and_the_pairs_of_one_and_no_other() {
    let usage = Usage::new([1; 16]);
    call(&usage, "bob", 0);
    let (_, last) = call(&usage, "alice", 1);
    assert_eq!(last.resets, 0);
    let reset = usage.next_reset("a.example", "alice");
    usage.apply(reset);
    usage.apply(reset);
    let (before, used) = call(&usage, "alice", 2);
    assert_eq!((before.today, before.same_number), (0, 0));
    assert_eq!((used.count, used.resets), (1, 1));
    assert_eq!(usage.of_day("a.example", "bob", 739_000).normal, 1);
}

/// Saved after a reset, and with it in the journal still: the calls since then stay counted.
#[test]
fn a_reset_that_the_saved_counts_hold_forgets_nothing_more() {
    let usage = Usage::new([1; 16]);
    let reset = usage.next_reset("a.example", "alice");
    usage.apply(reset);
    call(&usage, "alice", 0);
    let restored = Usage::new([1; 16]);
    usage.copy(|piece| restored.restore(piece));
    restored.apply(reset);
    let (before, _) = call(&restored, "alice", 1);
    assert_eq!((before.today, before.same_number), (1, 1));
}

/// What a caller with approved calls to spare could do about R13: repeat one number, and make room
/// for it by calling many others. Each refusal is a look, and keeps the pair.
#[test]
fn a_number_that_is_called_again_and_again_is_not_crowded_out() {
    const ROOM: usize = 1 << 12;
    let usage = Usage::with_room([1; 16], SUBSCRIBERS, ROOM);
    call(&usage, "alice", 0);
    call(&usage, "alice", 0);
    let mut attempt = attempt("alice");
    for n in 0..50_000 {
        attempt.dialed = n.to_string();
        let mut asking = Asking {
            account: "a.example",
            subscriber: "alice",
            attempt: &attempt,
            destination: &Destination::default(),
            local: local(739_000),
            same_number: Some(LIMIT),
            now: NOW,
        };
        let _used = usage.hold(asking).count();
        if n % 100 == 0 {
            let london = london();
            asking.destination = &london;
            assert_eq!(usage.hold(asking).counts().same_number, 2, "after {n}");
        }
    }
    let sizes = usage.sizes();
    assert!(sizes.forgotten > 40_000, "{sizes:?}");
    assert!(sizes.rows <= ROOM + 1, "{sizes:?}");
}

#[test]
fn no_two_take_the_last_call() {
    const QUOTA: u32 = 1_000;
    let usage = Usage::new([1; 16]);
    let take = || {
        let (attempt, destination) = (attempt("alice"), london());
        let mut taken = 0;
        for _ in 0..QUOTA {
            let mut held = usage.hold(Asking {
                account: "a.example",
                subscriber: "alice",
                attempt: &attempt,
                destination: &destination,
                local: local(739_000),
                same_number: Some(LIMIT),
                now: NOW,
            });
            if held.counts().today < QUOTA {
                let _used = held.count();
                taken += 1;
            }
        }
        taken
    };
    let taken: u32 = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(take)).collect();
        let taken = threads.into_iter().map(|t| t.join().expect("ends"));
        taken.sum()
    });
    assert_eq!(taken, QUOTA);
}
