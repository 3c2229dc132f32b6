//! Calls put in order of their time, however many: in memory as far as they go, the rest in
//! sorted runs on disk that are merged (Knuth, The Art of Computer Programming 3, section 5.4).

use super::Row;
use crate::domain::Timestamp;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Rows held in memory before they become a run: some 40 MB.
const ROWS: usize = 100_000;
/// Runs of one level before they are merged into one of the next: so many files are open at once
/// for each level, and `WAYS` to the power of the levels times [`ROWS`] rows can be sorted.
const WAYS: usize = 16;
/// Longest row in a run, bytes: far above what a line of a file can hold.
const MAX_ROW: usize = 1 << 20;

/// Takes rows in any order.
#[derive(Debug)]
pub struct Sorter {
    folder: PathBuf,
    most: usize,
    rows: Vec<Row>,
    /// Runs by how often their rows were merged.
    levels: Vec<Vec<File>>,
    runs: u64,
}

impl Sorter {
    /// `folder` holds the runs; they have no name there and are gone with this process, whatever
    /// ends it.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self::with_rows(folder, ROWS)
    }

    fn with_rows(folder: &Path, most: usize) -> Self {
        Self {
            folder: folder.to_owned(),
            most,
            rows: Vec::new(),
            levels: Vec::new(),
            runs: 0,
        }
    }

    /// Takes a row.
    ///
    /// # Errors
    /// A run could not be written.
    pub fn push(&mut self, row: Row) -> io::Result<()> {
        self.rows.push(row);
        if self.rows.len() < self.most {
            return Ok(());
        }
        let rows = self.sorted_rows();
        let run = self.write(rows.into_iter().map(Ok))?;
        self.add(run, 0)
    }

    /// All rows by their time, those of the same time as they stood in the file.
    ///
    /// # Errors
    /// A run cannot be read.
    pub fn finish(mut self) -> io::Result<Sorted> {
        let rows = self.sorted_rows();
        let runs = std::mem::take(&mut self.levels).into_iter().flatten();
        Sorted::of(runs.collect(), rows)
    }

    fn sorted_rows(&mut self) -> Vec<Row> {
        let mut rows = std::mem::take(&mut self.rows);
        rows.sort_by_key(key);
        rows
    }

    fn add(&mut self, run: File, level: usize) -> io::Result<()> {
        if self.levels.len() <= level {
            self.levels.push(Vec::new());
        }
        self.levels[level].push(run);
        if self.levels[level].len() < WAYS {
            return Ok(());
        }
        let runs = std::mem::take(&mut self.levels[level]);
        let merged = self.write(Sorted::of(runs, Vec::new())?)?;
        self.add(merged, level + 1)
    }

    fn write(&mut self, rows: impl Iterator<Item = io::Result<Row>>) -> io::Result<File> {
        let mut file = BufWriter::new(self.unnamed()?);
        for row in rows {
            let bytes = postcard::to_stdvec(&row?).map_err(io::Error::other)?;
            let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
            file.write_all(&length.to_le_bytes())?;
            file.write_all(&bytes)?;
        }
        let mut file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        Ok(file)
    }

    /// A file that is its owner's only and goes when it is closed: calls hold phone numbers.
    fn unnamed(&mut self) -> io::Result<File> {
        self.runs += 1;
        let name = format!(".sort.{}.{}", std::process::id(), self.runs);
        let path = self.folder.join(name);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true).mode(0o600);
        let file = options.open(&path)?;
        std::fs::remove_file(&path)?;
        Ok(file)
    }
}

fn key(row: &Row) -> (Timestamp, u64) {
    (row.record.time, row.line)
}

/// Where a run's rows come from.
#[derive(Debug)]
enum Run {
    File(BufReader<File>),
    Memory(std::vec::IntoIter<Row>),
}

impl Run {
    fn next(&mut self) -> io::Result<Option<Row>> {
        let file = match self {
            Self::Memory(rows) => return Ok(rows.next()),
            Self::File(file) => file,
        };
        let mut length = [0; 4];
        match file.read_exact(&mut length) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            read => read?,
        }
        let length = u32::from_le_bytes(length) as usize;
        if length > MAX_ROW {
            return Err(io::Error::other("a run on disk is damaged"));
        }
        let mut bytes = vec![0; length];
        file.read_exact(&mut bytes)?;
        postcard::from_bytes(&bytes)
            .map(Some)
            .map_err(io::Error::other)
    }
}

/// Rows by their time.
#[derive(Debug)]
pub struct Sorted {
    runs: Vec<Run>,
    /// The first row of each run that has one.
    heads: Vec<Option<Row>>,
    next: BinaryHeap<Reverse<(Timestamp, u64, usize)>>,
}

impl Sorted {
    fn of(files: Vec<File>, rows: Vec<Row>) -> io::Result<Self> {
        let files = files
            .into_iter()
            .map(|file| Run::File(BufReader::new(file)));
        let runs: Vec<Run> = files.chain([Run::Memory(rows.into_iter())]).collect();
        let mut sorted = Self {
            heads: runs.iter().map(|_| None).collect(),
            runs,
            next: BinaryHeap::new(),
        };
        for at in 0..sorted.runs.len() {
            sorted.advance(at)?;
        }
        Ok(sorted)
    }

    fn advance(&mut self, at: usize) -> io::Result<()> {
        self.heads[at] = self.runs[at].next()?;
        if let Some(row) = &self.heads[at] {
            let (time, line) = key(row);
            self.next.push(Reverse((time, line, at)));
        }
        Ok(())
    }
}

impl Iterator for Sorted {
    type Item = io::Result<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        let Reverse((_, _, at)) = self.next.pop()?;
        let row = self.heads[at].take()?;
        Some(self.advance(at).map(|()| row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::concurrent::tests::row;
    use rand::{RngExt as _, SeedableRng};

    #[test]
    fn many_runs_come_out_as_one_order_and_leave_nothing() {
        let folder = tempfile::tempdir().expect("folder");
        let mut dice = rand_pcg::Pcg64Mcg::seed_from_u64(7);
        let mut sorter = Sorter::with_rows(folder.path(), 10);
        let mut expected = Vec::new();
        for line in 1..=5_003 {
            let time = dice.random_range(0..2_000);
            expected.push((Timestamp::from_secs(time), line));
            sorter.push(row("ann", time, Some(1), line)).expect("taken");
        }
        assert!(sorter.levels.len() >= 3, "merged more than once");
        assert!(sorter.levels.iter().all(|runs| runs.len() < WAYS));
        expected.sort_unstable();
        let sorted: Vec<_> = sorter
            .finish()
            .expect("merged")
            .map(|row| key(&row.expect("read")))
            .collect();
        assert_eq!(sorted, expected);
        assert_eq!(folder.path().read_dir().expect("listed").count(), 0);
    }
}
