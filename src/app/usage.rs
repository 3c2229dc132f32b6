//! Counts of use on disk: saved with the habits, and restored before the first call.

use super::DataDir;
use crate::decide::Engine;
use crate::domain::Timestamp;
use crate::usage::{Piece, ResetJournal, UsageStateError, read_state, write_state};
use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::Path;

/// Restores the counts of the last process; also when they were saved, `None` without any: then
/// all that the spool still holds is to be counted. Damaged ones are set aside, and told.
pub(super) fn restore(engine: &Engine, data_dir: &DataDir) -> Option<Timestamp> {
    let (path, key) = (data_dir.usage(), engine.usage_key_check());
    let (saved_at, pieces) = match read_whole(&path, key) {
        None => (None, Vec::new()),
        Some(Ok((saved_at, pieces))) => {
            tracing::info!(saved_at = saved_at.to_rfc3339(), "counts of use restored");
            (Some(saved_at), pieces)
        }
        Some(Err(error)) => {
            let moved = std::fs::rename(&path, path.with_extension("damaged")).is_ok();
            let path = path.display();
            tracing::error!(%path, %error, moved, "counts of use not restored: only the calls that are still spooled are counted");
            (None, Vec::new())
        }
    };
    let resets = data_dir.usage_resets();
    match ResetJournal::open(&resets, key) {
        Ok((journal, noted)) => engine.restore_usage(pieces, Some(journal), &noted),
        Err(error) => {
            let path = resets.display();
            tracing::error!(%path, %error, "counts that are reset come back with a restart");
            engine.restore_usage(pieces, None, &[]);
        }
    }
    saved_at
}

/// Saves the counts. A failure is told and costs only what a restart would forget.
pub(super) fn save(engine: &Engine, data_dir: &DataDir, now: Timestamp) -> bool {
    let path = data_dir.usage();
    let mut journal = engine.hold_resets();
    let saved = write_whole(&path, engine, now).and_then(|()| match journal.as_mut() {
        Some(journal) => Ok(journal.clear()?),
        None => Ok(()),
    });
    if let Err(error) = &saved {
        let path = path.display();
        tracing::error!(%path, %error, "counts of use not saved");
    }
    saved.is_ok()
}

/// `None`: there is no file.
fn read_whole(path: &Path, key: u64) -> Option<Result<(Timestamp, Vec<Piece>), UsageStateError>> {
    match File::open(path) {
        Ok(file) => Some(read_state(&mut BufReader::new(file), key)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => Some(Err(error.into())),
    }
}

fn write_whole(path: &Path, engine: &Engine, now: Timestamp) -> Result<(), UsageStateError> {
    let draft = path.with_extension("draft");
    let mut out = BufWriter::new(File::create(&draft)?);
    write_state(&mut out, engine.usage_key_check(), now, |take| {
        engine.copy_usage(take);
    })?;
    out.flush()?;
    out.get_ref().sync_all()?;
    Ok(std::fs::rename(&draft, path)?)
}
