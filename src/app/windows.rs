//! Habits on disk: saved every half minute and at the end, restored at the start, joined with
//! those of imported files. Counts of use are saved and restored with them.

use super::{DataDir, usage};
use crate::decide::{Engine, Pool};
use crate::domain::Timestamp;
use crate::features::{Saved, StateError, StateHeader, Windows, read_state, write_state};
use parking_lot::Mutex;
use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

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

/// The service's windows on disk, and what is in them. One at a time saves or joins.
#[derive(Debug)]
pub(super) struct Keeper {
    engine: Arc<Engine>,
    data_dir: Arc<DataDir>,
    /// Ids of imports whose habits are in the windows, newest last.
    joined: Mutex<Vec<String>>,
}

impl Keeper {
    /// Restores the windows of the last process; also the earliest time from which on calls may
    /// be missing in them. Damaged ones are set aside, and told.
    pub(super) fn restore(
        engine: Arc<Engine>,
        data_dir: Arc<DataDir>,
        now: Timestamp,
    ) -> (Self, Timestamp) {
        let mut keeper = Self {
            engine,
            data_dir,
            joined: Mutex::default(),
        };
        // Without saved counts everything that is still spooled is counted: today's calls are not
        // only those of the last minute.
        let counted = usage::restore(&keeper.engine, &keeper.data_dir).unwrap_or_default();
        let mut since = now.min(counted);
        for pool in Pool::ALL {
            if let Some(header) = keeper.restore_pool(pool, now) {
                since = since.min(header.saved_at);
                keeper.joined.get_mut().extend(header.absorbed);
            }
        }
        (keeper, since)
    }

    fn restore_pool(&self, pool: Pool, now: Timestamp) -> Option<StateHeader> {
        let path = self.path(pool);
        if !path.exists() {
            return None;
        }
        match read_whole(&path, key_check(&self.data_dir)) {
            Ok((header, tracks)) => {
                self.engine.merge_windows(pool, &tracks, now);
                let age_s = now.seconds_since(header.saved_at);
                tracing::info!(?pool, tracks = tracks.len(), age_s, "habits restored");
                Some(header)
            }
            Err(error) => {
                set_aside(&path, &error);
                None
            }
        }
    }

    /// Saves windows and counts. A failure is told and costs only what a restart would forget;
    /// whether the windows were saved.
    pub(super) fn save(&self, now: Timestamp) -> bool {
        let joined = self.joined.lock();
        usage::save(&self.engine, &self.data_dir, now);
        Pool::ALL.into_iter().all(|pool| {
            let absorbed = match pool {
                Pool::Customers => joined.clone(),
                Pool::Strangers | Pool::Honeypot => Vec::new(),
            };
            let header = StateHeader::new(key_check(&self.data_dir), now, absorbed);
            let written = write_whole(&self.path(pool), &header, |take| {
                self.engine.copy_windows(pool, take);
            });
            if let Err(error) = &written {
                tracing::error!(%error, "habits not saved");
            }
            written.is_ok()
        })
    }

    /// Joins the windows of imported files, each once: its file goes when they are saved.
    pub(super) fn absorb(&self, now: Timestamp) {
        let Ok(entries) = std::fs::read_dir(self.data_dir.imports()) else {
            return;
        };
        for path in entries.flatten().map(|entry| entry.path()) {
            let Some(id) = import_id(&path) else {
                continue;
            };
            if !self.joined.lock().contains(&id) {
                self.join(&path, id, now);
            }
            if self.save(now) {
                let _removed = std::fs::remove_file(&path);
            }
        }
    }

    fn join(&self, path: &Path, id: String, now: Timestamp) {
        match read_whole(path, key_check(&self.data_dir)) {
            Ok((_, tracks)) => {
                self.engine.merge_windows(Pool::Customers, &tracks, now);
                tracing::info!(
                    import = id,
                    tracks = tracks.len(),
                    "habits of an import joined"
                );
                let mut joined = self.joined.lock();
                joined.push(id);
                let surplus = joined.len().saturating_sub(MAX_ABSORBED);
                joined.drain(..surplus);
            }
            Err(error) => set_aside(path, &error),
        }
    }

    fn path(&self, pool: Pool) -> PathBuf {
        let customers = self.data_dir.windows();
        match pool {
            Pool::Customers => customers,
            Pool::Strangers => customers.with_file_name("windows-of-strangers"),
            Pool::Honeypot => customers.with_file_name("windows-of-honeypots"),
        }
    }
}

/// Puts a file of habits that cannot be used where it is not looked for again. One of other
/// features is as it should be: what it holds means something else, and cannot be converted.
fn set_aside(path: &Path, error: &WindowsFileError) {
    if let StateError::OtherVersion { found } = error.source {
        let moved = std::fs::rename(path, path.with_extension(format!("version-{found}"))).is_ok();
        tracing::warn!(%error, moved, "habits are learned anew; importing past calls is quicker");
    } else {
        let moved = std::fs::rename(path, path.with_extension("damaged")).is_ok();
        tracing::error!(%error, moved, "habits not restored: they are learned anew");
    }
}

/// The id of a finished import file; drafts and files set aside have an extension.
fn import_id(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    (path.extension().is_none() && !name.starts_with('.')).then(|| name.to_owned())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::{Accounts, Snapshot};
    use crate::decide::WindowSizes;
    use crate::domain::NeutralAnswer;
    use crate::features::{Track, VERSION};
    use crate::geo::Geo;
    use crate::model::ModelSlot;

    const NOW: Timestamp = Timestamp::from_secs(1_760_000_000);

    /// Tracks restored from a file of windows that says it has this version of the features.
    fn restored(version: u16, folder: &Path) -> usize {
        let data_dir = Arc::new(DataDir::open(folder).expect("opened"));
        let accounts = Accounts::in_memory(NOW).expect("accounts");
        let engine = Arc::new(Engine::new(
            Snapshot::load(&accounts).expect("snapshot"),
            Geo::default(),
            WindowSizes {
                tracks: 1_000,
                key: data_dir.windows_key(),
            },
            Arc::new(ModelSlot::new(None)),
            NeutralAnswer::default(),
        ));
        let header = StateHeader {
            version,
            ..StateHeader::new(key_check(&data_dir), NOW, Vec::new())
        };
        let path = data_dir.windows().with_file_name("windows-of-honeypots");
        write_whole(&path, &header, |take| {
            take(vec![Saved(7, Track::new(NOW, 1.0))]);
        })
        .expect("written");
        Keeper::restore(Arc::clone(&engine), data_dir, NOW);
        engine.window_sizes().0
    }

    #[test]
    fn habits_of_other_features_are_set_aside_and_not_misread() {
        let folder = tempfile::tempdir().expect("folder");
        let state = |name: &str| folder.path().join("state").join(name).exists();
        assert_eq!(restored(VERSION, folder.path()), 1);
        assert!(state("windows-of-honeypots"));
        assert_eq!(restored(VERSION - 1, folder.path()), 0);
        assert!(!state("windows-of-honeypots"));
        assert!(state(&format!(
            "windows-of-honeypots.version-{}",
            VERSION - 1
        )));
    }
}
