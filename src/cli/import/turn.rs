//! One import at a time on a data folder, and a note of those that did not come to their end.
//!
//! What calls show of habits is handed to the service when an import ends. One that was killed
//! has stored calls whose habits nobody has: the note says of which file and since when, and the
//! next import counts such calls as new where it comes across them. It is forgotten when the file
//! comes to its end, or when another had all of its calls; one that had some leaves it.

use crate::replay::FileHash;
use anyhow::{Context as _, bail};
use std::collections::{HashMap, HashSet};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Files remembered at once; beyond, the one noted first is forgotten.
const MOST: usize = 1_000;
/// Bytes of a note's line: all are as long, so that a write that was cut short spoils no other.
const LINE: usize = 28;

/// A file whose import began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Begun {
    /// [`FileHash::number`].
    file: u64,
    /// Seconds of ClickHouse's clock since which its habits are missing.
    since: u32,
}

/// The turn of this import; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    /// Locked; a line for each file that did not come to its end.
    note: File,
    file: u64,
    /// The run before on this file did not end either.
    again: bool,
}

impl Turn {
    /// Takes the turn for a file; `now` is ClickHouse's clock.
    pub(super) fn take(folder: &Path, file: &FileHash, now: u32) -> anyhow::Result<Self> {
        let path = folder.join("import.turn");
        let name = || path.display().to_string();
        let mut options = OpenOptions::new();
        options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600);
        let note = options.open(&path).with_context(name)?;
        match note.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!(
                "another import runs on {}: wait until it has ended",
                folder.display()
            ),
            Err(TryLockError::Error(error)) => return Err(error).with_context(name),
        }
        let mut turn = Self {
            note,
            file: file.number(),
            again: false,
        };
        let mut begun = turn.read().with_context(name)?;
        turn.again = begun.iter().any(|begun| begun.file == turn.file);
        if !turn.again {
            // From now on what is stored is this run's.
            begun.push(Begun {
                file: turn.file,
                since: now,
            });
            let first = begun.len().saturating_sub(MOST);
            turn.write(&begun[first..]).with_context(name)?;
        }
        Ok(turn)
    }

    /// Files of whose calls nobody learned, by [`FileHash::number`], and since when.
    pub(super) fn unlearned(&mut self) -> std::io::Result<HashMap<u64, u32>> {
        let mut unlearned = self.others()?;
        if self.again {
            let begun = self.read()?;
            let own = begun.iter().find(|begun| begun.file == self.file);
            unlearned.extend(own.map(|own| (own.file, own.since)));
        }
        Ok(unlearned)
    }

    /// Of these, those that are not the file of this run.
    pub(super) fn others(&mut self) -> std::io::Result<HashMap<u64, u32>> {
        let begun = self.read()?.into_iter();
        let others = begun.filter(|begun| begun.file != self.file);
        Ok(others.map(|begun| (begun.file, begun.since)).collect())
    }

    /// Everything of this file was handed over, and of those that it caught up with.
    pub(super) fn end(mut self, caught_up: &HashSet<u64>) -> anyhow::Result<()> {
        let mut begun = self.read()?;
        begun.retain(|begun| begun.file != self.file && !caught_up.contains(&begun.file));
        Ok(self.write(&begun)?)
    }

    fn read(&mut self) -> std::io::Result<Vec<Begun>> {
        let mut bytes = Vec::new();
        self.note.rewind()?;
        (&self.note)
            .take((MOST * LINE) as u64)
            .read_to_end(&mut bytes)?;
        let line = |line: &[u8]| {
            let (file, since) = std::str::from_utf8(line).ok()?.trim_end().split_once(' ')?;
            Some(Begun {
                file: u64::from_str_radix(file, 16).ok()?,
                since: since.parse().ok()?,
            })
        };
        Ok(bytes.chunks_exact(LINE).filter_map(line).collect())
    }

    /// What is no longer said is cut off last: until then it is said twice, and no file is forgotten.
    fn write(&mut self, begun: &[Begun]) -> std::io::Result<()> {
        let line = |begun: &Begun| format!("{:016x} {:010}\n", begun.file, begun.since);
        let text: String = begun.iter().map(line).collect();
        self.note.rewind()?;
        self.note.write_all(text.as_bytes())?;
        self.note.set_len(text.len() as u64)?;
        self.note.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: FileHash = FileHash::new([1; 32]);
    const OTHER: FileHash = FileHash::new([2; 32]);

    fn none() -> HashSet<u64> {
        HashSet::new()
    }

    #[test]
    fn one_at_a_time_and_one_that_did_not_end_is_remembered() {
        let folder = tempfile::tempdir().expect("folder");
        let mut first = Turn::take(folder.path(), &ONE, 100).expect("free");
        assert!(first.unlearned().expect("read").is_empty());
        Turn::take(folder.path(), &OTHER, 101).expect_err("taken");
        drop(first);
        let mut second = Turn::take(folder.path(), &ONE, 200).expect("free again");
        let unlearned = second.unlearned().expect("read");
        assert_eq!(unlearned, HashMap::from([(ONE.number(), 100)]));
        second.end(&none()).expect("noted");
        let mut third = Turn::take(folder.path(), &ONE, 300).expect("free");
        assert!(third.unlearned().expect("read").is_empty());
    }

    #[test]
    fn another_file_in_between_leaves_it_remembered_unless_it_had_all_of_it() {
        let folder = tempfile::tempdir().expect("folder");
        let note = || std::fs::read(folder.path().join("import.turn")).expect("there");
        let lacking = HashMap::from([(ONE.number(), 100)]);
        drop(Turn::take(folder.path(), &ONE, 100).expect("free"));
        let mut other = Turn::take(folder.path(), &OTHER, 200).expect("free");
        assert_eq!(other.unlearned().expect("read"), lacking);
        assert_eq!(other.others().expect("read"), lacking);
        other.end(&none()).expect("noted");
        let mut again = Turn::take(folder.path(), &ONE, 300).expect("free");
        assert_eq!(again.unlearned().expect("read"), lacking);
        assert!(again.others().expect("read").is_empty());
        drop(again);
        let other = Turn::take(folder.path(), &OTHER, 400).expect("free");
        assert_eq!(note().len(), 2 * LINE);
        other.end(&HashSet::from([ONE.number()])).expect("noted");
        assert!(note().is_empty());
    }

    #[test]
    fn the_note_does_not_grow_without_bound() {
        let folder = tempfile::tempdir().expect("folder");
        let lines: String = (0..1_000).map(|n| format!("{n:016x} {n:010}\n")).collect();
        let path = folder.path().join("import.turn");
        std::fs::write(&path, lines).expect("written");
        let mut taken = Turn::take(folder.path(), &ONE, 2_000).expect("free");
        let others = taken.others().expect("read");
        assert_eq!((others.len(), others.get(&0)), (MOST - 1, None));
        let length = std::fs::metadata(&path).expect("there").len();
        assert_eq!(length, (MOST * LINE) as u64);
    }
}
