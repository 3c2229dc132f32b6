//! One training at a time: two would need twice the memory, and the later promotion would win by
//! chance.

use super::TrainError;
use crate::model::ModelError;
use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::{Duration, SystemTime};

const LOCK: &str = ".training.lock";
/// A draft that is older was left by a process that was killed.
const ABANDONED: Duration = Duration::from_secs(3_600);

/// Held while a training runs; the system lets go of it when the process ends, however it does.
#[derive(Debug)]
pub struct TrainingLock {
    _file: File,
}

impl TrainingLock {
    /// Takes the lock of a folder of models, and clears away drafts that a killed process left.
    ///
    /// # Errors
    /// [`TrainError::AtWork`] where another training has it; a folder that cannot be written.
    pub fn take(dir: &Path) -> Result<Self, TrainError> {
        let path = dir.join(LOCK);
        let fail = |source| ModelError::Write {
            path: path.clone(),
            source,
        };
        std::fs::create_dir_all(dir).map_err(fail)?;
        let file = File::create(&path).map_err(fail)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(TrainError::AtWork {
                    dir: dir.to_owned(),
                });
            }
            Err(TryLockError::Error(source)) => return Err(fail(source).into()),
        }
        clear_drafts(dir);
        Ok(Self { _file: file })
    }
}

/// Files that are being written stand under hidden names that end in `.tmp`.
fn clear_drafts(dir: &Path) {
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let is_draft = name
            .to_str()
            .is_some_and(|name| name.starts_with('.') && name.ends_with(".tmp"));
        let written = entry.metadata().and_then(|meta| meta.modified());
        let age = written.map(|at| SystemTime::now().duration_since(at).unwrap_or_default());
        if is_draft && age.is_ok_and(|age| age > ABANDONED) {
            // Whoever runs next tries again.
            drop(std::fs::remove_file(entry.path()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_and_the_next_when_it_has_ended() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("models");
        let first = TrainingLock::take(&dir).expect("free");
        let second = TrainingLock::take(&dir).unwrap_err().to_string();
        assert!(second.contains("another training"), "{second}");
        drop(first);
        TrainingLock::take(&dir).expect("free again");
    }

    #[test]
    fn old_drafts_go_and_everything_else_stays() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        for name in [".a.json.1-0.tmp", ".b.json.2-0.tmp", "c.json"] {
            File::create(dir.join(name)).unwrap();
        }
        for old in [".a.json.1-0.tmp", "c.json"] {
            let long_ago = SystemTime::now() - 2 * ABANDONED;
            let file = File::options().write(true).open(dir.join(old)).unwrap();
            file.set_modified(long_ago).unwrap();
        }
        drop(TrainingLock::take(dir).unwrap());
        assert!(!dir.join(".a.json.1-0.tmp").exists());
        assert!(dir.join(".b.json.2-0.tmp").exists(), "may be at work");
        assert!(dir.join("c.json").exists());
    }
}
