//! Counts that were set to nothing since the last saving, on disk before anybody is told.
//!
//! ```text
//! key check u64 | { subscriber u64 | resets u32 | crc32c u32 }*
//! ```
//! Little-endian. What is torn at the end was never told to anybody and is cut off.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

const HEADER: usize = 8;
const ENTRY: usize = 16;

/// One subscriber's counts set to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reset {
    pub(super) who: u64,
    /// How often with this.
    pub(super) resets: u32,
}

/// The file they are noted in.
#[derive(Debug)]
pub struct ResetJournal {
    file: File,
    key_check: u64,
}

impl ResetJournal {
    /// Opens or makes the file; also what is noted in it. Under another key it is begun anew.
    ///
    /// # Errors
    /// It cannot be read or written.
    pub fn open(path: &Path, key_check: u64) -> io::Result<(Self, Vec<Reset>)> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let mut journal = Self { file, key_check };
        let Some(entries) = bytes.strip_prefix(&key_check.to_le_bytes()) else {
            journal.clear()?;
            return Ok((journal, Vec::new()));
        };
        let (entries, _torn) = entries.as_chunks::<ENTRY>();
        let resets: Vec<Reset> = entries.iter().map_while(decode).collect();
        let whole = HEADER + resets.len() * ENTRY;
        journal.file.set_len(whole as u64)?;
        journal.file.seek(SeekFrom::End(0))?;
        Ok((journal, resets))
    }

    /// Notes a reset; it is on disk when this returns.
    ///
    /// # Errors
    /// It cannot be written; then it is not noted.
    pub fn note(&mut self, reset: Reset) -> io::Result<()> {
        let before = self.file.stream_position()?;
        let noted = self
            .file
            .write_all(&encode(reset))
            .and_then(|()| self.file.sync_data());
        if noted.is_err() {
            self.file.set_len(before)?;
            self.file.seek(SeekFrom::End(0))?;
        }
        noted
    }

    /// Forgets all: they are in the saved counts.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn clear(&mut self) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.rewind()?;
        self.file.write_all(&self.key_check.to_le_bytes())?;
        self.file.sync_data()
    }
}

fn encode(reset: Reset) -> [u8; ENTRY] {
    let mut entry = [0; ENTRY];
    entry[..8].copy_from_slice(&reset.who.to_le_bytes());
    entry[8..12].copy_from_slice(&reset.resets.to_le_bytes());
    let crc = crc32c::crc32c(&entry[..12]);
    entry[12..].copy_from_slice(&crc.to_le_bytes());
    entry
}

/// `None`: torn or altered.
fn decode(entry: &[u8; ENTRY]) -> Option<Reset> {
    let [a, b, c, d, e, f, g, h, i, j, k, l, ..] = *entry;
    let reset = Reset {
        who: u64::from_le_bytes([a, b, c, d, e, f, g, h]),
        resets: u32::from_le_bytes([i, j, k, l]),
    };
    (encode(reset) == *entry).then_some(reset)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reset(who: u64) -> Reset {
        Reset { who, resets: 1 }
    }

    #[test]
    fn what_was_noted_is_there_and_what_was_torn_is_not() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("resets");
        let open = |key| ResetJournal::open(&path, key).expect("opened");
        let (mut journal, noted) = open(5);
        assert_eq!(noted, []);
        journal.note(reset(1)).expect("noted");
        journal.note(reset(2)).expect("noted");
        let length = path.metadata().expect("there").len();
        for cut in [0, 1, 15, 16, 17, 33] {
            let file = OpenOptions::new().write(true).open(&path).expect("opened");
            if cut > 0 {
                file.set_len(length - cut).expect("cut");
            }
            let (mut journal, noted) = open(5);
            let whole = usize::try_from((length - cut).saturating_sub(8) / 16).expect("small");
            assert_eq!(noted, [reset(1), reset(2)][..whole], "{cut} cut off");
            for who in whole + 1..=2 {
                journal.note(reset(who as u64)).expect("noted again");
            }
            assert_eq!(open(5).1, [reset(1), reset(2)]);
        }
        assert_eq!(open(6).1, [], "of another key");
    }

    #[test]
    fn it_is_empty_once_cleared() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("resets");
        let (mut journal, _) = ResetJournal::open(&path, 5).expect("opened");
        journal.note(reset(1)).expect("noted");
        journal.clear().expect("cleared");
        journal.note(reset(2)).expect("noted");
        assert_eq!(ResetJournal::open(&path, 5).expect("opened").1, [reset(2)]);
    }
}
