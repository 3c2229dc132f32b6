//! The last records, shipped or not: what a restarted process must not answer twice.

use super::frame::{Parsed, parse};
use super::segment::{HEADER, list, read_schema};
use super::{Record, SegmentKey, Spool, SpoolError};
use crate::domain::Timestamp;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

impl<T: Record> Spool<T> {
    /// The readable records whose time is not before `since`, oldest segment first.
    ///
    /// Only segments last written to since then are looked at, one in memory at a time. What is
    /// damaged is passed over: telling is the reader's business.
    ///
    /// # Errors
    /// The directory cannot be listed.
    pub fn recent(
        &self,
        since: Timestamp,
        time_of: impl Fn(&T) -> Timestamp,
    ) -> Result<impl Iterator<Item = T>, SpoolError> {
        // A file's time may lag the clock by a tick of the kernel.
        let micros = u64::try_from(since.plus_secs(-1).0).unwrap_or_default();
        let since_system = SystemTime::UNIX_EPOCH + Duration::from_micros(micros);
        let dir = self.dir.clone();
        let segments = list(&dir)?;
        let touched = segments
            .into_iter()
            .filter(move |listed| listed.modified >= since_system);
        let records = touched.flat_map(move |listed| read_all::<T>(&dir, listed.key));
        Ok(records.filter(move |record| time_of(record) >= since))
    }
}

fn read_all<T: Record>(dir: &Path, key: SegmentKey) -> Vec<T> {
    let Ok(file) = File::open(key.path(dir)) else {
        return Vec::new();
    };
    let Ok(schema) = read_schema::<T>(&file, key) else {
        return Vec::new();
    };
    let length = file.metadata().map_or(0, |meta| meta.len());
    let mut content = vec![0; usize::try_from(length.saturating_sub(HEADER)).unwrap_or(0)];
    if file.read_exact_at(&mut content, HEADER).is_err() {
        return Vec::new();
    }
    let mut rest = content.as_slice();
    let mut records = Vec::new();
    loop {
        let size = match parse(rest) {
            Parsed::Whole { payload, size } => {
                records.extend(T::decode(schema, payload));
                size
            }
            Parsed::Damaged { size: Some(size) } => size,
            Parsed::Damaged { size: None } | Parsed::Partial => return records,
        };
        rest = &rest[size..];
    }
}
