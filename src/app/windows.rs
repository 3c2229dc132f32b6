//! Habits on disk: saved every half minute and at the end, restored at the start, joined with
//! those of imported files.

use super::DataDir;
use crate::decide::Engine;
use crate::domain::Timestamp;
use crate::features::{Saved, StateError, StateHeader, Windows, read_state, write_state};
use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Imports remembered as joined, at most: the oldest are forgotten, their files long gone.
const MAX_ABSORBED: usize = 4_096;

/// Why a file of windows could not be used.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {source}")]
pub struct WindowsFileError {
    path: PathBuf,
    source: StateError,
}

/// The habits that one imported file shows, written for the service to join.
#[derive(Debug)]
pub struct ImportedWindows;

impl ImportedWindows {
    /// Writes the windows of an import under its id, whole or not at all.
    ///
    /// # Errors
    /// The data directory cannot be written.
    pub fn write(
        data_dir: &DataDir,
        id: &str,
        windows: &Windows,
        at: Timestamp,
    ) -> Result<(), WindowsFileError> {
        let header = StateHeader::new(key_check(data_dir), at, vec![id.to_owned()]);
        let path = data_dir.imports().join(id);
        write_whole(&path, &header, |take| {
            const PIECE: usize = 8_192;
            (0..windows.len())
                .step_by(PIECE)
                .for_each(|from| take(windows.slice(from, PIECE).to_vec()));
        })
    }
}

/// Saves the service's windows. A failure is told and costs only what a restart would forget.
pub(super) fn save(engine: &Engine, data_dir: &DataDir, now: Timestamp) {
    let absorbed = absorbed(data_dir);
    if let Err(error) = save_with(engine, data_dir, now, absorbed) {
        tracing::error!(%error, "habits not saved");
    }
}

fn save_with(
    engine: &Engine,
    data_dir: &DataDir,
    now: Timestamp,
    absorbed: Vec<String>,
) -> Result<(), WindowsFileError> {
    let header = StateHeader::new(key_check(data_dir), now, absorbed);
    write_whole(&data_dir.windows(), &header, |take| {
        engine.copy_windows(take);
    })
}

/// Restores the windows of the last process. Damaged ones are set aside, and told.
pub(super) fn restore(engine: &Engine, data_dir: &DataDir, now: Timestamp) {
    let path = data_dir.windows();
    if !path.exists() {
        return;
    }
    match read_whole(&path, key_check(data_dir)) {
        Ok((header, tracks)) => {
            engine.merge_windows(&tracks);
            let age = now.seconds_since(header.saved_at);
            tracing::info!(tracks = tracks.len(), age_s = age, "habits restored");
        }
        Err(error) => {
            let aside = path.with_extension("damaged");
            let moved = std::fs::rename(&path, &aside).is_ok();
            tracing::error!(%error, moved, "habits not restored: they are learned anew");
        }
    }
}

/// Joins the windows of imported files, each once: saved as joined before its file goes.
pub(super) fn absorb(engine: &Engine, data_dir: &DataDir, now: Timestamp) {
    let Ok(entries) = std::fs::read_dir(data_dir.imports()) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        let Some(id) = import_id(&path) else {
            continue;
        };
        let mut joined = absorbed(data_dir);
        if !joined.contains(&id) {
            match read_whole(&path, key_check(data_dir)) {
                Ok((_, tracks)) => {
                    engine.merge_windows(&tracks);
                    tracing::info!(
                        import = id,
                        tracks = tracks.len(),
                        "habits of an import joined"
                    );
                }
                Err(error) => {
                    tracing::error!(%error, "habits of an import cannot be joined: set aside");
                    let _moved = std::fs::rename(&path, path.with_extension("damaged"));
                    continue;
                }
            }
            joined.push(id);
            let surplus = joined.len().saturating_sub(MAX_ABSORBED);
            joined.drain(..surplus);
            if let Err(error) = save_with(engine, data_dir, now, joined) {
                // Not noted as joined: the file must not be joined again by this process.
                tracing::error!(%error, "habits not saved after joining an import");
            }
        }
        let _removed = std::fs::remove_file(&path);
    }
}

/// The id of a finished import file; drafts and files set aside have an extension.
fn import_id(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    (path.extension().is_none() && !name.starts_with('.')).then(|| name.to_owned())
}

fn absorbed(data_dir: &DataDir) -> Vec<String> {
    let Ok(file) = File::open(data_dir.windows()) else {
        return Vec::new();
    };
    StateHeader::peek(&mut BufReader::new(file))
        .map(|header| header.absorbed)
        .unwrap_or_default()
}

fn key_check(data_dir: &DataDir) -> u64 {
    Windows::new(1, data_dir.windows_key()).key_check()
}

fn read_whole(path: &Path, key: u64) -> Result<(StateHeader, Vec<Saved>), WindowsFileError> {
    let failed = |source| WindowsFileError {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(|e| failed(e.into()))?;
    let mut tracks = Vec::new();
    let header = read_state(&mut BufReader::new(file), key, |piece| tracks.extend(piece));
    header.map(|header| (header, tracks)).map_err(failed)
}

fn write_whole(
    path: &Path,
    header: &StateHeader,
    pieces: impl FnOnce(&mut dyn FnMut(Vec<Saved>)),
) -> Result<(), WindowsFileError> {
    let draft = path.with_extension("draft");
    let write = || -> Result<(), StateError> {
        let mut out = BufWriter::new(File::create(&draft)?);
        write_state(&mut out, header, pieces)?;
        out.flush()?;
        out.get_ref().sync_all()?;
        std::fs::rename(&draft, path)?;
        Ok(())
    };
    write().map_err(|source| WindowsFileError {
        path: path.to_owned(),
        source,
    })
}
