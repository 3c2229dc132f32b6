//! Where bytes go that can be neither read nor shipped.

use super::segment::SegmentKey;
use crate::telemetry::{Event, Telemetry};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The directory `quarantine/`, bounded.
pub(super) struct Quarantine {
    dir: PathBuf,
    max_bytes: u64,
    telemetry: Arc<Telemetry>,
}

impl Quarantine {
    pub(super) fn new(spool: &Path, max_bytes: u64, telemetry: Arc<Telemetry>) -> Self {
        Self {
            dir: spool.join("quarantine"),
            max_bytes,
            telemetry,
        }
    }

    /// Keeps the bytes that stand at `offset` of a segment, and tells. The same place twice
    /// (after a crash) is one file.
    ///
    /// That they cannot be kept is told too, but stops nothing: good records wait behind them.
    pub(super) fn keep(&self, key: SegmentKey, offset: u64, bytes: &[u8], records: u64, why: &str) {
        let kept = self.write(key, offset, bytes, why);
        let error = match kept {
            Ok(()) => why.to_owned(),
            Err(error) => format!("{why}; and the bytes are gone: {error}"),
        };
        let error = error.as_str();
        self.telemetry.emit(&Event::Quarantined { records, error });
    }

    /// Tells of what is no longer there to be kept.
    pub(super) fn mourn(&self, records: u64, why: &str) {
        let error = why;
        self.telemetry.emit(&Event::Quarantined { records, error });
    }

    fn write(&self, key: SegmentKey, offset: u64, bytes: &[u8], why: &str) -> io::Result<()> {
        fs::create_dir_all(&self.dir)?;
        let mut held = 0;
        for entry in fs::read_dir(&self.dir)? {
            held += entry?.metadata()?.len();
        }
        if held + bytes.len() as u64 > self.max_bytes {
            let full = format!("the quarantine holds {held} bytes, its bound");
            return Err(io::Error::new(io::ErrorKind::QuotaExceeded, full));
        }
        let name = format!("{key}@{offset}");
        fs::write(self.dir.join(&name), bytes)?;
        fs::write(self.dir.join(format!("{name}.why")), why)
    }
}
