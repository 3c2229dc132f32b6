use super::*;
use crate::domain::{Check, Code, NeutralAnswer};

fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(secs)
}

fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

fn table(entries: usize, bytes: usize) -> Transactions {
    Transactions::new(Limits { entries, bytes })
}

fn bytes(text: &'static str) -> Option<Bytes> {
    Some(Bytes::from_static(text.as_bytes()))
}

#[test]
fn is_new_once_then_pending_then_answered_until_its_time() {
    let mut table = table(10, 100);
    assert_eq!(table.open(id(1), at(0)), Seen::New);
    assert_eq!(table.open(id(1), at(0)), Seen::Pending);
    table.complete(id(1), bytes("x"), None);
    assert_eq!(table.open(id(1), at(31)), Seen::Answered(bytes("x")));
    assert!(table.knows(id(1), at(31)) && !table.knows(id(1), at(32)));
    assert_eq!(table.open(id(1), at(32)), Seen::New);
    assert_eq!(table.take_evicted(), 0);
}

#[test]
fn silence_is_an_answer() {
    let mut table = table(10, 100);
    table.open(id(1), at(0));
    table.complete(id(1), None, None);
    assert_eq!(table.open(id(1), at(1)), Seen::Answered(None));
}

fn answered(table: &mut Transactions, n: u128, secs: i64) {
    assert_eq!(table.open(id(n), at(secs)), Seen::New);
    table.complete(id(n), bytes("x"), None);
}

#[test]
fn the_oldest_makes_room_and_is_counted() {
    let mut table = table(2, 100);
    for n in 1..=3 {
        answered(&mut table, n, 0);
    }
    assert_eq!(table.take_evicted(), 1);
    assert!(!table.knows(id(1), at(0)) && table.knows(id(2), at(0)));
    assert_eq!((table.entries.len(), table.order.len()), (2, 2));
}

#[test]
fn what_is_forgotten_pushes_nothing_out() {
    let mut table = table(2, 100);
    answered(&mut table, 1, 0);
    for n in 2..=9 {
        assert_eq!(table.open(id(n), at(0)), Seen::New);
        assert_eq!(table.copy_of(id(n), n, at(0)), CopyOf::None);
    }
    for n in 2..=9 {
        table.forget(id(n));
    }
    assert!(table.knows(id(1), at(0)));
    assert_eq!(table.take_evicted(), 0);
    let held = (table.undecided.len(), table.calls.len(), table.order.len());
    assert_eq!(held, (0, 0, 1));
}

#[test]
fn bytes_are_bounded_too() {
    let mut table = table(10, 5);
    for n in 1..=3 {
        table.open(id(n), at(0));
        table.complete(id(n), bytes("xyz"), None);
    }
    assert_eq!(table.take_evicted(), 2);
    assert_eq!(table.bytes, 3);
    assert_eq!(table.open(id(3), at(0)), Seen::Answered(bytes("xyz")));
}

#[test]
fn the_forgotten_are_new_again_and_what_never_ends_is_over_in_time() {
    let mut table = table(10, 100);
    table.open(id(1), at(0));
    table.forget(id(1));
    assert_eq!(table.open(id(1), at(20)), Seen::New);
    assert_eq!(table.open(id(1), at(51)), Seen::Pending);
    assert_eq!(table.open(id(1), at(52)), Seen::New);
}

#[test]
fn what_was_recovered_is_not_new() {
    let mut table = table(10, 100);
    let answer = Answer::Neutral(NeutralAnswer::ServiceUnavailable);
    table.recover(id(1), answer.clone(), at(0));
    assert_eq!(table.open(id(1), at(31)), Seen::Recovered(answer));
    table.complete(id(1), bytes("x"), None);
    assert_eq!(table.open(id(1), at(31)), Seen::Answered(bytes("x")));
    assert_eq!(table.open(id(1), at(32)), Seen::New);
}

fn refusal() -> Answer {
    Answer::Decline(Code::Refused(Check::R03))
}

fn arrives(table: &mut Transactions, n: u128, secs: i64) -> CopyOf {
    assert_eq!(table.open(id(n), at(secs)), Seen::New);
    table.copy_of(id(n), 7, at(secs))
}

#[test]
fn a_copy_is_one_until_the_first_is_acknowledged_over_or_forgotten() {
    let mut table = table(10, 100);
    let approval = Answer::Decline(Code::A00);
    assert_eq!(arrives(&mut table, 1, 0), CopyOf::None);
    assert_eq!(arrives(&mut table, 2, 0), CopyOf::Undecided);
    table.complete(id(1), bytes("x"), Some(&approval));
    assert_eq!(arrives(&mut table, 3, 0), CopyOf::Approved);
    table.complete(id(3), bytes("x"), None);
    table.acknowledge(id(3));
    assert_eq!(
        arrives(&mut table, 4, 0),
        CopyOf::Approved,
        "the ACK of a copy ends nothing"
    );
    table.acknowledge(id(1));
    assert_eq!(arrives(&mut table, 5, 0), CopyOf::None);
    table.forget(id(5));
    assert_eq!(arrives(&mut table, 6, 0), CopyOf::None);
    table.complete(id(6), None, Some(&refusal()));
    assert_eq!(arrives(&mut table, 8, 31), CopyOf::Refused(refusal()));
    assert_eq!(arrives(&mut table, 9, 32), CopyOf::None, "6 is over");
    assert_eq!(table.copy_of(id(9), 8, at(32)), CopyOf::None, "another");
}

#[test]
fn only_a_decision_makes_copies() {
    for answer in [
        Answer::Busy { retry_after: 1 },
        Answer::Neutral(NeutralAnswer::Silent),
    ] {
        let mut table = table(10, 100);
        arrives(&mut table, 1, 0);
        table.complete(id(1), bytes("x"), Some(&answer));
        assert_eq!(arrives(&mut table, 2, 0), CopyOf::None, "{answer:?}");
    }
}

#[test]
fn a_few_copies_of_an_approval_are_told_so() {
    let mut table = table(10, 100);
    arrives(&mut table, 1, 0);
    table.complete(id(1), bytes("x"), Some(&Answer::Decline(Code::A00)));
    for n in 2..5 {
        assert_eq!(arrives(&mut table, n, 0), CopyOf::Approved);
    }
    for n in 5..7 {
        assert_eq!(arrives(&mut table, n, 0), CopyOf::OneTooMany);
        table.complete(id(n), bytes("x"), Some(&Answer::Decline(Code::A00)));
    }
}

#[test]
fn one_that_is_over_is_no_copy_of_itself() {
    let mut table = table(10, 100);
    assert_eq!(arrives(&mut table, 1, 0), CopyOf::None);
    table.complete(id(1), bytes("x"), Some(&refusal()));
    table.open(id(2), at(1));
    assert_eq!(arrives(&mut table, 1, 40), CopyOf::None);
    table.complete(id(1), bytes("x"), Some(&refusal()));
    assert_eq!(arrives(&mut table, 3, 41), CopyOf::Refused(refusal()));
}

#[test]
fn calls_are_held_no_longer_than_their_transactions() {
    let mut table = table(3, 100);
    for n in 1..=9 {
        table.open(id(n), at(0));
        assert_eq!(table.copy_of(id(n), n, at(0)), CopyOf::None);
        table.complete(id(n), bytes("xyz"), Some(&refusal()));
    }
    assert_eq!((table.entries.len(), table.calls.len()), (3, 3));
    assert!(table.calls.contains_key(&9) && !table.calls.contains_key(&1));
    assert_eq!(table.bytes, 18, "a refusal is kept beside its bytes");
    table.acknowledge(id(9));
    assert_eq!((table.calls.len(), table.bytes), (2, 15));
}
