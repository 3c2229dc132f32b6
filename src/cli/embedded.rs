//! The hidden command that the service starts as a process of its own.

use super::Done;
use crate::store::embedded::{ChildOptions, run as run_child};
use std::net::SocketAddr;
use std::path::PathBuf;
use tracing_subscriber::EnvFilter;

#[derive(clap::Args, Debug)]
pub(super) struct EmbeddedArgs {
    #[arg(long)]
    path: PathBuf,
    #[arg(long)]
    listen: SocketAddr,
    #[arg(long = "lib")]
    library: Option<PathBuf>,
    #[arg(long, default_value_t = 8)]
    sessions: usize,
    #[arg(long)]
    end_with_stdin: bool,
}

/// Does not return after a failure: its exit code tells the parent what is wrong.
pub(super) fn run(args: EmbeddedArgs) -> anyhow::Result<Done> {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new("info"))
        .with_writer(std::io::stderr)
        .with_ansi(false)
        // The parent puts its own time and target before each line.
        .without_time()
        .with_target(false)
        .with_level(false)
        .init();
    let options = ChildOptions {
        path: args.path,
        listen: args.listen,
        library: args.library,
        sessions: args.sessions,
        end_with_stdin: args.end_with_stdin,
    };
    match run_child(options) {
        Ok(()) => Ok(Done::All),
        Err(error) => {
            let code = error.exit_code();
            super::output::error(&error.into());
            std::process::exit(code.into())
        }
    }
}
