//! The shipper's side: batches in order, each named on disk before it may be sent.

use super::cursor::Cursor;
use super::error::io_error;
use super::frame::{MAX_RECORD, PREFIX};
use super::quarantine::Quarantine;
use super::scan::{Stopped, bad_run, count_frames, read_good, read_records};
use super::segment::{HEADER, HeaderError, Listed, SegmentKey, list, read_schema};
use super::writer::Lock;
use super::{Record, SpoolError};
use crate::domain::Timestamp;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io;
use std::marker::PhantomData;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Most bytes of one batch. More than one record, so that a batch is never empty for its size.
const BATCH_BYTES: usize = 16 << 20;
const _: () = assert!(BATCH_BYTES > 2 * (MAX_RECORD + PREFIX));

/// The exact place of a batch: the same bytes for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Range {
    /// In which segment.
    pub segment: SegmentKey,
    /// First byte of the first frame.
    pub start: u64,
    /// First byte behind the last frame.
    pub end: u64,
    /// How many records it had when it was made.
    pub records: u32,
}

impl Range {
    /// Names the batch for `insert_deduplication_token`.
    #[must_use]
    pub fn token(&self) -> String {
        format!("{:016x}-{}-{}", self.segment.id, self.start, self.end)
    }
}

/// A record and the offset of its frame, which with the segment's id names it for ever.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored<T> {
    /// Byte offset of the frame in its segment.
    pub offset: u64,
    /// The record.
    pub record: T,
}

/// What is known of a batch's fate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certainty {
    /// Never sent.
    Fresh,
    /// Named before, by this or a former process: it may be stored, wholly or partly.
    InFlight,
    /// The cursor was lost: any of its records may be stored, under other batches.
    Recheck,
}

/// Records to be sent together, already named in the cursor file.
#[derive(Clone, Debug)]
pub struct Batch<T> {
    /// Where they are.
    pub range: Range,
    /// The records, in order; never empty.
    pub records: Vec<Stored<T>>,
    /// For `insert_deduplication_token`: the range's, for as long as the batch is all of it.
    pub token: String,
    /// Whether they may be stored already.
    pub certainty: Certainty,
}

/// The reading side; there is one, and it belongs to the process that holds the lock.
pub struct SpoolReader<T> {
    dir: PathBuf,
    keep: Duration,
    cursor: Cursor,
    /// Segments up to this sequence are older than this process: nobody writes to them.
    sealed_until: u32,
    quarantine: Quarantine,
    record: PhantomData<fn() -> T>,
    _lock: Arc<Lock>,
}

impl<T: Record> SpoolReader<T> {
    pub(super) fn new(
        dir: &Path,
        keep: Duration,
        cursor: Cursor,
        sealed_until: u32,
        quarantine: Quarantine,
        lock: Arc<Lock>,
    ) -> Self {
        Self {
            dir: dir.to_owned(),
            keep,
            cursor,
            sealed_until,
            quarantine,
            record: PhantomData,
            _lock: lock,
        }
    }

    /// The batch in flight, else the next one of at most `max` records, else `None`: nothing
    /// to ship now. It is on disk as *in flight* when this returns, and is offered again until
    /// [`Self::commit`], [`Self::withdraw`] or [`Self::set_aside`].
    ///
    /// # Errors
    /// The spool's files cannot be used; asking again is right.
    pub fn next_batch(&mut self, max: usize) -> Result<Option<Batch<T>>, SpoolError> {
        if let Some(range) = self.cursor.in_flight
            && let Some(batch) = self.reread(range)?
        {
            return Ok(Some(batch));
        }
        while let Some(place) = self.locate()? {
            match self.look(&place, max.max(1))? {
                Look::Batch(batch) => {
                    self.cursor.in_flight = Some(batch.range);
                    self.cursor.store(&self.dir)?;
                    return Ok(Some(batch));
                }
                Look::Moved => {}
                Look::Nothing => return Ok(None),
            }
        }
        Ok(None)
    }

    /// The batch is stored, all of it.
    ///
    /// # Errors
    /// The cursor file cannot be replaced; the batch stays in flight.
    pub fn commit(&mut self, range: Range) -> Result<(), SpoolError> {
        let mut cursor = self.cursor.clone();
        cursor.at = range.segment;
        cursor.offset = range.end;
        cursor.in_flight = None;
        cursor.store(&self.dir)?;
        self.cursor = cursor;
        Ok(())
    }

    /// Nothing of the batch is stored, for certain: another may be made over its range.
    ///
    /// # Errors
    /// The cursor file cannot be replaced; the batch stays in flight.
    pub fn withdraw(&mut self) -> Result<(), SpoolError> {
        let mut cursor = self.cursor.clone();
        cursor.in_flight = None;
        cursor.store(&self.dir)?;
        self.cursor = cursor;
        Ok(())
    }

    /// The batch can never be stored: its bytes go to `quarantine/`, and shipping goes on.
    ///
    /// # Errors
    /// The cursor file cannot be replaced; the batch stays in flight.
    pub fn set_aside(&mut self, range: Range, why: &str) -> Result<(), SpoolError> {
        let path = range.segment.path(&self.dir);
        let file = File::open(&path).map_err(io_error("open", &path))?;
        let bytes =
            read_up_to(&file, range.start, length(range)).map_err(io_error("read", &path))?;
        let records = u64::from(range.records);
        self.quarantine
            .keep(range.segment, range.start, &bytes, records, why);
        self.commit(range)
    }

    /// Deletes what is shipped and too old to recognise a retransmission by.
    ///
    /// # Errors
    /// The directory cannot be listed, or a file not deleted.
    pub fn delete_shipped(&self, now: Timestamp) -> Result<(), SpoolError> {
        let micros = u64::try_from(now.0).unwrap_or_default();
        let now = SystemTime::UNIX_EPOCH + Duration::from_micros(micros);
        for listed in list(&self.dir)? {
            let age = now.duration_since(listed.modified).unwrap_or_default();
            if listed.key.sequence < self.cursor.at.sequence && age >= self.keep {
                let path = listed.key.path(&self.dir);
                fs::remove_file(&path).map_err(io_error("delete", &path))?;
            }
        }
        Ok(())
    }

    /// How many records former processes left to ship. Reads them: call it once, off the
    /// hot path, to begin the backlog with.
    ///
    /// # Errors
    /// The spool's files cannot be used.
    pub fn left_behind(&self) -> Result<u64, SpoolError> {
        let mut count = 0;
        for listed in list(&self.dir)? {
            let key = listed.key;
            if key.sequence < self.cursor.at.sequence || key.sequence > self.sealed_until {
                continue;
            }
            let path = key.path(&self.dir);
            let file = File::open(&path).map_err(io_error("open", &path))?;
            let from = if key == self.cursor.at {
                self.cursor.offset
            } else {
                HEADER
            };
            let left = usize::try_from(listed.bytes.saturating_sub(from)).unwrap_or(usize::MAX);
            let bytes = read_up_to(&file, from, left).map_err(io_error("read", &path))?;
            count += count_frames(&bytes);
        }
        Ok(count)
    }

    /// Finds the segment to read, which is the cursor's or the next one after it.
    fn locate(&mut self) -> Result<Option<Place>, SpoolError> {
        let segments = list(&self.dir)?;
        let wanted = self.cursor.at.sequence;
        let at = segments.partition_point(|listed| listed.key.sequence < wanted);
        let Some(&Listed { key, .. }) = segments.get(at) else {
            return Ok(None);
        };
        if key != self.cursor.at {
            self.cursor.at = key;
            self.cursor.offset = HEADER;
        }
        let next = segments.get(at + 1).map(|listed| listed.key);
        Ok(Some(Place {
            key,
            next,
            sealed: next.is_some() || key.sequence <= self.sealed_until,
        }))
    }

    /// Looks at what stands at the cursor, and moves it over what is no record.
    fn look(&mut self, place: &Place, max: usize) -> Result<Look<T>, SpoolError> {
        let path = place.key.path(&self.dir);
        let file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Look::Nothing),
            file => file.map_err(io_error("open", &path))?,
        };
        let schema = match read_schema::<T>(&file, place.key) {
            Ok(schema) => schema,
            Err(_) if !place.sealed => return Ok(Look::Nothing),
            // A crash between creating a segment and its first write.
            Err(HeaderError::Short) => return Ok(self.skip_to(place.next)),
            Err(error) => {
                self.set_rest_aside(place, &file, 0, &error.to_string())?;
                return Ok(self.skip_to(place.next));
            }
        };
        let offset = self.cursor.offset;
        let bytes = read_up_to(&file, offset, BATCH_BYTES).map_err(io_error("read", &path))?;
        if bytes.is_empty() {
            return Ok(if place.sealed {
                self.skip_to(place.next)
            } else {
                Look::Nothing
            });
        }
        let (records, used, stopped) = read_records::<T>(&bytes, offset, schema, max);
        if !records.is_empty() {
            let range = Range {
                segment: place.key,
                start: offset,
                end: offset + used as u64,
                records: u32::try_from(records.len()).unwrap_or(u32::MAX),
            };
            let recheck = place.key.sequence <= self.cursor.recheck_until;
            return Ok(Look::Batch(Batch {
                range,
                records,
                token: range.token(),
                certainty: if recheck {
                    Certainty::Recheck
                } else {
                    Certainty::Fresh
                },
            }));
        }
        // Half a frame at the end of a segment being written is a batch on its way; so, to be
        // careful, is one that does not check.
        if !place.sealed && !matches!(stopped, Stopped::Undecodable(_)) {
            return Ok(Look::Nothing);
        }
        self.set_run_aside(place, &file, &bytes, schema, &stopped.to_string())?;
        Ok(Look::Moved)
    }

    fn skip_to(&mut self, next: Option<SegmentKey>) -> Look<T> {
        match next {
            Some(next) => {
                self.cursor.at = next;
                self.cursor.offset = HEADER;
                Look::Moved
            }
            None => Look::Nothing,
        }
    }

    /// Sets aside the frames up to the next good one, or the rest of the segment when no
    /// length can be believed.
    fn set_run_aside(
        &mut self,
        place: &Place,
        file: &File,
        bytes: &[u8],
        schema: u16,
        why: &str,
    ) -> Result<(), SpoolError> {
        let offset = self.cursor.offset;
        match bad_run::<T>(bytes, schema) {
            Some((size, records)) => {
                self.quarantine
                    .keep(place.key, offset, &bytes[..size], records, why);
                self.cursor.offset = offset + size as u64;
            }
            None => self.set_rest_aside(place, file, offset, why)?,
        }
        self.cursor.store(&self.dir)
    }

    fn set_rest_aside(
        &mut self,
        place: &Place,
        file: &File,
        from: u64,
        why: &str,
    ) -> Result<(), SpoolError> {
        let path = place.key.path(&self.dir);
        let bytes = read_up_to(file, from, usize::MAX).map_err(io_error("read", &path))?;
        let why = format!("{why}; the rest of the segment is set aside");
        // How many records these bytes were cannot be known: at least one.
        self.quarantine.keep(place.key, from, &bytes, 1, &why);
        self.cursor.offset = from + bytes.len() as u64;
        Ok(())
    }

    /// The batch in flight once more, from its bytes.
    fn reread(&mut self, range: Range) -> Result<Option<Batch<T>>, SpoolError> {
        let path = range.segment.path(&self.dir);
        let records = u64::from(range.records);
        let file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.quarantine
                    .mourn(records, "the segment in flight is gone");
                self.commit(range)?;
                return Ok(None);
            }
            file => file.map_err(io_error("open", &path))?,
        };
        let bytes =
            read_up_to(&file, range.start, length(range)).map_err(io_error("read", &path))?;
        let schema = read_schema::<T>(&file, range.segment);
        let good = schema.map_or_else(|_| Vec::new(), |s| read_good::<T>(&bytes, range.start, s));
        let lost = records.saturating_sub(good.len() as u64);
        if lost > 0 {
            let why = "damaged while in flight";
            self.quarantine
                .keep(range.segment, range.start, &bytes, lost, why);
        }
        if good.is_empty() {
            self.commit(range)?;
            return Ok(None);
        }
        let recheck = range.segment.sequence <= self.cursor.recheck_until;
        Ok(Some(Batch {
            range,
            records: good,
            token: range.token(),
            certainty: if recheck {
                Certainty::Recheck
            } else {
                Certainty::InFlight
            },
        }))
    }
}

/// Which segment, and whether anybody still writes to it.
struct Place {
    key: SegmentKey,
    next: Option<SegmentKey>,
    sealed: bool,
}

enum Look<T> {
    Batch(Batch<T>),
    /// Nothing here, but look again further on.
    Moved,
    Nothing,
}

fn length(range: Range) -> usize {
    usize::try_from(range.end - range.start).unwrap_or(usize::MAX)
}

/// At most `max` bytes from `offset`; fewer at the end of the file.
fn read_up_to(file: &File, offset: u64, max: usize) -> io::Result<Vec<u8>> {
    let left = file.metadata()?.len().saturating_sub(offset);
    let mut bytes = vec![0; max.min(usize::try_from(left).unwrap_or(usize::MAX))];
    file.read_exact_at(&mut bytes, offset)?;
    Ok(bytes)
}
