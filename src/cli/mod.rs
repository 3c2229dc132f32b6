//! The commands, one file each.

mod aside;
mod audit;
mod check;
mod context;
mod country;
mod domain;
mod draft;
mod embedded;
mod evaluate;
mod import;
mod list;
mod migrate;
mod models;
mod output;
mod plan;
mod policy;
mod policy_file;
mod progress;
mod rates;
mod score;
mod serve;
mod simulate;
mod subscriber;
mod token;
mod train;
mod verdict;

use crate::app::{AppError, EngineError, Purpose};
use crate::config::ConfigError;
use crate::geo::GeoError;
use crate::model::comparison::NotAdmitted;
use crate::train::TrainError;
use clap::{Parser, Subcommand};
use context::Context;
use std::path::PathBuf;
use std::process::ExitCode;

/// Bad configuration (`EX_USAGE` of sysexits.h).
const EXIT_CONFIG: u8 = 64;
/// Rows were set aside, everything else was done (`EX_DATAERR`).
const EXIT_DATA: u8 = 65;

/// Nothing failed, and the model in force stays: no comparison advises another.
const EXIT_KEPT: u8 = 3;
/// Another training is at work: try again later (`EX_TEMPFAIL`).
const EXIT_LATER: u8 = 75;

/// Heading of the options that every command takes.
const EVERYWHERE: &str = "Options of every command";

/// Stops telephone fraud before the call is set up.
#[derive(Parser, Debug)]
#[command(name = "tfps", version, arg_required_else_help = true)]
struct Cli {
    /// Configuration file (TOML); none is needed. `TFPS_SECTION__KEY` in the environment goes
    /// before it.
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "TFPS_CONFIG",
        help_heading = EVERYWHERE
    )]
    config: Option<PathBuf>,

    /// Everything that is written is written under this folder.
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "TFPS_DATA_DIR",
        help_heading = EVERYWHERE,
        default_value = "data"
    )]
    data_dir: PathBuf,

    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Answer calls: the service.
    Serve,
    /// Look like a PBX to scanners, on a machine of its own: the honeypot alone.
    Honeypot,
    /// Check the configuration; needs no network.
    Check,
    /// Bring the tables of ClickHouse to this version.
    Migrate,
    Simulate(Box<simulate::SimulateArgs>),
    Import(import::ImportArgs),
    Score(score::ScoreArgs),
    Train(train::TrainArgs),
    Evaluate(Box<evaluate::EvaluateArgs>),
    /// List, compare, promote and roll back models, and see how the one in force does.
    #[command(subcommand)]
    Models(models::ModelsCommand),
    /// Domains and who may ask for them.
    #[command(subcommand)]
    Domain(domain::DomainCommand),
    /// Policies: what is checked, and what a finding does.
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    /// Countries as rules name them: continent and risk class.
    #[command(subcommand)]
    Country(country::CountryCommand),
    /// Rate decks: what a minute costs by prefix, which is what fraud is after.
    #[command(subcommand)]
    Rates(rates::RatesCommand),
    /// Subscribers and caller numbers with a policy of their own.
    #[command(subcommand)]
    Subscriber(subscriber::SubscriberCommand),
    /// What plans give: calls per second and seats.
    #[command(subcommand)]
    Plan(plan::PlanCommand),
    /// Tokens of the REST API.
    #[command(subcommand)]
    Token(token::TokenCommand),
    Audit(audit::AuditArgs),
    /// Black and white lists, attack groups.
    #[command(subcommand)]
    List(list::ListCommand),
    Verdict(verdict::VerdictArgs),
    /// The process of the embedded ClickHouse; `serve` starts it.
    #[command(hide = true)]
    EmbeddedClickhouse(embedded::EmbeddedArgs),
}

/// What a command came to, when it did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Done {
    /// Everything was done.
    All,
    /// Everything was done, and the accounts are other than they were.
    Edited,
    /// Some rows of a file were set aside.
    SomeSetAside,
    /// A model was trained, and the one in force stays.
    Kept,
}

/// Runs the command of the process's arguments.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(Done::All | Done::Edited) => ExitCode::SUCCESS,
        Ok(Done::SomeSetAside) => ExitCode::from(EXIT_DATA),
        Ok(Done::Kept) => ExitCode::from(EXIT_KEPT),
        Err(error) if output::nobody_reads(&error) => ExitCode::SUCCESS,
        Err(error) => {
            if let Some(wrong) = error.downcast_ref::<clap::Error>() {
                wrong.exit();
            }
            output::error(&error);
            exit_code_of(&error)
        }
    }
}

fn exit_code_of(error: &anyhow::Error) -> ExitCode {
    if is_configuration(error) {
        ExitCode::from(EXIT_CONFIG)
    } else if error.is::<NotAdmitted>() {
        ExitCode::from(EXIT_KEPT)
    } else if matches!(error.downcast_ref(), Some(TrainError::AtWork { .. })) {
        ExitCode::from(EXIT_LATER)
    } else {
        ExitCode::FAILURE
    }
}

/// Whether a key of the configuration must be changed: also for the files that keys name, which
/// are opened later.
fn is_configuration(error: &anyhow::Error) -> bool {
    let engine = match error.downcast_ref::<AppError>() {
        Some(AppError::Engine(engine)) => Some(engine),
        _ => error.downcast_ref::<EngineError>(),
    };
    let geo = match engine {
        Some(EngineError::Geo(geo)) => Some(geo),
        _ => error.downcast_ref::<GeoError>(),
    };
    let is_config =
        error.is::<ConfigError>() || matches!(error.downcast_ref(), Some(AppError::Config(_)));
    is_config || matches!(geo, Some(GeoError::Mmdb { .. }))
}

fn run(cli: Cli) -> anyhow::Result<Done> {
    // Before any configuration: the child gets all it needs as arguments.
    let command = match cli.command {
        Command::EmbeddedClickhouse(args) => return embedded::run(args),
        command => command,
    };
    let context = Context::load(cli.config.as_deref(), cli.data_dir)?;
    let done = match command {
        Command::Domain(command) => domain::run(&context, command),
        Command::Policy(command) => policy::run(&context, command),
        Command::Country(command) => country::run(&context, command),
        Command::Rates(command) => rates::run(&context, command),
        Command::Subscriber(command) => subscriber::run(&context, command),
        Command::Plan(command) => plan::run(&context, command),
        Command::List(command) => list::run(&context, command),
        command => return run_other(context, command),
    }?;
    if done == Done::Edited {
        output::line(&context.told_done())?;
    }
    Ok(done)
}

/// The commands that edit no accounts, or need not say so.
fn run_other(context: Context, command: Command) -> anyhow::Result<Done> {
    match command {
        Command::Serve => block_on(serve::run(context, Purpose::Service)),
        Command::Honeypot => block_on(serve::run(context, Purpose::Honeypot)),
        Command::Check => check::run(&context),
        Command::Migrate => block_on(migrate::run(context)),
        Command::Simulate(args) => block_on(async {
            simulate::run(*args).await?;
            Ok(Done::All)
        }),
        Command::Import(args) => block_on(import::run(context, args)),
        Command::Score(args) => score::run(&context, args),
        Command::Train(args) => block_on(train::run(context, args)),
        Command::Evaluate(args) => evaluate::run(&context, &args),
        Command::Models(command) => block_on(models::run(context, command)),
        Command::Token(command) => token::run(&context, command),
        Command::Audit(args) => audit::run(&context, args),
        Command::Verdict(args) => block_on(verdict::run(context, args)),
        // Run above.
        Command::EmbeddedClickhouse(_)
        | Command::Domain(_)
        | Command::Policy(_)
        | Command::Country(_)
        | Command::Rates(_)
        | Command::Subscriber(_)
        | Command::Plan(_)
        | Command::List(_) => Ok(Done::All),
    }
}

/// How long threads may work on after a command has ended.
const LINGER: std::time::Duration = std::time::Duration::from_secs(5);

fn block_on(command: impl Future<Output = anyhow::Result<Done>>) -> anyhow::Result<Done> {
    let runtime = tokio::runtime::Runtime::new()?;
    let done = runtime.block_on(command);
    // A thread that hangs must not keep the process from ending: what counts is done.
    runtime.shutdown_timeout(LINGER);
    done
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_hold_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_database_that_is_none_is_bad_configuration_wherever_it_is_opened() {
        let wrong = || {
            let settings = crate::geo::GeoSettings {
                database: Some("/nonexistent.mmdb".into()),
                ..Default::default()
            };
            crate::geo::Geo::open(&settings).expect_err("not there")
        };
        assert!(is_configuration(&wrong().into()));
        assert!(is_configuration(&EngineError::from(wrong()).into()));
        let app = AppError::from(EngineError::from(wrong()));
        assert!(is_configuration(&anyhow::Error::from(app).context("start")));
        assert!(!is_configuration(&anyhow::anyhow!("else")));
    }
}
