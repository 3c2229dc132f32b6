//! How far shipping has come, and what is in flight. Replaced whole, and fsynced.

use super::error::io_error;
use super::segment::{SegmentKey, sync_dir};
use super::{Range, SpoolError};
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

const NAME: &str = "cursor";
const NEW_NAME: &str = "cursor.new";

/// What the cursor file holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cursor {
    /// The segment that is being shipped.
    pub at: SegmentKey,
    /// Everything in it before this byte is settled.
    pub offset: u64,
    /// The batch that may or may not be stored.
    pub in_flight: Option<Range>,
    /// Up to this sequence the cursor was lost: compare with the store before sending.
    pub recheck_until: u32,
}

impl Cursor {
    /// Reads the file. Without one, everything up to `newest` may have been shipped before.
    pub(super) fn load(dir: &Path, newest: u32) -> Result<Self, SpoolError> {
        let path = dir.join(NAME);
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Self {
                    at: SegmentKey { sequence: 0, id: 0 },
                    offset: 0,
                    in_flight: None,
                    recheck_until: newest,
                });
            }
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                return Err(SpoolError::Cursor(path));
            }
            text => text.map_err(io_error("read", &path))?,
        };
        Self::parse(&text).ok_or(SpoolError::Cursor(path))
    }

    fn parse(text: &str) -> Option<Self> {
        let (crc, json) = text.trim_end().split_once(' ')?;
        let crc = u32::from_str_radix(crc, 16).ok()?;
        if crc32c::crc32c(json.as_bytes()) != crc {
            return None;
        }
        serde_json::from_str(json).ok()
    }

    /// Writes the file so that after a crash it is the old or the new one, whole.
    pub(super) fn store(&self, dir: &Path) -> Result<(), SpoolError> {
        let path = dir.join(NAME);
        self.replace(dir).map_err(io_error("replace", path))
    }

    fn replace(&self, dir: &Path) -> io::Result<()> {
        let json = serde_json::to_string(self)?;
        let crc = crc32c::crc32c(json.as_bytes());
        let new = dir.join(NEW_NAME);
        let mut file = File::create(&new)?;
        file.write_all(format!("{crc:08x} {json}\n").as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, dir.join(NAME))?;
        sync_dir(dir)
    }
}
