//! The hot path's side: take records, one write per batch.

use super::cursor::Cursor;
use super::error::io_error;
use super::frame::{Parsed, parse};
use super::quarantine::Quarantine;
use super::segment::{HEADER, Listed, SegmentKey, list};
use super::sync::Syncer;
use super::{Frames, Record, Share, SpoolError, SpoolOptions, SpoolReader};
use crate::domain::Timestamp;
use crate::telemetry::{Event, Telemetry};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Between two looks at the directory while the spool is full, microseconds.
const LOOK_AGAIN: i64 = Timestamp::SECOND;

/// The appending side. Put it behind a mutex; [`Frames`] keep encoding outside of it.
pub struct Spool<T> {
    pub(super) dir: PathBuf,
    options: SpoolOptions,
    telemetry: Arc<Telemetry>,
    sequence: u32,
    current: Option<Current>,
    /// Bytes of all segments but the current one, as last seen.
    others: u64,
    looked: Timestamp,
    syncer: Syncer,
    frames: Frames<T>,
    _lock: Arc<Lock>,
}

struct Current {
    file: Arc<File>,
    bytes: u64,
    begun: Timestamp,
}

/// Opens a spool, new or left behind by another process, for one writer and one reader.
///
/// # Errors
/// [`SpoolError::Locked`], [`SpoolError::Cursor`], or the directory cannot be used.
pub fn open<T: Record>(
    dir: &Path,
    options: SpoolOptions,
    telemetry: Arc<Telemetry>,
) -> Result<(Spool<T>, SpoolReader<T>), SpoolError> {
    fs::create_dir_all(dir).map_err(io_error("create", dir))?;
    let lock = Arc::new(take_lock(dir)?);
    let mut segments = list(dir)?;
    if let Some(newest) = segments.last_mut() {
        cut_torn_end(dir, newest, &telemetry)?;
    }
    let newest = segments.last().map_or(0, |listed| listed.key.sequence);
    let cursor = Cursor::load(dir, newest)?;
    let sequence = newest.max(cursor.at.sequence);
    let quarantine = Quarantine::new(dir, options.max_quarantine_bytes, telemetry.clone());
    let reader = SpoolReader::new(dir, options.keep, cursor, newest, quarantine, lock.clone());
    let syncer = Syncer::start(dir.to_owned(), options.sync_every, telemetry.clone())
        .map_err(io_error("start a thread for", dir))?;
    let spool = Spool {
        dir: dir.to_owned(),
        options,
        telemetry,
        sequence,
        current: None,
        others: segments.iter().map(|listed| listed.bytes).sum(),
        looked: Timestamp(i64::MIN),
        syncer,
        frames: Frames::default(),
        _lock: lock,
    };
    Ok((spool, reader))
}

/// Owns the directory until dropped.
pub(super) struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing alone is not enough: a process that another thread is just starting shares the
        // open file until it runs its program.
        if let Err(error) = self.0.unlock() {
            tracing::debug!(%error, "the spool's lock goes with its file");
        }
    }
}

fn take_lock(dir: &Path) -> Result<Lock, SpoolError> {
    let path = dir.join("lock");
    let mut options = OpenOptions::new();
    let options = options.create(true).truncate(false).write(true);
    let lock = options.open(&path).map_err(io_error("open", &path))?;
    match lock.try_lock() {
        Ok(()) => Ok(Lock(lock)),
        Err(TryLockError::WouldBlock) => Err(SpoolError::Locked(dir.to_owned())),
        Err(TryLockError::Error(error)) => Err(io_error("lock", &path)(error)),
    }
}

/// Cuts half a frame (or half a header) off the newest segment: what a crash in the middle of
/// a write leaves. Whole frames that do not check are left for the reader to set aside.
fn cut_torn_end(dir: &Path, newest: &mut Listed, telemetry: &Telemetry) -> Result<(), SpoolError> {
    let path = newest.key.path(dir);
    let mut options = OpenOptions::new();
    let file = options.read(true).write(true).open(&path);
    let file = file.map_err(io_error("open", &path))?;
    let whole = whole_frames(&file, newest.bytes).map_err(io_error("read", &path))?;
    if whole == newest.bytes {
        return Ok(());
    }
    telemetry.emit(&Event::SpoolTorn {
        bytes: newest.bytes - whole,
    });
    file.set_len(whole).map_err(io_error("cut", &path))?;
    file.sync_all().map_err(io_error("sync", &path))?;
    newest.bytes = whole;
    Ok(())
}

/// How many bytes of a segment come before half a frame at its end.
fn whole_frames(file: &File, bytes: u64) -> io::Result<u64> {
    if bytes < HEADER {
        return Ok(0);
    }
    let mut content = vec![0; usize::try_from(bytes - HEADER).unwrap_or(usize::MAX)];
    file.read_exact_at(&mut content, HEADER)?;
    let mut at = 0;
    loop {
        match parse(&content[at..]) {
            Parsed::Whole { size, .. } | Parsed::Damaged { size: Some(size) } => at += size,
            Parsed::Partial => return Ok(HEADER + at as u64),
            // The lengths lead no further; zeros to the end are a page that was never written.
            Parsed::Damaged { size: None } if content[at..].iter().all(|&b| b == 0) => {
                return Ok(HEADER + at as u64);
            }
            Parsed::Damaged { size: None } => return Ok(bytes),
        }
    }
}

impl<T: Record> Spool<T> {
    /// Takes a batch of records; when this returns `Ok` they survive the process.
    ///
    /// # Errors
    /// [`SpoolError::Full`] and [`SpoolError::Write`]: answer anyway, count the loss. A record
    /// that cannot be encoded fails the batch before anything is written.
    pub fn append(&mut self, records: &[T], now: Timestamp) -> Result<(), SpoolError> {
        let mut frames = std::mem::take(&mut self.frames);
        frames.clear();
        let encoded = records.iter().try_for_each(|record| frames.push(record));
        let appended = encoded.and_then(|()| self.append_frames(&frames, Share::Whole, now));
        self.frames = frames;
        appended
    }

    /// Takes a batch encoded before, with one write, if it fits into `share`.
    ///
    /// # Errors
    /// [`SpoolError::Full`], [`SpoolError::Reserved`] and [`SpoolError::Write`]: answer anyway,
    /// count the loss.
    pub fn append_frames(
        &mut self,
        frames: &Frames<T>,
        share: Share,
        now: Timestamp,
    ) -> Result<(), SpoolError> {
        if frames.is_empty() {
            return Ok(());
        }
        self.seal_if_due(now);
        self.check_room(frames.bytes.len() as u64, share, now)?;
        let current = match self.current.take() {
            Some(current) => current,
            None => self.begin(now)?,
        };
        let stored = self.write(current, frames);
        let count = match &stored {
            Ok(()) => frames.len(),
            Err(SpoolError::Write { stored, .. }) => *stored,
            Err(_) => 0,
        };
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        self.telemetry.spool_backlog.inc_by(count);
        stored
    }

    /// Ends the segment; the next append begins another. For a tidy shutdown and for tests.
    pub fn seal(&mut self) {
        if let Some(current) = self.current.take() {
            self.others += current.bytes;
            self.syncer.follow(None);
        }
    }

    fn seal_if_due(&mut self, now: Timestamp) {
        let due = self.current.as_ref().is_some_and(|current| {
            let age = now.seconds_since(current.begun).abs();
            current.bytes >= self.options.segment_bytes
                || age >= self.options.segment_age.as_secs_f64()
        });
        if due {
            self.seal();
        }
    }

    fn check_room(&mut self, more: u64, share: Share, now: Timestamp) -> Result<(), SpoolError> {
        let most = share.of(self.options.max_bytes);
        let current = self.current.as_ref().map_or(0, |current| current.bytes);
        let bytes = |others: u64| others + current;
        if bytes(self.others) + more <= most {
            return Ok(());
        }
        // The reader deletes what is shipped; look for it, but not at every call.
        if now.0.saturating_sub(self.looked.0).saturating_abs() >= LOOK_AGAIN {
            self.looked = now;
            let all: u64 = list(&self.dir)?.iter().map(|listed| listed.bytes).sum();
            self.others = all.saturating_sub(current);
        }
        let bytes = bytes(self.others);
        match share {
            _ if bytes + more <= most => Ok(()),
            Share::Whole => Err(SpoolError::Full { bytes }),
            Share::ThreeQuarters => Err(SpoolError::Reserved { bytes }),
        }
    }

    fn begin(&mut self, now: Timestamp) -> Result<Current, SpoolError> {
        let key = SegmentKey::next(self.sequence, self.options.seed);
        let path = key.path(&self.dir);
        let refused = |source| SpoolError::Write { stored: 0, source };
        let mut options = OpenOptions::new();
        let options = options.create_new(true).append(true);
        let file = options.open(&path).map_err(refused)?;
        if let Err(error) = (&file).write_all(&key.header::<T>()) {
            // Half a header would be told as damage; a file that stays is only a gap in the order.
            let _ = fs::remove_file(&path);
            self.sequence += 1;
            return Err(refused(error));
        }
        self.sequence += 1;
        let file = Arc::new(file);
        self.syncer.follow(Some(file.clone()));
        Ok(Current {
            file,
            bytes: HEADER,
            begun: now,
        })
    }

    fn write(&mut self, mut current: Current, frames: &Frames<T>) -> Result<(), SpoolError> {
        let (written, failed) = write_fully(&current.file, &frames.bytes);
        self.syncer.wrote();
        let Some(source) = failed else {
            current.bytes += written as u64;
            self.current = Some(current);
            return Ok(());
        };
        // The reader may have seen every whole frame that got in: those stay, the rest goes.
        let stored = frames.ends.partition_point(|&end| end <= written);
        let kept = stored.checked_sub(1).map_or(0, |last| frames.ends[last]);
        current.bytes += kept as u64;
        let clean = written == kept || current.file.set_len(current.bytes).is_ok();
        self.current = Some(current);
        if !clean {
            self.seal();
        }
        Err(SpoolError::Write { stored, source })
    }
}

/// Writes all of `bytes`, with one call unless the system takes less; how much got in.
fn write_fully(mut file: &File, bytes: &[u8]) -> (usize, Option<io::Error>) {
    let mut written = 0;
    while written < bytes.len() {
        match file.write(&bytes[written..]) {
            Ok(0) => return (written, Some(io::ErrorKind::WriteZero.into())),
            Ok(n) => written += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (written, Some(error)),
        }
    }
    (written, None)
}
