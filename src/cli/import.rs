//! `tfps import`

use super::aside::{Aside, rejected_of};
use super::context::Context;
use super::draft::check_apart;
use super::output::Format;
use super::{Done, output, progress};
use crate::app::{DataDir, ImportedWindows, clock, offline};
use crate::decide::Engine;
use crate::domain::CallRecord;
use crate::features::{CATALOGUE, VERSION, Windows};
use crate::replay::csv::{BadRow, Reader, RowError};
use crate::replay::{Importer, Order, decide, hash_file, raw};
use anyhow::Context as _;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

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
    check_files(
        &args.file,
        args.warm.as_deref(),
        args.rejected.as_deref(),
        None,
    )?;
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
    let mut importer = Importer::new(&engine, &store, file, windows, by.into_owned());
    let mut rows = Rows::open(
        &args.file,
        "importing",
        args.rejected.clone(),
        Order::new(Some(clock::now())),
    )?;
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

/// Before anything is done or written: each file of calls has a good header, and nothing that
/// is read would be written over.
pub(super) fn check_files(
    file: &Path,
    warm: Option<&Path>,
    rejected: Option<&Path>,
    out: Option<&Path>,
) -> anyhow::Result<()> {
    let aside = rejected.map_or_else(|| rejected_of(file), Path::to_owned);
    let warm_aside = warm.map(rejected_of);
    let inputs: Vec<&Path> = std::iter::once(file).chain(warm).collect();
    let outputs: Vec<&Path> = std::iter::once(aside.as_path())
        .chain(out)
        // The same history may be walked through twice.
        .chain(warm_aside.as_deref().filter(|other| *other != aside))
        .collect();
    check_apart(&inputs, &outputs)?;
    for path in inputs {
        let opened = File::open(path).with_context(|| path.display().to_string())?;
        Reader::new(BufReader::new(opened)).with_context(|| path.display().to_string())?;
    }
    Ok(())
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
    let mut rows = Rows::open(history, "warming up", None, Order::new(None))?;
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
    aside: Aside,
    read: u64,
    order: Order,
}

impl Rows {
    pub(super) fn open(
        path: &Path,
        what: &'static str,
        rejected: Option<PathBuf>,
        order: Order,
    ) -> anyhow::Result<Self> {
        let file = File::open(path).with_context(|| path.display().to_string())?;
        let bar = progress::bytes(file.metadata()?.len(), what);
        let reader =
            Reader::new(BufReader::new(file)).with_context(|| path.display().to_string())?;
        Ok(Self {
            reader,
            bar,
            path: path.to_owned(),
            aside: Aside::new(rejected.unwrap_or_else(|| rejected_of(path))),
            read: 0,
            order,
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
                Some(Ok(record)) => {
                    let line = self.reader.line();
                    match self.order.check(&record) {
                        Ok(()) => return Ok(Some((record, line))),
                        Err(problem) => self.set_aside(&BadRow {
                            line,
                            problem,
                            raw: raw(&record),
                        })?,
                    }
                }
                Some(Err(RowError::Bad(row))) => self.set_aside(&row)?,
                Some(Err(error)) => {
                    return Err(error).with_context(|| self.path.display().to_string());
                }
            }
        }
    }

    fn set_aside(&mut self, row: &BadRow) -> anyhow::Result<()> {
        self.aside.take(&self.bar, row.line, &row.problem, &row.raw)
    }

    /// How many rows were set aside.
    pub(super) fn finish(self) -> anyhow::Result<u64> {
        self.bar.finish_and_clear();
        self.aside.finish(
            &self.path,
            "correct those and import them alone: the whole file again, with other bytes, would \
             count the others twice",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str =
        "time,domain,user,dialed_number,source_ip,user_agent,calls,verdict,campaign\n";

    #[test]
    fn bad_rows_are_set_aside_as_csv() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("calls.csv");
        std::fs::write(&path, format!("{HEADER}a,\"b\nsoon,d,u,1,192.0.2.1,a,,,\n"))
            .expect("written");
        let mut rows = Rows::open(&path, "reading", None, Order::new(None)).expect("opened");
        assert!(rows.next().expect("read").is_none());
        assert_eq!(rows.finish().expect("finished"), 2);
        let mut aside = csv::Reader::from_path(rejected_of(&path)).expect("there");
        let header: Vec<String> = aside
            .headers()
            .expect("a header")
            .iter()
            .map(Into::into)
            .collect();
        assert_eq!(header, ["line", "problem", "row"]);
        let rows: Vec<csv::StringRecord> = aside.records().map(|r| r.expect("a row")).collect();
        assert_eq!(rows.len(), 2);
        assert_eq!((&rows[0][0], &rows[0][2]), ("2", "a,\"b"));
        assert_eq!(
            (&rows[1][0], &rows[1][2]),
            ("3", "soon,d,u,1,192.0.2.1,a,,,")
        );
    }

    #[test]
    fn what_is_read_is_not_written_over() {
        let folder = tempfile::tempdir().expect("folder");
        let at = |name: &str| folder.path().join(name);
        for name in ["calls.csv", "history.csv"] {
            std::fs::write(at(name), HEADER).expect("written");
        }
        let (calls, history) = (at("calls.csv"), at("history.csv"));
        let check = |rejected: Option<&Path>, out: Option<&Path>| {
            check_files(&calls, Some(&history), rejected, out)
        };
        check(None, Some(&at("out.csv"))).expect("fine");
        check(None, Some(&calls)).expect_err("the input");
        check(None, Some(&history)).expect_err("the history");
        check(Some(&calls), None).expect_err("the input");
        check(None, Some(&rejected_of(&calls))).expect_err("twice");
        std::fs::write(&history, "no header\n").expect("written");
        check(None, None).expect_err("a header that is none");
    }
}
