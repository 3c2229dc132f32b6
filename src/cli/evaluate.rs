//! `tfps evaluate`

mod before;

use before::Before;

use super::context::Context;
use super::draft::Draft;
use super::import::Rows;
use super::output::Format;
use super::{Done, output, progress};
use crate::accounts::{Accounts, Snapshot};
use crate::app::offline;
use crate::config::FeatureSettings;
use crate::decide::{Engine, WindowSizes};
use crate::domain::{NeutralAnswer, Signs, Timestamp};
use crate::evaluate::{
    self, Calls, Evaluated, Settings, Shares, Walk, evaluate_table, read_table, render, section,
};
use crate::geo::Geo;
use crate::model::{ModelSlot, write_atomic};
use crate::replay::Order;
use crate::simulate::{AttackData, Scenario, Simulated, generate};
use crate::train::{Learner, Options, card};
use anyhow::Context as _;
use chrono::NaiveDate;
use indicatif::ProgressBar;
use rayon::prelude::*;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// Calls between two movements of the bar.
const STEP: u64 = 2_048;
/// Days of the other operator's calls, and the share of them that only forms habits.
const OTHER_DAYS: u32 = 21;
const OTHER_WARM_UP: f64 = 1.0 / 3.0;

/// Measure detection on calls that are learned from nowhere: later weeks, families of attacks
/// held out, another operator.
///
/// Without a file, calls are simulated from a seed; the same seed and sizes give the same
/// figures. Nothing is stored and no database is needed. docs/evaluation.md says how to read
/// the figures.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  \
    tfps evaluate --subscribers 200 --days 28\n  \
    tfps evaluate calls.csv --json\n  \
    tfps evaluate --table mammography.csv --label label\n\n\
    Exit codes: 0 done; 65 some rows of the file were set aside, the rest was evaluated; 64\n\
    configuration; 2 arguments; 1 anything else: too few calls, a card that says otherwise.")]
pub(super) struct EvaluateArgs {
    /// Judged calls as CSV, in time order, instead of simulated ones.
    #[arg(conflicts_with_all = ["table", "days", "subscribers", "tenants", "start", "attacks_per_day"])]
    file: Option<PathBuf>,

    /// Decides the simulated world and everything that is drawn.
    #[arg(long, default_value_t = 2026)]
    seed: u64,
    /// First simulated day.
    #[arg(long, value_name = "DATE", default_value = "2026-01-05")]
    start: NaiveDate,
    /// How many simulated days: one eighth forms habits, half is learned from, one eighth
    /// calibrates, a quarter judges.
    #[arg(long, default_value_t = 56)]
    days: u32,
    /// How many simulated subscribers.
    #[arg(long, default_value_t = 1_000)]
    subscribers: u32,
    /// How many tenants share them.
    #[arg(long, default_value_t = 20)]
    tenants: u32,
    /// How many simulated operators are learned from and judged together, each with so many
    /// subscribers, tenants and attacks, from the next seed: one has too few surprises to learn from.
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with_all = ["file", "table"],
        value_parser = clap::value_parser!(u8).range(1..=64))]
    operators: u8,
    /// Attacks begun per day, on average [default: 1 per 200 subscribers]; of each operator.
    #[arg(long, value_name = "N")]
    attacks_per_day: Option<f64>,
    /// Leave out the judging by another simulated operator.
    #[arg(long, conflicts_with_all = ["file", "table"])]
    no_other_operator: bool,

    /// What is fitted: auto, logistic, boosted, combined or blended; `auto` chooses by later calls of the
    /// training part.
    #[arg(long, default_value_t = Learner::Auto, conflicts_with = "table")]
    learner: Learner,

    /// Draws of attacks and customers behind each interval.
    #[arg(long, value_name = "DRAWS", default_value_t = 200)]
    bootstrap: usize,

    /// Folder in which rows are handed to learners of other programs and scores come back.
    /// Without --peers the scores must be there already.
    #[arg(long, value_name = "DIR", conflicts_with = "table")]
    exchange: Option<PathBuf>,
    /// Command that scores the rows, its words divided by spaces; it gets the folder as its last
    /// argument, e.g. `venv/bin/python scripts/peers/peers.py`.
    #[arg(long, value_name = "COMMAND", requires = "exchange")]
    peers: Option<String>,

    /// Write report.json, evaluation.md and figures.csv into this folder.
    #[arg(long, value_name = "DIR", conflicts_with = "table")]
    out: Option<PathBuf>,
    /// Write the model that knows every family, and its card with these figures, into this folder
    /// as default.json and default.card.md.
    #[arg(long, value_name = "DIR", conflicts_with = "table")]
    publish: Option<PathBuf>,
    /// Fail unless this card says the same, and the model beside it (default.json of
    /// default.card.md) is the one that was evaluated.
    #[arg(long, value_name = "CARD", conflicts_with = "table")]
    check: Option<PathBuf>,

    /// Judge the learners on any table of numbers instead of calls.
    #[arg(long, value_name = "CSV", requires = "label",
        conflicts_with_all = ["days", "subscribers", "tenants", "start", "attacks_per_day"])]
    table: Option<PathBuf>,
    /// Column of the table that says 0 or 1.
    #[arg(long, value_name = "COLUMN", requires = "table")]
    label: Option<String>,
    /// How often a table is split anew.
    #[arg(long, value_name = "TIMES", default_value_t = 5, requires = "table",
        value_parser = clap::value_parser!(u32).range(1..=1_000))]
    repeats: u32,

    #[command(flatten)]
    format: Format,
}

/// Runs the command.
///
/// # Errors
/// Calls that cannot be read, too few of them, a peer that fails, a card that says otherwise.
pub(super) fn run(context: &Context, args: &EvaluateArgs) -> anyhow::Result<Done> {
    if let (Some(table), Some(label)) = (&args.table, &args.label) {
        return run_table(table, label, args);
    }
    // Read before anything is written: --publish may write over it.
    let before = args.check.as_deref().map(Before::read).transpose()?;
    let (calls, other, set_aside) = match &args.file {
        Some(file) => from_file(context, file)?,
        None => simulated(args)?,
    };
    let bar = progress::waiting("evaluating");
    let told = bar.clone();
    let settings = settings(args, &calls);
    let begun = Instant::now();
    let evaluated = evaluate::evaluate(&calls, other.as_ref(), &settings, &move |what| {
        told.set_message(what.to_owned());
        // Minutes without a word are too long for a log, too.
        if told.is_hidden() {
            eprintln!("{:>5.0} s: {what}", begun.elapsed().as_secs_f64());
        }
    });
    bar.finish_and_clear();
    let evaluated = evaluated?;
    write(&evaluated, args)?;
    if args.format.json {
        output::json(&evaluated.report)?;
    } else {
        output::line(&render(&evaluated.report))?;
    }
    if let Some(before) = before {
        before.compare(&evaluated)?;
    }
    Ok(if set_aside > 0 {
        Done::SomeSetAside
    } else {
        Done::All
    })
}

fn settings(args: &EvaluateArgs, calls: &Calls) -> Settings {
    let source = match &args.file {
        Some(file) => file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        None if args.operators == 1 => format!(
            "Simulated calls (seed {}, {} subscribers of {} tenants, {} days from {})",
            args.seed, args.subscribers, args.tenants, args.days, args.start
        ),
        None => format!(
            "Simulated calls ({} operators from seed {}, each {} subscribers of {} tenants, {} days from {})",
            args.operators, args.seed, args.subscribers, args.tenants, args.days, args.start
        ),
    };
    // Not the clock: the same calls give the same model, byte for byte.
    let created = calls.data.at.last().copied().unwrap_or_default();
    Settings {
        source,
        shares: Shares::default(),
        other_warm_up: OTHER_WARM_UP,
        bootstrap: args.bootstrap,
        seed: args.seed,
        options: Options {
            learner: args.learner,
            ..Options::new(created)
        },
        logistic_too: args.learner != Learner::Logistic,
        exchange: args.exchange.clone().map(|dir| (dir, args.peers.clone())),
    }
}

type Read = (Calls, Option<Calls>, u64);

/// The simulated operators that are learned from, and one more.
fn simulated(args: &EvaluateArgs) -> anyhow::Result<Read> {
    let first = scenario(args)?;
    let of = |nth: u8| Scenario {
        seed: first.seed.wrapping_add(u64::from(nth)),
        ..first.clone()
    };
    let mut scenarios: Vec<Scenario> = (0..args.operators).map(of).collect();
    if !args.no_other_operator {
        scenarios.push(Scenario {
            days: OTHER_DAYS.min(first.days),
            ..of(args.operators)
        });
    }
    let days = scenarios.iter().map(|scenario| u64::from(scenario.days));
    let bar = progress::share(days.sum(), "walking simulated calls");
    let ticker = parking_lot::Mutex::new(progress::Ticker::new());
    let walked: anyhow::Result<Vec<Calls>> = scenarios
        .par_iter()
        .map(|scenario| walk_simulated(scenario, &bar, &ticker))
        .collect();
    bar.finish_and_clear();
    let mut walked = walked?;
    let other = walked.split_off(usize::from(args.operators)).pop();
    Ok((Calls::of_operators(walked)?, other, 0))
}

fn scenario(args: &EvaluateArgs) -> anyhow::Result<Scenario> {
    let start = args.start.and_time(chrono::NaiveTime::MIN).and_utc();
    let usual = Scenario::usual_attacks_per_day(args.subscribers);
    let scenario = Scenario {
        subscribers: args.subscribers,
        tenants: args.tenants,
        attacks_per_day: args.attacks_per_day.unwrap_or(usual),
        ..Scenario::new(
            args.seed,
            Timestamp::from_secs(start.timestamp()),
            args.days,
        )
    };
    scenario.check()?;
    Ok(scenario)
}

/// Nothing of this machine: no attack data, no database of addresses, no accounts, and a key of
/// the windows that everybody has.
fn engine_of_nobody(start: Timestamp) -> anyhow::Result<Engine> {
    let accounts = Accounts::in_memory(start)?;
    Ok(Engine::new(
        Snapshot::load(&accounts)?,
        Geo::default(),
        WindowSizes {
            tracks: FeatureSettings::default().max_tracks,
            key: [0; 16],
        },
        Arc::new(ModelSlot::new(None)),
        NeutralAnswer::default(),
    ))
}

/// Moves the bar by simulated days.
fn walk_simulated(
    scenario: &Scenario,
    bar: &ProgressBar,
    ticker: &parking_lot::Mutex<progress::Ticker>,
) -> anyhow::Result<Calls> {
    let data = AttackData::built_in();
    let engine = engine_of_nobody(scenario.start)?;
    let mut walk = Walk::new(&engine);
    let mut days = 0;
    for (nth, call) in (1..).zip(generate(scenario, &data)) {
        walk.take(&call)?;
        if nth % STEP == 0 {
            let passed = (call.record.time.secs() - scenario.start.secs()).div_euclid(86_400);
            let passed = u64::try_from(passed).unwrap_or(0);
            bar.inc(passed.saturating_sub(days));
            days = days.max(passed);
            let all = bar.length().unwrap_or_default();
            ticker
                .lock()
                .tell(|| format!("{} of {all} simulated days walked", bar.position()));
        }
    }
    Ok(walk.finish())
}

/// Calls of a file, under the accounts of the data folder.
fn from_file(context: &Context, file: &Path) -> anyhow::Result<Read> {
    let engine = offline(&context.settings, &context.data_dir()?)?;
    let mut walk = Walk::new(&engine);
    let mut rows = Rows::open(file, "walking", None, Order::new(None))?;
    let (mut ticker, mut walked) = (progress::Ticker::new(), 0_u64);
    while let Some(row) = rows.next()? {
        walked += 1;
        ticker.tell(|| format!("{walked} calls walked"));
        walk.take(&Simulated {
            record: row.record,
            honeypot: false,
            signs: Signs::NONE,
            surprise: None,
        })?;
    }
    let set_aside = rows.finish()?;
    Ok((walk.finish(), None, set_aside))
}

/// Writes what was asked for.
fn write(evaluated: &Evaluated, args: &EvaluateArgs) -> anyhow::Result<()> {
    let report = &evaluated.report;
    if let Some(dir) = &args.out {
        std::fs::create_dir_all(dir).with_context(|| dir.display().to_string())?;
        let json = serde_json::to_string_pretty(report)?;
        put(&dir.join("report.json"), json.as_bytes())?;
        put(&dir.join("evaluation.md"), section(report).as_bytes())?;
        put(
            &dir.join("figures.csv"),
            evaluate::figures_csv(report)?.as_bytes(),
        )?;
    }
    if let Some(dir) = &args.publish {
        std::fs::create_dir_all(dir).with_context(|| dir.display().to_string())?;
        let text = format!("{}\n{}", card(&evaluated.trained), section(report));
        write_atomic(&dir.join("default.card.md"), text.as_bytes())?;
        evaluated.trained.model.save(&dir.join("default.json"))?;
    }
    Ok(())
}

fn put(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let mut draft = Draft::create(path)?;
    draft
        .write_all(bytes)
        .with_context(|| path.display().to_string())?;
    draft.finish().with_context(|| path.display().to_string())
}

fn run_table(path: &Path, label: &str, args: &EvaluateArgs) -> anyhow::Result<Done> {
    let (data, catalogue) = read_table(path, label)?;
    let bar = progress::waiting("evaluating");
    let told = bar.clone();
    let repeats = args.repeats as usize;
    let report = evaluate_table(&data, catalogue, repeats, args.seed, &move |what| {
        told.set_message(what);
    });
    bar.finish_and_clear();
    let report = report?;
    if args.format.json {
        return output::json(&report);
    }
    output::line(&format!(
        "{}: {} rows, {} of them labelled 1, {} columns, {repeats} repeats",
        path.display(),
        report.rows,
        report.positives,
        report.columns
    ))?;
    let rows: Vec<_> = report.learners.iter().collect();
    output::list(
        args.format,
        &["learner", "ROC area", "average precision"],
        &rows,
        |(name, f)| {
            let spread = |s: &evaluate::Spread| format!("{:.4} +- {:.4}", s.mean, s.deviation);
            vec![
                (*name).clone(),
                spread(&f.roc_auc),
                spread(&f.average_precision),
            ]
        },
    )
}
