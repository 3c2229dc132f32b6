use super::*;
use clap::Parser;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    args: SetArgs,
}

/// Rules after `tfps policy set root default OPTIONS`.
fn after(before: &PolicyRules, options: &[&str]) -> PolicyRules {
    let mut rules = before.clone();
    parse(options).expect("parses").apply(&mut rules);
    rules
}

fn parse(options: &[&str]) -> Result<SetArgs, clap::Error> {
    let words = ["set", "root", "default"].iter().chain(options);
    Cli::try_parse_from(words).map(|cli| cli.args)
}

#[test]
fn every_option_is_a_change_and_none_is_none() {
    for option in [
        &["--mode", "R11=enforce"][..],
        &["--plan", "basic"],
        &["--answer", "redirect"],
        &["--risk-threshold", "model"],
        &["--calls-per-second", "plan"],
        &["--concurrent", "none"],
        &["--concurrent-off-hours", "1"],
        &["--daily-quota", "0"],
        &["--daily-quota-off-hours", "1"],
        &["--same-number", "none"],
        &["--zone", "UTC"],
        &["--off-hours", ""],
        &["--origin-only", "BR"],
        &["--origin-except", ""],
        &["--destination-only", "BR"],
        &["--destination-except", ""],
        &["--report-to", ""],
        &["--report-period", "daily"],
    ] {
        assert!(
            parse(option).expect("parses").changes_something(),
            "{option:?}"
        );
    }
    assert!(!parse(&[]).expect("parses").changes_something());
}

#[test]
fn limits_are_set_and_taken_away() {
    let some = after(
        &PolicyRules::default(),
        &[
            "--concurrent",
            "10",
            "--concurrent-off-hours",
            "2",
            "--daily-quota",
            "100",
            "--daily-quota-off-hours",
            "0",
            "--calls-per-second",
            "5",
            "--same-number",
            "3/60",
        ],
    );
    assert_eq!(some.concurrent.normal, Some(10));
    assert_eq!(some.concurrent.off_hours, Some(2));
    assert_eq!(some.daily_quota.normal, Some(100));
    assert_eq!(some.daily_quota.off_hours, Some(0));
    assert_eq!(some.calls_per_second, Some(5));
    let same = some.same_number.expect("set");
    assert_eq!((same.calls, same.seconds), (3, 60));
    let none = after(
        &some,
        &[
            "--concurrent",
            "none",
            "--concurrent-off-hours",
            "none",
            "--daily-quota",
            "none",
            "--daily-quota-off-hours",
            "none",
            "--calls-per-second",
            "plan",
            "--same-number",
            "none",
        ],
    );
    assert_eq!(none, PolicyRules::default());
    for wrong in [
        ["--concurrent", "-1"],
        ["--daily-quota", "many"],
        ["--daily-quota", "4294967296"],
        ["--calls-per-second", "none"],
        ["--same-number", "3"],
        ["--same-number", "3/x"],
        ["--off-hours", "18:00"],
        ["--off-hours", "18:00-25:00"],
    ] {
        assert!(parse(&wrong).is_err(), "{wrong:?}");
    }
}

#[test]
fn periods_replace_those_before_and_the_zone_stays() {
    let night = "oct-mar mon-fri 18:00-08:00";
    let first = after(
        &PolicyRules::default(),
        &[
            "--zone",
            "America/Sao_Paulo",
            "--off-hours",
            night,
            "--off-hours",
            "sat,sun 00:00-24:00",
        ],
    );
    let told = |rules: &PolicyRules| {
        let hours = rules.off_hours.clone().expect("set");
        let periods: Vec<_> = hours.periods.iter().map(ToString::to_string).collect();
        (hours.zone, periods)
    };
    let zone = "America/Sao_Paulo".to_owned();
    let both = vec![night.to_owned(), "sat,sun 00:00-24:00".to_owned()];
    assert_eq!(told(&first), (zone.clone(), both));
    let second = after(&first, &["--off-hours", "12:00-13:00"]);
    assert_eq!(
        told(&second),
        (zone.clone(), vec!["12:00-13:00".to_owned()])
    );
    let none = after(&second, &["--off-hours", ""]);
    assert_eq!(told(&none), (zone, Vec::new()));
}

#[test]
fn a_half_of_a_country_rule_that_is_not_given_stays() {
    let both = after(
        &PolicyRules::default(),
        &[
            "--destination-only",
            "continent:EU,br",
            "--destination-except",
            "risk:high",
        ],
    );
    assert_eq!(both.destination.only, ["continent:EU", "BR"]);
    assert_eq!(both.destination.except, ["risk:high"]);
    let except = after(&both, &["--destination-except", "GB"]);
    assert_eq!(except.destination.only, ["continent:EU", "BR"]);
    assert_eq!(except.destination.except, ["GB"]);
    let only = after(&except, &["--destination-only", "PT"]);
    assert_eq!(only.destination.only, ["PT"]);
    assert_eq!(only.destination.except, ["GB"]);
    let loose = after(&only, &["--destination-only", ""]);
    assert!(loose.destination.only.is_empty());
    assert_eq!(loose.destination.except, ["GB"]);
    let all = after(&loose, &["--destination-except", ""]);
    assert_eq!(all.destination, CountryRules::default());
    assert_eq!(both.origin, CountryRules::default(), "the other direction");
    // A comma too many is a mistake, which the rules themselves refuse.
    let comma = after(&both, &["--destination-only", "BR,"]);
    assert_eq!(comma.destination.only, ["BR", ""]);
}

#[test]
fn reports_are_for_somebody() {
    let some = after(
        &PolicyRules::default(),
        &[
            "--report-to",
            "noc@itsp.example,boss@itsp.example",
            "--report-period",
            "daily",
        ],
    );
    let report = some.report.clone().expect("set");
    assert_eq!(
        (report.recipients.len(), report.period),
        (2, ReportPeriod::Daily)
    );
    let other = after(&some, &["--report-to", "noc@itsp.example"]);
    assert_eq!(other.report.expect("set").period, ReportPeriod::Daily);
    assert_eq!(after(&some, &["--report-to", ""]).report, None);
    let period = parse(&["--report-period", "weekly"]).expect("parses");
    assert!(period.check(&PolicyRules::default()).is_err());
    assert!(period.check(&some).is_ok());
}

#[test]
fn a_limit_whose_check_rests_is_told() {
    let args = parse(&[
        "--daily-quota",
        "5",
        "--concurrent",
        "none",
        "--origin-only",
        "BR",
    ]);
    let args = args.expect("parses");
    let mut rules = PolicyRules::initial();
    args.apply(&mut rules);
    assert_eq!(
        args.idle(&rules).collect::<Vec<_>>(),
        [Check::R11, Check::R04]
    );
    rules.set_mode(Check::R11, Mode::Audit);
    rules.set_mode(Check::R04, Mode::Enforce);
    assert_eq!(args.idle(&rules).count(), 0);
}
