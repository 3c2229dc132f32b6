//! The arguments, and a file made from them.

use super::*;
use clap::Parser;

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    simulate: SimulateArgs,
}

fn parse(arguments: &[&str]) -> Result<SimulateArgs, clap::Error> {
    let arguments = std::iter::once("tfps").chain(arguments.iter().copied());
    Command::try_parse_from(arguments).map(|command| command.simulate)
}

/// 2026-03-02T13:00:00Z.
const NOW: Timestamp = Timestamp::from_secs(1_772_456_400);

#[test]
fn the_days_before_the_end_or_after_the_start() {
    let start = |arguments: &[&str]| {
        let args = parse(arguments).expect("parses");
        scenario(&args, NOW).expect("possible").start.to_rfc3339()
    };
    assert_eq!(
        start(&["--out", "-", "--days", "2"]),
        "2026-02-28T13:00:00.000Z"
    );
    assert_eq!(
        start(&["--out", "-", "--start", "today"]),
        "2026-03-02T00:00:00.000Z"
    );
    let none = parse(&["--out", "-", "--subscribers", "0"]).expect("parses");
    assert!(scenario(&none, NOW).is_err());
}

#[test]
fn arguments_that_contradict_each_other_are_refused() {
    assert!(parse(&[]).is_err());
    assert!(parse(&["--out", "a", "--send", "localhost:9091"]).is_err());
    assert!(parse(&["--out", "a", "--rate", "5"]).is_err());
    assert!(parse(&["--out", "a", "--families", "simbox"]).is_err());
    assert!(parse(&["--out", "a", "--start", "now", "--end", "now"]).is_err());
    let args = parse(&["--out", "a", "--families", "hacked-pbx,prefix-scanner"]);
    assert_eq!(args.expect("parses").families.len(), 2);
}

#[test]
fn families_can_be_named_or_left_out() {
    let families = |arguments: &[&str]| {
        let args = parse(&[&["--out", "-"], arguments].concat()).expect("parses");
        scenario(&args, NOW).expect("possible").families
    };
    assert_eq!(families(&[]), Family::ALL);
    let left = families(&["--without-families", "wangiri,imitator"]);
    assert_eq!(left.len(), Family::ALL.len() - 2);
    assert!(!left.contains(&Family::Wangiri) && !left.contains(&Family::Imitator));
    let both = [
        "--families",
        "wangiri,imitator",
        "--without-families",
        "imitator",
    ];
    assert_eq!(families(&both), [Family::Wangiri]);
}

#[test]
fn attacks_grow_with_the_subscribers_unless_said() {
    let attacks = |arguments: &[&str]| {
        let args = parse(&[&["--out", "-"], arguments].concat()).expect("parses");
        scenario(&args, NOW).expect("possible").attacks_per_day
    };
    assert!((attacks(&["--subscribers", "1000"]) - 5.0).abs() < 1e-9);
    assert!((attacks(&["--attacks-per-day", "3"]) - 3.0).abs() < 1e-9);
}

#[tokio::test]
async fn only_this_machine_unless_allowed() {
    assert!(resolve("127.0.0.1:9091", false).await.is_ok());
    let refused = resolve("203.0.113.1:9091", false)
        .await
        .expect_err("refused");
    assert!(refused.to_string().contains("--allow-remote"));
    assert!(resolve("203.0.113.1:9091", true).await.is_ok());
}

#[tokio::test]
async fn a_file_is_written() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("calls.csv");
    let out = path.to_str().expect("UTF-8");
    let few = [
        "--start",
        "2026-03-02",
        "--days",
        "3",
        "--subscribers",
        "20",
        "--limit",
        "2000",
        "--json",
        "--out",
        out,
    ];
    let traps = dir.path().join("honeypot.csv");
    let traps_text = traps.to_str().expect("UTF-8");
    let few = [
        &few[..],
        &["--attacks-per-day", "30", "--honeypot", traps_text],
    ]
    .concat();
    run(parse(&few).expect("parses")).await.expect("runs");
    let rows = crate::replay::csv::Reader::new(File::open(&path).expect("the file"));
    assert_eq!(rows.expect("a header").filter(Result::is_ok).count(), 2_000);
    let trapped = crate::replay::csv::Reader::new(File::open(&traps).expect("the file"));
    let trapped: Vec<_> = trapped
        .expect("a header")
        .collect::<Result<_, _>>()
        .expect("rows");
    assert!(!trapped.is_empty());
    assert!(trapped.iter().all(|call| call.domain == "honeypot.invalid"));
}
