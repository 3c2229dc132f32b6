//! One import at a time on a data folder, and a note of those that did not come to their end.
//!
//! What calls show of habits is handed to the service when an import ends. One that was killed
//! has stored calls whose habits nobody has: the note says since when, and the next import counts
//! such calls as new.

use anyhow::{Context as _, bail};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The turn of this import; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    /// Locked; holds the seconds of ClickHouse's clock since which habits are missing, or nothing.
    note: File,
    unlearned_since: u32,
}

impl Turn {
    /// Takes the turn; `now` is ClickHouse's clock.
    pub(super) fn take(folder: &Path, now: u32) -> anyhow::Result<Self> {
        let path = folder.join("import.turn");
        let name = || path.display().to_string();
        let mut options = OpenOptions::new();
        options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600);
        let mut note = options.open(&path).with_context(name)?;
        match note.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!(
                "another import runs on {}: wait until it has ended",
                folder.display()
            ),
            Err(TryLockError::Error(error)) => return Err(error).with_context(name),
        }
        let mut text = String::new();
        (&note)
            .take(64)
            .read_to_string(&mut text)
            .with_context(name)?;
        let unlearned_since = match text.trim().parse() {
            Ok(since) => since,
            // None is open: from now on what is stored is this run's.
            Err(_) => {
                note.set_len(0).with_context(name)?;
                note.rewind()?;
                note.write_all(now.to_string().as_bytes())
                    .with_context(name)?;
                note.sync_all().with_context(name)?;
                u32::MAX
            }
        };
        Ok(Self {
            note,
            unlearned_since,
        })
    }

    /// Rows stored since then were not learned from.
    pub(super) const fn unlearned_since(&self) -> u32 {
        self.unlearned_since
    }

    /// Everything was handed over.
    pub(super) fn end(self) -> anyhow::Result<()> {
        self.note.set_len(0)?;
        Ok(self.note.sync_all()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_and_one_that_did_not_end_is_remembered() {
        let folder = tempfile::tempdir().expect("folder");
        let first = Turn::take(folder.path(), 100).expect("free");
        assert_eq!(first.unlearned_since(), u32::MAX);
        Turn::take(folder.path(), 101).expect_err("taken");
        drop(first);
        let second = Turn::take(folder.path(), 200).expect("free again");
        assert_eq!(second.unlearned_since(), 100, "the first did not end");
        second.end().expect("noted");
        let third = Turn::take(folder.path(), 300).expect("free");
        assert_eq!(third.unlearned_since(), u32::MAX);
    }
}
