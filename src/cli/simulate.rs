//! `tfps simulate`: labelled calls from a seed, to a file or onto the wire.

use super::output;
use crate::domain::{CallRecord, Timestamp, Verdict};
use crate::replay::csv::Writer;
use crate::simulate::send::{SendOptions, SendReport, send_each};
use crate::simulate::{AttackData, Family, Only, Scenario, generate};
use anyhow::{Context, bail};
use chrono::{DateTime, NaiveDate, NaiveTime};
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Calls between two movements of the progress bar.
const PROGRESS_EVERY: u64 = 512;
/// Outstanding calls where a rate, and not the answers, sets the pace.
const OUTSTANDING_WITH_RATE: usize = 4_096;

/// Make up labelled calls from a seed, as a file or as SIP.
///
/// A few hundred subscribers with habits, and attacks among them. The same seed, times and
/// sizes give the same calls, byte for byte; the same seed at other times finds the same
/// subscribers, so a history and a later day belong together.
#[derive(Args, Debug)]
pub struct SimulateArgs {
    /// Decides who the subscribers are, what they do, and which attacks there are.
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// First moment: RFC 3339, a date (midnight UTC), `now`, `today` (midnight UTC), or one of
    /// the latter two less some time, e.g. `today-21d`, `now-12h`. Without it: the days before
    /// `--end`.
    #[arg(long, value_name = "WHEN", conflicts_with = "end")]
    start: Option<String>,

    /// Moment at which the calls end, written as for `--start`.
    #[arg(long, value_name = "WHEN", default_value = "now")]
    end: String,

    /// How many days of 24 hours.
    #[arg(long, default_value_t = 21)]
    days: u32,

    /// How many subscribers; the first ones are the same whatever the number.
    #[arg(long, default_value_t = 300)]
    subscribers: u32,

    /// How many tenants share them: itsp-1.example, itsp-2.example, ...
    #[arg(long, default_value_t = 5)]
    tenants: u32,

    /// Attacks begun per day, on average; 2 with 300 subscribers make 1 to 2 % of the calls.
    #[arg(long, value_name = "N", default_value_t = 2.0)]
    attacks_per_day: f64,

    /// Which attacks there are: hacked-pbx, stolen-credentials, prefix-scanner.
    #[arg(long, value_name = "A,B", value_delimiter = ',', default_values_t = Family::ALL)]
    families: Vec<Family>,

    /// Which calls are given; the others still count as calls that are up.
    #[arg(long, value_enum, default_value_t = Which::All)]
    only: Which,

    /// Stop after that many calls.
    #[arg(long, value_name = "CALLS")]
    limit: Option<u64>,

    /// Directory with irsf_numbers.csv, attack_ips.csv and scanner_user_agents.csv. Without it,
    /// or where it does not exist: made-up data. Which of the two is used is always said.
    #[arg(long, value_name = "DIR", env = "TFPS_ATTACK_DATA")]
    attack_data: Option<PathBuf>,

    /// Write the calls to this file as CSV; `-`: to standard output.
    #[arg(
        long,
        value_name = "FILE",
        required_unless_present = "send",
        conflicts_with = "send"
    )]
    out: Option<PathBuf>,

    /// Send the calls as SIP INVITEs over UDP to this server instead, as fast as it answers.
    /// Their own times do not matter then.
    #[arg(long, value_name = "HOST:PORT")]
    send: Option<String>,

    /// With --send: calls per second, at most.
    #[arg(long, value_name = "N", requires = "send", conflicts_with = "out")]
    rate: Option<f64>,

    /// With --send: calls sent and not yet answered, at most [default: 64; 4096 with --rate].
    #[arg(long, value_name = "N", requires = "send", conflicts_with = "out")]
    outstanding: Option<usize>,

    /// With --send: seconds after which an unanswered call is given up; until then it is sent
    /// again, so a server that is restarted still gets it.
    #[arg(
        long,
        value_name = "SECONDS",
        requires = "send",
        conflicts_with = "out",
        default_value_t = 32
    )]
    give_up: u64,

    /// With --send: letters and digits that tell this run's transactions from another's; the
    /// same id again repeats them, as retransmissions [default: from the clock].
    #[arg(long, value_name = "ID", requires = "send", conflicts_with = "out")]
    run_id: Option<String>,

    /// With --send: write what became of each call to this file as CSV.
    #[arg(long, value_name = "FILE", requires = "send", conflicts_with = "out")]
    results: Option<PathBuf>,

    /// With --send: allow a server that is not on this machine. Made-up calls among real ones
    /// do harm; be sure.
    #[arg(long, requires = "send", conflicts_with = "out")]
    allow_remote: bool,

    /// Print the summary as JSON.
    #[arg(long)]
    json: bool,
}

/// Which calls are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Which {
    /// All calls.
    All,
    /// Ordinary calls.
    Legitimate,
    /// Attacks.
    Fraud,
}

/// What was made.
#[derive(Debug, Serialize)]
struct Summary {
    seed: u64,
    start: String,
    end: String,
    subscribers: u32,
    tenants: u32,
    attack_data: String,
    calls: u64,
    fraud: u64,
    campaigns: usize,
    /// Fraudulent calls by family.
    families: BTreeMap<String, u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    send: Option<SendReport>,
}

/// Runs the command.
///
/// # Errors
/// Arguments that make no sense, files that cannot be read or written, a server that may not be
/// or cannot be sent to, and calls that nobody answered.
pub async fn run(args: SimulateArgs) -> anyhow::Result<()> {
    let now = clock();
    let scenario = scenario(&args, now)?;
    let data = attack_data(args.attack_data.as_deref())?;
    note(&format!("attack data: {}", data.source));
    let limit = usize::try_from(args.limit.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
    let calls = generate(&scenario, &data)
        .filter(|call| !call.honeypot)
        .map(|call| call.record)
        .take(limit);
    let mut tally = Tally::new(&scenario, &args);
    let mut sent = None;
    match (&args.send, &args.out) {
        (Some(target), _) => {
            let target = resolve(target, args.allow_remote).await?;
            let options = send_options(&args, now);
            let calls = calls.inspect(|call| tally.add(call));
            sent = Some(send(calls, target, &options, args.results.as_deref()).await?);
        }
        (None, Some(path)) => write(calls, path, &mut tally)?,
        (None, None) => bail!("give --out FILE or --send HOST:PORT"),
    }
    tally.bar.finish_and_clear();
    let unanswered = sent.as_ref().map_or(0, |report| report.unanswered);
    let summary = tally.summary(&scenario, data.source.to_string(), sent);
    print(&summary, &args)?;
    if unanswered > 0 {
        bail!("{unanswered} calls were not answered: is the server running?");
    }
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "a command is where time comes in"
)]
fn clock() -> Timestamp {
    // Whole seconds, so that the printed times say exactly what was simulated.
    Timestamp::from_secs(Timestamp::from(chrono::Utc::now()).secs())
}

fn note(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

fn scenario(args: &SimulateArgs, now: Timestamp) -> anyhow::Result<Scenario> {
    let days = i64::from(args.days);
    let start = match &args.start {
        Some(start) => moment(start, now)?,
        None => moment(&args.end, now)?.plus_secs(-days * 86_400),
    };
    let scenario = Scenario {
        seed: args.seed,
        start,
        days: args.days,
        subscribers: args.subscribers,
        tenants: args.tenants,
        attacks_per_day: args.attacks_per_day,
        families: args.families.clone(),
        only: match args.only {
            Which::All => Only::All,
            Which::Legitimate => Only::Legitimate,
            Which::Fraud => Only::Fraud,
        },
    };
    scenario.check()?;
    Ok(scenario)
}

/// A moment as written on the command line.
fn moment(text: &str, now: Timestamp) -> anyhow::Result<Timestamp> {
    parse_moment(text, now).with_context(|| {
        format!("`{text}` is no time: expected RFC 3339, a date, now, today, today-21d or now-12h")
    })
}

fn parse_moment(text: &str, now: Timestamp) -> Option<Timestamp> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.to_utc().into());
    }
    if let Ok(date) = text.parse::<NaiveDate>() {
        return Some(date.and_time(NaiveTime::MIN).and_utc().into());
    }
    let (base, rest) = if let Some(rest) = text.strip_prefix("now") {
        (now, rest)
    } else {
        let rest = text.strip_prefix("today")?;
        (
            Timestamp::from_secs(now.secs().div_euclid(86_400) * 86_400),
            rest,
        )
    };
    if rest.is_empty() {
        return Some(base);
    }
    let span = rest.strip_prefix('-')?;
    let unit = match span.chars().last()? {
        'd' => 86_400,
        'h' => 3_600,
        'm' => 60,
        _ => return None,
    };
    let count: u32 = span[..span.len() - 1].parse().ok()?;
    Some(base.plus_secs(-i64::from(count) * unit))
}

fn attack_data(directory: Option<&Path>) -> anyhow::Result<AttackData> {
    match directory {
        Some(directory) if directory.is_dir() => Ok(AttackData::read(directory)?),
        Some(directory) => {
            note(&format!("no directory {}", directory.display()));
            Ok(AttackData::built_in())
        }
        None => Ok(AttackData::built_in()),
    }
}

fn send_options(args: &SimulateArgs, now: Timestamp) -> SendOptions {
    let run_id = args.run_id.clone();
    let run_id = run_id.unwrap_or_else(|| format!("{:x}p{:x}", now.secs(), std::process::id()));
    let usual = SendOptions::new(&run_id);
    let window = if args.rate.is_some() {
        OUTSTANDING_WITH_RATE
    } else {
        usual.outstanding
    };
    SendOptions {
        outstanding: args.outstanding.unwrap_or(window),
        rate: args.rate,
        give_up: Duration::from_secs(args.give_up),
        ..usual
    }
}

async fn resolve(target: &str, allow_remote: bool) -> anyhow::Result<SocketAddr> {
    let found = tokio::net::lookup_host(target).await;
    let found = found.with_context(|| format!("--send {target}: expected HOST:PORT"))?;
    let mut addresses: Vec<_> = found.collect();
    if !allow_remote {
        addresses.retain(|address| address.ip().to_canonical().is_loopback());
    }
    match addresses.first() {
        Some(address) => Ok(*address),
        None => bail!(
            "--send {target}: not on this machine; made-up calls among real ones do harm. \
             If the server is meant for it, add --allow-remote"
        ),
    }
}

async fn send(
    calls: impl Iterator<Item = CallRecord>,
    target: SocketAddr,
    options: &SendOptions,
    results: Option<&Path>,
) -> anyhow::Result<SendReport> {
    let mut file = match results {
        Some(path) => Some(csv::Writer::from_path(path).with_context(|| shown(path))?),
        None => None,
    };
    let mut failed = None;
    let report = send_each(calls, target, options, |result| {
        if let Some(file) = &mut file
            && let Err(error) = file.serialize(result)
        {
            failed.get_or_insert(error);
        }
    })
    .await?;
    let path = results.unwrap_or(Path::new("-"));
    if let Some(error) = failed {
        return Err(error).with_context(|| shown(path));
    }
    if let Some(file) = &mut file {
        file.flush().with_context(|| shown(path))?;
    }
    Ok(report)
}

fn write(
    calls: impl Iterator<Item = CallRecord>,
    path: &Path,
    tally: &mut Tally,
) -> anyhow::Result<()> {
    let destination: Box<dyn Write> = if is_stdout(path) {
        Box::new(output::Stdout)
    } else {
        Box::new(File::create(path).with_context(|| shown(path))?)
    };
    let mut writer = Writer::new(destination).with_context(|| shown(path))?;
    for call in calls {
        tally.add(&call);
        writer.write(&call).with_context(|| shown(path))?;
    }
    writer.flush().with_context(|| shown(path))
}

fn shown(path: &Path) -> String {
    format!("{}: cannot be written", path.display())
}

fn is_stdout(path: &Path) -> bool {
    path == Path::new("-")
}

/// Counts what passes, and moves the progress bar.
struct Tally {
    start: Timestamp,
    calls: u64,
    fraud: u64,
    campaigns: HashSet<String>,
    families: BTreeMap<String, u64>,
    bar: ProgressBar,
}

impl Tally {
    fn new(scenario: &Scenario, args: &SimulateArgs) -> Self {
        // The bar draws on a terminal's standard error only; never between rows on a terminal.
        let rows_on_terminal =
            args.out.as_deref().is_some_and(is_stdout) && std::io::stdout().is_terminal();
        let bar = if rows_on_terminal {
            ProgressBar::hidden()
        } else {
            ProgressBar::new(u64::from(scenario.days) * 24)
        };
        let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} hours {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self {
            start: scenario.start,
            calls: 0,
            fraud: 0,
            campaigns: HashSet::new(),
            families: BTreeMap::new(),
            bar,
        }
    }

    fn add(&mut self, call: &CallRecord) {
        self.calls += 1;
        if call.verdict == Some(Verdict::Fraud) {
            self.fraud += 1;
            let family = call.campaign.split('/').next().unwrap_or_default();
            *self.families.entry(family.to_owned()).or_default() += 1;
            if !self.campaigns.contains(&call.campaign) {
                self.campaigns.insert(call.campaign.clone());
            }
        }
        if self.calls.is_multiple_of(PROGRESS_EVERY) {
            let hours = call.time.seconds_since(self.start) / 3_600.0;
            self.bar.set_position(hours as u64);
            self.bar.set_message(format!("{} calls", self.calls));
        }
    }

    fn summary(
        self,
        scenario: &Scenario,
        attack_data: String,
        send: Option<SendReport>,
    ) -> Summary {
        Summary {
            seed: scenario.seed,
            start: scenario.start.to_rfc3339(),
            end: scenario
                .start
                .plus_secs(i64::from(scenario.days) * 86_400)
                .to_rfc3339(),
            subscribers: scenario.subscribers,
            tenants: scenario.tenants,
            attack_data,
            calls: self.calls,
            fraud: self.fraud,
            campaigns: self.campaigns.len(),
            families: self.families,
            send,
        }
    }
}

/// To standard output; to standard error when the calls went to standard output.
fn print(summary: &Summary, args: &SimulateArgs) -> anyhow::Result<()> {
    let text = if args.json {
        serde_json::to_string_pretty(summary)?
    } else {
        describe(summary)
    };
    if args.out.as_deref().is_some_and(is_stdout) {
        writeln!(std::io::stderr(), "{text}")?;
    } else {
        output::line(&text)?;
    }
    Ok(())
}

fn describe(summary: &Summary) -> String {
    let Summary {
        calls,
        fraud,
        campaigns,
        start,
        end,
        ..
    } = summary;
    let mut text = format!(
        "{calls} calls from {start} to {end}, {fraud} of them fraud in {campaigns} campaigns"
    );
    for (family, calls) in &summary.families {
        text.push_str(&format!("\n  {family}: {calls}"));
    }
    if let Some(send) = &summary.send {
        text.push_str(&format!(
            "\nsent {} in {:.1} s: {} answered, {} unanswered, {} retransmissions",
            send.sent, send.elapsed_s, send.answered, send.unanswered, send.retransmissions
        ));
        let latency = send.latency;
        text.push_str(&format!(
            "\nlatency, us: p50 {}, p90 {}, p99 {}, max {}",
            latency.p50_us, latency.p90_us, latency.p99_us, latency.max_us
        ));
        for (status, calls) in &send.by_status {
            text.push_str(&format!("\n  {status}: {calls}"));
        }
        for (code, calls) in &send.by_code {
            text.push_str(&format!("\n  {code}: {calls}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
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
    fn moments() {
        let at = |text: &str| parse_moment(text, NOW).map(Timestamp::to_rfc3339);
        let cases = [
            ("now", Some("2026-03-02T13:00:00.000Z")),
            ("now-12h", Some("2026-03-02T01:00:00.000Z")),
            ("today", Some("2026-03-02T00:00:00.000Z")),
            ("today-21d", Some("2026-02-09T00:00:00.000Z")),
            ("2026-01-31", Some("2026-01-31T00:00:00.000Z")),
            (
                "2026-01-31T01:00:00+01:00",
                Some("2026-01-31T00:00:00.000Z"),
            ),
            ("today+1d", None),
            ("now-1é", None),
            ("yesterday", None),
        ];
        for (text, expected) in cases {
            assert_eq!(at(text).as_deref(), expected, "{text}");
        }
    }

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
        assert!(parse(&["--out", "a", "--families", "wangiri"]).is_err());
        assert!(parse(&["--out", "a", "--start", "now", "--end", "now"]).is_err());
        let args = parse(&["--out", "a", "--families", "hacked-pbx,prefix-scanner"]);
        assert_eq!(args.expect("parses").families.len(), 2);
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
            "--days",
            "1",
            "--subscribers",
            "20",
            "--limit",
            "50",
            "--json",
            "--out",
            out,
        ];
        run(parse(&few).expect("parses")).await.expect("runs");
        let rows = crate::replay::csv::Reader::new(File::open(&path).expect("the file"));
        assert_eq!(rows.expect("a header").filter(Result::is_ok).count(), 50);
    }
}
