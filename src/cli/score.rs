//! `tfps score`

use super::context::Context;
use super::draft::Draft;
use super::import::{Rows, check_files, engine, warm_up};
use super::{Done, output};
use crate::replay::{Identities, Order, ScoredWriter, decide};
use anyhow::Context as _;
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

/// Where scored calls go.
enum Out {
    Stdout(BufWriter<output::Stdout>),
    File(Draft),
}

impl Out {
    fn as_write(&mut self) -> &mut dyn Write {
        match self {
            Self::Stdout(out) => out,
            Self::File(draft) => draft,
        }
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.as_write().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.as_write().flush()
    }
}

pub(super) fn run(context: &Context, args: ScoreArgs) -> anyhow::Result<Done> {
    let to_file = (args.out.as_os_str() != "-").then_some(args.out.as_path());
    check_files(
        &args.file,
        args.warm.as_deref(),
        args.rejected.as_deref(),
        to_file,
    )?;
    let data_dir = context.data_dir()?;
    let engine = engine(context, &data_dir)?;
    if let Some(warm) = &args.warm {
        warm_up(&engine, warm)?;
    }
    let out = match to_file {
        None => Out::Stdout(BufWriter::new(output::Stdout)),
        Some(path) => Out::File(Draft::create(path)?),
    };
    let mut writer = ScoredWriter::new(out)?;
    let mut rows = Rows::open(&args.file, "scoring", args.rejected, Order::new(None))?;
    let mut scored = 0_u64;
    let mut identities = Identities::new();
    while let Some(row) = rows.next()? {
        if let Some(event) = decide(&engine, &row, identities.id(&row.record)) {
            writer.write(&row.record, &event)?;
            scored += 1;
        }
    }
    let out = writer.finish()?;
    let set_aside = rows.finish()?;
    match out {
        Out::Stdout(mut out) => out.flush()?,
        Out::File(draft) => {
            let name = args.out.display();
            draft.finish().with_context(|| name.to_string())?;
            output::line(&format!("{scored} calls scored into {name}"))?;
        }
    }
    Ok(if set_aside > 0 {
        Done::SomeSetAside
    } else {
        Done::All
    })
}
