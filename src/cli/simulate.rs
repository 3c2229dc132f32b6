//! `tfps simulate`: labelled calls from a seed, to a file or onto the wire.

mod moment;
mod tally;

use super::output;
use crate::domain::{CallRecord, Timestamp};
use crate::replay::csv::Writer;
use crate::simulate::send::{SendOptions, SendReport, send_each};
use crate::simulate::{AttackData, Family, Only, Scenario, Simulated, generate};
use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use moment::moment;
use std::fs::File;
use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tally::{Summary, Tally};

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

    /// How many tenants share them: itsp-1.example, itsp-2.example, ... Small ones come and go
    /// beside these.
    #[arg(long, default_value_t = 5)]
    tenants: u32,

    /// Attacks begun per day, on average, if all families take part [default: one for 200
    /// subscribers, which makes 1 to 2 % of the calls fraud].
    #[arg(long, value_name = "N")]
    attacks_per_day: Option<f64>,

    /// Which attacks there are. A family left out takes its attacks with it and changes none of
    /// the others.
    #[arg(long, value_name = "A,B", value_delimiter = ',', default_values_t = Family::ALL)]
    families: Vec<Family>,

    /// Which attacks there are not.
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    without_families: Vec<Family>,

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

    /// Write the calls that ring at honeypots to this file as CSV; they are in no other output.
    #[arg(long, value_name = "FILE")]
    honeypot: Option<PathBuf>,

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
    let mut tally = Tally::new(&scenario, rows_on_terminal(&args));
    let mut traps = Traps::open(args.honeypot.as_deref())?;
    let mut sent = None;
    let calls = generate(&scenario, &data)
        .filter(|call| !traps.take(call))
        .take(limit)
        .inspect(|call| tally.add(call))
        .map(|call| call.record);
    match (&args.send, &args.out) {
        (Some(target), _) => {
            let target = resolve(target, args.allow_remote).await?;
            let options = send_options(&args, now);
            sent = Some(send(calls, target, &options, args.results.as_deref()).await?);
        }
        (None, Some(path)) => write(calls, path)?,
        (None, None) => bail!("give --out FILE or --send HOST:PORT"),
    }
    tally.finish(traps.close()?);
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
    let families = args.families.iter().copied();
    let families = families.filter(|family| !args.without_families.contains(family));
    let usual = Scenario::usual_attacks_per_day(args.subscribers);
    let scenario = Scenario {
        seed: args.seed,
        start,
        days: args.days,
        subscribers: args.subscribers,
        tenants: args.tenants,
        attacks_per_day: args.attacks_per_day.unwrap_or(usual),
        families: families.collect(),
        only: match args.only {
            Which::All => Only::All,
            Which::Legitimate => Only::Legitimate,
            Which::Fraud => Only::Fraud,
        },
    };
    scenario.check()?;
    Ok(scenario)
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

fn write(calls: impl Iterator<Item = CallRecord>, path: &Path) -> anyhow::Result<()> {
    let destination: Box<dyn Write> = if is_stdout(path) {
        Box::new(output::Stdout)
    } else {
        Box::new(File::create(path).with_context(|| shown(path))?)
    };
    let mut writer = Writer::new(destination).with_context(|| shown(path))?;
    for call in calls {
        writer.write(&call).with_context(|| shown(path))?;
    }
    writer.flush().with_context(|| shown(path))
}

fn shown(path: &Path) -> String {
    format!("{}: cannot be written", path.display())
}

/// The calls that ring at honeypots: to a file of their own, or nowhere.
struct Traps<'a> {
    path: &'a Path,
    writer: Option<Writer<File>>,
    calls: u64,
    failed: Option<csv::Error>,
}

impl<'a> Traps<'a> {
    fn open(path: Option<&'a Path>) -> anyhow::Result<Self> {
        let shown_path = path.unwrap_or(Path::new("-"));
        let writer = match path {
            Some(path) => {
                let file = File::create(path).with_context(|| shown(path))?;
                Some(Writer::new(file).with_context(|| shown(path))?)
            }
            None => None,
        };
        Ok(Self {
            path: shown_path,
            writer,
            calls: 0,
            failed: None,
        })
    }

    /// Whether the call is a honeypot's; it is written then.
    fn take(&mut self, call: &Simulated) -> bool {
        if call.honeypot {
            self.calls += 1;
            if let Some(writer) = &mut self.writer
                && let Err(error) = writer.write(&call.record)
            {
                self.failed.get_or_insert(error);
            }
        }
        call.honeypot
    }

    /// How many there were.
    fn close(self) -> anyhow::Result<u64> {
        if let Some(error) = self.failed {
            return Err(error).with_context(|| shown(self.path));
        }
        if let Some(mut writer) = self.writer {
            writer.flush().with_context(|| shown(self.path))?;
        }
        Ok(self.calls)
    }
}

/// The progress bar would stand among the rows.
fn rows_on_terminal(args: &SimulateArgs) -> bool {
    args.out.as_deref().is_some_and(is_stdout) && std::io::stdout().is_terminal()
}

fn is_stdout(path: &Path) -> bool {
    path == Path::new("-")
}

/// To standard output; to standard error when the calls went to standard output.
fn print(summary: &Summary, args: &SimulateArgs) -> anyhow::Result<()> {
    let text = if args.json {
        serde_json::to_string_pretty(summary)?
    } else {
        summary.describe()
    };
    if args.out.as_deref().is_some_and(is_stdout) {
        writeln!(std::io::stderr(), "{text}")?;
    } else {
        output::line(&text)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
