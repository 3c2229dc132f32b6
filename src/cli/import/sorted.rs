//! Files whose calls are not in time order: read whole and sorted, then walked through.

use super::rows::{STEP, Unreadable};
use crate::app::clock;
use crate::cli::progress;
use crate::domain::CallRecord;
use crate::replay::capture::{CaptureError, Counts, Packets, Reader};
use crate::replay::csv::{BadRow, RowError};
use crate::replay::map::{MapFile, MapReader};
use crate::replay::{Concurrency, Order, Row, Sorted, Sorter, raw};
use anyhow::Context as _;
use indicatif::ProgressBar;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

/// Reads a file into order.
pub(super) struct Sorting {
    folder: PathBuf,
    order: Order,
}

/// Its calls in order.
pub(super) struct SortedRows {
    sorted: Sorted,
    concurrency: Concurrency,
    /// Whether calls are counted here: the file does not say how many were up, and says how long
    /// each was.
    counts_calls: bool,
    order: Order,
    bar: ProgressBar,
    unreadable: Unreadable,
    read: u64,
}

impl Sorting {
    /// `folder`: where runs are written when the file is large.
    pub(super) fn new(folder: &Path, order: Order) -> Self {
        Self {
            folder: folder.to_owned(),
            order,
        }
    }

    /// A table of another program.
    pub(super) fn mapped(
        self,
        path: &Path,
        map: &MapFile,
        mut unreadable: Unreadable,
    ) -> anyhow::Result<SortedRows> {
        let name = || path.display().to_string();
        let (file, bar) = opened(path)?;
        let mut reader = MapReader::new(file, map.clone()).with_context(name)?;
        unreadable.like(reader.header(), reader.delimiter());
        let mut ticker = progress::Ticker::new();
        let mut sorter = Sorter::new(&self.folder);
        let (mut rows, mut read) = (0, 0_u64);
        while let Some(next) = reader.next() {
            read += 1;
            if read.is_multiple_of(STEP) {
                bar.set_position(reader.bytes());
                ticker.tell(|| format!("{read} rows read"));
            }
            match next {
                Ok(row) => {
                    // Told here, where the row still is as it stands in the file.
                    if let Err(problem) = self.order.check_future(&row.record) {
                        unreadable.take(&bar, row.line, &problem, &reader.raw())?;
                        continue;
                    }
                    sorter.push(row).with_context(|| "sorting".to_owned())?;
                    rows += 1;
                }
                Err(RowError::Bad(row)) => {
                    unreadable.take(&bar, row.line, &row.problem, &row.raw)?;
                }
                Err(error) => return Err(error).with_context(name),
            }
        }
        bar.finish_and_clear();
        let left = reader.left().0;
        if left > 0 {
            eprintln!("{left} rows are no calls by the map's `only` and are left out");
        }
        let counts_calls = !reader.tells_calls() && reader.tells_lengths();
        self.sorted(sorter, rows, counts_calls, unreadable)
    }

    /// A capture.
    pub(super) fn capture(
        self,
        path: &Path,
        mut unreadable: Unreadable,
    ) -> anyhow::Result<SortedRows> {
        let name = || path.display().to_string();
        let (file, bar) = opened(path)?;
        let mut packets = Packets::new(file).with_context(name)?;
        let mut reader = Reader::new(clock::now());
        let mut sorter = Sorter::new(&self.folder);
        let (mut rows, mut read) = (0, 0_u64);
        let mut broken = Vec::new();
        let mut reasons: BTreeMap<String, u64> = BTreeMap::new();
        unreadable.of_packets();
        loop {
            let more = packets.next(&mut |packet| {
                reader.take(packet, &mut |number, why| broken.push((number, why)));
            });
            for row in reader.finished() {
                sorter.push(row).with_context(|| "sorting".to_owned())?;
                rows += 1;
            }
            for (number, why) in broken.drain(..) {
                *reasons.entry(why.to_string()).or_default() += 1;
                unreadable.take(&bar, number, &why, "")?;
            }
            read += 1;
            if read.is_multiple_of(STEP) {
                bar.set_position(packets.bytes());
            }
            match more {
                Ok(true) => {}
                Ok(false) => break,
                // What is before is good: a capture that was killed ends anywhere.
                Err(error @ (CaptureError::Cut(number) | CaptureError::Damaged(number))) => {
                    unreadable.take(&bar, number, &error, "")?;
                    break;
                }
                Err(error) => return Err(error).with_context(name),
            }
        }
        let (left, counts) = reader.end(&mut |number, why| broken.push((number, why)));
        for row in left {
            sorter.push(row).with_context(|| "sorting".to_owned())?;
            rows += 1;
        }
        for (number, why) in broken {
            *reasons.entry(why.to_string()).or_default() += 1;
            unreadable.take(&bar, number, &why, "")?;
        }
        bar.finish_and_clear();
        tell(rows, counts, &reasons);
        self.sorted(sorter, rows, true, unreadable)
    }

    fn sorted(
        self,
        sorter: Sorter,
        rows: u64,
        counts_calls: bool,
        unreadable: Unreadable,
    ) -> anyhow::Result<SortedRows> {
        Ok(SortedRows {
            sorted: sorter.finish().with_context(|| "sorting".to_owned())?,
            concurrency: Concurrency::new(),
            counts_calls,
            order: self.order,
            bar: progress::rows(rows, "importing"),
            unreadable,
            read: 0,
        })
    }
}

fn opened(path: &Path) -> anyhow::Result<(BufReader<File>, ProgressBar)> {
    let file = File::open(path).with_context(|| path.display().to_string())?;
    let bar = progress::bytes(file.metadata()?.len(), "reading");
    Ok((BufReader::new(file), bar))
}

fn tell(calls: u64, counts: Counts, reasons: &BTreeMap<String, u64>) {
    let Counts {
        messages,
        copies,
        challenged,
        within,
        numberless,
    } = counts;
    eprintln!(
        "{calls} calls in {messages} SIP messages; beside them {copies} INVITEs sent again or copied by \
         proxies, {challenged} that were asked for a password, {within} within a call, {numberless} \
         that dial nothing"
    );
    for (reason, count) in reasons {
        eprintln!("{count} packets: {reason}");
    }
}

impl SortedRows {
    pub(super) fn next(&mut self) -> anyhow::Result<Option<Row>> {
        for row in self.sorted.by_ref() {
            let mut row = row.with_context(|| "sorting".to_owned())?;
            self.read += 1;
            if self.read.is_multiple_of(STEP) {
                self.bar.set_position(self.read);
            }
            if let Err(problem) = self.order.check(&row.record) {
                let bad = BadRow {
                    line: row.line,
                    problem,
                    raw: of_table(&row).map_or_else(String::new, raw),
                };
                self.unreadable
                    .take(&self.bar, bad.line, &bad.problem, &bad.raw)?;
                continue;
            }
            if self.counts_calls {
                self.concurrency.tell(&mut row);
            }
            return Ok(Some(row));
        }
        Ok(None)
    }

    pub(super) fn finish(self) -> anyhow::Result<u64> {
        self.bar.finish_and_clear();
        if self.concurrency.uncounted() > 0 {
            eprintln!("a million calls were up at once: from then on concurrent calls are unknown");
        }
        self.unreadable.finish()
    }
}

fn of_table(row: &Row) -> Option<&CallRecord> {
    row.message.is_none().then_some(&row.record)
}
