//! `tfps import`

use super::context::Context;
use super::output::Format;
use super::{Done, output, progress};
use crate::app::{DataDir, ImportedWindows, clock, offline};
use crate::decide::Engine;
use crate::domain::CallRecord;
use crate::features::{CATALOGUE, VERSION, Windows};
use crate::replay::csv::{BadRow, Reader, RowError};
use crate::replay::{Importer, decide, hash_file};
use anyhow::Context as _;
use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Bad rows told one by one; of more only the number.
const TOLD: u64 = 10;
/// Rows between two movements of the bar.
const STEP: u64 = 1_024;

/// Bring calls of the past into ClickHouse: each is checked and scored under its own time, in
/// shadow. Repeating an import adds nothing.
#[derive(clap::Args, Debug)]
pub(super) struct ImportArgs {
    /// Calls as CSV: time, domain, user, dialed_number, source_ip, user_agent, calls, verdict,
    /// campaign, and optionally call_id, duration_s, answered; in time order.
    file: PathBuf,
    /// First walk the habits through this older file, without storing it again.
    #[arg(long, value_name = "FILE")]
    warm: Option<PathBuf>,
    /// Where rows that cannot be read are set aside [default: FILE.rejected.csv].
    #[arg(long, value_name = "FILE")]
    rejected: Option<PathBuf>,
    #[command(flatten)]
    format: Format,
}

pub(super) async fn run(context: Context, args: ImportArgs) -> anyhow::Result<Done> {
    let data_dir = context.data_dir()?;
    let engine = engine(&context, &data_dir)?;
    if let Some(warm) = &args.warm {
        warm_up(&engine, warm)?;
    }
    let file = hash_file(&args.file).with_context(|| args.file.display().to_string())?;
    let store = context.store().await?;
    let names: Vec<(&str, &str)> = CATALOGUE.iter().map(|f| (f.name, f.words)).collect();
    store.describe_features(VERSION, &names).await?;
    let windows = Windows::new(context.settings.features.max_tracks, data_dir.windows_key());
    let by = args.file.file_name().unwrap_or_default().to_string_lossy();
    let mut importer = Importer::new(
        &engine,
        &store,
        file,
        windows,
        by.into_owned(),
        clock::now(),
    );
    let mut rows = Rows::open(&args.file, "importing", args.rejected.clone())?;
    while let Some((record, line)) = rows.next()? {
        importer.take(&record, line).await?;
    }
    let (windows, done) = importer.finish().await?;
    ImportedWindows::write(&data_dir, &file.name(), &windows, clock::now())?;
    let set_aside = rows.finish()?;
    if args.format.json {
        output::json(&serde_json::json!({"imported": done, "set_aside": set_aside}))?;
    } else {
        output::line(&format!(
            "{} calls in ClickHouse ({} were there before), {} with a verdict, {} would have been refused",
            done.calls, done.already, done.verdicts, done.refused
        ))?;
    }
    Ok(if set_aside > 0 {
        Done::SomeSetAside
    } else {
        Done::All
    })
}

/// An engine with the accounts and the promoted model of the data folder, and empty windows.
pub(super) fn engine(context: &Context, data_dir: &DataDir) -> anyhow::Result<Engine> {
    let engine = offline(&context.settings, data_dir)?;
    if let Some(swapped) = engine
        .model()
        .watch_step(&data_dir.models(), CATALOGUE, VERSION)
    {
        swapped.context("the promoted model is refused")?;
    }
    Ok(engine)
}

/// Walks the windows through a history.
pub(super) fn warm_up(engine: &Engine, history: &Path) -> anyhow::Result<()> {
    let file = hash_file(history).with_context(|| history.display().to_string())?;
    let mut rows = Rows::open(history, "warming up", None)?;
    while let Some((record, line)) = rows.next()? {
        let _walked = decide(engine, &record, file.call_id(line));
    }
    rows.finish()?;
    Ok(())
}

/// Good rows of a file one by one; bad ones are told and set aside.
pub(super) struct Rows {
    reader: Reader<BufReader<File>>,
    bar: indicatif::ProgressBar,
    path: PathBuf,
    rejected: PathBuf,
    aside: Option<BufWriter<File>>,
    bad: u64,
    read: u64,
}

impl Rows {
    pub(super) fn open(
        path: &Path,
        what: &'static str,
        rejected: Option<PathBuf>,
    ) -> anyhow::Result<Self> {
        let file = File::open(path).with_context(|| path.display().to_string())?;
        let bar = progress::bytes(file.metadata()?.len(), what);
        let reader =
            Reader::new(BufReader::new(file)).with_context(|| path.display().to_string())?;
        let default = || {
            let mut name = path.as_os_str().to_owned();
            name.push(".rejected.csv");
            name.into()
        };
        Ok(Self {
            reader,
            bar,
            path: path.to_owned(),
            rejected: rejected.unwrap_or_else(default),
            aside: None,
            bad: 0,
            read: 0,
        })
    }

    /// The next good row and its line.
    pub(super) fn next(&mut self) -> anyhow::Result<Option<(CallRecord, u64)>> {
        loop {
            self.read += 1;
            if self.read.is_multiple_of(STEP) {
                self.bar.set_position(self.reader.bytes());
            }
            match self.reader.next() {
                None => return Ok(None),
                Some(Ok(record)) => return Ok(Some((record, self.reader.line()))),
                Some(Err(RowError::Bad(row))) => self.set_aside(&row)?,
                Some(Err(error)) => {
                    return Err(error).with_context(|| self.path.display().to_string());
                }
            }
        }
    }

    fn set_aside(&mut self, row: &BadRow) -> anyhow::Result<()> {
        self.bad += 1;
        if self.bad <= TOLD {
            self.bar
                .suspend(|| eprintln!("line {}: {}", row.line, row.problem));
        }
        if self.aside.is_none() {
            let file = File::create(&self.rejected)
                .with_context(|| self.rejected.display().to_string())?;
            self.aside = Some(BufWriter::new(file));
        }
        if let Some(aside) = &mut self.aside {
            writeln!(
                aside,
                "{},{:?},{:?}",
                row.line,
                row.problem.to_string(),
                row.raw
            )?;
        }
        Ok(())
    }

    /// How many rows were set aside.
    pub(super) fn finish(self) -> anyhow::Result<u64> {
        self.bar.finish_and_clear();
        if let Some(mut aside) = self.aside {
            aside.flush()?;
            eprintln!(
                "{} rows of {} could not be read and are set aside in {}",
                self.bad,
                self.path.display(),
                self.rejected.display()
            );
        }
        Ok(self.bad)
    }
}
