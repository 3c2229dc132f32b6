//! Lists: edited and imported while calls go on.

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{Load, Phone, TestService, code_of, eventually, signal};

/// What is promised of an edit.
const A_SECOND: Duration = Duration::from_secs(1);
/// Edits tried until one is in force within that: other tests share the processor.
const TRIES: u64 = 5;

/// A file of numbers that no other test calls.
fn numbers(service: &TestService, name: &str, count: u64) -> PathBuf {
    let path = service.folder().join(name);
    let mut file = std::io::BufWriter::new(File::create(&path).expect("a file"));
    writeln!(file, "value").expect("written");
    for n in 0..count {
        writeln!(file, "{}", number(n)).expect("written");
    }
    file.flush().expect("written");
    path
}

fn number(n: u64) -> u64 {
    // Fixed lines of Bucharest, in an order that is none.
    40_210_000_000 + n * 7_919 % 1_000_003
}

fn import(path: &std::path::Path, options: &[&str]) -> Vec<String> {
    let path = path.to_str().expect("UTF-8");
    let start = ["list", "import", path, "--reason", "a test", "--json"];
    [&start, options]
        .concat()
        .into_iter()
        .map(str::to_owned)
        .collect()
}

#[test]
fn a_number_is_refused_within_a_second_of_its_listing() {
    let service = TestService::start_on_shared("lists_second");
    let phone = Phone::new(service.prevention());
    let mut took = Vec::new();
    for n in 0..TRIES {
        let called = number(n).to_string();
        assert_eq!(code_of(&phone.call(&called)), "A00");
        service.tfps_ok(&["list", "add", "black", "number", &called, "--reason", "x"]);
        let listed = Instant::now();
        eventually("the number is refused", || {
            (code_of(&phone.call(&called)) == "R03").then_some(())
        });
        took.push(listed.elapsed());
        if listed.elapsed() < A_SECOND {
            return;
        }
    }
    panic!("never within a second: {took:?}");
}

#[test]
fn an_import_of_200_000_numbers_loses_no_call() {
    let service = TestService::start_on_shared("lists_import");
    let phone = Phone::new(service.prevention());
    let count = 200_000;
    let file = numbers(&service, "numbers.csv", count);
    let (first, last) = (number(0).to_string(), number(count - 1).to_string());
    assert_eq!(code_of(&phone.call(&last)), "A00");

    let calls = 20_000;
    let load = Load::start(&service, service.prevention(), calls);
    let begun = eventually("calls are decided", || {
        Some(service.decided()).filter(|&decided| decided > 100)
    });
    let told = service.tfps_ok(&import(&file, &[]));
    let told: serde_json::Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!(told["imported"]["added"], count);
    assert!(service.decided() > begun + 100, "calls go on meanwhile");
    eventually("the numbers are refused", || {
        (code_of(&phone.call(&last)) == "R03").then_some(())
    });
    assert_eq!(code_of(&phone.call(&first)), "R03");
    let sent = load.finish();
    assert_eq!(sent.answered, calls, "every call is answered");
    service.wait_for_rows(service.decided());

    // The same again changes nothing; a shorter file takes the rest off.
    let again = service.tfps_ok(&import(&file, &[]));
    let again: serde_json::Value = serde_json::from_str(&again).expect("JSON");
    assert_eq!(again["imported"]["unchanged"], count);
    let short = numbers(&service, "short.csv", 10);
    service.tfps_ok(&import(&short, &["--replace-source", "numbers.csv"]));
    eventually("the last number is approved again", || {
        (code_of(&phone.call(&last)) == "A00").then_some(())
    });
    assert_eq!(code_of(&phone.call(&first)), "R03");
}

#[test]
fn a_killed_import_leaves_the_lists_as_they_were() {
    let service = TestService::prepare();
    service.tfps_ok(&["list", "add", "black", "number", "44", "--reason", "x"]);
    let show = || service.tfps_ok(&["list", "show", "--json"]);
    let before = show();
    // A file that does not end, so that the import is killed in the midst of it.
    let pipe = service.folder().join("pipe.csv");
    let made = Command::new("mkfifo").arg(&pipe).status().expect("mkfifo");
    assert!(made.success());
    let mut child = service
        .command(&import(&pipe, &[]))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let mut writer = File::options().write(true).open(&pipe).expect("opened");
    writeln!(writer, "value").expect("written");
    for n in 0..50_000 {
        writeln!(writer, "{}", number(n)).expect("written");
    }
    // More than the pipe holds was written: most of it has been read.
    signal(child.id(), "-KILL");
    child.wait().expect("ends");
    drop(writer);
    assert_eq!(show(), before);
    let file = numbers(&service, "numbers.csv", 10);
    service.tfps_ok(&import(&file, &[]));
}

#[test]
fn bad_rows_are_set_aside_and_all_good_ones_listed() {
    let service = TestService::prepare();
    let file = service.folder().join("mixed.csv");
    let rows = "kind,value,reason,source,expires\n\
         number,+442079460123,IRSF,feed,\n\
         prefix,25261,\"a, b\",,30d\n\
         network,203.0.113.0/24,,,2999-01-01T00:00:00Z\n\
         agent,^sipvicious,tool,,\n\
         number,0044,x,,\n\
         banana,44,x,,\n\
         network,203.0.113.0/33,x,,\n\
         agent,(,x,,\n\
         number,45,x,,soon\n\
         number,46\n\
         number,47,x,,2001-01-01T00:00:00Z\n";
    fs::write(&file, rows).expect("written");
    let aside = service.folder().join("aside.csv");
    let aside_name = aside.to_str().expect("UTF-8");
    let ended = service.tfps(&import(&file, &["--bad-rows", aside_name]));
    assert_eq!(ended.code, Some(65), "{ended:?}");
    let told: serde_json::Value = serde_json::from_str(&ended.stdout).expect("JSON");
    assert_eq!(
        (&told["set_aside"], &told["imported"]["added"]),
        (&6.into(), &4.into())
    );
    assert_eq!(told["imported"]["expired"], 1);
    // A row stands there as it stood: one that lacks columns lacks them still.
    let mut reader = csv::ReaderBuilder::new();
    let mut reader = reader.flexible(true).from_path(&aside).expect("set aside");
    let bad: Vec<_> = reader.records().map(|row| row.expect("a row")).collect();
    let lines: Vec<&str> = bad.iter().map(|row| &row[0]).collect();
    assert_eq!(lines, ["6", "7", "8", "9", "10", "11"]);
    for (row, said) in bad
        .iter()
        .zip(["0044", "banana", "/33", "`(`", "30d", "columns"])
    {
        assert!(row[1].contains(said), "{row:?}");
    }

    // What is exported comes back as it was.
    let exported = service.tfps_ok(&["list", "export"]);
    assert_eq!(exported.lines().count(), 5, "{exported}");
    let copy = service.folder().join("copy.csv");
    fs::write(&copy, &exported).expect("written");
    let again = service.tfps_ok(&import(&copy, &[]));
    let again: serde_json::Value = serde_json::from_str(&again).expect("JSON");
    assert_eq!(again["imported"]["unchanged"], 4, "{again}");
    assert_eq!(service.tfps_ok(&["list", "export"]), exported);

    let checked = service.tfps_ok(&["list", "check", "252612345678"]);
    assert!(
        checked.contains("prefix 25261") && checked.contains("R03"),
        "{checked}"
    );
    let checked = service.tfps_ok(&["list", "check", "203.0.113.9", "--json"]);
    let checked: serde_json::Value = serde_json::from_str(&checked).expect("JSON");
    assert_eq!(
        (&checked[0]["code"], &checked[0]["state"]),
        (&"R02".into(), &"decides".into())
    );
    let shown = service.tfps_ok(&["list", "show", "--source", "feed", "--json"]);
    let shown: serde_json::Value = serde_json::from_str(&shown).expect("JSON");
    assert_eq!(shown.as_array().map(Vec::len), Some(1));
}

#[test]
fn an_import_that_cannot_be_is_refused_and_changes_nothing() {
    let service = TestService::prepare();
    let write = |name: &str, text: &[u8]| {
        let path = service.folder().join(name);
        fs::write(&path, text).expect("written");
        path
    };
    let good = write("good.csv", b"value\n44\n");
    service.tfps_ok(&import(&good, &["--source", "feed"]));
    let before = service.tfps_ok(&["list", "show", "--json"]);
    let bad = write("bad.csv", b"value\nx\n");
    let headless = write("headless.csv", b"44\n45\n");
    let unknown = write("unknown.csv", b"value,colour\n44,red\n");
    let missing = service.folder().join("missing.csv");
    for (path, options, said) in [
        (&missing, &[][..], "missing.csv"),
        (&headless, &[][..], "value"),
        (&unknown, &[][..], "colour"),
        (&bad, &["--replace-source", "feed"][..], "no good row"),
        (&good, &["--scope", "root/nosuch"][..], "nosuch"),
        (
            &good,
            &[
                "--list",
                "black",
                "--bad-rows",
                good.to_str().expect("UTF-8"),
            ][..],
            "overwritten",
        ),
    ] {
        let ended = service.tfps(&import(path, options));
        assert_eq!(ended.code, Some(1), "{path:?} {options:?}: {ended:?}");
        assert!(
            ended.stderr.contains(said),
            "{path:?} {options:?}: {ended:?}"
        );
        assert_eq!(service.tfps_ok(&["list", "show", "--json"]), before);
    }
    // Rows that do not fit the list, each for itself.
    let white = service.tfps(&import(&good, &["--list", "white"]));
    assert_eq!(white.code, Some(65), "{white:?}");
    assert!(white.stderr.contains("white list"), "{white:?}");
    let group = service.tfps(&[
        "list",
        "add",
        "group",
        "network",
        "10.0.0.0/8",
        "--group",
        "gang",
    ]);
    assert_eq!(group.code, Some(0), "{group:?}");
    for (arguments, said) in [
        (
            &["list", "add", "black", "number", "44", "--group", "gang"][..],
            "--group",
        ),
        (
            &[
                "list",
                "add",
                "black",
                "number",
                "44",
                "--reason",
                "x",
                "--expires",
                "2001-01-01T00:00:00Z",
            ][..],
            "time to come",
        ),
        (
            &["list", "add", "black", "number", "44", "--reason", "a\nb"][..],
            "reason",
        ),
    ] {
        let ended = service.tfps(arguments);
        assert_eq!(ended.code, Some(1), "{arguments:?}: {ended:?}");
        assert!(ended.stderr.contains(said), "{arguments:?}: {ended:?}");
    }
}
