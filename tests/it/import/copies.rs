//! A row is one call in whichever copy of its file it comes, and whatever was killed in between.

use super::{HEADER, import, text, written};
use crate::support::{TestService, eventually};
use std::process::Stdio;

fn row(second: u32, user: &str, verdict: &str) -> String {
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!(
        "2026-03-02T{hour:02}:{minute:02}:{second:02}Z,a.example,{user},442071838750,192.0.2.1,phone,,{verdict},\n"
    )
}

fn judged(service: &TestService) -> String {
    service.sql(
        "SELECT user, toString(verdict), campaign FROM calls_labelled ORDER BY at, user, verdict",
    )
}

#[test]
fn a_longer_and_corrected_copy_brings_only_what_is_new() {
    let service = TestService::start_on_shared("import_copies");
    let first = [
        row(0, "ann", "fraud"),
        row(0, "ann", ""),
        row(5, "bob", "legitimate"),
    ]
    .concat();
    let file = written(&service, "march.csv", format!("{HEADER}{first}"));
    let said = import(&service, &file, &[]);
    assert_eq!(
        (&said["imported"]["calls"], &said["imported"]["already"]),
        (&3.into(), &0.into())
    );
    let habits = || std::fs::read_dir(service.data().join("imports")).map_or(0, Iterator::count);
    eventually("the service has joined the habits", || {
        (habits() == 0).then_some(())
    });

    // The same again, byte by byte: nothing at all.
    let before = service.sql("SELECT count(), max(inserted_at) FROM verdicts");
    let said = import(&service, &file, &[]);
    assert_eq!(
        (&said["imported"]["calls"], &said["imported"]["already"]),
        (&3.into(), &3.into())
    );
    assert_eq!(
        service.sql("SELECT count(), max(inserted_at) FROM verdicts"),
        before
    );
    assert_eq!(habits(), 0, "no habit is learned twice");
    assert!(!service.log().contains("error"), "{}", service.log());

    // Longer, one verdict corrected, one added, columns in another order, an earlier row.
    let mut lines = vec![row(3_600 * 23, "eve", "")];
    lines[0] = lines[0].replace("03-02", "03-01");
    lines.extend([
        row(0, "ann", "fraud"),
        row(0, "ann", "legitimate"),
        row(5, "bob", "fraud"),
        row(9, "bob", ""),
    ]);
    let copy = written(
        &service,
        "march 2.csv",
        format!("{HEADER}{}", lines.concat()),
    );
    let said = import(&service, &copy, &[]);
    assert_eq!(
        (&said["imported"]["calls"], &said["imported"]["already"]),
        (&5.into(), &3.into())
    );
    let counts = service.sql("SELECT count(), uniqExact(id) FROM calls");
    assert_eq!(counts, "5\t5");
    assert_eq!(
        judged(&service),
        "ann\tlegitimate\t\nann\tfraud\t\nbob\tfraud"
    );
    assert_eq!(
        service.sql("SELECT count() FROM verdicts"),
        "4",
        "of the fraud nothing new was said"
    );
    // An analyst's word goes before any file's.
    let bob = service.sql("SELECT id FROM calls WHERE user = 'bob' ORDER BY at LIMIT 1");
    service.tfps_ok(&["verdict", "legitimate", &bob]);
    import(&service, &file, &[]);
    assert!(
        judged(&service).ends_with("bob\tlegitimate"),
        "{}",
        judged(&service)
    );
}

#[test]
fn killed_in_the_middle_and_run_again_every_call_is_there_once() {
    const ROWS: u32 = 45_000;
    let service = TestService::start_on_shared("import_killed");
    let rows: String = (0..ROWS)
        .map(|n| {
            row(
                n,
                &format!("u{}", n % 50),
                if n % 100 == 0 { "fraud" } else { "" },
            )
        })
        .collect();
    let file = written(&service, "large.csv", format!("{HEADER}{rows}"));
    let mut killed = service
        .command(&["import", text(&file)])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("started");
    let stored = eventually("a part of it is stored", || {
        service
            .number("SELECT count() FROM calls")
            .filter(|count| *count > 0)
    });
    killed.kill().expect("killed");
    killed.wait().expect("ended");
    assert!(
        stored < u64::from(ROWS),
        "it was too fast to be killed in the middle"
    );
    let turn = service.data().join("import.turn");
    assert!(!std::fs::read_to_string(&turn).expect("noted").is_empty());

    // The rest comes in a longer copy.
    let more = written(
        &service,
        "longer.csv",
        format!("{HEADER}{rows}{}", row(ROWS, "last", "")),
    );
    let said = import(&service, &more, &[]);
    let all = u64::from(ROWS) + 1;
    assert_eq!(said["imported"]["calls"], all);
    let already = said["imported"]["already"].as_u64().expect("a number");
    assert!((stored..all).contains(&already), "{said}");
    let counts = service.sql("SELECT count(), uniqExact(id) FROM calls");
    assert_eq!(counts, format!("{all}\t{all}"));
    let verdicts = service.sql("SELECT count(), uniqExact(id) FROM verdicts");
    assert_eq!(verdicts, "450\t450");
    assert_eq!(std::fs::read_to_string(&turn).expect("there"), "");
    // Also of the calls that the killed run stored the service has the habits.
    eventually("the habits are joined", || {
        service
            .log()
            .contains("habits of an import joined")
            .then_some(())
    });
}

#[test]
fn two_at_once_are_not() {
    let service = TestService::start_on_shared("import_turns");
    let turn = std::fs::File::create(service.data().join("import.turn")).expect("made");
    turn.lock().expect("locked");
    let file = written(
        &service,
        "one.csv",
        format!("{HEADER}{}", row(0, "ann", "")),
    );
    let ended = service.tfps(&["import", text(&file)]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("another import runs"), "{ended:?}");
    turn.unlock().expect("unlocked");
    import(&service, &file, &[]);
}
