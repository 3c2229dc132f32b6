//! `tfps import`

mod report;
mod rows;
mod said;
mod sorted;
mod turn;

pub(super) use rows::{Rows, check_files, warm_up};

use super::context::Context;
use super::draft::check_apart;
use super::output::Format;
use super::{Done, output, progress};
use crate::app::{DataDir, ImportedWindows, clock, offline};
use crate::decide::Engine;
use crate::features::{CATALOGUE, VERSION, Windows};
use crate::replay::capture::is_capture;
use crate::replay::map::{self, MapFile};
use crate::replay::report::Audit;
use crate::replay::{Identities, Imported, Importer, Order, Origin, Row, decide, hash_file};
use anyhow::{Context as _, bail};
use clap::builder::NonEmptyStringValueParser;
use rows::Unreadable;
use sorted::Sorting;
use std::collections::HashSet;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use turn::Turn;

/// Examples below `--help`.
const EXAMPLES: &str = "\
Examples:
  tfps import calls.csv
  tfps import capture.pcap
  tfps import Master.csv --map asterisk --set domain=pbx.example \\
      --set source_ip=192.0.2.10 --set zone=Europe/Madrid
  tfps import --print-map kamailio > mine.toml   # then edit it
  tfps import acc.csv --map mine.toml
  tfps import calls.csv --dry-run --report=audit.html

Exit codes: 0 all done; 65 some rows were set aside, the others are done; 64 configuration;
2 arguments; 1 anything else, with what to do. docs/import.md is the guide.";

/// Bring calls of the past into ClickHouse: each is checked and scored under its own time, in
/// shadow. A call that is there already is not stored again, whichever file it comes in.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct ImportArgs {
    /// Calls: CSV with the columns time, domain, user, dialed_number, source_ip, user_agent,
    /// calls, verdict, campaign, and optionally call_id, duration_s, answered, in time order; any
    /// other CSV with --map; or a capture, pcap or pcapng.
    #[arg(required_unless_present = "print_map")]
    file: Option<PathBuf>,
    /// What the columns of another program's file are: asterisk, freeswitch, kamailio, opensips,
    /// or a map of your own (TOML). Rows may be in any order.
    #[arg(long, value_name = "MAP", value_parser = NonEmptyStringValueParser::new())]
    map: Option<String>,
    /// What the file does not say: domain=, source_ip=, user_agent=, zone= (of its times, IANA).
    #[arg(long, value_name = "KEY=VALUE", requires = "map")]
    set: Vec<String>,
    /// Print a ready map, to begin one's own with.
    #[arg(long, value_name = "NAME", conflicts_with = "file")]
    print_map: Option<String>,
    /// First walk the habits through this older file (of our own layout), without storing it.
    #[arg(long, value_name = "FILE")]
    warm: Option<PathBuf>,
    /// Where rows that cannot be read are set aside [default: FILE.rejected.csv].
    #[arg(long, value_name = "FILE")]
    rejected: Option<PathBuf>,
    /// Tell what the calls come to: what would have been refused, suspected campaigns, cost. To
    /// a file when one is given: .html, .md, .json, or .csv for the campaigns alone.
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    report: Option<Option<PathBuf>>,
    /// Store nothing, and need no ClickHouse.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    format: Format,
}

/// What was taken from the file besides good rows.
#[derive(Clone, Copy, Debug, Default)]
struct Ended {
    set_aside: u64,
}

/// Good rows of a file one by one, whatever the file is.
enum Calls {
    Own(Box<Rows>),
    Sorted(Box<sorted::SortedRows>),
}

impl Calls {
    fn next(&mut self) -> anyhow::Result<Option<Row>> {
        match self {
            Self::Own(rows) => rows.next(),
            Self::Sorted(rows) => rows.next(),
        }
    }

    fn finish(self) -> anyhow::Result<Ended> {
        let set_aside = match self {
            Self::Own(rows) => rows.finish()?,
            Self::Sorted(rows) => rows.finish()?,
        };
        Ok(Ended { set_aside })
    }
}

pub(super) async fn run(context: Context, args: ImportArgs) -> anyhow::Result<Done> {
    if let Some(name) = &args.print_map {
        return print_map(name);
    }
    let Some(file) = args.file.clone() else {
        bail!("give a file of calls");
    };
    let kind = Kind::of(&file, &args)?;
    check(&file, &kind, &args)?;
    let data_dir = context.data_dir()?;
    let engine = engine(&context, &data_dir)?;
    if let Some(warm) = &args.warm {
        warm_up(&engine, warm)?;
    }
    let audit = args
        .report
        .is_some()
        .then(|| Audit::new(report::thresholds(&engine)));
    let work = Work {
        context: &context,
        data_dir: &data_dir,
        engine: &engine,
        file: &file,
        args: &args,
        kind,
    };
    let (done, ended, audit) = match args.dry_run {
        true => work.walk(audit)?,
        false => work.store(audit).await?,
    };
    let report = audit.map(|audit| audit.finish(&name_of(&file)));
    report::tell(done, ended.set_aside, report.as_ref(), &args)?;
    Ok(if ended.set_aside > 0 {
        Done::SomeSetAside
    } else {
        Done::All
    })
}

fn print_map(name: &str) -> anyhow::Result<Done> {
    let names = || map::READY.map(|(name, _)| name).join(", ");
    let text = map::ready(name)
        .with_context(|| format!("no ready map `{name}`: there are {}", names()))?;
    output::line(text.trim_end())?;
    Ok(Done::All)
}

/// What a file is.
enum Kind {
    Own,
    Mapped(Box<MapFile>),
    Capture,
}

impl Kind {
    fn of(file: &Path, args: &ImportArgs) -> anyhow::Result<Self> {
        let mut opened = File::open(file).with_context(|| file.display().to_string())?;
        let mut first = [0; 4];
        let mut filled = 0;
        while filled < first.len() {
            match opened.read(&mut first[filled..])? {
                0 => break,
                read => filled += read,
            }
        }
        if filled == first.len() && is_capture(first) {
            if args.map.is_some() {
                bail!("{} is a capture: it needs no --map", file.display());
            }
            return Ok(Self::Capture);
        }
        let Some(name) = &args.map else {
            return Ok(Self::Own);
        };
        let said = said::said(&args.set)?;
        let text = match map::ready(name) {
            Some(text) => text.to_owned(),
            None => std::fs::read_to_string(name)
                .with_context(|| format!("map {name}: neither a ready one nor a file"))?,
        };
        let map = MapFile::parse(&text, &said).with_context(|| format!("map {name}"))?;
        Ok(Self::Mapped(Box::new(map)))
    }
}

/// Nothing that is read would be written over, and what is written can be.
fn check(file: &Path, kind: &Kind, args: &ImportArgs) -> anyhow::Result<()> {
    let out = args.report.as_ref().and_then(Option::as_deref);
    if let Some(out) = out {
        report::check_ending(out)?;
    }
    let (warm, rejected) = (args.warm.as_deref(), args.rejected.as_deref());
    match kind {
        Kind::Own => check_files(file, warm, rejected, out),
        Kind::Mapped(_) | Kind::Capture => {
            let own_map = args.map.as_ref().filter(|name| map::ready(name).is_none());
            let own_map = own_map.map(Path::new);
            let inputs: Vec<&Path> = [Some(file), warm, own_map].into_iter().flatten().collect();
            let aside = rejected.map_or_else(|| super::aside::rejected_of(file), Path::to_owned);
            let outputs: Vec<&Path> = std::iter::once(aside.as_path()).chain(out).collect();
            check_apart(&inputs, &outputs)
        }
    }
}

/// One import at work.
struct Work<'a> {
    context: &'a Context,
    data_dir: &'a DataDir,
    engine: &'a Engine,
    file: &'a Path,
    args: &'a ImportArgs,
    kind: Kind,
}

type Outcome = (Option<Imported>, Ended, Option<Audit>);

impl Work<'_> {
    fn calls(&self) -> anyhow::Result<Calls> {
        let unreadable = Unreadable::new(self.file, self.args.rejected.clone());
        let order = Order::new(Some(clock::now()));
        let sorting = || Sorting::new(self.data_dir.path(), order);
        Ok(match &self.kind {
            Kind::Own => {
                let rejected = self.args.rejected.clone();
                Calls::Own(Box::new(Rows::open(
                    self.file,
                    "importing",
                    rejected,
                    order,
                )?))
            }
            Kind::Mapped(map) => {
                Calls::Sorted(Box::new(sorting().mapped(self.file, map, unreadable)?))
            }
            Kind::Capture => Calls::Sorted(Box::new(sorting().capture(self.file, unreadable)?)),
        })
    }

    /// Decides every call and stores none.
    fn walk(&self, mut audit: Option<Audit>) -> anyhow::Result<Outcome> {
        let mut calls = self.calls()?;
        let mut identities = Identities::new();
        let (mut ticker, mut walked) = (progress::Ticker::new(), 0_u64);
        while let Some(row) = calls.next()? {
            let event = decide(self.engine, &row, identities.id(&row.record));
            if let (Some(audit), Some(event)) = (&mut audit, &event) {
                audit.take(&row, event);
            }
            walked += 1;
            ticker.tell(|| format!("{walked} rows scored"));
        }
        Ok((None, calls.finish()?, audit))
    }

    async fn store(&self, mut audit: Option<Audit>) -> anyhow::Result<Outcome> {
        let store = self.context.store().await?;
        let names: Vec<(&str, &str)> = CATALOGUE.iter().map(|f| (f.name, f.words)).collect();
        store.describe_features(VERSION, &names).await?;
        let file = hash_file(self.file).with_context(|| self.file.display().to_string())?;
        let mut turn = Turn::take(self.data_dir.path(), &file, store.clock().await?)?;
        let tracks = self.context.settings.features.max_tracks;
        let windows = Windows::new(tracks, self.data_dir.windows_key());
        let origin = Origin {
            file,
            by: name_of(self.file),
            unlearned: turn.unlearned()?,
        };
        let mut importer = Importer::new(self.engine, &store, origin, windows);
        let mut calls = self.calls()?;
        let mut ticker = progress::Ticker::new();
        while let Some(row) = calls.next()? {
            ticker.tell(|| format!("{} rows stored", importer.stored()));
            let event = importer.take(&row).await?;
            if let (Some(audit), Some(event)) = (&mut audit, event) {
                audit.take(&row, event);
            }
        }
        let (learned, done) = importer.finish().await?;
        if let Some(name) = &learned.name {
            ImportedWindows::write(self.data_dir, name, &learned.windows, clock::now())?;
        }
        let mut caught_up = HashSet::new();
        for (file, since) in turn.others()? {
            let learned = learned.caught_up.get(&file).copied().unwrap_or_default();
            if learned > 0 && learned >= store.stored_of(file, since).await? {
                caught_up.insert(file);
            }
        }
        turn.end(&caught_up)?;
        Ok((Some(done), calls.finish()?, audit))
    }
}

fn name_of(file: &Path) -> String {
    file.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
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
