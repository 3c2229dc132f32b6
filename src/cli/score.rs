//! `tfps score`

use super::context::Context;
use super::import::{Rows, engine, warm_up};
use super::{Done, output};
use crate::replay::{ScoredWriter, decide, hash_file};
use anyhow::Context as _;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

/// Say of each call of a file what the service would have said; nothing is stored.
#[derive(clap::Args, Debug)]
pub(super) struct ScoreArgs {
    /// Calls as CSV, in time order; see `tfps import --help`.
    file: PathBuf,
    /// Where the calls go, with code, score, reasons and model appended; `-`: standard output.
    #[arg(long, value_name = "FILE", default_value = "-")]
    out: PathBuf,
    /// First walk the habits through this history.
    #[arg(long, value_name = "FILE")]
    warm: Option<PathBuf>,
    /// Where rows that cannot be read are set aside [default: FILE.rejected.csv].
    #[arg(long, value_name = "FILE")]
    rejected: Option<PathBuf>,
}

pub(super) fn run(context: &Context, args: ScoreArgs) -> anyhow::Result<Done> {
    let data_dir = context.data_dir()?;
    let engine = engine(context, &data_dir)?;
    if let Some(warm) = &args.warm {
        warm_up(&engine, warm)?;
    }
    let file = hash_file(&args.file).with_context(|| args.file.display().to_string())?;
    let to_stdout = args.out.as_os_str() == "-";
    let out: Box<dyn Write> = if to_stdout {
        Box::new(std::io::stdout().lock())
    } else {
        Box::new(File::create(&args.out).with_context(|| args.out.display().to_string())?)
    };
    let mut writer = ScoredWriter::new(BufWriter::new(out))?;
    let mut rows = Rows::open(&args.file, "scoring", args.rejected)?;
    let mut scored = 0_u64;
    while let Some((record, line)) = rows.next()? {
        if let Some(event) = decide(&engine, &record, file.call_id(line)) {
            writer.write(&record, &event)?;
            scored += 1;
        }
    }
    writer.flush()?;
    let set_aside = rows.finish()?;
    if !to_stdout {
        output::line(&format!(
            "{scored} calls scored into {}",
            args.out.display()
        ))?;
    }
    Ok(if set_aside > 0 {
        Done::SomeSetAside
    } else {
        Done::All
    })
}
